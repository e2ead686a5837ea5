// Listening sockets that outlive the front: passed from process to process, believed in nothing, and whoever connects while no front
// serves is served by the next one.
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <check.h>

#include "broker/descriptors.h"
#include "broker/front.h"
#include "broker/front_keeper.h"
#include "broker/front_process.h"
#include "broker/front_sockets.h"
#include "tests/harness/edge.h"
#include "tests/harness/enrolment.h"

static int pair[2];

static void set_up(void)
{
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
}

static void tear_down(void)
{
	close(pair[0]);
	close(pair[1]);
}

static int listen_somewhere(void)
{
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&any, sizeof any), 0);
	ck_assert_int_eq(listen(fd, 4), 0);
	return fd;
}

static unsigned port_of(int fd)
{
	struct sockaddr_in address;
	socklen_t bytes = sizeof address;
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &bytes), 0);
	return ntohs(address.sin_port);
}

START_TEST(sockets_pass_with_what_they_listen_for)
{
	struct front_sockets given = {{[LISTENER_CURRENT] = listen_somewhere(), [LISTENER_NEXT] = listen_somewhere()}}, taken = {{0}};
	ck_assert(front_sockets_give(&given, pair[0]));
	ck_assert(front_sockets_take(&taken, pair[1], 0));
	for (enum listener i = LISTENER_CURRENT; i <= LISTENER_NEXT; i++) {
		ck_assert_int_ne(taken.listening[i], given.listening[i]);
		ck_assert_uint_eq(port_of(taken.listening[i]), port_of(given.listening[i]));
		ck_assert_int_ne(fcntl(taken.listening[i], F_GETFL) & O_NONBLOCK, 0);
		ck_assert_int_ne(fcntl(taken.listening[i], F_GETFD) & FD_CLOEXEC, 0);
	}
	front_sockets_close(&given);
	front_sockets_close(&taken);
	ck_assert_int_eq(taken.listening[LISTENER_CURRENT], 0);
}
END_TEST

static unsigned open_descriptors(void)
{
	unsigned count = 0;
	for (int fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

// A front that was taken over may send what it likes.
START_TEST(what_is_no_listening_socket_is_closed)
{
	struct front_sockets taken = {{0}};
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int datagram = socket(AF_INET, SOCK_DGRAM, 0), bound = socket(AF_INET, SOCK_STREAM, 0), file = open("/dev/null", O_RDONLY),
	    good = listen_somewhere(), another = listen_somewhere();
	ck_assert_int_eq(bind(bound, (struct sockaddr *)&any, sizeof any), 0);
	const int sent[] = {datagram, bound, file, pair[0], good, another, good, good};
	const uint8_t as[] = {0, 0, 0, 0, LISTENER_ENROLMENT, LISTENER_CURRENT, LISTENER_CURRENT, 200};
	unsigned before = open_descriptors();
	for (unsigned i = 0; i < sizeof as; i++)
		ck_assert(descriptors_send(pair[0], &as[i], 1, &sent[i], 1));
	const uint8_t end = LISTENERS;
	ck_assert(descriptors_send(pair[0], &end, 1, &sent[0], 1));
	ck_assert(front_sockets_take(&taken, pair[1], 0));
	ck_assert_uint_eq(port_of(taken.listening[LISTENER_CURRENT]), port_of(another));
	ck_assert_int_eq(taken.listening[LISTENER_NEXT], 0);
	ck_assert_int_eq(taken.listening[LISTENER_ENROLMENT], 0);
	ck_assert_uint_eq(open_descriptors(), before + 1);
	front_sockets_close(&taken);
	const int all[] = {datagram, bound, file, good, another};
	for (unsigned i = 0; i < sizeof all / sizeof all[0]; i++)
		close(all[i]);
}
END_TEST

START_TEST(who_gives_nothing_or_is_gone_is_not_waited_for)
{
	struct front_sockets taken = {{0}}, none = {{0}};
	ck_assert(!front_sockets_take(&taken, pair[1], 0));
	ck_assert(!front_sockets_take(&taken, pair[1], 20));
	close(pair[0]);
	ck_assert(!front_sockets_take(&taken, pair[1], EDGE_WAIT_MS));
	ck_assert(!front_sockets_give(&none, pair[1]));
}
END_TEST

START_TEST(who_connects_while_there_is_no_front_is_served_by_the_next)
{
	char detail[FRONT_DETAIL_BYTES] = "";
	struct enrolment *enrolment = enrolment_new();
	struct front *front = NULL;
	const struct front_options options = {
		.keeper = front_keeper_start(),
		.endpoints = {"tcp://127.0.0.1:*", NULL, NULL},
		.keys = {&enrolment->broker, NULL, NULL},
		.admission = enrolment->admission,
		.attempts = attempts_new(),
		.limits = {.zap = {.connections_max = 16, .connections_per_system_max = 16},
			   .intake = {.queued_max = 100, .per_system_max = 50, .busy_after_ms = 1000},
			   .memory_bytes_max = 256u << 20},
		.batch_max = 8,
	};
	ck_assert_msg(front_open(&options, &front, detail), "%s", detail);
	struct sockaddr_in there = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	there.sin_port = htons((uint16_t)strtoul(strrchr(front_endpoint(front, LISTENER_CURRENT), ':') + 1, NULL, 10));
	front_stop(front);
	int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(connect(client, (struct sockaddr *)&there, sizeof there), 0);
	ck_assert_msg(front_start_again(front, detail), "%s", detail);
	// The greeting of ZMTP.
	uint8_t first = 0;
	struct pollfd item = {.fd = client, .events = POLLIN};
	ck_assert_int_eq(poll(&item, 1, EDGE_WAIT_MS), 1);
	ck_assert_int_eq(recv(client, &first, 1, 0), 1);
	ck_assert_uint_eq(first, 0xff);
	close(client);
	front_close(front);
	attempts_free(options.attempts);
	enrolment_free(enrolment);
}
END_TEST

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], FRONT_ARGUMENT) == 0)
		return front_process_run();
	Suite *suite = suite_create("front_sockets");
	TCase *tests = tcase_create("front_sockets");
	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, sockets_pass_with_what_they_listen_for);
	tcase_add_test(tests, what_is_no_listening_socket_is_closed);
	tcase_add_test(tests, who_gives_nothing_or_is_gone_is_not_waited_for);
	tcase_add_test(tests, who_connects_while_there_is_no_front_is_served_by_the_next);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
