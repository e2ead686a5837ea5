// A network edge on loopback with everything real: an enrolment, a ZeroMQ context, the ZAP handler, the
// transport; and the words that its tests are written in. A step that fails fails the test (check's
// assertions).
#ifndef CPIS_TESTS_HARNESS_EDGE_H
#define CPIS_TESTS_HARNESS_EDGE_H

#include <pthread.h>

#include "broker/transport.h"
#include "broker/zap.h"
#include "tests/harness/enrolment.h"
#include "tests/harness/raw_curve.h"

#define EDGE_WAIT_MS 20000 // for what should take milliseconds; generous for valgrind and busy machines
#define EDGE_SILENCE_MS 700 // for what should not happen at all

struct edge {
	struct enrolment *enrolment;
	void *context;
	struct zap *zap;
	struct attempts *attempts; // that the transport counts failed handshakes into; NULL: it does not
	struct transport *transport;
	char detail[TRANSPORT_DETAIL_BYTES];
};

// Nothing but the enrolment: no thread runs yet. Then each part, in this order.
struct edge *edge_new(void);
void edge_start_context(struct edge *edge);
void edge_start_handler(struct edge *edge);
void edge_open_transport(struct edge *edge);
struct transport_options edge_transport_options(const struct edge *edge, enum zap_class zap_class);
// Ends whatever has been started. Accepts NULL.
void edge_free(struct edge *edge);

// ------------------------------------------------------------------ clients

// An honest client's, to be changed into others.
struct raw_curve_options edge_options(const struct edge *edge, const struct curve_key_pair *key);
void edge_add_property(struct raw_curve_options *options, const char *name, const void *value, size_t bytes);
struct raw_curve *edge_connect_with(const struct raw_curve_options *options);
struct raw_curve *edge_connect(const struct edge *edge, enum enrolment_system system);
// Connects and closes again; `ret_reason` may be NULL.
enum raw_curve_result edge_try(const struct raw_curve_options *options, int timeout_ms,
			       char ret_reason[RAW_CURVE_REASON_BYTES]);
void edge_assert_refused(const struct raw_curve_options *options, const char *reason);
void edge_say(struct raw_curve *client, const char *text);
void edge_assert_hears(struct raw_curve *client, const char *text);

// ------------------------------------------------------------------ the broker's side

bool edge_receive(struct edge *edge, struct transport_message *ret, int timeout_ms);
// The next message has this text; who sent it.
struct transport_peer edge_expect(struct edge *edge, const char *text);
void edge_expect_silence(struct edge *edge, int timeout_ms);
bool edge_reply(struct edge *edge, const struct transport_peer *peer, const char *text);
void edge_assert_named(struct edge *edge, const struct transport_peer *peer, enum enrolment_system system);
// A new connection, a question and its answer.
void edge_assert_works_for(struct edge *edge, enum enrolment_system system);

// ------------------------------------------------------------------ a ZAP handler that is not ours

// Answers the first request with the first status and all others with the second, names everybody it admits
// by `user_id`, and mints no routing id. In place of edge_start_handler.
struct edge_other_handler {
	void *socket;
	const char *first, *then, *user_id;
	pthread_t thread;
	int stop_fd;
};
void edge_start_other_handler(struct edge *edge, struct edge_other_handler *handler, const char *first,
			      const char *then, const char *user_id);
void edge_stop_other_handler(struct edge_other_handler *handler);

#endif
