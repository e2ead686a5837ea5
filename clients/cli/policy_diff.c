// Comparing policies with the broker's program.
#include "clients/cli/policy_diff.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clients/cli/commands.h"

#define PROGRAM "cpis-broker"
#define PATH_BYTES 4096
// The broker's own code for files that it cannot start with.
#define BROKER_CANNOT_START 2

// False when we cannot tell where we are.
static bool own_directory(char out[PATH_BYTES])
{
	ssize_t bytes = readlink("/proc/self/exe", out, PATH_BYTES - 1);
	if (bytes <= 0)
		return false;
	out[bytes] = '\0';
	// glibc's dirname cuts in place.
	return dirname(out) == out;
}

static void run_beside(const char *directory, const char *relative, char *const arguments[])
{
	char path[PATH_BYTES + 32];
	snprintf(path, sizeof path, "%s/%s", directory, relative);
	execv(path, arguments);
}

// In the process of its own. Returns when there is no such program.
static void run(const struct command_line *line)
{
	char program[] = PROGRAM, option[] = "--policy-diff", directory[PATH_BYTES];
	char *arguments[] = {program, option, line->operands[0], line->operands[1], NULL};
	if (own_directory(directory)) {
		run_beside(directory, PROGRAM, arguments);
		run_beside(directory, "../sbin/" PROGRAM, arguments);
	}
	execvp(PROGRAM, arguments);
}

static int fail(const struct command_line *line, const char *what)
{
	fprintf(stderr, "cpis %s: %s\n", line->command->name, what);
	return EXIT_FAILED;
}

static int exit_of(const struct command_line *line, int status)
{
	if (!WIFEXITED(status))
		return fail(line, PROGRAM " was ended by a signal");
	switch (WEXITSTATUS(status)) {
	case 0:
		return EXIT_DONE;
	case EXIT_USAGE:
	case BROKER_CANNOT_START:
		return EXIT_USAGE;
	default:
		return EXIT_FAILED;
	}
}

int policy_diff(const struct command_line *line)
{
	int status = 0;
	fflush(NULL);
	pid_t process = fork();
	if (process == 0) {
		run(line);
		fprintf(stderr,
			"cpis %s: there is no program " PROGRAM " beside this one or in PATH (%s): install the broker's package, "
			"or run `cpis policy load --check`, which asks a running broker\n",
			line->command->name, strerror(errno));
		_exit(EXIT_FAILED);
	}
	if (process < 0)
		return fail(line, strerror(errno));
	while (waitpid(process, &status, 0) < 0)
		if (errno != EINTR)
			return fail(line, strerror(errno));
	return exit_of(line, status);
}
