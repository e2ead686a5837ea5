// What the files of `cpis certs` share.
#ifndef CPIS_CLI_CERTS_SHOW_H
#define CPIS_CLI_CERTS_SHOW_H

#include "certs/identity.h"
#include "clients/cli/command_line.h"

int certs_show(const struct command_line *line); // an exit code
int certs_check(const struct command_line *line); // in certs_check.c

const char *certs_kind_text(enum certificate_kind kind);
// Whether the certificate that was described holds now by this bundle. An authority's own is not judged: CERTS_OK.
enum certs_status certs_judge(const struct trust *trust, const char *path,
			      const struct certificate_description *description, uint64_t now_ms,
			      char detail[CERTS_DETAIL_BYTES]);

// Says on standard error what failed; the exit code for it.
int certs_failure(enum certs_status status, const char *detail);

#endif
