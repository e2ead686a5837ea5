// One byte through a pipe; its end without one is the other answer.
#include "broker/successor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static enum successor await(int heard, pid_t between)
{
	char byte;
	ssize_t bytes;
	while (waitpid(between, NULL, 0) < 0 && errno == EINTR)
		;
	do
		bytes = read(heard, &byte, 1);
	while (bytes < 0 && errno == EINTR);
	close(heard);
	return bytes == 1 ? SUCCESSOR_SERVES : SUCCESSOR_FAILED;
}

enum successor successor_start(int *ret_told)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) != 0)
		return SUCCESSOR_FAILED;
	pid_t between = fork();
	if (between == 0) {
		pid_t successor = fork();
		// Whose parent ends is the service manager's.
		if (successor != 0)
			_exit(successor < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
		close(ends[0]);
		*ret_told = ends[1];
		return SUCCESSOR_IS_THIS;
	}
	close(ends[1]);
	if (between < 0) {
		close(ends[0]);
		return SUCCESSOR_FAILED;
	}
	return await(ends[0], between);
}

void successor_tell(int *told)
{
	if (*told < 0)
		return;
	while (write(*told, "", 1) < 0 && errno == EINTR)
		;
	close(*told);
	*told = -1;
}
