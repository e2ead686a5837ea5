// The gateway's settings: one YAML file. Relative paths start at the file's own directory; unknown keys are refused with their line.
#ifndef CPIS_WEB_SETTINGS_H
#define CPIS_WEB_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define SETTINGS_DETAIL_BYTES 400
#define SETTINGS_ROLES_MAX 32
#define SETTINGS_CARE_SETTINGS_MAX 16

struct settings_role {
	char *code;                  // e.g. R8001
	char *name;                  // as people here call it
};

// Owned by settings_load, freed by settings_free.
struct settings {
	char *listen;                // address:port
	char *public_port;           // optional: the port that browsers see, where it is another one
	char *web_certificate;       // PEM chain for the web host and *.<web host>
	char *web_key;
	char *profile;               // where the broker is and which system this is: as of `cpis`, without a member of staff
	char *staff_directory;       // certificates of the passkeys of those who sign in here
	char *share_directory;       // optional: templates/ and assets/, where they are not beside the program
	char *sealing_key;           // optional: sealed.h
	char *organisation;          // as people call it
	struct settings_role *roles; // that people choose from when they sign in
	uint32_t roles_count;
	char **care_settings;        // that they choose from when they look; may be none
	uint32_t care_settings_count;
	char *lock_after;            // seconds, 60 to 1,800; default 600
	char *workers;               // 1 to 64; default 8

	char address[64];
	uint16_t port, browser_port;
	unsigned lock_after_s, worker_count;
};

__attribute__((warn_unused_result)) bool settings_load(const char *path, struct settings **ret, char detail[SETTINGS_DETAIL_BYTES]);
void settings_free(struct settings *settings); // accepts NULL
// Every key, as rows of Markdown, for the manual.
void settings_describe(FILE *out);

#endif
