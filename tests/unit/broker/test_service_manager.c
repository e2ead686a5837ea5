// What the broker tells its service manager: against a socket such as systemd's, from within the core's sandbox too.
#include "broker/service_manager.h"

#include <check.h>
#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "broker/sandbox.h"

static char directory[] = "/tmp/cpis-manager-XXXXXX";
static char path[64];
static int listening = -1;
static char heard[1024];

static int listen_at(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	memcpy(address.sun_path, name, strlen(name));
	bool abstract = name[0] == '@';
	if (abstract)
		address.sun_path[0] = '\0';
	int opened = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name) + (abstract ? 0 : 1));
	ck_assert_int_eq(bind(opened, (const struct sockaddr *)&address, bytes), 0);
	return opened;
}

static void set_up(void)
{
	memcpy(directory + strlen(directory) - 6, "XXXXXX", 6);
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(path, sizeof path, "%s/notify", directory);
	listening = listen_at(path);
	setenv("NOTIFY_SOCKET", path, 1);
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

static void tear_down(void)
{
	close(listening);
	unlink(path);
	rmdir(directory);
}

// What was told next; "" when nothing was.
static const char *hear(int socket)
{
	ssize_t bytes = recv(socket, heard, sizeof heard - 1, MSG_DONTWAIT);
	heard[bytes < 0 ? 0 : bytes] = '\0';
	return heard;
}

static struct service_manager open_manager(void)
{
	struct service_manager manager = SERVICE_MANAGER_NONE;
	char detail[SERVICE_MANAGER_DETAIL_BYTES] = "";
	ck_assert_msg(service_manager_open(&manager, detail), "%s", detail);
	return manager;
}

START_TEST(without_a_manager_nothing_is_told)
{
	unsetenv("NOTIFY_SOCKET");
	struct service_manager manager = open_manager();
	ck_assert_int_eq(manager.socket, -1);
	service_manager_ready(&manager, "serves");
	service_manager_reloading(&manager, 1);
	service_manager_alive(&manager, 1);
	service_manager_stopping(&manager, "");
	service_manager_close(&manager);
	ck_assert_str_eq(hear(listening), "");
}
END_TEST

START_TEST(each_state_is_told_in_the_protocols_words)
{
	struct service_manager manager = open_manager();
	service_manager_ready(&manager, "serves on tcp://127.0.0.1:1");
	ck_assert_str_eq(hear(listening), "READY=1\nSTATUS=serves on tcp://127.0.0.1:1");
	service_manager_reloading(&manager, 1234567);
	ck_assert_str_eq(hear(listening), "RELOADING=1\nMONOTONIC_USEC=1234567");
	service_manager_status(&manager, "3 systems");
	ck_assert_str_eq(hear(listening), "STATUS=3 systems");
	service_manager_main_pid(&manager, 4711);
	ck_assert_str_eq(hear(listening), "MAINPID=4711");
	service_manager_stopping(&manager, "draining");
	ck_assert_str_eq(hear(listening), "STOPPING=1\nSTATUS=draining");
	service_manager_close(&manager);
}
END_TEST

START_TEST(one_that_takes_over_feeds_a_watchdog_that_it_was_not_told_of)
{
	struct service_manager manager = open_manager();
	service_manager_alive(&manager, 5000000);
	ck_assert_str_eq(hear(listening), "");
	service_manager_take_over(&manager);
	service_manager_alive(&manager, 5000000);
	ck_assert_str_eq(hear(listening), "WATCHDOG=1");
	service_manager_alive(&manager, 5999999);
	ck_assert_str_eq(hear(listening), "");
	service_manager_alive(&manager, 6000000);
	ck_assert_str_eq(hear(listening), "WATCHDOG=1");
	service_manager_close(&manager);
	// One that was told goes by that.
	setenv("NOTIFY_SOCKET", path, 1);
	setenv("WATCHDOG_USEC", "400000", 1);
	manager = open_manager();
	service_manager_take_over(&manager);
	ck_assert_uint_eq(manager.feed_us, 100000);
	service_manager_close(&manager);
}
END_TEST

START_TEST(a_socket_of_an_abstract_name_is_told_too)
{
	char name[sizeof path + 1];
	snprintf(name, sizeof name, "@%s", path);
	int other = listen_at(name);
	setenv("NOTIFY_SOCKET", name, 1);
	struct service_manager manager = open_manager();
	service_manager_ready(&manager, "x");
	ck_assert_str_eq(hear(other), "READY=1\nSTATUS=x");
	service_manager_close(&manager);
	close(other);
}
END_TEST

START_TEST(a_status_cannot_say_something_else)
{
	char longest[2 * SERVICE_MANAGER_STATUS_BYTES];
	struct service_manager manager = open_manager();
	service_manager_status(&manager, "a\nMAINPID=1\x7f");
	ck_assert_str_eq(hear(listening), "STATUS=a MAINPID=1 ");
	memset(longest, 'x', sizeof longest - 1);
	longest[sizeof longest - 1] = '\0';
	service_manager_ready(&manager, longest);
	ck_assert_uint_eq(strlen(hear(listening)), strlen("READY=1\nSTATUS=") + SERVICE_MANAGER_STATUS_BYTES - 1);
	service_manager_close(&manager);
}
END_TEST

START_TEST(the_watchdog_is_fed_four_times_in_its_time)
{
	setenv("WATCHDOG_USEC", "4000", 1);
	struct service_manager manager = open_manager();
	service_manager_alive(&manager, 10000);
	ck_assert_str_eq(hear(listening), "WATCHDOG=1");
	service_manager_alive(&manager, 10999);
	ck_assert_str_eq(hear(listening), "");
	service_manager_alive(&manager, 11000);
	ck_assert_str_eq(hear(listening), "WATCHDOG=1");
	service_manager_close(&manager);
}
END_TEST

START_TEST(another_processs_watchdog_is_not_fed)
{
	char number[32];
	setenv("WATCHDOG_USEC", "4000", 1);
	setenv("WATCHDOG_PID", "1", 1);
	struct service_manager manager = open_manager();
	service_manager_alive(&manager, 10000);
	ck_assert_str_eq(hear(listening), "");
	service_manager_close(&manager);
	snprintf(number, sizeof number, "%ld", (long)getpid());
	setenv("NOTIFY_SOCKET", path, 1);
	setenv("WATCHDOG_USEC", "4000", 1);
	setenv("WATCHDOG_PID", number, 1);
	manager = open_manager();
	service_manager_alive(&manager, 10000);
	ck_assert_str_eq(hear(listening), "WATCHDOG=1");
	service_manager_close(&manager);
}
END_TEST

START_TEST(what_is_started_later_cannot_speak_for_the_broker)
{
	setenv("WATCHDOG_USEC", "4000", 1);
	struct service_manager manager = open_manager();
	ck_assert_ptr_null(getenv("NOTIFY_SOCKET"));
	ck_assert_ptr_null(getenv("WATCHDOG_USEC"));
	ck_assert_ptr_null(getenv("WATCHDOG_PID"));
	service_manager_close(&manager);
}
END_TEST

static const struct {
	const char *variable, *value, *said;
} bad[] = {
	{"NOTIFY_SOCKET", "relative", "NOTIFY_SOCKET relative: is neither"},
	{"NOTIFY_SOCKET", "/", "is neither"},
	{"NOTIFY_SOCKET", "/0123456789/0123456789/0123456789/0123456789/0123456789/0123456789/0123456789/0123456789/0123456789/0123456789",
	 "too long"},
	{"NOTIFY_SOCKET", "/nowhere/notify", "No such file or directory"},
	{"WATCHDOG_USEC", "soon", "must be numbers"},
	{"WATCHDOG_USEC", "", "must be numbers"},
	{"WATCHDOG_USEC", "3", "must be numbers"},
	{"WATCHDOG_USEC", "99999999999999999999999", "must be numbers"},
};

START_TEST(a_manager_that_cannot_be_told_is_refused_with_a_sentence)
{
	struct service_manager manager = SERVICE_MANAGER_NONE;
	char detail[SERVICE_MANAGER_DETAIL_BYTES] = "";
	setenv(bad[_i].variable, bad[_i].value, 1);
	ck_assert(!service_manager_open(&manager, detail));
	ck_assert_msg(strstr(detail, bad[_i].said) != NULL, "%s", detail);
	ck_assert_int_eq(manager.socket, -1);
}
END_TEST

// The manager does not read: the loop goes on all the same.
START_TEST(a_manager_that_does_not_listen_holds_nobody_up)
{
	setenv("WATCHDOG_USEC", "4", 1);
	struct service_manager manager = open_manager();
	for (unsigned i = 1; i < 5000; i++)
		service_manager_alive(&manager, i);
	service_manager_stopping(&manager, "x");
	service_manager_close(&manager);
}
END_TEST

// The core's own limits: no socket can be made or connected any more.
START_TEST(it_is_told_from_within_the_sandbox)
{
	struct service_manager manager = open_manager();
	fflush(NULL);
	pid_t child = fork();
	if (child == 0) {
		char detail[SANDBOX_DETAIL_BYTES];
		const struct sandbox_options options = {.mode = SANDBOX_BEST_EFFORT, .profile = SANDBOX_CORE, .network = SANDBOX_NO_NETWORK};
		if (sandbox_limit_files(&options, detail) == SANDBOX_FAILED || sandbox_limit_calls(&options, detail) == SANDBOX_FAILED)
			_exit(1);
		service_manager_ready(&manager, "in its sandbox");
		service_manager_stopping(&manager, "and out");
		_exit(0);
	}
	int status = 0;
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	ck_assert_str_eq(hear(listening), "READY=1\nSTATUS=in its sandbox");
	ck_assert_str_eq(hear(listening), "STOPPING=1\nSTATUS=and out");
	service_manager_close(&manager);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("service_manager");
	TCase *cases = tcase_create("telling");
	tcase_add_checked_fixture(cases, set_up, tear_down);
	tcase_add_test(cases, without_a_manager_nothing_is_told);
	tcase_add_test(cases, each_state_is_told_in_the_protocols_words);
	tcase_add_test(cases, one_that_takes_over_feeds_a_watchdog_that_it_was_not_told_of);
	tcase_add_test(cases, a_socket_of_an_abstract_name_is_told_too);
	tcase_add_test(cases, a_status_cannot_say_something_else);
	tcase_add_test(cases, the_watchdog_is_fed_four_times_in_its_time);
	tcase_add_test(cases, another_processs_watchdog_is_not_fed);
	tcase_add_test(cases, what_is_started_later_cannot_speak_for_the_broker);
	tcase_add_loop_test(cases, a_manager_that_cannot_be_told_is_refused_with_a_sentence, 0, sizeof bad / sizeof bad[0]);
	tcase_add_test(cases, a_manager_that_does_not_listen_holds_nobody_up);
	tcase_add_test(cases, it_is_told_from_within_the_sandbox);
	suite_add_tcase(suite, cases);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
