// What leaves for the browser and comes back unread and unchanged: a message of web.proto, sealed with XChaCha20-Poly1305 under
// the gateway's key, as base64url text. What it was sealed for is bound in, so that one kind never opens as another.
#ifndef CPIS_WEB_SEALED_H
#define CPIS_WEB_SEALED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/arena.h"

#define SEALED_KEY_BYTES 32

// How long a text that is opened may be.
#define SEALED_TEXT_BYTES_MAX 16384

enum sealed_purpose {
	SEALED_VISITOR,
	SEALED_PERSON,
	SEALED_SIGN_IN,
	SEALED_ARRIVAL,
	SEALED_ACT,
};

struct sealer {
	uint8_t key[SEALED_KEY_BYTES];
};

// With a key from `path` (32 bytes, mode 0600 or stricter), so that several gateways open each other's; NULL: a key that ends with the
// process. False: `detail` says why.
__attribute__((warn_unused_result)) bool sealer_init(struct sealer *sealer, const char *path, char *detail, size_t detail_bytes);
void sealer_done(struct sealer *sealer); // wipes

// In the arena. NULL when that is full.
const char *sealed_make(const struct sealer *sealer, struct arena *arena, enum sealed_purpose purpose, const ProtobufCMessage *message);
// NULL: not ours, not for this purpose, or altered.
ProtobufCMessage *sealed_open(const struct sealer *sealer, struct arena *arena, enum sealed_purpose purpose,
			      const ProtobufCMessageDescriptor *descriptor, const char *text);

// A short text that only who has the key can make: what our own forms carry, so that another site cannot post them.
#define SEALED_MARK_BYTES 33 // 32 hexadecimal digits
void sealed_mark(const struct sealer *sealer, const uint8_t *id, size_t id_bytes, char out[SEALED_MARK_BYTES]);
// In a time that does not depend on where they differ. `typed` may be NULL.
bool sealed_mark_is(const char mark[SEALED_MARK_BYTES], const char *typed);

void sealed_random(void *out, size_t bytes);

// base64url without padding, into the arena. Reading is strict; NULL: not base64url, or the arena is full.
const char *sealed_base64(struct arena *arena, const uint8_t *data, size_t bytes);
uint8_t *sealed_from_base64(struct arena *arena, const char *text, size_t *ret_bytes);

#endif
