// The network edge: ROUTER sockets over CURVE, the only file besides zap.c that sees zmq.h.
//
// One message is one payload frame. What arrives in more frames is read off and dropped, counted, never
// answered. Who sent a message is told by the handle that ZAP minted (zap.h), read from the payload frame (it is
// missing on the first one in libzmq 4.3.4); routing ids are never shown to anybody.
// All of it belongs to the thread that opened it.
#ifndef CPIS_BROKER_TRANSPORT_H
#define CPIS_BROKER_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/attempts.h"
#include "broker/limits.h"
#include "broker/zap.h"
#include "certs/key.h"

#define TRANSPORT_DETAIL_BYTES 200
#define TRANSPORT_ENDPOINT_BYTES 256

struct transport;

// Where a reply goes.
struct transport_peer {
	uint8_t routing_id[255];
	uint8_t routing_id_bytes;
	char handle[ZAP_HANDLE_BYTES]; // "" when the frame carried none
};

// Stays where it was received into: a short message lies inside it, so that a copy's `data` would dangle.
struct transport_message {
	struct transport_peer peer;
	const uint8_t *data;         // valid until transport_message_done
	size_t bytes;
	uint64_t opaque[8];          // the library's own
};

// The process-wide start: seeds libzmq's predictable routing ids (srand from getrandom) and makes the
// context. NULL with `detail` when the library lacks CURVE.
void *transport_context_new(char detail[TRANSPORT_DETAIL_BYTES]);
void transport_context_free(void *context); // accepts NULL; waits for replies under way, at most 2 s each

struct transport_options {
	void *context;
	enum zap_class zap_class;                 // whom ZAP lets in; strangers have smaller limits
	const char *endpoint;
	int listening;                            // a socket that listens there already, taken over whatever comes of it; 0: one is made
	const struct curve_key_pair *broker_key;
	struct attempts *attempts;                // handshakes that libzmq itself ends are counted there (transport_monitor.h);
						  // borrowed until transport_close; NULL: nobody counts
};

// Sets every option, checks every result, binds. ZAP must run already (or nobody gets in: the domain is
// enforced). False with a sentence.
__attribute__((warn_unused_result)) bool transport_open(const struct transport_options *options, struct transport **ret,
							 char detail[TRANSPORT_DETAIL_BYTES]);
// Accepts NULL. The address may stay taken for some milliseconds.
void transport_close(struct transport *transport);
// The endpoint really bound ("tcp://127.0.0.1:40123").
const char *transport_endpoint(const struct transport *transport);
// The socket that listens there, libzmq's own; -1: it is not known, as without `attempts`.
int transport_listening(const struct transport *transport);
enum zap_class transport_class(const struct transport *transport);

// Proves on loopback sockets, made by the same code as the real ones, that an unknown key is refused at the handshake and
// a known one is admitted and named by its handle; and with `with_enrolling`, that an unknown key is admitted by a socket of
// that class, that its handle is of that class, and that the other is as shut as before. Called before transport_open serves;
// false: do not serve.
__attribute__((warn_unused_result)) bool transport_self_test(void *context, struct zap *zap, bool with_enrolling,
							      char detail[TRANSPORT_DETAIL_BYTES]);

// Waits until a message may be there on one of at most TRANSPORT_WAIT_MAX transports (NULL: passed over), `wake_fd` (-1:
// none) is ready for `wake_events` (of poll(2)), or `timeout_ms` is over (-1: no limit).
void transport_wait(struct transport *const *transports, size_t count, int wake_fd, short wake_events, int timeout_ms);
// False when nothing is there. True: answer it or not, but call transport_message_done.
__attribute__((warn_unused_result)) bool transport_receive(struct transport *transport, struct transport_message *ret);
void transport_message_done(struct transport_message *message);
// Never blocks. False when the peer is gone or does not read: the reply is lost, its record stays.
bool transport_send(struct transport *transport, const struct transport_peer *peer, const uint8_t *data, size_t bytes);

// Connections that there are now, as far as the monitor has heard; 0 without one.
size_t transport_live(const struct transport *transport);

struct transport_counters {
	uint64_t received, sent, dropped_multipart, undeliverable;
};
struct transport_counters transport_read_counters(const struct transport *transport);

#endif
