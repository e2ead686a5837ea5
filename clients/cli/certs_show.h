// What the two files of `cpis certs` share.
#ifndef CPIS_CLI_CERTS_SHOW_H
#define CPIS_CLI_CERTS_SHOW_H

#include "certs/certs_status.h"
#include "clients/cli/command_line.h"

int certs_show(const struct command_line *line); // an exit code

// Says on standard error what failed; the exit code for it.
int certs_failure(enum certs_status status, const char *detail);

#endif
