// Handshakes that failed before anybody was asked, from a socket's monitor (zmq_socket_monitor(3)).
#include "broker/transport_monitor.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <zmq.h>

#include "broker/clock.h"
#include "broker/limits.h"
#include "proto/invariant.h"

// A failure whose connection was taken for one that was done explains another's end no longer than this.
#define FAILURE_MS_MAX 10000u

// No handshake that was done fits between the two events of a connection's beginning, or is told of so late.
#define LATE_MS_MAX 1000u
// What stands for a descriptor in place of a number of handshakes.
#define NOT_FOLLOWED UINT64_MAX
#define ENDED_FIRST (UINT64_MAX - 1)

#define EVENTS                                                                                       \
	(ZMQ_EVENT_LISTENING | ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_SUCCEEDED |               \
	 ZMQ_EVENT_HANDSHAKE_FAILED_AUTH | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL)

struct transport_monitor {
	pthread_t thread;
	bool running;
	void *socket;           // the monitored one
	void *events;           // PAIR; the thread's own once it runs
	int stop_fd;
	int listening;          // libzmq's; -1 until it has told
	struct attempts *attempts;
	char where[ATTEMPT_EXAMPLE_BYTES];
	atomic_size_t live;     // connections that have begun and not ended
	uint64_t done;          // handshakes that succeeded
	uint64_t done_ms;       // monotonic: the last of them
	uint64_t failures;      // whose connection has not ended yet, as far as is known
	uint64_t failed_ms;     // monotonic: the last of them
	uint64_t *done_before;  // by descriptor: `done` when the connection began; or one of the two below
};

// ------------------------------------------------------------------ libzmq's errno

static int (*send_of_libzmq)(zmq_msg_t *message, void *socket, int flags);

static void find_send_of_libzmq(void)
{
	// POSIX has the address of a function in a pointer to void, C has not.
	*(void **)&send_of_libzmq = dlsym(RTLD_NEXT, "zmq_msg_send");
	INVARIANT(send_of_libzmq != NULL);
}

// 4.3.4 says in errno why it gives a connection up, tells the monitor so by its own zmq_msg_send(), and then acts upon errno. A send
// that succeeds may leave anything there. With EAGAIN the connection is kept, unread, after its peer is gone: a descriptor for each
// that sends, once admitted, what is no message of CURVE. The dynamic linker takes this one for libzmq's calls as well; it is libzmq's,
// but for leaving errno alone when it succeeds.
int zmq_msg_send(zmq_msg_t *message, void *socket, int flags)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	int before = errno;
	INVARIANT(pthread_once(&once, find_send_of_libzmq) == 0);
	int bytes = send_of_libzmq(message, socket, flags);
	if (bytes >= 0)
		errno = before;
	return bytes;
}

// ------------------------------------------------------------------ the events

static void note(struct transport_monitor *monitor, enum reason reason)
{
	attempts_note(monitor->attempts, reason, monitor->where, clock_now_ms());
}

static void note_failure(struct transport_monitor *monitor)
{
	monitor->failures++;
	monitor->failed_ms = clock_monotonic_ms();
}

static enum reason reason_of_protocol_error(uint32_t code)
{
	return code == ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH ? REASON_HANDSHAKE_MECHANISM
	       : code == ZMQ_PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC    ? REASON_HANDSHAKE_SECRET
								  : REASON_HANDSHAKE_MALFORMED;
}

// It ended without its handshake being done: by a failure that was told of, or else for what it spoke.
static void explain_end(struct transport_monitor *monitor)
{
	if (monitor->failures > 0 && clock_monotonic_ms() - monitor->failed_ms > FAILURE_MS_MAX)
		monitor->failures = 0;
	if (monitor->failures > 0)
		monitor->failures--;
	else
		note(monitor, REASON_HANDSHAKE_PROTOCOL);
}

// libzmq hands a connection to the thread that serves it and then tells that it has begun, so that the end of a short one may
// be told first.
static void begin_connection(struct transport_monitor *monitor, uint32_t descriptor)
{
	atomic_fetch_add(&monitor->live, 1);
	if (descriptor >= FRONT_DESCRIPTORS_MAX)
		return;
	bool ended = monitor->done_before[descriptor] == ENDED_FIRST;
	monitor->done_before[descriptor] = ended ? NOT_FOLLOWED : monitor->done;
	if (ended && (monitor->done == 0 || clock_monotonic_ms() - monitor->done_ms > LATE_MS_MAX))
		explain_end(monitor);
}

static void end_connection(struct transport_monitor *monitor, uint32_t descriptor)
{
	atomic_fetch_sub(&monitor->live, 1);
	if (descriptor >= FRONT_DESCRIPTORS_MAX)
		return;
	uint64_t before = monitor->done_before[descriptor];
	monitor->done_before[descriptor] = before == NOT_FOLLOWED ? ENDED_FIRST : NOT_FOLLOWED;
	if (before == monitor->done)
		explain_end(monitor);
}

static void take_event(struct transport_monitor *monitor, uint16_t event, uint32_t value)
{
	switch (event) {
	case ZMQ_EVENT_ACCEPTED:
		begin_connection(monitor, value);
		break;
	case ZMQ_EVENT_DISCONNECTED:
		end_connection(monitor, value);
		break;
	case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
		monitor->done++;
		monitor->done_ms = clock_monotonic_ms();
		break;
	case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
		// ZAP has counted it. After 300 the connection is kept, and ends with a failure of its own.
		if (value != 300)
			note_failure(monitor);
		break;
	case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
		note_failure(monitor);
		note(monitor, reason_of_protocol_error(value));
		break;
	case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
		note_failure(monitor);
		note(monitor, REASON_HANDSHAKE_UNFINISHED);
		break;
	case ZMQ_EVENT_LISTENING:
		monitor->listening = (int)value;
		break;
	default:
		break;
	}
}

// An event is two frames: its number and value, then the local endpoint. False when there is none.
static bool read_event(struct transport_monitor *monitor)
{
	uint8_t data[sizeof(uint16_t) + sizeof(uint32_t)], endpoint[1];
	uint16_t event;
	uint32_t value;
	int bytes;
	while ((bytes = zmq_recv(monitor->events, data, sizeof data, ZMQ_DONTWAIT)) < 0 && errno == EINTR)
		;
	if (bytes != (int)sizeof data)
		return false;
	while (zmq_recv(monitor->events, endpoint, sizeof endpoint, ZMQ_DONTWAIT) < 0 && errno == EINTR)
		;
	memcpy(&event, data, sizeof event);
	memcpy(&value, data + sizeof event, sizeof value);
	take_event(monitor, event, value);
	return true;
}

static void *run(void *argument)
{
	struct transport_monitor *monitor = argument;
	zmq_pollitem_t items[] = {
		{.socket = monitor->events, .events = ZMQ_POLLIN},
		{.fd = monitor->stop_fd, .events = ZMQ_POLLIN},
	};
	do {
		(void)zmq_poll(items, 2, -1);
		while (read_event(monitor))
			;
	} while (items[1].revents == 0);
	return NULL;
}

// ------------------------------------------------------------------ start and stop

// Connected before libzmq binds the other end: from the first event on there is somebody to take it.
static bool open_events(struct transport_monitor *monitor, void *context)
{
	static atomic_uint number;
	char name[64];
	const int none = 0;
	snprintf(name, sizeof name, "inproc://cpis.monitor.%u", atomic_fetch_add(&number, 1));
	monitor->events = zmq_socket(context, ZMQ_PAIR);
	return monitor->events != NULL && zmq_setsockopt(monitor->events, ZMQ_LINGER, &none, sizeof none) == 0 &&
	       zmq_setsockopt(monitor->events, ZMQ_RCVHWM, &none, sizeof none) == 0 &&
	       zmq_connect(monitor->events, name) == 0 && zmq_socket_monitor(monitor->socket, name, EVENTS) == 0;
}

// Signals are for the thread that started us.
static bool start_thread(struct transport_monitor *monitor)
{
	sigset_t all, before;
	sigfillset(&all);
	if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0)
		return false;
	bool started = pthread_create(&monitor->thread, NULL, run, monitor) == 0;
	INVARIANT(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
	return started;
}

static void free_monitor(struct transport_monitor *monitor)
{
	if (monitor->events != NULL)
		zmq_close(monitor->events);
	if (monitor->stop_fd >= 0)
		close(monitor->stop_fd);
	free(monitor->done_before);
	free(monitor);
}

bool transport_monitor_attach(void *context, void *socket, struct transport_monitor **ret)
{
	struct transport_monitor *monitor = calloc(1, sizeof *monitor);
	if (monitor == NULL)
		return false;
	monitor->socket = socket;
	monitor->listening = -1;
	monitor->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	monitor->done_before = malloc(FRONT_DESCRIPTORS_MAX * sizeof *monitor->done_before);
	if (monitor->done_before == NULL || monitor->stop_fd < 0 || !open_events(monitor, context)) {
		int error = errno;
		free_monitor(monitor);
		errno = error;
		return false;
	}
	for (size_t i = 0; i < FRONT_DESCRIPTORS_MAX; i++)
		monitor->done_before[i] = NOT_FOLLOWED;
	*ret = monitor;
	return true;
}

bool transport_monitor_run(struct transport_monitor *monitor, const char *endpoint, struct attempts *attempts)
{
	monitor->attempts = attempts;
	snprintf(monitor->where, sizeof monitor->where, "at %s", endpoint);
	// Binding has told of it before it came back, and before anything else.
	(void)read_event(monitor);
	return monitor->running = start_thread(monitor);
}

int transport_monitor_listening(const struct transport_monitor *monitor)
{
	return monitor->listening;
}

size_t transport_monitor_live(const struct transport_monitor *monitor)
{
	// An end may be told before its beginning.
	size_t live = atomic_load(&monitor->live);
	return live > SIZE_MAX / 2 ? 0 : live;
}

void transport_monitor_stop(struct transport_monitor *monitor)
{
	const uint64_t one = 1;
	if (monitor == NULL)
		return;
	// First whoever sends: with nobody to read, libzmq's threads would wait.
	(void)zmq_socket_monitor(monitor->socket, NULL, 0);
	if (monitor->running) {
		INVARIANT(write(monitor->stop_fd, &one, sizeof one) == (ssize_t)sizeof one);
		INVARIANT(pthread_join(monitor->thread, NULL) == 0);
	}
	free_monitor(monitor);
}
