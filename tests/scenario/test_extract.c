// The emergency extract: what is in it is what would be shown today, each plan once over any pages; it alerts once, or nothing happened.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness/stage.h"

#define CPP CPIS__V1__PLAN_TYPE__CPP
#define TEXT(literal) ((char *)(uintptr_t)(literal))
#define CHILDREN 7u
#define SHOWN 4u
#define WHY "network works at the data centre on Saturday night"

static struct stage *stage;
static Cpis__V1__ExtractReadRequest body;
static Cpis__V1__Request request;
static char *recipients[1];

static void raise_curtain(void)
{
	stage = stage_new();
	stage_sign_in(stage, NURSE);
	stage_sign_in(stage, LEEDS_WORKER);
	stage_sign_in(stage, LEEDS_REVIEWER);
	stage_sign_in(stage, BRIGHTON_WORKER);
	stage_sign_in(stage, DEMOGRAPHER);
}

static void drop_curtain(void)
{
	stage_free(stage);
}

static Cpis__V1__Request *extract_request(uint32_t limit, const ProtobufCBinaryData *after)
{
	cpis__v1__extract_read_request__init(&body);
	cpis__v1__request__init(&request);
	recipients[0] = TEXT(stage_uid(LEEDS_REVIEWER));
	body.reason = TEXT(WHY);
	body.recipients = recipients;
	body.n_recipients = 1;
	body.limit = limit;
	if (after != NULL)
		body.after = *after;
	request.body_case = CPIS__V1__REQUEST__BODY_EXTRACT_READ;
	request.extract_read = &body;
	return &request;
}

static const struct stage_reply *extract(enum stage_person person, uint32_t limit, const ProtobufCBinaryData *after)
{
	return stage_act(stage, person, person, stage->now_ms, extract_request(limit, after));
}

static size_t alerts(void)
{
	Cpis__V1__AlertListRequest list = CPIS__V1__ALERT_LIST_REQUEST__INIT;
	Cpis__V1__Request asked = CPIS__V1__REQUEST__INIT;
	list.include_reviewed = true;
	asked.body_case = CPIS__V1__REQUEST__BODY_ALERT_LIST;
	asked.alert_list = &list;
	const struct stage_reply *got = stage_ask_as(stage, LEEDS_REVIEWER, &asked);
	stage_expect_ok(got);
	for (size_t i = 0; i < got->reply->alert_list->n_alerts; i++)
		ck_assert_int_eq(got->reply->alert_list->alerts[i]->kind, CPIS__V1__ALERT_KIND__EXTRACT);
	return got->reply->alert_list->n_alerts;
}

// Children 0 to 6 of Leeds: 2 has ended lately, 1 and 3 are withdrawn, 4 was corrected, 5 begins tomorrow; child 0 is known to
// Brighton, too.
static void publish(void)
{
	for (unsigned i = 0; i < CHILDREN; i++)
		stage_publish(stage, LEEDS_WORKER, stage_child(i), CPP, i == 5 ? "2026-10-21" : "2024-02-03", i == 2 ? "2026-10-01" : NULL, NULL);
	stage_publish(stage, LEEDS_WORKER, stage_child(1), CPP, "2024-02-03", NULL, "2026-10-19");
	stage_publish(stage, LEEDS_WORKER, stage_child(3), CPP, "2024-02-03", NULL, "2026-10-19");
	stage_publish(stage, LEEDS_WORKER, stage_child(4), CPP, "2024-02-04", NULL, NULL);
	stage_publish(stage, BRIGHTON_WORKER, stage_child(0), CPP, "2024-02-03", NULL, NULL);
}

static unsigned times_in(const Cpis__V1__ExtractReadReply *page, unsigned child)
{
	unsigned count = 0;
	for (size_t i = 0; i < page->n_plans; i++)
		count += strcmp(page->plans[i]->nhs_number, stage_child(child)) == 0;
	return count;
}

START_TEST(it_has_each_plan_that_is_shown_today_once)
{
	publish();
	const struct stage_reply *got = extract(LEEDS_WORKER, 0, NULL);
	stage_expect_ok(got);
	const Cpis__V1__ExtractReadReply *page = got->reply->extract_read;
	static const unsigned expected[] = {1, 0, 1, 0, 1, 0, 1};
	for (unsigned i = 0; i < CHILDREN; i++)
		ck_assert_msg(times_in(page, i) == expected[i], "child %u is in it %u times", i, times_in(page, i));
	ck_assert_uint_eq(page->n_plans, SHOWN);
	ck_assert_uint_eq(page->next.len, 0);
	ck_assert_str_eq(page->authority, "383");
	ck_assert_uint_gt(page->n_contacts, 0);
	for (size_t i = 0; i < page->n_plans; i++) {
		bool ended = strcmp(page->plans[i]->nhs_number, stage_child(2)) == 0;
		ck_assert_int_eq(page->plans[i]->status, ended ? CPIS__V1__PLAN_STATUS__ENDED : CPIS__V1__PLAN_STATUS__CURRENT);
		if (strcmp(page->plans[i]->nhs_number, stage_child(4)) == 0)
			ck_assert_str_eq(page->plans[i]->start_date, "2024-02-04");
	}
	// Its record says who, why, for whom, how many.
	ck_assert_uint_eq(alerts(), 1);
}
END_TEST

START_TEST(a_number_that_is_not_in_use_is_left_out)
{
	Cpis__V1__ResponderAnnounceRequest announce = CPIS__V1__RESPONDER_ANNOUNCE_REQUEST__INIT;
	Cpis__V1__NumberStatus number = CPIS__V1__NUMBER_STATUS__INIT, *numbers[] = {&number};
	Cpis__V1__Request told = CPIS__V1__REQUEST__INIT;
	publish();
	stage_ask_demographics(stage, true);
	number.nhs_number = TEXT(stage_child(6));
	number.status = CPIS__V1__DEMOGRAPHICS_STATUS__SENSITIVE;
	announce.numbers = numbers;
	announce.n_numbers = 1;
	told.body_case = CPIS__V1__REQUEST__BODY_RESPONDER_ANNOUNCE;
	told.responder_announce = &announce;
	stage_expect_ok(stage_ask_as(stage, DEMOGRAPHER, &told));
	const struct stage_reply *got = extract(LEEDS_WORKER, 0, NULL);
	stage_expect_ok(got);
	ck_assert_uint_eq(times_in(got->reply->extract_read, 6), 0);
	ck_assert_uint_eq(got->reply->extract_read->n_plans, SHOWN - 1);
}
END_TEST

START_TEST(over_pages_of_any_size_it_is_the_same)
{
	publish();
	for (uint32_t limit = 1; limit <= 14; limit++) {
		unsigned count[CHILDREN] = {0}, pages = 0;
		ProtobufCBinaryData after = {0, NULL};
		uint8_t cursor[EXTRACT_CURSOR_BYTES_MAX];
		do {
			const struct stage_reply *got = extract(LEEDS_WORKER, limit, &after);
			stage_expect_ok(got);
			const Cpis__V1__ExtractReadReply *page = got->reply->extract_read;
			ck_assert_int_eq(page->n_contacts > 0, pages == 0);
			for (unsigned i = 0; i < CHILDREN; i++)
				count[i] += times_in(page, i);
			ck_assert_uint_le(page->next.len, sizeof cursor);
			memcpy(cursor, page->next.data, page->next.len);
			after = (ProtobufCBinaryData){page->next.len, cursor};
			ck_assert_uint_lt(++pages, 20);
		} while (after.len > 0);
		ck_assert_uint_eq(count[0] + count[2] + count[4] + count[6], SHOWN);
		ck_assert_uint_eq(count[1] + count[3] + count[5], 0);
		// Of many pages the first alerts.
		ck_assert_uint_eq(alerts(), limit);
	}
}
END_TEST

START_TEST(it_is_granted_by_name_signed_and_for_the_own_staff)
{
	stage_expect(stage_ask_as(stage, LEEDS_WORKER, extract_request(0, NULL)), AUTHOR_CREDENTIALS_ERROR, "act_unsigned");
	stage_expect(extract(BRIGHTON_WORKER, 0, NULL), ACCESS_DENIED, "role_lacks_activity");
	stage_expect(extract(NURSE, 0, NULL), ACCESS_DENIED, "organisation_type");
	extract_request(0, NULL);
	recipients[0] = TEXT(stage_uid(BRIGHTON_WORKER));
	const struct stage_reply *got = stage_act(stage, LEEDS_WORKER, LEEDS_WORKER, stage->now_ms, &request);
	stage_expect(got, INVALID_VALUE, "invalid_value");
	ck_assert_ptr_nonnull(strstr(got->reply->reason, "people who hold a role at this authority"));
	extract_request(0, NULL);
	body.n_recipients = 0;
	stage_expect(stage_act(stage, LEEDS_WORKER, LEEDS_WORKER, stage->now_ms, &request), MESSAGE_NOT_WELL_FORMED, "message_not_well_formed");
	uint8_t wrong[3] = {1, 2, 3};
	const ProtobufCBinaryData cursor = {sizeof wrong, wrong};
	stage_expect(extract(LEEDS_WORKER, 0, &cursor), INVALID_VALUE, "invalid_value");
	ck_assert_uint_eq(alerts(), 0);
}
END_TEST

START_TEST(a_failure_at_any_call_gives_neither_plans_nor_alert)
{
	uint64_t n = 1;
	publish();
	for (;; n++) {
		stage->now_ms += STAGE_MINUTE_MS / 60;
		fault_store_mend(&stage->fault);
		stage->fault.fail_at = n;
		if (extract(LEEDS_WORKER, 0, NULL)->reply->outcome == CPIS__V1__OUTCOME__OK)
			break;
		fault_store_mend(&stage->fault);
		ck_assert_uint_eq(alerts(), 0);
	}
	ck_assert_uint_gt(n, 10);
	fault_store_mend(&stage->fault);
	ck_assert_uint_eq(alerts(), 1);
}
END_TEST

START_TEST(sent_again_it_alerts_once)
{
	uint8_t id[REQUEST_ID_BYTES] = {7};
	publish();
	for (int i = 0; i < 2; i++) {
		extract_request(0, NULL)->request_id = (ProtobufCBinaryData){sizeof id, id};
		const struct stage_reply *got = stage_act(stage, LEEDS_WORKER, LEEDS_WORKER, stage->now_ms, &request);
		stage_expect_ok(got);
		ck_assert_uint_eq(got->reply->extract_read->n_plans, SHOWN);
	}
	ck_assert_uint_eq(alerts(), 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("extract");
	TCase *all = tcase_create("extract");
	tcase_set_timeout(all, 120);
	tcase_add_checked_fixture(all, raise_curtain, drop_curtain);
	tcase_add_test(all, it_has_each_plan_that_is_shown_today_once);
	tcase_add_test(all, a_number_that_is_not_in_use_is_left_out);
	tcase_add_test(all, over_pages_of_any_size_it_is_the_same);
	tcase_add_test(all, it_is_granted_by_name_signed_and_for_the_own_staff);
	tcase_add_test(all, a_failure_at_any_call_gives_neither_plans_nor_alert);
	tcase_add_test(all, sent_again_it_alerts_once);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
