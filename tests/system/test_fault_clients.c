// Clients that do not behave: that never read, that read byte by byte, that stop in the middle of a message, that shut half of
// their connection, whose host vanishes. Each has an enrolled system's key. Nobody else notices, and the broker does not grow.
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <check.h>

#include "certs/key.h"
#include "tests/harness/drill.h"
#include "tests/harness/raw_curve.h"

#define QUESTIONS 1500u         // more than a queue of replies and the buffers below it hold
// Of the broker, by one such client. AddressSanitizer keeps what was freed.
#ifdef __SANITIZE_ADDRESS__
#define GROWTH_KB_MAX 131072
#else
#define GROWTH_KB_MAX 16384
#endif
#define SOURCE "10.9.9.1"
#define GONE_MS 60000           // TCP_KEEPALIVE: 10 s, and three times 5 s

static struct raw_curve *client;

static struct raw_curve *misbehave(struct drill *drill, const char *source)
{
	struct curve_key_pair broker, key;
	ck_assert_int_eq(curve_key_load(world_path(drill->world, "authority/broker/broker.key"), &broker), CERTS_OK);
	ck_assert_int_eq(curve_key_load(world_path(drill->world, "systems/brighton.key"), &key), CERTS_OK);
	struct raw_curve_options options = {.endpoint = world_endpoint(drill->world),
					    .source = source,
					    .receive_bytes = 4096,
					    .server_public = broker.public_key,
					    .public_key = key.public_key,
					    .secret_key = key.secret_key};
	ck_assert_int_eq(raw_curve_open(&options, WORLD_WAIT_MS, &client), RAW_CURVE_OK);
	return client;
}

static size_t pack_ping(uint32_t number, uint8_t out[64])
{
	uint8_t id[REQUEST_ID_BYTES] = {1};
	Cpis__V1__PingRequest ping = CPIS__V1__PING_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	memcpy(id + 4, &number, sizeof number);
	request.protocol_version = PROTOCOL_VERSION;
	request.request_id = (ProtobufCBinaryData){sizeof id, id};
	request.deadline_ms = 10000;
	request.body_case = CPIS__V1__REQUEST__BODY_PING;
	request.ping = &ping;
	return cpis__v1__request__pack(&request, out);
}

static enum raw_curve_result ask(uint32_t number, int timeout_ms)
{
	uint8_t bytes[64];
	return raw_curve_send(client, bytes, pack_ping(number, bytes), false, timeout_ms);
}

static long resident_kb(struct drill *drill)
{
	char path[64], line[200];
	long kb = 0;
	snprintf(path, sizeof path, "/proc/%d/status", (int)world_broker_pid(drill->world));
	FILE *file = fopen(path, "re");
	ck_assert_ptr_nonnull(file);
	while (fgets(line, sizeof line, file) != NULL)
		if (sscanf(line, "VmRSS: %ld", &kb) == 1)
			break;
	fclose(file);
	ck_assert_int_gt(kb, 0);
	return kb;
}

START_TEST(a_client_that_never_reads_holds_nobody_up)
{
	struct drill *drill = drill_new(60, "client never reads", "1,500 questions, and no reply read");
	drill_start(drill);
	drill_fault(drill);
	misbehave(drill, NULL);
	long before = resident_kb(drill);
	for (unsigned i = 0; i < QUESTIONS && ask(i, WORLD_WAIT_MS) == RAW_CURVE_OK; i++)
		if (i % 500 == 0)
			drill_work(drill);
	drill_unnoticed(drill);
	long grown = resident_kb(drill) - before;
	drill_row_add(drill->row.recovery, "the broker grew by %ld MB", (grown + 512) / 1024);
	ck_assert_int_lt(grown, GROWTH_KB_MAX);
	raw_curve_close(client);
	drill_end(drill);
}
END_TEST

START_TEST(a_client_that_reads_byte_by_byte_holds_nobody_up)
{
	struct drill *drill = drill_new(61, "client reads byte by byte", "one byte for each answer that others get");
	char what[100];
	uint8_t byte;
	drill_start(drill);
	drill_fault(drill);
	misbehave(drill, NULL);
	for (unsigned i = 0; i < 50; i++)
		ck_assert_int_eq(ask(i, WORLD_WAIT_MS), RAW_CURVE_OK);
	for (unsigned i = 0; i < 50; i++) {
		ck_assert_msg(drill_look(drill, what), "%s", what);
		ck_assert_int_ne(recv(raw_curve_socket(client), &byte, 1, MSG_DONTWAIT), 0);
	}
	drill_unnoticed(drill);
	raw_curve_close(client);
	drill_end(drill);
}
END_TEST

// ZMTP: a frame of 100 bytes, of which ten come.
START_TEST(a_client_that_stops_in_the_middle_of_a_message_holds_nobody_up)
{
	static const uint8_t half[12] = {0, 100};
	struct drill *drill = drill_new(62, "client stops in a message", "ten bytes of a frame of a hundred");
	drill_start(drill);
	drill_fault(drill);
	misbehave(drill, NULL);
	ck_assert_int_eq(raw_curve_send_plain(client, half, sizeof half, WORLD_WAIT_MS), RAW_CURVE_OK);
	drill_unnoticed(drill);
	raw_curve_close(client);
	drill_end(drill);
}
END_TEST

START_TEST(a_client_that_will_say_no_more_is_let_go)
{
	struct drill *drill = drill_new(63, "half-closed connection", "the client shuts its sending half after a question");
	drill_start(drill);
	drill_fault(drill);
	misbehave(drill, NULL);
	ck_assert_int_eq(ask(1, WORLD_WAIT_MS), RAW_CURVE_OK);
	ck_assert_int_eq(shutdown(raw_curve_socket(client), SHUT_WR), 0);
	ck_assert_int_eq(raw_curve_wait_closed(client, WORLD_WAIT_MS), RAW_CURVE_CLOSED);
	raw_curve_close(client);
	drill_unnoticed(drill);
	drill_end(drill);
}
END_TEST

START_TEST(a_client_that_will_hear_no_more_holds_nobody_up)
{
	struct drill *drill = drill_new(64, "half-closed connection", "the client shuts its receiving half and asks on");
	drill_start(drill);
	drill_fault(drill);
	misbehave(drill, NULL);
	ck_assert_int_eq(shutdown(raw_curve_socket(client), SHUT_RD), 0);
	for (unsigned i = 0; i < 50 && ask(i, WORLD_WAIT_MS) == RAW_CURVE_OK; i++)
		;
	drill_unnoticed(drill);
	raw_curve_close(client);
	drill_end(drill);
}
END_TEST

// ------------------------------------------------------------------ a host that is gone

static void ip(struct drill *drill, const char *verb)
{
	const char *command[] = {"ip", "address", verb, SOURCE "/32", "dev", "lo", NULL};
	if (world_command(drill->world, command) != 0)
		world_fail(drill->world, "ip address %s", verb);
}

// Whether the broker's end of a connection from there stands.
static bool is_connected(void)
{
	char line[300], wanted[32];
	struct in_addr address;
	ck_assert_int_eq(inet_pton(AF_INET, SOURCE, &address), 1);
	snprintf(wanted, sizeof wanted, " %08X:", address.s_addr);
	bool found = false;
	// In /proc/net/tcp the broker's end has it second. It listens with IPv6.
	const char *const paths[] = {"/proc/thread-self/net/tcp", "/proc/thread-self/net/tcp6"};
	for (size_t i = 0; i < 2; i++) {
		FILE *file = fopen(paths[i], "re");
		while (file != NULL && fgets(line, sizeof line, file) != NULL) {
			char *local = strchr(line, ':'), *remote = local == NULL ? NULL : strchr(local + 2, ' ');
			found = found || (remote != NULL && strstr(remote, wanted + (i == 1 ? 1 : 0)) != NULL);
		}
		if (file != NULL)
			fclose(file);
	}
	return found;
}

// Looks again every 200 ms; the broker's end would be a failure.
static void wait_until_let_go(struct drill *drill)
{
	uint64_t deadline = world_monotonic_ms() + GONE_MS;
	struct pollfd broker = {.fd = (int)syscall(SYS_pidfd_open, world_broker_pid(drill->world), 0), .events = POLLIN};
	ck_assert_int_ge(broker.fd, 0);
	while (is_connected())
		if (poll(&broker, 1, 200) != 0 || world_monotonic_ms() > deadline)
			world_fail(drill->world, "the connection of a host that is gone still stands");
	close(broker.fd);
}

START_TEST(a_client_whose_host_vanishes_is_let_go)
{
	drill_unshare(true);
	struct drill *drill = drill_new(65, "peer's host vanishes", "its address is taken away, so that packets to it are dropped");
	uint8_t reply[MESSAGE_BYTES_MAX];
	size_t bytes;
	ip(drill, "add");
	drill_start(drill);
	drill_fault(drill);
	misbehave(drill, SOURCE);
	ck_assert_int_eq(ask(1, WORLD_WAIT_MS), RAW_CURVE_OK);
	ck_assert_int_eq(raw_curve_receive(client, reply, sizeof reply, &bytes, WORLD_WAIT_MS), RAW_CURVE_OK);
	ck_assert(is_connected());
	uint64_t since_ms = world_monotonic_ms();
	ip(drill, "del");
	drill_unnoticed(drill);
	if (drill_row_wanted()) {
		wait_until_let_go(drill);
		drill_row_add(drill->row.recovery, "the connection is closed by itself after %u s",
			      (unsigned)((world_monotonic_ms() - since_ms) / 1000));
	}
	raw_curve_close(client);
	drill_end(drill);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fault_clients");
	TCase *clients = tcase_create("clients");
	tcase_set_timeout(clients, 150);
	tcase_add_test(clients, a_client_that_never_reads_holds_nobody_up);
	tcase_add_test(clients, a_client_that_reads_byte_by_byte_holds_nobody_up);
	tcase_add_test(clients, a_client_that_stops_in_the_middle_of_a_message_holds_nobody_up);
	tcase_add_test(clients, a_client_that_will_say_no_more_is_let_go);
	tcase_add_test(clients, a_client_that_will_hear_no_more_holds_nobody_up);
	tcase_add_test(clients, a_client_whose_host_vanishes_is_let_go);
	suite_add_tcase(suite, clients);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
