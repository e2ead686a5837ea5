// The floor's server, and /proc.
#include "tests/bench/servers.h"

#include <ctype.h>
#include <dirent.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <zmq.h>

#include "tests/bench/link.h"

#define PROCESSES_MAX 4096

static void echo(const struct curve_key_pair *key, size_t reply_bytes, int tell)
{
	int one = 1, backlog = 1024;
	size_t bytes = 64;
	char bound[64] = "";
	void *context = zmq_ctx_new(), *socket = zmq_socket(context, ZMQ_ROUTER);
	uint8_t *reply = calloc(1, reply_bytes);
	zmq_setsockopt(socket, ZMQ_CURVE_SERVER, &one, sizeof one);
	zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, key->secret_key, KEY_BYTES);
	zmq_setsockopt(socket, ZMQ_BACKLOG, &backlog, sizeof backlog);
	if (reply == NULL || zmq_bind(socket, "tcp://127.0.0.1:*") != 0 ||
	    zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, bound, &bytes) != 0 || write(tell, bound, sizeof bound) != sizeof bound)
		_exit(1);
	for (;;) {
		zmq_msg_t peer, message;
		zmq_msg_init(&peer);
		zmq_msg_init(&message);
		if (zmq_msg_recv(&peer, socket, 0) < 0 || zmq_msg_recv(&message, socket, 0) < 0)
			_exit(1);
		zmq_msg_close(&message);
		zmq_msg_send(&peer, socket, ZMQ_SNDMORE);
		zmq_send(socket, reply, reply_bytes, 0);
	}
}

pid_t servers_start_echo(const struct curve_key_pair *key, size_t reply_bytes, char endpoint[64])
{
	int ends[2];
	link_must(pipe(ends) == 0, "a pipe");
	fflush(NULL);
	pid_t child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(ends[0]);
		echo(key, reply_bytes, ends[1]);
	}
	close(ends[1]);
	link_must(child > 0 && read(ends[0], endpoint, 64) == 64, "the echo did not start");
	close(ends[0]);
	return child;
}

void servers_stop(pid_t server)
{
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
}

// ------------------------------------------------------------------ /proc

struct process {
	pid_t pid, parent;
	double cpu_us;
};

static bool read_process(pid_t pid, struct process *ret)
{
	char path[64], line[1024];
	unsigned long user = 0, system = 0;
	long ended_user = 0, ended_system = 0;
	int parent = 0;
	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	FILE *file = fopen(path, "re");
	bool is_read = file != NULL && fgets(line, sizeof line, file) != NULL;
	if (file != NULL)
		fclose(file);
	// proc(5): the name in brackets may hold anything.
	const char *rest = is_read ? strrchr(line, ')') : NULL;
	if (rest == NULL || sscanf(rest + 1, " %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %ld %ld", &parent, &user, &system,
				   &ended_user, &ended_system) != 5)
		return false;
	double ticks = (double)(user + system) + (double)(ended_user + ended_system);
	*ret = (struct process){pid, parent, ticks * 1e6 / (double)sysconf(_SC_CLK_TCK)};
	return true;
}

static size_t list_processes(struct process processes[PROCESSES_MAX])
{
	size_t count = 0;
	DIR *folder = opendir("/proc");
	link_must(folder != NULL, "/proc");
	for (const struct dirent *entry; (entry = readdir(folder)) != NULL && count < PROCESSES_MAX;)
		if (isdigit((unsigned char)entry->d_name[0]) &&
		    read_process((pid_t)strtol(entry->d_name, NULL, 10), &processes[count]))
			count++;
	closedir(folder);
	return count;
}

static bool descends(const struct process *processes, size_t count, pid_t pid, pid_t from)
{
	for (unsigned depth = 0; depth < 8; depth++) {
		if (pid == from)
			return true;
		pid_t parent = 0;
		for (size_t i = 0; i < count; i++)
			if (processes[i].pid == pid)
				parent = processes[i].parent;
		pid = parent;
	}
	return false;
}

double servers_cpu_us(pid_t server)
{
	static struct process processes[PROCESSES_MAX];
	size_t count = list_processes(processes);
	double sum = 0;
	for (size_t i = 0; i < count; i++)
		if (descends(processes, count, processes[i].pid, server))
			sum += processes[i].cpu_us;
	return sum;
}

long servers_process_kb(pid_t process)
{
	char path[64], line[256];
	long resident = 0;
	snprintf(path, sizeof path, "/proc/%d/status", (int)process);
	FILE *file = fopen(path, "re");
	while (file != NULL && fgets(line, sizeof line, file) != NULL)
		if (strncmp(line, "VmRSS:", 6) == 0)
			resident = strtol(line + 6, NULL, 10);
	link_must(file != NULL && resident > 0, path);
	fclose(file);
	return resident;
}

long servers_resident_kb(pid_t server)
{
	static struct process processes[PROCESSES_MAX];
	size_t count = list_processes(processes);
	long sum = 0;
	for (size_t i = 0; i < count; i++)
		if (descends(processes, count, processes[i].pid, server))
			sum += servers_process_kb(processes[i].pid);
	return sum;
}
