// The broker's sockets.
#include "broker/listeners.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/log.h"

#define SECOND_MS 1000u
// How often the enrolment endpoint is looked after.
#define TEND_MS 100u
#define WORTH_A_WORD 10u

struct listeners {
	struct listeners_options options;
	struct transport *transports[LISTENERS];
	bool next_first;                 // whose turn it is
	uint64_t second_ms;              // when the enrolment endpoint's second began, monotonic
	unsigned left;                   // messages that may still be read in it
	unsigned busy;                   // seconds on end whose messages were used up
	uint64_t tended_ms;              // monotonic
	size_t bytes_least;              // of memory, since the enrolment endpoint was opened
	char enrolment_endpoint[TRANSPORT_ENDPOINT_BYTES]; // as bound first: it is opened there again
	unsigned failures;               // to open it there, in a row
};

static bool open_one(struct listeners *listeners, enum listener which, const char *endpoint, int listening,
		     char detail[TRANSPORT_DETAIL_BYTES])
{
	struct transport_options options = {
		.context = listeners->options.context,
		.zap_class = which == LISTENER_ENROLMENT ? ZAP_ENROLLING : ZAP_SYSTEMS,
		.endpoint = endpoint,
		.listening = listening > 0 ? fcntl(listening, F_DUPFD_CLOEXEC, 1) : 0,
		.broker_key = listeners->options.keys[which],
		.attempts = listeners->options.attempts,
	};
	return transport_open(&options, &listeners->transports[which], detail);
}

// What the process has allocated and not freed; 0 where the C library does not say (under AddressSanitizer).
static size_t bytes_in_use(void)
{
	struct mallinfo2 info = mallinfo2();
	return info.uordblks + info.hblkhd;
}

bool listeners_open(const struct listeners_options *options, struct listeners **ret, char detail[TRANSPORT_DETAIL_BYTES])
{
	struct listeners *listeners = calloc(1, sizeof *listeners);
	if (listeners == NULL) {
		snprintf(detail, TRANSPORT_DETAIL_BYTES, "out of memory");
		return false;
	}
	listeners->options = *options;
	bool good = true;
	for (enum listener which = 0; which < LISTENERS && good; which++)
		good = options->endpoints[which] == NULL || open_one(listeners, which, options->endpoints[which], options->listening[which], detail);
	if (!good) {
		int why = errno;
		listeners_close(listeners);
		errno = why;
		return false;
	}
	const char *bound = listeners_endpoint(listeners, LISTENER_ENROLMENT);
	snprintf(listeners->enrolment_endpoint, sizeof listeners->enrolment_endpoint, "%s", bound == NULL ? "" : bound);
	listeners->bytes_least = bytes_in_use();
	*ret = listeners;
	return true;
}

void listeners_close(struct listeners *listeners)
{
	if (listeners == NULL)
		return;
	for (enum listener which = 0; which < LISTENERS; which++)
		transport_close(listeners->transports[which]);
	free(listeners);
}

const char *listeners_endpoint(const struct listeners *listeners, enum listener which)
{
	return listeners->transports[which] == NULL ? NULL : transport_endpoint(listeners->transports[which]);
}

int listeners_listening(const struct listeners *listeners, enum listener which)
{
	return listeners->transports[which] == NULL ? -1 : transport_listening(listeners->transports[which]);
}

// ------------------------------------------------------------------ messages

static bool may_read_enrolling(struct listeners *listeners, uint64_t now_ms)
{
	if (now_ms - listeners->second_ms >= SECOND_MS) {
		bool used_up = listeners->left == 0 && now_ms - listeners->second_ms < 2 * SECOND_MS;
		listeners->busy = used_up ? listeners->busy + 1 : 0;
		listeners->second_ms = now_ms;
		listeners->left = LISTENERS_ENROLLING_PER_SECOND;
	}
	return listeners->left > 0;
}

void listeners_wait(struct listeners *listeners, int wake_fd, short wake_events, uint64_t now_ms, int timeout_ms)
{
	size_t count = LISTENERS;
	// What may not be read is not waited for either, or the wait would be none. It is the last of them.
	if (!may_read_enrolling(listeners, now_ms)) {
		int left_ms = (int)(listeners->second_ms + SECOND_MS - now_ms);
		count = LISTENER_ENROLMENT;
		timeout_ms = left_ms < timeout_ms ? left_ms : timeout_ms;
	}
	transport_wait(listeners->transports, count, wake_fd, wake_events, timeout_ms);
}

static bool receive_from(struct listeners *listeners, enum listener which, struct listeners_message *ret)
{
	ret->from = which;
	return listeners->transports[which] != NULL && transport_receive(listeners->transports[which], &ret->message);
}

bool listeners_receive(struct listeners *listeners, struct listeners_message *ret)
{
	enum listener first = listeners->next_first ? LISTENER_NEXT : LISTENER_CURRENT;
	enum listener second = listeners->next_first ? LISTENER_CURRENT : LISTENER_NEXT;
	listeners->next_first = !listeners->next_first;
	return receive_from(listeners, first, ret) || receive_from(listeners, second, ret);
}

bool listeners_receive_enrolling(struct listeners *listeners, uint64_t now_ms, struct listeners_message *ret)
{
	if (!may_read_enrolling(listeners, now_ms) || !receive_from(listeners, LISTENER_ENROLMENT, ret))
		return false;
	listeners->left--;
	return true;
}

bool listeners_send(struct listeners *listeners, const struct listeners_peer *peer, const uint8_t *data, size_t bytes)
{
	return transport_send(listeners->transports[peer->from], &peer->peer, data, bytes);
}

size_t listeners_live(const struct listeners *listeners)
{
	size_t live = 0;
	for (enum listener which = 0; which < LISTENERS; which++)
		live += listeners->transports[which] == NULL ? 0 : transport_live(listeners->transports[which]);
	return live;
}

// ------------------------------------------------------------------ the enrolment endpoint, opened anew

static const char *why_to_reopen(struct listeners *listeners)
{
	if (zap_enrolling_is_full(listeners->options.zap))
		return "it has let in as many connections as it may";
	if (listeners->busy >= LISTENERS_ENROLLING_BUSY_S)
		return "more comes than is read";
	size_t bytes = bytes_in_use();
	// What a closed endpoint held is given back some time after it was closed.
	if (bytes < listeners->bytes_least)
		listeners->bytes_least = bytes;
	if (bytes > listeners->bytes_least + LISTENERS_ENROLLING_GROWTH_BYTES)
		return "too much memory has been taken up since it was opened";
	return NULL;
}

static void reopen(struct listeners *listeners)
{
	char detail[TRANSPORT_DETAIL_BYTES];
	if (open_one(listeners, LISTENER_ENROLMENT, listeners->enrolment_endpoint, 0, detail)) {
		listeners->bytes_least = bytes_in_use();
		listeners->failures = 0;
		return;
	}
	// The address stays taken for some milliseconds; it is tried again with the next look. Longer is worth a word.
	if (++listeners->failures == WORTH_A_WORD)
		log_event(LOG_EVENT_ENROLMENT_CLOSED, "%s; it is tried again", detail);
}

void listeners_tend(struct listeners *listeners, uint64_t now_ms)
{
	const char *why;
	if (listeners->options.endpoints[LISTENER_ENROLMENT] == NULL || now_ms - listeners->tended_ms < TEND_MS)
		return;
	listeners->tended_ms = now_ms;
	if (listeners->transports[LISTENER_ENROLMENT] != NULL && (why = why_to_reopen(listeners)) != NULL) {
		log_event(LOG_EVENT_ENROLMENT_REOPENED, "everybody on the enrolment endpoint is cut off: %s", why);
		transport_close(listeners->transports[LISTENER_ENROLMENT]);
		listeners->transports[LISTENER_ENROLMENT] = NULL;
		zap_forget_enrolling(listeners->options.zap);
		listeners->busy = 0;
	}
	if (listeners->transports[LISTENER_ENROLMENT] == NULL)
		reopen(listeners);
}
