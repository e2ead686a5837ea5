// The public keys of one identity provider: a JWK Set (RFC 7517) in a file, as the provider publishes it. Immutable once read.
#ifndef CPIS_BROKER_IDENTITY_KEYS_H
#define CPIS_BROKER_IDENTITY_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// What a signature may be made with (RFC 7518, 8037). There is no name here for "none" or for a shared secret, so that no
// configuration can allow them.
#define IDENTITY_ALGORITHM_TABLE(X) \
	X(IDENTITY_RS256, "RS256", "RSA") \
	X(IDENTITY_PS256, "PS256", "RSA") \
	X(IDENTITY_ES256, "ES256", "EC") \
	X(IDENTITY_EDDSA, "EdDSA", "OKP")
enum identity_algorithm {
#define X(name, word, kty) name,
	IDENTITY_ALGORITHM_TABLE(X)
#undef X
	IDENTITY_ALGORITHMS
};
__attribute__((warn_unused_result)) bool identity_algorithm_by_name(const char *name, enum identity_algorithm *ret);

struct identity_keys;

// Keys that are for encryption ("use") are left out. Refused whole: a file that is no JWK Set, has no key to sign with, a private or a
// shared key, a key without `kid` or two with one, RSA of less than 2,048 bits, another curve than P-256 and Ed25519. False: `detail`
// says what, without the path.
__attribute__((warn_unused_result)) bool identity_keys_read(const char *path, struct identity_keys **ret, char *detail, size_t detail_bytes);
void identity_keys_free(struct identity_keys *keys); // accepts NULL
size_t identity_keys_count(const struct identity_keys *keys);

enum identity_verdict { IDENTITY_HOLDS, IDENTITY_NO_KEY, IDENTITY_OTHER_ALGORITHM, IDENTITY_BAD_SIGNATURE };

// The signature of a compact JWS "<header>.<payload>.<signature>" by the key of this `kid`, made by this algorithm. The three parts are
// base64url without padding. IDENTITY_OTHER_ALGORITHM: the key is of another kind, or for another algorithm.
enum identity_verdict identity_keys_verify(const struct identity_keys *keys, const char *kid, enum identity_algorithm algorithm,
					   const char *jws, size_t header_bytes, size_t payload_bytes, size_t signature_bytes);

#endif
