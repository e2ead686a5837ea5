// Finding and running a program that stands beside this one.
#include "clients/cli/sibling.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATH_BYTES 4096
#define NOT_FOUND 127

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
	char path[PATH_BYTES + 64];
	int length = snprintf(path, sizeof path, "%s/%s%s", directory, relative, arguments[0]);
	if (length > 0 && (size_t)length < sizeof path)
		execv(path, arguments);
}

// In the process of its own. Returns when there is no such program.
static void run(char *const arguments[])
{
	char directory[PATH_BYTES];
	if (own_directory(directory)) {
		run_beside(directory, "", arguments);
		run_beside(directory, "../sbin/", arguments);
	}
	execvp(arguments[0], arguments);
}

static bool fail(const struct command_line *line, const char *program, const char *what)
{
	fprintf(stderr, "cpis %s: %s: %s\n", line->command->name, program, what);
	return false;
}

bool sibling_run(const struct command_line *line, char *const arguments[], int input, const char *remedy, int *ret_code)
{
	int status = 0;
	fflush(NULL);
	pid_t process = fork();
	if (process == 0) {
		if (input < 0 || dup2(input, STDIN_FILENO) == STDIN_FILENO)
			run(arguments);
		fprintf(stderr, "cpis %s: there is no program %s beside this one or in PATH (%s): %s\n", line->command->name,
			arguments[0], strerror(errno), remedy);
		_exit(NOT_FOUND);
	}
	if (process < 0)
		return fail(line, arguments[0], strerror(errno));
	while (waitpid(process, &status, 0) < 0)
		if (errno != EINTR)
			return fail(line, arguments[0], strerror(errno));
	if (!WIFEXITED(status))
		return fail(line, arguments[0], "was ended by a signal");
	if (WEXITSTATUS(status) == NOT_FOUND)
		return false;
	*ret_code = WEXITSTATUS(status);
	return true;
}
