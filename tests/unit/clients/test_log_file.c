// Unit tests of offline verification: a log is written as the broker writes one, and then spoilt in every way that
// somebody with write access to the file has.
#include "clients/cli/log_file.h"
#include "clients/cli/log_prove.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <check.h>
#include <sqlite3.h>

#include "certs/key.h"
#include "certs/merkle.h"
#include "proto/audit_record.h"

#define RECORDS 21
#define ORIGIN "test/audit"

static char directory[] = "/tmp/cpis-log-file-XXXXXX";
static char path[64];
static sqlite3 *database;
static struct signing_key *key;
static struct note_verifier verifier;
static struct log_result result;

static void sql(const char *text)
{
	char *error = NULL;
	ck_assert_msg(sqlite3_exec(database, text, NULL, NULL, &error) == SQLITE_OK, "%s: %s", text, error);
}

static void sign(uint64_t size, const struct merkle_hash *root, const struct signing_key *by, char note[NOTE_BYTES_MAX + 1])
{
	struct checkpoint checkpoint = {.origin = ORIGIN, .size = size, .root = *root};
	ck_assert_int_eq(checkpoint_sign(&checkpoint, by, note), CERTS_OK);
}

static void put_checkpoint(const char *note)
{
	sqlite3_stmt *statement;
	ck_assert_int_eq(sqlite3_prepare_v2(database, "INSERT OR REPLACE INTO checkpoint VALUES (1, ?1)", -1, &statement,
					    NULL),
			 SQLITE_OK);
	sqlite3_bind_text(statement, 1, note, -1, SQLITE_STATIC);
	ck_assert_int_eq(sqlite3_step(statement), SQLITE_DONE);
	sqlite3_finalize(statement);
}

static size_t make_record(uint64_t index, uint8_t *out, size_t out_bytes)
{
	static uint8_t subject[TAG_BYTES] = {1}, person[TAG_BYTES] = {2}, id[REQUEST_ID_BYTES] = {3}, sealed[40] = {4};
	static char organisation[] = "RXH", name[] = "hospital", policy[] = "p@1", broker[] = "b";
	Cpis__V1__AuditRecord record = CPIS__V1__AUDIT_RECORD__INIT;
	record.version = 1;
	record.index = index;
	record.time_ms = 1000 + index;
	record.request_id = (ProtobufCBinaryData){sizeof id, id};
	record.operation = CPIS__V1__OPERATION__FLAG;
	record.outcome = CPIS__V1__OUTCOME__OK;
	record.organisation = organisation;
	record.system_name = name;
	record.policy_version = policy;
	record.broker_name = broker;
	// Every third one is about nobody.
	if (index % 3 != 0)
		record.subject_tag = (ProtobufCBinaryData){sizeof subject, subject};
	record.person_tag = (ProtobufCBinaryData){sizeof person, person};
	record.seal_key = 1;
	record.sealed_detail = (ProtobufCBinaryData){sizeof sealed, sealed};
	ck_assert_uint_le(cpis__v1__audit_record__get_packed_size(&record), out_bytes);
	return cpis__v1__audit_record__pack(&record, out);
}

static void put_row(struct merkle_tree *tree, uint64_t index)
{
	uint8_t record[300], salt[SALT_BYTES] = {(uint8_t)index};
	static const uint8_t subject[TAG_BYTES] = {1}, person[TAG_BYTES] = {2};
	struct merkle_hash leaf, nodes[MERKLE_HEIGHT_MAX + 1];
	size_t bytes = make_record(index, record, sizeof record), node_count;
	merkle_leaf(salt, record, bytes, &leaf);
	merkle_append(tree, &leaf, nodes, &node_count);
	sqlite3_stmt *row;
	ck_assert_int_eq(sqlite3_prepare_v2(database, "INSERT INTO audit VALUES (?1, ?2, ?3, ?4, ?5, 'RXH', ?6, ?7)", -1,
					    &row, NULL),
			 SQLITE_OK);
	sqlite3_bind_int64(row, 1, (sqlite3_int64)index);
	sqlite3_bind_blob(row, 2, salt, sizeof salt, SQLITE_STATIC);
	sqlite3_bind_blob(row, 3, record, (int)bytes, SQLITE_STATIC);
	sqlite3_bind_blob(row, 4, nodes, (int)(node_count * sizeof nodes[0]), SQLITE_STATIC);
	sqlite3_bind_int64(row, 5, (sqlite3_int64)(1000 + index));
	if (index % 3 != 0)
		sqlite3_bind_blob(row, 6, subject, sizeof subject, SQLITE_STATIC);
	sqlite3_bind_blob(row, 7, person, sizeof person, SQLITE_STATIC);
	ck_assert_int_eq(sqlite3_step(row), SQLITE_DONE);
	sqlite3_finalize(row);
}

static void fill(uint64_t count, struct merkle_tree *tree)
{
	struct merkle_hash root;
	char note[NOTE_BYTES_MAX + 1];
	*tree = (struct merkle_tree){0};
	for (uint64_t index = 0; index < count; index++)
		put_row(tree, index);
	merkle_root(tree, &root);
	sign(count, &root, key, note);
	put_checkpoint(note);
}

static void setup(void)
{
	struct merkle_tree tree;
	strcpy(directory, "/tmp/cpis-log-file-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(path, sizeof path, "%s/store.db", directory);
	ck_assert_int_eq(sqlite3_open(path, &database), SQLITE_OK);
	sql("CREATE TABLE audit (idx INTEGER PRIMARY KEY, salt BLOB NOT NULL, record BLOB NOT NULL, nodes BLOB NOT NULL,"
	    " time_ms INTEGER NOT NULL, organisation TEXT NOT NULL, subject BLOB, person BLOB) STRICT;"
	    "CREATE TABLE checkpoint (id INTEGER PRIMARY KEY CHECK (id = 1), note TEXT NOT NULL) STRICT; BEGIN");
	ck_assert_int_eq(signing_key_generate(&key), CERTS_OK);
	strcpy(verifier.origin, ORIGIN);
	signing_key_public(key, verifier.public_key);
	fill(RECORDS, &tree);
	sql("COMMIT");
}

static void teardown(void)
{
	sqlite3_close(database);
	signing_key_free(key);
	unlink(path);
	rmdir(directory);
}

static enum log_status verify(const struct log_kept *witnesses, unsigned count)
{
	return log_file_verify(path, &verifier, witnesses, count, NULL, &result);
}

static void assert_broken_at(uint64_t index, const char *what)
{
	ck_assert_int_eq(verify(NULL, 0), LOG_BROKEN);
	ck_assert_msg(result.has_bad_index && result.bad_index == index, "%s", result.detail);
	ck_assert_msg(strstr(result.detail, what) != NULL, "%s", result.detail);
}

START_TEST(a_log_as_it_was_written_holds)
{
	ck_assert_int_eq(verify(NULL, 0), LOG_HOLDS);
	ck_assert_uint_eq(result.records, RECORDS);
	ck_assert_str_eq(result.detail, "");
}
END_TEST

START_TEST(an_empty_log_holds)
{
	sql("DELETE FROM audit; DELETE FROM checkpoint");
	ck_assert_int_eq(verify(NULL, 0), LOG_HOLDS);
	ck_assert_uint_eq(result.records, 0);
}
END_TEST

START_TEST(names_a_record_that_was_changed)
{
	sql("UPDATE audit SET record = (SELECT record FROM audit WHERE idx = 4) WHERE idx = 7");
	assert_broken_at(7, "does not match its hash");
}
END_TEST

START_TEST(names_a_record_whose_salt_was_changed)
{
	sql("UPDATE audit SET salt = zeroblob(16) WHERE idx = 12");
	assert_broken_at(12, "does not match its hash");
}
END_TEST

START_TEST(names_a_record_whose_hashes_were_changed)
{
	sql("UPDATE audit SET nodes = CAST(substr(nodes, 1, 32) || zeroblob(length(nodes) - 32) AS BLOB) WHERE idx = 7");
	assert_broken_at(7, "do not follow");
	sql("UPDATE audit SET nodes = substr(nodes, 1, 32) WHERE idx = 7");
	assert_broken_at(7, "missing or too many");
}
END_TEST

START_TEST(names_a_record_whose_search_columns_lie)
{
	static const struct {
		const char *change, *back, *what;
	} lies[] = {
		{"time_ms = 1", "time_ms = 1004", "time"},
		{"organisation = 'RYD'", "organisation = 'RXH'", "organisation"},
		{"subject = NULL", "subject = (SELECT subject FROM audit WHERE idx = 5)", "subject"},
		{"person = NULL", "person = (SELECT person FROM audit WHERE idx = 5)", "person"},
	};
	for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
		char text[200];
		snprintf(text, sizeof text, "UPDATE audit SET %s WHERE idx = 4", lies[i].change);
		sql(text);
		assert_broken_at(4, lies[i].what);
		snprintf(text, sizeof text, "UPDATE audit SET %s WHERE idx = 4", lies[i].back);
		sql(text);
	}
	ck_assert_int_eq(verify(NULL, 0), LOG_HOLDS);
}
END_TEST

START_TEST(names_a_record_that_was_deleted)
{
	sql("DELETE FROM audit WHERE idx = 9");
	assert_broken_at(9, "missing");
	sql("DELETE FROM audit WHERE idx = 0");
	assert_broken_at(0, "missing");
}
END_TEST

START_TEST(names_the_first_of_two_records_that_changed_places)
{
	sql("UPDATE audit SET idx = 1000 WHERE idx = 3; UPDATE audit SET idx = 3 WHERE idx = 11;"
	    "UPDATE audit SET idx = 11 WHERE idx = 1000");
	assert_broken_at(3, "");
}
END_TEST

START_TEST(names_where_the_end_was_cut_off)
{
	sql("DELETE FROM audit WHERE idx >= 18");
	assert_broken_at(18, "cut");
}
END_TEST

START_TEST(names_a_record_that_was_added_without_a_signature)
{
	struct merkle_tree tree = {0};
	for (uint64_t index = 0; index < RECORDS; index++) {
		uint8_t record[300], salt[SALT_BYTES] = {(uint8_t)index};
		struct merkle_hash leaf, nodes[MERKLE_HEIGHT_MAX + 1];
		size_t bytes = make_record(index, record, sizeof record), node_count;
		merkle_leaf(salt, record, bytes, &leaf);
		merkle_append(&tree, &leaf, nodes, &node_count);
	}
	put_row(&tree, RECORDS);
	assert_broken_at(RECORDS, "added");
}
END_TEST

START_TEST(finds_a_consistent_rewrite_by_the_signature)
{
	struct merkle_tree tree = {0};
	sql("DELETE FROM audit");
	for (uint64_t index = 0; index < RECORDS; index++)
		put_row(&tree, index);
	sql("UPDATE audit SET salt = salt"); // the same content so far
	ck_assert_int_eq(verify(NULL, 0), LOG_HOLDS);
	// Another record in place of the last, hashes and all.
	sql("DELETE FROM audit");
	tree = (struct merkle_tree){0};
	for (uint64_t index = 0; index < RECORDS - 1; index++)
		put_row(&tree, index);
	uint8_t record[300], salt[SALT_BYTES] = {99};
	struct merkle_hash leaf, nodes[MERKLE_HEIGHT_MAX + 1];
	size_t bytes = make_record(RECORDS - 1, record, sizeof record), node_count;
	merkle_leaf(salt, record, bytes, &leaf);
	struct merkle_tree other = tree;
	merkle_append(&other, &leaf, nodes, &node_count);
	put_row(&tree, RECORDS - 1);
	sqlite3_stmt *row;
	ck_assert_int_eq(sqlite3_prepare_v2(database, "UPDATE audit SET salt = ?1, nodes = ?2 WHERE idx = ?3", -1, &row,
					    NULL),
			 SQLITE_OK);
	sqlite3_bind_blob(row, 1, salt, sizeof salt, SQLITE_STATIC);
	sqlite3_bind_blob(row, 2, nodes, (int)(node_count * sizeof nodes[0]), SQLITE_STATIC);
	sqlite3_bind_int64(row, 3, RECORDS - 1);
	ck_assert_int_eq(sqlite3_step(row), SQLITE_DONE);
	sqlite3_finalize(row);
	ck_assert_int_eq(verify(NULL, 0), LOG_BROKEN);
	ck_assert(!result.has_bad_index);
	ck_assert_ptr_nonnull(strstr(result.detail, "not with the signed checkpoint"));
}
END_TEST

START_TEST(refuses_a_log_that_another_key_signed)
{
	struct signing_key *other;
	struct merkle_hash root = {{0}};
	char note[NOTE_BYTES_MAX + 1];
	ck_assert_int_eq(signing_key_generate(&other), CERTS_OK);
	sign(RECORDS, &root, other, note);
	put_checkpoint(note);
	ck_assert_int_eq(verify(NULL, 0), LOG_BROKEN);
	ck_assert_ptr_nonnull(strstr(result.detail, "not signed with this log's key"));
	sql("DELETE FROM checkpoint");
	ck_assert_int_eq(verify(NULL, 0), LOG_BROKEN);
	ck_assert_ptr_nonnull(strstr(result.detail, "no checkpoint"));
	signing_key_free(other);
}
END_TEST

static struct log_kept witness_of(uint64_t size, uint8_t flip)
{
	struct merkle_tree tree = {0};
	for (uint64_t index = 0; index < size; index++) {
		uint8_t record[300], salt[SALT_BYTES] = {(uint8_t)index};
		struct merkle_hash leaf, nodes[MERKLE_HEIGHT_MAX + 1];
		size_t bytes = make_record(index, record, sizeof record), node_count;
		merkle_leaf(salt, record, bytes, &leaf);
		merkle_append(&tree, &leaf, nodes, &node_count);
	}
	struct log_kept witness = {.path = "kept.checkpoint", .checkpoint = {.origin = ORIGIN, .size = size}};
	merkle_root(&tree, &witness.checkpoint.root);
	witness.checkpoint.root.bytes[0] ^= flip;
	return witness;
}

START_TEST(holds_against_every_checkpoint_that_was_true)
{
	struct log_kept witnesses[RECORDS + 1];
	for (uint64_t size = 0; size <= RECORDS; size++)
		witnesses[size] = witness_of(size, 0);
	ck_assert_int_eq(verify(witnesses, RECORDS + 1), LOG_HOLDS);
}
END_TEST

START_TEST(a_log_cut_and_signed_again_is_found_by_a_kept_checkpoint)
{
	struct log_kept witness = witness_of(RECORDS, 0);
	struct merkle_tree tree;
	sql("DELETE FROM audit");
	fill(15, &tree);
	ck_assert_int_eq(verify(NULL, 0), LOG_HOLDS);
	ck_assert_int_eq(verify(&witness, 1), LOG_BROKEN);
	ck_assert(result.has_bad_index && result.bad_index == 15);
	ck_assert_ptr_nonnull(strstr(result.detail, "cut below"));
}
END_TEST

START_TEST(a_log_rewritten_and_signed_again_is_found_by_a_kept_checkpoint)
{
	struct log_kept witness = witness_of(10, 1);
	ck_assert_int_eq(verify(&witness, 1), LOG_BROKEN);
	ck_assert_ptr_nonnull(strstr(result.detail, "first 10 records"));
	ck_assert_ptr_nonnull(strstr(result.detail, "kept.checkpoint"));
}
END_TEST

static enum log_status prove(uint64_t index, struct tlog_proof *proof, bool *found)
{
	struct log_database *log = log_database_open(path, result.detail);
	ck_assert_msg(log != NULL, "%s", result.detail);
	enum log_status status = log_prove(log, &verifier, index, proof, found, result.detail);
	log_database_close(log);
	return status;
}

START_TEST(every_record_is_proven_from_the_file_and_no_other)
{
	struct tlog_proof proof;
	struct checkpoint checkpoint;
	bool found;
	for (uint64_t index = 0; index < RECORDS; index++) {
		ck_assert_int_eq(prove(index, &proof, &found), LOG_HOLDS);
		ck_assert(found);
		ck_assert_int_eq(tlog_proof_verify(&proof, &verifier, &checkpoint), CERTS_OK);
		ck_assert_uint_eq(checkpoint.size, RECORDS);
		proof.record[7] ^= 1;
		ck_assert_int_ne(tlog_proof_verify(&proof, &verifier, &checkpoint), CERTS_OK);
		free(proof.record);
	}
	ck_assert_int_eq(prove(RECORDS, &proof, &found), LOG_HOLDS);
	ck_assert(!found);
}
END_TEST

START_TEST(nothing_is_proven_that_was_not_signed_for)
{
	struct tlog_proof proof;
	bool found;
	sql("UPDATE audit SET salt = zeroblob(16) WHERE idx = 12");
	ck_assert_int_eq(prove(12, &proof, &found), LOG_BROKEN);
	ck_assert_ptr_nonnull(strstr(result.detail, "not what was signed"));
	ck_assert_int_eq(prove(11, &proof, &found), LOG_HOLDS); // its own way to the root is as it was
	free(proof.record);
	sql("DELETE FROM audit WHERE idx = 15");
	ck_assert_int_eq(prove(15, &proof, &found), LOG_BROKEN);
	ck_assert_int_eq(prove(20, &proof, &found), LOG_BROKEN);
	ck_assert_ptr_nonnull(strstr(result.detail, "missing"));
	sql("UPDATE checkpoint SET note = replace(note, '21', '20')");
	ck_assert_int_eq(prove(1, &proof, &found), LOG_BROKEN);
	ck_assert_ptr_nonnull(strstr(result.detail, "not signed"));
	sql("DELETE FROM checkpoint");
	ck_assert_int_eq(prove(1, &proof, &found), LOG_HOLDS);
	ck_assert(!found);
}
END_TEST

START_TEST(says_when_a_file_is_no_log)
{
	sql("DROP TABLE audit");
	ck_assert_int_eq(verify(NULL, 0), LOG_UNREADABLE);
	ck_assert_int_eq(log_file_verify("/tmp/cpis-no-such.db", &verifier, NULL, 0, NULL, &result), LOG_UNREADABLE);
	ck_assert_ptr_nonnull(strstr(result.detail, "/tmp/cpis-no-such.db"));
	ck_assert_int_eq(log_file_verify("Makefile", &verifier, NULL, 0, NULL, &result), LOG_UNREADABLE);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("log_file");
	TCase *tests = tcase_create("log_file");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, a_log_as_it_was_written_holds);
	tcase_add_test(tests, an_empty_log_holds);
	tcase_add_test(tests, names_a_record_that_was_changed);
	tcase_add_test(tests, names_a_record_whose_salt_was_changed);
	tcase_add_test(tests, names_a_record_whose_hashes_were_changed);
	tcase_add_test(tests, names_a_record_whose_search_columns_lie);
	tcase_add_test(tests, names_a_record_that_was_deleted);
	tcase_add_test(tests, names_the_first_of_two_records_that_changed_places);
	tcase_add_test(tests, names_where_the_end_was_cut_off);
	tcase_add_test(tests, names_a_record_that_was_added_without_a_signature);
	tcase_add_test(tests, finds_a_consistent_rewrite_by_the_signature);
	tcase_add_test(tests, refuses_a_log_that_another_key_signed);
	tcase_add_test(tests, holds_against_every_checkpoint_that_was_true);
	tcase_add_test(tests, a_log_cut_and_signed_again_is_found_by_a_kept_checkpoint);
	tcase_add_test(tests, a_log_rewritten_and_signed_again_is_found_by_a_kept_checkpoint);
	tcase_add_test(tests, every_record_is_proven_from_the_file_and_no_other);
	tcase_add_test(tests, nothing_is_proven_that_was_not_signed_for);
	tcase_add_test(tests, says_when_a_file_is_no_log);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
