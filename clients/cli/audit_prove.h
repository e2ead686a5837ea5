// `cpis audit prove`, offline.
#ifndef CPIS_CLI_AUDIT_PROVE_H
#define CPIS_CLI_AUDIT_PROVE_H

#include "clients/cli/command_line.h"

int audit_prove(const struct command_line *line); // an exit code
extern const struct command_option audit_prove_options[];

#endif
