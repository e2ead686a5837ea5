// Keys for what is at rest, and for session tokens. One master key file gives independent keys by
// HKDF-SHA-256 (RFC 5869): look-up tags, sealing of each kind, tokens. Reading the database without this
// file tells nothing about any child or member of staff. The audit log's records have keys of their own, which this one
// seals: broker/audit_keys.h.
#ifndef CPIS_BROKER_VAULT_H
#define CPIS_BROKER_VAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/seal.h"
#include "broker/store.h"
#include "proto/nhs_number.h"
#include "proto/ods_code.h"

#define VAULT_DETAIL_BYTES 160

enum vault_purpose {
	VAULT_PLAN,
	VAULT_INBOX,
	VAULT_AUTHORITY,
	VAULT_REQUEST,
	VAULT_AUDIT_KEY,
	VAULT_TOKEN,
	VAULT_QUARANTINE,
	VAULT_ROLE,
	VAULT_ALERT,
	VAULT_POLICY,
	VAULT_ENROLMENT,
	VAULT_INACTIVE,
	VAULT_REJECTION,
	VAULT_HOLD,
	VAULT_PURPOSES
};

struct vault;

// Makes a new key file (0600, O_EXCL, flushed). False and a sentence when it exists or cannot be written.
__attribute__((warn_unused_result)) bool vault_create_key(const char *path, char detail[VAULT_DETAIL_BYTES]);
// Reads it; refuses a file that others may read.
__attribute__((warn_unused_result)) bool vault_open_key(const char *path, struct vault **ret, char detail[VAULT_DETAIL_BYTES]);
void vault_free(struct vault *vault); // accepts NULL; wipes

// Keyed tags (HMAC-SHA-256 cut to 16 bytes), one-way without the key.
void vault_tag_subject(struct vault *, const struct nhs_number *, struct store_tag *ret);
void vault_tag_person(struct vault *, const char *uid, struct store_tag *ret);
void vault_tag_slot(struct vault *, const struct nhs_number *, const struct ods_code *authority, unsigned plan_type,
		    struct store_tag *ret);
// A record of a file as it was sent, whether or not its number is one.
void vault_tag_record(struct vault *, const char *nhs_number, unsigned plan_type, struct store_tag *ret);
void vault_tag_request(struct vault *, const char *uid, const uint8_t channel_key[32],
		       const uint8_t request_id[REQUEST_ID_BYTES], struct store_tag *ret);
void vault_tag_role(struct vault *, const char *uid, const char *role_code, const struct ods_code *organisation,
		    struct store_tag *ret);
// An invitation, by what it is for and by the SHA-256 of its one-time code.
void vault_tag_enrolment(struct vault *, const struct ods_code *organisation, const char *system_name,
			 struct store_tag *ret);
void vault_tag_enrolment_code(struct vault *, const uint8_t code_sha256[HASH_BYTES], struct store_tag *ret);
void vault_tag_quarantine(struct vault *, unsigned kind, const char *target, struct store_tag *ret);
void vault_tag_hold(struct vault *, const char *name, struct store_tag *ret);
// A keyed digest of a request (HMAC-SHA-256), to compare requests by. Without the key it would tell a child's number: all
// else in a request can be guessed or stands in the audit record.
void vault_digest_request(struct vault *, const uint8_t *request, size_t request_bytes, uint8_t ret[HASH_BYTES]);

// The key that seals what is of this purpose, for broker/sealed.h. Belongs to the vault.
struct seal_key *vault_key(struct vault *, enum vault_purpose);

#endif
