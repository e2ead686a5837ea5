// Disk, hash, signature.
#include "tests/bench/floors.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "certs/key.h"
#include "tests/bench/link.h"
#include "tests/bench/load.h"
#include "tests/bench/report.h"

#define BYTES_MAX (512u * 1024u)
#define FILE_PARTS 8u // of BYTES_MAX; SQLite's write-ahead log goes on from the start after 4 MB
#define SYNCS_MAX 1000u
#define HASHES 20000u
#define VERIFICATIONS 500u

static const uint8_t zeros[BYTES_MAX];
static uint8_t ones[BYTES_MAX];

double floors_fdatasync_us(const char *directory, size_t bytes, unsigned repeats)
{
	static double took[SYNCS_MAX];
	char path[512];
	memset(ones, 0xff, sizeof ones);
	snprintf(path, sizeof path, "%s/floor", directory);
	int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	link_must(file >= 0 && bytes <= BYTES_MAX && repeats <= SYNCS_MAX, path);
	for (unsigned i = 0; i < FILE_PARTS; i++)
		link_must(write(file, zeros, BYTES_MAX) == BYTES_MAX, path);
	link_must(fsync(file) == 0, path);
	for (unsigned i = 0; i < repeats; i++) {
		off_t place = (off_t)(i * bytes % ((FILE_PARTS - 1) * BYTES_MAX));
		uint64_t start_ns = load_now_ns();
		link_must(pwrite(file, ones, bytes, place) == (ssize_t)bytes && fdatasync(file) == 0, path);
		took[i] = (double)(load_now_ns() - start_ns) / 1e3;
	}
	close(file);
	unlink(path);
	return report_median(took, repeats);
}

double floors_sha256_us(size_t bytes)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned digest_bytes;
	EVP_MD *sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	link_must(sha256 != NULL && context != NULL && bytes <= BYTES_MAX, "SHA-256");
	uint64_t start_ns = load_now_ns();
	for (unsigned i = 0; i < HASHES; i++)
		link_must(EVP_DigestInit_ex2(context, sha256, NULL) == 1 && EVP_DigestUpdate(context, zeros, bytes) == 1 &&
				  EVP_DigestFinal_ex(context, digest, &digest_bytes) == 1, "SHA-256");
	double took_us = (double)(load_now_ns() - start_ns) / 1e3 / HASHES;
	EVP_MD_CTX_free(context);
	EVP_MD_free(sha256);
	return took_us;
}

double floors_ed25519_verify_us(size_t bytes)
{
	struct signing_key *key;
	uint8_t public_key[KEY_BYTES], signature[ED25519_SIGNATURE_BYTES];
	link_must(bytes <= BYTES_MAX && signing_key_generate(&key) == CERTS_OK &&
			  signing_key_sign(key, zeros, bytes, signature) == CERTS_OK, "Ed25519");
	signing_key_public(key, public_key);
	uint64_t start_ns = load_now_ns();
	for (unsigned i = 0; i < VERIFICATIONS; i++)
		link_must(ed25519_verify(public_key, zeros, bytes, signature) == CERTS_OK, "Ed25519");
	signing_key_free(key);
	return (double)(load_now_ns() - start_ns) / 1e3 / VERIFICATIONS;
}
