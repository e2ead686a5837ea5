// From an old broker to a new one.
#include "broker/handover.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "broker/clock.h"
#include "broker/descriptors.h"
#include "broker/log.h"

#define TAKE_OVER "take over 1 "
#define YES "yes"
#define NO "no: "
#define YOURS "yours "
#define SERVING "serving"
#define ENDED "ended"
#define MESSAGE_BYTES 1024
#define AGAIN_MS 10
#define LOOK_MS 1000 // the service manager wants to hear of a broker that waits too

// ------------------------------------------------------------------ messages

static bool say(int connection, const char *text)
{
	return descriptors_send(connection, text, strlen(text), NULL, 0);
}

// NUL-terminated. False: nothing came in time, or the other end is gone.
static bool hear(int connection, int timeout_ms, char ret[MESSAGE_BYTES])
{
	struct pollfd item = {.fd = connection, .events = POLLIN};
	ret[0] = '\0';
	if (poll(&item, 1, timeout_ms) < 1)
		return false;
	ssize_t bytes = recv(connection, ret, MESSAGE_BYTES - 1, MSG_DONTWAIT);
	ret[bytes > 0 ? bytes : 0] = '\0';
	return bytes > 0;
}

static bool begins_with(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

// Who made the pair. Its own user and root may.
static bool may_ask(int connection, struct ucred *ret)
{
	socklen_t bytes = sizeof *ret;
	return getsockopt(connection, SOL_SOCKET, SO_PEERCRED, ret, &bytes) == 0 && (ret->uid == geteuid() || ret->uid == 0);
}

static bool address_of(const char *path, const char *ending, struct sockaddr_un *ret)
{
	*ret = (struct sockaddr_un){.sun_family = AF_UNIX};
	return snprintf(ret->sun_path, sizeof ret->sun_path, "%s%s", path, ending) < (int)sizeof ret->sun_path;
}

// ------------------------------------------------------------------ the new one

// Where whoever runs is asked. -1: nobody is there, or an error in `detail`.
static int find(const char *path, char detail[PROCESS_DETAIL_BYTES])
{
	struct sockaddr_un address;
	if (!address_of(path, "", &address)) {
		snprintf(detail, PROCESS_DETAIL_BYTES, "%.300s: is longer than the path of a socket may be", path);
		return -1;
	}
	int caller = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (caller >= 0 && connect(caller, (struct sockaddr *)&address, sizeof address) == 0)
		return caller;
	if (errno != ENOENT && errno != ECONNREFUSED)
		snprintf(detail, PROCESS_DETAIL_BYTES, "%.300s: the broker that runs cannot be asked: %s", path, strerror(errno));
	if (caller >= 0)
		close(caller);
	return -1;
}

// The connection over which it answers; -1 with an error in `detail`.
static int ask(int caller, char detail[PROCESS_DETAIL_BYTES])
{
	int pair[2] = {-1, -1};
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0 &&
	    descriptors_send(caller, TAKE_OVER CPIS_VERSION, sizeof TAKE_OVER CPIS_VERSION - 1, &pair[1], 1)) {
		close(pair[1]);
		return pair[0];
	}
	snprintf(detail, PROCESS_DETAIL_BYTES, "the broker that runs cannot be asked: %s", strerror(errno));
	for (unsigned i = 0; i < 2; i++)
		if (pair[i] >= 0)
			close(pair[i]);
	return -1;
}

static bool await_answer(struct broker *broker, char detail[PROCESS_DETAIL_BYTES])
{
	char answer[MESSAGE_BYTES];
	const char *path = broker->config->handover_socket;
	if (!hear(broker->taking, HANDOVER_ANSWER_MS, answer))
		snprintf(detail, PROCESS_DETAIL_BYTES, "%.300s: the broker that runs does not answer, within %d s or at all; it was left as it is",
			 path, HANDOVER_ANSWER_MS / 1000);
	else if (strcmp(answer, YES) != 0)
		snprintf(detail, PROCESS_DETAIL_BYTES, "%.200s: the broker that runs does not hand over: %.250s", path,
			 begins_with(answer, NO) ? answer + strlen(NO) : "it says what this version does not know");
	return strcmp(answer, YES) == 0;
}

static const char *or_none(const char *endpoint)
{
	return endpoint == NULL ? "-" : endpoint;
}

// Sockets that listen elsewhere than this configuration says are of no use: the broker binds its own.
static void keep_ours(const struct config *config, const char *yours, struct front_sockets *sockets)
{
	char current[MESSAGE_BYTES], next[MESSAGE_BYTES];
	if (sscanf(yours, YOURS "%1023s %1023s", current, next) != 2)
		current[0] = next[0] = '\0';
	struct front_sockets others = *sockets;
	if (strcmp(current, config->endpoint) == 0)
		others.listening[LISTENER_CURRENT] = 0;
	else
		sockets->listening[LISTENER_CURRENT] = 0;
	if (strcmp(next, or_none(config->next_endpoint)) == 0 && config->next_endpoint != NULL)
		others.listening[LISTENER_NEXT] = 0;
	else
		sockets->listening[LISTENER_NEXT] = 0;
	front_sockets_close(&others);
}

static bool await_store(struct broker *broker, struct front_sockets *ret, char detail[PROCESS_DETAIL_BYTES])
{
	char yours[MESSAGE_BYTES];
	if (hear(broker->taking, HANDOVER_STORE_MS, yours) && begins_with(yours, YOURS) &&
	    front_sockets_take(ret, broker->taking, HANDOVER_ANSWER_MS)) {
		keep_ours(broker->config, yours, ret);
		return true;
	}
	front_sockets_close(ret);
	snprintf(detail, PROCESS_DETAIL_BYTES,
		 "the broker that runs has not handed over, within %d s or at all: look into its log. It was left as it is",
		 HANDOVER_STORE_MS / 1000);
	return false;
}

bool handover_take(struct broker *broker, struct front_sockets *ret, char detail[PROCESS_DETAIL_BYTES])
{
	*ret = (struct front_sockets){{0}};
	if (!broker->takes_over)
		return true;
	if (broker->config->handover_socket == NULL) {
		snprintf(detail, PROCESS_DETAIL_BYTES, "--take-over needs handover_socket in the configuration, as there is no store_file");
		return false;
	}
	detail[0] = '\0';
	int caller = find(broker->config->handover_socket, detail);
	if (caller < 0)
		return detail[0] == '\0';
	// When this one did not come to serve, the old one could not take its store back.
	if (broker->config->store_file != NULL && store_sqlite_needs_upgrade(broker->config->store_file)) {
		snprintf(detail, PROCESS_DETAIL_BYTES,
			 "%.200s: is of the version before and will be changed, so that the broker that runs could not take it back: make a backup, "
			 "stop that broker and start this one without --take-over; clients wait meanwhile", broker->config->store_file);
		close(caller);
		return false;
	}
	broker->taking = ask(caller, detail);
	close(caller);
	if (broker->taking < 0)
		return false;
	log_event(LOG_EVENT_TAKING_OVER, "everything is read and checked; the broker that runs is asked to hand over");
	return await_answer(broker, detail) && await_store(broker, ret, detail);
}

// One descriptor to wait with for signals and for whoever asks.
static int open_wake(const struct broker *broker)
{
	const int both[] = {broker->signals, broker->handover};
	int wake = epoll_create1(EPOLL_CLOEXEC);
	for (unsigned i = 0; i < 2 && wake >= 0; i++) {
		struct epoll_event event = {.events = EPOLLIN};
		if (epoll_ctl(wake, EPOLL_CTL_ADD, both[i], &event) != 0) {
			close(wake);
			wake = -1;
		}
	}
	return wake;
}

void handover_listen(struct broker *broker)
{
	struct sockaddr_un address;
	const char *path = broker->config->handover_socket;
	if (path == NULL)
		return;
	if (!address_of(path, ".new", &address)) {
		log_event(LOG_EVENT_HANDOVER_IMPOSSIBLE, "%s: is longer than the path of a socket may be (%zu)", path,
			  sizeof address.sun_path - sizeof ".new");
		return;
	}
	broker->handover = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	unlink(address.sun_path);
	mode_t before = umask(0177);
	bool bound = broker->handover >= 0 && bind(broker->handover, (struct sockaddr *)&address, sizeof address) == 0;
	umask(before);
	broker->wake = bound ? open_wake(broker) : -1;
	if (broker->wake < 0)
		log_event(LOG_EVENT_HANDOVER_IMPOSSIBLE, "%s: %s", address.sun_path, strerror(errno));
}

bool handover_serve(struct broker *broker, char detail[PROCESS_DETAIL_BYTES])
{
	char aside[sizeof((struct sockaddr_un *)0)->sun_path + 8];
	if (broker->wake >= 0) {
		snprintf(aside, sizeof aside, "%.107s.new", broker->config->handover_socket);
		broker->is_found = rename(aside, broker->config->handover_socket) == 0;
		if (!broker->is_found)
			log_event(LOG_EVENT_HANDOVER_IMPOSSIBLE, "%s: %s", broker->config->handover_socket, strerror(errno));
	}
	if (broker->taking < 0)
		return true;
	char message[MESSAGE_BYTES];
	bool said = say(broker->taking, SERVING) || (hear(broker->taking, 0, message) && strcmp(message, ENDED) == 0);
	// Until the old one has told the service manager, which does not listen to this one before that.
	struct pollfd end = {.fd = broker->taking, .events = POLLIN};
	if (said)
		(void)poll(&end, 1, HANDOVER_END_MS);
	if (!said)
		snprintf(detail, PROCESS_DETAIL_BYTES, "the broker before has taken everything back, because this one took too long");
	close(broker->taking);
	broker->taking = -1;
	return said;
}

// ------------------------------------------------------------------ the old one

bool handover_asked(struct broker *broker)
{
	char message[MESSAGE_BYTES] = "";
	int came[DESCRIPTORS_AT_ONCE];
	size_t count;
	struct ucred peer = {0};
	if (broker->wake < 0)
		return false;
	ssize_t bytes = descriptors_receive(broker->handover, message, sizeof message - 1, MSG_DONTWAIT, came, &count);
	message[bytes > 0 ? bytes : 0] = '\0';
	for (size_t i = 1; i < count; i++)
		close(came[i]);
	if (bytes <= 0 || count == 0)
		return false;
	bool known = begins_with(message, TAKE_OVER), may = may_ask(came[0], &peer);
	if (known && may && say(came[0], YES)) {
		broker->giving = came[0];
		broker->giving_to = peer.pid;
		log_event(LOG_EVENT_HANDING_OVER, "process %d is ready to take over", (int)peer.pid);
		return true;
	}
	if (may && !known)
		(void)!say(came[0], NO "it is of version " CPIS_VERSION " and knows another way to: stop it, and start the new one then");
	close(came[0]);
	log_event(LOG_EVENT_HANDOVER_REFUSED, "process %d of user %d wanted to take over, and %s", (int)peer.pid, (int)peer.uid,
		  !may ? "has no right to" : known ? "is gone" : "asked in a way that this version does not know");
	return false;
}

static bool give(struct broker *broker)
{
	char yours[MESSAGE_BYTES];
	snprintf(yours, sizeof yours, YOURS "%s %s", broker->config->endpoint, or_none(broker->config->next_endpoint));
	return say(broker->giving, yours) && front_sockets_give(front_sockets(broker->front), broker->giving);
}

// What was told to stop meanwhile stops: who comes next has the store already, or finds it closed.
static bool is_told_to_stop(const struct broker *broker)
{
	struct signalfd_siginfo info;
	while (read(broker->signals, &info, sizeof info) == (ssize_t)sizeof info)
		if (info.ssi_signo != SIGHUP)
			return true;
	return false;
}

enum awaited { AWAITED_SERVING, AWAITED_STOP, AWAITED_NOTHING };

static enum awaited await_serving(struct broker *broker)
{
	uint64_t now_ms = clock_monotonic_ms(), until_ms = now_ms + HANDOVER_SERVE_MS;
	for (; now_ms < until_ms; now_ms = clock_monotonic_ms()) {
		struct pollfd items[] = {{.fd = broker->giving, .events = POLLIN}, {.fd = broker->signals, .events = POLLIN}};
		char message[MESSAGE_BYTES];
		(void)poll(items, 2, until_ms - now_ms < LOOK_MS ? (int)(until_ms - now_ms) : LOOK_MS);
		service_manager_alive(&broker->manager, clock_monotonic_us());
		if (items[0].revents != 0)
			return hear(broker->giving, 0, message) && strcmp(message, SERVING) == 0 ? AWAITED_SERVING : AWAITED_NOTHING;
		if (is_told_to_stop(broker))
			return AWAITED_STOP;
	}
	return AWAITED_NOTHING;
}

// Of a process that was killed the kernel frees one thing after the other.
static bool take_back(struct broker *broker, char detail[PROCESS_DETAIL_BYTES])
{
	uint64_t until_ms = clock_monotonic_ms() + HANDOVER_LOCK_MS;
	while (!process_take_back(broker, detail)) {
		if (broker->store != NULL || clock_monotonic_ms() >= until_ms)
			return false;
		poll(NULL, 0, AGAIN_MS);
		service_manager_alive(&broker->manager, clock_monotonic_us());
	}
	return true;
}

enum handover_end handover_give(struct broker *broker)
{
	char detail[PROCESS_DETAIL_BYTES] = "";
	process_close_store(broker);
	enum awaited awaited = give(broker) ? await_serving(broker) : AWAITED_NOTHING;
	if (awaited == AWAITED_STOP)
		(void)!say(broker->giving, ENDED);
	if (awaited == AWAITED_SERVING)
		service_manager_main_pid(&broker->manager, broker->giving_to);
	close(broker->giving);
	broker->giving = -1;
	if (awaited != AWAITED_NOTHING) {
		front_leave(broker->front);
		broker->is_found = false;
		broker->metrics_told = false;
		log_event(LOG_EVENT_HANDED_OVER, awaited == AWAITED_SERVING ? "another broker serves in its place"
										     : "it was told to stop while another broker takes over");
		return HANDOVER_GIVEN;
	}
	if (take_back(broker, detail)) {
		log_event(LOG_EVENT_TAKEN_BACK, "whoever was to take over did not serve, within %d s or at all: this one serves on",
			  HANDOVER_SERVE_MS / 1000);
		return HANDOVER_TAKEN_BACK;
	}
	log_event(LOG_EVENT_NOT_TAKEN_BACK, "%s; whoever was to take over did not serve either: start a broker", detail);
	return HANDOVER_LOST;
}

void handover_close(struct broker *broker)
{
	// Others find the one that serves.
	if (broker->is_found)
		unlink(broker->config->handover_socket);
	const int all[] = {broker->handover, broker->wake, broker->giving, broker->taking};
	for (unsigned i = 0; i < sizeof all / sizeof all[0]; i++)
		if (all[i] >= 0)
			close(all[i]);
}
