// Inclusion and consistency proofs of small trees, and checkpoints, good and bad: the verdicts are those of certs/merkle.h and note.h.
#include <stdio.h>
#include <string.h>

#include "tests/interop/vectors.h"

#define TREE_RECORDS 17u

static void grow(struct vector_log *log)
{
	for (uint64_t i = 0; i < TREE_RECORDS; i++) {
		static const uint8_t salt[SALT_BYTES];
		uint8_t record = (uint8_t)i;
		struct merkle_hash leaf;
		size_t count;
		merkle_leaf(salt, &record, 1, &leaf);
		merkle_append(&log->tree, &leaf, log->nodes[i], &count);
	}
}

static struct merkle_hash root_of(struct vector_log *log, uint64_t size)
{
	struct merkle_tree tree;
	struct merkle_hash root;
	vectors_must(merkle_tree_load(size, vector_log_fetch, log, &tree), "tree");
	merkle_root(&tree, &root);
	return root;
}

static json_t *hashes_json(const struct merkle_hash *hashes, size_t count)
{
	json_t *list = json_array();
	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, vectors_hex(hashes[i].bytes, HASH_BYTES));
	return list;
}

// ------------------------------------------------------------------ proofs

static void add_inclusion(struct vector_log *log, json_t *cases, uint64_t index, uint64_t size, int change)
{
	struct merkle_path path;
	struct merkle_hash leaf = log->nodes[index][0], root = root_of(log, size);
	vectors_must(merkle_prove(index, size, vector_log_fetch, log, &path), "path");
	if (change == 1)
		root.bytes[31] ^= 1;
	if (change == 2 && path.count > 0)
		path.hashes[0].bytes[0] ^= 1;
	if (change == 3)
		path.count--;
	if (change == 4)
		path.hashes[path.count++] = leaf;
	bool holds = merkle_verify(&leaf, index, size, path.hashes, path.count, &root);
	json_array_append_new(cases, json_pack("{s:o,s:I,s:I,s:o,s:o,s:b}", "leaf", vectors_hex(leaf.bytes, HASH_BYTES), "index",
					       (json_int_t)index, "size", (json_int_t)size, "path", hashes_json(path.hashes, path.count), "root",
					       vectors_hex(root.bytes, HASH_BYTES), "holds", holds));
}

static void add_growth(struct vector_log *log, json_t *cases, uint64_t old_size, uint64_t size, int change)
{
	struct merkle_growth proof;
	struct merkle_hash old_root = root_of(log, old_size), root = root_of(log, size);
	vectors_must(merkle_prove_growth(old_size, size, vector_log_fetch, log, &proof), "growth");
	if (change == 1)
		old_root.bytes[0] ^= 1;
	if (change == 2)
		root.bytes[0] ^= 1;
	if (change == 3)
		proof.count--;
	if (change == 4)
		proof.hashes[proof.count++] = root;
	if (change == 5)
		proof.hashes[0].bytes[9] ^= 1;
	bool holds = merkle_verify_growth(old_size, &old_root, size, &root, proof.hashes, proof.count);
	json_array_append_new(cases, json_pack("{s:I,s:o,s:I,s:o,s:o,s:b}", "old_size", (json_int_t)old_size, "old_root",
					       vectors_hex(old_root.bytes, HASH_BYTES), "size", (json_int_t)size, "root",
					       vectors_hex(root.bytes, HASH_BYTES), "proof", hashes_json(proof.hashes, proof.count), "holds",
					       holds));
}

static void write_proofs(const struct vectors *vectors, struct vector_log *log)
{
	json_t *inclusion = json_array(), *consistency = json_array();
	for (uint64_t size = 1; size <= 9; size++)
		for (uint64_t index = 0; index < size; index++)
			add_inclusion(log, inclusion, index, size, 0);
	for (int change = 0; change <= 4; change++)
		add_inclusion(log, inclusion, 11, TREE_RECORDS, change);
	for (uint64_t size = 1; size <= 9; size++)
		for (uint64_t old_size = 1; old_size <= size; old_size++)
			add_growth(log, consistency, old_size, size, 0);
	for (int change = 0; change <= 5; change++)
		add_growth(log, consistency, 6, TREE_RECORDS, change);
	add_growth(log, consistency, 7, 7, 1);
	add_growth(log, consistency, 7, 7, 4);
	vectors_write(vectors, "proofs.json", "Inclusion (RFC 9162, 2.1.3.2) and consistency (2.1.4.2) proofs. `leaf` is SHA-256(0x00 || commitment).",
		      json_pack("{s:o,s:o}", "inclusion", inclusion, "consistency", consistency));
}

// ------------------------------------------------------------------ checkpoints

static void add_note(const struct vectors *vectors, json_t *cases, const char *name, const char *note)
{
	struct checkpoint checkpoint;
	bool holds = checkpoint_verify(note, strlen(note), &vectors->log, &checkpoint) == CERTS_OK;
	json_t *made = json_pack("{s:s,s:s,s:b}", "name", name, "note", note, "holds", holds);
	if (holds) {
		json_object_set_new(made, "size", json_integer((json_int_t)checkpoint.size));
		json_object_set_new(made, "root", vectors_hex(checkpoint.root.bytes, HASH_BYTES));
	}
	json_array_append_new(cases, made);
}

static void sign(const char *origin, uint64_t size, struct vector_log *log, const struct signing_key *key, char out[NOTE_BYTES_MAX + 1])
{
	struct checkpoint checkpoint = {.size = size, .root = root_of(log, size)};
	snprintf(checkpoint.origin, sizeof checkpoint.origin, "%s", origin);
	vectors_must(checkpoint_sign(&checkpoint, key, out) == CERTS_OK, "checkpoint");
}

static void write_notes(const struct vectors *vectors, struct vector_log *log)
{
	char good[NOTE_BYTES_MAX + 1], note[2 * NOTE_BYTES_MAX];
	json_t *cases = json_array();
	sign(VECTORS_ORIGIN, TREE_RECORDS, log, vectors->log_key, good);
	add_note(vectors, cases, "good", good);
	snprintf(note, sizeof note, "%s\342\200\224 witness.example AAAA%s", good, strstr(good, "\342\200\224") + strlen("\342\200\224  ") + strlen(VECTORS_ORIGIN) + 4);
	add_note(vectors, cases, "with a witness's line below", note);
	snprintf(note, sizeof note, "%s", good);
	note[strlen(VECTORS_ORIGIN) + 2]++;
	add_note(vectors, cases, "another size than was signed", note);
	snprintf(note, sizeof note, "%s", good);
	note[strlen(VECTORS_ORIGIN) + 6] ^= 1;
	add_note(vectors, cases, "another root than was signed", note);
	snprintf(note, sizeof note, "%.*s", (int)strlen(good) - 1, good);
	add_note(vectors, cases, "without the last newline", note);
	snprintf(note, sizeof note, "%s\n", good);
	add_note(vectors, cases, "with a newline too many", note);
	snprintf(note, sizeof note, "%.*s", (int)(strstr(good, "\n\n") + 2 - good), good);
	add_note(vectors, cases, "without a signature", note);
	snprintf(note, sizeof note, "%s%s", good, strstr(good, "\342\200\224"));
	add_note(vectors, cases, "signed twice", note);
	// The last character before the padding has two bits that say nothing.
	snprintf(note, sizeof note, "%s", good);
	char *last = &note[strlen(note) - 3];
	*last = *last == '/' ? '9' : (char)(*last + 1);
	add_note(vectors, cases, "the signature in another form of base64", note);
	snprintf(note, sizeof note, "%s", good);
	memmove(&note[strlen(note) - 2], "\n", 2);
	add_note(vectors, cases, "the signature without its padding", note);
	static const char *const below[][2] = {
		{"another's line that is no base64 below", "\342\200\224 witness.example !!!!\n"},
		{"another's line in another form of base64 below", "\342\200\224 witness.example AAAAAAB=\n"},
		{"another's line without a signature below", "\342\200\224 witness.example\n"},
		{"another's line with a word too many below", "\342\200\224 witness.example AAAAAAAA AAAA\n"},
		{"another's line with a hyphen in place of the dash below", "- witness.example AAAAAAAA\n"},
		{"an empty line below", "\n"},
		{"a line of the log by another key below", "\342\200\224 " VECTORS_ORIGIN " AAAAAAAA\n"},
	};
	for (size_t i = 0; i < sizeof below / sizeof below[0]; i++) {
		snprintf(note, sizeof note, "%s%s", good, below[i][1]);
		add_note(vectors, cases, below[i][0], note);
	}
	sign("cpis.example/audit/other", TREE_RECORDS, log, vectors->log_key, note);
	add_note(vectors, cases, "another origin", note);
	sign(VECTORS_ORIGIN, TREE_RECORDS, log, vectors->staff_key, note);
	add_note(vectors, cases, "another key", note);
	vectors_write(vectors, "checkpoints.json", "C2SP checkpoints against the log's verifier key.",
		      json_pack("{s:o,s:o}", "vkey", vectors_file_text(vectors_path(vectors, "ra/trust/log.vkey")), "cases", cases));
}

void vectors_make_trees(struct vectors *vectors)
{
	static struct vector_log log;
	grow(&log);
	write_proofs(vectors, &log);
	write_notes(vectors, &log);
}
