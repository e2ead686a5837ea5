// The broker's sockets: the one that systems use, the next one while the broker's own key is being changed, and the one on
// which new systems enrol. What came on which is known with each message, and a reply leaves by the socket that its request
// came in on.
//
// The enrolment socket is open to any stranger, so it is held short: LISTENERS_ENROLLING_PER_SECOND messages are read in a
// second, the rest stays in its queues. When it has let in LISTENERS_ENROLLING_MAX connections, when the
// process has grown by LISTENERS_ENROLLING_GROWTH_BYTES since it was opened, or when more came than may be read for
// LISTENERS_ENROLLING_BUSY_S seconds on end, it is closed with all its connections and opened anew: libzmq can neither end a
// single connection nor bound what the unfinished messages of one take up, and whoever comes after a flood should not queue
// behind what is left of it. An honest client connects again by itself.
// All of it belongs to the thread that opened it.
#ifndef CPIS_BROKER_LISTENERS_H
#define CPIS_BROKER_LISTENERS_H

#include "broker/limits.h"
#include "broker/transport.h"

enum listener {
	LISTENER_CURRENT,
	LISTENER_NEXT,
	LISTENER_ENROLMENT,
	LISTENERS
};

struct listeners;

struct listeners_options {
	void *context;                          // of transport_context_new; borrowed, as are all others
	struct zap *zap;
	struct attempts *attempts;              // where failed handshakes are counted
	const char *endpoints[LISTENERS];       // NULL: there is none; LISTENER_CURRENT is always there
	const struct curve_key_pair *keys[LISTENERS];
	int listening[LISTENERS];               // sockets that listen there already, borrowed; 0: one is made
};

// False with a sentence when one of them cannot be opened; then none is. errno is EADDRINUSE when somebody else has the address.
__attribute__((warn_unused_result)) bool listeners_open(const struct listeners_options *options, struct listeners **ret,
							 char detail[TRANSPORT_DETAIL_BYTES]);
void listeners_close(struct listeners *listeners); // accepts NULL
// The endpoint really bound; NULL when there is no such listener.
const char *listeners_endpoint(const struct listeners *listeners, enum listener which);

// The socket that listens there, borrowed; -1: there is none, or it is not known.
int listeners_listening(const struct listeners *listeners, enum listener which);

// Waits until a message may be there that may be read now, `wake_fd` is ready for `wake_events` (of poll(2)), or `timeout_ms` is
// over.
void listeners_wait(struct listeners *listeners, int wake_fd, short wake_events, uint64_t now_ms, int timeout_ms);

struct listeners_peer {
	enum listener from;
	struct transport_peer peer;
};
struct listeners_message {
	enum listener from;
	struct transport_message message; // transport_message_done is the caller's to call
};
static inline struct listeners_peer listeners_peer_of(const struct listeners_message *message)
{
	return (struct listeners_peer){message->from, message->message.peer};
}

// The next message of an enrolled system: current and next listener in turn. False when nothing is there.
__attribute__((warn_unused_result)) bool listeners_receive(struct listeners *listeners, struct listeners_message *ret);
// The next one on the enrolment endpoint, as long as this second's number is not used up. `now_ms` is monotonic.
__attribute__((warn_unused_result)) bool listeners_receive_enrolling(struct listeners *listeners, uint64_t now_ms,
								      struct listeners_message *ret);
// As transport_send.
bool listeners_send(struct listeners *listeners, const struct listeners_peer *peer, const uint8_t *data, size_t bytes);

// Connections that there are now on all of them.
size_t listeners_live(const struct listeners *listeners);

// Opens the enrolment endpoint anew when it has to be. Between batches: nobody there gets a reply any more. `now_ms` is
// monotonic.
void listeners_tend(struct listeners *listeners, uint64_t now_ms);

#endif
