// `cpis audit verify`, offline.
#ifndef CPIS_CLI_AUDIT_VERIFY_H
#define CPIS_CLI_AUDIT_VERIFY_H

#include "clients/cli/command_line.h"

int audit_verify(const struct command_line *line); // an exit code
extern const struct command_option audit_verify_options[];

#endif
