// `cpis policy diff`: two policies compared, by the broker's program, which alone knows how a policy decides.
#ifndef CPIS_CLI_POLICY_DIFF_H
#define CPIS_CLI_POLICY_DIFF_H

#include "clients/cli/command_line.h"

// Runs `cpis-broker --policy-diff OLD NEW` with our own standard output and error. It is the one beside this program, or in
// ../sbin from there (where it is installed), or else the first in PATH. EXIT_USAGE when one of the files cannot be used,
// EXIT_FAILED when there is no such program.
int policy_diff(const struct command_line *line);

#endif
