// The main job from end to end with the real programs: two authorities publish, staff look, authorities are told,
// auditors check, and the files at rest tell nothing.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "tests/harness/world.h"
#include "tests/harness/world_client.h"

#define LEEDS_NIGHT "0113 496 0000"
#define LEEDS_DAY "0113 496 0100"
#define BRIGHTON_NIGHT "01632 960001"
#define BRIGHTON_DAY "01632 960002"
#define LOCAL_ID "LCS-77-0001"
#define CSV_HEADER                                                                                    \
	"nhs_number,plan_type,start_date,end_date,delete_date,local_id,family_name,given_names,birth_date\n"
#define CHILD ",EXAMPLE,ALEX,2016-06-01\n"
#define MOTHERS ",EXAMPLE,BETH,1995-03-04\n"
#define UNSCHEDULED CPIS__V1__ACCESS_TYPE__UNSCHEDULED
#define SCHEDULED CPIS__V1__ACCESS_TYPE__SCHEDULED
#define NOT_SAID CPIS__V1__CARE_SETTING__CARE_SETTING_UNSPECIFIED
#define EMERGENCY CPIS__V1__CARE_SETTING__EMERGENCY_DEPARTMENT

enum child { LEEDS_CHILD, LOOKED_AFTER, SHARED, MOTHER, ENDED, NOT_YET, BRIGHTON_CHILD, NOBODY, CHILDREN };

static struct world *world;
static char number[CHILDREN][11];

static void write_files(void)
{
	char past[11], ended[11], ahead[11];
	char text[4096];
	world_date(0, 20, past);
	world_date(0, 3, ended);
	world_date(7, 0, ahead);
	snprintf(text, sizeof text,
		 CSV_HEADER "%s,CPP,%s,,," LOCAL_ID CHILD
			    "%s,LAC,%s,,,LCS-77-0002" CHILD
			    "%s,CPP,%s,,,LCS-77-0003" CHILD
			    "%s,UCPP,%s,,,LCS-77-0004" MOTHERS
			    "%s,CPP,%s,%s,,LCS-77-0005" CHILD
			    "%s,CPP,%s,,,LCS-77-0007" CHILD,
		 number[LEEDS_CHILD], past, number[LOOKED_AFTER], past, number[SHARED], past, number[MOTHER], past,
		 number[ENDED], past, ended, number[NOT_YET], ahead);
	world_write_file(world_path(world, "leeds.csv"), text);
	snprintf(text, sizeof text,
		 CSV_HEADER "%s,LAC,%s,,,BH-1" CHILD "%s,CPP,%s,,,BH-2" CHILD, number[SHARED], past, number[BRIGHTON_CHILD], past);
	world_write_file(world_path(world, "brighton.csv"), text);
}

static void setup(void)
{
	for (unsigned i = 0; i < CHILDREN; i++)
		world_nhs_number(i, number[i]);
	world = world_new();
	world_start(world);
	write_files();
	ck_assert_int_eq(world_cpis(world, "leeds", "contacts", "set", "--emergency-duty", LEEDS_NIGHT, "--office-hours",
				    LEEDS_DAY, NULL), 0);
	ck_assert_int_eq(world_cpis(world, "brighton", "contacts", "set", "--emergency-duty", BRIGHTON_NIGHT, "--office-hours",
				    BRIGHTON_DAY, NULL), 0);
	ck_assert_int_eq(world_cpis(world, "leeds", "publish", "--now", world_path(world, "leeds.csv"), NULL), 0);
	ck_assert_int_eq(world_cpis(world, "brighton", "publish", "--now", world_path(world, "brighton.csv"), NULL), 0);
}

static void teardown(void)
{
	world_free(world);
}

// A details call that must be answered OK. Its body is good until cpis_reply_free(reply).
static const Cpis__V1__Reply *look(struct cpis_client *client, enum child child, Cpis__V1__CareSetting setting,
				   Cpis__V1__AccessType type)
{
	const Cpis__V1__Reply *reply = world_details(client, number[child], setting, type);
	ck_assert_msg(reply->outcome == CPIS__V1__OUTCOME__OK, "%s", reply->reason_code);
	return reply;
}

// How many unacknowledged items `profile` finds for this child.
static unsigned told(const char *profile, enum child child)
{
	struct cpis_client *client = world_sign_in(world, profile);
	const Cpis__V1__Reply *reply = world_inbox(client, 0, false);
	unsigned count = 0;
	ck_assert_int_eq(reply->outcome, CPIS__V1__OUTCOME__OK);
	for (size_t i = 0; i < reply->inbox_list->n_items; i++)
		count += strcmp(reply->inbox_list->items[i]->access->nhs_number, number[child]) == 0;
	cpis_reply_free(reply);
	cpis_close(client);
	return count;
}

START_TEST(a_nurse_sees_plan_and_telephone_numbers_on_the_command_line)
{
	ck_assert_int_eq(world_cpis(world, "nurse", "query", number[LEEDS_CHILD], NULL), 0);
	ck_assert_int_eq(told("leeds", LEEDS_CHILD), 0);
	ck_assert_int_eq(world_cpis(world, "nurse", "query", "--details", number[LEEDS_CHILD], NULL), 0);
	ck_assert_ptr_nonnull(strstr(world_out(world), "Leeds City Council"));
	ck_assert_ptr_nonnull(strstr(world_out(world), LEEDS_NIGHT));
	ck_assert_ptr_nonnull(strstr(world_out(world), LEEDS_DAY));
	ck_assert_int_eq(told("leeds", LEEDS_CHILD), 1);
}
END_TEST

START_TEST(a_childs_two_authorities_are_both_told_and_nobody_else)
{
	struct cpis_client *nurse = world_sign_in(world, "nurse");
	const Cpis__V1__Reply *reply = look(nurse, SHARED, EMERGENCY, UNSCHEDULED);
	ck_assert_uint_eq(reply->details->n_plans, 2);
	ck_assert_int_eq(reply->details->notified, true);
	cpis_reply_free(reply);
	cpis_reply_free(look(nurse, BRIGHTON_CHILD, EMERGENCY, UNSCHEDULED));
	cpis_close(nurse);
	ck_assert_uint_eq(told("leeds", SHARED), 1);
	ck_assert_uint_eq(told("brighton", SHARED), 1);
	ck_assert_uint_eq(told("brighton", BRIGHTON_CHILD), 1);
	ck_assert_uint_eq(told("leeds", BRIGHTON_CHILD), 0);
}
END_TEST

START_TEST(a_notification_says_who_looked_from_where_and_at_which_record)
{
	struct cpis_client *paramedic = world_sign_in(world, "paramedic");
	const Cpis__V1__Reply *reply = look(paramedic, LEEDS_CHILD, NOT_SAID, UNSCHEDULED);
	uint64_t index = reply->receipt->index;
	cpis_reply_free(reply);
	cpis_close(paramedic);
	struct cpis_client *leeds = world_sign_in(world, "leeds_duty");
	reply = world_inbox(leeds, 0, false);
	ck_assert_uint_eq(reply->inbox_list->n_items, 1);
	const Cpis__V1__AccessNotification *item = reply->inbox_list->items[0]->access;
	ck_assert_str_eq(item->nhs_number, number[LEEDS_CHILD]);
	ck_assert_str_eq(item->local_id, LOCAL_ID);
	ck_assert_str_eq(item->uid, world_person("paramedic")->uid);
	ck_assert_str_eq(item->access->name, world_person("paramedic")->name);
	ck_assert_str_eq(item->access->organisation, "RYD");
	ck_assert_int_eq(item->access->care_setting, CPIS__V1__CARE_SETTING__AMBULANCE);
	ck_assert_uint_eq(item->audit_index, index);
	cpis_reply_free(reply);
	cpis_close(leeds);
}
END_TEST

START_TEST(a_midwife_finds_the_unborn_child_under_the_mothers_number_and_who_looked_before)
{
	struct cpis_client *nurse = world_sign_in(world, "nurse"), *midwife = world_sign_in(world, "midwife");
	cpis_reply_free(look(nurse, MOTHER, EMERGENCY, UNSCHEDULED));
	const Cpis__V1__Reply *reply =
		look(midwife, MOTHER, CPIS__V1__CARE_SETTING__MATERNITY, UNSCHEDULED);
	ck_assert_uint_eq(reply->details->n_plans, 1);
	ck_assert_int_eq(reply->details->plans[0]->type, CPIS__V1__PLAN_TYPE__UCPP);
	ck_assert_uint_eq(reply->details->n_accesses, 1);
	ck_assert_str_eq(reply->details->accesses[0]->name, world_person("nurse")->name);
	cpis_reply_free(reply);
	cpis_close(nurse);
	cpis_close(midwife);
}
END_TEST

START_TEST(a_school_nurse_looks_silently_and_is_in_the_audit_log)
{
	struct cpis_client *school = world_sign_in(world, "school_nurse"), *nurse = world_sign_in(world, "nurse");
	const Cpis__V1__Reply *reply = look(school, LEEDS_CHILD, NOT_SAID, SCHEDULED);
	ck_assert_uint_eq(reply->details->n_plans, 1);
	ck_assert_int_eq(reply->details->notified, false);
	cpis_reply_free(reply);
	ck_assert_uint_eq(told("leeds", LEEDS_CHILD), 0);
	reply = look(nurse, LEEDS_CHILD, EMERGENCY, UNSCHEDULED);
	ck_assert_uint_eq(reply->details->n_accesses, 0);
	cpis_reply_free(reply);
	cpis_close(school);
	cpis_close(nurse);
	ck_assert_int_eq(world_cpis(world, "guardian", "audit", "search", "--uid", world_person("school_nurse")->uid, NULL),
			 0);
	ck_assert_ptr_nonnull(strstr(world_out(world), "DETAILS"));
}
END_TEST

START_TEST(an_emergency_nurse_who_asks_for_silence_notifies_all_the_same)
{
	struct cpis_client *nurse = world_sign_in(world, "nurse");
	const Cpis__V1__Reply *reply = look(nurse, LEEDS_CHILD, EMERGENCY, SCHEDULED);
	ck_assert_int_eq(reply->details->notified, true);
	cpis_reply_free(reply);
	cpis_close(nurse);
	ck_assert_uint_eq(told("leeds", LEEDS_CHILD), 1);
}
END_TEST

START_TEST(a_receptionist_is_refused_with_the_reason)
{
	ck_assert_int_eq(world_cpis(world, "receptionist", "query", number[LEEDS_CHILD], NULL), 3);
	ck_assert_ptr_nonnull(strstr(world_err(world), "role_lacks_activity"));
	ck_assert_ptr_null(strstr(world_err(world), number[LEEDS_CHILD]));
	ck_assert_ptr_null(strstr(world_out(world), "Leeds"));
}
END_TEST

// What the reply says, without what tells one request from another.
static void assert_same_body(const Cpis__V1__Reply *a, const Cpis__V1__Reply *b)
{
	ck_assert_int_eq(a->outcome, b->outcome);
	ck_assert_int_eq(a->body_case, b->body_case);
	if (a->body_case == CPIS__V1__REPLY__BODY_FLAG) {
		ck_assert_int_eq(a->flag->flag, b->flag->flag);
		ck_assert_str_eq(a->flag->notice, b->flag->notice);
		return;
	}
	ck_assert_uint_eq(a->details->n_plans, b->details->n_plans);
	ck_assert_uint_eq(a->details->n_accesses, b->details->n_accesses);
	ck_assert_int_eq(a->details->notified, b->details->notified);
	ck_assert_str_eq(a->details->notice, b->details->notice);
}

START_TEST(an_unknown_number_looks_the_same_as_a_child_without_a_plan)
{
	struct cpis_client *nurse = world_sign_in(world, "nurse");
	const Cpis__V1__Reply *flag = world_flag(nurse, number[NOBODY], EMERGENCY);
	const Cpis__V1__Reply *details = look(nurse, NOBODY, EMERGENCY, UNSCHEDULED);
	ck_assert_int_eq(flag->flag->flag, false);
	ck_assert_uint_eq(details->details->n_plans, 0);
	const Cpis__V1__Reply *other = world_flag(nurse, number[NOT_YET], EMERGENCY);
	assert_same_body(flag, other);
	cpis_reply_free(other);
	other = look(nurse, NOT_YET, EMERGENCY, UNSCHEDULED);
	assert_same_body(details, other);
	cpis_reply_free(other);
	ck_assert_uint_eq(told("leeds", NOT_YET), 0);
	cpis_reply_free(flag);
	cpis_reply_free(details);
	cpis_close(nurse);
	ck_assert_int_eq(world_cpis(world, "nurse", "query", number[NOBODY], NULL), 0);
}
END_TEST

START_TEST(a_plan_that_ended_lately_is_shown_as_ended)
{
	struct cpis_client *nurse = world_sign_in(world, "nurse");
	const Cpis__V1__Reply *reply = look(nurse, ENDED, EMERGENCY, UNSCHEDULED);
	ck_assert_uint_eq(reply->details->n_plans, 1);
	ck_assert_int_eq(reply->details->plans[0]->status, CPIS__V1__PLAN_STATUS__ENDED);
	cpis_reply_free(reply);
	cpis_close(nurse);
}
END_TEST

START_TEST(a_withdrawn_plan_is_gone_at_once)
{
	char text[512], start[11], today[11];
	world_date(0, 20, start);
	world_date(0, 0, today);
	snprintf(text, sizeof text, CSV_HEADER "%s,CPP,%s,,%s," LOCAL_ID CHILD,
		 number[LEEDS_CHILD], start, today);
	world_write_file(world_path(world, "withdraw.csv"), text);
	ck_assert_int_eq(world_cpis(world, "leeds", "publish", "--now", world_path(world, "withdraw.csv"), NULL), 0);
	struct cpis_client *nurse = world_sign_in(world, "nurse");
	const Cpis__V1__Reply *reply = world_flag(nurse, number[LEEDS_CHILD], EMERGENCY);
	ck_assert_int_eq(reply->flag->flag, false);
	cpis_reply_free(reply);
	cpis_close(nurse);
}
END_TEST

START_TEST(bad_rows_are_named_and_good_ones_stored)
{
	char text[1024], start[11];
	world_date(0, 1, start);
	snprintf(text, sizeof text,
		 CSV_HEADER "%s,CPP,%s,,,A" CHILD "9990000019,CPP,%s,,,B" CHILD "%s,LAC,2026-02-30,,,C" CHILD,
		 number[NOBODY], start, start, number[NOBODY]);
	world_write_file(world_path(world, "partial.csv"), text);
	ck_assert_int_eq(world_cpis(world, "leeds", "publish", "--now", world_path(world, "partial.csv"), NULL), 5);
	ck_assert_ptr_nonnull(strstr(world_out(world), "CPF03"));
	ck_assert_ptr_nonnull(strstr(world_out(world), "CPR04"));
	ck_assert_ptr_nonnull(strstr(world_out(world), "CPR07"));
	struct cpis_client *nurse = world_sign_in(world, "nurse");
	const Cpis__V1__Reply *reply = world_flag(nurse, number[NOBODY], EMERGENCY);
	ck_assert_int_eq(reply->flag->flag, true);
	cpis_reply_free(reply);
	cpis_close(nurse);
}
END_TEST

START_TEST(an_acknowledged_notification_leaves_the_list_and_keeps_the_name)
{
	struct cpis_client *nurse = world_sign_in(world, "nurse"), *leeds = world_sign_in(world, "leeds");
	cpis_reply_free(look(nurse, LEEDS_CHILD, EMERGENCY, UNSCHEDULED));
	cpis_close(nurse);
	ck_assert_int_eq(world_cpis(world, "leeds", "inbox", "list", NULL), 0);
	ck_assert_ptr_nonnull(strstr(world_out(world), LOCAL_ID));
	ck_assert_int_eq(world_cpis(world, "leeds", "inbox", "ack", "1", NULL), 0);
	ck_assert_uint_eq(told("leeds", LEEDS_CHILD), 0);
	const Cpis__V1__Reply *reply = world_inbox(leeds, 0, true);
	ck_assert_uint_eq(reply->inbox_list->n_items, 1);
	ck_assert_uint_eq(reply->inbox_list->unacknowledged, 0);
	ck_assert_str_eq(reply->inbox_list->items[0]->acknowledged_by, world_person("leeds")->name);
	cpis_reply_free(reply);
	cpis_close(leeds);
}
END_TEST

START_TEST(a_number_can_come_from_standard_input)
{
	char command[600];
	const char *profile = world_path(world, "profiles/nurse.yaml"), *build = getenv("BUILD");
	snprintf(command, sizeof command, "echo '%.3s %.3s %s' | %s/cpis --profile %s query -", number[LEEDS_CHILD],
		 number[LEEDS_CHILD] + 3, number[LEEDS_CHILD] + 6, build == NULL ? "build" : build, profile);
	const char *shell[] = {"sh", "-c", command, NULL};
	ck_assert_int_eq(world_command(world, shell), 0);
	ck_assert_ptr_nonnull(strstr(world_out(world), "known to children's social care"));
	snprintf(command, sizeof command, "%s/cpis --profile %s query - < /dev/null", build == NULL ? "build" : build, profile);
	ck_assert_int_eq(world_command(world, shell), 1);
}
END_TEST

START_TEST(following_the_inbox_prints_each_notification_once)
{
	ck_assert_int_eq(world_cpis(world, "nurse", "query", "--details", number[LEEDS_CHILD], NULL), 0);
	ck_assert_int_eq(world_cpis(world, "paramedic", "query", "--details", number[SHARED], NULL), 0);
	ck_assert_int_eq(world_cpis(world, "leeds", "inbox", "follow", "--count", "2", "--interval", "100", NULL), 0);
	ck_assert_ptr_nonnull(strstr(world_out(world), number[LEEDS_CHILD]));
	ck_assert_ptr_nonnull(strstr(world_out(world), number[SHARED]));
	ck_assert_int_eq(world_cpis(world, "leeds", "--json", "inbox", "follow", "--count", "1", "--after", "1", NULL), 0);
	ck_assert_ptr_null(strstr(world_out(world), number[LEEDS_CHILD]));
	ck_assert_ptr_nonnull(strstr(world_out(world), number[SHARED]));
	ck_assert_ptr_nonnull(strchr(world_out(world), '\n'));
	ck_assert_str_eq(strchr(world_out(world), '\n'), "\n"); // one object, one line
	ck_assert_int_eq(world_cpis(world, "leeds", "inbox", "follow", "--interval", "5", NULL), 1);
}
END_TEST

START_TEST(auditors_search_show_and_verify_within_their_remit)
{
	ck_assert_int_eq(world_cpis(world, "nurse", "query", "--details", number[LEEDS_CHILD], NULL), 0);
	ck_assert_int_eq(world_cpis(world, "paramedic", "query", "--details", number[LEEDS_CHILD], NULL), 0);

	ck_assert_int_eq(world_cpis(world, "guardian", "audit", "search", "--nhs-number", number[LEEDS_CHILD], NULL), 0);
	ck_assert_ptr_nonnull(strstr(world_out(world), world_person("nurse")->uid));
	ck_assert_ptr_nonnull(strstr(world_out(world), world_person("paramedic")->uid));
	ck_assert_int_eq(
		world_cpis(world, "privacy_officer", "audit", "search", "--nhs-number", number[LEEDS_CHILD], NULL), 0);
	ck_assert_ptr_nonnull(strstr(world_out(world), world_person("nurse")->uid));
	ck_assert_ptr_null(strstr(world_out(world), world_person("paramedic")->uid));
	ck_assert_int_eq(world_cpis(world, "privacy_officer", "audit", "search", "--organisation", "RYD", NULL), 3);
	ck_assert_int_eq(world_cpis(world, "nurse", "audit", "search", NULL), 3);

	ck_assert_int_eq(world_cpis(world, "guardian", "audit", "show", "1", NULL), 0);
	// Record 1 is Leeds's publication: not the hospital's business.
	ck_assert_int_ne(world_cpis(world, "privacy_officer", "audit", "show", "1", NULL), 0);
	ck_assert_int_eq(world_cpis(world, NULL, "audit", "verify", "--database", world_path(world, "store.db"),
				    "--log-key", world_path(world, "authority/trust/log.vkey"), "--checkpoint",
				    world_path(world, "profiles/nurse.checkpoint"), NULL),
			 0);
	ck_assert_int_eq(world_stop(world), 0);
	ck_assert_int_eq(world_cpis(world, NULL, "audit", "verify", "--database", world_path(world, "store.db"),
				    "--log-key", world_path(world, "authority/trust/log.vkey"), NULL),
			 0);
}
END_TEST

static void assert_tells_nothing(const char *path)
{
	const char *secrets[CHILDREN + 64] = {LEEDS_NIGHT, LEEDS_DAY, BRIGHTON_NIGHT, BRIGHTON_DAY, LOCAL_ID, "LCS-77",
					      "BH-1"};
	size_t count = 7, bytes;
	for (size_t i = 0; i < CHILDREN; i++)
		secrets[count++] = number[i];
	for (const struct world_person *person = world_people; person->profile != NULL; person++) {
		secrets[count++] = person->uid;
		secrets[count++] = person->name;
	}
	char *text = world_read_file(path, &bytes);
	ck_assert_uint_gt(bytes, 0);
	for (size_t i = 0; i < count; i++)
		ck_assert_msg(memmem(text, bytes, secrets[i], strlen(secrets[i])) == NULL, "%s holds %s", path, secrets[i]);
	free(text);
}

START_TEST(database_and_logs_tell_nothing_about_children_staff_or_telephones)
{
	ck_assert_int_eq(world_cpis(world, "nurse", "query", "--details", number[SHARED], NULL), 0);
	ck_assert_int_eq(world_cpis(world, "receptionist", "query", number[SHARED], NULL), 3);
	ck_assert_int_eq(world_cpis(world, "leeds", "inbox", "ack", "1", NULL), 0);
	// The live files first: what a stolen disk or a backup would hold.
	assert_tells_nothing(world_path(world, "store.db-wal"));
	assert_tells_nothing(world_path(world, "store.db"));
	ck_assert_int_eq(world_stop(world), 0);
	assert_tells_nothing(world_path(world, "store.db"));
	assert_tells_nothing(world_path(world, "broker.log"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("main_job");
	TCase *tests = tcase_create("main_job");
	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, a_nurse_sees_plan_and_telephone_numbers_on_the_command_line);
	tcase_add_test(tests, a_childs_two_authorities_are_both_told_and_nobody_else);
	tcase_add_test(tests, a_notification_says_who_looked_from_where_and_at_which_record);
	tcase_add_test(tests, a_midwife_finds_the_unborn_child_under_the_mothers_number_and_who_looked_before);
	tcase_add_test(tests, a_school_nurse_looks_silently_and_is_in_the_audit_log);
	tcase_add_test(tests, an_emergency_nurse_who_asks_for_silence_notifies_all_the_same);
	tcase_add_test(tests, a_receptionist_is_refused_with_the_reason);
	tcase_add_test(tests, an_unknown_number_looks_the_same_as_a_child_without_a_plan);
	tcase_add_test(tests, a_plan_that_ended_lately_is_shown_as_ended);
	tcase_add_test(tests, a_withdrawn_plan_is_gone_at_once);
	tcase_add_test(tests, bad_rows_are_named_and_good_ones_stored);
	tcase_add_test(tests, an_acknowledged_notification_leaves_the_list_and_keeps_the_name);
	tcase_add_test(tests, a_number_can_come_from_standard_input);
	tcase_add_test(tests, following_the_inbox_prints_each_notification_once);
	tcase_add_test(tests, auditors_search_show_and_verify_within_their_remit);
	tcase_add_test(tests, database_and_logs_tell_nothing_about_children_staff_or_telephones);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
