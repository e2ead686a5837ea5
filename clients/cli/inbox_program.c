// A program run on an inbox item.
#include "clients/cli/inbox_program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define EXIT_NOT_STARTED 127

struct run {
	pid_t pid;
	int process;         // pidfd
	int input;           // our end of its standard input; -1: closed
	const char *data;
	size_t left;
	uint64_t end_ms;     // monotonic
};

static uint64_t monotonic_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

bool inbox_program_check(const char *path, char detail[INBOX_PROGRAM_DETAIL_BYTES])
{
	struct stat status;
	if (stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, X_OK) == 0)
		return true;
	snprintf(detail, INBOX_PROGRAM_DETAIL_BYTES, "%.100s is not a program that can be run: give its path", path);
	return false;
}

// ------------------------------------------------------------------ in the child

static void set_environment(char *environment[16], char room[16][512])
{
	static const char *const names[] = {"PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "USER", "LOGNAME"};
	size_t count = 0;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		const char *value = getenv(names[i]);
		if (value != NULL && (size_t)snprintf(room[count], sizeof room[0], "%s=%s", names[i], value) < sizeof room[0]) {
			environment[count] = room[count];
			count++;
		}
	}
	environment[count] = NULL;
}

static _Noreturn void become(const char *path, int input)
{
	char *arguments[] = {(char *)(uintptr_t)path, NULL}, *environment[16], room[16][512];
	sigset_t none;
	set_environment(environment, room);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	// A group of its own: it ends with what it has started, and not with a signal that is for us.
	if (setpgid(0, 0) == 0 && dup2(input, STDIN_FILENO) >= 0 && close_range(3, ~0u, 0) == 0)
		execve(path, arguments, environment);
	_exit(EXIT_NOT_STARTED);
}

// ------------------------------------------------------------------ beside it

static bool start(const char *path, struct run *run)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) != 0)
		return false;
	fflush(NULL);
	run->pid = fork();
	if (run->pid == 0)
		become(path, ends[0]);
	close(ends[0]);
	run->input = ends[1];
	run->process = run->pid < 0 ? -1 : pidfd_open(run->pid, 0);
	if (run->process >= 0 && fcntl(run->input, F_SETFL, O_NONBLOCK) == 0)
		return true;
	if (run->pid > 0) {
		kill(run->pid, SIGKILL);
		waitpid(run->pid, NULL, 0);
	}
	close(run->input);
	return false;
}

static void close_input(struct run *run)
{
	if (run->input >= 0)
		close(run->input);
	run->input = -1;
}

// Who does not read is given no more.
static void feed(struct run *run)
{
	ssize_t written = write(run->input, run->data, run->left);
	if (written < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (written > 0) {
		run->data += written;
		run->left -= (size_t)written;
	}
	if (written < 0 || run->left == 0)
		close_input(run);
}

// True: it has ended by itself.
static bool attend(struct run *run)
{
	for (;;) {
		struct pollfd items[] = {{.fd = run->process, .events = POLLIN}, {.fd = run->input, .events = POLLOUT}};
		uint64_t now_ms = monotonic_ms();
		if (now_ms >= run->end_ms)
			return false;
		uint64_t left_ms = run->end_ms - now_ms;
		// A signal of ours does not end it: the item in hand is finished.
		if (poll(items, 2, left_ms > 60000 ? 60000 : (int)left_ms) < 0 && errno != EINTR)
			return false;
		if ((items[0].revents & POLLIN) != 0)
			return true;
		if (items[1].revents != 0)
			feed(run);
	}
}

bool inbox_program_run(const char *path, const char *input, size_t input_bytes, uint64_t limit_ms,
		       char detail[INBOX_PROGRAM_DETAIL_BYTES])
{
	struct run run = {.data = input, .left = input_bytes, .end_ms = monotonic_ms() + limit_ms};
	int status = 0;
	signal(SIGPIPE, SIG_IGN);
	if (!start(path, &run)) {
		snprintf(detail, INBOX_PROGRAM_DETAIL_BYTES, "cannot be started: %s", strerror(errno));
		return false;
	}
	bool ended = attend(&run);
	close_input(&run);
	if (!ended) {
		kill(-run.pid, SIGKILL);
		kill(run.pid, SIGKILL);
	}
	while (waitpid(run.pid, &status, 0) < 0 && errno == EINTR)
		;
	close(run.process);
	if (!ended)
		snprintf(detail, INBOX_PROGRAM_DETAIL_BYTES, "was killed: it ran for longer than %llu s",
			 (unsigned long long)(limit_ms / 1000));
	else if (WIFSIGNALED(status))
		snprintf(detail, INBOX_PROGRAM_DETAIL_BYTES, "was ended by signal %d", WTERMSIG(status));
	else
		snprintf(detail, INBOX_PROGRAM_DETAIL_BYTES, "ended with exit code %d", WEXITSTATUS(status));
	return ended && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
