// The identity of the child with the real programs: cpis-demographics over a file of synthetic people, `cpis publish`, and what
// is shown when a number goes out of use.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <check.h>

#include "tests/harness/world_client.h"
#include "tests/harness/world_process.h"

#define HEADER "nhs_number,family_name,given_names,birth_date,sex,status\n"
#define PLANS                                                                                         \
	"nhs_number,plan_type,start_date,end_date,delete_date,local_id,family_name,given_names,birth_date\n"

enum who { ACTIVE, HIDDEN, MERGED, GONE, DEAD, MOTHER, STRANGER, PEOPLE };

static struct world *world;
static struct world_process process;
static char number[PEOPLE][11];

static const char *write_people(const char *status_of_active)
{
	char text[2048];
	snprintf(text, sizeof text,
		 HEADER "%s,O'Neill,Zoë Marie,2016-03-01,female,%s\n"
			"%s,Hidden,Ada,2015-01-02,female,sensitive\n"
			"%s,Merged,Ben,2014-01-02,male,superseded\n"
			"%s,Gone,Cid,2013-01-02,male,invalid\n"
			"%s,Dead,Dot,2012-01-02,female,deceased\n"
			"%s,\"de la Cruz\",Eva,1995-01-02,female,active\n",
		 number[ACTIVE], status_of_active, number[HIDDEN], number[MERGED], number[GONE], number[DEAD], number[MOTHER]);
	// Replaced whole, as people do it who do not want half of it read.
	world_write_file(world_path(world, "people.new"), text);
	ck_assert_int_eq(rename(world_path(world, "people.new"), world_path(world, "people.csv")), 0);
	return world_path(world, "people.csv");
}

static void setup(void)
{
	for (unsigned i = 0; i < PEOPLE; i++)
		world_nhs_number(i, number[i]);
	process = (struct world_process){0};
	world = world_new();
	world_ask_demographics(world);
	world_start(world);
	ck_assert_int_eq(world_cpis(world, "leeds", "contacts", "set", "--emergency-duty", "0113 496 0000", NULL), 0);
}

static void teardown(void)
{
	if (process.pid != 0)
		kill(process.pid, SIGKILL);
	world_free(world);
}

// One plan of Leeds's, published by `cpis publish`: its exit code.
static int publish(enum who who, const char *type, const char *family, const char *given, const char *born)
{
	char text[1024], start[11];
	world_date(0, 3, start);
	snprintf(text, sizeof text, PLANS "%s,%s,%s,,,L-%d,%s,%s,%s\n", number[who], type, start, (int)who, family,
		 given, born);
	world_write_file(world_path(world, "plan.csv"), text);
	return world_cpis(world, "leeds", "--timeout", "4000", "publish", "--now", world_path(world, "plan.csv"), NULL);
}

static bool printed(const char *text)
{
	return strstr(world_out(world), text) != NULL;
}

static bool is_known(enum who who)
{
	ck_assert_int_eq(world_cpis(world, "nurse", "query", number[who], NULL), 0);
	return printed("This child is known");
}

START_TEST(a_child_with_the_right_name_and_date_of_birth_is_published)
{
	world_start_demographics(world, &process, write_people("active"));
	ck_assert_int_eq(publish(ACTIVE, "CPP", "ONeill", "Zoe Marie", "2016-03-01"), 0);
	ck_assert(is_known(ACTIVE));
	ck_assert_int_eq(publish(MOTHER, "UCPP", "De La Cruz", "Eva", "1995-01-02"), 0);
	ck_assert_int_eq(publish(DEAD, "CPP", "Dead", "Dot", "2012-01-02"), 0);
	ck_assert_int_eq(world_process_end(world, &process, SIGTERM), 0);
}
END_TEST

static const struct {
	enum who who;
	const char *type, *family, *given, *born, *code;
} refused[] = {
	{STRANGER, "CPP", "Any", "Body", "2016-03-01", "CPR01"},
	{HIDDEN, "CPP", "Hidden", "Ada", "2015-01-02", "CPR02"},
	{ACTIVE, "CPP", "Okafor", "Zoe", "2016-03-01", "CPR03"},
	{ACTIVE, "CPP", "O'Neill", "Marie-Zoe", "2016-03-01", "CPR03"},
	{ACTIVE, "CPP", "O'Neill", "Zoe", "2016-01-03", "CPR03"}, // day and month exchanged
	// Who does not know the child does not learn that its number is special.
	{HIDDEN, "CPP", "Other", "Ada", "2015-01-02", "CPR03"},
	{GONE, "CPP", "Other", "Cid", "2013-01-02", "CPR03"},
	{MERGED, "CPP", "Merged", "Ben", "2014-01-02", "CPR05"},
	{GONE, "CPP", "Gone", "Cid", "2013-01-02", "CPR05"},
};

START_TEST(each_other_outcome_is_named_and_nothing_is_stored)
{
	world_start_demographics(world, &process, write_people("active"));
	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
		ck_assert_int_eq(publish(refused[i].who, refused[i].type, refused[i].family, refused[i].given, refused[i].born), 1);
		ck_assert_msg(printed(refused[i].code), "%zu: %s", i, world_out(world));
		ck_assert(!is_known(refused[i].who));
	}
}
END_TEST

START_TEST(without_the_service_the_file_is_to_be_sent_again)
{
	ck_assert_int_eq(publish(ACTIVE, "CPP", "O'Neill", "Zoe", "2016-03-01"), 2);
	ck_assert_ptr_nonnull(strstr(world_err(world), "CPF05"));
	ck_assert(!is_known(ACTIVE));
	world_start_demographics(world, &process, write_people("active"));
	ck_assert_int_eq(publish(ACTIVE, "CPP", "O'Neill", "Zoe", "2016-03-01"), 0);
	ck_assert(is_known(ACTIVE));
}
END_TEST

// What `query` prints, without what is another with each request.
static char *shown(enum who who)
{
	ck_assert_int_eq(world_cpis(world, "nurse", "query", "--details", number[who], NULL), 0);
	char *text = strdup(world_out(world));
	ck_assert_ptr_nonnull(text);
	char *record = strstr(text, "Recorded as no.");
	if (record != NULL)
		*record = '\0';
	return text;
}

START_TEST(a_number_that_goes_out_of_use_is_hidden_and_its_authority_told_once)
{
	static const char *const statuses[] = {"superseded", "invalid", "sensitive"};
	world_start_demographics(world, &process, write_people("active"));
	ck_assert_int_eq(publish(ACTIVE, "CPP", "O'Neill", "Zoe", "2016-03-01"), 0);
	char *nobody = shown(STRANGER);
	for (size_t i = 0; i < 3; i++) {
		long mark = world_process_mark(&process);
		write_people(statuses[i]);
		world_process_wait(world, &process, mark, "announced");
		char *hidden = shown(ACTIVE);
		ck_assert_str_eq(hidden, nobody);
		free(hidden);
	}
	free(nobody);
	struct cpis_client *leeds = world_sign_in(world, "leeds");
	const Cpis__V1__Reply *inbox = world_inbox(leeds, 0, true);
	ck_assert_uint_eq(inbox->inbox_list->n_items, 1);
	ck_assert_int_eq(inbox->inbox_list->items[0]->kind_case, CPIS__V1__INBOX_ITEM__KIND_INACTIVE_NUMBER);
	ck_assert_str_eq(inbox->inbox_list->items[0]->inactive_number->nhs_number, number[ACTIVE]);
	ck_assert_str_eq(inbox->inbox_list->items[0]->inactive_number->local_id, "L-0");
	cpis_reply_free(inbox);
	cpis_close(leeds);
	long mark = world_process_mark(&process);
	write_people("active");
	world_process_wait(world, &process, mark, "announced");
	ck_assert(is_known(ACTIVE));
}
END_TEST

START_TEST(a_file_that_cannot_be_read_leaves_the_people_there_are)
{
	world_start_demographics(world, &process, write_people("active"));
	long mark = world_process_mark(&process);
	world_write_file(world_path(world, "people.csv"), HEADER "9990000019,A,B,2020-01-01,male,active\n");
	world_process_wait(world, &process, mark, "people.csv:2: nhs_number is not one; the people before stay");
	ck_assert_int_eq(publish(ACTIVE, "CPP", "O'Neill", "Zoe", "2016-03-01"), 0);
}
END_TEST

START_TEST(a_bad_file_ends_it_at_the_start_with_its_line)
{
	static const char *const bad[] = {
		"",
		"nhs_number,family_name\n",
		HEADER "%s,A,B,2020-01-01,male\n",
		HEADER "%s,A,B,2020-01-01,male,active,more\n",
		HEADER "%s,-,B,2020-01-01,male,active\n",
		HEADER "%s,A,B,2020-02-30,male,active\n",
		HEADER "%s,A,B,2020-01-01,m,active\n",
		HEADER "%s,A,B,2020-01-01,male,alive\n",
		HEADER "\"%s,A,B,2020-01-01,male,active\n",
		HEADER "%s,A\xff,B,2020-01-01,male,active\n",
	};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		char text[512], *place;
		snprintf(text, sizeof text, "%s", bad[i]);
		if ((place = strstr(text, "%s")) != NULL) {
			memmove(place + 10, place + 2, strlen(place + 2) + 1);
			memcpy(place, number[ACTIVE], 10);
		}
		world_write_file(world_path(world, "bad.csv"), text);
		world_process_start(world, &process, "cpis-demographics", "--profile",
				    world_path(world, "profiles/demographics.yaml"), world_path(world, "bad.csv"), NULL);
		ck_assert_int_eq(WEXITSTATUS(world_process_wait_exit(world, &process)), 1);
		char *log = world_read_file(process.log, NULL);
		ck_assert_ptr_nonnull(strstr(log, "bad.csv:"));
		free(log);
	}
}
END_TEST

START_TEST(who_is_not_named_by_the_register_ends_and_says_why)
{
	const char *csv = write_people("active");
	world_process_start(world, &process, "cpis-demographics", "--profile", world_path(world, "profiles/neighbour.yaml"), csv,
			    NULL);
	ck_assert_int_eq(WEXITSTATUS(world_process_wait_exit(world, &process)), 3);
	char *log = world_read_file(process.log, NULL);
	ck_assert_ptr_nonnull(strstr(log, "responder_scope"));
	free(log);
}
END_TEST

START_TEST(it_comes_back_when_the_broker_was_restarted)
{
	world_start_demographics(world, &process, write_people("active"));
	long mark = world_process_mark(&process);
	world_kill(world);
	world_start(world);
	world_process_wait(world, &process, mark, "announced");
	// It has nothing to announce, so that its next question may still be on its way: 2 is "try again", and the test has a deadline.
	int code;
	while ((code = publish(ACTIVE, "CPP", "O'Neill", "Zoe", "2016-03-01")) == 2)
		;
	ck_assert_int_eq(code, 0);
	ck_assert_int_eq(world_process_end(world, &process, SIGTERM), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("demographics");
	TCase *tests = tcase_create("demographics");
	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, a_child_with_the_right_name_and_date_of_birth_is_published);
	tcase_add_test(tests, each_other_outcome_is_named_and_nothing_is_stored);
	tcase_add_test(tests, without_the_service_the_file_is_to_be_sent_again);
	tcase_add_test(tests, a_number_that_goes_out_of_use_is_hidden_and_its_authority_told_once);
	tcase_add_test(tests, a_file_that_cannot_be_read_leaves_the_people_there_are);
	tcase_add_test(tests, a_bad_file_ends_it_at_the_start_with_its_line);
	tcase_add_test(tests, who_is_not_named_by_the_register_ends_and_says_why);
	tcase_add_test(tests, it_comes_back_when_the_broker_was_restarted);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
