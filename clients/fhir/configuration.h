// The settings of cpis-fhir: one YAML file. Relative paths are relative to the file's own directory; unknown keys are refused with file
// and line.
#ifndef CPIS_FHIR_CONFIGURATION_H
#define CPIS_FHIR_CONFIGURATION_H

#include <stdbool.h>
#include <stdint.h>

#include "clients/http/address.h"
#include "proto/cpis.pb-c.h"

#define CONFIGURATION_DETAIL_BYTES 400

// Owned by configuration_load, freed by configuration_free.
struct configuration {
	char *listen;           // a numeric address and a port
	char *host;             // that callers ask for
	char *public_port;      // optional: where callers see another one
	char *certificate;      // PEM chain for the host
	char *key;
	char *profile;          // where the broker is, which system this is
	char *care_setting;     // optional: of calls that do not say theirs
	char *workers;          // optional
	char address[ADDRESS_BYTES];
	uint16_t port, caller_port;
	unsigned worker_count;
	Cpis__V1__CareSetting care_setting_code;
};

__attribute__((warn_unused_result)) bool configuration_load(const char *path, struct configuration **ret,
							     char detail[CONFIGURATION_DETAIL_BYTES]);
void configuration_free(struct configuration *configuration); // accepts NULL

#endif
