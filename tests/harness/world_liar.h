// A broker that lies: a thread of the test on the world's endpoint that holds the real broker's key and the real log's
// key, and says whatever it is told to. It keeps a true log and makes true receipts, so that a lie can be the only thing
// that is wrong. The world's own broker must not run. What goes wrong in the test itself aborts.
#ifndef CPIS_TESTS_WORLD_LIAR_H
#define CPIS_TESTS_WORLD_LIAR_H

#include <stdatomic.h>

#include "certs/merkle.h"
#include "certs/note.h"
#include "proto/wire.h"
#include "tests/harness/world.h"

#define LIAR_RECORDS_MAX 64
#define LIAR_RECORD_BYTES_MAX 1024

struct liar;

// A record in the log and its receipt, as of the tree in which it was the last one.
struct liar_receipt {
	Cpis__V1__Receipt receipt;
	uint8_t salt[SALT_BYTES];
	uint8_t record[LIAR_RECORD_BYTES_MAX];
	struct merkle_path path;
	ProtobufCBinaryData hashes[MERKLE_HEIGHT_MAX];
	struct merkle_growth growth;
	ProtobufCBinaryData growth_hashes[MERKLE_GROWTH_MAX];
	char note[NOTE_BYTES_MAX + 1];
	struct merkle_hash nodes[MERKLE_HEIGHT_MAX + 1]; // its row, see certs/merkle.h
};

// One request and what would be the true answer to it: yes, this child is known. The lie changes it and sends it.
struct liar_turn {
	const Cpis__V1__Request *request;
	Cpis__V1__AuditRecord record;
	Cpis__V1__Reply reply;
	Cpis__V1__PingReply ping;
	Cpis__V1__FlagReply flag;
	Cpis__V1__SessionOpenReply session;
};

// Called in the liar's thread for each request that arrives.
typedef void liar_lie(struct liar *liar, struct liar_turn *turn);

struct liar *liar_new(struct world *world);
void liar_free(struct liar *liar); // accepts NULL
// From the next request on. Also ends a lie that goes on until it is told to stop (liar_told_otherwise).
void liar_tell(struct liar *liar, liar_lie *lie);
bool liar_told_otherwise(struct liar *liar, liar_lie *lie);
// Requests that have arrived since liar_new.
unsigned liar_heard(const struct liar *liar);
// And over how many connections, one after the other.
unsigned liar_connections(const struct liar *liar);

// ---- for lies

// The truth: liar_seal and liar_send.
liar_lie liar_says_the_truth;
// Puts the turn's record into the log and its receipt into the reply.
void liar_seal(struct liar *liar, struct liar_turn *turn);
// The same with another key or origin under the checkpoint; the log stays the true one.
void liar_seal_as(struct liar *liar, struct liar_turn *turn, const struct signing_key *key, const char *origin);
// The `number`'th record that was sealed.
struct liar_receipt *liar_kept(struct liar *liar, unsigned number);
// Forgets all but the first `count` records.
void liar_cut(struct liar *liar, unsigned count);
void liar_send(struct liar *liar, const struct liar_turn *turn);
size_t liar_pack(const struct liar_turn *turn, uint8_t out[2 * MESSAGE_BYTES_MAX]);
// One frame, of a message that goes on or ends. False when the client's queue is full for some milliseconds.
bool liar_send_frame(struct liar *liar, const void *data, size_t bytes, bool more);

#endif
