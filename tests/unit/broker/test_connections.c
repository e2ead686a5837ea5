// Which of a process's TCP connections are cut off, and which is named.
#include "broker/connections.h"

#include <arpa/inet.h>
#include <check.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PAIRS 4u
#define WAIT_MS 20000

static int listener, ours[PAIRS], theirs[PAIRS];

static void send_bytes(int from, int to, size_t bytes)
{
	static char data[100000];
	ck_assert_uint_le(bytes, sizeof data);
	ck_assert_int_eq(send(from, data, bytes, 0), (ssize_t)bytes);
	for (size_t got = 0; got < bytes;) {
		ssize_t received = recv(to, data, sizeof data, 0);
		ck_assert_int_gt(received, 0);
		got += (size_t)received;
	}
}

static void set_up(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t bytes = sizeof address;
	listener = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
	ck_assert_int_eq(listen(listener, PAIRS), 0);
	ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&address, &bytes), 0);
	for (unsigned i = 0; i < PAIRS; i++) {
		theirs[i] = socket(AF_INET, SOCK_STREAM, 0);
		ck_assert_int_eq(connect(theirs[i], (struct sockaddr *)&address, sizeof address), 0);
		ours[i] = accept(listener, NULL, NULL);
		ck_assert_int_ge(ours[i], 0);
	}
}

static void tear_down(void)
{
	close(listener);
	for (unsigned i = 0; i < PAIRS; i++) {
		close(ours[i]);
		close(theirs[i]);
	}
}

static bool is_cut(unsigned pair)
{
	char byte;
	return recv(ours[pair], &byte, 1, MSG_DONTWAIT) == 0;
}

// Both ends are this process's, so that each connection counts twice: the far ends have received nothing.
START_TEST(those_that_have_not_sent_a_handshake_go_before_those_that_have)
{
	send_bytes(theirs[0], ours[0], CONNECTIONS_HANDSHAKE_BYTES);
	send_bytes(theirs[1], ours[1], CONNECTIONS_HANDSHAKE_BYTES - 1);
	send_bytes(theirs[2], ours[2], 5000);
	// The far ends go first too: they are given what makes them the last.
	for (unsigned i = 0; i < PAIRS; i++)
		send_bytes(ours[i], theirs[i], CONNECTIONS_HANDSHAKE_BYTES);
	ck_assert_uint_eq(connections_cut_off(0), 0);
	ck_assert_uint_eq(connections_cut_off(2), 2);
	ck_assert(!is_cut(0));
	ck_assert(is_cut(1));
	ck_assert(!is_cut(2));
	ck_assert(is_cut(3));
}
END_TEST

START_TEST(the_listening_socket_stays)
{
	// More than there are.
	ck_assert_uint_ge(connections_cut_off(1000), PAIRS);
	struct sockaddr_in address;
	socklen_t bytes = sizeof address;
	ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&address, &bytes), 0);
	int late = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(connect(late, (struct sockaddr *)&address, sizeof address), 0);
	struct pollfd item = {.fd = listener, .events = POLLIN};
	ck_assert_int_eq(poll(&item, 1, WAIT_MS), 1);
	close(late);
}
END_TEST

START_TEST(who_sent_most_is_named_with_address_and_port)
{
	char name[ATTEMPT_EXAMPLE_BYTES], expected[ATTEMPT_EXAMPLE_BYTES];
	struct sockaddr_in address;
	socklen_t bytes = sizeof address;
	for (unsigned i = 0; i < 25; i++)
		send_bytes(theirs[2], ours[2], 90000);
	ck_assert_int_eq(getsockname(theirs[2], (struct sockaddr *)&address, &bytes), 0);
	snprintf(expected, sizeof expected, "127.0.0.1:%u, 2 MB", ntohs(address.sin_port));
	connections_name_largest(name);
	ck_assert_str_eq(name, expected);
}
END_TEST

START_TEST(without_connections_there_is_nothing_to_do)
{
	char name[ATTEMPT_EXAMPLE_BYTES] = "?";
	ck_assert_uint_eq(connections_cut_off(10), 0);
	connections_name_largest(name);
	ck_assert_str_eq(name, "");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("connections");
	TCase *tests = tcase_create("connections"), *none = tcase_create("none");
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, those_that_have_not_sent_a_handshake_go_before_those_that_have);
	tcase_add_test(tests, the_listening_socket_stays);
	tcase_add_test(tests, who_sent_most_is_named_with_address_and_port);
	tcase_add_test(none, without_connections_there_is_nothing_to_do);
	suite_add_tcase(suite, tests);
	suite_add_tcase(suite, none);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
