// `cpis inbox follow`: items as they come, printed or handed to a program one by one.
#ifndef CPIS_CLI_INBOX_FOLLOW_H
#define CPIS_CLI_INBOX_FOLLOW_H

#include "clients/cli/command_line.h"

extern const struct command_option inbox_follow_options[];
int inbox_follow(const struct command_line *line);

// The value of --box; false, having said so, when it is no box.
bool inbox_read_box(const struct command_line *line, int *ret);

#endif
