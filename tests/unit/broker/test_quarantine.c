// The quarantine list: as many entries as there is room for, and all of them read back after a restart.
#include "broker/quarantine.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/broker/sealed_store.h"

#define NOW_MS UINT64_C(1700000000000)
#define END_MS (NOW_MS + 1000)

static struct quarantine *quarantine;

static void start(void)
{
	sealed_store_make();
	ck_assert(quarantine_new(store, vault, &quarantine) && quarantine_load(quarantine));
}

static void finish(void)
{
	quarantine_free(quarantine);
	sealed_store_remove();
}

// With everything as long as it can be; the first byte of the serial number stays what a certificate can have.
static struct certificate_serial serial_of(unsigned number)
{
	struct certificate_serial serial = {.bytes_count = SERIAL_BYTES_MAX};
	memset(serial.bytes, 0x11, sizeof serial.bytes);
	memcpy(serial.bytes + 1, &number, sizeof number);
	return serial;
}

static enum store_status hold_until(unsigned number, uint64_t since_ms, uint64_t until_ms, bool *ret_replaced)
{
	Cpis__V1__QuarantineEntry entry = CPIS__V1__QUARANTINE_ENTRY__INIT;
	const struct certificate_serial serial = serial_of(number);
	char target[2 * SERIAL_BYTES_MAX + 1], reason[TEXT_BYTES_MAX + 1], name[TEXT_BYTES_MAX + 1];
	certificate_serial_format(&serial, target);
	memset(reason, 'r', TEXT_BYTES_MAX);
	memset(name, 'n', TEXT_BYTES_MAX);
	reason[TEXT_BYTES_MAX] = name[TEXT_BYTES_MAX] = '\0';
	entry.kind = CPIS__V1__QUARANTINE_KIND__CERTIFICATE;
	entry.target = target;
	entry.reason = reason;
	entry.owner_name = name;
	entry.owner_uid = "555000000001";
	entry.owner_organisation = "A00000";
	entry.since_ms = since_ms;
	entry.until_ms = until_ms;
	entry.audit_index = INT64_MAX;
	arena_reset(&arena);
	return quarantine_put(quarantine, &arena, &entry, ret_replaced);
}

static enum store_status hold(unsigned number, bool *ret_replaced)
{
	return hold_until(number, NOW_MS, END_MS, ret_replaced);
}

static bool held(unsigned number)
{
	const struct certificate_serial serial = serial_of(number);
	return quarantine_holds_person(quarantine, "555000000002", &serial, NOW_MS);
}

static enum store_status lift(unsigned number)
{
	const struct certificate_serial serial = serial_of(number);
	char target[2 * SERIAL_BYTES_MAX + 1];
	certificate_serial_format(&serial, target);
	return quarantine_lift(quarantine, CPIS__V1__QUARANTINE_KIND__CERTIFICATE, target);
}

// Who asks for the list has this room, whatever else is in the batch: core_priv.h.
static void assert_rows_take_less_than_a_request(void)
{
	struct arena room;
	struct store_quarantine *rows = NULL;
	size_t count = 0;
	ck_assert(arena_init(&room, 3 * ARENA_BYTES));
	ck_assert_int_eq(quarantine_rows(quarantine, &room, &rows, &count), STORE_OK);
	ck_assert_uint_eq(count, QUARANTINE_ENTRIES_MAX);
	arena_done(&room);
}

START_TEST(there_are_4096_entries_and_all_are_read_back)
{
	bool replaced;
	ck_assert_int_eq(store->ops->begin(store), STORE_OK);
	for (unsigned i = 0; i < QUARANTINE_ENTRIES_MAX; i++)
		ck_assert_int_eq(hold(i, &replaced), STORE_OK);
	ck_assert_int_eq(hold(QUARANTINE_ENTRIES_MAX, &replaced), STORE_NO_MEMORY);
	ck_assert_int_eq(hold(0, &replaced), STORE_OK); // one that is there can be changed
	ck_assert(replaced);
	ck_assert_int_eq(store->ops->commit(store), STORE_OK);
	ck_assert(quarantine_load(quarantine));
	for (unsigned i = 0; i < QUARANTINE_ENTRIES_MAX; i++)
		ck_assert(held(i));
	ck_assert(!held(QUARANTINE_ENTRIES_MAX));
	assert_rows_take_less_than_a_request();
	ck_assert_int_eq(store->ops->begin(store), STORE_OK);
	ck_assert_int_eq(hold(QUARANTINE_ENTRIES_MAX, &replaced), STORE_NO_MEMORY);
	ck_assert_int_eq(lift(7), STORE_OK); // which makes room for one
	ck_assert_int_eq(hold(QUARANTINE_ENTRIES_MAX, &replaced), STORE_OK);
	ck_assert(!replaced && !held(7) && held(QUARANTINE_ENTRIES_MAX));
	store->ops->rollback(store);
}
END_TEST

START_TEST(in_a_full_list_one_that_ended_makes_room_and_no_other)
{
	const unsigned ended = 99, next = QUARANTINE_ENTRIES_MAX;
	bool replaced;
	ck_assert_int_eq(store->ops->begin(store), STORE_OK);
	for (unsigned i = 0; i < QUARANTINE_ENTRIES_MAX; i++)
		ck_assert_int_eq(hold_until(i, NOW_MS, i == ended ? END_MS : 0, &replaced), STORE_OK);
	ck_assert_int_eq(store->ops->commit(store), STORE_OK);
	ck_assert_int_eq(store->ops->begin(store), STORE_OK);
	ck_assert_int_eq(hold_until(next, END_MS - 1, 0, &replaced), STORE_NO_MEMORY);
	ck_assert_int_eq(hold_until(next, END_MS, 0, &replaced), STORE_OK);
	ck_assert(!replaced && held(next));
	ck_assert_int_eq(hold_until(next + 1, END_MS, 0, &replaced), STORE_NO_MEMORY);
	// Given up: what made room is there again.
	store->ops->rollback(store);
	ck_assert(quarantine_load(quarantine));
	ck_assert(held(ended) && !held(next));
	ck_assert_int_eq(store->ops->begin(store), STORE_OK);
	ck_assert_int_eq(hold_until(next, END_MS, 0, &replaced), STORE_OK);
	ck_assert_int_eq(store->ops->commit(store), STORE_OK);
	ck_assert(quarantine_load(quarantine));
	for (unsigned i = 0; i <= QUARANTINE_ENTRIES_MAX; i++)
		ck_assert(held(i) == (i != ended));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("quarantine");
	TCase *tests = tcase_create("quarantine");
	tcase_set_timeout(tests, 30);
	tcase_add_checked_fixture(tests, start, finish);
	tcase_add_test(tests, there_are_4096_entries_and_all_are_read_back);
	tcase_add_test(tests, in_a_full_list_one_that_ended_makes_room_and_no_other);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
