// A neighbouring register beside the broker's own, with the real programs: what a clinician sees when it answers, and when it
// does not: late, wrongly signed, crashed, nonsense, nobody there. Never a "no" that nobody gave.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <check.h>

#include "proto/answer.h"
#include "proto/nhs_number.h"
#include "tests/harness/world_client.h"
#include "tests/harness/world_process.h"

#define NIGHT "01632 960100"
#define DAY "01632 960200"
#define HEADER "nhs_number,plan_type,start_date,end_date,organisation,authority,emergency_duty_telephone,office_hours_telephone\n"
#define REGISTER_NAME "Register of the Next Country"
#define FIRST 9995000000ull

static struct world *world;
static struct world_process process;
static char known[11], unknown[11], ended[11], outside[11];

// The number'th valid NHS number of the neighbour's range.
static void number_in_range(unsigned number, char out[11])
{
	for (unsigned long long at = FIRST;; at++) {
		struct nhs_number ignored;
		snprintf(out, 11, "%010llu", at);
		if (nhs_number_parse(out, 10, &ignored) == NHS_NUMBER_OK && number-- == 0)
			return;
	}
}

static const char *write_plans(void)
{
	char text[1024], start[11], end[11];
	world_date(0, 10, start);
	world_date(0, 2, end);
	snprintf(text, sizeof text, HEADER "%s,CPP,%s,,7W1,Aberdyfi County Council,%s,%s\n%s,LAC,%s,%s,7W2,Harlech Council,%s,\n",
		 known, start, NIGHT, DAY, ended, start, end, NIGHT);
	world_write_file(world_path(world, "neighbour.csv"), text);
	return world_path(world, "neighbour.csv");
}

static void setup(void)
{
	number_in_range(0, known);
	number_in_range(1, unknown);
	number_in_range(2, ended);
	world_nhs_number(0, outside);
	process = (struct world_process){0};
	world = world_new();
	world_start(world);
}

static void teardown(void)
{
	if (process.pid != 0)
		kill(process.pid, SIGKILL);
	world_free(world);
}

static bool printed(const char *text)
{
	return strstr(world_out(world), text) != NULL;
}

// What every failure must look like: the name, no "no", exit 5.
static void assert_not_available(const char *nhs_number)
{
	ck_assert_int_eq(world_cpis(world, "nurse", "--timeout", "3000", "query", "--details", nhs_number, NULL), 5);
	ck_assert(printed("NOT AVAILABLE: " REGISTER_NAME " could not be asked. This is NOT a \"no\""));
	ck_assert(printed("could NOT be found out"));
	ck_assert(printed("so this is no \"no\""));
	ck_assert(!printed("No plan is known here"));
	ck_assert_int_eq(world_cpis(world, "nurse", "--timeout", "3000", "--json", "query", nhs_number, NULL), 5);
	ck_assert(printed("\"not_available_from\": [\"" REGISTER_NAME "\"]") ||
		  printed("\"not_available_from\":[\"" REGISTER_NAME "\"]") || printed("\"" REGISTER_NAME "\""));
}

// ------------------------------------------------------------------ it answers

START_TEST(a_nurse_sees_a_neighbours_plan_and_whom_to_ring_there)
{
	world_start_neighbour(world, &process, write_plans());
	ck_assert_int_eq(world_cpis(world, "nurse", "query", known, NULL), 0);
	ck_assert(printed("This child is known to children's social care."));
	ck_assert_int_eq(world_cpis(world, "nurse", "query", "--details", known, NULL), 0);
	ck_assert(printed("Aberdyfi County Council (7W1)"));
	ck_assert(printed(NIGHT));
	ck_assert(printed(DAY));
	ck_assert(printed("RING NOW"));
	ck_assert(!printed("NOT AVAILABLE"));
	ck_assert_int_eq(world_cpis(world, "nurse", "query", "--details", ended, NULL), 0);
	ck_assert(printed("ENDED"));
	ck_assert_int_eq(world_process_end(world, &process, SIGTERM), 0);
}
END_TEST

START_TEST(a_neighbours_no_is_a_no)
{
	world_start_neighbour(world, &process, write_plans());
	ck_assert_int_eq(world_cpis(world, "nurse", "query", "--details", unknown, NULL), 0);
	ck_assert(printed("No plan is known here"));
	ck_assert(!printed("NOT AVAILABLE"));
}
END_TEST

START_TEST(a_neighbour_is_told_of_a_look_at_its_plans_and_it_enters_the_history)
{
	world_start_neighbour(world, &process, write_plans());
	ck_assert_int_eq(world_cpis(world, "nurse", "query", "--details", known, NULL), 0);
	ck_assert_int_eq(world_cpis(world, "neighbour", "inbox", "list", NULL), 0);
	ck_assert(printed(known));
	ck_assert(printed(world_person("nurse")->name));
	ck_assert_int_eq(world_cpis(world, "paramedic", "query", "--details", known, NULL), 0);
	ck_assert(printed(world_person("nurse")->name));
}
END_TEST

START_TEST(a_silent_look_and_a_flag_tell_the_neighbours_inbox_nothing)
{
	world_start_neighbour(world, &process, write_plans());
	ck_assert_int_eq(world_cpis(world, "nurse", "query", known, NULL), 0);
	ck_assert_int_eq(world_cpis(world, "school_nurse", "query", "--details", "--scheduled", known, NULL), 0);
	ck_assert_int_eq(world_cpis(world, "neighbour", "inbox", "list", NULL), 0);
	ck_assert(!printed(known));
	ck_assert_int_eq(world_cpis(world, "nurse", "query", "--details", known, NULL), 0);
	ck_assert(!printed(world_person("school_nurse")->name));
}
END_TEST

START_TEST(what_both_registers_know_is_shown_together)
{
	char text[512], start[11];
	world_date(0, 5, start);
	snprintf(text, sizeof text,
		 "nhs_number,plan_type,start_date,family_name,given_names,birth_date\n%s,LAC,%s,Bevan,Ada,2018-01-02\n", known,
		 start);
	world_write_file(world_path(world, "leeds.csv"), text);
	ck_assert_int_eq(world_cpis(world, "leeds", "contacts", "set", "--emergency-duty", "0113 496 0000", NULL), 0);
	ck_assert_int_eq(world_cpis(world, "leeds", "publish", "--now", world_path(world, "leeds.csv"), NULL), 0);
	world_start_neighbour(world, &process, write_plans());
	ck_assert_int_eq(world_cpis(world, "nurse", "query", "--details", known, NULL), 0);
	ck_assert(printed("Leeds City Council"));
	ck_assert(printed("Aberdyfi County Council"));
	// Without the neighbour ours is shown, and that there may be more.
	ck_assert_int_eq(world_process_end(world, &process, SIGKILL), SIGKILL);
	ck_assert_int_eq(world_cpis(world, "nurse", "--timeout", "3000", "query", "--details", known, NULL), 5);
	ck_assert(printed("Leeds City Council"));
	ck_assert(printed("NOT AVAILABLE: " REGISTER_NAME));
	ck_assert(printed("there may be more than is shown here"));
}
END_TEST

START_TEST(the_question_is_found_in_the_audit_log_by_the_childs_number)
{
	world_start_neighbour(world, &process, write_plans());
	ck_assert_int_eq(world_cpis(world, "nurse", "query", known, NULL), 0);
	ck_assert_int_eq(world_cpis(world, "guardian", "audit", "search", "--nhs-number", known, NULL), 0);
	ck_assert(printed("RESPONDER_TAKE"));
	ck_assert(printed("RESPONDER_ANSWER"));
	ck_assert(printed("FLAG"));
}
END_TEST

START_TEST(it_comes_back_when_the_broker_was_restarted)
{
	world_start_neighbour(world, &process, write_plans());
	long mark = world_process_mark(&process);
	world_kill(world);
	world_start(world);
	world_process_wait(world, &process, mark, "ready");
	ck_assert_int_eq(world_cpis(world, "nurse", "query", known, NULL), 0);
	ck_assert(printed("This child is known"));
	ck_assert_int_eq(world_process_end(world, &process, SIGTERM), 0);
}
END_TEST

START_TEST(a_responder_that_the_register_does_not_name_says_so_and_ends)
{
	const char *csv = write_plans();
	world_process_start(world, &process, "cpis-responder", "--profile", world_path(world, "profiles/demographics.yaml"),
			    "--range", WORLD_NEIGHBOUR_RANGE, csv, NULL);
	int status = world_process_wait_exit(world, &process);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 3);
	char *log = world_read_file(process.log, NULL);
	ck_assert_ptr_nonnull(strstr(log, "responder_scope"));
	free(log);
}
END_TEST

START_TEST(a_bad_file_or_command_line_ends_it_before_anything_is_sent)
{
	static const char *const bad[] = {"",
					  "nhs_number\n",
					  HEADER "9990000019,CPP,2026-01-01,,7W1,X,01632 960100,\n",
					  HEADER "%s,CPP,yesterday,,7W1,X,01632 960100,\n",
					  HEADER "%s,CPP,2026-01-01,2025-01-01,7W1,X,01632 960100,\n",
					  HEADER "%s,PLAN,2026-01-01,,7W1,X,01632 960100,\n",
					  HEADER "%s,CPP,2026-01-01,,7W1,X,none,\n",
					  HEADER "%s,CPP,2026-01-01,,7W1,,01632 960100,\n",
					  HEADER "%s,CPP,2026-01-01,,7w1,X,01632 960100,\n",
					  HEADER "%s,CPP\n",
					  HEADER "\"%s,CPP,2026-01-01,,7W1,X,01632 960100,\n"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		const char *path = world_path(world, "bad.csv"), *place = strstr(bad[i], "%s");
		char text[512];
		snprintf(text, sizeof text, "%.*s%s%s", (int)(place == NULL ? strlen(bad[i]) : (size_t)(place - bad[i])), bad[i],
			 place == NULL ? "" : known, place == NULL ? "" : place + 2);
		world_write_file(path, text);
		world_process_start(world, &process, "cpis-responder", "--profile",
				    world_path(world, "profiles/neighbour.yaml"), "--range", WORLD_NEIGHBOUR_RANGE, path, NULL);
		ck_assert_int_eq(WEXITSTATUS(world_process_wait_exit(world, &process)), 1);
		char *log = world_read_file(process.log, NULL);
		ck_assert_ptr_nonnull(strstr(log, "bad.csv:"));
		free(log);
	}
	world_process_start(world, &process, "cpis-responder", "--profile", world_path(world, "profiles/neighbour.yaml"),
			    "--range", "9995000000", write_plans(), NULL);
	ck_assert_int_eq(WEXITSTATUS(world_process_wait_exit(world, &process)), 1);
}
END_TEST

// ------------------------------------------------------------------ it does not

START_TEST(with_nobody_registered_it_is_not_available)
{
	assert_not_available(known);
	assert_not_available(unknown);
}
END_TEST

START_TEST(a_number_outside_the_range_is_not_sent_and_not_missed)
{
	ck_assert_int_eq(world_cpis(world, "nurse", "query", outside, NULL), 0);
	ck_assert(printed("No plan is known here"));
	world_start_neighbour(world, &process, write_plans());
	ck_assert_int_eq(world_cpis(world, "nurse", "query", outside, NULL), 0);
	ck_assert_int_eq(world_cpis(world, "guardian", "audit", "search", "--nhs-number", outside, NULL), 0);
	ck_assert(!printed("RESPONDER_TAKE"));
}
END_TEST

START_TEST(a_crashed_responder_is_not_available_and_a_new_one_is_asked)
{
	world_start_neighbour(world, &process, write_plans());
	ck_assert_int_eq(world_process_end(world, &process, SIGKILL), SIGKILL);
	assert_not_available(known);
	world_start_neighbour(world, &process, write_plans());
	ck_assert_int_eq(world_cpis(world, "nurse", "query", known, NULL), 0);
	ck_assert(printed("This child is known"));
}
END_TEST

START_TEST(a_stopped_responder_is_late_and_not_available)
{
	world_start_neighbour(world, &process, write_plans());
	ck_assert_int_eq(kill(process.pid, SIGSTOP), 0);
	assert_not_available(known);
	ck_assert_int_eq(kill(process.pid, SIGCONT), 0);
	// What it was asked meanwhile is over; what it is asked now it answers.
	ck_assert_int_eq(world_cpis(world, "nurse", "query", known, NULL), 0);
	ck_assert(printed("This child is known"));
}
END_TEST

// ------------------------------------------------------------------ a responder by hand


static struct cpis_client *register_by_hand(void)
{
	struct cpis_client *client = world_sign_in(world, "neighbour");
	const Cpis__V1__Reply *reply = NULL;
	ck_assert_int_eq(cpis_responder_register(client, world_path(world, "staff/neighbour.key"),
						 CPIS__V1__RESPONDER_KIND__PLANS, "9995000000", "9995999999", WORLD_CALL_MS,
						 &reply),
			 CPIS_OK);
	ck_assert_str_eq(reply->reason_code, "");
	cpis_reply_free(reply);
	return client;
}

// Takes the next question, as `cpis query` runs beside it.
static const Cpis__V1__Reply *take(struct cpis_client *client)
{
	const Cpis__V1__Reply *reply = NULL;
	ck_assert_int_eq(cpis_responder_take(client, WORLD_CALL_MS, WORLD_CALL_MS + 1000, &reply), CPIS_OK);
	ck_assert_ptr_nonnull(reply->responder_take->work);
	return reply;
}

// `cpis query` beside us: its output goes to query.log.
static struct world_process asker;

static void start_query(const char *nhs_number)
{
	asker = (struct world_process){0};
	world_process_start(world, &asker, "cpis", "--profile", world_path(world, "profiles/nurse.yaml"), "--timeout", "3000",
			    "query", nhs_number, NULL);
}

static void assert_asker_saw_not_available(void)
{
	ck_assert_int_eq(WEXITSTATUS(world_process_wait_exit(world, &asker)), 5);
	char *log = world_read_file(asker.log, NULL);
	ck_assert_ptr_nonnull(strstr(log, "NOT AVAILABLE: " REGISTER_NAME));
	ck_assert_ptr_null(strstr(log, "No plan is known here"));
	free(log);
}

START_TEST(an_answer_with_a_wrong_signature_is_refused_recorded_and_not_shown)
{
	struct cpis_client *client = register_by_hand();
	start_query(known);
	const Cpis__V1__Reply *work = take(client), *reply = NULL;
	Cpis__V1__ResponderAnswer answer = CPIS__V1__RESPONDER_ANSWER__INIT;
	Cpis__V1__ResponderAnswerRequest body = CPIS__V1__RESPONDER_ANSWER_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	uint8_t packed[64], signature[64] = {1};
	answer.work_id = work->responder_take->work->work_id;
	body.answer = (ProtobufCBinaryData){cpis__v1__responder_answer__pack(&answer, packed), packed};
	body.signature = (ProtobufCBinaryData){sizeof signature, signature};
	request.body_case = CPIS__V1__REQUEST__BODY_RESPONDER_ANSWER;
	request.responder_answer = &body;
	ck_assert_int_eq(cpis_call(client, &request, WORLD_CALL_MS, &reply), CPIS_OK);
	ck_assert_str_eq(reply->reason_code, "answer_signature");
	world_assert_recorded(world, reply->receipt->index,
			      &(struct world_trace){.reason_code = "answer_signature",
						    .organisation = "W00",
						    .nhs_number = known,
						    .operation = CPIS__V1__OPERATION__RESPONDER_ANSWER});
	cpis_reply_free(reply);
	assert_asker_saw_not_available();
	cpis_reply_free(work);
	cpis_close(client);
}
END_TEST

START_TEST(an_answer_that_says_what_cannot_be_is_refused_and_not_shown)
{
	struct cpis_client *client = register_by_hand();
	start_query(known);
	const Cpis__V1__Reply *work = take(client), *reply = NULL;
	Cpis__V1__ResponderAnswer answer = CPIS__V1__RESPONDER_ANSWER__INIT;
	Cpis__V1__Plan plan = CPIS__V1__PLAN__INIT, *plans[] = {&plan};
	answer.flag = true;
	answer.plans = plans; // to a question that did not ask for them
	answer.n_plans = 1;
	ck_assert_int_eq(cpis_responder_answer(client, work->responder_take->work, &answer, WORLD_CALL_MS, &reply), CPIS_OK);
	ck_assert_str_eq(reply->reason_code, "answer_invalid");
	cpis_reply_free(reply);
	assert_asker_saw_not_available();
	cpis_reply_free(work);
	cpis_close(client);
}
END_TEST

START_TEST(a_late_answer_is_told_that_nobody_waits)
{
	struct cpis_client *client = register_by_hand();
	start_query(known);
	const Cpis__V1__Reply *work = take(client), *reply = NULL;
	Cpis__V1__ResponderAnswer answer = CPIS__V1__RESPONDER_ANSWER__INIT;
	answer.flag = true;
	assert_asker_saw_not_available();
	ck_assert_int_eq(cpis_responder_answer(client, work->responder_take->work, &answer, WORLD_CALL_MS, &reply), CPIS_OK);
	ck_assert(!reply->responder_answer->in_time);
	cpis_reply_free(reply);
	cpis_reply_free(work);
	cpis_close(client);
}
END_TEST

START_TEST(an_asker_who_is_revoked_while_waiting_is_refused)
{
	struct cpis_client *client = register_by_hand();
	start_query(known);
	const Cpis__V1__Reply *work = take(client), *reply = NULL;
	Cpis__V1__ResponderAnswer answer = CPIS__V1__RESPONDER_ANSWER__INIT;
	answer.flag = true;
	long mark = world_log_mark(world);
	world_end_role(world, "nurse");
	world_wait_log(world, mark, "register_loaded");
	ck_assert_int_eq(cpis_responder_answer(client, work->responder_take->work, &answer, WORLD_CALL_MS, &reply), CPIS_OK);
	ck_assert(reply->responder_answer->in_time);
	ck_assert_int_eq(WEXITSTATUS(world_process_wait_exit(world, &asker)), 3);
	char *log = world_read_file(asker.log, NULL);
	ck_assert_ptr_null(strstr(log, "This child is known"));
	free(log);
	cpis_reply_free(reply);
	cpis_reply_free(work);
	cpis_close(client);
}
END_TEST

START_TEST(an_asker_waits_through_a_restart_of_the_broker)
{
	struct cpis_client *client = register_by_hand();
	asker = (struct world_process){0};
	world_process_start(world, &asker, "cpis", "--profile", world_path(world, "profiles/nurse.yaml"), "--timeout", "20000",
			    "query", known, NULL);
	cpis_reply_free(take(client));
	world_kill(world);
	world_start(world);
	// It asked again by itself; the broker knows of no responder any more and says so.
	assert_asker_saw_not_available();
	cpis_close(client);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("responder");
	TCase *answers = tcase_create("answers"), *missing = tcase_create("missing"), *hand = tcase_create("hand");
	TCase *const cases[] = {answers, missing, hand};
	for (size_t i = 0; i < 3; i++) {
		tcase_set_timeout(cases[i], 120);
		tcase_add_checked_fixture(cases[i], setup, teardown);
		suite_add_tcase(suite, cases[i]);
	}
	tcase_add_test(answers, a_nurse_sees_a_neighbours_plan_and_whom_to_ring_there);
	tcase_add_test(answers, a_neighbours_no_is_a_no);
	tcase_add_test(answers, a_neighbour_is_told_of_a_look_at_its_plans_and_it_enters_the_history);
	tcase_add_test(answers, a_silent_look_and_a_flag_tell_the_neighbours_inbox_nothing);
	tcase_add_test(answers, what_both_registers_know_is_shown_together);
	tcase_add_test(answers, the_question_is_found_in_the_audit_log_by_the_childs_number);
	tcase_add_test(answers, it_comes_back_when_the_broker_was_restarted);
	tcase_add_test(answers, a_responder_that_the_register_does_not_name_says_so_and_ends);
	tcase_add_test(answers, a_bad_file_or_command_line_ends_it_before_anything_is_sent);
	tcase_add_test(missing, with_nobody_registered_it_is_not_available);
	tcase_add_test(missing, a_number_outside_the_range_is_not_sent_and_not_missed);
	tcase_add_test(missing, a_crashed_responder_is_not_available_and_a_new_one_is_asked);
	tcase_add_test(missing, a_stopped_responder_is_late_and_not_available);
	tcase_add_test(hand, an_answer_with_a_wrong_signature_is_refused_recorded_and_not_shown);
	tcase_add_test(hand, an_answer_that_says_what_cannot_be_is_refused_and_not_shown);
	tcase_add_test(hand, a_late_answer_is_told_that_nobody_waits);
	tcase_add_test(hand, an_asker_who_is_revoked_while_waiting_is_refused);
	tcase_add_test(hand, an_asker_waits_through_a_restart_of_the_broker);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
