// Makes tests/vectors/: what a client in any language must send, sign and believe, as JSON, by the project's own code. The same bytes
// each time: keys, serials and salts come from a counter in place of OpenSSL's random source, and times are fixed. What cannot be made
// ends the program with a sentence.
#ifndef CPIS_TESTS_INTEROP_VECTORS_H
#define CPIS_TESTS_INTEROP_VECTORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "certs/identity.h"
#include "certs/key.h"
#include "certs/note.h"
#include "proto/arena.h"
#include "proto/wire.h"

#define VECTORS_NOW_MS 1792488600000u // Tuesday 2026-10-20, 09:30 UTC
#define VECTORS_BROKER "cpis-1"
#define VECTORS_ORIGIN "cpis.example/audit/vectors"
#define VECTORS_ORGANISATION "RXH"
#define VECTORS_SYSTEM "ed-record-system"
#define VECTORS_DAY_MS ((uint64_t)24 * 60 * 60 * 1000)

struct vectors {
	char directory[64];       // with the authority: ra/, systems/, staff/
	const char *out;          // where the files go
	struct arena arena;       // for all messages that are made
	struct signing_key *log_key;
	struct signing_key *staff_key;
	struct note_verifier log;
	struct system_identity system;
	struct staff_identity staff;
};

void vectors_fail(const char *what) __attribute__((noreturn));
// Inline, so that a static analyser sees what holds afterwards.
static inline void vectors_must(bool holds, const char *what)
{
	if (!holds)
		vectors_fail(what);
}
// "<directory>/<name>"; valid until the next but seven.
const char *vectors_path(const struct vectors *vectors, const char *name);
// Lower-case hexadecimal. A new reference, as all that follow.
json_t *vectors_hex(const void *data, size_t bytes);
// And back; how many bytes, at most `room`.
size_t vectors_unhex(const char *text, uint8_t *ret, size_t room);
json_t *vectors_file_text(const char *path);
json_t *vectors_file_hex_der(const char *certificate);
// Writes {"comment": ..., <what `body` has>} and takes the body.
void vectors_write(const struct vectors *vectors, const char *file, const char *comment, json_t *body);

// Fills a message from JSON as protobuf's JSON mapping has it, with the names of cpis.proto. It lives in the arena.
ProtobufCMessage *json_message(struct arena *arena, const ProtobufCMessageDescriptor *descriptor, const json_t *json);

// One file, or a few, each.
void vectors_make_values(struct vectors *vectors);
void vectors_make_certificates(struct vectors *vectors);
void vectors_make_signed(struct vectors *vectors);
void vectors_make_operations(struct vectors *vectors);
void vectors_make_receipts(struct vectors *vectors);
void vectors_make_newer(struct vectors *vectors);
void vectors_make_trees(struct vectors *vectors);

// A log in memory, and a client that is shown it.
#define VECTOR_LOG_RECORDS_MAX 64
struct vector_log {
	struct merkle_tree tree;
	struct merkle_hash nodes[VECTOR_LOG_RECORDS_MAX][MERKLE_HEIGHT_MAX + 1];
	char notes[VECTOR_LOG_RECORDS_MAX + 1][NOTE_BYTES_MAX + 1]; // by size, from 1
	const char *origin;
	const struct signing_key *key;
};
// What the honest broker would record for this request.
void vector_record(const struct vector_log *log, const Cpis__V1__Request *request, Cpis__V1__AuditRecord *ret);
// Appends the record and puts its receipt into the reply, both of them the arena's. Growth is from `held` records; 0: none.
void vector_log_seal(struct vectors *vectors, struct vector_log *log, const Cpis__V1__AuditRecord *record, uint64_t held,
		     Cpis__V1__Reply *reply);
bool vector_log_fetch(void *log, unsigned height, uint64_t number, struct merkle_hash *ret);

#endif
