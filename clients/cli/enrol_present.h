// `cpis enrol present`, in a file of its own: the new system's part.
#ifndef CPIS_CLI_ENROL_PRESENT_H
#define CPIS_CLI_ENROL_PRESENT_H

#include "clients/cli/command_line.h"

extern const struct command_option enrol_present_options[];
int enrol_present(const struct command_line *line);

// An ODS code and a system's name as a certificate can bear them. EXIT_DONE, or the complaint has been printed.
int enrol_check_system(const struct command_line *line);

#endif
