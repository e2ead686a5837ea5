// The process that starts fronts, and what serves metrics.
#include "broker/front_keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "broker/clock.h"
#include "broker/descriptors.h"
#include "broker/log.h"
#include "broker/metrics_process.h"
#include "broker/privileges.h"

#define ORDER_START 'S' // with a descriptor
#define ORDER_KILL 'K'
#define ORDER_BECOME 'U' // with the user's name
#define ORDER_METRICS 'M' // with descriptors, which are kept
#define ORDER_LOG 'L' // with the format of lines
// How long it is waited before metrics that ended are started again.
#define METRICS_AGAIN_MS 1000u
#define USER_BYTES_MAX 256

_Static_assert(FRONT_DESCRIPTORS <= DESCRIPTORS_AT_ONCE, "they go with one order");

struct keeper {
	int orders;
	int children; // signalfd of SIGCHLD
	int program;  // this one, whatever is installed in its place meanwhile
	pid_t front;  // 0: none
	pid_t metrics; // likewise
	int metrics_given[FRONT_DESCRIPTORS]; // -1: there are to be none
	uint64_t metrics_again_ms; // monotonic
};

// ------------------------------------------------------------------ in the keeper

// Ends with its parent, whatever becomes of that one.
static void end_with(pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 || getppid() != parent)
		_exit(1);
}

// Ours from here on are above them, so that none is written over before it has been moved.
static bool place(const int given[FRONT_DESCRIPTORS])
{
	for (int i = 0; i < FRONT_DESCRIPTORS; i++)
		if (given[i] >= 0 && dup2(given[i], FRONT_DESCRIPTOR + i) < 0)
			return false;
	return close_range(FRONT_DESCRIPTOR + FRONT_DESCRIPTORS, ~0u, CLOSE_RANGE_CLOEXEC) == 0;
}

static _Noreturn void become_child(pid_t parent, int program, char *argument, const int given[FRONT_DESCRIPTORS])
{
	char name[] = "cpis-broker";
	char *const arguments[] = {name, argument, NULL};
	sigset_t none;
	end_with(parent);
	sigemptyset(&none);
	sigaddset(&none, SIGTERM);
	sigaddset(&none, SIGINT);
	sigaddset(&none, SIGHUP);
	// A terminal's interruption is for the core: it tells the front.
	sigprocmask(SIG_SETMASK, &none, NULL);
	// Copies are not closed on exec; whatever else is open is.
	if (place(given))
		fexecve(program, arguments, environ);
	log_event(LOG_EVENT_FRONT_NOT_STARTED, "cpis-broker %s cannot be started: %s", argument, strerror(errno));
	_exit(1);
}

static void say_how_metrics_ended(int status)
{
	if (WIFSIGNALED(status))
		log_event(LOG_EVENT_METRICS_DIED, "what serves metrics was ended by signal %d (%s): it is started again", WTERMSIG(status),
			  strsignal(WTERMSIG(status)));
	else
		log_event(LOG_EVENT_METRICS_DIED, "what serves metrics ended with code %d: it is started again", WEXITSTATUS(status));
}

static void reap(struct keeper *keeper)
{
	int status;
	pid_t child;
	while ((child = waitpid(-1, &status, WNOHANG)) > 0) {
		if (child == keeper->metrics) {
			keeper->metrics = 0;
			keeper->metrics_again_ms = clock_monotonic_ms() + METRICS_AGAIN_MS;
			say_how_metrics_ended(status);
		}
		if (child != keeper->front)
			continue;
		keeper->front = 0;
		(void)send(keeper->orders, &status, sizeof status, MSG_NOSIGNAL | MSG_DONTWAIT);
	}
}

static void kill_front(struct keeper *keeper)
{
	int status;
	if (keeper->front == 0)
		return;
	kill(keeper->front, SIGKILL);
	if (waitpid(keeper->front, &status, 0) == keeper->front)
		(void)send(keeper->orders, &status, sizeof status, MSG_NOSIGNAL | MSG_DONTWAIT);
	keeper->front = 0;
}

static void start(struct keeper *keeper, const int given[FRONT_DESCRIPTORS])
{
	char argument[] = FRONT_ARGUMENT;
	pid_t parent = getpid();
	kill_front(keeper);
	pid_t child = fork();
	if (child == 0)
		become_child(parent, keeper->program, argument, given);
	// The core sees that its end of the pair is closed.
	if (child < 0)
		log_event(LOG_EVENT_FRONT_NOT_STARTED, "the network front cannot be started: %s", strerror(errno));
	else
		keeper->front = child;
}

static void start_metrics(struct keeper *keeper)
{
	char argument[] = METRICS_ARGUMENT;
	pid_t parent = getpid(), child = fork();
	if (child == 0)
		become_child(parent, keeper->program, argument, keeper->metrics_given);
	keeper->metrics = child > 0 ? child : 0;
	keeper->metrics_again_ms = clock_monotonic_ms() + METRICS_AGAIN_MS;
}

// Once for good: the socket stays open whoever serves it, so that nobody who asks meanwhile is refused.
static void take_metrics(struct keeper *keeper, int given[FRONT_DESCRIPTORS])
{
	if (keeper->metrics_given[0] >= 0)
		return;
	for (int i = 0; i < FRONT_DESCRIPTORS; i++) {
		keeper->metrics_given[i] = given[i];
		given[i] = -1;
	}
	start_metrics(keeper);
}

// Until they are to be started again; -1: for ever.
static int patience_ms(struct keeper *keeper)
{
	uint64_t now_ms = clock_monotonic_ms();
	if (keeper->metrics != 0 || keeper->metrics_given[0] < 0)
		return -1;
	if (now_ms >= keeper->metrics_again_ms)
		start_metrics(keeper);
	return METRICS_AGAIN_MS;
}

// What came with an order goes above what the front finds its own at. False: it is not what a start needs.
static bool take_descriptors(const int *came, size_t count, int ret[FRONT_DESCRIPTORS])
{
	bool all = count == FRONT_DESCRIPTORS;
	for (size_t i = 0; i < FRONT_DESCRIPTORS; i++)
		ret[i] = -1;
	for (size_t i = 0; i < count; i++) {
		if (i < FRONT_DESCRIPTORS)
			all = (ret[i] = fcntl(came[i], F_DUPFD_CLOEXEC, FRONT_DESCRIPTOR + FRONT_DESCRIPTORS)) >= 0 && all;
		close(came[i]);
	}
	return all;
}

// Whoever becomes somebody else is not ended with its parent any more, unless it says so again; and neither if the parent is gone,
// whose end of the orders is closed then.
static void become(const char *user)
{
	char detail[PRIVILEGES_DETAIL_BYTES] = "";
	pid_t core = getppid();
	privileges_lock_memory(user);
	if (privileges_become(user, detail)) {
		end_with(core);
		return;
	}
	log_event(LOG_EVENT_FRONT_NOT_STARTED, "the front's keeper: %s", detail);
	_exit(1);
}

// False: the core is gone.
static bool obey(struct keeper *keeper)
{
	char order[1 + USER_BYTES_MAX] = "";
	int came[DESCRIPTORS_AT_ONCE], given[FRONT_DESCRIPTORS];
	size_t count;
	ssize_t received = descriptors_receive(keeper->orders, order, sizeof order - 1, MSG_DONTWAIT, came, &count);
	if (received < 0 && errno == EAGAIN)
		return true;
	if (received <= 0)
		return false;
	bool all = take_descriptors(came, count, given);
	if (order[0] == ORDER_START && all)
		start(keeper, given);
	else if (order[0] == ORDER_METRICS && given[0] >= 0 && given[1] >= 0)
		take_metrics(keeper, given);
	else if (order[0] == ORDER_LOG)
		log_set_format(order[1] == 'j' ? LOG_FORMAT_JSON : LOG_FORMAT_TEXT);
	else if (order[0] == ORDER_KILL)
		kill_front(keeper);
	else if (order[0] == ORDER_BECOME)
		become(order + 1);
	for (int i = 0; i < FRONT_DESCRIPTORS; i++)
		if (given[i] >= 0)
			close(given[i]);
	return true;
}

static int open_program(void)
{
	char path[4096];
	ssize_t bytes = readlink("/proc/self/exe", path, sizeof path - 1);
	if (bytes <= 0)
		return -1;
	path[bytes] = '\0';
	int opened = open(path, O_PATH | O_CLOEXEC);
	// Those below are what the front finds its own at.
	int moved = opened < 0 ? -1 : fcntl(opened, F_DUPFD_CLOEXEC, FRONT_DESCRIPTOR + FRONT_DESCRIPTORS);
	close(opened);
	return moved;
}

static _Noreturn void keep(pid_t core, int orders)
{
	struct keeper keeper = {.orders = orders, .metrics_given = {-1, -1, -1}};
	sigset_t set;
	end_with(core);
	prctl(PR_SET_NAME, "cpis-keeper", 0, 0, 0);
	log_open("keeper");
	// What it starts gets no rights that it has not.
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		_exit(1);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	if (sigprocmask(SIG_SETMASK, &set, NULL) != 0)
		_exit(1);
	sigset_t children;
	sigemptyset(&children);
	sigaddset(&children, SIGCHLD);
	keeper.program = open_program();
	keeper.children = signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
	if (keeper.children < 0 || keeper.program < 0)
		_exit(1);
	for (;;) {
		struct pollfd items[] = {{.fd = orders, .events = POLLIN}, {.fd = keeper.children, .events = POLLIN}};
		struct signalfd_siginfo info;
		if (poll(items, 2, patience_ms(&keeper)) < 0 && errno != EINTR)
			break;
		while (read(keeper.children, &info, sizeof info) == (ssize_t)sizeof info)
			;
		reap(&keeper);
		if (items[0].revents != 0 && !obey(&keeper))
			break;
	}
	kill_front(&keeper);
	if (keeper.metrics != 0)
		kill(keeper.metrics, SIGKILL);
	_exit(0);
}

// ------------------------------------------------------------------ in the core

int front_keeper_start(void)
{
	int ends[2];
	pid_t parent = getpid();
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		return -1;
	fflush(NULL);
	pid_t child = fork();
	if (child == 0) {
		close(ends[0]);
		keep(parent, ends[1]);
	}
	close(ends[1]);
	if (child < 0) {
		close(ends[0]);
		return -1;
	}
	return ends[0];
}

bool front_keeper_start_front(int keeper, const int given[FRONT_DESCRIPTORS])
{
	const char order = ORDER_START;
	return descriptors_send(keeper, &order, sizeof order, given, FRONT_DESCRIPTORS);
}

bool front_keeper_start_metrics(int keeper, const int given[METRICS_DESCRIPTORS])
{
	const char order = ORDER_METRICS;
	return descriptors_send(keeper, &order, sizeof order, given, METRICS_DESCRIPTORS);
}

void front_keeper_log_as(int keeper, enum log_format format)
{
	const char order[] = {ORDER_LOG, format == LOG_FORMAT_JSON ? 'j' : 't'};
	(void)send(keeper, order, sizeof order, MSG_NOSIGNAL);
}

void front_keeper_become(int keeper, const char *user)
{
	char order[1 + USER_BYTES_MAX] = {ORDER_BECOME};
	snprintf(order + 1, sizeof order - 1, "%s", user);
	(void)send(keeper, order, strlen(order), MSG_NOSIGNAL);
}

void front_keeper_kill_front(int keeper)
{
	const char order = ORDER_KILL;
	(void)!descriptors_send(keeper, &order, sizeof order, NULL, 0);
}

int front_keeper_status(int keeper, int timeout_ms)
{
	struct pollfd item = {.fd = keeper, .events = POLLIN};
	int status = 0, newest = 0;
	if (poll(&item, 1, timeout_ms) <= 0)
		return 0;
	while (recv(keeper, &status, sizeof status, MSG_DONTWAIT) == (ssize_t)sizeof status)
		newest = status;
	return newest;
}
