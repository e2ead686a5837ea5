// The ZAP handler on the enrolment endpoint: any key is let in there, and is nobody elsewhere.
#include <string.h>

#include "tests/harness/suite.h"
#include "tests/unit/broker/zap_asker.h"

#define ENROLLING_MAX 3

static void set_up_enrolling(void)
{
	const struct zap_limits limits = {
		.connections_max = 2, .connections_per_system_max = 2, .enrolling_connections_max = ENROLLING_MAX};
	set_up();
	ck_assert(zap_start(context, enrolment->admission, &limits, &zap));
	asker = new_asker();
}

static bool is_enrolling(const char *handle)
{
	uint8_t key[KEY_BYTES];
	return zap_lookup(zap, ZAP_ENROLLING, handle, key);
}

START_TEST(any_key_is_let_in_to_enrol_and_is_nobody_elsewhere)
{
	uint8_t key[KEY_BYTES];
	struct reply reply = ask_enrolling(enrolment->stranger.public_key);
	ck_assert_str_eq(reply.status, "200");
	ck_assert_uint_eq(strlen(reply.user_id), ZAP_HANDLE_BYTES - 1);
	ck_assert_mem_eq(reply.metadata + 13, reply.user_id, 32);
	ck_assert(zap_lookup(zap, ZAP_ENROLLING, reply.user_id, key));
	ck_assert_mem_eq(key, enrolment->stranger.public_key, KEY_BYTES);
	ck_assert(!knows(reply.user_id));
	struct reply main_reply = ask(enrolment->stranger.public_key);
	assert_refused(&main_reply, "400");
	ck_assert_uint_eq(zap_read_counters(zap).admitted, 0);
	ck_assert_uint_eq(zap_read_counters(zap).enrolling_admitted, 1);
}
END_TEST

START_TEST(an_enrolled_key_too_is_of_the_class_of_the_socket_it_came_to)
{
	char handle[ZAP_HANDLE_BYTES];
	admit(KEY_OF(ENROLMENT_HOSPITAL), handle);
	ck_assert(knows(handle) && !is_enrolling(handle));
	struct reply reply = ask_enrolling(KEY_OF(ENROLMENT_HOSPITAL));
	ck_assert(is_enrolling(reply.user_id) && !knows(reply.user_id));
	reply = ask_enrolling(KEY_OF(ENROLMENT_EXPIRED));
	ck_assert(is_enrolling(reply.user_id) && !knows(reply.user_id));
}
END_TEST

START_TEST(strangers_push_nobody_out_and_come_later_when_there_are_too_many)
{
	char systems[2][ZAP_HANDLE_BYTES];
	struct reply strangers[ENROLLING_MAX];
	for (int i = 0; i < 2; i++)
		admit(KEY_OF(ENROLMENT_HOSPITAL), systems[i]);
	for (int i = 0; i < ENROLLING_MAX; i++) {
		ck_assert(!zap_enrolling_is_full(zap));
		// One key may have them all: keys cost nothing.
		strangers[i] = ask_enrolling(enrolment->stranger.public_key);
		ck_assert_str_eq(strangers[i].status, "200");
	}
	ck_assert(zap_enrolling_is_full(zap));
	struct reply late = ask_enrolling(KEY_OF(ENROLMENT_LEEDS));
	assert_refused(&late, "300");
	ck_assert_uint_eq(zap_read_counters(zap).enrolling_refused, 1);
	for (int i = 0; i < ENROLLING_MAX; i++)
		ck_assert(is_enrolling(strangers[i].user_id));
	ck_assert(knows(systems[0]) && knows(systems[1]));
	zap_forget_enrolling(zap);
	ck_assert(!zap_enrolling_is_full(zap));
	for (int i = 0; i < ENROLLING_MAX; i++)
		ck_assert(!is_enrolling(strangers[i].user_id));
	ck_assert(knows(systems[0]) && knows(systems[1]));
	ck_assert_str_eq(ask_enrolling(KEY_OF(ENROLMENT_LEEDS)).status, "200");
}
END_TEST

START_TEST(nobody_enrols_while_no_register_is_there)
{
	zap_set_admission(zap, NULL);
	struct reply reply = ask_enrolling(enrolment->stranger.public_key);
	assert_refused(&reply, "300");
}
END_TEST

START_TEST(without_an_enrolment_endpoint_its_domain_is_malformed)
{
	struct question question = question_for(enrolment->stranger.public_key);
	question.frames[3] = (struct frame){"cpis-enrol", 10};
	assert_malformed(&question);
}
END_TEST

START_TEST(domains_are_taken_by_the_letter)
{
	static const char *const domains[] = {"", "cpis-", "cpis-enro", "cpis-enroll", "CPIS-ENROL", "cpis-enrol ", "enrol"};
	for (size_t i = 0; i < sizeof domains / sizeof domains[0]; i++) {
		struct question question = question_for(KEY_OF(ENROLMENT_HOSPITAL));
		question.frames[3] = (struct frame){domains[i], strlen(domains[i])};
		assert_malformed(&question);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("zap_enrolling");
	TCase *started = tcase_create("started"), *enrolling = tcase_create("enrolling");
	tcase_add_checked_fixture(started, set_up_started, tear_down);
	tcase_set_timeout(started, 120);
	tcase_add_test(started, without_an_enrolment_endpoint_its_domain_is_malformed);
	suite_add_tcase(suite, started);
	tcase_add_checked_fixture(enrolling, set_up_enrolling, tear_down);
	tcase_set_timeout(enrolling, 120);
	tcase_add_test(enrolling, any_key_is_let_in_to_enrol_and_is_nobody_elsewhere);
	tcase_add_test(enrolling, an_enrolled_key_too_is_of_the_class_of_the_socket_it_came_to);
	tcase_add_test(enrolling, strangers_push_nobody_out_and_come_later_when_there_are_too_many);
	tcase_add_test(enrolling, nobody_enrols_while_no_register_is_there);
	tcase_add_test(enrolling, domains_are_taken_by_the_letter);
	suite_add_tcase(suite, enrolling);
	return suite_run(suite);
}
