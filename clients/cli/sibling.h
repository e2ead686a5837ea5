// Programs of this project that stand beside this one, in ../sbin or in PATH.
#ifndef CPIS_CLI_SIBLING_H
#define CPIS_CLI_SIBLING_H

#include "clients/cli/command_line.h"

// Runs it to its end in a process of its own, with `input` as its standard input (-1: ours). arguments[0] is its name; the list
// ends with NULL. False: it could not be run or was ended by a signal, which has been said. True: `ret_code` is its exit code.
// `remedy` is said where there is no such program, e.g. "install the package cpis".
__attribute__((warn_unused_result)) bool sibling_run(const struct command_line *line, char *const arguments[], int input,
						     const char *remedy, int *ret_code);

#endif
