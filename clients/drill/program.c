// fork and exec, with what was said kept.
#include "clients/drill/program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ARGUMENTS_MAX 32
#define EXIT_NOT_STARTED 127

static uint64_t clock_ms(clockid_t id)
{
	struct timespec now;
	clock_gettime(id, &now);
	return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

uint64_t drill_now_ms(void)
{
	return clock_ms(CLOCK_MONOTONIC);
}

uint64_t drill_clock_ms(void)
{
	return clock_ms(CLOCK_REALTIME);
}

bool drill_fail(struct drill *drill, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	if (drill->detail[0] == '\0')
		vsnprintf(drill->detail, sizeof drill->detail, format, arguments);
	va_end(arguments);
	return false;
}

static _Noreturn void become(const struct drill *drill, const char *program, const char *const arguments[], int output)
{
	char path[DRILL_PATH_BYTES + 32];
	char *words[ARGUMENTS_MAX + 2];
	size_t count = 0;
	int input = open("/dev/null", O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof path, "%s/%s", drill->programs, program);
	if (access(path, X_OK) != 0) // installed, the broker is in the sbin beside
		snprintf(path, sizeof path, "%s/../sbin/%s", drill->programs, program);
	words[count++] = path;
	for (size_t i = 0; arguments[i] != NULL && i < ARGUMENTS_MAX; i++)
		words[count++] = (char *)(uintptr_t)arguments[i];
	words[count] = NULL;
	// Whatever becomes of the rehearsal, nothing of it is left running.
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && chdir(drill->folder) == 0 && input >= 0 &&
	    dup2(input, STDIN_FILENO) >= 0 && dup2(output, STDOUT_FILENO) >= 0 && dup2(output, STDERR_FILENO) >= 0)
		execv(path, words);
	_exit(EXIT_NOT_STARTED);
}

static pid_t start(struct drill *drill, const char *program, const char *const arguments[], int output)
{
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0)
		become(drill, program, arguments, output);
	if (pid < 0)
		drill_fail(drill, "%s could not be started: %s", program, strerror(errno));
	return pid;
}

// Until the other end is closed. False: it took too long.
static bool listen_to(struct drill *drill, int from)
{
	size_t used = 0;
	uint64_t end_ms = drill_now_ms() + DRILL_WAIT_MS;
	for (;;) {
		char rest[4096];
		bool full = used + 1 >= sizeof drill->output;
		struct pollfd item = {.fd = from, .events = POLLIN};
		uint64_t now_ms = drill_now_ms();
		if (now_ms >= end_ms || (poll(&item, 1, (int)(end_ms - now_ms)) < 0 && errno != EINTR))
			return false;
		if (item.revents == 0)
			continue;
		ssize_t got = read(from, full ? rest : drill->output + used, full ? sizeof rest : sizeof drill->output - 1 - used);
		if (got <= 0)
			return true;
		used += full ? 0 : (size_t)got;
		drill->output[used] = '\0';
	}
}

int program_run(struct drill *drill, const char *program, const char *const arguments[])
{
	int ends[2], status = 0;
	drill->output[0] = '\0';
	if (pipe2(ends, O_CLOEXEC) != 0) {
		drill_fail(drill, "no pipe: %s", strerror(errno));
		return -1;
	}
	pid_t pid = start(drill, program, arguments, ends[1]);
	close(ends[1]);
	bool ended = pid > 0 && listen_to(drill, ends[0]);
	close(ends[0]);
	if (pid <= 0)
		return -1;
	if (!ended) {
		program_end(pid, SIGKILL);
		drill_fail(drill, "%s %s did not end within %u s", program, arguments[0] == NULL ? "" : arguments[0], DRILL_WAIT_MS / 1000u);
		return -1;
	}
	waitpid(pid, &status, 0);
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	if (code == EXIT_NOT_STARTED || code < 0) {
		drill_fail(drill, "%s/%s could not be run", drill->programs, program);
		return -1;
	}
	return code;
}

bool program_cpis(struct drill *drill, ...)
{
	const char *arguments[ARGUMENTS_MAX + 1];
	size_t count = 0;
	va_list list;
	va_start(list, drill);
	do
		arguments[count] = va_arg(list, const char *);
	while (arguments[count] != NULL && ++count < ARGUMENTS_MAX);
	va_end(list);
	arguments[count] = NULL;
	int code = program_run(drill, "cpis", arguments);
	if (code == 0)
		return true;
	char words[256] = "";
	for (size_t i = 0, used = 0; i < count && used < sizeof words; i++)
		used += (size_t)snprintf(words + used, sizeof words - used, " %s", arguments[i]);
	return drill_fail(drill, "cpis%s exited with %d: %.500s", words, code, drill->output);
}

pid_t program_start(struct drill *drill, const char *program, const char *const arguments[], const char *output_file)
{
	char path[DRILL_PATH_BYTES + 64];
	snprintf(path, sizeof path, "%s/%s", drill->folder, output_file);
	int output = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (output < 0) {
		drill_fail(drill, "%s: %s", path, strerror(errno));
		return 0;
	}
	pid_t pid = start(drill, program, arguments, output);
	close(output);
	return pid < 0 ? 0 : pid;
}

void program_end(pid_t pid, int signal)
{
	kill(pid, signal);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}
