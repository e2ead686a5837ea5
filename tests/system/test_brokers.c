// One act at every broker of a service: three real broker processes, each with a store and a log of its own, nurses' clients
// connected and signed in at each, and one command of the registrar's.
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "certs/identity.h"
#include "proto/wire.h"
#include "tests/harness/world_brokers.h"
#include "tests/harness/world_client.h"

#define BROKERS 3
#define FURTHER (BROKERS - 1)
#define WHY "key found on a stolen laptop"
#define HOSPITAL "RXH/hospital-record-system"

static struct world *world;
static struct world_broker *further[FURTHER]; // beside the world's own
static const char *const names[BROKERS] = {WORLD_BROKER_NAME, "cpis-second", "cpis-third"};
static struct cpis_client *nurses[BROKERS];
static char child[11];

static void setup(void)
{
	world_nhs_number(0, child);
	world = world_new();
	world_start(world);
	for (int i = 0; i < FURTHER; i++) {
		further[i] = world_broker_new(world, names[i + 1]);
		world_broker_start(further[i]);
	}
	world_brokers_in_profile(world, "registrar", further, FURTHER);
	nurses[0] = world_sign_in(world, "nurse");
	for (int i = 0; i < FURTHER; i++)
		nurses[i + 1] = world_broker_sign_in(further[i], "nurse");
}

static void teardown(void)
{
	for (int i = 0; i < BROKERS; i++)
		cpis_close(nurses[i]);
	for (int i = 0; i < FURTHER; i++)
		world_broker_free(further[i]);
	ck_assert_int_eq(world_stop(world), 0);
	world_free(world);
}

// What the nurse is told at this broker, in the session and on the connection that she has.
static void assert_nurse_hears(int broker, const char *reason_code)
{
	const Cpis__V1__Reply *reply = world_flag(nurses[broker], child, CPIS__V1__CARE_SETTING__EMERGENCY_DEPARTMENT);
	ck_assert_msg(strcmp(reply->reason_code, reason_code) == 0, "%s: '%s' in place of '%s'", names[broker], reply->reason_code,
		      reason_code);
	cpis_reply_free(reply);
}

static void assert_nurse_hears_everywhere(const char *reason_code)
{
	for (int i = 0; i < BROKERS; i++)
		assert_nurse_hears(i, reason_code);
}

static int quarantine(const char *act, const char *option, const char *target)
{
	return world_cpis(world, "registrar", "quarantine", act, option, target, "--reason", WHY, NULL);
}

// One line for each broker, and in it what became of it there.
static void assert_said_of(int broker, const char *text)
{
	char *out = strdup(world_out(world)), *rest = out, *line;
	bool found = false;
	while ((line = strsep(&rest, "\n")) != NULL)
		if (strncmp(line, names[broker], strlen(names[broker])) == 0 && line[strlen(names[broker])] == ' ') {
			ck_assert_msg(!found, "two lines of %s: %s", names[broker], world_out(world));
			ck_assert_msg(strstr(line, text) != NULL, "%s", line);
			found = true;
		}
	ck_assert_msg(found, "nothing of %s: %s", names[broker], world_out(world));
	free(out);
}

// ------------------------------------------------------------------ held back everywhere, and let go

static const struct {
	const char *option, *reason_code;
} kinds[] = {
	{"--system", "system_quarantined"},
	{"--organisation", "system_quarantined"},
	{"--person", "person_quarantined"},
	{"--certificate", "system_quarantined"},
	{"--certificate", "person_quarantined"},
};

static const char *target_of(int kind)
{
	switch (kind) {
	case 0:
		return HOSPITAL;
	case 1:
		return "RXH";
	case 2:
		return world_person("nurse")->uid;
	case 3:
		return world_path(world, "systems/hospital.pem");
	default:
		return world_path(world, "staff/nurse.pem");
	}
}

START_TEST(one_command_holds_back_and_lets_go_at_every_broker)
{
	assert_nurse_hears_everywhere("");
	ck_assert_int_eq(quarantine("set", kinds[_i].option, target_of(_i)), 0);
	for (int i = 0; i < BROKERS; i++)
		assert_said_of(i, _i == 4 ? "Quarantined: from now on it is not answered. No enrolled system has this certificate: "
					    "that is so of a person's; else check it. Recorded as no."
					  : "Quarantined: from now on it is not answered. Recorded as no.");
	ck_assert_str_eq(world_err(world), "");
	assert_nurse_hears_everywhere(kinds[_i].reason_code);
	// Again: it is what it was.
	ck_assert_int_eq(quarantine("set", kinds[_i].option, target_of(_i)), 0);
	ck_assert_int_eq(quarantine("lift", kinds[_i].option, target_of(_i)), 0);
	for (int i = 0; i < BROKERS; i++)
		assert_said_of(i, "Lifted: from now on it is answered again. Recorded as no.");
	assert_nurse_hears_everywhere("");
	ck_assert_int_eq(quarantine("lift", kinds[_i].option, target_of(_i)), 5);
	for (int i = 0; i < BROKERS; i++)
		assert_said_of(i, "There was nothing to lift.");
}
END_TEST

// ------------------------------------------------------------------ one of them is down

START_TEST(a_broker_that_is_down_keeps_the_others_from_nothing_and_is_named)
{
	world_broker_kill(further[0]);
	ck_assert_int_eq(world_cpis(world, "registrar", "--timeout", "1000", "quarantine", "set", "--system", HOSPITAL, "--reason",
				    WHY, NULL),
			 5);
	assert_said_of(0, "Quarantined");
	assert_said_of(1, "NOT DONE. the broker could not be reached before the deadline");
	assert_said_of(2, "Quarantined");
	ck_assert_ptr_nonnull(strstr(world_err(world), "not done at 1 of 3 brokers: cpis-second still answers SYSTEM " HOSPITAL
						       ". Run the same command again"));
	assert_nurse_hears(0, "system_quarantined");
	assert_nurse_hears(2, "system_quarantined");
	// It comes back, and still answers, as was said.
	world_broker_start(further[0]);
	assert_nurse_hears(1, "");
	ck_assert_int_eq(quarantine("set", "--system", HOSPITAL), 0);
	assert_nurse_hears_everywhere("system_quarantined");
	// The same the other way round: what is let go at some is let go by the next try at all.
	world_broker_kill(further[1]);
	ck_assert_int_eq(world_cpis(world, "registrar", "--timeout", "1000", "quarantine", "lift", "--system", HOSPITAL, "--reason",
				    WHY, NULL),
			 5);
	ck_assert_ptr_nonnull(strstr(world_err(world), "cpis-third still holds back SYSTEM " HOSPITAL));
	world_broker_start(further[1]);
	assert_nurse_hears(2, "system_quarantined");
	ck_assert_int_eq(quarantine("lift", "--system", HOSPITAL), 0);
	assert_said_of(0, "There was nothing to lift.");
	assert_said_of(2, "Lifted");
	assert_nurse_hears_everywhere("");
}
END_TEST

START_TEST(with_all_of_them_down_the_code_is_that_of_one)
{
	ck_assert_int_eq(world_stop(world), 0);
	for (int i = 0; i < FURTHER; i++)
		world_broker_stop(further[i]);
	ck_assert_int_eq(world_cpis(world, "registrar", "--timeout", "500", "quarantine", "set", "--system", HOSPITAL, "--reason",
				    WHY, NULL),
			 2);
	ck_assert_ptr_nonnull(strstr(world_err(world), "not done at 3 of 3 brokers"));
	world_start(world);
}
END_TEST

START_TEST(what_is_held_back_is_so_after_a_restart_of_each)
{
	ck_assert_int_eq(quarantine("set", "--person", world_person("nurse")->uid), 0);
	world_kill(world);
	world_start(world);
	world_broker_stop(further[0]);
	world_broker_kill(further[1]);
	for (int i = 0; i < FURTHER; i++)
		world_broker_start(further[i]);
	assert_nurse_hears_everywhere("person_quarantined");
}
END_TEST

// ------------------------------------------------------------------ refusals

START_TEST(whom_the_brokers_refuse_they_refuse_each_and_nothing_is_done)
{
	world_brokers_in_profile(world, "privacy_officer", further, FURTHER);
	ck_assert_int_eq(world_cpis(world, "privacy_officer", "quarantine", "set", "--system", HOSPITAL, "--reason", WHY, NULL), 3);
	for (int i = 0; i < BROKERS; i++)
		assert_said_of(i, "NOT DONE. ACCESS_DENIED");
	assert_nurse_hears_everywhere("");
}
END_TEST

// The statement is signed for a broker by name, and the certificate is checked: another broker's place is nobody's.
START_TEST(a_broker_under_another_name_is_not_spoken_to)
{
	char *text = world_read_file(world_path(world, "profiles/registrar.yaml"), NULL);
	char *name = strstr(text, "cpis-third,");
	ck_assert_ptr_nonnull(name);
	memcpy(name, "cpis-other", 10);
	world_write_file(world_path(world, "profiles/registrar.yaml"), text);
	free(text);
	ck_assert_int_eq(quarantine("set", "--system", HOSPITAL), 5);
	ck_assert_ptr_nonnull(strstr(world_out(world), "NOT DONE. the broker's certificate does not hold"));
	assert_nurse_hears(0, "system_quarantined");
	assert_nurse_hears(1, "system_quarantined");
	assert_nurse_hears(2, "");
}
END_TEST

START_TEST(programs_get_one_object_for_all)
{
	world_broker_kill(further[0]);
	ck_assert_int_eq(world_cpis(world, "registrar", "--json", "--timeout", "1000", "quarantine", "set", "--system", HOSPITAL,
				    "--reason", WHY, NULL),
			 5);
	const char *out = world_out(world);
	ck_assert_int_eq(out[0], '{');
	ck_assert_ptr_nonnull(strstr(out, "\"outcome\": \"PARTIAL\""));
	for (int i = 0; i < BROKERS; i++)
		ck_assert_ptr_nonnull(strstr(out, names[i]));
	ck_assert_ptr_nonnull(strstr(out, "\"exit_code\": 2"));
	ck_assert_ptr_nonnull(strstr(out, "\"target_known\": true"));
}
END_TEST

// ------------------------------------------------------------------ roles

START_TEST(a_role_is_granted_and_ended_at_every_broker)
{
	const char *uid = world_person("guardian")->uid;
	ck_assert_int_eq(world_cpis(world, "registrar", "role", "end", "--uid", uid, "--role", "R5105", "--reason", WHY, NULL), 0);
	for (int i = 0; i < BROKERS; i++)
		assert_said_of(i, "R5105: ended. Recorded as no.");
	world_broker_kill(further[1]);
	ck_assert_int_eq(world_cpis(world, "registrar", "--timeout", "1000", "role", "grant", "--uid", uid, "--role", "R5105",
				    "--reason", WHY, NULL),
			 5);
	assert_said_of(0, "Granted");
	assert_said_of(1, "Granted");
	ck_assert_ptr_nonnull(strstr(world_err(world), "cpis-third knows nothing of the role granted"));
	world_broker_start(further[1]);
	ck_assert_int_eq(world_cpis(world, "registrar", "role", "grant", "--uid", uid, "--role", "R5105", "--reason", WHY, NULL),
			 0);
	assert_said_of(2, "Granted");
	for (int i = 0; i < FURTHER; i++)
		cpis_close(world_broker_sign_in(further[i], "guardian"));
}
END_TEST

// ------------------------------------------------------------------ how long it takes

struct asker {
	struct cpis_client *client;
	_Atomic uint64_t answered; // so far
	uint64_t last_answer_ms;
};

// Asks without a pause until it is refused.
static void *ask_until_refused(void *context)
{
	struct asker *asker = context;
	for (bool answered = true; answered;) {
		const Cpis__V1__Reply *reply = world_flag(asker->client, child, CPIS__V1__CARE_SETTING__EMERGENCY_DEPARTMENT);
		answered = reply->outcome == CPIS__V1__OUTCOME__OK;
		if (answered) {
			asker->last_answer_ms = world_monotonic_ms();
			atomic_fetch_add(&asker->answered, 1);
		}
		cpis_reply_free(reply);
	}
	return NULL;
}

// The time is printed, not judged: what is judged is that nothing is answered once the command has said that it is done.
START_TEST(no_broker_answers_once_the_command_is_done)
{
	struct asker askers[BROKERS] = {{0}};
	pthread_t threads[BROKERS];
	for (int i = 0; i < BROKERS; i++) {
		askers[i].client = nurses[i];
		ck_assert_int_eq(pthread_create(&threads[i], NULL, ask_until_refused, &askers[i]), 0);
	}
	for (int i = 0; i < BROKERS; i++) {
		uint64_t until_ms = world_monotonic_ms() + WORLD_WAIT_MS;
		while (atomic_load(&askers[i].answered) < 20) {
			ck_assert(world_monotonic_ms() < until_ms);
			sched_yield();
		}
	}
	uint64_t began_ms = world_monotonic_ms();
	ck_assert_int_eq(quarantine("set", "--system", HOSPITAL), 0);
	uint64_t told_ms = world_monotonic_ms();
	for (int i = 0; i < BROKERS; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < BROKERS; i++) {
		ck_assert_uint_le(askers[i].last_answer_ms, told_ms);
		printf("%s: last answer %lld ms after the command began; the command took %llu ms\n", names[i],
		       (long long)askers[i].last_answer_ms - (long long)began_ms, (unsigned long long)(told_ms - began_ms));
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("brokers");
	TCase *tests = tcase_create("brokers");
	tcase_set_timeout(tests, 180);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_loop_test(tests, one_command_holds_back_and_lets_go_at_every_broker, 0, (int)(sizeof kinds / sizeof kinds[0]));
	tcase_add_test(tests, a_broker_that_is_down_keeps_the_others_from_nothing_and_is_named);
	tcase_add_test(tests, with_all_of_them_down_the_code_is_that_of_one);
	tcase_add_test(tests, what_is_held_back_is_so_after_a_restart_of_each);
	tcase_add_test(tests, whom_the_brokers_refuse_they_refuse_each_and_nothing_is_done);
	tcase_add_test(tests, a_broker_under_another_name_is_not_spoken_to);
	tcase_add_test(tests, programs_get_one_object_for_all);
	tcase_add_test(tests, a_role_is_granted_and_ended_at_every_broker);
	tcase_add_test(tests, no_broker_answers_once_the_command_is_done);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
