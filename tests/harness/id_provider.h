// An OpenID provider in the manner of CIS2: keys, their published set, and tokens with whatever claims a test wants. By libjose, and
// OpenSSL for Ed25519. What goes wrong in it aborts.
#ifndef CPIS_TESTS_HARNESS_ID_PROVIDER_H
#define CPIS_TESTS_HARNESS_ID_PROVIDER_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#define ID_PROVIDER_ISSUER "https://am.identity.example/openam"
#define ID_PROVIDER_AUDIENCE "fhir-rxh"
#define ID_PROVIDER_KEYS_MAX 8

struct id_provider {
	char directory[200];                     // what the broker's identity_directory is
	json_t *keys[ID_PROVIDER_KEYS_MAX];      // private ones
	size_t count;
};

// Makes the directory. Of a zeroed provider, or one that has keys already: making them takes a while.
void id_provider_init(struct id_provider *provider, const char *directory);
void id_provider_done(struct id_provider *provider);
// A new key for this algorithm: RS256, PS256, ES256 or EdDSA.
void id_provider_add_key(struct id_provider *provider, const char *kid, const char *algorithm);
void id_provider_drop_key(struct id_provider *provider, const char *kid);
// The public halves into cis2.jwks.
void id_provider_publish(const struct id_provider *provider);
// Any text into a file of the directory.
void id_provider_write(const struct id_provider *provider, const char *name, const char *text);
// cis2.yaml: all four algorithms, assurance level 3, "<system>" (like RXH/hospital) known as ID_PROVIDER_AUDIENCE.
void id_provider_configure(const struct id_provider *provider, const char *system);

// Good claims: issued a second ago, for five minutes, one role. To be freed by the caller.
json_t *id_provider_claims(uint64_t now_ms, const char *uid, const char *organisation, const char *role);
// Signed by that key. Neither frees nor changes the claims. malloc'd.
char *id_provider_token(const struct id_provider *provider, const char *kid, const json_t *claims);
// The same over a header and a payload as they are given, whatever they are.
char *id_provider_sign(const struct id_provider *provider, const char *kid, const char *algorithm, const char *header, const char *payload);

#endif
