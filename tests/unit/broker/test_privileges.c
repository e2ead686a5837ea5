// Becoming another user for good. Each in a process of its own, as there is no way back. Needs root, as the broker does for it.
#include "broker/privileges.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define USER "nobody"

typedef const char *attempt(void);

// Says what was wrong.
static const char *leave_root(void)
{
	static char detail[PRIVILEGES_DETAIL_BYTES];
	const struct passwd *entry = getpwnam(USER);
	uid_t ids[3];
	gid_t group;
	if (entry == NULL)
		return "this machine has no user " USER;
	uid_t uid = entry->pw_uid;
	if (!privileges_become(USER, detail))
		return detail;
	if (getresuid(&ids[0], &ids[1], &ids[2]) != 0 || ids[0] != uid || ids[1] != uid || ids[2] != uid)
		return "some of its ids are not the user's";
	if (getgroups(1, &group) != 1 || group == 0)
		return "it kept a group";
	if (setuid(0) == 0 || seteuid(0) == 0 || setgid(0) == 0)
		return "it can come back";
	if (open("/etc/shadow", O_RDONLY | O_CLOEXEC) >= 0 || errno != EACCES)
		return "it reads what is root's";
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return "a program could give it rights";
	return NULL;
}

static const char *become_again(void)
{
	static char detail[PRIVILEGES_DETAIL_BYTES];
	if (!privileges_become(USER, detail) || !privileges_become(USER, detail))
		return detail;
	if (privileges_become("daemon", detail))
		return "a user became another";
	return strstr(detail, "only root can become somebody else") == NULL ? detail : NULL;
}

static const char *meet_files(void)
{
	static char detail[PRIVILEGES_DETAIL_BYTES];
	if (!privileges_become(USER, detail))
		return detail;
	if (!privileges_check("/etc", PRIVILEGES_READ, USER, detail))
		return detail;
	if (privileges_check("/etc", PRIVILEGES_MAKE_FILES, USER, detail) ||
	    strstr(detail, "/etc: cannot be written (files are made and removed in it) by the user nobody") == NULL)
		return "/etc seems to be writable";
	if (privileges_check("/etc/passwd", PRIVILEGES_WRITE, USER, detail) ||
	    strstr(detail, "/etc/passwd: cannot be written by the user nobody") == NULL)
		return "/etc/passwd seems to be writable";
	return NULL;
}

static void alone(attempt *function)
{
	int status = 0;
	fflush(NULL);
	pid_t child = fork();
	if (child == 0) {
		const char *wrong = function();
		if (wrong != NULL)
			fprintf(stderr, "%s\n", wrong);
		_exit(wrong == NULL ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 0);
}

START_TEST(root_is_left_for_good)
{
	alone(leave_root);
}
END_TEST

START_TEST(a_user_stays_who_it_is)
{
	alone(become_again);
}
END_TEST

START_TEST(a_path_that_the_user_cannot_use_is_named)
{
	alone(meet_files);
}
END_TEST

START_TEST(users_that_are_none_are_refused)
{
	char detail[PRIVILEGES_DETAIL_BYTES] = "";
	ck_assert(!privileges_become("cpis-no-such-user", detail));
	ck_assert_str_eq(detail, "user cpis-no-such-user: this machine has no such user: useradd --system");
	ck_assert(!privileges_become("root", detail));
	ck_assert_ptr_nonnull(strstr(detail, "has root's user or group id"));
	ck_assert_uint_eq(geteuid(), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("privileges");
	TCase *tests = tcase_create("privileges");
	tcase_add_test(tests, root_is_left_for_good);
	tcase_add_test(tests, a_user_stays_who_it_is);
	tcase_add_test(tests, a_path_that_the_user_cannot_use_is_named);
	tcase_add_test(tests, users_that_are_none_are_refused);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
