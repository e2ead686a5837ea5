// Certificates that differ from a good one in the one thing a test names: built with OpenSSL by a recipe and signed with the keys of
// throw-away authorities. For the test_identity programs.
#ifndef CPIS_TESTS_UNIT_CERTS_RECIPE_H
#define CPIS_TESTS_UNIT_CERTS_RECIPE_H

#include <check.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "certs/authority.h"
#include "certs/identity.h"

#define NOW 1795000000000ull // 2026-11-18
#define DAY (24ull * 3600 * 1000)
#define ARC "2.25.185455635316991931809667461232443724531"
#define DER_MAX 4096

struct attribute {
	int nid;
	const char *value;
};

struct recipe {
	const char *home, *issuer, *signer; // authority's directory, whose name, whose key
	int key_type;
	struct attribute subject[4];
	const char *constraints, *usage, *purpose, *alternative, *extra_oid;
	bool extra_critical, without_identifiers;
	long version;
	uint64_t from_ms, until_ms;
	const struct certificate_serial *serial;
};

struct der {
	uint8_t bytes[DER_MAX];
	size_t count;
};

extern char detail[CERTS_DETAIL_BYTES]; // what the last refusal said
extern struct trust *trust;             // of "home"
extern struct authority_paths system_paths, staff_paths; // the good certificates of "home"

// Makes the authorities "home", "stranger", "revoked" and "fallen", each with a system RXH/ed-record-system and Grace Okafor in
// "out", "stranger-out", "revoked-out" and "fallen-out"; runs the suite, frees it and removes them. The program's exit code.
int run_with_authorities(Suite *suite);

// A place under the test's directory; several may be in use at once.
const char *at(const char *name);

// Good ones.
struct recipe system_recipe(void);
struct recipe staff_recipe(void);
struct der make(struct recipe recipe);
// For what a recipe cannot say. Whoever is given a certificate or a key frees it, but der_of takes it.
X509 *build(const struct recipe *recipe);
X509 *authority_certificate(const char *home, const char *name);
EVP_PKEY *authority_key(const char *home, const char *name);
// Without a value: nothing is added.
void extend(X509 *certificate, X509 *issuer, int nid, const char *value);
void extend_unknown(X509 *certificate, const char *oid, bool critical);
struct der der_of(X509 *certificate);
struct der der_of_file(const char *path);

bool all_zero(const void *data, size_t bytes);
// Over an identity full of other bytes and a detail that says nothing yet.
enum certs_status verify_system(const struct der *der, uint64_t now_ms, struct system_identity *ret);
enum certs_status verify_staff(const struct der *der, uint64_t now_ms, struct staff_identity *ret);
// Refused for this reason, which is said, and nothing of the identity was told.
void assert_refused(enum certs_status status, enum certs_status expected, const void *identity, size_t bytes);
void refuses_system(struct recipe recipe, enum certs_status expected);
void refuses_staff(struct recipe recipe, enum certs_status expected);

void write_text(const char *path, const char *text);
void append_file(const char *to, const char *from);
void copy_file(const char *to, const char *from);

#endif
