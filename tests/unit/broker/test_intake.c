// Who is next and who is told to come later.
#include "broker/intake.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "broker/limits.h"
#include "proto/wire.h"

#define QUEUED_MAX 1000u
#define PER_SYSTEM_MAX 300u
#define BUSY_AFTER_MS 200u

static struct intake *intake;

static void set_up(void)
{
	const struct intake_limits limits = {QUEUED_MAX, PER_SYSTEM_MAX, BUSY_AFTER_MS};
	intake = intake_new(&limits);
	ck_assert_ptr_nonnull(intake);
}

static void tear_down(void)
{
	intake_free(intake);
	intake_free(NULL);
	intake_item_free(NULL);
}

static struct intake_item *make(uint8_t system, enum intake_class intake_class, uint64_t number)
{
	struct intake_item *item = calloc(1, sizeof *item);
	ck_assert_ptr_nonnull(item);
	memset(item->key, system, KEY_BYTES);
	item->intake_class = intake_class;
	item->arrived_us = number;
	return item;
}

// Puts one that has to be taken.
static void put(uint8_t system, enum intake_class intake_class, uint64_t number)
{
	ck_assert_ptr_null(intake_put(intake, make(system, intake_class, number)));
}

// The number of the next one.
static uint64_t take(uint8_t *ret_system)
{
	struct intake_item *item = intake_take(intake);
	ck_assert_ptr_nonnull(item);
	uint64_t number = item->arrived_us;
	if (ret_system != NULL)
		*ret_system = item->key[0];
	intake_item_free(item);
	return number;
}

// A core that needs `us` for each.
static void set_pace(uint64_t us)
{
	uint64_t now_us = 1000000;
	put(99, INTAKE_BULK, 0);
	for (unsigned i = 0; i < 100; i++, now_us += 50000)
		intake_carried_out(intake, (unsigned)(50000 / us), now_us);
	take(NULL);
}

START_TEST(what_one_system_asks_is_answered_in_its_order)
{
	ck_assert_ptr_null(intake_take(intake));
	for (uint64_t i = 0; i < PER_SYSTEM_MAX; i++)
		put(1, INTAKE_EVERYDAY, i);
	ck_assert_uint_eq(intake_waiting(intake), PER_SYSTEM_MAX);
	for (uint64_t i = 0; i < PER_SYSTEM_MAX; i++)
		ck_assert_uint_eq(take(NULL), i);
	ck_assert_uint_eq(intake_waiting(intake), 0);
	ck_assert_ptr_null(intake_take(intake));
}
END_TEST

START_TEST(systems_take_turns_however_much_one_has_waiting)
{
	uint8_t system;
	for (uint64_t i = 0; i < 200; i++)
		put(1, INTAKE_URGENT, i);
	put(2, INTAKE_URGENT, 1000);
	put(3, INTAKE_URGENT, 2000);
	put(2, INTAKE_URGENT, 1001);
	static const uint8_t expected[] = {1, 2, 3, 1, 2, 1, 1};
	for (size_t i = 0; i < sizeof expected; i++) {
		take(&system);
		ck_assert_uint_eq(system, expected[i]);
	}
}
END_TEST

START_TEST(urgent_ones_go_first_and_bulk_is_not_starved)
{
	unsigned taken[INTAKE_CLASSES] = {0};
	for (uint64_t i = 0; i < 160; i++)
		for (enum intake_class j = 0; j < INTAKE_CLASSES; j++)
			put((uint8_t)(1 + j), j, 0);
	for (unsigned i = 0; i < 160; i++) {
		uint8_t system;
		take(&system);
		taken[system - 1]++;
	}
	ck_assert_uint_eq(taken[INTAKE_URGENT], 110);
	ck_assert_uint_eq(taken[INTAKE_EVERYDAY], 40);
	ck_assert_uint_eq(taken[INTAKE_BULK], 10);
}
END_TEST

START_TEST(nobody_has_more_waiting_than_one_system_may)
{
	for (uint64_t i = 0; i < PER_SYSTEM_MAX; i++)
		put(1, i % 2 == 0 ? INTAKE_URGENT : INTAKE_BULK, i);
	struct intake_item *item = make(1, INTAKE_URGENT, 7);
	ck_assert_ptr_eq(intake_put(intake, item), item);
	intake_item_free(item);
	put(2, INTAKE_BULK, 8);
}
END_TEST

START_TEST(who_waits_least_pushes_out_who_waits_most)
{
	for (uint64_t i = 0; i < PER_SYSTEM_MAX; i++)
		for (uint8_t j = 1; j <= 3; j++)
			put(j, INTAKE_URGENT, i);
	for (uint64_t i = 0; i < QUEUED_MAX - 3 * PER_SYSTEM_MAX; i++)
		put(4, INTAKE_URGENT, i);
	struct intake_item *out = intake_put(intake, make(5, INTAKE_URGENT, 9));
	ck_assert_ptr_nonnull(out);
	ck_assert_uint_le(out->key[0], 3);
	ck_assert_uint_eq(out->arrived_us, PER_SYSTEM_MAX - 1);
	intake_item_free(out);
	ck_assert_uint_eq(intake_waiting(intake), QUEUED_MAX);
}
END_TEST

START_TEST(bulk_is_pushed_out_before_any_clinician_is)
{
	for (uint64_t i = 0; i < PER_SYSTEM_MAX; i++)
		for (uint8_t j = 1; j <= 3; j++)
			put(j, INTAKE_URGENT, i);
	for (uint64_t i = 0; i < QUEUED_MAX - 3 * PER_SYSTEM_MAX; i++)
		put(4, INTAKE_BULK, i);
	struct intake_item *out = intake_put(intake, make(1, INTAKE_EVERYDAY, 9));
	// One system may not have more than its share, whoever else has bulk waiting.
	ck_assert_uint_eq(out->key[0], 1);
	intake_item_free(out);
	out = intake_put(intake, make(5, INTAKE_URGENT, 9));
	ck_assert_uint_eq(out->key[0], 4);
	ck_assert_int_eq(out->intake_class, INTAKE_BULK);
	intake_item_free(out);
	// Bulk does not push out anybody's look.
	out = intake_put(intake, make(6, INTAKE_BULK, 10));
	ck_assert_int_eq(out->intake_class, INTAKE_BULK);
	intake_item_free(out);
}
END_TEST

START_TEST(no_more_wait_than_will_be_carried_out_in_time)
{
	set_pace(1000); // 200 ms are 200 of them
	unsigned taken = 0, refused = 0;
	for (unsigned i = 0; i < 500; i++) {
		struct intake_item *out = intake_put(intake, make((uint8_t)(1 + i % 8), INTAKE_URGENT, i));
		if (out != NULL)
			refused++;
		else
			taken++;
		intake_item_free(out);
	}
	ck_assert_uint_ge(taken, 195);
	ck_assert_uint_le(taken, 205);
	ck_assert_uint_eq(taken + refused, 500);
	ck_assert_uint_ge(intake_retry_after_ms(intake), 195);
	ck_assert_uint_le(intake_retry_after_ms(intake), 205);
}
END_TEST

START_TEST(however_slow_the_core_is_some_may_wait)
{
	set_pace(50000);
	for (unsigned i = 0; i < INTAKE_QUEUED_MIN; i++)
		put((uint8_t)(1 + i), INTAKE_URGENT, i);
	struct intake_item *out = intake_put(intake, make(200, INTAKE_URGENT, 0));
	ck_assert_ptr_nonnull(out);
	intake_item_free(out);
	ck_assert_uint_ge(intake_retry_after_ms(intake), 3000);
	ck_assert_uint_le(intake_retry_after_ms(intake), 5000);
}
END_TEST

// Whoever is refused is asked to wait as long as it takes to carry out what waits, but not longer than somebody is there to see it.
START_TEST(nobody_is_asked_to_wait_longer_than_five_seconds)
{
	const struct intake_limits limits = {QUEUED_MAX, PER_SYSTEM_MAX, 2 * INTAKE_RETRY_AFTER_MS_MAX};
	intake_free(intake);
	intake = intake_new(&limits);
	ck_assert_ptr_nonnull(intake);
	set_pace(50000);
	unsigned waiting = INTAKE_RETRY_AFTER_MS_MAX / 50;
	for (unsigned i = 1; i < waiting; i++)
		put(1, INTAKE_URGENT, i);
	ck_assert_uint_eq(intake_retry_after_ms(intake), INTAKE_RETRY_AFTER_MS_MAX - 50);
	put(1, INTAKE_URGENT, waiting);
	ck_assert_uint_eq(intake_retry_after_ms(intake), INTAKE_RETRY_AFTER_MS_MAX);
	put(1, INTAKE_URGENT, waiting + 1);
	ck_assert_uint_eq(intake_retry_after_ms(intake), INTAKE_RETRY_AFTER_MS_MAX);
}
END_TEST

START_TEST(a_core_without_work_is_not_thought_slow)
{
	// Credit that comes back while nothing waits says nothing of the pace.
	for (unsigned i = 0; i < 10; i++)
		intake_carried_out(intake, 1, 1000000 * (uint64_t)(i + 1));
	for (uint64_t i = 0; i < QUEUED_MAX; i++)
		put((uint8_t)(1 + i % 10), INTAKE_URGENT, i);
}
END_TEST

static enum intake_class class_of(Cpis__V1__Request__BodyCase body, void *message)
{
	uint8_t id[REQUEST_ID_BYTES] = {1}, packed[300];
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	request.protocol_version = PROTOCOL_VERSION;
	request.deadline_ms = 1000;
	request.request_id = (ProtobufCBinaryData){sizeof id, id};
	request.body_case = body;
	request.ping = message;
	ck_assert_uint_le(cpis__v1__request__get_packed_size(&request), sizeof packed);
	return intake_class_of(packed, cpis__v1__request__pack(&request, packed));
}

START_TEST(a_message_is_sorted_by_what_it_asks_for)
{
	Cpis__V1__PingRequest ping = CPIS__V1__PING_REQUEST__INIT;
	Cpis__V1__FlagRequest flag = CPIS__V1__FLAG_REQUEST__INIT;
	Cpis__V1__DetailsRequest details = CPIS__V1__DETAILS_REQUEST__INIT;
	Cpis__V1__AuditSearchRequest search = CPIS__V1__AUDIT_SEARCH_REQUEST__INIT;
	Cpis__V1__PublicationRecordsRequest records = CPIS__V1__PUBLICATION_RECORDS_REQUEST__INIT;
	Cpis__V1__RetentionReleaseRequest release = CPIS__V1__RETENTION_RELEASE_REQUEST__INIT;
	ck_assert_int_eq(class_of(CPIS__V1__REQUEST__BODY_PING, &ping), INTAKE_EVERYDAY);
	ck_assert_int_eq(class_of(CPIS__V1__REQUEST__BODY_FLAG, &flag), INTAKE_URGENT);
	ck_assert_int_eq(class_of(CPIS__V1__REQUEST__BODY_DETAILS, &details), INTAKE_URGENT);
	ck_assert_int_eq(class_of(CPIS__V1__REQUEST__BODY_AUDIT_SEARCH, &search), INTAKE_BULK);
	ck_assert_int_eq(class_of(CPIS__V1__REQUEST__BODY_PUBLICATION_RECORDS, &records), INTAKE_BULK);
	// The last body that there is.
	ck_assert_int_eq(class_of(CPIS__V1__REQUEST__BODY_RETENTION_RELEASE, &release), INTAKE_EVERYDAY);
	ck_assert_int_eq(intake_class_of(NULL, 0), INTAKE_EVERYDAY);
	ck_assert_int_eq(intake_class_of((const uint8_t *)"nonsense", 8), INTAKE_EVERYDAY);
	static const uint8_t far[] = {0xfa, 0xff, 0xff, 0xff, 0x0f, 0x00};
	ck_assert_int_eq(intake_class_of(far, sizeof far), INTAKE_EVERYDAY);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("intake");
	TCase *tests = tcase_create("intake");
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, what_one_system_asks_is_answered_in_its_order);
	tcase_add_test(tests, systems_take_turns_however_much_one_has_waiting);
	tcase_add_test(tests, urgent_ones_go_first_and_bulk_is_not_starved);
	tcase_add_test(tests, nobody_has_more_waiting_than_one_system_may);
	tcase_add_test(tests, who_waits_least_pushes_out_who_waits_most);
	tcase_add_test(tests, bulk_is_pushed_out_before_any_clinician_is);
	tcase_add_test(tests, no_more_wait_than_will_be_carried_out_in_time);
	tcase_add_test(tests, however_slow_the_core_is_some_may_wait);
	tcase_add_test(tests, nobody_is_asked_to_wait_longer_than_five_seconds);
	tcase_add_test(tests, a_core_without_work_is_not_thought_slow);
	tcase_add_test(tests, a_message_is_sorted_by_what_it_asks_for);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
