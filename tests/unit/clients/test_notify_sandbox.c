// What is within reach of cpis-fhir-notify while it speaks to the network. Each test is a process of its own.
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <check.h>

#include "clients/fhir/notify_sandbox.h"

static char key[] = "/tmp/cpis-notify-sandbox-XXXXXX";

static void setup(void)
{
	int file = mkstemp(key);
	ck_assert_int_ge(file, 0);
	ck_assert_int_eq(write(file, "secret", 6), 6);
	close(file);
}

static void teardown(void)
{
	unlink(key);
}

// False where there is nothing to be tested.
static bool enter(void)
{
	char detail[NOTIFY_DETAIL_BYTES] = "";
	ck_assert_msg(notify_sandbox_enter(detail), "%s", detail);
#ifdef CPIS_SANITIZED
	return false;
#else
	return notify_sandbox_is_there();
#endif
}

START_TEST(a_file_of_the_same_user_is_out_of_reach)
{
	char link[64];
	snprintf(link, sizeof link, "%s-2", key);
	ck_assert_int_ge(open(key, O_RDONLY | O_CLOEXEC), 0);
	if (!enter())
		return;
	ck_assert(open(key, O_RDONLY | O_CLOEXEC) < 0 && errno == EACCES);
	ck_assert(open(key, O_WRONLY | O_CLOEXEC) < 0 && errno == EACCES);
	ck_assert(open(link, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) < 0 && errno == EACCES);
	ck_assert(unlink(key) != 0 && errno == EACCES);
	ck_assert(open("/etc/passwd", O_RDONLY | O_CLOEXEC) < 0 && errno == EACCES);
	ck_assert(open("/proc/self/environ", O_RDONLY | O_CLOEXEC) < 0 && errno == EACCES);
}
END_TEST

START_TEST(no_program_is_started)
{
	int status;
	if (!enter())
		return;
	pid_t pid = fork();
	if (pid == 0) {
		execl("/bin/true", "true", (char *)NULL);
		_exit(errno == EACCES ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	ck_assert_int_eq(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
}
END_TEST

START_TEST(nobody_else_is_looked_into)
{
	char path[32];
	int status;
	pid_t pid = fork();
	if (pid == 0) {
		snprintf(path, sizeof path, "/proc/%d/mem", getppid());
		_exit(!enter() || (ptrace(PTRACE_SEIZE, getppid(), NULL, NULL) < 0 && open(path, O_RDONLY | O_CLOEXEC) < 0) ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
END_TEST

START_TEST(a_host_is_still_found)
{
	struct addrinfo *found = NULL;
	(void)enter();
	ck_assert_int_eq(getaddrinfo("localhost", "443", NULL, &found), 0);
	freeaddrinfo(found);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("notify_sandbox");
	TCase *tests = tcase_create("sandbox");
	tcase_add_unchecked_fixture(tests, setup, teardown);
	tcase_add_test(tests, a_file_of_the_same_user_is_out_of_reach);
	tcase_add_test(tests, no_program_is_started);
	tcase_add_test(tests, nobody_else_is_looked_into);
	tcase_add_test(tests, a_host_is_still_found);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
