// A witness with a key of its own cosigns what is proven to continue what it cosigned, and nothing else; a longer log that is
// another one is refused by it and by every client that remembers.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <check.h>

#include "tests/harness/world.h"

#define PROOF_FAILED 4
#define NAME "leeds.example/witness"

static struct world *world;
static char key[256], cosigned[256], trust[256];

static void setup(void)
{
	char text[600];
	world = world_new();
	snprintf(key, sizeof key, "%s", world_path(world, "witness.key"));
	snprintf(cosigned, sizeof cosigned, "%s", world_path(world, "cosigned"));
	snprintf(trust, sizeof trust, "%s", world_path(world, "authority/trust"));
	ck_assert_int_eq(world_cpis(world, NULL, "witness", "init", "--name", NAME, "--key", key, NULL), 0);
	snprintf(text, sizeof text, "witness leeds %squorum leeds\n", world_out(world));
	world_write_file(world_path(world, "authority/trust/log.policy"), text);
	world_start(world);
}

static void teardown(void)
{
	world_free(world);
}

static int cosign(void)
{
	return world_cpis(world, "leeds", "witness", "cosign", "--name", NAME, "--key", key, "--out", cosigned, NULL);
}

static int check(const char *age_max)
{
	return world_cpis(world, NULL, "witness", "check", "--trust", trust, "--age-max", age_max, cosigned, NULL);
}

static void copy_file(const char *from, const char *to)
{
	ck_assert_int_eq(world_command(world, (const char *const[]){"cp", from, to, NULL}), 0);
}

// The store is put back to an earlier copy, and goes on from there with the real keys until it is longer than it was.
static void fork_log(unsigned looks_since_copy)
{
	copy_file(world_path(world, "copy.db"), world_path(world, "store.db"));
	unlink(world_path(world, "store.db-wal"));
	unlink(world_path(world, "store.db-shm"));
	world_start(world);
	for (unsigned i = 0; i < looks_since_copy + 3; i++)
		ck_assert_int_eq(world_cpis(world, "nurse", "ping", NULL), 0);
}

START_TEST(cosigns_a_log_that_grows_and_the_bundle_takes_it)
{
	for (unsigned i = 0; i < 3; i++) {
		ck_assert_msg(cosign() == 0, "%s", world_err(world));
		ck_assert_msg(check("3600") == 0, "%s", world_err(world));
		ck_assert_int_eq(world_cpis(world, "nurse", "ping", NULL), 0);
	}
	ck_assert_int_eq(world_stop(world), 0);
	// The log's own check takes a cosigned checkpoint like any other.
	ck_assert_int_eq(world_cpis(world, NULL, "audit", "verify", "--database", world_path(world, "store.db"), "--log-key",
				    world_path(world, "authority/trust/log.vkey"), "--checkpoint", cosigned, NULL),
			 0);
}
END_TEST

START_TEST(a_longer_log_that_is_another_one_is_cosigned_by_nobody)
{
	ck_assert_int_eq(world_stop(world), 0);
	copy_file(world_path(world, "store.db"), world_path(world, "copy.db"));
	world_start(world);
	ck_assert_int_eq(world_cpis(world, "paramedic", "ping", NULL), 0);
	ck_assert_int_eq(cosign(), 0);
	char *before = world_read_file(cosigned, NULL);
	ck_assert_int_eq(world_stop(world), 0);
	fork_log(2);
	ck_assert_int_eq(cosign(), PROOF_FAILED);
	ck_assert_ptr_nonnull(strstr(world_err(world), "does not begin with"));
	char *after = world_read_file(cosigned, NULL);
	ck_assert_str_eq(before, after);
	// And a client that remembers says the same.
	ck_assert_int_eq(world_cpis(world, "paramedic", "ping", NULL), PROOF_FAILED);
	free(before);
	free(after);
}
END_TEST

START_TEST(a_checkpoint_without_the_witnesses_that_are_asked_for_is_refused)
{
	ck_assert_int_eq(cosign(), 0);
	copy_file(world_path(world, "profiles/leeds.checkpoint"), cosigned);
	ck_assert_int_eq(check("3600"), PROOF_FAILED);
	ck_assert_ptr_nonnull(strstr(world_err(world), "not enough"));
	world_write_file(cosigned, "nonsense\n");
	ck_assert_int_eq(check("3600"), 1);
	ck_assert_int_eq(world_cpis(world, NULL, "witness", "check", "--trust", trust, "/nonexistent", NULL), 1);
	world_write_file(world_path(world, "authority/trust/log.policy"), "quorum leeds\n");
	ck_assert_int_eq(check("3600"), 1);
	ck_assert_ptr_nonnull(strstr(world_err(world), "log.policy:1:"));
	unlink(world_path(world, "authority/trust/log.policy"));
	ck_assert_int_eq(check("3600"), 1);
}
END_TEST

START_TEST(what_is_wrong_on_the_command_line_is_said)
{
	ck_assert_int_eq(world_cpis(world, NULL, "witness", "init", "--name", "a b", "--key", cosigned, NULL), 1);
	ck_assert_int_eq(world_cpis(world, NULL, "witness", "init", "--name", NAME, "--key", key, NULL), 1);
	ck_assert_int_eq(world_cpis(world, "leeds", "witness", "cosign", "--name", "a b", "--key", key, NULL), 1);
	ck_assert_int_eq(world_cpis(world, "leeds", "witness", "cosign", "--name", NAME, "--key", "/nonexistent", NULL), 1);
	ck_assert_int_eq(check("soon"), 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("witness");
	TCase *tests = tcase_create("witness");
	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, cosigns_a_log_that_grows_and_the_bundle_takes_it);
	tcase_add_test(tests, a_longer_log_that_is_another_one_is_cosigned_by_nobody);
	tcase_add_test(tests, a_checkpoint_without_the_witnesses_that_are_asked_for_is_refused);
	tcase_add_test(tests, what_is_wrong_on_the_command_line_is_said);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
