// Witnesses on systems of their own cosign what the broker sets down for all of them; the broker collects; who wants a log that
// was witnessed lately warns, or asks nothing, without one.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <check.h>

#include "tests/harness/world.h"

#define RETRY 2
#define PROOF_FAILED 4
#define WITNESSES 3u

static struct world *world;
static const char *const profiles[WITNESSES] = {"leeds", "brighton", "guardian"};
static const char *const names[WITNESSES] = {"leeds.example/w", "brighton.example/w", "nhse.example/w"};

static const char *key_of(unsigned witness)
{
	return world_path(world, "witness-%u.key", witness);
}

// Two of three.
static void setup(void)
{
	char policy[2000] = "";
	world = world_new();
	for (unsigned i = 0; i < WITNESSES; i++) {
		ck_assert_int_eq(world_cpis(world, NULL, "witness", "init", "--name", names[i], "--key", key_of(i), NULL), 0);
		size_t used = strlen(policy);
		snprintf(policy + used, sizeof policy - used, "witness %s %s", profiles[i], world_out(world));
	}
	strcat(policy, "group two 2 leeds brighton guardian\nquorum two\n");
	world_write_file(world_path(world, "authority/trust/log.policy"), policy);
}

static void teardown(void)
{
	world_free(world);
}

static int cosign(unsigned witness)
{
	return world_cpis(world, profiles[witness], "witness", "cosign", "--name", names[witness], "--key", key_of(witness), "--out",
			  world_path(world, "cosigned-%u", witness), NULL);
}

static int ask(void)
{
	return world_cpis(world, "nurse", "query", "9990000018", NULL);
}

static int witnessed(const char *profile)
{
	return world_cpis(world, profile, "audit", "checkpoint", "--witnessed", NULL);
}

static void want_witnesses(const char *profile, const char *what)
{
	const char *path = world_path(world, "profiles/%s.yaml", profile);
	char *text = world_read_file(path, NULL), whole[4000];
	snprintf(whole, sizeof whole, "%switness: %s\nwitness_age_max: 3600\n", text, what);
	world_write_file(path, whole);
	free(text);
}

START_TEST(two_of_three_cosign_one_checkpoint_while_the_log_goes_on)
{
	world_start(world);
	ck_assert_int_eq(ask(), 0);
	ck_assert_int_eq(witnessed("nurse"), PROOF_FAILED);
	ck_assert_msg(cosign(0) == 0, "%s", world_err(world));
	ck_assert_int_eq(ask(), 0);
	ck_assert_int_eq(witnessed("nurse"), PROOF_FAILED);
	ck_assert_msg(cosign(2) == 0, "%s", world_err(world));
	ck_assert_int_eq(ask(), 0);
	ck_assert_msg(witnessed("nurse") == 0, "%s", world_err(world));
	ck_assert_ptr_nonnull(strstr(world_out(world), names[0]));
	ck_assert_ptr_nonnull(strstr(world_out(world), names[2]));
	const char *kept = world_path(world, "kept");
	world_write_file(kept, world_out(world));
	// Each signed the same text, and the bundle takes it.
	char *first = world_read_file(world_path(world, "cosigned-0"), NULL), *second = world_read_file(world_path(world, "cosigned-2"), NULL);
	size_t text = (size_t)(strstr(first, "\n\n") - first);
	ck_assert_int_eq(strncmp(first, second, text), 0);
	ck_assert_int_eq(world_cpis(world, NULL, "witness", "check", "--trust", world_path(world, "authority/trust"), "--age-max", "3600",
				    kept, NULL),
			 0);
	// It outlasts a restart and is a checkpoint like any other.
	ck_assert_int_eq(world_stop(world), 0);
	ck_assert_int_eq(world_cpis(world, NULL, "audit", "verify", "--database", world_path(world, "store.db"), "--log-key",
				    world_path(world, "authority/trust/log.vkey"), "--checkpoint", kept, NULL),
			 0);
	world_start(world);
	ck_assert_int_eq(witnessed("leeds"), 0);
	free(first);
	free(second);
}
END_TEST

START_TEST(a_timer_that_comes_round_before_the_quorum_signs_again)
{
	world_start(world);
	ck_assert_int_eq(ask(), 0);
	for (unsigned i = 0; i < 3; i++)
		ck_assert_msg(cosign(0) == 0, "%s", world_err(world));
	ck_assert_int_eq(world_cpis(world, NULL, "witness", "check", "--trust", world_path(world, "authority/trust"),
				    world_path(world, "cosigned-0"), NULL),
			 PROOF_FAILED);
	ck_assert_ptr_nonnull(strstr(world_err(world), "1 witnesses have cosigned it"));
	ck_assert_msg(cosign(1) == 0, "%s", world_err(world));
	ck_assert_msg(witnessed("nurse") == 0, "%s", world_err(world));
}
END_TEST

START_TEST(a_witness_signs_nothing_of_a_log_that_was_put_back)
{
	world_start(world);
	ck_assert_int_eq(ask(), 0);
	ck_assert_int_eq(world_stop(world), 0);
	ck_assert_int_eq(world_command(world, (const char *const[]){"cp", world_path(world, "store.db"), world_path(world, "copy.db"), NULL}), 0);
	world_start(world);
	ck_assert_int_eq(cosign(0), 0);
	char *before = world_read_file(world_path(world, "cosigned-0"), NULL);
	ck_assert_int_eq(world_stop(world), 0);
	ck_assert_int_eq(world_command(world, (const char *const[]){"cp", world_path(world, "copy.db"), world_path(world, "store.db"), NULL}), 0);
	unlink(world_path(world, "store.db-wal"));
	unlink(world_path(world, "store.db-shm"));
	world_start(world);
	for (unsigned i = 0; i < 6; i++)
		ck_assert_int_eq(world_cpis(world, "paramedic", "ping", NULL), 0);
	long mark = world_log_mark(world);
	ck_assert_int_eq(cosign(0), PROOF_FAILED);
	world_wait_log(world, mark, "log_forked");
	// Nor does one who was shown nothing but the copy, since the first one has handed in what it saw.
	ck_assert_int_eq(cosign(1), PROOF_FAILED);
	ck_assert_ptr_nonnull(strstr(world_err(world), "of 383 was shown"));
	ck_assert_int_ne(access(world_path(world, "cosigned-1"), F_OK), 0);
	char *after = world_read_file(world_path(world, "cosigned-0"), NULL);
	ck_assert_str_eq(before, after);
	free(before);
	free(after);
}
END_TEST

// What the operator of a broker can do: the checkpoint that the witnesses are asked for next is one of his choice.
static void set_down(const char *name)
{
	char sql[600];
	snprintf(sql, sizeof sql,
		 "INSERT OR REPLACE INTO cosigned (which, note, time_ms) VALUES (1, CAST(readfile('%s') AS TEXT), 1000 * strftime('%%s', "
		 "'now'))", world_path(world, "%s", name));
	ck_assert_int_eq(world_stop(world), 0);
	ck_assert_int_eq(world_command(world, (const char *const[]){"sqlite3", world_path(world, "store.db"), sql, NULL}), 0);
	world_start(world);
}

static void keep_checkpoint(const char *name)
{
	ck_assert_int_eq(world_cpis(world, "nurse", "ping", NULL), 0);
	ck_assert_int_eq(world_command(world, (const char *const[]){"cp", world_path(world, "profiles/nurse.checkpoint"), world_path(world, "%s", name), NULL}), 0);
}

static void assert_signs_nothing_old(unsigned witness, const char *before)
{
	ck_assert_int_eq(cosign(witness), PROOF_FAILED);
	ck_assert_ptr_nonnull(strstr(world_err(world), "an old log is not made to look recent"));
	char *after = world_read_file(world_path(world, "cosigned-%u", witness), NULL);
	ck_assert_str_eq(after, before);
	free(after);
}

START_TEST(no_witness_signs_a_smaller_log_again)
{
	world_start(world);
	keep_checkpoint("old");
	ck_assert_int_eq(cosign(0), 0);
	ck_assert_int_eq(cosign(1), 0);
	ck_assert_int_eq(cosign(0), 0);
	char *before = world_read_file(world_path(world, "cosigned-0"), NULL);
	set_down("old");
	assert_signs_nothing_old(0, before);
	// The next one is larger, and it goes on.
	keep_checkpoint("new");
	set_down("new");
	ck_assert_msg(cosign(0) == 0, "%s", world_err(world));
	free(before);
}
END_TEST

START_TEST(no_witness_signs_a_log_as_it_saw_it_hours_ago)
{
	char held[100];
	world_start(world);
	keep_checkpoint("first");
	keep_checkpoint("old");
	set_down("first");
	ck_assert_int_eq(cosign(0), 0);
	char *before = world_read_file(world_path(world, "cosigned-0"), NULL);
	// Hours ago it saw eight records more than it signed.
	char state[256];
	snprintf(state, sizeof state, "%s", world_path(world, "profiles/leeds.checkpoint.cosigned"));
	char *text = world_read_file(state, NULL);
	unsigned long long signed_size = strtoull(text + strlen("signed "), NULL, 10);
	snprintf(held, sizeof held, "signed %llu\nheld %llu at 1700000000\nstale 0\n", signed_size, signed_size + 8);
	world_write_file(state, held);
	set_down("old");
	assert_signs_nothing_old(0, before);
	// What is no state of ours is not taken for none.
	world_write_file(state, "signed 1\n");
	ck_assert_int_eq(cosign(0), 6);
	ck_assert_ptr_nonnull(strstr(world_err(world), ".cosigned"));
	free(text);
	free(before);
}
END_TEST

START_TEST(who_wants_witnesses_is_warned_or_asks_nothing)
{
	world_start(world);
	ck_assert_int_eq(ask(), 0);
	want_witnesses("nurse", "warn");
	want_witnesses("paramedic", "refuse");
	ck_assert_int_eq(ask(), 0);
	ck_assert_ptr_nonnull(strstr(world_err(world), "WARNING: the audit log has not been cosigned"));
	ck_assert_int_eq(world_cpis(world, "paramedic", "query", "9990000018", NULL), PROOF_FAILED);
	ck_assert_ptr_nonnull(strstr(world_err(world), "no checkpoint that a quorum"));
	ck_assert_int_eq(world_cpis(world, "paramedic", "ping", NULL), 0);
	ck_assert_int_eq(cosign(0), 0);
	ck_assert_int_eq(cosign(1), 0);
	ck_assert_int_eq(ask(), 0);
	ck_assert_ptr_null(strstr(world_err(world), "WARNING"));
	ck_assert_msg(world_cpis(world, "paramedic", "query", "9990000018", NULL) == 0, "%s", world_err(world));
	// What is remembered is enough for the next time: there is no other exchange.
	ck_assert_int_eq(access(world_path(world, "profiles/paramedic.checkpoint.witnessed"), F_OK), 0);
	unlink(world_path(world, "authority/trust/log.policy"));
	ck_assert_int_eq(world_cpis(world, "paramedic", "query", "9990000018", NULL), 1);
	ck_assert_ptr_nonnull(strstr(world_err(world), "no log.policy"));
}
END_TEST

START_TEST(a_broker_that_must_be_witnessed_answers_nobody_before)
{
	world_configure(world, "witness_required_s: 3600\n");
	world_start(world);
	ck_assert_int_eq(world_cpis(world, "nurse", "ping", NULL), 0);
	ck_assert_int_eq(ask(), RETRY);
	ck_assert_ptr_nonnull(strstr(world_err(world), "log_unwitnessed"));
	ck_assert_int_eq(ask(), RETRY);
	const char *told = strstr(world_log(world), " log_unwitnessed ");
	ck_assert_ptr_nonnull(told);
	ck_assert_ptr_null(strstr(told + 1, " log_unwitnessed "));
	ck_assert_int_eq(cosign(0), 0);
	ck_assert_int_eq(cosign(1), 0);
	ck_assert_int_eq(ask(), 0);
	// And does not start without a policy that says who.
	int status;
	ck_assert_int_eq(world_stop(world), 0);
	unlink(world_path(world, "authority/trust/log.policy"));
	world_spawn(world);
	ck_assert(world_wait_exit(world, WORLD_WAIT_MS, &status));
	ck_assert_ptr_nonnull(strstr(world_log(world), "asks for no witnesses"));
}
END_TEST

START_TEST(a_key_that_is_not_in_the_bundle_counts_for_nothing)
{
	world_start(world);
	ck_assert_int_eq(ask(), 0);
	// A key that is not the one in the bundle, under its name: another key id, so another witness, who is passed over.
	ck_assert_int_eq(world_cpis(world, NULL, "witness", "init", "--name", names[0], "--key", world_path(world, "other.key"), NULL), 0);
	ck_assert_int_eq(world_cpis(world, "leeds", "witness", "cosign", "--name", names[0], "--key", world_path(world, "other.key"), "--out",
				    world_path(world, "cosigned"), NULL),
			 0);
	ck_assert_int_eq(cosign(1), 0);
	ck_assert_int_eq(witnessed("nurse"), PROOF_FAILED);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("quorum");
	TCase *tests = tcase_create("quorum");
	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, two_of_three_cosign_one_checkpoint_while_the_log_goes_on);
	tcase_add_test(tests, a_timer_that_comes_round_before_the_quorum_signs_again);
	tcase_add_test(tests, a_witness_signs_nothing_of_a_log_that_was_put_back);
	tcase_add_test(tests, no_witness_signs_a_smaller_log_again);
	tcase_add_test(tests, no_witness_signs_a_log_as_it_saw_it_hours_ago);
	tcase_add_test(tests, who_wants_witnesses_is_warned_or_asks_nothing);
	tcase_add_test(tests, a_broker_that_must_be_witnessed_answers_nobody_before);
	tcase_add_test(tests, a_key_that_is_not_in_the_bundle_counts_for_nothing);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
