// Comparing policies with the broker's program.
#include "clients/cli/policy_diff.h"

#include <stddef.h>

#include "clients/cli/commands.h"
#include "clients/cli/sibling.h"

// The broker's own code for files that it cannot start with.
#define BROKER_CANNOT_START 2

int policy_diff(const struct command_line *line)
{
	char program[] = "cpis-broker", option[] = "--policy-diff";
	char *arguments[] = {program, option, line->operands[0], line->operands[1], NULL};
	int code;
	if (!sibling_run(line, arguments, -1,
			 "install the broker's package, or run `cpis policy load --check`, which asks a running broker", &code))
		return EXIT_FAILED;
	switch (code) {
	case 0:
		return EXIT_DONE;
	case EXIT_USAGE:
	case BROKER_CANNOT_START:
		return EXIT_USAGE;
	default:
		return EXIT_FAILED;
	}
}
