// Edits of a stored audit log, from a flipped bit to a forgery with the log's own key.
#include "tests/harness/log_edits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "certs/merkle.h"
#include "proto/audit_record.h"
#include "proto/limits.h"

// ------------------------------------------------------------------ SQLite, without ceremony

static void must(sqlite3 *database, bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "log_edits: %s: %s\n", what, sqlite3_errmsg(database));
	abort();
}

static void run(sqlite3 *database, const char *sql)
{
	must(database, sqlite3_exec(database, sql, NULL, NULL, NULL) == SQLITE_OK, sql);
}

struct hand {
	sqlite3 *database;
	char drop[1000], create[2000];
};

static int note_trigger(void *context, int columns, char **values, char **names)
{
	struct hand *hand = context;
	size_t dropped = strlen(hand->drop), created = strlen(hand->create);
	(void)columns, (void)names;
	snprintf(hand->drop + dropped, sizeof hand->drop - dropped, "DROP TRIGGER %s;", values[0]);
	snprintf(hand->create + created, sizeof hand->create - created, "%s;", values[1]);
	return 0;
}

static void hand_open(struct hand *hand, const struct log_victim *victim)
{
	*hand = (struct hand){0};
	must(NULL, sqlite3_open(victim->path, &hand->database) == SQLITE_OK, victim->path);
	run(hand->database, "PRAGMA synchronous = OFF; BEGIN");
	must(hand->database,
	     sqlite3_exec(hand->database, "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit'",
			  note_trigger, hand, NULL) == SQLITE_OK && hand->drop[0] != '\0',
	     "the triggers");
	run(hand->database, hand->drop);
}

static void hand_close(struct hand *hand)
{
	run(hand->database, hand->create);
	run(hand->database, "COMMIT");
	sqlite3_close(hand->database);
}

static sqlite3_stmt *prepare(struct hand *hand, const char *sql)
{
	sqlite3_stmt *statement = NULL;
	must(hand->database, sqlite3_prepare_v2(hand->database, sql, -1, &statement, NULL) == SQLITE_OK, sql);
	return statement;
}

static void finish(struct hand *hand, sqlite3_stmt *statement)
{
	must(hand->database, sqlite3_step(statement) == SQLITE_DONE, sqlite3_sql(statement));
	sqlite3_finalize(statement);
}

// One statement about record `index` (?1).
static void run_at(struct hand *hand, const char *sql, uint64_t index)
{
	sqlite3_stmt *statement = prepare(hand, sql);
	sqlite3_bind_int64(statement, 1, (sqlite3_int64)index);
	finish(hand, statement);
}

static uint64_t edit_at(const struct log_victim *victim, const char *sql, uint64_t index)
{
	struct hand hand;
	hand_open(&hand, victim);
	run_at(&hand, sql, index);
	must(hand.database, sqlite3_changes(hand.database) > 0, sql);
	hand_close(&hand);
	return index;
}

// ------------------------------------------------------------------ one thing of one row

// One bit of a blob, from byte `from` on.
static uint64_t flip(const struct log_victim *victim, const char *column, uint64_t index, uint64_t from)
{
	struct hand hand;
	sqlite3_blob *blob = NULL;
	uint8_t byte = 0;
	hand_open(&hand, victim);
	must(hand.database,
	     sqlite3_blob_open(hand.database, "main", "audit", column, (sqlite3_int64)index, 1, &blob) == SQLITE_OK, column);
	int at = (int)(from + victim->below((uint64_t)sqlite3_blob_bytes(blob) - from));
	must(hand.database, sqlite3_blob_read(blob, &byte, 1, at) == SQLITE_OK, column);
	byte ^= (uint8_t)(1u << victim->below(8));
	must(hand.database, sqlite3_blob_write(blob, &byte, 1, at) == SQLITE_OK, column);
	sqlite3_blob_close(blob);
	hand_close(&hand);
	return index;
}

static uint64_t change_record(const struct log_victim *victim)
{
	return flip(victim, "record", victim->below(victim->records), 0);
}

static uint64_t change_salt(const struct log_victim *victim)
{
	return flip(victim, "salt", victim->below(victim->records), 0);
}

static uint64_t change_leaf(const struct log_victim *victim)
{
	struct hand hand;
	uint64_t index = victim->below(victim->records);
	hand_open(&hand, victim);
	run_at(&hand, "UPDATE audit SET nodes = CAST(randomblob(32) || substr(nodes, 33) AS BLOB) WHERE idx = ?1", index);
	hand_close(&hand);
	return index;
}

static uint64_t change_inner(const struct log_victim *victim)
{
	// Every second record completes a subtree.
	return flip(victim, "nodes", victim->below(victim->records / 2) * 2 + 1, MERKLE_HASH_BYTES);
}

static uint64_t change_time(const struct log_victim *victim)
{
	return edit_at(victim, "UPDATE audit SET time_ms = time_ms + 1 WHERE idx = ?1", victim->below(victim->records));
}

static uint64_t change_organisation(const struct log_victim *victim)
{
	return edit_at(victim, "UPDATE audit SET organisation = 'X26' WHERE idx = ?1", victim->below(victim->records));
}

static uint64_t change_subject(const struct log_victim *victim)
{
	return edit_at(victim, "UPDATE audit SET subject = iif(subject IS NULL, randomblob(16), NULL) WHERE idx = ?1",
		       victim->below(victim->records));
}

static uint64_t change_person(const struct log_victim *victim)
{
	return edit_at(victim, "UPDATE audit SET person = randomblob(16) WHERE idx = ?1", victim->below(victim->records));
}

// ------------------------------------------------------------------ rows

static uint64_t remove_row(const struct log_victim *victim)
{
	return edit_at(victim, "DELETE FROM audit WHERE idx = ?1", victim->below(victim->records - 1));
}

static uint64_t swap_rows(const struct log_victim *victim)
{
	struct hand hand;
	uint64_t first = victim->below(victim->records - 1), second = first + 1 + victim->below(victim->records - 1 - first);
	hand_open(&hand, victim);
	run_at(&hand, "UPDATE audit SET idx = -1 WHERE idx = ?1", first);
	sqlite3_stmt *move = prepare(&hand, "UPDATE audit SET idx = ?2 WHERE idx = ?1");
	sqlite3_bind_int64(move, 1, (sqlite3_int64)second);
	sqlite3_bind_int64(move, 2, (sqlite3_int64)first);
	finish(&hand, move);
	run_at(&hand, "UPDATE audit SET idx = ?1 WHERE idx = -1", second);
	hand_close(&hand);
	return first;
}

static uint64_t cut(const struct log_victim *victim)
{
	return edit_at(victim, "DELETE FROM audit WHERE idx >= ?1", 1 + victim->below(victim->records - 1));
}

// ------------------------------------------------------------------ hashes made again

static void put_note(struct hand *hand, const char *note)
{
	sqlite3_stmt *put = prepare(hand, "UPDATE checkpoint SET note = ?1");
	sqlite3_bind_text(put, 1, note, -1, SQLITE_TRANSIENT);
	finish(hand, put);
}

// The hashes that the rows from `from` on keep, from what they say now. Gives the tree's root.
static uint64_t hash_again(struct hand *hand, uint64_t from, struct merkle_hash *ret_root)
{
	struct merkle_tree tree = {0};
	struct merkle_hash leaf, nodes[MERKLE_HEIGHT_MAX + 1];
	size_t count;
	sqlite3_stmt *rows = prepare(hand, "SELECT idx, salt, record FROM audit ORDER BY idx"),
		     *put = prepare(hand, "UPDATE audit SET nodes = ?2 WHERE idx = ?1");
	while (sqlite3_step(rows) == SQLITE_ROW) {
		merkle_leaf(sqlite3_column_blob(rows, 1), sqlite3_column_blob(rows, 2), (size_t)sqlite3_column_bytes(rows, 2), &leaf);
		merkle_append(&tree, &leaf, nodes, &count);
		if (tree.size <= from)
			continue;
		sqlite3_bind_int64(put, 1, sqlite3_column_int64(rows, 0));
		sqlite3_bind_blob(put, 2, nodes, (int)(count * sizeof nodes[0]), SQLITE_STATIC);
		must(hand->database, sqlite3_step(put) == SQLITE_DONE, "hashes");
		sqlite3_reset(put);
	}
	sqlite3_finalize(rows);
	sqlite3_finalize(put);
	merkle_root(&tree, ret_root);
	return tree.size;
}

static void sign(struct hand *hand, const char *older, const struct signing_key *key, uint64_t size, const struct merkle_hash *root)
{
	struct checkpoint checkpoint = {.size = size, .root = *root};
	char note[NOTE_BYTES_MAX + 1];
	snprintf(checkpoint.origin, sizeof checkpoint.origin, "%.*s", (int)strcspn(older, "\n"), older);
	must(hand->database, checkpoint_sign(&checkpoint, key, note) == CERTS_OK, "the checkpoint");
	put_note(hand, note);
}

static uint64_t cut_to_older(const struct log_victim *victim)
{
	struct hand hand;
	unsigned which = (unsigned)victim->below(victim->older_count);
	hand_open(&hand, victim);
	run_at(&hand, "DELETE FROM audit WHERE idx >= ?1", victim->older_sizes[which]);
	put_note(&hand, victim->older[which]);
	hand_close(&hand);
	return victim->older_sizes[which];
}

static uint64_t cut_and_sign(const struct log_victim *victim)
{
	struct hand hand;
	struct merkle_hash root;
	uint64_t left = 1 + victim->below(victim->records - 1);
	hand_open(&hand, victim);
	run_at(&hand, "DELETE FROM audit WHERE idx >= ?1", left);
	hash_again(&hand, left, &root);
	sign(&hand, victim->older[0], victim->key, left, &root);
	hand_close(&hand);
	return left;
}

// What a record says in its sealed part, which is its end, and all hashes after it.
static uint64_t change_and_hash(const struct log_victim *victim)
{
	struct hand hand;
	struct merkle_hash root;
	uint64_t index = victim->below(victim->records);
	hand_open(&hand, victim);
	run_at(&hand, "UPDATE audit SET record = CAST(substr(record, 1, length(record) - 8) || randomblob(8) AS BLOB) WHERE idx = ?1",
	       index);
	hash_again(&hand, index, &root);
	hand_close(&hand);
	return index;
}

static uint64_t forge_with(const struct log_victim *victim, const struct signing_key *key)
{
	struct hand hand;
	struct merkle_hash root;
	uint64_t index = victim->below(victim->records);
	hand_open(&hand, victim);
	run_at(&hand, "UPDATE audit SET salt = randomblob(16) WHERE idx >= ?1", index);
	uint64_t size = hash_again(&hand, index, &root);
	sign(&hand, victim->older[0], key, size, &root);
	hand_close(&hand);
	return index;
}

static uint64_t forge(const struct log_victim *victim)
{
	return forge_with(victim, victim->key);
}

static uint64_t forge_with_another_key(const struct log_victim *victim)
{
	struct signing_key *other = NULL;
	must(NULL, signing_key_generate(&other) == CERTS_OK, "a key");
	uint64_t index = forge_with(victim, other);
	signing_key_free(other);
	return index;
}

static uint64_t insert_row(const struct log_victim *victim)
{
	struct hand hand;
	struct merkle_hash root;
	uint64_t index = victim->below(victim->records - 1);
	hand_open(&hand, victim);
	run_at(&hand, "UPDATE audit SET idx = -2 - idx WHERE idx >= ?1", index);
	run(hand.database, "UPDATE audit SET idx = -1 - idx WHERE idx < 0");
	// What is inserted is a real record of another place.
	run_at(&hand, "INSERT INTO audit SELECT ?1, salt, record, nodes, time_ms, organisation, subject, person FROM audit"
		      " WHERE idx = ?1 + 1", index);
	hash_again(&hand, index, &root);
	hand_close(&hand);
	// The copy carries its own number; the one that it is a copy of has come to another place.
	return index + 1;
}

// A record of the right number behind the last one, with its hashes.
static uint64_t append_row(const struct log_victim *victim)
{
	struct hand hand;
	struct arena arena;
	struct wire_error error;
	struct merkle_hash root;
	Cpis__V1__AuditRecord *record = NULL;
	uint8_t bytes[4096];
	must(NULL, arena_init(&arena, ARENA_BYTES), "memory");
	hand_open(&hand, victim);
	sqlite3_stmt *row = prepare(&hand, "SELECT record FROM audit WHERE idx = ?1");
	sqlite3_bind_int64(row, 1, (sqlite3_int64)victim->below(victim->records));
	must(hand.database,
	     sqlite3_step(row) == SQLITE_ROW && audit_record_decode(&arena, sqlite3_column_blob(row, 0),
								    (size_t)sqlite3_column_bytes(row, 0), &record, &error) == WIRE_OK,
	     "a record");
	sqlite3_finalize(row);
	record->index = victim->records;
	must(hand.database, cpis__v1__audit_record__get_packed_size(record) <= sizeof bytes, "a record's length");
	size_t count = cpis__v1__audit_record__pack(record, bytes);
	sqlite3_stmt *insert = prepare(&hand, "INSERT INTO audit SELECT ?1, randomblob(16), ?2, zeroblob(32), ?3, ?4, ?5, ?6");
	sqlite3_bind_int64(insert, 1, (sqlite3_int64)victim->records);
	sqlite3_bind_blob(insert, 2, bytes, (int)count, SQLITE_STATIC);
	sqlite3_bind_int64(insert, 3, (sqlite3_int64)record->time_ms);
	sqlite3_bind_text(insert, 4, record->organisation, -1, SQLITE_STATIC);
	if (record->subject_tag.len > 0)
		sqlite3_bind_blob(insert, 5, record->subject_tag.data, (int)record->subject_tag.len, SQLITE_STATIC);
	if (record->person_tag.len > 0)
		sqlite3_bind_blob(insert, 6, record->person_tag.data, (int)record->person_tag.len, SQLITE_STATIC);
	finish(&hand, insert);
	hash_again(&hand, victim->records, &root);
	hand_close(&hand);
	arena_done(&arena);
	return victim->records;
}

// ------------------------------------------------------------------ the checkpoint

static uint64_t change_checkpoint(const struct log_victim *victim)
{
	struct hand hand;
	char note[NOTE_BYTES_MAX + 1];
	hand_open(&hand, victim);
	sqlite3_stmt *row = prepare(&hand, "SELECT note FROM checkpoint");
	must(hand.database, sqlite3_step(row) == SQLITE_ROW, "the checkpoint");
	snprintf(note, sizeof note, "%s", (const char *)sqlite3_column_text(row, 0));
	sqlite3_finalize(row);
	note[victim->below(strlen(note))] ^= 1;
	put_note(&hand, note);
	hand_close(&hand);
	return 0;
}

const struct log_edit log_edits[] = {
	// name, edit, found by verify, by a live client, by verify with a checkpoint, named
	{"a bit of a record", change_record, FOUND_ALWAYS, FOUND_NOT, FOUND_ALWAYS, true},
	{"a bit of a salt", change_salt, FOUND_ALWAYS, FOUND_NOT, FOUND_ALWAYS, true},
	{"a record's hash", change_leaf, FOUND_ALWAYS, FOUND_BY_CHANCE, FOUND_ALWAYS, true},
	{"a bit of an inner hash", change_inner, FOUND_ALWAYS, FOUND_BY_CHANCE, FOUND_ALWAYS, true},
	{"the time that searches go by", change_time, FOUND_ALWAYS, FOUND_NOT, FOUND_ALWAYS, true},
	{"the organisation that searches go by", change_organisation, FOUND_ALWAYS, FOUND_NOT, FOUND_ALWAYS, true},
	{"the child that searches go by", change_subject, FOUND_ALWAYS, FOUND_NOT, FOUND_ALWAYS, true},
	{"the person that searches go by", change_person, FOUND_ALWAYS, FOUND_NOT, FOUND_ALWAYS, true},
	{"a row removed", remove_row, FOUND_ALWAYS, FOUND_BY_CHANCE, FOUND_ALWAYS, true},
	{"two rows swapped", swap_rows, FOUND_ALWAYS, FOUND_BY_CHANCE, FOUND_ALWAYS, true},
	{"a record inserted, hashes made again", insert_row, FOUND_ALWAYS, FOUND_ALWAYS, FOUND_ALWAYS, true},
	{"a record appended, hashes made again", append_row, FOUND_ALWAYS, FOUND_ALWAYS, FOUND_ALWAYS, true},
	{"the end cut off", cut, FOUND_ALWAYS, FOUND_ALWAYS, FOUND_ALWAYS, true},
	{"the end cut off, with a real checkpoint from then", cut_to_older, FOUND_NOT, FOUND_ALWAYS, FOUND_IF_BELOW, true},
	{"the end cut off, signed again with the log's key", cut_and_sign, FOUND_NOT, FOUND_ALWAYS, FOUND_IF_BELOW, true},
	{"a record changed, hashes made again", change_and_hash, FOUND_ALWAYS, FOUND_ALWAYS, FOUND_ALWAYS, false},
	{"forged from a record on, signed with another key", forge_with_another_key, FOUND_ALWAYS, FOUND_ALWAYS, FOUND_ALWAYS, false},
	{"forged from a record on, signed with the log's key", forge, FOUND_NOT, FOUND_ALWAYS, FOUND_IF_BELOW, false},
	{"a bit of the checkpoint", change_checkpoint, FOUND_ALWAYS, FOUND_ALWAYS, FOUND_ALWAYS, false},
};
const unsigned log_edit_count = sizeof log_edits / sizeof log_edits[0];
