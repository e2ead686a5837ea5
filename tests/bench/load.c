// One event loop for both kinds of load.
#include "tests/bench/load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/histogram.h"

#define EVENTS_MAX 256
#define UNDER_WAY_FIRST 32u
#define UNDER_WAY_MAX 4096u // of one connection; a server so far behind is not measured but overloaded

struct connection {
	struct load *load;
	struct link *link;
	unsigned number;
	bool writing; // waits until its socket can be written
	uint64_t *began_ns; // of those under way: a ring of `room`
	uint32_t first, count, room;
};

struct load {
	struct load_options options;
	struct load_run run;
	struct connection *connections;
	int epoll;
	bool is_running;
	uint64_t start_ns, end_ns, made, ready;
	uint64_t skipped; // of the open loop: their connections had too much under way
	uint64_t request_bytes, reply_bytes;
	struct histogram histogram;
};

uint64_t load_now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void flush(struct connection *connection)
{
	bool is_full = !connection->load->options.ops->flush(connection->link);
	if (is_full == connection->writing)
		return;
	connection->writing = is_full;
	struct epoll_event event = {.events = EPOLLIN | (is_full ? (uint32_t)EPOLLOUT : 0), .data.ptr = connection};
	int fd = connection->load->options.ops->fd(connection->link);
	link_must(epoll_ctl(connection->load->epoll, EPOLL_CTL_MOD, fd, &event) == 0, "epoll_ctl");
}

static bool may_make(const struct load *load, uint64_t now_ns)
{
	return now_ns < load->end_ns && (load->run.requests_max == 0 || load->made < load->run.requests_max);
}

// Twice the room. The ring is turned so that the oldest stands first.
static void grow(struct connection *connection)
{
	uint32_t room = connection->room * 2;
	link_must(room <= UNDER_WAY_MAX, "the server is overloaded: a connection has thousands of requests under way");
	uint64_t *ring = calloc(room, sizeof *ring);
	link_must(ring != NULL, "memory");
	for (uint32_t i = 0; i < connection->count; i++)
		ring[i] = connection->began_ns[(connection->first + i) % connection->room];
	free(connection->began_ns);
	connection->began_ns = ring;
	connection->room = room;
	connection->first = 0;
}

// False: the connection has no more requests.
static bool send_one(struct connection *connection, uint64_t began_ns)
{
	struct load *load = connection->load;
	uint8_t request[LOAD_REQUEST_BYTES_MAX];
	if (connection->count == connection->room)
		grow(connection);
	size_t bytes = load->options.make(load->options.context, connection->number, request);
	if (bytes == 0)
		return false;
	connection->began_ns[(connection->first + connection->count++) % connection->room] = began_ns;
	load->options.ops->send(connection->link, request, bytes);
	load->request_bytes += bytes;
	load->made++;
	return true;
}

static void take(void *context, const uint8_t *reply, size_t bytes)
{
	struct connection *connection = context;
	struct load *load = connection->load;
	uint64_t now_ns = load_now_ns();
	link_must(connection->count > 0, "a reply that nobody asked for");
	uint64_t took_ns = now_ns - connection->began_ns[connection->first % connection->room];
	histogram_add(&load->histogram, took_ns);
	if (load->run.into != NULL)
		histogram_add(load->run.into, took_ns);
	connection->first++;
	connection->count--;
	load->reply_bytes += bytes;
	load->options.check(load->options.context, connection->number, reply, bytes);
	if (load->run.window > 0 && may_make(load, now_ns))
		(void)send_one(connection, now_ns);
}

static void take_none(void *context, const uint8_t *reply, size_t bytes)
{
	(void)context, (void)reply, (void)bytes;
	link_must(false, "a reply before the first request");
}

// Waits for at most `wait_ns`; true when anything happened.
static bool turn(struct load *load, uint64_t wait_ns)
{
	struct epoll_event events[EVENTS_MAX];
	const struct timespec wait = {(time_t)(wait_ns / 1000000000u), (long)(wait_ns % 1000000000u)};
	int count = epoll_pwait2(load->epoll, events, EVENTS_MAX, &wait, NULL);
	link_must(count >= 0 || errno == EINTR, "epoll");
	for (int i = 0; i < count; i++) {
		struct connection *connection = events[i].data.ptr;
		if ((events[i].events & ~(uint32_t)EPOLLOUT) != 0)
			load->options.ops->receive(connection->link, load->is_running ? take : take_none, connection);
		flush(connection);
	}
	return count > 0;
}

struct load *load_open(const struct load_options *options)
{
	struct load *load = calloc(1, sizeof *load);
	link_must(load != NULL, "memory");
	load->options = *options;
	load->connections = calloc(options->connections, sizeof *load->connections);
	load->epoll = epoll_create1(EPOLL_CLOEXEC);
	link_must(load->connections != NULL && load->epoll >= 0, "memory");
	for (unsigned i = 0; i < options->connections; i++) {
		struct connection *connection = &load->connections[i];
		struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.ptr = connection};
		*connection = (struct connection){.load = load, .number = i, .writing = true, .room = UNDER_WAY_FIRST};
		connection->link = options->ops->open(options->target, i);
		connection->began_ns = calloc(connection->room, sizeof *connection->began_ns);
		link_must(connection->began_ns != NULL, "memory");
		link_must(epoll_ctl(load->epoll, EPOLL_CTL_ADD, options->ops->fd(connection->link), &event) == 0, "epoll_ctl");
	}
	for (unsigned i = 0; i < options->connections; i++)
		while (!options->ops->is_ready(load->connections[i].link))
			link_must(turn(load, LOAD_WAIT_MS * UINT64_C(1000000)), "the server does not admit us in time");
	return load;
}

// ------------------------------------------------------------------ a run

struct beside {
	uint64_t step_ns, next_ns;
	void (*step)(void *context);
	void *context;
};

static uint64_t under_way(const struct load *load)
{
	return load->made - load->histogram.count;
}

// How long to wait for a reply before there is something else to do.
static uint64_t wait_ns(uint64_t due_ns, const struct beside *beside, uint64_t now_ns)
{
	uint64_t until_ns = now_ns + LOAD_WAIT_MS * UINT64_C(1000000);
	if (due_ns != 0 && due_ns < until_ns)
		until_ns = due_ns;
	if (beside->step != NULL && beside->next_ns < until_ns)
		until_ns = beside->next_ns;
	return until_ns > now_ns ? until_ns - now_ns : 0;
}

// Sends what is due in the open loop; returns when the next one will be, 0: none any more.
static uint64_t send_due(struct load *load, uint64_t now_ns)
{
	for (;;) {
		uint64_t due_ns = load->start_ns + (uint64_t)((double)(load->made + load->skipped) * 1e9 / load->run.per_s);
		if (!may_make(load, due_ns))
			return 0;
		if (due_ns > now_ns)
			return due_ns;
		struct connection *connection = &load->connections[(load->made + load->skipped) % load->options.connections];
		if (load->run.under_way_max > 0 && connection->count >= load->run.under_way_max) {
			load->skipped++;
			continue;
		}
		link_must(send_one(connection, due_ns), "the open loop ran out of requests");
		flush(connection);
	}
}

static void fill_windows(struct load *load)
{
	for (unsigned i = 0; i < load->options.connections; i++) {
		for (unsigned k = 0; k < load->run.window && may_make(load, load->start_ns); k++)
			if (!send_one(&load->connections[i], load_now_ns()))
				break;
		flush(&load->connections[i]);
	}
}

static void loop(struct load *load, struct beside *beside)
{
	for (;;) {
		uint64_t now_ns = load_now_ns(), due_ns = load->run.window == 0 ? send_due(load, now_ns) : 0;
		if (due_ns == 0 && under_way(load) == 0)
			return;
		bool happened = turn(load, wait_ns(due_ns, beside, now_ns));
		now_ns = load_now_ns();
		if (beside->step != NULL && now_ns >= beside->next_ns) {
			beside->step(beside->context);
			beside->next_ns = now_ns + beside->step_ns;
		} else {
			link_must(happened || (due_ns != 0 && due_ns <= now_ns) || beside->step != NULL, "no reply in time");
		}
	}
}

static double cpu_us(void)
{
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

void load_run_beside(struct load *load, const struct load_run *run, uint32_t step_ms, void (*step)(void *context),
		     void *step_context, struct load_result *ret)
{
	struct histogram *histogram = &load->histogram;
	memset(histogram, 0, sizeof *histogram);
	load->run = *run;
	load->made = load->skipped = load->request_bytes = load->reply_bytes = 0;
	double cpu_before_us = cpu_us();
	load->start_ns = load_now_ns();
	load->end_ns = load->start_ns + run->duration_ms * UINT64_C(1000000);
	load->is_running = true;
	struct beside beside = {step_ms * UINT64_C(1000000), load->start_ns + step_ms * UINT64_C(1000000), step, step_context};
	if (run->window > 0)
		fill_windows(load);
	loop(load, &beside);
	load->is_running = false;
	double requests = (double)histogram->count, seconds = (double)(load_now_ns() - load->start_ns) / 1e9;
	link_must(requests > 0, "no request was made");
	*ret = (struct load_result){
		.requests = histogram->count,
		.skipped = load->skipped,
		.seconds = seconds,
		.rps = requests / seconds,
		.p50_us = histogram_us(histogram, 0.5),
		.p99_us = histogram_us(histogram, 0.99),
		.p999_us = histogram_us(histogram, 0.999),
		.max_us = histogram_us(histogram, 1 - 1 / (requests + 1)),
		.client_cpu_us = (cpu_us() - cpu_before_us) / requests,
		.request_bytes = (double)load->request_bytes / requests,
		.reply_bytes = (double)load->reply_bytes / requests,
	};
}

void load_run(struct load *load, const struct load_run *run, struct load_result *ret)
{
	load_run_beside(load, run, 0, NULL, NULL, ret);
}

void load_close(struct load *load)
{
	for (unsigned i = 0; i < load->options.connections; i++) {
		load->options.ops->close(load->connections[i].link);
		free(load->connections[i].began_ns);
	}
	close(load->epoll);
	free(load->connections);
	free(load);
}
