// A bare connection to the broker: CURVE and nothing of libcpis, so that a test can send what no honest client
// would. Receipts of what comes back are checked all the same. What goes wrong in the test itself aborts.
#ifndef CPIS_TESTS_CHANNEL_H
#define CPIS_TESTS_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "certs/key.h"
#include "certs/note.h"
#include "proto/wire.h"
#include "tests/harness/world.h"

#define CHANNEL_WAIT_MS 20000

struct channel;

// Starts to connect with this CURVE key (a PEM file); NULL: a key that nobody has seen.
struct channel *channel_open(struct world *world, const char *key_path);
// To another endpoint of the broker, with another key of its own.
struct channel *channel_open_at(struct world *world, const char *endpoint, const char *broker_key_path,
				const char *key_path);
void channel_close(struct channel *channel); // accepts NULL
const uint8_t *channel_key(const struct channel *channel); // the public one, KEY_BYTES

// How the handshake ended: true if it was accepted, false if it was refused. Aborts if neither happens.
bool channel_admitted(struct channel *channel);
// Waits until the broker has closed the connection.
void channel_wait_closed(struct channel *channel);

void channel_send(struct channel *channel, const void *data, size_t bytes);
// One frame, malloc'd; NULL when none came in time.
uint8_t *channel_receive(struct channel *channel, int timeout_ms, size_t *ret_bytes);

// A reply and the audit record in its receipt, which has been proven to be in the log.
struct channel_reply {
	struct arena arena;
	Cpis__V1__Reply *reply;
	Cpis__V1__AuditRecord *record; // NULL when the reply has no receipt
	uint64_t index;                // of the record
};
void channel_reply_free(struct channel_reply *reply); // accepts NULL
// The next reply, decoded and proven; aborts when none comes or it does not hold.
struct channel_reply *channel_next_reply(struct channel *channel);
// The same, NULL when nothing came within `timeout_ms`.
struct channel_reply *channel_poll_reply(struct channel *channel, int timeout_ms);
// Sends raw bytes and takes the next reply.
struct channel_reply *channel_exchange(struct channel *channel, const void *data, size_t bytes);

// Refused with this reason, in reply and record alike, and without a body, a token or the record of anybody else's
// request; aborts if it is anything else. Frees the reply and returns the record's place in the log.
uint64_t channel_refused(struct channel_reply *reply, const char *reason_code);

// The request as bytes, malloc'd, so that it can be sent again, anywhere: version, a random request id (unless there is
// one) and the deadline are filled in, body and token are the caller's.
uint8_t *channel_pack(const struct channel *channel, Cpis__V1__Request *request, size_t *ret_bytes);
// The same with the signature of a person of the cast, for the acts that need one.
uint8_t *channel_pack_act(const struct channel *channel, Cpis__V1__Request *request, const char *profile,
			  size_t *ret_bytes);
// Fills version, a random request id and the deadline, and sends. The caller fills body and token.
void channel_send_request(struct channel *channel, Cpis__V1__Request *request);
struct channel_reply *channel_request(struct channel *channel, Cpis__V1__Request *request);
struct channel_reply *channel_ping(struct channel *channel);

// What a session statement says; channel_statement fills in the truth for a person of the cast on this channel.
struct statement {
	const char *uid, *role, *organisation, *broker_name;
	uint8_t channel_key[KEY_BYTES];
	uint64_t time_ms;
};
struct statement channel_statement(const struct channel *channel, const char *profile);
// A signed SessionOpen request as bytes, malloc'd, so that it can be sent on any channel.
uint8_t *channel_sign_statement(struct world *world, const struct statement *statement, const char *certificate_path,
				const char *key_path, size_t *ret_bytes);
struct channel_reply *channel_open_session(struct world *world, struct channel *channel, const char *profile);
// A session's token, malloc'd; aborts if there is none to be had.
ProtobufCBinaryData channel_token(struct channel *channel, const char *profile);
// FLAG in the emergency department.
struct channel_reply *channel_flag(struct channel *channel, ProtobufCBinaryData token, const char *nhs_number);

#endif
