// A forked load generator.
#include "tests/bench/beside.h"

#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

void beside_start(struct beside *beside, const struct load_options *options, const struct load_run *run)
{
	int ends[2];
	link_must(pipe(ends) == 0, "a pipe");
	fflush(NULL);
	beside->child = fork();
	link_must(beside->child >= 0, "a second process");
	if (beside->child == 0) {
		struct load_result result;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(ends[0]);
		struct load *load = load_open(options);
		load_run(load, run, &result);
		load_close(load);
		_exit(write(ends[1], &result, sizeof result) == sizeof result ? 0 : 1);
	}
	close(ends[1]);
	beside->result = ends[0];
}

void beside_finish(struct beside *beside, struct load_result *ret)
{
	link_must(read(beside->result, ret, sizeof *ret) == sizeof *ret, "the load beside this one failed");
	close(beside->result);
	waitpid(beside->child, NULL, 0);
}
