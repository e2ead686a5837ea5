// A client's profile: one YAML file that says where the broker is, whom to trust, and who is asking. Relative paths
// are relative to the file's own directory; unknown keys are refused with file and line.
#ifndef CPIS_CLI_PROFILE_H
#define CPIS_CLI_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "clients/libcpis/cpis.h"

#define PROFILE_DETAIL_BYTES 400
#define PROFILE_BROKERS_MAX CPIS_FURTHER_MAX // beside the profile's own

// Where a broker is and how it is known.
struct profile_broker {
	char *endpoint;              // tcp://host:port
	char *broker_name;
	char *broker_certificate;
	char *trust_directory;       // optional in the list; of a broker whose log has another key
	char *checkpoint_file;       // optional: each log has its own
};

// Owned by profile_load, freed by profile_free.
struct profile {
	char *endpoint;              // tcp://host:port
	char *broker_name;
	char *broker_certificate;
	char *trust_directory;
	char *system_certificate;
	char *system_key;
	char *staff_certificate;     // these three are optional: `cpis ping` needs no person
	char *staff_key;
	char *role;                  // role code, e.g. R8001
	char *care_setting;          // optional; e.g. emergency_department
	char *checkpoint_file;       // optional
	char *witness;               // "warn" or "refuse" when the witnessed checkpoint is older than this; both or neither
	char *witness_age_max;
	uint64_t witness_age_max_s;
	struct profile_broker *brokers; // optional: further ones of the same service
	char *share_log;             // optional, with brokers: "yes" when all of them have one store and one audit log
	bool shares_log;
	uint32_t brokers_count;
};

__attribute__((warn_unused_result)) bool profile_load(const char *path, struct profile **ret,
						      char detail[PROFILE_DETAIL_BYTES]);
// All brokers of the service: number 0 is the profile's own, the others follow as in the list. Borrowed from the profile.
size_t profile_brokers_count(const struct profile *profile);
struct profile_broker profile_broker(const struct profile *profile, size_t number);
// How to connect to that one alone.
void profile_connect_options(const struct profile *profile, size_t number, struct cpis_options *ret);
// The brokers that a client of the first one may turn to instead: with share_log the others, else none. Returns how many.
size_t profile_further(const struct profile *profile, struct cpis_broker ret[PROFILE_BROKERS_MAX]);
void profile_free(struct profile *profile); // accepts NULL
void profile_print_keys(FILE *out); // as yaml_keys_print

#endif
