// How fast a right is taken away: 200 open connections under load, and then the system, the person or the certificate
// behind them is held back or revoked. What is sent after the broker has said so is not answered with data, on any of
// them. The delays are measured and printed.
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>
#include <zmq.h>

#include "tests/harness/channel.h"
#include "tests/harness/world.h"
#include "tests/harness/world_client.h"

#define CONNECTIONS 200u
#define WARM_UP_REPLIES 2000u
#define WHY "key found on a stolen laptop"

struct connection {
	void *socket;
	uint64_t sent_ms;
	uint64_t last_answer_ms; // with data
	bool refused;
	uint64_t number;         // of the request under way
};

struct load {
	void *context;
	struct connection connections[CONNECTIONS];
	zmq_pollitem_t items[CONNECTIONS];
	uint8_t token[SESSION_TOKEN_BYTES_MAX];
	size_t token_bytes;
	uint64_t answered, refused, late;
	const char *expected_reason;
};

static struct world *world;
static struct load *load;
static char child[11];

// ------------------------------------------------------------------ the load

static void sign_nurse_in(void)
{
	struct channel *channel = channel_open(world, world_path(world, "systems/hospital.key"));
	struct channel_reply *reply = channel_open_session(world, channel, "nurse");
	ck_assert_int_eq(reply->reply->outcome, CPIS__V1__OUTCOME__OK);
	load->token_bytes = reply->reply->session_open->session_token.len;
	memcpy(load->token, reply->reply->session_open->session_token.data, load->token_bytes);
	channel_reply_free(reply);
	channel_close(channel);
}

static void open_connections(void)
{
	struct curve_key_pair hospital, broker;
	int zero = 0;
	ck_assert_int_eq(curve_key_load(world_path(world, "systems/hospital.key"), &hospital), CERTS_OK);
	ck_assert_int_eq(curve_key_load(world_path(world, "authority/broker/broker.key"), &broker), CERTS_OK);
	for (unsigned i = 0; i < CONNECTIONS; i++) {
		void *socket = load->connections[i].socket = zmq_socket(load->context, ZMQ_DEALER);
		ck_assert_ptr_nonnull(socket);
		ck_assert_int_eq(zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, broker.public_key, KEY_BYTES), 0);
		ck_assert_int_eq(zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, hospital.public_key, KEY_BYTES), 0);
		ck_assert_int_eq(zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, hospital.secret_key, KEY_BYTES), 0);
		ck_assert_int_eq(zmq_setsockopt(socket, ZMQ_LINGER, &zero, sizeof zero), 0);
		ck_assert_int_eq(zmq_connect(socket, world_endpoint(world)), 0);
		load->items[i] = (zmq_pollitem_t){.socket = socket, .events = ZMQ_POLLIN};
	}
}

static void ask(struct connection *connection)
{
	uint8_t id[REQUEST_ID_BYTES] = {0}, packed[2048];
	Cpis__V1__FlagRequest flag = CPIS__V1__FLAG_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	connection->number++;
	memcpy(id, &connection, sizeof connection);
	memcpy(id + sizeof connection, &connection->number, REQUEST_ID_BYTES - sizeof connection);
	request.protocol_version = PROTOCOL_VERSION;
	request.request_id = (ProtobufCBinaryData){sizeof id, id};
	request.deadline_ms = 20000;
	request.session_token = (ProtobufCBinaryData){load->token_bytes, load->token};
	flag.nhs_number = child;
	flag.care_setting = CPIS__V1__CARE_SETTING__EMERGENCY_DEPARTMENT;
	request.body_case = CPIS__V1__REQUEST__BODY_FLAG;
	request.flag = &flag;
	size_t bytes = cpis__v1__request__pack(&request, packed);
	connection->sent_ms = world_monotonic_ms();
	ck_assert_int_eq(zmq_send(connection->socket, packed, bytes, 0), (int)bytes);
}

// 0 until the broker has said that it holds them back.
static _Atomic uint64_t acknowledged_ms;

static void take_reply(struct connection *connection)
{
	uint8_t bytes[16384];
	Cpis__V1__Reply *reply = NULL;
	struct wire_error error;
	struct arena arena;
	int count = zmq_recv(connection->socket, bytes, sizeof bytes, ZMQ_DONTWAIT);
	uint64_t since_ms = atomic_load(&acknowledged_ms);
	ck_assert_int_gt(count, 0);
	ck_assert(arena_init(&arena, ARENA_BYTES));
	ck_assert_int_eq(wire_reply_decode(&arena, bytes, (size_t)count, &reply, &error), WIRE_OK);
	if (reply->outcome == CPIS__V1__OUTCOME__OK) {
		load->answered++;
		connection->last_answer_ms = world_monotonic_ms();
		load->late += since_ms != 0 && connection->sent_ms > since_ms;
	} else {
		ck_assert_str_eq(reply->reason_code, load->expected_reason);
		load->refused += !connection->refused;
		connection->refused = true;
	}
	arena_done(&arena);
	if (!connection->refused)
		ask(connection);
}

static void run_until(uint64_t answered, uint64_t refused)
{
	uint64_t end_ms = world_monotonic_ms() + 2 * WORLD_WAIT_MS;
	while (load->answered < answered || load->refused < refused) {
		ck_assert_msg(world_monotonic_ms() < end_ms, "%llu of %u connections refused in time",
			      (unsigned long long)load->refused, CONNECTIONS);
		ck_assert_int_ge(zmq_poll(load->items, CONNECTIONS, 1000), 0);
		for (unsigned i = 0; i < CONNECTIONS; i++)
			if (load->items[i].revents != 0)
				take_reply(&load->connections[i]);
	}
}

// ------------------------------------------------------------------ taking away

struct measure {
	const char *name, *reason;
	Cpis__V1__QuarantineKind kind;
	const char *target;
	struct cpis_client *registrar;
	uint64_t asked_ms;
};

static void *hold_back(void *context)
{
	struct measure *measure = context;
	Cpis__V1__QuarantineSetRequest set = CPIS__V1__QUARANTINE_SET_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	const Cpis__V1__Reply *reply = NULL;
	set.kind = measure->kind;
	set.target = (char *)(uintptr_t)measure->target;
	set.reason = (char *)(uintptr_t)WHY;
	request.body_case = CPIS__V1__REQUEST__BODY_QUARANTINE_SET;
	request.quarantine_set = &set;
	measure->asked_ms = world_monotonic_ms();
	enum cpis_status status = cpis_call_signed(measure->registrar, &request, world_path(world, "staff/registrar.key"),
						   WORLD_CALL_MS, &reply);
	if (status != CPIS_OK || reply->outcome != CPIS__V1__OUTCOME__OK)
		world_fail(NULL, "not held back: %s", status != CPIS_OK ? cpis_status_text(status) : reply->reason_code);
	atomic_store(&acknowledged_ms, world_monotonic_ms());
	cpis_reply_free(reply);
	return NULL;
}

static int compare_delays(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

static void report(const char *name, uint64_t asked_ms)
{
	uint64_t delays[CONNECTIONS];
	for (unsigned i = 0; i < CONNECTIONS; i++) {
		uint64_t last = load->connections[i].last_answer_ms;
		delays[i] = last > asked_ms ? last - asked_ms : 0;
	}
	qsort(delays, CONNECTIONS, sizeof delays[0], compare_delays);
	printf("%s: %u connections, last answer after %llu ms in the median, %llu ms at the worst; acknowledged after %llu"
	       " ms; %llu answers to what was sent later\n",
	       name, CONNECTIONS, (unsigned long long)delays[CONNECTIONS / 2],
	       (unsigned long long)delays[CONNECTIONS - 1],
	       (unsigned long long)(atomic_load(&acknowledged_ms) - asked_ms), (unsigned long long)load->late);
	ck_assert_uint_eq(load->late, 0);
}

static void start_load(void)
{
	for (unsigned i = 0; i < CONNECTIONS; i++)
		ask(&load->connections[i]);
	run_until(WARM_UP_REPLIES, 0);
}

static void measure_quarantine(struct measure *measure)
{
	pthread_t thread;
	measure->registrar = world_sign_in(world, "registrar");
	load->expected_reason = measure->reason;
	start_load();
	ck_assert_int_eq(pthread_create(&thread, NULL, hold_back, measure), 0);
	run_until(0, CONNECTIONS);
	pthread_join(thread, NULL);
	report(measure->name, measure->asked_ms);
	cpis_close(measure->registrar);
}

static void setup(void)
{
	world_nhs_number(0, child);
	world = world_new();
	world_start(world);
	load = calloc(1, sizeof *load);
	ck_assert_ptr_nonnull(load);
	load->context = zmq_ctx_new();
	ck_assert_ptr_nonnull(load->context);
	atomic_store(&acknowledged_ms, 0);
	sign_nurse_in();
	open_connections();
}

static void teardown(void)
{
	for (unsigned i = 0; i < CONNECTIONS; i++)
		zmq_close(load->connections[i].socket);
	zmq_ctx_term(load->context);
	free(load);
	ck_assert_int_eq(world_stop(world), 0);
	world_free(world);
}

START_TEST(a_system_is_not_answered_any_more_once_it_is_quarantined)
{
	struct measure measure = {.name = "quarantine of a system",
				  .reason = "system_quarantined",
				  .kind = CPIS__V1__QUARANTINE_KIND__SYSTEM,
				  .target = "RXH/hospital-record-system"};
	measure_quarantine(&measure);
}
END_TEST

START_TEST(a_person_is_not_answered_any_more_once_quarantined)
{
	struct measure measure = {.name = "quarantine of a person",
				  .reason = "person_quarantined",
				  .kind = CPIS__V1__QUARANTINE_KIND__PERSON,
				  .target = world_person("nurse")->uid};
	measure_quarantine(&measure);
}
END_TEST

// The acknowledgement of a revocation is the broker's log line that it has the new lists.
static void *watch_log(void *context)
{
	long *mark = context;
	world_wait_log(world, *mark, "register_loaded");
	atomic_store(&acknowledged_ms, world_monotonic_ms());
	return NULL;
}

START_TEST(a_system_is_not_answered_any_more_once_its_certificate_is_revoked)
{
	pthread_t thread;
	load->expected_reason = "system_revoked";
	start_load();
	long mark = world_log_mark(world);
	uint64_t asked_ms = world_monotonic_ms();
	world_revoke(world, world_path(world, "systems/hospital.pem"));
	ck_assert_int_eq(pthread_create(&thread, NULL, watch_log, &mark), 0);
	run_until(0, CONNECTIONS);
	pthread_join(thread, NULL);
	report("revocation of a system's certificate", asked_ms);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("revocation");
	TCase *tests = tcase_create("revocation");
	tcase_set_timeout(tests, 300);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, a_system_is_not_answered_any_more_once_it_is_quarantined);
	tcase_add_test(tests, a_person_is_not_answered_any_more_once_quarantined);
	tcase_add_test(tests, a_system_is_not_answered_any_more_once_its_certificate_is_revoked);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
