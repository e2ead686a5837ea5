// `cpis audit export` and `cpis audit import`, offline.
#ifndef CPIS_CLI_AUDIT_EXPORT_H
#define CPIS_CLI_AUDIT_EXPORT_H

#include "clients/cli/command_line.h"

int audit_export(const struct command_line *line); // an exit code
int audit_import(const struct command_line *line);
extern const struct command_option audit_export_options[], audit_import_options[];

#endif
