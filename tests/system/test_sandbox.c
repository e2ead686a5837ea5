// The broker inside its sandbox, seen from outside: as whom it runs, what the kernel says of each of its threads, and that the
// main job is done all the same. That it is limited is in every system test, as none of them switches it off without need.
#include <dirent.h>
#include <ftw.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <check.h>

#include "tests/harness/process_tree.h"
#include "tests/harness/world.h"
#include "tests/harness/world_plans.h"

#define USER "nobody"

static struct world *world;
static char child[11];
static uid_t owner_uid;
static gid_t owner_gid;

static void setup(void)
{
	world_nhs_number(0, child);
	world = world_new();
}

static void teardown(void)
{
	world_free(world);
}

static void serve_main_job(void)
{
	world_publish_child(world, child);
	ck_assert_int_eq(world_cpis(world, "nurse", "query", "--details", child, NULL), 0);
	ck_assert_ptr_nonnull(strstr(world_out(world), "0113 496 0000"));
	ck_assert_int_eq(world_cpis(world, "leeds", "inbox", "list", NULL), 0);
	ck_assert_ptr_nonnull(strstr(world_out(world), child));
}

static int give_away(const char *path, const struct stat *status, int kind, struct FTW *where)
{
	(void)status;
	(void)kind;
	(void)where;
	return lchown(path, owner_uid, owner_gid);
}

// All but the keys, which only root can read: they are read before.
static void give_world_to(const char *user)
{
	static const char *const keys[] = {"store.key", "authority/broker/broker.key", "authority/broker/log.key"};
	const struct passwd *entry = getpwnam(user);
	ck_assert_ptr_nonnull(entry);
	owner_uid = entry->pw_uid;
	owner_gid = entry->pw_gid;
	ck_assert_int_eq(nftw(world_path(world, "."), give_away, 16, FTW_PHYS), 0);
	for (unsigned i = 0; i < sizeof keys / sizeof keys[0]; i++)
		ck_assert_int_eq(chown(world_path(world, "%s", keys[i]), 0, 0), 0);
}

static const char *status_line(const char *status, const char *key)
{
	const char *line = strstr(status, key);
	ck_assert_msg(line != NULL, "no %s", key);
	return line + strlen(key);
}

static char *read_status(pid_t process, const char *task)
{
	char path[320];
	static char text[8192];
	snprintf(path, sizeof path, "/proc/%d/task/%s/status", (int)process, task);
	FILE *file = fopen(path, "re");
	ck_assert_ptr_nonnull(file);
	text[fread(text, 1, sizeof text - 1, file)] = '\0';
	fclose(file);
	return text;
}

// ThreadSanitizer has a thread of its own in each process: it is not counted, and where it began before the process gave up its
// rights it kept them.
#ifdef __SANITIZE_THREAD__
#define SANITIZER_THREADS 1u
#else
#define SANITIZER_THREADS 0u
#endif

// Whether each thread is inside, and how many there are.
static unsigned check_threads_of(pid_t process, uid_t uid, bool sandboxed)
{
	char path[64];
	unsigned count = 0, free_threads = SANITIZER_THREADS;
	snprintf(path, sizeof path, "/proc/%d/task", (int)process);
	DIR *tasks = opendir(path);
	ck_assert_ptr_nonnull(tasks);
	for (struct dirent *entry; (entry = readdir(tasks)) != NULL;) {
		if (entry->d_name[0] == '.')
			continue;
		const char *status = read_status(process, entry->d_name);
		count++;
		if (free_threads > 0 && atoi(status_line(status, "NoNewPrivs:\t")) == 0) {
			free_threads--;
			continue;
		}
		ck_assert_int_eq(atoi(status_line(status, "NoNewPrivs:\t")), 1);
		ck_assert_int_eq(atoi(status_line(status, "\nSeccomp:\t")), sandboxed ? 2 : 0);
		ck_assert_uint_eq((unsigned)atoi(status_line(status, "\nUid:\t")), uid);
		if (uid != 0) {
			ck_assert_uint_eq(strtoull(status_line(status, "\nCapEff:\t"), NULL, 16), 0);
			ck_assert_uint_eq(strtoull(status_line(status, "\nCapPrm:\t"), NULL, 16), 0);
		}
	}
	closedir(tasks);
	return count - SANITIZER_THREADS;
}

// The core's, which are two, and its front's. The keeper starts programs and cannot be inside; but it has no more rights.
static unsigned check_threads(uid_t uid, bool sandboxed)
{
	pid_t core = world_broker_pid(world), keeper = process_child(core);
	ck_assert_uint_eq(check_threads_of(keeper, uid, false), 1);
	ck_assert_uint_eq(check_threads_of(core, uid, sandboxed), 2);
	return check_threads_of(process_child(keeper), uid, sandboxed);
}

#ifdef CPIS_SANITIZED
static const bool sandboxed = false;
#else
static const bool sandboxed = true;
#endif

START_TEST(each_thread_is_limited_by_default)
{
	world_start(world);
	ck_assert_uint_ge(check_threads(geteuid(), sandboxed), 5);
	ck_assert_ptr_nonnull(strstr(world_log(world), sandboxed ? " info sandboxed the core's files limited by Landlock" : "sanitizer"));
	ck_assert_ptr_nonnull(strstr(world_log(world), sandboxed ? " info sandboxed the core's system calls limited by seccomp" : "sanitizer"));
	ck_assert_ptr_nonnull(strstr(world_log(world), sandboxed ? " info sandboxed the front's files limited by Landlock" : "sanitizer"));
	if (geteuid() == 0)
		ck_assert_ptr_nonnull(strstr(world_log(world), " warning runs_as_root "));
	// The keys' heap at least. Sanitizers lock nothing.
	char task[16];
	snprintf(task, sizeof task, "%d", (int)world_broker_pid(world));
	if (sandboxed)
		ck_assert_int_ge(atoi(status_line(read_status(world_broker_pid(world), task), "\nVmLck:\t")), 256);
	ck_assert_int_eq(world_stop(world), 0);
}
END_TEST

START_TEST(started_as_root_it_becomes_a_user_and_does_its_job)
{
	world_configure(world, "user: " USER "\n%s", sandboxed ? "sandbox: required\n" : "");
	give_world_to(USER);
	world_start(world);
	ck_assert_uint_ge(check_threads(owner_uid, sandboxed), 5);
	ck_assert_ptr_null(strstr(world_log(world), "runs_as_root"));
	serve_main_job();
	// What it watches it still reads.
	world_revoke(world, world_path(world, "staff/nurse.pem"));
	long mark = world_log_mark(world);
	world_end_role(world, "midwife");
	world_wait_log(world, mark, "register_loaded");
	ck_assert_int_eq(world_cpis(world, "nurse", "query", child, NULL), 3);
	ck_assert_int_eq(world_cpis(world, "midwife", "query", child, NULL), 3);
	ck_assert_int_eq(world_stop(world), 0);
	ck_assert_int_ne(access(world_path(world, "endpoint"), F_OK), 0);
	world_start(world);
	ck_assert_int_eq(world_cpis(world, "paramedic", "query", child, NULL), 0);
	ck_assert_int_eq(world_stop(world), 0);
}
END_TEST

static void does_not_start(const char *sentence)
{
	int status = 0;
	long mark = world_log_mark(world);
	world_spawn(world);
	ck_assert(world_wait_exit(world, WORLD_WAIT_MS, &status));
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 2);
	ck_assert_msg(strstr(world_log(world) + mark, sentence) != NULL, "%s", world_log(world) + mark);
}

START_TEST(a_path_that_the_user_cannot_use_is_named_at_the_start)
{
	world_configure(world, "user: " USER "\n");
	ck_assert_int_eq(mkdir(world_path(world, "run"), 0755), 0);
	does_not_start(": cannot be written (files are made and removed in it) by the user nobody");
	give_world_to(USER);
	world_start(world);
	ck_assert_int_eq(world_stop(world), 0);
	// As when somebody tried it as root before.
	ck_assert_int_eq(chown(world_path(world, "store.db"), 0, 0), 0);
	does_not_start("store.db: cannot be written by the user nobody (Permission denied): chown it");
	ck_assert_int_eq(chown(world_path(world, "store.db"), owner_uid, owner_gid), 0);
	ck_assert_int_eq(chown(world_path(world, "register.yaml"), 0, 0), 0);
	ck_assert_int_eq(chmod(world_path(world, "register.yaml"), 0600), 0);
	does_not_start("register.yaml: cannot be read by the user nobody");
}
END_TEST

// As installers do it: the names in the configuration are links, and what they lead to is elsewhere, and replaced there.
START_TEST(what_is_watched_may_be_a_link_and_is_replaced_as_a_whole)
{
	char command[3000];
	// Beside the world's directory, in which everything may be read.
	char outside[] = "/tmp/cpis-trust-XXXXXX";
	ck_assert_ptr_nonnull(mkdtemp(outside));
	snprintf(command, sizeof command, "mv %s %s/trust && ln -s %s/trust %s", world_path(world, "authority/trust"), outside, outside,
		 world_path(world, "authority/trust"));
	ck_assert_int_eq(system(command), 0);
	world_start(world);
	long mark = world_log_mark(world);
	world_revoke(world, world_path(world, "staff/nurse.pem"));
	world_wait_log(world, mark, "register_loaded");
	snprintf(command, sizeof command, "cp -a %s/trust %s/fresh && mv %s/trust %s/old && mv %s/fresh %s/trust", outside, outside, outside,
		 outside, outside, outside);
	ck_assert_int_eq(system(command), 0);
	mark = world_log_mark(world);
	world_revoke(world, world_path(world, "staff/midwife.pem"));
	world_wait_log(world, mark, "register_loaded");
	ck_assert_int_eq(world_cpis(world, "paramedic", "query", child, NULL), 0);
	ck_assert_int_eq(world_stop(world), 0);
	snprintf(command, sizeof command, "rm -rf %s", outside);
	ck_assert_int_eq(system(command), 0);
}
END_TEST

START_TEST(a_user_that_is_none_ends_the_start)
{
	world_configure(world, "user: cpis-no-such-user\n");
	does_not_start("user cpis-no-such-user: this machine has no such user");
}
END_TEST

START_TEST(switched_off_it_says_so)
{
	world_configure(world, "sandbox: off\n");
	world_start(world);
	check_threads(geteuid(), false);
	ck_assert_ptr_nonnull(strstr(world_log(world), " warning not_sandboxed the core's files not limited: switched off"));
	ck_assert_ptr_nonnull(strstr(world_log(world), " warning not_sandboxed the front's system calls not limited: switched off"));
	ck_assert_int_eq(world_stop(world), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sandbox");
	TCase *tests = tcase_create("sandbox");
	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, each_thread_is_limited_by_default);
	tcase_add_test(tests, switched_off_it_says_so);
	tcase_add_test(tests, what_is_watched_may_be_a_link_and_is_replaced_as_a_whole);
	// Only root can become somebody else.
	if (geteuid() == 0) {
		tcase_add_test(tests, started_as_root_it_becomes_a_user_and_does_its_job);
		tcase_add_test(tests, a_path_that_the_user_cannot_use_is_named_at_the_start);
		tcase_add_test(tests, a_user_that_is_none_ends_the_start);
	}
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
