// The settings of cpis-fhir-notify: one YAML file, which is one subscription: an endpoint, and how it is told. Relative paths are
// relative to the file's own directory; unknown keys are refused with file and line.
#ifndef CPIS_FHIR_NOTIFY_SETTINGS_H
#define CPIS_FHIR_NOTIFY_SETTINGS_H

#include <stdbool.h>

#include "clients/fhir/notify_secret.h"

enum notify_payload { NOTIFY_EMPTY, NOTIFY_ID_ONLY, NOTIFY_FULL_RESOURCE };

#define NOTIFY_HOST_BYTES 254

// Owned by notify_settings_load, freed by notify_settings_free.
struct notify_settings {
	char *endpoint;          // https://host[:port]/path, nothing else in it
	char *ca_file;           // PEM: who may certify the endpoint
	char *subscription;      // a UUID
	char *payload;
	char *certificate, *key; // optional, together: who we are, by TLS
	char *authorization_file; // optional: the value of the header
	char *deadline_s;        // optional
	char host[NOTIFY_HOST_BYTES]; // of the endpoint, for people
	enum notify_payload content;
	unsigned deadline_seconds;
};

__attribute__((warn_unused_result)) bool notify_settings_load(const char *path, struct notify_settings **ret,
							       char detail[NOTIFY_DETAIL_BYTES]);
void notify_settings_free(struct notify_settings *settings); // accepts NULL
// The table of keys, for the manual.
void notify_settings_describe(void);

#endif
