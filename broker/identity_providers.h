// Identity providers (OpenID Connect, in the manner of CIS2) whose tokens open sessions: a directory with one YAML file for each, and
// its keys beside it. Immutable once read; part of the register's snapshot, which is replaced whole when a file changes.
#ifndef CPIS_BROKER_IDENTITY_PROVIDERS_H
#define CPIS_BROKER_IDENTITY_PROVIDERS_H

#include <stdbool.h>
#include <stddef.h>

#include "broker/identity_keys.h"
#include "broker/limits.h"
#include "proto/ods_code.h"

// As which relying party a system is known to the provider: a token for any other is worthless through it.
struct identity_audience {
	struct ods_code organisation;
	char system[SYSTEM_NAME_BYTES_MAX + 1];
	char audience[IDENTITY_AUDIENCE_BYTES_MAX + 1];
};

struct identity_provider {
	char issuer[IDENTITY_ISSUER_BYTES_MAX + 1];
	unsigned algorithms;                 // bit n: enum identity_algorithm n
	unsigned assurance_level;            // the least, 1 to 3, of how somebody signed in there and how they were known
	struct identity_audience *audiences; // no system twice, no audience twice
	size_t audiences_count;
	struct identity_keys *keys;
};

struct identity_providers {
	struct identity_provider *list;
	size_t count;
};

// Reads each *.yaml of the directory, and the key file that it names. False: `detail` has the file, the line where there is one, and
// what is wrong.
__attribute__((warn_unused_result)) bool identity_providers_load(const char *directory, struct identity_providers **ret, char *detail,
								  size_t detail_bytes);
void identity_providers_free(struct identity_providers *providers); // accepts NULL

// Both accept NULL providers: there are none. NULL: not found.
const struct identity_provider *identity_providers_find(const struct identity_providers *providers, const char *issuer);
const struct identity_audience *identity_provider_audience(const struct identity_provider *provider, const struct ods_code *organisation,
							     const char *system);

#endif
