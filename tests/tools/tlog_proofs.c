// Writes trees, proofs and checkpoints of certs/ for software that is not ours to check (tests/system/tlog.sh):
//
//	DIR/log.vkey      the verifier key
//	DIR/commitments   32 bytes for each record; its leaf is SHA-256(0x00 || these bytes)
//	DIR/proofs        one line each: "tree SIZE HEX-OF-NOTE", "record SIZE INDEX HASHES", "growth OLD SIZE HASHES";
//	                  hashes in hexadecimal, one after the other, "-" for none
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "certs/note.h"

#define ORIGIN "cpis.example/audit/tlog"
#define SMALL 70u
#define LARGE (1u << 20)
#define RECORDS (LARGE + 1u)

struct log {
	struct merkle_hash *nodes; // of all rows: row i begins at 2i - popcount(i)
	struct signing_key *key;
	FILE *proofs;
};

static void must(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "tlog_proofs: %s\n", what);
	exit(1);
}

static size_t place_of(uint64_t row)
{
	return 2 * (size_t)row - (size_t)__builtin_popcountll(row);
}

static bool fetch(void *context, unsigned height, uint64_t number, struct merkle_hash *ret)
{
	const struct log *log = context;
	*ret = log->nodes[place_of(((number + 1) << height) - 1) + height];
	return true;
}

static FILE *create(const char *directory, const char *name)
{
	char path[4096];
	must((size_t)snprintf(path, sizeof path, "%s/%s", directory, name) < sizeof path, "the path is too long");
	FILE *file = fopen(path, "we");
	must(file != NULL, path);
	return file;
}

static void close_file(FILE *file)
{
	must(!ferror(file) && fclose(file) == 0, "cannot write");
}

// The commitment is hashed here and not by certs/, which the tree's leaves must agree with.
static void write_records(struct log *log, const char *directory)
{
	FILE *commitments = create(directory, "commitments");
	struct merkle_tree tree = {.size = 0};
	for (uint64_t i = 0; i < RECORDS; i++) {
		uint8_t salted[MERKLE_SALT_BYTES + sizeof i] = {0}, commitment[MERKLE_HASH_BYTES];
		struct merkle_hash leaf, nodes[MERKLE_HEIGHT_MAX + 1];
		size_t count;
		salted[0] = (uint8_t)(i % 251);
		memcpy(salted + MERKLE_SALT_BYTES, &i, sizeof i);
		must(EVP_Digest(salted, sizeof salted, commitment, NULL, EVP_sha256(), NULL) == 1, "memory");
		fwrite(commitment, 1, sizeof commitment, commitments);
		merkle_leaf(salted, salted + MERKLE_SALT_BYTES, sizeof i, &leaf);
		merkle_append(&tree, &leaf, nodes, &count);
		memcpy(log->nodes + place_of(i), nodes, count * sizeof nodes[0]);
	}
	close_file(commitments);
}

static void write_hex(FILE *file, const void *data, size_t bytes)
{
	const uint8_t *at = data;
	for (size_t i = 0; i < bytes; i++)
		fprintf(file, "%02x", at[i]);
	fputs(bytes == 0 ? "-\n" : "\n", file);
}

static void write_tree(struct log *log, uint64_t size)
{
	struct checkpoint checkpoint = {.origin = ORIGIN, .size = size};
	struct merkle_tree tree;
	char note[NOTE_BYTES_MAX + 1];
	must(merkle_tree_load(size, fetch, log, &tree), "tree");
	merkle_root(&tree, &checkpoint.root);
	must(checkpoint_sign(&checkpoint, log->key, note) == CERTS_OK, "signature");
	fprintf(log->proofs, "tree %llu ", (unsigned long long)size);
	write_hex(log->proofs, note, strlen(note));
}

static void write_record(struct log *log, uint64_t index, uint64_t size)
{
	struct merkle_path path;
	must(merkle_prove(index, size, fetch, log, &path), "inclusion proof");
	fprintf(log->proofs, "record %llu %llu ", (unsigned long long)size, (unsigned long long)index);
	write_hex(log->proofs, path.hashes, path.count * sizeof path.hashes[0]);
}

static void write_growth(struct log *log, uint64_t old_size, uint64_t size)
{
	struct merkle_growth proof;
	must(merkle_prove_growth(old_size, size, fetch, log, &proof), "consistency proof");
	fprintf(log->proofs, "growth %llu %llu ", (unsigned long long)old_size, (unsigned long long)size);
	write_hex(log->proofs, proof.hashes, proof.count * sizeof proof.hashes[0]);
}

static void write_small(struct log *log)
{
	for (uint64_t size = 0; size <= SMALL; size++) {
		write_tree(log, size);
		for (uint64_t index = 0; index < size; index++)
			write_record(log, index, size);
		for (uint64_t old_size = 1; old_size <= size; old_size++)
			write_growth(log, old_size, size);
	}
}

static void write_large(struct log *log)
{
	static const uint64_t steps[] = {1, 2, 3, 70, 4096, 65535, LARGE / 2 - 1, LARGE / 2, LARGE / 2 + 1, LARGE - 2};
	for (uint64_t size = LARGE - 1; size <= LARGE + 1; size++) {
		write_tree(log, size);
		for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
			write_record(log, steps[i], size);
			write_growth(log, steps[i], size);
		}
		write_record(log, size - 1, size);
		for (uint64_t old_size = LARGE - 1; old_size <= size; old_size++)
			write_growth(log, old_size, size);
	}
}

static void write_key(const struct log *log, const char *directory)
{
	struct note_verifier verifier = {.origin = ORIGIN};
	char line[512];
	FILE *file = create(directory, "log.vkey");
	signing_key_public(log->key, verifier.public_key);
	must(note_verifier_format(&verifier, line, sizeof line) == CERTS_OK, "verifier key");
	fprintf(file, "%s\n", line);
	close_file(file);
}

int main(int argc, char **argv)
{
	struct log log = {.nodes = calloc(2 * RECORDS, sizeof *log.nodes)};
	must(argc == 2, "usage: tlog_proofs DIR");
	must(log.nodes != NULL && signing_key_generate(&log.key) == CERTS_OK, "memory");
	write_key(&log, argv[1]);
	write_records(&log, argv[1]);
	log.proofs = create(argv[1], "proofs");
	write_small(&log);
	write_large(&log);
	close_file(log.proofs);
	signing_key_free(log.key);
	free(log.nodes);
	return 0;
}
