// One process for each broker, and the end of all of them.
#include "clients/responder/serving_brokers.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clients/cli/commands.h"

struct processes {
	pid_t all[PROFILE_BROKERS_MAX + 1]; // 0: has ended
	size_t count;
	int exit_code;                      // the first that is not EXIT_DONE
};

static void stop_all(const struct processes *processes)
{
	for (size_t i = 0; i < processes->count; i++)
		if (processes->all[i] != 0)
			kill(processes->all[i], SIGTERM);
}

static _Noreturn void run_process(const struct serving_job *job, size_t broker, int key_lock, pid_t parent)
{
	// A parent that ended before this was said is noticed by its number.
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || getppid() != parent)
		_exit(EXIT_FAILED);
	_exit(serving_run_at(job, broker, key_lock));
}

static bool start_all(const struct serving_job *job, struct processes *processes, int key_lock)
{
	pid_t parent = getpid();
	size_t count = profile_brokers_count(job->profile);
	fflush(NULL);
	for (size_t i = 0; i < count; i++) {
		pid_t process = fork();
		if (process < 0)
			return false;
		if (process == 0)
			run_process(job, i, key_lock, parent);
		processes->all[processes->count++] = process;
	}
	return true;
}

static void note_end(struct processes *processes, pid_t process, int status)
{
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILED;
	for (size_t i = 0; i < processes->count; i++)
		if (processes->all[i] == process)
			processes->all[i] = 0;
	if (processes->exit_code == EXIT_DONE)
		processes->exit_code = code;
	if (code == EXIT_PROOF) {
		processes->exit_code = code;
		stop_all(processes);
	}
}

static bool is_any_left(const struct processes *processes)
{
	for (size_t i = 0; i < processes->count; i++)
		if (processes->all[i] != 0)
			return true;
	return false;
}

static void wait_for_all(struct processes *processes)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGCHLD);
	while (is_any_left(processes)) {
		int status, number = sigwaitinfo(&set, NULL);
		if (number == SIGTERM || number == SIGINT)
			stop_all(processes);
		for (pid_t process; (process = waitpid(-1, &status, WNOHANG)) > 0;)
			note_end(processes, process, status);
	}
}

int serving_run(const struct serving_job *job)
{
	struct processes processes = {.exit_code = EXIT_DONE};
	if (profile_brokers_count(job->profile) == 1)
		return serving_run_at(job, 0, 0);
	// A token serves one at a time.
	int key_lock = memfd_create("cpis-key", MFD_CLOEXEC);
	if (key_lock < 0 || !start_all(job, &processes, key_lock)) {
		fprintf(stderr, "%s: no process for each broker: %s\n", job->program, strerror(errno));
		processes.exit_code = EXIT_FAILED;
		stop_all(&processes);
	}
	wait_for_all(&processes);
	if (key_lock >= 0)
		close(key_lock);
	return processes.exit_code;
}
