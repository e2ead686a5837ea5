// A client's profile: one YAML file that says where the broker is, whom to trust, and who is asking. Relative paths
// are relative to the file's own directory; unknown keys are refused with file and line.
#ifndef CPIS_CLI_PROFILE_H
#define CPIS_CLI_PROFILE_H

#include <stdbool.h>

#define PROFILE_DETAIL_BYTES 400

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
};

__attribute__((warn_unused_result)) bool profile_load(const char *path, struct profile **ret,
						      char detail[PROFILE_DETAIL_BYTES]);
void profile_free(struct profile *profile); // accepts NULL

#endif
