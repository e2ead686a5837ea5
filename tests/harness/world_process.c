// Processes beside the broker.
#include "tests/harness/world_process.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/harness/world_priv.h"

void world_process_start(struct world *world, struct world_process *process, const char *program, ...)
{
	const char *arguments[WORLD_ARGUMENTS_MAX] = {0};
	size_t count = 0;
	va_list list;
	snprintf(process->log, sizeof process->log, "%s", world_path(world, "%s.log", program));
	char path[WORLD_PATH_BYTES];
	snprintf(path, sizeof path, "%s/%s", world->build, program);
	arguments[count++] = path;
	va_start(list, program);
	for (const char *argument; (argument = va_arg(list, const char *)) != NULL && count + 1 < WORLD_ARGUMENTS_MAX;)
		arguments[count++] = argument;
	va_end(list);
	process->pid = world_launch(world, arguments, process->log, process->log);
}

long world_process_mark(const struct world_process *process)
{
	struct stat status;
	return stat(process->log, &status) == 0 ? (long)status.st_size : 0;
}

static bool log_has(const struct world_process *process, long mark, const char *text)
{
	if (world_process_mark(process) <= mark)
		return false;
	char *log = world_read_file(process->log, NULL);
	bool found = (size_t)mark <= strlen(log) && strstr(log + mark, text) != NULL;
	free(log);
	return found;
}

// Looks each time something in the directory changes.
void world_process_wait(struct world *world, const struct world_process *process, long mark, const char *text)
{
	int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (watch < 0 || inotify_add_watch(watch, world->directory, IN_MODIFY | IN_CREATE) < 0)
		world_fail(world, "inotify: %s", strerror(errno));
	// Whatever becomes of a request whose broker was killed, it ends with its deadline, 60 s at most, and then its process begins anew.
	uint64_t deadline = world_monotonic_ms() + 3 * WORLD_WAIT_MS;
	while (!log_has(process, mark, text)) {
		uint64_t now = world_monotonic_ms();
		struct pollfd wait = {.fd = watch, .events = POLLIN};
		char buffer[4096];
		if (now >= deadline)
			world_fail(world, "%s had no '%s' in %d ms", process->log, text, 3 * WORLD_WAIT_MS);
		if (poll(&wait, 1, (int)(deadline - now)) < 0 && errno != EINTR)
			world_fail(world, "poll: %s", strerror(errno));
		while (read(watch, buffer, sizeof buffer) > 0)
			;
	}
	close(watch);
}

int world_process_wait_exit(struct world *world, struct world_process *process)
{
	int status = 0;
	if (!world_reap(world, process->pid, WORLD_WAIT_MS, &status))
		world_fail(world, "%s: the process does not end", process->log);
	process->pid = 0;
	return status;
}

int world_process_end(struct world *world, struct world_process *process, int signal)
{
	if (kill(process->pid, signal) != 0)
		world_fail(world, "%s: kill: %s", process->log, strerror(errno));
	return world_process_wait_exit(world, process);
}

void world_start_neighbour(struct world *world, struct world_process *process, const char *csv)
{
	snprintf(process->log, sizeof process->log, "%s", world_path(world, "cpis-responder.log"));
	long mark = world_process_mark(process);
	world_process_start(world, process, "cpis-responder", "--profile", world_path(world, "profiles/neighbour.yaml"),
			    "--range", WORLD_NEIGHBOUR_RANGE, csv, NULL);
	world_process_wait(world, process, mark, "ready");
}

void world_start_demographics(struct world *world, struct world_process *process, const char *csv)
{
	snprintf(process->log, sizeof process->log, "%s", world_path(world, "cpis-demographics.log"));
	long mark = world_process_mark(process);
	world_process_start(world, process, "cpis-demographics", "--profile",
			    world_path(world, "profiles/demographics.yaml"), csv, NULL);
	world_process_wait(world, process, mark, "announced");
}
