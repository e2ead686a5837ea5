// What a role profile is found by: person, role and organisation, as one value to hash.
#ifndef CPIS_BROKER_ROLE_KEY_H
#define CPIS_BROKER_ROLE_KEY_H

#include <stdbool.h>
#include <string.h>

// Looked up with every message: short chains, so that many staff cost as little as few.
#define HASH_BKT_CAPACITY_THRESH 2U
// Without memory an entry is not kept: uthash must not call exit().
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "proto/limits.h"
#include "proto/ods_code.h"

// Texts padded with zeros, so that equal keys are equal bytes.
struct role_key {
	char uid[UID_DIGITS + 1];
	char role_code[ROLE_CODE_BYTES_MAX + 1];
	char organisation[ODS_CODE_BYTES_MAX + 1];
};

// False when a text is too long to be anybody's: cut, it would be somebody else's.
static inline bool role_key_make(const char *uid, const char *role_code, const struct ods_code *organisation,
				 struct role_key *ret)
{
	size_t uid_bytes = strnlen(uid, sizeof ret->uid), role_bytes = strnlen(role_code, sizeof ret->role_code);
	memset(ret, 0, sizeof *ret);
	if (uid_bytes == sizeof ret->uid || role_bytes == sizeof ret->role_code)
		return false;
	memcpy(ret->uid, uid, uid_bytes);
	memcpy(ret->role_code, role_code, role_bytes);
	memcpy(ret->organisation, organisation->text, strnlen(organisation->text, ODS_CODE_BYTES_MAX));
	return true;
}

#endif
