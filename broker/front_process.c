// The network's front: sockets, admission and the queue before the core, in a process of its own (front.h says why).
#include "broker/front_process.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "broker/clock.h"
#include "broker/connections.h"
#include "broker/front_frames_priv.h"
#include "broker/front_keeper.h"
#include "broker/log.h"
#include "broker/privileges.h"
#include "broker/refusal.h"

enum { EXIT_TOO_LARGE = 3 };

// How often it is looked at what goes on by itself.
#define TEND_MS 100u
// Messages that are read before replies have their turn again.
#define READ_AT_ONCE 1024u
// The address of a front that was killed a moment ago stays taken for as long as the kernel ends it.
#define BIND_AGAIN_MS 2000u
#define LAST_WORDS_MS 2000
// At the end messages that still come are read for so long, or until none has come for the second one.
#define LAST_LOOK_MS 1000u
#define LAST_SILENCE_MS 20
// Behind the core when there is not enough processor for both: turning many away must not keep those who are let in waiting. With
// ten steps (sched(7)) the others were told up to four times as late, and those let in gained nothing.
#define BEHIND_THE_CORE 5
// The process's own descriptors, and those that come between two looks.
#define OWN_DESCRIPTORS 64u
#define REPORTED_KINDS 8u

struct front_process {
	struct front_link *link;
	struct front_setup setup;
	struct admission *admission; // until the handler has it
	void *context;
	struct attempts *attempts;
	struct zap *zap;
	struct listeners *listeners;
	struct front_sockets sockets;   // that listened before, until they are in use
	struct intake *intake;
	struct intake_item *spare;   // what the next message is received into
	struct arena arena;          // of one refusal
	uint32_t credit;             // requests that the core still takes
	uint64_t tended_ms;          // monotonic
	uint64_t refused_busy;
	struct front_busy busy[FRONT_BUSY_SYSTEMS_MAX]; // not told yet
	size_t busy_count;
	uint32_t retry_after_ms;     // of those who are refused because:
	bool stopped;                // the core takes no more requests
	bool closing;
	unsigned drained;            // refused since then
};

// ------------------------------------------------------------------ start

static bool copy_frame(const struct front_frame *frame, void *out, size_t bytes)
{
	if (frame->bytes != bytes)
		return false;
	memcpy(out, frame->data, bytes);
	return true;
}

static bool take_admission(struct front_process *front, const struct front_frame *frame)
{
	struct admission *fresh = admission_of_bytes(frame->data, frame->bytes);
	if (fresh == NULL)
		return false;
	const uint64_t one = 1;
	if (front->zap != NULL)
		zap_set_admission(front->zap, fresh);
	// Whoever waits for it knows that the next handshake is judged by it.
	if (write(FRONT_DESCRIPTOR + 1, &one, sizeof one) != (ssize_t)sizeof one)
		return false;
	admission_release(front->admission);
	front->admission = fresh;
	return true;
}

static bool take_limits(struct front_process *front, const struct front_frame *frame)
{
	if (!copy_frame(frame, &front->setup.limits, sizeof front->setup.limits))
		return false;
	zap_set_limits(front->zap, &front->setup.limits.zap);
	intake_set_limits(front->intake, &front->setup.limits.intake);
	return true;
}

// Set-up and first list of who is let in.
static bool await_setup(struct front_process *front)
{
	bool has_setup = false;
	while (!has_setup || front->admission == NULL) {
		struct pollfd item = {.fd = front_link_fd(front->link), .events = POLLIN};
		struct front_frame frame;
		enum front_link_next next;
		if (poll(&item, 1, (int)FRONT_START_MS) <= 0 || !front_link_fill(front->link))
			return false;
		while ((next = front_link_next(front->link, &frame)) == FRONT_LINK_FRAME) {
			if (frame.type == FRONT_FRAME_SETUP)
				has_setup = copy_frame(&frame, &front->setup, sizeof front->setup);
			else if (frame.type != FRONT_FRAME_ADMISSION || !take_admission(front, &frame))
				return false;
		}
		if (next == FRONT_LINK_BROKEN)
			return false;
	}
	return true;
}

static bool open_listeners(struct front_process *front, char detail[TRANSPORT_DETAIL_BYTES])
{
	struct listeners_options options = {.context = front->context, .zap = front->zap, .attempts = front->attempts};
	uint64_t until_ms = clock_monotonic_ms() + BIND_AGAIN_MS;
	for (enum listener i = 0; i < LISTENERS; i++) {
		options.endpoints[i] = front->setup.endpoints[i][0] == '\0' ? NULL : front->setup.endpoints[i];
		options.keys[i] = &front->setup.keys[i];
		options.listening[i] = front->sockets.listening[i];
	}
	while (!listeners_open(&options, &front->listeners, detail)) {
		if (errno != EADDRINUSE || clock_monotonic_ms() >= until_ms)
			return false;
		poll(NULL, 0, 10);
	}
	return true;
}

static void add_port(struct sandbox_options *options, const char *endpoint)
{
	if (endpoint[0] != '\0')
		options->ports[options->port_count++] = (uint16_t)strtoul(strrchr(endpoint, ':') + 1, NULL, 10);
}

// The self-test binds a free port and connects to it. The enrolment endpoint is opened anew where it was, which is nowhere that could be
// named before when the configuration says *.
static struct sandbox_options sandbox_options(const struct front_setup *setup)
{
	const char *enrolment = setup->endpoints[LISTENER_ENROLMENT];
	bool enrols = enrolment[0] != '\0';
	struct sandbox_options options = {
		.mode = setup->sandbox,
		.profile = SANDBOX_FRONT,
		.network = enrols ? SANDBOX_LISTENS : SANDBOX_ACCEPTS,
		.port_count = 1,
		.any_port = enrols && strcmp(strrchr(enrolment, ':'), ":*") == 0,
		.connects = true,
	};
	for (enum listener i = 0; i < LISTENERS; i++)
		add_port(&options, setup->endpoints[i]);
	return options;
}

// ZAP before any server socket, the self-test before the real one: CURVE without a handler lets everybody in.
static bool open_network(struct front_process *front, char detail[TRANSPORT_DETAIL_BYTES])
{
	bool enrols = front->setup.endpoints[LISTENER_ENROLMENT][0] != '\0';
	front->context = transport_context_new(detail);
	if (front->context == NULL)
		return false;
	front->attempts = attempts_new();
	front->intake = intake_new(&front->setup.limits.intake);
	if (front->attempts == NULL || front->intake == NULL || !arena_init(&front->arena, REFUSAL_ARENA_BYTES)) {
		snprintf(detail, TRANSPORT_DETAIL_BYTES, "out of memory");
		return false;
	}
	if (!zap_start(front->context, front->admission, &front->setup.limits.zap, &front->zap)) {
		snprintf(detail, TRANSPORT_DETAIL_BYTES, "the admission handler cannot be started");
		return false;
	}
	if (!transport_self_test(front->context, front->zap, enrols, detail))
		return false;
	// Our own stranger is not counted.
	zap_set_attempts(front->zap, front->attempts);
	return open_listeners(front, detail);
}

// Before there is a second thread: those that are made have it from this one.
static void step_behind(void)
{
	// The kernel takes no more than 19, and whoever may run at all may step back.
	(void)setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + BEHIND_THE_CORE);
}

// Files before the first thread, system calls when everything is open.
static bool confine_and_open(struct front_process *front, char detail[SANDBOX_DETAIL_BYTES])
{
	char why[TRANSPORT_DETAIL_BYTES] = "";
	struct sandbox_options options = sandbox_options(&front->setup);
	log_set_format(front->setup.log_format);
	step_behind();
	// Where the limit does not allow it, the core has said so.
	privileges_lock_memory(NULL);
	if (!sandbox_told(sandbox_limit_files(&options, detail), "the front's files", detail))
		return false;
	if (!open_network(front, why)) {
		snprintf(detail, SANDBOX_DETAIL_BYTES, "%s", why);
		return false;
	}
	return sandbox_told(sandbox_limit_calls(&options, detail), "the front's system calls", detail);
}

// False: the core is gone. Waits for it at most `timeout_ms`.
static bool write_out(struct front_process *front, int timeout_ms)
{
	uint64_t until_ms = clock_monotonic_ms() + (uint64_t)timeout_ms;
	for (;;) {
		if (!front_link_flush(front->link))
			return false;
		uint64_t now_ms = clock_monotonic_ms();
		if (!front_link_has_unsent(front->link) || now_ms >= until_ms)
			return true;
		struct pollfd item = {.fd = front_link_fd(front->link), .events = POLLOUT};
		poll(&item, 1, (int)(until_ms - now_ms));
	}
}

static bool say(struct front_process *front, enum front_frame_type type, const void *data, size_t bytes)
{
	return front_link_put(front->link, type, &(struct front_part){data, bytes}, 1);
}

// Before it is said that all is ready.
static bool give_sockets(struct front_process *front)
{
	struct front_sockets made = {{0}};
	for (enum listener i = 0; i < LISTENER_ENROLMENT; i++)
		if (front->sockets.listening[i] == 0 && listeners_listening(front->listeners, i) > 0)
			made.listening[i] = listeners_listening(front->listeners, i);
	bool given = front_sockets_give(&made, FRONT_DESCRIPTOR + 2);
	front_sockets_close(&front->sockets);
	close(FRONT_DESCRIPTOR + 2);
	return given;
}

static bool say_ready(struct front_process *front)
{
	struct front_ready ready = {0};
	for (enum listener i = 0; i < LISTENERS; i++) {
		const char *endpoint = listeners_endpoint(front->listeners, i);
		snprintf(ready.endpoints[i], sizeof ready.endpoints[i], "%s", endpoint == NULL ? "" : endpoint);
	}
	return say(front, FRONT_FRAME_READY, &ready, sizeof ready) && write_out(front, LAST_WORDS_MS);
}

// ------------------------------------------------------------------ from the core

static void pass_back(struct front_process *front, const struct front_frame *frame)
{
	struct listeners_peer peer = {0};
	if (frame->bytes < FRONT_PEER_HEAD_BYTES || frame->data[0] >= LISTENERS ||
	    frame->bytes < FRONT_PEER_HEAD_BYTES + (size_t)frame->data[1] ||
	    listeners_endpoint(front->listeners, (enum listener)frame->data[0]) == NULL)
		return;
	peer.from = (enum listener)frame->data[0];
	peer.peer.routing_id_bytes = frame->data[1];
	memcpy(peer.peer.routing_id, frame->data + FRONT_PEER_HEAD_BYTES, frame->data[1]);
	size_t head = FRONT_PEER_HEAD_BYTES + (size_t)frame->data[1];
	listeners_send(front->listeners, &peer, frame->data + head, frame->bytes - head);
}

static bool say_counters(struct front_process *front)
{
	struct front_counters counters = {.zap = zap_read_counters(front->zap), .refused_busy = front->refused_busy};
	return say(front, FRONT_FRAME_PONG, &counters, sizeof counters);
}

static bool take_order(struct front_process *front, const struct front_frame *frame)
{
	uint32_t count;
	switch (frame->type) {
	case FRONT_FRAME_REPLY:
		pass_back(front, frame);
		return true;
	case FRONT_FRAME_CREDIT:
		if (!copy_frame(frame, &count, sizeof count))
			return false;
		front->credit += count;
		intake_carried_out(front->intake, count, clock_monotonic_us());
		return true;
	case FRONT_FRAME_ADMISSION:
		return take_admission(front, frame);
	case FRONT_FRAME_LIMITS:
		return take_limits(front, frame);
	case FRONT_FRAME_PING:
		return say_counters(front);
	case FRONT_FRAME_STOP:
		if (!copy_frame(frame, &front->retry_after_ms, sizeof front->retry_after_ms))
			return false;
		front->stopped = true;
		return say(front, FRONT_FRAME_STOPPED, NULL, 0);
	case FRONT_FRAME_CLOSE:
		front->closing = true;
		return true;
	default:
		return false;
	}
}

static bool take_orders(struct front_process *front)
{
	struct front_frame frame;
	enum front_link_next next;
	if (!front_link_fill(front->link))
		return false;
	while ((next = front_link_next(front->link, &frame)) == FRONT_LINK_FRAME)
		if (!take_order(front, &frame))
			return false;
	return next == FRONT_LINK_NOTHING;
}

// ------------------------------------------------------------------ to the core

static bool pass_on(struct front_process *front, const struct intake_item *item)
{
	const struct transport_message *message = &item->message.message;
	struct front_request_head head = {
		.waited_ms = (uint32_t)((clock_monotonic_us() - item->arrived_us) / 1000),
		.from = (uint8_t)item->message.from,
		.has_key = item->has_key,
		.routing_id_bytes = message->peer.routing_id_bytes,
	};
	memcpy(head.key, item->key, KEY_BYTES);
	const struct front_part parts[] = {
		{&head, sizeof head},
		{message->peer.routing_id, message->peer.routing_id_bytes},
		{message->data, message->bytes},
	};
	front->credit--;
	return front_link_put(front->link, FRONT_FRAME_REQUEST, parts, 3);
}

static void refuse(struct front_process *front, const struct listeners_message *from, enum reason reason, uint32_t retry_after_ms)
{
	size_t bytes;
	struct listeners_peer peer = listeners_peer_of(from);
	const uint8_t *refusal =
		refusal_make(&front->arena, reason, retry_after_ms, from->message.data, from->message.bytes, &bytes);
	listeners_send(front->listeners, &peer, refusal, bytes);
	arena_reset(&front->arena);
}

static void refuse_busy(struct front_process *front, struct intake_item *item)
{
	size_t i = 0;
	refuse(front, &item->message, REASON_BUSY, intake_retry_after_ms(front->intake));
	front->refused_busy++;
	while (i < front->busy_count && memcmp(front->busy[i].key, item->key, KEY_BYTES) != 0)
		i++;
	// Beyond what fits they count for the last one: the number is right, the name is one of them.
	if (i == FRONT_BUSY_SYSTEMS_MAX)
		i--;
	if (i == front->busy_count) {
		memcpy(front->busy[i].key, item->key, KEY_BYTES);
		front->busy[i].count = 0;
		front->busy_count++;
	}
	front->busy[i].count++;
	intake_item_free(item);
}

// False: the core takes nothing any more. The item is the intake's, or gone.
static bool take_in(struct front_process *front, struct intake_item *item)
{
	const struct transport_message *message = &item->message.message;
	enum zap_class zap_class = item->message.from == LISTENER_ENROLMENT ? ZAP_ENROLLING : ZAP_SYSTEMS;
	item->arrived_us = clock_monotonic_us();
	item->has_key = zap_lookup(front->zap, zap_class, message->peer.handle, item->key);
	if (!item->has_key)
		memset(item->key, 0, KEY_BYTES);
	if (front->credit > 0 && intake_waiting(front->intake) == 0) {
		bool passed = pass_on(front, item);
		intake_item_free(item);
		return passed;
	}
	item->intake_class = intake_class_of(message->data, message->bytes);
	struct intake_item *refused = intake_put(front->intake, item);
	if (refused != NULL)
		refuse_busy(front, refused);
	return true;
}

// The next message there is, of systems before that of strangers.
static struct intake_item *receive(struct front_process *front, bool enrolling)
{
	struct intake_item *item = front->spare != NULL ? front->spare : calloc(1, sizeof *item);
	front->spare = NULL;
	if (item == NULL)
		return NULL;
	if (enrolling ? listeners_receive_enrolling(front->listeners, clock_monotonic_ms(), &item->message)
		      : listeners_receive(front->listeners, &item->message))
		return item;
	front->spare = item;
	return NULL;
}

static bool take_requests(struct front_process *front)
{
	struct intake_item *item;
	for (unsigned i = 0; i < READ_AT_ONCE && (item = receive(front, false)) != NULL; i++)
		if (!take_in(front, item))
			return false;
	while ((item = receive(front, true)) != NULL)
		if (!take_in(front, item))
			return false;
	while (front->credit > 0 && (item = intake_take(front->intake)) != NULL) {
		bool passed = pass_on(front, item);
		intake_item_free(item);
		if (!passed)
			return false;
	}
	return true;
}

// ------------------------------------------------------------------ by itself

static bool report(struct front_process *front)
{
	struct attempt taken[REPORTED_KINDS];
	size_t count;
	while ((count = attempts_take(front->attempts, clock_monotonic_ms(), true, REPORTED_KINDS, taken)) > 0)
		for (size_t i = 0; i < count; i++)
			if (!say(front, FRONT_FRAME_ATTEMPT, &taken[i], sizeof taken[i]))
				return false;
	for (size_t i = 0; i < front->busy_count; i++)
		if (!say(front, FRONT_FRAME_BUSY, &front->busy[i], sizeof front->busy[i]))
			return false;
	front->busy_count = 0;
	return true;
}

// Nothing takes back what libzmq holds for one peer but the end of the process.
static void check_memory(const struct front_process *front)
{
	char largest[ATTEMPT_EXAMPLE_BYTES];
	struct mallinfo2 info = mallinfo2();
	if (info.uordblks + info.hblkhd <= front->setup.limits.memory_bytes_max)
		return;
	connections_name_largest(largest);
	log_event(LOG_EVENT_FRONT_TOO_LARGE,
		  "connections have taken up %zu MB and may take %llu: all are cut off and the front is started again. Most came from %s: if "
		  "it comes back, stop it in the firewall and ask whose it is", (info.uordblks + info.hblkhd) >> 20,
		  (unsigned long long)(front->setup.limits.memory_bytes_max >> 20), largest);
	_Exit(EXIT_TOO_LARGE);
}

// Each connection costs a descriptor, also one that only pretends to shake hands; with none left libzmq does nothing but try.
static void check_connections(const struct front_process *front)
{
	struct rlimit limit = {0};
	size_t live = listeners_live(front->listeners), most = front->setup.limits.zap.connections_max + FRONT_HALF_OPEN_MAX;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < most + OWN_DESCRIPTORS)
		most = limit.rlim_cur > 2 * OWN_DESCRIPTORS ? limit.rlim_cur - OWN_DESCRIPTORS : limit.rlim_cur / 2;
	if (live <= most)
		return;
	size_t cut = connections_cut_off(live - most + most / 8);
	log_event(LOG_EVENT_CONNECTIONS_CUT_OFF,
		  "%zu connections were open and %zu may be: %zu that had said least or nothing for longest were cut off", live, most, cut);
}

static bool tend(struct front_process *front)
{
	uint64_t now_ms = clock_monotonic_ms();
	if (now_ms - front->tended_ms < TEND_MS)
		return true;
	front->tended_ms = now_ms;
	check_memory(front);
	check_connections(front);
	listeners_tend(front->listeners, now_ms);
	return report(front);
}

// What still queues, and what comes while the core brings its last batch to an end, is told to go elsewhere.
static void drain(struct front_process *front)
{
	struct intake_item *item;
	while (front->drained < FRONT_DRAIN_MAX &&
	       ((item = intake_take(front->intake)) != NULL || (item = receive(front, false)) != NULL)) {
		refuse(front, &item->message, REASON_DRAINING, front->retry_after_ms);
		intake_item_free(item);
		front->drained++;
	}
}

// False: the core is gone.
static bool take_or_drain(struct front_process *front)
{
	if (!front->stopped)
		return take_requests(front);
	drain(front);
	return true;
}

// Until it is told to close. False: the core is gone.
static bool serve(struct front_process *front)
{
	while (!front->closing) {
		short events = front_link_has_unsent(front->link) ? POLLIN | POLLOUT : POLLIN;
		listeners_wait(front->listeners, front_link_fd(front->link), events, clock_monotonic_ms(), (int)TEND_MS);
		if (!take_orders(front) || !take_or_drain(front) || !tend(front) || !front_link_flush(front->link))
			return false;
	}
	// What is on its way to us is told too, as long as it keeps coming.
	for (uint64_t until_ms = clock_monotonic_ms() + LAST_LOOK_MS; clock_monotonic_ms() < until_ms;) {
		unsigned before = front->drained;
		listeners_wait(front->listeners, -1, 0, clock_monotonic_ms(), LAST_SILENCE_MS);
		drain(front);
		if (front->drained == before)
			break;
	}
	log_event(LOG_EVENT_DRAINED, "%u waiting requests were told to go elsewhere", front->drained);
	return true;
}

// ------------------------------------------------------------------ stop

static void close_all(struct front_process *front)
{
	listeners_close(front->listeners);
	front->listeners = NULL;
	if (front->closing)
		// Whoever tries until the doors are shut is counted.
		(void)(report(front) && say_counters(front) && write_out(front, LAST_WORDS_MS));
	zap_stop(front->zap);
	intake_free(front->intake);
	free(front->spare);
	transport_context_free(front->context);
	attempts_free(front->attempts);
	admission_release(front->admission);
	arena_done(&front->arena);
	front_link_free(front->link);
	explicit_bzero(&front->setup, sizeof front->setup);
}

int front_process_run(void)
{
	struct front_process front = {0};
	char detail[SANDBOX_DETAIL_BYTES] = "";
	prctl(PR_SET_NAME, "cpis-front", 0, 0, 0);
	log_open("front");
	front.link = front_link_new(FRONT_DESCRIPTOR);
	int code = 1;
	if (front.link == NULL || !await_setup(&front) ||
	    !front_sockets_take(&front.sockets, FRONT_DESCRIPTOR + 2, (int)FRONT_START_MS)) {
		log_event(LOG_EVENT_FRONT_NOT_STARTED, "only a broker starts its front, and this one was told nothing by it");
		front_link_free(front.link);
		return code;
	}
	if (!confine_and_open(&front, detail)) {
		(void)(say(&front, FRONT_FRAME_FAILED, detail, strlen(detail)) && write_out(&front, LAST_WORDS_MS));
	} else if (give_sockets(&front) && say_ready(&front) && serve(&front)) {
		code = 0;
	}
	close_all(&front);
	return code;
}
