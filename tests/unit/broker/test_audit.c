// The audit log over a real store and vault: receipts that verify, batches that are kept whole or not at all, and logs
// that are not continued because they do not match what was last signed.
#include "broker/audit.h"

#include <check.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "proto/audit_record.h"

#define ORIGIN "cpis.example/audit"
#define BATCH 16

static char directory[] = "/tmp/cpis-audit-XXXXXX";
static char store_path[64];
static struct store *store;
static struct vault *vault;
static struct signing_key *key;
static struct audit_log *audit;
static struct arena arena;
static struct audit_options options;

static void open_store(void)
{
	char detail[STORE_DETAIL_BYTES] = "";
	ck_assert_msg(store_sqlite_open(store_path, &store, detail) == STORE_OK, "%s", detail);
	options.store = store;
}

static void open_audit(void)
{
	char detail[AUDIT_DETAIL_BYTES] = "";
	ck_assert_msg(audit_open(&options, &audit, detail), "%s", detail);
}

static void start(void)
{
	char key_path[64], detail[VAULT_DETAIL_BYTES] = "";
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(store_path, sizeof store_path, "%s/store", directory);
	snprintf(key_path, sizeof key_path, "%s/store.key", directory);
	ck_assert_msg(vault_create_key(key_path, detail) && vault_open_key(key_path, &vault, detail), "%s", detail);
	ck_assert_int_eq(signing_key_generate(&key), CERTS_OK);
	ck_assert(arena_init(&arena, 4 * 1024 * 1024));
	options = (struct audit_options){.vault = vault, .key = key, .origin = ORIGIN, .broker_name = "broker-1",
					 .batch_max = BATCH};
	open_store();
	open_audit();
}

static int remove_one(const char *at, const struct stat *status, int type, struct FTW *place)
{
	(void)status, (void)type, (void)place;
	return remove(at);
}

static void close_all(void)
{
	audit_free(audit);
	audit = NULL;
	store->ops->close(store);
}

static void stop(void)
{
	close_all();
	vault_free(vault);
	signing_key_free(key);
	arena_done(&arena);
	ck_assert_int_eq(nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
	memcpy(directory + strlen(directory) - 6, "XXXXXX", 6);
}

static void reopen(void)
{
	close_all();
	open_store();
	open_audit();
}

static void begin(void)
{
	ck_assert_int_eq(store->ops->begin(store), STORE_OK);
}

static const uint8_t request_id[REQUEST_ID_BYTES] = {1, 2, 3};
static const struct store_tag subject = {{7}}, person = {{8}};

static enum store_status append_in(struct arena *where, uint64_t *ret_index)
{
	Cpis__V1__AuditDetail detail = CPIS__V1__AUDIT_DETAIL__INIT;
	char nhs_number[] = "9990000018", uid[] = "555000000001";
	detail.nhs_number = nhs_number;
	detail.uid = uid;
	detail.count = 3;
	struct audit_event event = {
		.policy_version = "2026-1",
		.time_ms = 1000 + audit_next_index(audit), .request_id = request_id,
		.operation = CPIS__V1__OPERATION__DETAILS, .reason = REASON_ACTIVITY, .organisation = "RXH",
		.system_name = "ed-1", .subject = &subject, .person = &person, .detail = &detail,
	};
	return audit_append(audit, where, &event, ret_index);
}

static void append(unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		uint64_t expected = audit_next_index(audit), index = 0;
		ck_assert_int_eq(append_in(&arena, &index), STORE_OK);
		ck_assert_uint_eq(index, expected);
		ck_assert_uint_eq(audit_next_index(audit), expected + 1);
	}
}

static void commit(void)
{
	ck_assert_int_eq(audit_close_batch(audit), STORE_OK);
	ck_assert_int_eq(store->ops->commit(store), STORE_OK);
	audit_committed(audit);
}

static void commit_records(unsigned count)
{
	begin();
	append(count);
	commit();
	arena_reset(&arena);
}

static struct note_verifier verifier(void)
{
	struct note_verifier made = {.origin = ORIGIN};
	signing_key_public(key, made.public_key);
	return made;
}

static enum certs_status verify(const Cpis__V1__Receipt *receipt, uint64_t *ret_size)
{
	struct merkle_hash path[MERKLE_HEIGHT_MAX];
	struct note_verifier ours = verifier();
	struct checkpoint checkpoint = {.size = 0};
	ck_assert_uint_eq(receipt->salt.len, MERKLE_SALT_BYTES);
	ck_assert_uint_le(receipt->n_path, MERKLE_HEIGHT_MAX);
	for (size_t i = 0; i < receipt->n_path; i++) {
		ck_assert_uint_eq(receipt->path[i].len, MERKLE_HASH_BYTES);
		memcpy(path[i].bytes, receipt->path[i].data, MERKLE_HASH_BYTES);
	}
	enum certs_status status = receipt_verify(&ours, receipt->index, receipt->salt.data, receipt->record.data,
						  receipt->record.len, path, receipt->n_path, receipt->checkpoint,
						  strlen(receipt->checkpoint), &checkpoint);
	*ret_size = checkpoint.size;
	return status;
}

static void assert_receipt(uint64_t index, uint64_t size)
{
	uint64_t proven = 0;
	Cpis__V1__Receipt *receipt = audit_receipt(audit, &arena, index);
	ck_assert_msg(receipt != NULL, "no receipt of %llu", (unsigned long long)index);
	ck_assert_uint_eq(receipt->index, index);
	ck_assert_msg(verify(receipt, &proven) == CERTS_OK, "record %llu of %llu", (unsigned long long)index,
		      (unsigned long long)size);
	ck_assert_uint_eq(proven, size);
}

// ------------------------------------------------------------------ records and receipts

START_TEST(proves_every_record_old_and_new_at_every_size)
{
	uint64_t size = 0;
	for (unsigned batch = 1; batch <= 9; batch++) {
		begin();
		append(batch);
		size += batch;
		ck_assert_int_eq(audit_close_batch(audit), STORE_OK);
		for (uint64_t index = 0; index < size; index++)
			assert_receipt(index, size);
		ck_assert_int_eq(store->ops->commit(store), STORE_OK);
		audit_committed(audit);
		arena_reset(&arena);
		if (batch % 3 == 0)
			reopen();
		ck_assert_uint_eq(audit_next_index(audit), size);
	}
}
END_TEST

START_TEST(a_receipt_does_not_verify_with_anything_changed)
{
	uint64_t size;
	commit_records(3);
	begin();
	append(2);
	ck_assert_int_eq(audit_close_batch(audit), STORE_OK);
	Cpis__V1__Receipt *receipt = audit_receipt(audit, &arena, 3);
	ck_assert_ptr_nonnull(receipt);
	receipt->index = 4;
	ck_assert_int_eq(verify(receipt, &size), CERTS_PROOF);
	receipt->index = 3;
	receipt->record.len--;
	ck_assert_int_eq(verify(receipt, &size), CERTS_PROOF);
	receipt->record.len++;
	receipt->salt.data[0] ^= 1;
	ck_assert_int_eq(verify(receipt, &size), CERTS_PROOF);
	receipt->salt.data[0] ^= 1;
	receipt->path[0].data[0] ^= 1;
	ck_assert_int_eq(verify(receipt, &size), CERTS_PROOF);
	receipt->path[0].data[0] ^= 1;
	ck_assert_int_eq(verify(receipt, &size), CERTS_OK);
	store->ops->rollback(store);
	audit_abandoned(audit);
}
END_TEST

START_TEST(has_no_receipt_of_a_record_that_is_not_there)
{
	begin();
	append(2);
	ck_assert_int_eq(audit_close_batch(audit), STORE_OK);
	ck_assert_ptr_null(audit_receipt(audit, &arena, 2));
	ck_assert_ptr_null(audit_receipt(audit, &arena, UINT64_MAX));
	commit();
}
END_TEST

START_TEST(writes_what_happened_into_the_record)
{
	struct wire_error error;
	Cpis__V1__AuditRecord *record = NULL;
	struct store_audit row;
	commit_records(2);
	ck_assert_int_eq(store->ops->audit_get(store, 1, &arena, &row), STORE_OK);
	ck_assert_int_eq(audit_record_decode(&arena, row.record.data, row.record.bytes, &record, &error), WIRE_OK);
	ck_assert_uint_eq(record->version, 1);
	ck_assert_uint_eq(record->index, 1);
	ck_assert_uint_eq(record->time_ms, 1001);
	ck_assert_uint_eq(record->request_id.len, REQUEST_ID_BYTES);
	ck_assert_mem_eq(record->request_id.data, request_id, REQUEST_ID_BYTES);
	ck_assert_int_eq(record->operation, CPIS__V1__OPERATION__DETAILS);
	ck_assert_int_eq(record->outcome, reason_outcome(REASON_ACTIVITY));
	ck_assert_str_eq(record->reason_code, "role_lacks_activity");
	ck_assert_str_eq(record->organisation, "RXH");
	ck_assert_str_eq(record->system_name, "ed-1");
	ck_assert_str_eq(record->policy_version, "2026-1");
	ck_assert_str_eq(record->broker_name, "broker-1");
	// Sealed and tagged with January 1970's keys.
	struct store_tag child_tag, staff_tag;
	const struct audit_key *child = audit_keys_find(audit_keys_of(audit), 0, AUDIT_CLASS_CHILD);
	const struct audit_key *staff = audit_keys_find(audit_keys_of(audit), 0, AUDIT_CLASS_PERSON);
	ck_assert(child != NULL && staff != NULL);
	audit_key_tag(child, &subject, &child_tag);
	audit_key_tag(staff, &person, &staff_tag);
	ck_assert_uint_eq(record->seal_key, child->id);
	ck_assert_mem_eq(record->subject_tag.data, child_tag.bytes, TAG_BYTES);
	ck_assert_mem_eq(record->person_tag.data, staff_tag.bytes, TAG_BYTES);
	// The search keys beside the record say the same.
	ck_assert_uint_eq(row.time_ms, 1001);
	ck_assert_str_eq(row.organisation.text, "RXH");
	ck_assert(row.has_subject && row.has_person);
	ck_assert_mem_eq(row.subject.bytes, child_tag.bytes, TAG_BYTES);
	ck_assert_mem_eq(row.person.bytes, staff_tag.bytes, TAG_BYTES);
}
END_TEST

START_TEST(writes_a_record_of_a_request_that_could_not_be_read)
{
	Cpis__V1__AuditDetail detail = CPIS__V1__AUDIT_DETAIL__INIT;
	struct audit_event event = {.policy_version = "2026-1", .time_ms = 5, .reason = REASON_MALFORMED, .organisation = "", .system_name = "",
				    .detail = &detail};
	struct store_audit row;
	uint64_t index;
	begin();
	ck_assert_int_eq(audit_append(audit, &arena, &event, &index), STORE_OK);
	ck_assert_int_eq(audit_close_batch(audit), STORE_OK);
	assert_receipt(0, 1);
	commit();
	ck_assert_int_eq(store->ops->audit_get(store, 0, &arena, &row), STORE_OK);
	ck_assert(!row.has_subject && !row.has_person);
	ck_assert_str_eq(row.organisation.text, "");
	Cpis__V1__AuditEntry *entry = audit_entry(audit, &arena, &row);
	ck_assert_ptr_nonnull(entry);
	ck_assert_uint_eq(entry->request_id.len, 0);
	ck_assert_str_eq(entry->reason_code, "message_not_well_formed");
}
END_TEST

START_TEST(names_nobody_in_the_clear)
{
	struct store_audit row;
	commit_records(1);
	ck_assert_int_eq(store->ops->audit_get(store, 0, &arena, &row), STORE_OK);
	ck_assert_ptr_null(memmem(row.record.data, row.record.bytes, "9990000018", 10));
	ck_assert_ptr_null(memmem(row.record.data, row.record.bytes, "555000000001", 12));
}
END_TEST

START_TEST(opens_a_stored_row_for_a_reviewer)
{
	struct store_audit row;
	commit_records(2);
	reopen();
	ck_assert_int_eq(store->ops->audit_get(store, 1, &arena, &row), STORE_OK);
	Cpis__V1__AuditEntry *entry = audit_entry(audit, &arena, &row);
	ck_assert_ptr_nonnull(entry);
	ck_assert_uint_eq(entry->index, 1);
	ck_assert_uint_eq(entry->time_ms, 1001);
	ck_assert_int_eq(entry->operation, CPIS__V1__OPERATION__DETAILS);
	ck_assert_str_eq(entry->detail->nhs_number, "9990000018");
	ck_assert_str_eq(entry->detail->uid, "555000000001");
	ck_assert_uint_eq(entry->detail->count, 3);
}
END_TEST

START_TEST(does_not_open_a_row_that_was_changed_or_moved)
{
	struct store_audit row;
	commit_records(2);
	ck_assert_int_eq(store->ops->audit_get(store, 1, &arena, &row), STORE_OK);
	row.index = 0;
	ck_assert_ptr_null(audit_entry(audit, &arena, &row));
	row.index = 1;
	ck_assert_ptr_nonnull(audit_entry(audit, &arena, &row));
	uint8_t *record = (uint8_t *)(uintptr_t)row.record.data; // in our arena
	record[row.record.bytes - 1] ^= 1; // the end of the sealed detail
	ck_assert_ptr_null(audit_entry(audit, &arena, &row));
	record[row.record.bytes - 1] ^= 1;
	row.record.bytes--;
	ck_assert_ptr_null(audit_entry(audit, &arena, &row));
	row.record.bytes = 0;
	ck_assert_ptr_null(audit_entry(audit, &arena, &row));
}
END_TEST

START_TEST(says_when_a_record_a_receipt_or_an_entry_does_not_fit)
{
	struct arena small;
	struct store_audit row;
	uint64_t index = 4711;
	ck_assert(arena_init(&small, 256));
	begin();
	ck_assert_int_eq(append_in(&small, &index), STORE_NO_MEMORY);
	ck_assert_uint_eq(index, 4711);
	ck_assert_uint_eq(audit_next_index(audit), 0);
	append(3);
	ck_assert_int_eq(audit_close_batch(audit), STORE_OK);
	arena_reset(&small);
	ck_assert_ptr_null(audit_receipt(audit, &small, 1));
	commit();
	ck_assert_int_eq(store->ops->audit_get(store, 1, &arena, &row), STORE_OK);
	arena_reset(&small);
	ck_assert_ptr_null(audit_entry(audit, &small, &row));
	arena_done(&small);
}
END_TEST

// ------------------------------------------------------------------ batches

START_TEST(an_abandoned_batch_leaves_nothing_and_the_next_takes_its_place)
{
	uint64_t size;
	commit_records(3);
	begin();
	append(2);
	ck_assert_int_eq(audit_close_batch(audit), STORE_OK);
	store->ops->rollback(store);
	audit_abandoned(audit);
	ck_assert_uint_eq(audit_next_index(audit), 3);
	begin();
	append(1);
	ck_assert_int_eq(audit_close_batch(audit), STORE_OK);
	assert_receipt(3, 4);
	commit();
	reopen();
	ck_assert_int_eq(store->ops->audit_size(store, &size), STORE_OK);
	ck_assert_uint_eq(size, 4);
}
END_TEST

START_TEST(a_batch_that_the_store_refuses_is_abandoned_whole)
{
	struct store_audit wrong = {.index = 1000, .node_count = 1};
	char detail[AUDIT_DETAIL_BYTES] = "";
	uint64_t index = 4711;
	commit_records(2);
	begin();
	append(1);
	ck_assert_int_eq(store->ops->audit_append(store, &wrong), STORE_FAILED);
	ck_assert_int_eq(append_in(&arena, &index), STORE_FAILED);
	ck_assert_uint_eq(index, 4711);
	ck_assert_int_eq(audit_close_batch(audit), STORE_FAILED);
	ck_assert_int_eq(store->ops->commit(store), STORE_FAILED);
	store->ops->rollback(store);
	audit_abandoned(audit);
	ck_assert_msg(audit_reload(audit, detail), "%s", detail);
	ck_assert_uint_eq(audit_next_index(audit), 2);
	commit_records(BATCH);
	reopen();
	ck_assert_uint_eq(audit_next_index(audit), 2 + BATCH);
}
END_TEST

START_TEST(reloads_rows_that_were_kept_although_the_commit_was_not_reported)
{
	char detail[AUDIT_DETAIL_BYTES] = "";
	commit_records(1);
	begin();
	append(2);
	ck_assert_int_eq(audit_close_batch(audit), STORE_OK);
	ck_assert_int_eq(store->ops->commit(store), STORE_OK);
	audit_abandoned(audit); // as if the commit had failed
	ck_assert_uint_eq(audit_next_index(audit), 1);
	ck_assert_msg(audit_reload(audit, detail), "%s", detail);
	ck_assert_uint_eq(audit_next_index(audit), 3);
	commit_records(1);
}
END_TEST

// ------------------------------------------------------------------ what another broker has appended

static const char *stored_checkpoint(void)
{
	const char *note = NULL;
	ck_assert_int_eq(store->ops->checkpoint_get(store, &arena, &note), STORE_OK);
	return note;
}

static bool follow(struct audit_log *other, uint64_t from)
{
	struct store_audit *rows;
	size_t count;
	ck_assert_int_eq(audit_page(other, from, UINT64_MAX, 100, &arena, &rows, &count), STORE_OK);
	for (size_t i = 0; i < count; i++)
		if (!audit_follow(other, &rows[i]))
			return false;
	return true;
}

START_TEST(goes_on_with_what_another_has_appended_and_signed)
{
	char detail[AUDIT_DETAIL_BYTES] = "";
	struct audit_log *other = NULL, *mine = audit;
	ck_assert(audit_open(&options, &other, detail));
	commit_records(3);
	ck_assert(audit_is_at(audit, 3, stored_checkpoint()));
	ck_assert(!audit_is_at(other, 3, stored_checkpoint()));
	ck_assert(follow(other, 0));
	ck_assert_msg(audit_followed(other, stored_checkpoint(), detail), "%s", detail);
	ck_assert(audit_is_at(other, 3, stored_checkpoint()));
	ck_assert(audit_keys_load(audit_keys_of(other)));
	// And the first with what the second makes of it.
	audit = other;
	commit_records(2);
	audit = mine;
	ck_assert(follow(audit, 3) && audit_followed(audit, stored_checkpoint(), detail));
	commit_records(1);
	audit_free(other);
	reopen();
	ck_assert_uint_eq(audit_next_index(audit), 6);
}
END_TEST

START_TEST(does_not_go_on_with_what_is_not_signed_or_not_next)
{
	char detail[AUDIT_DETAIL_BYTES] = "", early[NOTE_BYTES_MAX + 1];
	struct audit_log *other = NULL;
	ck_assert(audit_open(&options, &other, detail));
	commit_records(1);
	snprintf(early, sizeof early, "%s", stored_checkpoint());
	commit_records(2);
	ck_assert(!follow(other, 1));
	ck_assert(follow(other, 0));
	ck_assert(!audit_followed(other, early, detail));
	ck_assert_ptr_nonnull(strstr(detail, "does not match its checkpoint of 1"));
	ck_assert_uint_eq(audit_next_index(other), 0);
	ck_assert(follow(other, 0));
	ck_assert(!audit_followed(other, "", detail));
	ck_assert_ptr_nonnull(strstr(detail, "no checkpoint"));
	ck_assert(follow(other, 0) && audit_followed(other, stored_checkpoint(), detail));
	audit_free(other);
}
END_TEST

START_TEST(frees_nothing_without_complaint)
{
	audit_free(NULL);
}
END_TEST

// ------------------------------------------------------------------ logs that are not continued

static void refuses_to_open(const char *words)
{
	char detail[AUDIT_DETAIL_BYTES] = "";
	struct audit_log *untouched = audit, *ret = untouched;
	ck_assert(!audit_open(&options, &ret, detail));
	ck_assert_ptr_eq(ret, untouched);
	ck_assert_msg(strstr(detail, words) != NULL, "\"%s\" does not say \"%s\"", detail, words);
}

// As somebody who can write the file would.
static void edit(const char *sql)
{
	sqlite3 *database = NULL;
	close_all();
	ck_assert_int_eq(sqlite3_open(store_path, &database), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(database, "DROP TRIGGER IF EXISTS audit_is_not_updated;"
				      "DROP TRIGGER IF EXISTS audit_is_not_deleted;"
				      "DROP TRIGGER IF EXISTS audit_is_only_appended", NULL, NULL, NULL),
			 SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(database, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(database);
	open_store();
}

START_TEST(does_not_continue_a_log_signed_by_another_key)
{
	struct signing_key *other;
	commit_records(2);
	ck_assert_int_eq(signing_key_generate(&other), CERTS_OK);
	options.key = other;
	refuses_to_open("not signed by this log's key");
	signing_key_free(other);
}
END_TEST

START_TEST(does_not_continue_a_log_of_another_origin)
{
	commit_records(2);
	options.origin = "other.example/audit";
	refuses_to_open("not signed by this log's key");
}
END_TEST

START_TEST(does_not_continue_a_log_without_its_checkpoint)
{
	commit_records(2);
	edit("DELETE FROM checkpoint");
	refuses_to_open("no checkpoint");
}
END_TEST

START_TEST(does_not_continue_a_log_whose_last_record_is_gone)
{
	commit_records(3);
	edit("DELETE FROM audit WHERE idx = 2");
	refuses_to_open("cpis audit verify");
}
END_TEST

START_TEST(does_not_continue_a_log_that_lost_all_its_records)
{
	commit_records(3);
	edit("DELETE FROM audit");
	refuses_to_open("does not match its checkpoint of 3");
}
END_TEST

START_TEST(does_not_continue_a_log_with_a_hash_changed_or_missing)
{
	commit_records(4); // row 3 carries the root
	edit("UPDATE audit SET nodes = zeroblob(96) WHERE idx = 3");
	refuses_to_open("does not match its checkpoint");
	edit("UPDATE audit SET nodes = zeroblob(32) WHERE idx = 3");
	refuses_to_open("rows cannot be read");
}
END_TEST

START_TEST(does_not_continue_a_log_with_records_behind_its_checkpoint)
{
	commit_records(2);
	edit("INSERT INTO audit SELECT 2, salt, record, nodes, time_ms, organisation, subject, person"
	     " FROM audit WHERE idx = 0");
	refuses_to_open("has 3 records and does not match its checkpoint of 2");
}
END_TEST

START_TEST(does_not_reload_a_log_that_no_longer_matches)
{
	char detail[AUDIT_DETAIL_BYTES] = "";
	commit_records(2);
	begin();
	ck_assert_int_eq(store->ops->checkpoint_put(store, "not a note"), STORE_OK);
	ck_assert_int_eq(store->ops->commit(store), STORE_OK);
	ck_assert(!audit_reload(audit, detail));
	ck_assert_ptr_nonnull(strstr(detail, "not signed"));
}
END_TEST

static void add_records(Suite *suite)
{
	TCase *tests = tcase_create("records");
	tcase_add_checked_fixture(tests, start, stop);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, proves_every_record_old_and_new_at_every_size);
	tcase_add_test(tests, a_receipt_does_not_verify_with_anything_changed);
	tcase_add_test(tests, has_no_receipt_of_a_record_that_is_not_there);
	tcase_add_test(tests, writes_what_happened_into_the_record);
	tcase_add_test(tests, writes_a_record_of_a_request_that_could_not_be_read);
	tcase_add_test(tests, names_nobody_in_the_clear);
	tcase_add_test(tests, opens_a_stored_row_for_a_reviewer);
	tcase_add_test(tests, does_not_open_a_row_that_was_changed_or_moved);
	tcase_add_test(tests, says_when_a_record_a_receipt_or_an_entry_does_not_fit);
	suite_add_tcase(suite, tests);
}

static void add_batches(Suite *suite)
{
	TCase *tests = tcase_create("batches");
	tcase_add_checked_fixture(tests, start, stop);
	tcase_add_test(tests, an_abandoned_batch_leaves_nothing_and_the_next_takes_its_place);
	tcase_add_test(tests, a_batch_that_the_store_refuses_is_abandoned_whole);
	tcase_add_test(tests, reloads_rows_that_were_kept_although_the_commit_was_not_reported);
	tcase_add_test(tests, goes_on_with_what_another_has_appended_and_signed);
	tcase_add_test(tests, does_not_go_on_with_what_is_not_signed_or_not_next);
	tcase_add_test(tests, frees_nothing_without_complaint);
	tcase_add_test(tests, does_not_continue_a_log_signed_by_another_key);
	tcase_add_test(tests, does_not_continue_a_log_of_another_origin);
	tcase_add_test(tests, does_not_continue_a_log_without_its_checkpoint);
	tcase_add_test(tests, does_not_continue_a_log_whose_last_record_is_gone);
	tcase_add_test(tests, does_not_continue_a_log_that_lost_all_its_records);
	tcase_add_test(tests, does_not_continue_a_log_with_a_hash_changed_or_missing);
	tcase_add_test(tests, does_not_continue_a_log_with_records_behind_its_checkpoint);
	tcase_add_test(tests, does_not_reload_a_log_that_no_longer_matches);
	suite_add_tcase(suite, tests);
}

int main(void)
{
	Suite *suite = suite_create("audit");
	add_records(suite);
	add_batches(suite);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
