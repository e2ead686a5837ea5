// A file that carries the keys which brokers before one database share, from the machine of one to that of another. The keys are
// sealed for the X25519 key of the new broker's certificate, and all of it is signed with the log's key.
//
//	"cpis keys for a broker, 1\n" || signature (64) || what is signed, after SHARE_CONTEXT
// Signed: made at (8, ms) || the new broker's public key (32) || its name || the log's origin || libsodium's crypto_box_seal of the
// keys. Sealed: the content of each key file, in the order of enum share_file. What has no fixed length has it before it, in two
// bytes; numbers are big-endian.
//
// Nothing else that the log's key signs begins like this: a checkpoint and a cosignature of it begin with a word without a space,
// and none of them has a NUL.
//
// Bytes and a time in, bytes out. One thread.
#ifndef CPIS_BROKER_SHARE_H
#define CPIS_BROKER_SHARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/limits.h"
#include "certs/key.h"
#include "certs/note.h"

#define SHARE_DETAIL_BYTES 400
#define SHARE_MAGIC "cpis keys for a broker, 1\n"
#define SHARE_CONTEXT "cpis keys for a broker, signed, 1" // with its NUL

enum share_file {
	SHARE_STORE_KEY,
	SHARE_SESSION_KEY,           // no bytes: those brokers have none
	SHARE_SESSION_KEY_PREVIOUS,  // likewise
	SHARE_LOG_KEY,
	SHARE_FILES
};

// What is in the key files.
struct shared_keys {
	uint8_t data[SHARE_FILES][SHARE_KEY_BYTES_MAX];
	size_t bytes[SHARE_FILES];
};
// In memory for keys (certs/key_memory.h). NULL: there is none.
struct shared_keys *shared_keys_new(void);
void shared_keys_free(struct shared_keys *keys); // accepts NULL; wipes

// For whom.
struct share_recipient {
	const char *broker_name;     // at most IDENTITY_NAME_BYTES_MAX
	const uint8_t *public_key;   // KEY_BYTES, of its certificate
};

// False when the library fails.
__attribute__((warn_unused_result)) bool share_make(const struct shared_keys *keys, const struct share_recipient *recipient,
						    const char *log_origin, const struct signing_key *log_key, uint64_t now_ms,
						    uint8_t out[SHARE_BYTES_MAX], size_t *ret_bytes);

struct share_reader {
	const char *broker_name;
	const struct curve_key_pair *key;
	const struct note_verifier *log;
	uint64_t now_ms;
};
// Hostile bytes. False with a sentence when the file is not one, is not signed by that log, is for another broker or key or of another
// origin, is older than SHARE_AGE_MS_MAX, or of the future. Nothing of it is in the sentence that its signature does not cover.
__attribute__((warn_unused_result)) bool share_open(const uint8_t *data, size_t bytes, const struct share_reader *reader,
						    struct shared_keys *ret, char detail[SHARE_DETAIL_BYTES]);

#endif
