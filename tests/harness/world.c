// The throw-away world's life: directory, broker process, commands, waits.
#include "tests/harness/world_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "proto/date.h"
#include "proto/nhs_number.h"

#define ARGUMENTS_MAX 64
#define COMMAND_MS 120000

// ------------------------------------------------------------------ files, time, chance

void world_fail(const struct world *world, const char *format, ...)
{
	va_list arguments;
	fflush(NULL);
	fprintf(stderr, "world: ");
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fprintf(stderr, "\n");
	if (world != NULL) {
		char path[WORLD_PATH_BYTES];
		snprintf(path, sizeof path, "%s/broker.log", world->directory);
		fprintf(stderr, "world: left for inspection: %s\n", world->directory);
		if (access(path, R_OK) == 0)
			fprintf(stderr, "---- broker.log\n%s----\n", world_read_file(path, NULL));
		if (world->err != NULL && world->err[0] != '\0')
			fprintf(stderr, "---- last command's error output\n%s----\n", world->err);
	}
	abort();
}

const char *world_path(struct world *world, const char *format, ...)
{
	char *path = world->paths[world->next_path++ % WORLD_PATHS];
	int used = snprintf(path, WORLD_PATH_BYTES, "%s/", world->directory);
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(path + used, WORLD_PATH_BYTES - (size_t)used, format, arguments);
	va_end(arguments);
	return path;
}

const char *world_endpoint(const struct world *world)
{
	return world->endpoint;
}

// Whole or not at all, as the broker reads register and lists while they are written.
void world_write_file(const char *path, const char *text)
{
	char aside[WORLD_PATH_BYTES + 8];
	snprintf(aside, sizeof aside, "%s.aside", path);
	FILE *file = fopen(aside, "we");
	if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0 || rename(aside, path) != 0)
		world_fail(NULL, "%s: %s", path, strerror(errno));
}

char *world_read_file(const char *path, size_t *ret_bytes)
{
	FILE *file = fopen(path, "re");
	struct stat status;
	if (file == NULL || fstat(fileno(file), &status) != 0)
		world_fail(NULL, "%s: %s", path, strerror(errno));
	char *text = calloc(1, (size_t)status.st_size + 1);
	if (text == NULL)
		world_fail(NULL, "out of memory");
	size_t bytes = fread(text, 1, (size_t)status.st_size, file);
	fclose(file);
	if (ret_bytes != NULL)
		*ret_bytes = bytes;
	return text;
}

static uint64_t clock_ms(clockid_t which)
{
	struct timespec now;
	clock_gettime(which, &now);
	return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

uint64_t world_now_ms(void)
{
	return clock_ms(CLOCK_REALTIME);
}

uint64_t world_monotonic_ms(void)
{
	return clock_ms(CLOCK_MONOTONIC);
}

void world_date(int days, int months_back, char out[11])
{
	struct date date = {(int32_t)(world_now_ms() / 86400000u) + days};
	date_format(date_add_months(date, -months_back), out);
}

void world_nhs_number(unsigned number, char out[11])
{
	struct nhs_number valid;
	for (unsigned stem = 999000001;; stem++)
		for (unsigned check = 0; check < 10; check++) {
			snprintf(out, 11, "%09u%u", stem % 1000000000u, check % 10u);
			if (nhs_number_parse(out, 10, &valid) == NHS_NUMBER_OK && number-- == 0)
				return;
		}
}

uint32_t world_random(uint32_t below)
{
	static uint64_t state;
	if (state == 0) {
		const char *seed = getenv("CPIS_TEST_SEED");
		uint32_t fresh = 0;
		if (seed == NULL && getrandom(&fresh, sizeof fresh, 0) != (ssize_t)sizeof fresh)
			world_fail(NULL, "getrandom: %s", strerror(errno));
		state = seed != NULL ? strtoull(seed, NULL, 10) : fresh;
		printf("seed %llu (repeat with CPIS_TEST_SEED)\n", (unsigned long long)state);
		state = state * 2 + 1;
	}
	// Knuth's MMIX constants; the high bits are the good ones.
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(state >> 33) % below;
}

// ------------------------------------------------------------------ processes

pid_t world_launch(struct world *world, const char *const *arguments, const char *out_path, const char *err_path)
{
	pid_t parent = getpid();
	fflush(NULL);
	pid_t child = fork();
	if (child < 0)
		world_fail(world, "fork: %s", strerror(errno));
	if (child > 0)
		return child;
	// Whatever becomes of the test, no broker of it stays behind.
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	int in = open("/dev/null", O_RDONLY);
	int out = open(out_path == NULL ? "/dev/null" : out_path, O_WRONLY | O_CREAT | O_APPEND, 0600);
	int err = open(err_path == NULL ? "/dev/null" : err_path, O_WRONLY | O_CREAT | O_APPEND, 0600);
	if (getppid() != parent || in < 0 || out < 0 || err < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 ||
	    dup2(err, 2) < 0)
		_exit(126);
	execvp(arguments[0], (char *const *)(uintptr_t)arguments);
	dprintf(2, "%s: %s\n", arguments[0], strerror(errno));
	_exit(127);
}

static int open_pidfd(const struct world *world, pid_t child)
{
	int fd = (int)syscall(SYS_pidfd_open, child, 0);
	if (fd < 0)
		world_fail(world, "pidfd_open: %s", strerror(errno));
	return fd;
}

bool world_reap(struct world *world, pid_t child, int timeout_ms, int *ret_status)
{
	int fd = open_pidfd(world, child);
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	uint64_t deadline = world_monotonic_ms() + (uint64_t)timeout_ms;
	int ready = 0;
	do {
		uint64_t now = world_monotonic_ms();
		ready = poll(&wait, 1, now < deadline ? (int)(deadline - now) : 0);
	} while (ready < 0 && errno == EINTR);
	close(fd);
	return ready == 1 && waitpid(child, ret_status, 0) == child;
}

static void replace_text(char **text, const char *path)
{
	free(*text);
	*text = world_read_file(path, NULL);
}

int world_command(struct world *world, const char *const *arguments)
{
	char out_path[WORLD_PATH_BYTES], err_path[WORLD_PATH_BYTES];
	snprintf(out_path, sizeof out_path, "%s/last.out", world->directory);
	snprintf(err_path, sizeof err_path, "%s/last.err", world->directory);
	unlink(out_path);
	unlink(err_path);
	int status;
	pid_t child = world_launch(world, arguments, out_path, err_path);
	if (!world_reap(world, child, COMMAND_MS, &status)) {
		kill(child, SIGKILL);
		world_fail(world, "%s %s did not end in %d ms", arguments[0], arguments[1], COMMAND_MS);
	}
	replace_text(&world->out, out_path);
	replace_text(&world->err, err_path);
	if (!WIFEXITED(status))
		world_fail(world, "%s %s died of signal %d", arguments[0], arguments[1], WTERMSIG(status));
	return WEXITSTATUS(status);
}

int world_cpis(struct world *world, const char *profile, ...)
{
	const char *arguments[ARGUMENTS_MAX] = {0};
	char program[WORLD_PATH_BYTES];
	size_t count = 0;
	snprintf(program, sizeof program, "%s/cpis", world->build);
	arguments[count++] = program;
	if (profile != NULL) {
		arguments[count++] = "--profile";
		arguments[count++] = world_path(world, "profiles/%s.yaml", profile);
	}
	va_list list;
	va_start(list, profile);
	const char *argument;
	while ((argument = va_arg(list, const char *)) != NULL && count + 1 < ARGUMENTS_MAX)
		arguments[count++] = argument;
	va_end(list);
	return world_command(world, arguments);
}

const char *world_out(const struct world *world)
{
	return world->out == NULL ? "" : world->out;
}

const char *world_err(const struct world *world)
{
	return world->err == NULL ? "" : world->err;
}

bool world_said(const struct world *world, const char *text)
{
	return strstr(world_out(world), text) != NULL;
}

bool world_complained(const struct world *world, const char *text)
{
	return strstr(world_err(world), text) != NULL;
}

// ------------------------------------------------------------------ the broker

long world_log_mark(const struct world *world)
{
	char path[WORLD_PATH_BYTES];
	struct stat status;
	snprintf(path, sizeof path, "%s/broker.log", world->directory);
	return stat(path, &status) == 0 ? (long)status.st_size : 0;
}

const char *world_log(struct world *world)
{
	replace_text(&world->log, world_path(world, "broker.log"));
	return world->log;
}

// Events are the third word of a line; the text behind them may hold any word.
static bool log_has(struct world *world, long mark, const char *event)
{
	char word[64];
	snprintf(word, sizeof word, " %s ", event);
	const char *log = world_log(world);
	if ((size_t)mark > strlen(log))
		return false;
	const char *found = strstr(log + mark, word);
	return found != NULL && strchr(found, '\n') != NULL;
}

// Looks at the log each time it grows, until `event` stands there. An end of the broker is a failure, unless the
// event is its last word.
void world_wait_log(struct world *world, long mark, const char *event)
{
	int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (watch < 0 || inotify_add_watch(watch, world->directory, IN_MODIFY | IN_CREATE) < 0)
		world_fail(world, "inotify: %s", strerror(errno));
	int broker = open_pidfd(world, world->broker);
	uint64_t deadline = world_monotonic_ms() + WORLD_WAIT_MS;
	while (!log_has(world, mark, event)) {
		uint64_t now = world_monotonic_ms();
		struct pollfd waits[] = {{.fd = watch, .events = POLLIN}, {.fd = broker, .events = POLLIN}};
		char buffer[4096];
		if (now >= deadline)
			world_fail(world, "the broker's log had no '%s' in %d ms", event, WORLD_WAIT_MS);
		if (poll(waits, 2, (int)(deadline - now)) < 0 && errno != EINTR)
			world_fail(world, "poll: %s", strerror(errno));
		while (read(watch, buffer, sizeof buffer) > 0)
			;
		if ((waits[1].revents & POLLIN) != 0 && !log_has(world, mark, event))
			world_fail(world, "the broker ended before its log had '%s'", event);
	}
	close(watch);
	close(broker);
}

static void spawn(struct world *world, const char *const *prefix)
{
	const char *arguments[ARGUMENTS_MAX] = {0};
	char program[WORLD_PATH_BYTES], config[WORLD_PATH_BYTES];
	size_t count = 0;
	for (; prefix != NULL && prefix[count] != NULL; count++)
		arguments[count] = prefix[count];
	snprintf(program, sizeof program, "%s/cpis-broker", world->build);
	snprintf(config, sizeof config, "%s/broker.yaml", world->directory);
	arguments[count++] = program;
	arguments[count++] = config;
	const char *log = world_path(world, "broker.log");
	unlink(world_path(world, "endpoint"));
	world->broker = world_launch(world, arguments, log, log);
}

void world_spawn(struct world *world)
{
	spawn(world, NULL);
}

void world_start_under(struct world *world, const char *const *prefix)
{
	long mark = world_log_mark(world);
	spawn(world, prefix);
	world_wait_log(world, mark, "ready");
	char *endpoint = world_read_file(world_path(world, "endpoint"), NULL);
	endpoint[strcspn(endpoint, "\n")] = '\0';
	if (strcmp(endpoint, world->endpoint) != 0)
		world_fail(world, "the broker serves on %s, not on %s", endpoint, world->endpoint);
	free(endpoint);
}

void world_start(struct world *world)
{
	world_start_under(world, NULL);
}

void world_end_sandbox(struct world *world)
{
	if (!world->not_sandboxed)
		world_configure(world, "sandbox: off\n");
	world->not_sandboxed = true;
}

void world_set_clock(struct world *world, const char *offset)
{
	char line[32];
	snprintf(line, sizeof line, "%s\n", offset);
	world_write_file(world_path(world, "clock"), line);
}

// `env` is replaced by the broker, so that its process is the one that is waited for; the command `faketime` would stay.
void world_start_with_clock(struct world *world, const char *offset)
{
	char file[WORLD_PATH_BYTES + 32];
	snprintf(file, sizeof file, "FAKETIME_TIMESTAMP_FILE=%s/clock", world->directory);
	const char *prefix[] = {"env",
				"LD_PRELOAD=/usr/$LIB/faketime/libfaketime.so.1",
				file,
				"FAKETIME_NO_CACHE=1",
				"FAKETIME_DONT_FAKE_MONOTONIC=1",
				"ASAN_OPTIONS=verify_asan_link_order=0",
				NULL};
	world_set_clock(world, offset);
	world_end_sandbox(world);
	world_start_under(world, prefix);
}

bool world_wait_exit(struct world *world, int timeout_ms, int *ret_status)
{
	if (!world_reap(world, world->broker, timeout_ms, ret_status))
		return false;
	world->broker = 0;
	return true;
}

int world_stop(struct world *world)
{
	int status;
	kill(world->broker, SIGTERM);
	if (!world_wait_exit(world, WORLD_WAIT_MS, &status))
		world_fail(world, "the broker did not end within %d ms of SIGTERM", WORLD_WAIT_MS);
	return status;
}

void world_kill(struct world *world)
{
	int status;
	kill(world->broker, SIGKILL);
	if (!world_wait_exit(world, WORLD_WAIT_MS, &status))
		world_fail(world, "the broker did not end of SIGKILL");
}

pid_t world_broker_pid(const struct world *world)
{
	return world->broker;
}

// ------------------------------------------------------------------ beginning and end

struct world *world_new(void)
{
	struct world *world = calloc(1, sizeof *world);
	const char *build = getenv("BUILD");
	if (world == NULL || getcwd(world->root, sizeof world->root) == NULL)
		world_fail(NULL, "no memory or no working directory");
	if (access("broker/policy.yaml", R_OK) != 0)
		world_fail(NULL, "run me from the root of the repository");
	if (build == NULL)
		build = "build";
	world->build = realpath(build, NULL);
	world->directory = strdup("/tmp/cpis-world-XXXXXX");
	if (world->build == NULL || world->directory == NULL || mkdtemp(world->directory) == NULL)
		world_fail(NULL, "%s or a directory in /tmp: %s", build, strerror(errno));
	world_write_file(world_path(world, "broker.log"), "");
	world_furnish(world);
	return world;
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *where)
{
	(void)status;
	(void)kind;
	(void)where;
	return remove(path);
}

void world_free(struct world *world)
{
	if (world == NULL)
		return;
	if (world->broker != 0)
		world_kill(world);
	nftw(world->directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	free(world->directory);
	free(world->build);
	free(world->out);
	free(world->err);
	free(world->log);
	free(world);
}
