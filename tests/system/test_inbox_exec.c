// `cpis inbox follow --exec` with real programs: what each way of ending means, what the program is given and what not, and a
// SIGTERM with an item in hand.
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <check.h>

#include "tests/harness/world.h"
#include "tests/harness/world_client.h"

#define CHILDREN 3u
#define EMERGENCY CPIS__V1__CARE_SETTING__EMERGENCY_DEPARTMENT

static struct world *world;
static char number[CHILDREN][11];
static struct cpis_client *leeds, *nurse;

// Leeds has been told of a look at each child.
static void setup(void)
{
	world = world_new();
	world_start(world);
	leeds = world_sign_in(world, "leeds");
	nurse = world_sign_in(world, "nurse");
	for (unsigned i = 0; i < CHILDREN; i++) {
		world_nhs_number(i, number[i]);
		cpis_reply_free(world_publish(world, leeds, "383", number[i], CPIS__V1__PLAN_TYPE__CPP, "2026-01-01"));
		cpis_reply_free(world_details(nurse, number[i], EMERGENCY, CPIS__V1__ACCESS_TYPE__UNSCHEDULED));
	}
}

static void teardown(void)
{
	cpis_close(leeds);
	cpis_close(nurse);
	ck_assert_int_eq(world_stop(world), 0);
	world_free(world);
}

// A shell script of these lines; its path.
static const char *script(const char *lines)
{
	char text[1024];
	const char *path = world_path(world, "program");
	snprintf(text, sizeof text, "#!/bin/sh\n%s\n", lines);
	world_write_file(path, text);
	ck_assert_int_eq(chmod(path, 0700), 0);
	return path;
}

// The number of the item that is about this child, acknowledged how; 0: not acknowledged.
static Cpis__V1__Settlement settled(unsigned child)
{
	const Cpis__V1__Reply *reply = world_inbox(leeds, 0, true);
	Cpis__V1__Settlement found = CPIS__V1__SETTLEMENT__SETTLEMENT_UNSPECIFIED;
	ck_assert_int_eq(reply->outcome, CPIS__V1__OUTCOME__OK);
	for (size_t i = 0; i < reply->inbox_list->n_items; i++)
		if (strcmp(reply->inbox_list->items[i]->access->nhs_number, number[child]) == 0)
			found = reply->inbox_list->items[i]->settlement;
	cpis_reply_free(reply);
	return found;
}

static void expect_said(const char *words)
{
	ck_assert_msg(strstr(world_err(world), words) != NULL, "'%s' is not in: %s", words, world_err(world));
}

START_TEST(exit_0_acknowledges_and_the_program_was_given_the_item_and_no_secret)
{
	char *given, lines[512];
	const char *path = world_path(world, "given"), *environment = world_path(world, "environment");
	snprintf(lines, sizeof lines, "cat >> %s\nenv > %s\nls /proc/self/fd >> %s\necho $# arguments >> %s", path, environment,
		 environment, environment);
	ck_assert_int_eq(setenv("CPIS_PROFILE", "/secret/profile", 1), 0);
	ck_assert_int_eq(world_cpis(world, "leeds", "inbox", "follow", "--exec", script(lines), "--count", "2", NULL), 0);
	ck_assert_int_eq(unsetenv("CPIS_PROFILE"), 0);
	given = world_read_file(path, NULL);
	ck_assert_ptr_nonnull(strstr(given, number[0]));
	ck_assert_ptr_nonnull(strstr(given, number[1]));
	ck_assert_ptr_nonnull(strstr(given, "\"kind\":\"ACCESS\""));
	ck_assert_ptr_eq(strchr(strchr(given, '\n') + 1, '\n')[1] == '\0' ? given : NULL, given); // two lines
	free(given);
	given = world_read_file(environment, NULL);
	ck_assert_ptr_null(strstr(given, "CPIS"));
	ck_assert_ptr_nonnull(strstr(given, "PATH="));
	ck_assert_ptr_nonnull(strstr(given, "\n0 arguments"));
	ck_assert_ptr_null(strstr(given, "\n4\n")); // 3 is ls's own
	free(given);
	ck_assert_int_eq(settled(0), CPIS__V1__SETTLEMENT__SEEN);
	ck_assert_int_eq(settled(1), CPIS__V1__SETTLEMENT__SEEN);
	ck_assert_int_eq(settled(2), 0);
}
END_TEST

START_TEST(acted_on_comes_back_to_the_care_setting)
{
	ck_assert_int_eq(world_cpis(world, "leeds", "inbox", "follow", "--acted-on", "--exec", script("exit 0"), "--count", "1",
				    NULL), 0);
	ck_assert_int_eq(settled(0), CPIS__V1__SETTLEMENT__ACTED_ON);
	ck_assert_int_eq(world_cpis(world, "nurse", "inbox", "list", NULL), 0);
	ck_assert_ptr_nonnull(strstr(world_out(world), "was acted on"));
	ck_assert_ptr_nonnull(strstr(world_out(world), "Leeds City Council"));
}
END_TEST

START_TEST(a_program_that_reads_nothing_is_as_good_as_another)
{
	ck_assert_int_eq(world_cpis(world, "leeds", "inbox", "follow", "--exec", "/bin/true", "--count", "3", NULL), 0);
	ck_assert_int_eq(settled(2), CPIS__V1__SETTLEMENT__SEEN);
}
END_TEST

START_TEST(an_item_that_fails_is_tried_again_with_growing_pauses_and_holds_up_no_other)
{
	char lines[128];
	snprintf(lines, sizeof lines, "grep -q %s && exit 7\nexit 0", number[0]);
	ck_assert_int_eq(world_cpis(world, "leeds", "inbox", "follow", "--exec", script(lines), "--count", "4", NULL), 0);
	expect_said("item 1: ");
	expect_said("ended with exit code 7; it is tried again in 1 s");
	expect_said("ended with exit code 7; it is tried again in 2 s");
	ck_assert_int_eq(settled(0), 0);
	ck_assert_int_eq(settled(1), CPIS__V1__SETTLEMENT__SEEN);
	ck_assert_int_eq(settled(2), CPIS__V1__SETTLEMENT__SEEN);
}
END_TEST

START_TEST(a_program_that_is_killed_has_not_done_it)
{
	ck_assert_int_eq(world_cpis(world, "leeds", "inbox", "follow", "--exec", script("kill -9 $$"), "--count", "1", NULL), 0);
	expect_said("was ended by signal 9; it is tried again in 1 s");
	ck_assert_int_eq(settled(0), 0);
}
END_TEST

START_TEST(a_program_that_runs_too_long_is_killed_before_its_lease_is_over)
{
	ck_assert_int_eq(world_cpis(world, "leeds", "inbox", "follow", "--lease", "2", "--exec",
				    script("tail -f /dev/null &\nwait"), "--count", "1", NULL), 0);
	expect_said("was killed: it ran for longer than 1 s");
	ck_assert_int_eq(settled(0), 0);
}
END_TEST

START_TEST(what_is_no_program_takes_nothing)
{
	world_write_file(world_path(world, "text"), "not a program");
	ck_assert_int_eq(world_cpis(world, "leeds", "inbox", "follow", "--exec", world_path(world, "text"), NULL), 1);
	expect_said("is not a program that can be run");
	ck_assert_int_eq(world_cpis(world, "leeds", "inbox", "follow", "--exec", world_path(world, "."), NULL), 1);
	ck_assert_int_eq(world_cpis(world, "leeds", "inbox", "follow", "--exec", "/bin/true", "--lease", "1", NULL), 1);
	ck_assert_int_eq(world_cpis(world, "leeds", "inbox", "follow", "--exec", "/bin/true", "--after", "1", NULL), 1);
	ck_assert_int_eq(world_cpis(world, "leeds", "inbox", "follow", "--acted-on", NULL), 1);
	ck_assert_int_eq(world_cpis(world, "leeds", "inbox", "follow", "--box", "other", NULL), 1);
	const Cpis__V1__Reply *reply = world_inbox(leeds, 0, false);
	for (size_t i = 0; i < reply->inbox_list->n_items; i++)
		ck_assert_uint_eq(reply->inbox_list->items[i]->lease_until_ms, 0);
	cpis_reply_free(reply);
}
END_TEST

// ------------------------------------------------------------------ SIGTERM

static pid_t follow_in_background(const char *program)
{
	const char *build = getenv("BUILD"), *profile = world_path(world, "profiles/leeds.yaml");
	char path[512];
	snprintf(path, sizeof path, "%s/cpis", build == NULL ? "build" : build);
	pid_t pid = fork();
	if (pid == 0) {
		execl(path, "cpis", "--profile", profile, "inbox", "follow", "--exec", program, (char *)NULL);
		_exit(99);
	}
	ck_assert_int_gt(pid, 0);
	return pid;
}

static const char *pipe_in_files(const char *name)
{
	const char *path = world_path(world, "%s", name);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	return path;
}

START_TEST(a_sigterm_lets_the_item_in_hand_be_finished)
{
	char lines[512], line[16] = "";
	const char *begun = pipe_in_files("begun"), *go_on = pipe_in_files("go_on");
	int status;
	snprintf(lines, sizeof lines, "echo begun > %s\nread line < %s\nexit 0", begun, go_on);
	pid_t pid = follow_in_background(script(lines));
	int file = open(begun, O_RDONLY | O_CLOEXEC); // until the program opens it
	ck_assert_int_eq(read(file, line, 6), 6);
	close(file);
	ck_assert_int_eq(kill(pid, SIGTERM), 0);
	file = open(go_on, O_WRONLY | O_CLOEXEC);
	ck_assert_int_eq(write(file, "on\n", 3), 3);
	close(file);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	ck_assert_int_eq(settled(0), CPIS__V1__SETTLEMENT__SEEN);
	ck_assert_int_eq(settled(1), 0);
}
END_TEST

// ------------------------------------------------------------------ words

START_TEST(an_enquiry_and_its_answer_on_the_command_line)
{
	ck_assert_int_eq(world_cpis(world, "leeds", "enquiry", "send", "--about", "1", "--text", "Who brought the child?", NULL), 0);
	ck_assert_ptr_nonnull(strstr(world_out(world), "went to RXH"));
	ck_assert_int_eq(world_cpis(world, "leeds", "enquiry", "send", "--about", "1", "--text", "why?", NULL), 1);
	ck_assert_int_eq(world_cpis(world, "leeds", "enquiry", "send", "--about", "77", "--text", "Who brought the child?", NULL), 3);
	ck_assert_int_eq(world_cpis(world, "nurse", "inbox", "list", NULL), 0);
	ck_assert_ptr_nonnull(strstr(world_out(world), "Who brought the child?"));
	ck_assert_ptr_nonnull(strstr(world_out(world), "ring 0113 496 0")); // the office or the duty team, by the hour
	ck_assert_int_eq(world_cpis(world, "nurse", "enquiry", "answer", "--about", "1", "--text", "The grandmother did.", NULL), 0);
	ck_assert_int_eq(world_cpis(world, "nurse", "enquiry", "answer", "--about", "1", "--text", "The grandmother did.", NULL), 3);
	ck_assert_int_eq(world_cpis(world, "leeds", "--json", "inbox", "list", "--after", "3", NULL), 0);
	ck_assert_ptr_nonnull(strstr(world_out(world), "\"kind\": \"ANSWER\""));
	ck_assert_ptr_nonnull(strstr(world_out(world), "The grandmother did."));
	ck_assert_ptr_nonnull(strstr(world_out(world), "\"event\": \"DELIVERED\""));
}
END_TEST

START_TEST(a_missed_appointment_on_the_command_line)
{
	char today[11];
	world_date(0, 0, today);
	ck_assert_int_eq(world_cpis(world, "school_nurse", "not-brought", "--nhs-number", number[0], "--appointment", today, "--text",
				    "Second time.", NULL), 0);
	ck_assert_ptr_nonnull(strstr(world_out(world), "which has been told"));
	ck_assert_int_eq(world_cpis(world, "school_nurse", "not-brought", "--nhs-number", number[0], "--appointment", "soon", NULL), 1);
	ck_assert_int_eq(world_cpis(world, "school_nurse", "not-brought", "--nhs-number", "9990000019", "--appointment", today, NULL),
			 1);
	ck_assert_int_eq(world_cpis(world, "leeds", "inbox", "list", "--after", "3", NULL), 0);
	ck_assert_ptr_nonnull(strstr(world_out(world), "was not brought to the appointment of"));
	ck_assert_ptr_nonnull(strstr(world_out(world), "Second time."));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("inbox_exec");
	TCase *tests = tcase_create("exec");
	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, exit_0_acknowledges_and_the_program_was_given_the_item_and_no_secret);
	tcase_add_test(tests, acted_on_comes_back_to_the_care_setting);
	tcase_add_test(tests, a_program_that_reads_nothing_is_as_good_as_another);
	tcase_add_test(tests, an_item_that_fails_is_tried_again_with_growing_pauses_and_holds_up_no_other);
	tcase_add_test(tests, a_program_that_is_killed_has_not_done_it);
	tcase_add_test(tests, a_program_that_runs_too_long_is_killed_before_its_lease_is_over);
	tcase_add_test(tests, what_is_no_program_takes_nothing);
	tcase_add_test(tests, a_sigterm_lets_the_item_in_hand_be_finished);
	tcase_add_test(tests, an_enquiry_and_its_answer_on_the_command_line);
	tcase_add_test(tests, a_missed_appointment_on_the_command_line);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
