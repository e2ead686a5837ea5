// The ZAP handler: one thread that answers handshakes from the list of who is let in.
#include "broker/zap.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <zmq.h>

#include "broker/clock.h"
#include "broker/limits.h"
#include "broker/log.h"
#include "broker/zap_handles_priv.h"
#include "proto/invariant.h"

#define ENDPOINT "inproc://zeromq.zap.01" // RFC 27
#define VERSION "1.0"
#define ADDRESS_BYTES 64

// libzmq lets the client's own metadata overwrite the Identity of a reply that comes too early: it reads the
// client's metadata right after it asked us. A wait of 1 ms won 600 times out of 600; one wait serves all
// requests at hand.
#define REPLY_DELAY_MS 2
#define HANDSHAKES_AT_ONCE 64

struct zap {
	pthread_t thread;
	void *socket; // the thread's own once it runs
	int stop_fd;
	pthread_mutex_t lock; // guards all below
	struct admission *admission; // NULL: nobody is let in yet
	struct zap_handles handles[ZAP_CLASSES];
	struct attempts *attempts; // NULL: nobody counts
	unsigned enrolling_max;
	bool has_self_test_key;
	uint8_t self_test_key[KEY_BYTES];
	struct zap_counters counters;
};

const char *zap_domain(enum zap_class zap_class)
{
	static const char *const domains[ZAP_CLASSES] = {
		[ZAP_SYSTEMS] = "cpis",
		[ZAP_ENROLLING] = "cpis-enrol",
	};
	INVARIANT((unsigned)zap_class < ZAP_CLASSES);
	return domains[zap_class];
}

// ------------------------------------------------------------------ requests (RFC 27, "The Request Message")

struct field {
	uint8_t data[ZAP_FIELD_BYTES_MAX];
	size_t bytes;
};

// The frames as a ROUTER sees them; a CURVE request has exactly these.
enum {
	FIELD_ROUTE,
	FIELD_DELIMITER,
	FIELD_VERSION,
	FIELD_REQUEST_ID,
	FIELD_DOMAIN,
	FIELD_ADDRESS,
	FIELD_IDENTITY,
	FIELD_MECHANISM,
	FIELD_KEY,
	FIELDS
};

struct request {
	struct field fields[FIELDS];
	unsigned count; // frames that came, more than FIELDS included
	bool oversized; // a frame was longer than a field may be
};

struct answer {
	const char *status; // three digits; NULL: nobody to send it to
	const char *text;
	enum reason reason;  // of a refusal
	char handle[ZAP_HANDLE_BYTES];
};

static bool field_is(const struct field *field, const char *text)
{
	return field->bytes == strlen(text) && memcmp(field->data, text, field->bytes) == 0;
}

// A handler that cannot answer must not leave a broker that still serves.
static _Noreturn void die(const char *what)
{
	log_event(LOG_EVENT_ADMISSION_HANDLER_DIED, "%s: %s", what, zmq_strerror(errno));
	abort();
}

// False when no request is there.
static bool receive_request(struct zap *zap, struct request *request)
{
	int more = 1;
	size_t size = sizeof more;
	request->count = 0;
	request->oversized = false;
	while (more) {
		uint8_t overflow[1];
		bool kept = request->count < FIELDS;
		struct field *field = kept ? &request->fields[request->count] : NULL;
		int bytes = zmq_recv(zap->socket, kept ? field->data : overflow,
				     kept ? ZAP_FIELD_BYTES_MAX : sizeof overflow, ZMQ_DONTWAIT);
		if (bytes < 0 && errno == EINTR)
			continue;
		if (bytes < 0 && errno == EAGAIN && request->count == 0)
			return false;
		if (bytes < 0 || zmq_getsockopt(zap->socket, ZMQ_RCVMORE, &more, &size) != 0)
			die("a request cannot be read");
		if (kept) {
			request->oversized = request->oversized || bytes > ZAP_FIELD_BYTES_MAX;
			field->bytes = bytes > ZAP_FIELD_BYTES_MAX ? ZAP_FIELD_BYTES_MAX : (size_t)bytes;
		}
		request->count++;
	}
	return true;
}

// libzmq asks for our domains and this mechanism only; anything else is somebody inside the process in error.
static bool is_well_formed(const struct request *request)
{
	const struct field *fields = request->fields;
	return request->count == FIELDS && !request->oversized && fields[FIELD_DELIMITER].bytes == 0 &&
	       field_is(&fields[FIELD_VERSION], VERSION) && field_is(&fields[FIELD_MECHANISM], "CURVE") &&
	       fields[FIELD_KEY].bytes == KEY_BYTES;
}

// False: a domain that no socket of ours has.
static bool class_of(const struct zap *zap, const struct request *request, enum zap_class *ret)
{
	const struct field *domain = &request->fields[FIELD_DOMAIN];
	if (field_is(domain, zap_domain(ZAP_SYSTEMS)))
		*ret = ZAP_SYSTEMS;
	else if (zap->enrolling_max > 0 && field_is(domain, zap_domain(ZAP_ENROLLING)))
		*ret = ZAP_ENROLLING;
	else
		return false;
	return true;
}

static bool can_be_answered(const struct request *request)
{
	return request->count > FIELD_REQUEST_ID && !request->oversized &&
	       request->fields[FIELD_DELIMITER].bytes == 0;
}

// ------------------------------------------------------------------ decisions; the caller holds the lock

static struct answer refuse(uint64_t *counter, const char *status, enum reason reason, const char *text)
{
	(*counter)++;
	return (struct answer){.status = status, .text = text, .reason = reason};
}

static enum reason reason_of(enum certs_status status)
{
	return status == CERTS_REVOKED   ? REASON_HANDSHAKE_REVOKED
	       : status == CERTS_EXPIRED ? REASON_HANDSHAKE_EXPIRED
					 : REASON_HANDSHAKE_CERTIFICATE;
}

static struct answer admit(struct zap *zap, const uint8_t key[KEY_BYTES])
{
	struct answer answer = {.status = "200", .text = "welcome"};
	if (!zap_handles_mint(&zap->handles[ZAP_SYSTEMS], key, answer.handle))
		return refuse(&zap->counters.refused_invalid, "300", REASON_HANDSHAKE_TURNED_AWAY,
			      "no memory for one more connection");
	zap->counters.admitted++;
	return answer;
}

// Status codes of RFC 27: 200 comes in, 300 may try later, 400 will not come in however often it tries.
static struct answer decide(struct zap *zap, const uint8_t key[KEY_BYTES], uint64_t now_ms)
{
	if (zap->has_self_test_key && memcmp(zap->self_test_key, key, KEY_BYTES) == 0)
		return admit(zap, key);
	if (zap->admission == NULL)
		return refuse(&zap->counters.refused_invalid, "300", REASON_HANDSHAKE_TURNED_AWAY, "no register is loaded");
	enum certs_status status;
	if (!admission_find(zap->admission, key, now_ms, &status))
		return refuse(&zap->counters.refused_unknown, "400", REASON_HANDSHAKE_KEY, "no enrolled system has this key");
	if (status != CERTS_OK)
		return refuse(&zap->counters.refused_invalid, "400", reason_of(status), certs_status_text(status));
	return admit(zap, key);
}

// Any key will do; how many there are is bounded, and does not touch those of the systems.
static struct answer decide_enrolling(struct zap *zap, const uint8_t key[KEY_BYTES])
{
	struct zap_handles *handles = &zap->handles[ZAP_ENROLLING];
	struct answer answer = {.status = "200", .text = "welcome"};
	const char *why = zap->admission == NULL ? "no register is loaded"
			  : zap_handles_count(handles) >= zap->enrolling_max ? "too many connections"
			  : !zap_handles_mint(handles, key, answer.handle)   ? "no memory for one more connection"
									      : NULL;
	if (why != NULL)
		return refuse(&zap->counters.enrolling_refused, "300", REASON_HANDSHAKE_TURNED_AWAY, why);
	zap->counters.enrolling_admitted++;
	return answer;
}

// ------------------------------------------------------------------ the thread

// The first bytes of the key, and from where. libzmq asks about a key when its secret has been proven.
static void name_peer(const struct request *request, char out[ATTEMPT_EXAMPLE_BYTES])
{
	static const char mapped[] = "::ffff:";
	const struct field *key = &request->fields[FIELD_KEY], *from = &request->fields[FIELD_ADDRESS];
	char address[ADDRESS_BYTES];
	snprintf(address, sizeof address, "%.*s", (int)from->bytes, (const char *)from->data);
	bool is_mapped = strncmp(address, mapped, sizeof mapped - 1) == 0;
	snprintf(out, ATTEMPT_EXAMPLE_BYTES, "key %02x%02x%02x%02x from %s", key->data[0], key->data[1], key->data[2],
		 key->data[3], address + (is_mapped ? sizeof mapped - 1 : 0));
}

static void tell_of_refusal(struct attempts *attempts, enum zap_class zap_class, const struct request *request,
			    const struct answer *answer, uint64_t now_ms)
{
	char peer[ATTEMPT_EXAMPLE_BYTES];
	name_peer(request, peer);
	if (attempts != NULL)
		attempts_note(attempts, answer->reason, peer, now_ms);
	// Strangers are expected at the enrolment endpoint; whoever closes it says so once.
	if (zap_class == ZAP_SYSTEMS)
		log_event(LOG_EVENT_HANDSHAKE_REFUSED, "%s: %s", peer, answer->text);
}

static struct answer answer_request(struct zap *zap, const struct request *request)
{
	enum zap_class zap_class = ZAP_SYSTEMS;
	bool good = is_well_formed(request) && class_of(zap, request, &zap_class);
	struct answer answer;
	uint64_t now_ms = clock_now_ms();
	pthread_mutex_lock(&zap->lock);
	struct attempts *attempts = zap->attempts;
	if (good && zap_class == ZAP_ENROLLING)
		answer = decide_enrolling(zap, request->fields[FIELD_KEY].data);
	else if (good)
		answer = decide(zap, request->fields[FIELD_KEY].data, now_ms);
	else
		answer = refuse(&zap->counters.malformed, can_be_answered(request) ? "500" : NULL, REASON_INTERNAL,
				"malformed request");
	pthread_mutex_unlock(&zap->lock);
	if (!good)
		log_event(LOG_EVENT_HANDSHAKE_MALFORMED,
			  "a ZAP request of %u frames is not one of libzmq's", request->count);
	else if (answer.handle[0] == '\0')
		tell_of_refusal(attempts, zap_class, request, &answer, now_ms);
	return answer;
}

// The handle as metadata (RFC 23): as `Identity` it becomes the routing id too, in place of what the client
// claims, so that nobody can claim another's or one that libzmq is about to give out.
static size_t write_metadata(const char handle[ZAP_HANDLE_BYTES], uint8_t out[64])
{
	static const char name[] = "Identity";
	const uint32_t value_bytes = htonl(ZAP_HANDLE_BYTES - 1);
	if (handle[0] == '\0')
		return 0;
	size_t at = 0;
	out[at++] = sizeof name - 1;
	memcpy(out + at, name, sizeof name - 1);
	at += sizeof name - 1;
	memcpy(out + at, &value_bytes, sizeof value_bytes);
	at += sizeof value_bytes;
	memcpy(out + at, handle, ZAP_HANDLE_BYTES - 1);
	return at + ZAP_HANDLE_BYTES - 1;
}

static void send_frame(struct zap *zap, const void *data, size_t bytes, int more)
{
	while (zmq_send(zap->socket, data, bytes, ZMQ_DONTWAIT | more) < 0) {
		if (errno != EINTR)
			die("a reply cannot be sent");
	}
}

static void send_answer(struct zap *zap, const struct request *request, const struct answer *answer)
{
	const struct field *route = &request->fields[FIELD_ROUTE], *id = &request->fields[FIELD_REQUEST_ID];
	uint8_t metadata[64];
	size_t metadata_bytes = write_metadata(answer->handle, metadata);
	if (answer->status == NULL)
		return;
	send_frame(zap, route->data, route->bytes, ZMQ_SNDMORE);
	send_frame(zap, "", 0, ZMQ_SNDMORE);
	send_frame(zap, VERSION, strlen(VERSION), ZMQ_SNDMORE);
	send_frame(zap, id->data, id->bytes, ZMQ_SNDMORE);
	send_frame(zap, answer->status, strlen(answer->status), ZMQ_SNDMORE);
	send_frame(zap, answer->text, strlen(answer->text), ZMQ_SNDMORE);
	send_frame(zap, answer->handle, strlen(answer->handle), ZMQ_SNDMORE);
	send_frame(zap, metadata, metadata_bytes, 0);
}

static void answer_batch(struct zap *zap)
{
	struct request requests[HANDSHAKES_AT_ONCE];
	struct answer answers[HANDSHAKES_AT_ONCE];
	size_t count = 0;
	while (count < HANDSHAKES_AT_ONCE && receive_request(zap, &requests[count])) {
		answers[count] = answer_request(zap, &requests[count]);
		count++;
	}
	struct pollfd stop = {.fd = zap->stop_fd, .events = POLLIN};
	if (count == 0 || poll(&stop, 1, REPLY_DELAY_MS) > 0)
		return;
	for (size_t i = 0; i < count; i++)
		send_answer(zap, &requests[i], &answers[i]);
	explicit_bzero(answers, sizeof answers);
}

static void *run(void *argument)
{
	struct zap *zap = argument;
	for (;;) {
		zmq_pollitem_t items[] = {
			{.socket = zap->socket, .events = ZMQ_POLLIN},
			{.fd = zap->stop_fd, .events = ZMQ_POLLIN},
		};
		if (zmq_poll(items, 2, -1) < 0 && errno != EINTR)
			die("waiting for requests failed");
		if (items[1].revents != 0)
			break;
		if (items[0].revents != 0)
			answer_batch(zap);
	}
	// Closing alone gives the name back some time later; a handler started next must find it free.
	zmq_unbind(zap->socket, ENDPOINT);
	zmq_close(zap->socket);
	return NULL;
}

// ------------------------------------------------------------------ start and stop

// libzmq's side of each ZAP pipe has no limit, so that ours would only lose replies.
static bool open_socket(struct zap *zap, void *context)
{
	const int none = 0;
	zap->socket = zmq_socket(context, ZMQ_ROUTER);
	return zap->socket != NULL && zmq_setsockopt(zap->socket, ZMQ_LINGER, &none, sizeof none) == 0 &&
	       zmq_setsockopt(zap->socket, ZMQ_SNDHWM, &none, sizeof none) == 0 &&
	       zmq_setsockopt(zap->socket, ZMQ_RCVHWM, &none, sizeof none) == 0 &&
	       zmq_bind(zap->socket, ENDPOINT) == 0;
}

// Signals are for the thread that started us.
static bool start_thread(struct zap *zap)
{
	sigset_t all, before;
	sigfillset(&all);
	if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0)
		return false;
	bool started = pthread_create(&zap->thread, NULL, run, zap) == 0;
	INVARIANT(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
	return started;
}

static void free_zap(struct zap *zap)
{
	if (zap->stop_fd >= 0)
		close(zap->stop_fd);
	for (size_t i = 0; i < ZAP_CLASSES; i++)
		zap_handles_drop_all(&zap->handles[i]);
	admission_release(zap->admission);
	pthread_mutex_destroy(&zap->lock);
	free(zap);
}

bool zap_start(void *zmq_context, struct admission *admission, const struct zap_limits *limits, struct zap **ret)
{
	INVARIANT(limits->connections_max > 0 && limits->connections_per_system_max > 0);
	struct zap *zap = calloc(1, sizeof *zap);
	if (zap == NULL)
		return false;
	zap->handles[ZAP_SYSTEMS].limits = *limits;
	// One more than are let in: of these none is pushed out by another.
	zap->handles[ZAP_ENROLLING].limits = (struct zap_limits){
		.connections_max = limits->enrolling_connections_max + 1,
		.connections_per_system_max = limits->enrolling_connections_max + 1,
	};
	zap->enrolling_max = limits->enrolling_connections_max;
	zap->admission = admission == NULL ? NULL : admission_retain(admission);
	INVARIANT(pthread_mutex_init(&zap->lock, NULL) == 0);
	zap->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (zap->stop_fd < 0 || !open_socket(zap, zmq_context) || !start_thread(zap)) {
		if (zap->socket != NULL)
			zmq_close(zap->socket);
		free_zap(zap);
		return false;
	}
	*ret = zap;
	return true;
}

void zap_stop(struct zap *zap)
{
	const uint64_t one = 1;
	if (zap == NULL)
		return;
	INVARIANT(write(zap->stop_fd, &one, sizeof one) == (ssize_t)sizeof one);
	INVARIANT(pthread_join(zap->thread, NULL) == 0);
	free_zap(zap);
}

// ------------------------------------------------------------------ from any thread

void zap_set_admission(struct zap *zap, struct admission *admission)
{
	struct admission *fresh = admission == NULL ? NULL : admission_retain(admission);
	pthread_mutex_lock(&zap->lock);
	struct admission *before = zap->admission;
	zap->admission = fresh;
	pthread_mutex_unlock(&zap->lock);
	admission_release(before);
}

void zap_set_limits(struct zap *zap, const struct zap_limits *limits)
{
	pthread_mutex_lock(&zap->lock);
	zap->handles[ZAP_SYSTEMS].limits = *limits;
	pthread_mutex_unlock(&zap->lock);
}

bool zap_lookup(struct zap *zap, enum zap_class zap_class, const char *handle, uint8_t ret_curve_public[KEY_BYTES])
{
	INVARIANT((unsigned)zap_class < ZAP_CLASSES);
	pthread_mutex_lock(&zap->lock);
	bool found = zap_handles_find(&zap->handles[zap_class], handle, ret_curve_public);
	pthread_mutex_unlock(&zap->lock);
	return found;
}

bool zap_enrolling_is_full(struct zap *zap)
{
	pthread_mutex_lock(&zap->lock);
	bool full = zap_handles_count(&zap->handles[ZAP_ENROLLING]) >= zap->enrolling_max;
	pthread_mutex_unlock(&zap->lock);
	return full;
}

void zap_forget_enrolling(struct zap *zap)
{
	pthread_mutex_lock(&zap->lock);
	zap_handles_drop_all(&zap->handles[ZAP_ENROLLING]);
	pthread_mutex_unlock(&zap->lock);
}

void zap_set_attempts(struct zap *zap, struct attempts *attempts)
{
	pthread_mutex_lock(&zap->lock);
	zap->attempts = attempts;
	pthread_mutex_unlock(&zap->lock);
}

void zap_set_self_test_key(struct zap *zap, const uint8_t *curve_public)
{
	pthread_mutex_lock(&zap->lock);
	if (zap->has_self_test_key)
		zap_handles_drop_key(&zap->handles[ZAP_SYSTEMS], zap->self_test_key);
	zap->has_self_test_key = curve_public != NULL;
	if (curve_public != NULL)
		memcpy(zap->self_test_key, curve_public, KEY_BYTES);
	pthread_mutex_unlock(&zap->lock);
}

struct zap_counters zap_read_counters(struct zap *zap)
{
	pthread_mutex_lock(&zap->lock);
	struct zap_counters counters = zap->counters;
	pthread_mutex_unlock(&zap->lock);
	return counters;
}
