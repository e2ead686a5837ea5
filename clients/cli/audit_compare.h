// `cpis audit checkpoint` and `cpis audit compare`: what one was shown of the log, and whether what several were shown is one log.
#ifndef CPIS_CLI_AUDIT_COMPARE_H
#define CPIS_CLI_AUDIT_COMPARE_H

#include "clients/cli/command_line.h"

int audit_checkpoint(const struct command_line *line); // exit codes
int audit_compare(const struct command_line *line);
extern const struct command_option audit_checkpoint_options[], audit_compare_options[];

#endif
