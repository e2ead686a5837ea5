// What the core does for whoever watches: a socket and a board, handed to a process that serves them, and a picture each second.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/front_keeper.h"
#include "broker/log.h"
#include "broker/metrics_address.h"
#include "broker/metrics_board.h"
#include "broker/process.h"

#define PICTURE_MS 1000u
#define BACKLOG 16

// One that takes over shares the port with the broker that runs. Any other broker does not, so that two which are given one port by
// mistake are told: it lets others share only once it has it.
static int listen_at(const struct metrics_address *address, bool shares, char bound[METRICS_ADDRESS_BYTES])
{
	const int one = 1;
	struct metrics_address got = {.bytes = sizeof got.address};
	int fd = socket(address->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const int sharing = shares;
	// One that ended a moment ago is no hindrance.
	if (fd >= 0 && (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
			setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &sharing, sizeof sharing) != 0 ||
			bind(fd, (const struct sockaddr *)&address->address, address->bytes) != 0 ||
			setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one) != 0 || listen(fd, BACKLOG) != 0 ||
			getsockname(fd, (struct sockaddr *)&got.address, &got.bytes) != 0)) {
		int saved = errno;
		close(fd);
		errno = saved;
		return -1;
	}
	if (fd >= 0)
		metrics_address_format(&got, bound);
	return fd;
}

bool process_open_metrics(struct broker *broker, char detail[PROCESS_DETAIL_BYTES])
{
	const struct config *config = broker->config;
	struct metrics_address address;
	if (config->metrics_endpoint == NULL)
		return true;
	if (!metrics_address_parse(config->metrics_endpoint, &address) ||
	    (broker->metrics_fds[0] = listen_at(&address, broker->takes_over, broker->metrics_bound)) < 0) {
		snprintf(detail, PROCESS_DETAIL_BYTES, "metrics_endpoint %s: %s", config->metrics_endpoint, strerror(errno));
		return false;
	}
	broker->picture = calloc(1, sizeof *broker->picture);
	broker->board = metrics_board_new(config->sandbox, config->log_format, &broker->metrics_fds[1]);
	if (broker->board == NULL || broker->picture == NULL)
		snprintf(detail, PROCESS_DETAIL_BYTES, "metrics: %s", strerror(errno));
	return broker->board != NULL && broker->picture != NULL;
}

static bool write_file(const char *path, const char *bound, char detail[PROCESS_DETAIL_BYTES])
{
	char aside[4200];
	snprintf(aside, sizeof aside, "%s.new", path);
	FILE *file = fopen(aside, "we");
	bool written = file != NULL && fprintf(file, "%s\n", bound) > 0;
	if (file != NULL)
		written = fclose(file) == 0 && written;
	if (written && rename(aside, path) == 0)
		return true;
	snprintf(detail, PROCESS_DETAIL_BYTES, "%.300s: %s", path, strerror(errno));
	return false;
}

bool process_tell_metrics(struct broker *broker, char detail[PROCESS_DETAIL_BYTES])
{
	const char *file = broker->config->metrics_endpoint_file;
	if (broker->board == NULL || file == NULL)
		return true;
	return broker->metrics_told = write_file(file, broker->metrics_bound, detail);
}

bool process_start_metrics(struct broker *broker, char detail[PROCESS_DETAIL_BYTES])
{
	if (broker->board == NULL)
		return true;
	if (!front_keeper_start_metrics(broker->keeper, broker->metrics_fds)) {
		snprintf(detail, PROCESS_DETAIL_BYTES, "metrics: the keeper is gone");
		return false;
	}
	// The keeper has them now.
	for (unsigned i = 0; i < METRICS_DESCRIPTORS; i++) {
		close(broker->metrics_fds[i]);
		broker->metrics_fds[i] = -1;
	}
	if (!process_tell_metrics(broker, detail))
		return false;
	log_event(LOG_EVENT_METRICS_ENDPOINT, "metrics and health are served on %s", broker->metrics_bound);
	return true;
}

static void add_edge(struct broker *broker, struct metrics *picture)
{
	for (enum reason reason = REASON_HANDSHAKE_KEY; reason <= REASON_HANDSHAKE_UNFINISHED; reason++)
		picture->handshakes_failed[reason] = attempts_total(broker->attempts, reason);
	picture->enrolling_admitted = front_read_counters(broker->front).zap.enrolling_admitted;
	picture->parked = parked_count(broker->parked);
	for (enum log_event event = 0; event < LOG_EVENTS; event++)
		picture->events[event] = log_count(event);
}

void process_show_metrics(struct broker *broker, uint64_t monotonic_ms, uint64_t now_ms)
{
	struct metrics *picture = broker->picture;
	if (broker->board == NULL)
		return;
	metrics_board_alive(broker->board, monotonic_ms);
	if (broker->pictured_ms != 0 && monotonic_ms - broker->pictured_ms < PICTURE_MS && !broker->draining)
		return;
	broker->pictured_ms = monotonic_ms;
	core_read_metrics(broker->core, now_ms, picture);
	add_edge(broker, picture);
	picture->drill = broker->config->drill;
	if (broker->draining)
		picture->causes |= 1u << METRICS_CAUSE_DRAINING;
	else if (front_is_paused(broker->front))
		picture->causes |= 1u << METRICS_CAUSE_FRONT;
	metrics_board_put(broker->board, picture);
}

void process_close_metrics(struct broker *broker)
{
	for (unsigned i = 0; i < METRICS_DESCRIPTORS; i++)
		if (broker->metrics_fds[i] >= 0)
			close(broker->metrics_fds[i]);
	// Another broker's file stays.
	if (broker->metrics_told)
		unlink(broker->config->metrics_endpoint_file);
	metrics_board_free(broker->board);
	free(broker->picture);
}
