// The network's front as the core sees it.
#include "broker/front.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "broker/clock.h"
#include "broker/front_frames_priv.h"
#include "broker/front_keeper.h"
#include "broker/log.h"

#define PING_MS 1000u
// A core that did not look for so long has no right to complain of silence.
#define ABSENT_MS 2000u
// How long replies may take into the front's hands before the next batch is begun without them.
#define HAND_OVER_MS 50
// A front that served for so long did not die young.
#define SETTLED_MS 10000u
// Replies under way at the end (2 s, transport.c), and the front's own last steps.
#define STOP_MS 5000u
#define REAP_MS 1000
// How long the front may take over a list of who is let in.
#define IN_FORCE_MS 500u
#define LINK_BUFFER_BYTES (1024 * 1024)

struct front {
	struct front_options options;
	struct admission *admission;
	struct front_link *link;             // NULL: none serves
	int in_force;                        // eventfd: one for each list that has come into force; -1 without a link
	uint64_t lists_said, lists_in_force; // since this one was started
	char endpoints[LISTENERS][TRANSPORT_ENDPOINT_BYTES]; // as bound first: it is bound there again
	bool file_written[LISTENERS];
	bool lost;                           // its keeper is gone: there will be no other
	bool broken;                         // whoever is at the other end is not to be talked to any more
	bool hung_up;                        // and that is so since it has closed its end
	bool paused;
	uint32_t given_out;                  // requests, since credit was given
	uint64_t started_ms, pinged_ms, ponged_ms, tended_ms; // monotonic
	uint64_t again_ms;                   // not started before; monotonic
	unsigned young_deaths;               // in a row
	unsigned restarts;
	struct front_counters before, now;   // of the fronts that are gone, and of this one
};

// ------------------------------------------------------------------ what the front says

static bool take_attempt(struct front *front, const struct front_frame *frame)
{
	struct attempt attempt;
	if (!front_frame_attempt(frame, &attempt))
		return false;
	attempts_add(front->options.attempts, &attempt);
	return true;
}

static bool take_busy(struct front *front, const struct front_frame *frame)
{
	struct front_busy busy;
	if (!front_frame_busy(frame, &busy))
		return false;
	struct attempt attempt = {.reason = REASON_BUSY, .count = busy.count, .first_ms = clock_now_ms()};
	snprintf(attempt.examples, sizeof attempt.examples, "key %02x%02x%02x%02x", busy.key[0], busy.key[1], busy.key[2],
		 busy.key[3]);
	attempts_add(front->options.attempts, &attempt);
	return true;
}

static bool take_pong(struct front *front, const struct front_frame *frame)
{
	if (!front_frame_counters(frame, &front->now))
		return false;
	front->ponged_ms = clock_monotonic_ms();
	return true;
}

static void give_up(struct front *front, const char *why)
{
	if (!front->broken && why != NULL)
		log_event(LOG_EVENT_FRONT_GIVEN_UP, "%s: it is ended and started again", why);
	if (!front->broken)
		front->hung_up = why == NULL;
	front->broken = true;
}

// The next frame that is a request, all others dealt with. False: no whole one is there.
static bool next_request(struct front *front, struct front_request *ret)
{
	struct front_frame frame;
	enum front_link_next next = FRONT_LINK_NOTHING;
	while (!front->broken && (next = front_link_next(front->link, &frame)) == FRONT_LINK_FRAME) {
		bool good = frame.type == FRONT_FRAME_REQUEST   ? front_frame_request(&frame, ret)
			    : frame.type == FRONT_FRAME_ATTEMPT ? take_attempt(front, &frame)
			    : frame.type == FRONT_FRAME_BUSY    ? take_busy(front, &frame)
			    : frame.type == FRONT_FRAME_PONG    ? take_pong(front, &frame)
			    : frame.type == FRONT_FRAME_STOPPED ? (front->paused = true)
								: false;
		if (good && frame.type == FRONT_FRAME_REQUEST)
			return true;
		if (!good)
			give_up(front, "the front says what no front says");
	}
	if (next == FRONT_LINK_BROKEN)
		give_up(front, "the front says what no front says");
	return false;
}

// ------------------------------------------------------------------ start

static bool take_ready(struct front *front, const struct front_frame *frame)
{
	struct front_ready ready;
	if (!front_frame_ready(frame, &ready))
		return false;
	for (enum listener i = 0; i < LISTENERS; i++)
		if ((ready.endpoints[i][0] == '\0') != (front->options.endpoints[i] == NULL))
			return false;
	memcpy(front->endpoints, ready.endpoints, sizeof front->endpoints);
	return true;
}

static bool say(struct front *front, enum front_frame_type type, const void *data, size_t bytes)
{
	return front_link_put(front->link, type, &(struct front_part){data, bytes}, 1);
}

static bool say_admission(struct front *front)
{
	size_t bytes;
	front->lists_said++;
	const uint8_t *data = admission_bytes(front->admission, &bytes);
	return say(front, FRONT_FRAME_ADMISSION, data, bytes);
}

static bool say_setup(struct front *front)
{
	const struct front_options *options = &front->options;
	struct front_setup setup = {
		.limits = options->limits, .log_format = options->log_format, .sandbox = options->sandbox};
	for (enum listener i = 0; i < LISTENERS; i++) {
		if (options->endpoints[i] == NULL)
			continue;
		memcpy(setup.endpoints[i], front->endpoints[i], sizeof setup.endpoints[i]);
		setup.keys[i] = *options->keys[i];
	}
	bool said = say(front, FRONT_FRAME_SETUP, &setup, sizeof setup);
	explicit_bzero(&setup, sizeof setup);
	return said && say_admission(front);
}

// Waits for a frame of the start. False: it says nothing, or is gone.
static bool await_frame(struct front *front, uint64_t until_ms, struct front_frame *ret)
{
	for (;;) {
		enum front_link_next next = front_link_next(front->link, ret);
		if (next != FRONT_LINK_NOTHING)
			return next == FRONT_LINK_FRAME;
		uint64_t now_ms = clock_monotonic_ms();
		short out = front_link_has_unsent(front->link) ? POLLOUT : 0;
		struct pollfd item = {.fd = front_link_fd(front->link), .events = (short)(POLLIN | out)};
		if (now_ms >= until_ms || (poll(&item, 1, (int)(until_ms - now_ms)) < 0 && errno != EINTR))
			return false;
		// One that ends without reading what it is told may have said why.
		bool takes = front_link_flush(front->link), says = front_link_fill(front->link);
		if (!takes || !says)
			return front_link_next(front->link, ret) == FRONT_LINK_FRAME;
	}
}

static bool await_ready(struct front *front, char detail[FRONT_DETAIL_BYTES])
{
	struct front_frame frame;
	bool answered = say_setup(front) && await_frame(front, clock_monotonic_ms() + FRONT_START_MS, &frame);
	if (answered && frame.type == FRONT_FRAME_READY && take_ready(front, &frame))
		return true;
	if (answered && frame.type == FRONT_FRAME_FAILED)
		snprintf(detail, FRONT_DETAIL_BYTES, "%.*s", (int)(frame.bytes < 300 ? frame.bytes : 300), (const char *)frame.data);
	else
		snprintf(detail, FRONT_DETAIL_BYTES, "the network front did not start");
	return false;
}

static void unlink_front(struct front *front)
{
	front_link_free(front->link);
	front->link = NULL;
	if (front->in_force >= 0)
		close(front->in_force);
	front->in_force = -1;
}

static bool start(struct front *front, char detail[FRONT_DETAIL_BYTES])
{
	int ends[2];
	const int buffer = LINK_BUFFER_BYTES;
	const uint32_t credit = 2 * front->options.batch_max;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
		snprintf(detail, FRONT_DETAIL_BYTES, "the network front cannot be started: %s", strerror(errno));
		return false;
	}
	// Whole batches fit then where the kernel allows it; where not, they go in pieces.
	for (unsigned i = 0; i < 2; i++)
		(void)setsockopt(ends[i], SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
	front->in_force = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	front->lists_said = front->lists_in_force = 0;
	int pair[2] = {-1, -1};
	bool prepared = front->in_force >= 0 && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0 &&
			front_sockets_give(&front->options.sockets, pair[0]);
	const int given[FRONT_DESCRIPTORS] = {ends[1], front->in_force, pair[1]};
	bool told = prepared && front_keeper_start_front(front->options.keeper, given);
	close(ends[1]);
	if (pair[1] >= 0)
		close(pair[1]);
	front->lost = prepared && !told;
	front->link = front_link_new(ends[0]);
	front->broken = front->hung_up = false;
	front->given_out = 0;
	if (!told || front->link == NULL)
		snprintf(detail, FRONT_DETAIL_BYTES, "the network front cannot be started: %s",
			 front->lost ? "its keeper is gone" : "out of memory or descriptors");
	bool started = told && front->link != NULL && await_ready(front, detail) &&
		       say(front, FRONT_FRAME_CREDIT, &credit, sizeof credit);
	// It has given them before it said that it is ready. Without them the next one makes its own.
	if (started)
		front_sockets_take(&front->options.sockets, pair[0], 0);
	if (pair[0] >= 0)
		close(pair[0]);
	if (!started) {
		unlink_front(front);
		front_keeper_kill_front(front->options.keeper);
		return false;
	}
	front_flush(front);
	front->started_ms = front->pinged_ms = front->ponged_ms = front->tended_ms = clock_monotonic_ms();
	return true;
}

// Whole or not at all: a reader never sees half an endpoint.
static bool write_file(struct front *front, enum listener which, char detail[FRONT_DETAIL_BYTES])
{
	const char *path = front->options.files[which];
	char aside[4200];
	if (path == NULL || front->options.endpoints[which] == NULL)
		return true;
	snprintf(aside, sizeof aside, "%s.new", path);
	FILE *file = fopen(aside, "we");
	bool written = file != NULL && fprintf(file, "%s\n", front->endpoints[which]) > 0;
	if (file != NULL)
		written = fclose(file) == 0 && written;
	if (!written || rename(aside, path) != 0) {
		snprintf(detail, FRONT_DETAIL_BYTES, "%.300s: %s", path, strerror(errno));
		return false;
	}
	return front->file_written[which] = true;
}

bool front_open(const struct front_options *options, struct front **ret, char detail[FRONT_DETAIL_BYTES])
{
	struct front *front = calloc(1, sizeof *front);
	if (front == NULL) {
		snprintf(detail, FRONT_DETAIL_BYTES, "out of memory");
		return false;
	}
	front->options = *options;
	front->in_force = -1;
	front->admission = admission_retain(options->admission);
	bool good = true;
	for (enum listener i = 0; i < LISTENERS; i++)
		if (options->endpoints[i] != NULL &&
		    snprintf(front->endpoints[i], sizeof front->endpoints[i], "%s", options->endpoints[i]) >=
			    (int)sizeof front->endpoints[i]) {
			snprintf(detail, FRONT_DETAIL_BYTES, "%.100s... is longer than an endpoint may be", options->endpoints[i]);
			good = false;
		}
	good = good && start(front, detail);
	// When all are open: whoever waits for a file finds the broker.
	for (enum listener i = 0; i < LISTENERS && good; i++)
		good = write_file(front, i, detail);
	if (!good) {
		front_close(front);
		return false;
	}
	*ret = front;
	return true;
}

const char *front_endpoint(const struct front *front, enum listener which)
{
	return front->endpoints[which][0] == '\0' ? NULL : front->endpoints[which];
}

// ------------------------------------------------------------------ messages

void front_wait(struct front *front, int wake_fd, int timeout_ms)
{
	struct pollfd items[2] = {{.fd = wake_fd, .events = POLLIN}};
	nfds_t count = 1;
	if (front->link != NULL && !front->broken) {
		short out = front_link_has_unsent(front->link) ? POLLOUT : 0;
		items[count++] = (struct pollfd){.fd = front_link_fd(front->link), .events = (short)(POLLIN | out)};
	}
	// An interruption is as good a reason to look as any other.
	(void)poll(items, count, timeout_ms);
	if (count == 2 && (!front_link_flush(front->link) || !front_link_fill(front->link)))
		give_up(front, NULL);
}

bool front_receive(struct front *front, struct front_request *ret)
{
	if (front->link == NULL || !next_request(front, ret))
		return false;
	front->given_out++;
	return true;
}

void front_send(struct front *front, const struct front_peer *peer, const uint8_t *data, size_t bytes)
{
	const struct front_part parts[] = {{peer, FRONT_PEER_HEAD_BYTES + (size_t)peer->routing_id_bytes}, {data, bytes}};
	if (front->link == NULL || front->broken)
		return;
	if (!front_link_put(front->link, FRONT_FRAME_REPLY, parts, 2))
		give_up(front, "the front takes no replies");
}

void front_flush(struct front *front)
{
	uint64_t until_ms = clock_monotonic_ms() + HAND_OVER_MS;
	if (front->link == NULL || front->broken)
		return;
	if (front->given_out > 0 && !say(front, FRONT_FRAME_CREDIT, &front->given_out, sizeof front->given_out))
		give_up(front, "the front takes no replies");
	front->given_out = 0;
	while (!front->broken) {
		if (!front_link_flush(front->link))
			give_up(front, NULL);
		uint64_t now_ms = clock_monotonic_ms();
		if (front->broken || !front_link_has_unsent(front->link) || now_ms >= until_ms)
			return;
		struct pollfd item = {.fd = front_link_fd(front->link), .events = POLLOUT};
		(void)poll(&item, 1, (int)(until_ms - now_ms));
	}
}

// Until the last list that was said is in force, or it takes too long: each request is judged by the new one in any case.
static void await_in_force(struct front *front)
{
	uint64_t until_ms = clock_monotonic_ms() + IN_FORCE_MS, now_ms, more;
	while (front->lists_in_force < front->lists_said && !front->broken && (now_ms = clock_monotonic_ms()) < until_ms) {
		short out = front_link_has_unsent(front->link) ? POLLOUT : 0;
		struct pollfd items[] = {{.fd = front->in_force, .events = POLLIN}, {.fd = front_link_fd(front->link), .events = out}};
		(void)poll(items, 2, (int)(until_ms - now_ms));
		if (read(front->in_force, &more, sizeof more) == (ssize_t)sizeof more)
			front->lists_in_force += more;
		// A front that is gone has hung up.
		if (!front_link_flush(front->link) || (items[1].revents & (POLLERR | POLLHUP)) != 0)
			give_up(front, NULL);
	}
}

void front_set_admission(struct front *front, struct admission *admission)
{
	struct admission *before = front->admission;
	front->admission = admission_retain(admission);
	admission_release(before);
	if (front->link != NULL && !front->broken && !say_admission(front))
		give_up(front, "the front takes no list of who is let in");
	if (front->link != NULL && !front->broken)
		await_in_force(front);
}

void front_set_limits(struct front *front, const struct front_limits *limits)
{
	// One that is started later has them from its start.
	front->options.limits = *limits;
	if (front->link != NULL && !front->broken && !say(front, FRONT_FRAME_LIMITS, limits, sizeof *limits))
		give_up(front, "the front takes no limits");
	front_flush(front);
}

// ------------------------------------------------------------------ alive or not

static void add_counters(struct front_counters *sum, const struct front_counters *more)
{
	sum->zap.admitted += more->zap.admitted;
	sum->zap.refused_unknown += more->zap.refused_unknown;
	sum->zap.refused_invalid += more->zap.refused_invalid;
	sum->zap.malformed += more->zap.malformed;
	sum->zap.enrolling_admitted += more->zap.enrolling_admitted;
	sum->zap.enrolling_refused += more->zap.enrolling_refused;
	sum->refused_busy += more->refused_busy;
}

static void say_how_it_ended(int status)
{
	if (WIFSIGNALED(status))
		log_event(LOG_EVENT_FRONT_DIED,
			  "the network front was ended by signal %d (%s): all connections are cut off, it is started again", WTERMSIG(status),
			  strsignal(WTERMSIG(status)));
	else
		log_event(LOG_EVENT_FRONT_DIED,
			  "the network front ended with code %d: all connections are cut off, it is started again", WEXITSTATUS(status));
}

static void bury(struct front *front, uint64_t now_ms)
{
	unlink_front(front);
	front_keeper_kill_front(front->options.keeper);
	say_how_it_ended(front_keeper_status(front->options.keeper, REAP_MS));
	add_counters(&front->before, &front->now);
	front->now = (struct front_counters){0};
	front->young_deaths = now_ms - front->started_ms >= SETTLED_MS ? 0 : front->young_deaths + 1;
	uint64_t wait_ms = front->young_deaths < 2 ? 0 : (uint64_t)FRONT_AGAIN_MS << (front->young_deaths < 12 ? front->young_deaths : 12);
	front->again_ms = now_ms + (wait_ms > FRONT_AGAIN_MS_LONGEST ? FRONT_AGAIN_MS_LONGEST : wait_ms);
}

static void start_again(struct front *front)
{
	char detail[FRONT_DETAIL_BYTES] = "";
	uint64_t before_ms = clock_monotonic_ms();
	if (!start(front, detail)) {
		log_event(LOG_EVENT_FRONT_NOT_STARTED, "%s; it is tried again in %u s", detail, FRONT_AGAIN_MS_LONGEST / 1000);
		front->again_ms = clock_monotonic_ms() + FRONT_AGAIN_MS_LONGEST;
		return;
	}
	front->restarts++;
	log_event(LOG_EVENT_FRONT_STARTED, "the network front serves again, after %llu ms",
		  (unsigned long long)(clock_monotonic_ms() - before_ms));
}

static void ping(struct front *front, uint64_t now_ms)
{
	bool absent = now_ms - front->tended_ms > ABSENT_MS;
	front->tended_ms = now_ms;
	if (absent)
		front->ponged_ms = now_ms;
	if (now_ms - front->ponged_ms > FRONT_SILENCE_MS)
		give_up(front, "the front has not answered for five seconds");
	else if (now_ms - front->pinged_ms >= PING_MS) {
		front->pinged_ms = now_ms;
		if (!say(front, FRONT_FRAME_PING, NULL, 0))
			give_up(front, "the front takes no pings");
		front_flush(front);
	}
}

void front_tend(struct front *front, uint64_t now_ms)
{
	if (front->link != NULL && !front->broken)
		ping(front, now_ms);
	if (front->link != NULL && front->broken)
		bury(front, now_ms);
	if (front->link == NULL && !front->lost && now_ms >= front->again_ms)
		start_again(front);
}

bool front_is_lost(const struct front *front)
{
	return front->lost;
}

struct front_counters front_read_counters(const struct front *front)
{
	struct front_counters counters = front->before;
	add_counters(&counters, &front->now);
	return counters;
}

unsigned front_restarts(const struct front *front)
{
	return front->restarts;
}

// ------------------------------------------------------------------ stop

// Until it has ended. What still comes is counted; requests are nobody's any more.
static void await_end(struct front *front)
{
	uint64_t until_ms = clock_monotonic_ms() + STOP_MS, now_ms;
	struct front_request request;
	while (!front->broken && (now_ms = clock_monotonic_ms()) < until_ms) {
		front_wait(front, -1, (int)(until_ms - now_ms));
		while (next_request(front, &request))
			;
	}
	// It has still to wipe its keys and end: without its keeper it would be killed before. A sanitizer looks for leaks then.
	if (front->hung_up && (now_ms = clock_monotonic_ms()) < until_ms)
		(void)front_keeper_status(front->options.keeper, (int)(until_ms - now_ms));
}

void front_pause(struct front *front, uint32_t retry_after_ms)
{
	if (front->link != NULL && !front->broken && !say(front, FRONT_FRAME_STOP, &retry_after_ms, sizeof retry_after_ms))
		give_up(front, NULL);
	front_flush(front);
}

bool front_is_paused(const struct front *front)
{
	return front->paused || front->link == NULL || front->broken;
}

void front_stop(struct front *front)
{
	if (front->link != NULL && !front->broken && say(front, FRONT_FRAME_CLOSE, NULL, 0))
		await_end(front);
	unlink_front(front);
}

bool front_start_again(struct front *front, char detail[FRONT_DETAIL_BYTES])
{
	front->paused = false;
	add_counters(&front->before, &front->now);
	front->now = (struct front_counters){0};
	bool good = start(front, detail);
	for (enum listener i = 0; i < LISTENERS && good; i++)
		good = write_file(front, i, detail);
	return good;
}

const struct front_sockets *front_sockets(const struct front *front)
{
	return &front->options.sockets;
}

void front_leave(struct front *front)
{
	memset(front->file_written, 0, sizeof front->file_written);
}

void front_close(struct front *front)
{
	if (front == NULL)
		return;
	front_stop(front);
	for (enum listener i = 0; i < LISTENERS; i++)
		// Another broker's file stays, where we could not even open.
		if (front->file_written[i])
			unlink(front->options.files[i]);
	close(front->options.keeper);
	front_sockets_close(&front->options.sockets);
	admission_release(front->admission);
	explicit_bzero(front, sizeof *front);
	free(front);
}
