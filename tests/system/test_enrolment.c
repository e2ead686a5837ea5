// A new system's way in, with the real broker and the real commands: invitation, one-time code, fingerprint, certificate, first
// query. And what a stranger at the enrolment endpoint gets, and cannot take from others.
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <check.h>
#include <sqlite3.h>
#include <zmq.h>

#include "broker/listeners.h"
#include "certs/identity.h"
#include "proto/date.h"
#include "tests/harness/channel.h"
#include "tests/harness/world.h"
#include "tests/harness/world_client.h"
#include "tests/harness/world_priv.h"

#define WHY "new record system of the emergency department"
#define NEW_ODS "RXH"
#define NEW_NAME "ed-record-system"

static struct world *world;
static char endpoint[64], child[11];

static void setup(void)
{
	world_nhs_number(0, child);
	world = world_new();
	world_choose_endpoint(endpoint);
	world_configure(world, "enrolment_endpoint: %s\nenrolment_endpoint_file: enrolment_endpoint\n", endpoint);
	world_start(world);
}

static void teardown(void)
{
	ck_assert_int_eq(world_stop(world), 0);
	world_free(world);
}

// ------------------------------------------------------------------ keys and certificates

// Where the enrolled directory has the certificate of systems/<file>.pem.
static const char *enrolled_path(const char *file)
{
	struct certificate_description description;
	char detail[CERTS_DETAIL_BYTES] = "", serial[2 * SERIAL_BYTES_MAX + 1];
	ck_assert_msg(certificate_describe_file(world_path(world, "systems/%s.pem", file), &description, detail) == CERTS_OK,
		      "%s", detail);
	certificate_serial_format(&description.serial, serial);
	return world_path(world, "authority/enrolled/%s.pem", serial);
}

// A key with a certificate that is kept from the broker until it is placed.
static void make_system(const char *file, const char *ods, const char *name)
{
	long mark = world_log_mark(world);
	ck_assert_int_eq(world_cpis(world, NULL, "certs", "issue-system", "--dir", world_path(world, "authority"), "--ods", ods,
				    "--name", name, "--out", world_path(world, "systems"), "--file", file, NULL),
			 0);
	world_wait_log(world, mark, "register_loaded");
	mark = world_log_mark(world);
	ck_assert_int_eq(rename(enrolled_path(file), world_path(world, "%s.aside", file)), 0);
	world_wait_log(world, mark, "register_loaded");
	ck_assert_int_eq(rename(world_path(world, "systems/%s.pem", file), world_path(world, "systems/%s.issued", file)), 0);
}

static void place_certificate(const char *file)
{
	long mark = world_log_mark(world);
	ck_assert_int_eq(rename(world_path(world, "systems/%s.issued", file), world_path(world, "systems/%s.pem", file)), 0);
	const char *place = enrolled_path(file);
	ck_assert_int_eq(rename(world_path(world, "systems/%s.pem", file), world_path(world, "systems/%s.issued", file)), 0);
	ck_assert_int_eq(rename(world_path(world, "%s.aside", file), place), 0);
	world_wait_log(world, mark, "register_loaded");
}

// ------------------------------------------------------------------ commands

static void invite(const char *ods, const char *name)
{
	ck_assert_int_eq(world_cpis(world, "registrar", "enrol", "invite", "--ods", ods, "--name", name, "--reason", WHY, NULL),
			 0);
	const char *code = strstr(world_out(world), "one-time code  ");
	ck_assert_ptr_nonnull(code);
	char line[80];
	snprintf(line, sizeof line, "%.55s\n", code + strlen("one-time code  "));
	world_write_file(world_path(world, "code"), line);
}

static int present_to(const char *where, const char *file, const char *ods, const char *name, const char *code)
{
	return world_cpis(world, NULL, "enrol", "present", "--endpoint", where, "--broker-name", WORLD_BROKER_NAME,
			  "--broker-certificate", world_path(world, "authority/broker/broker.pem"), "--trust",
			  world_path(world, "authority/trust"), "--key", world_path(world, "systems/%s.key", file), "--ods", ods,
			  "--name", name, "--code", code, NULL);
}

static int present(const char *file)
{
	return present_to(endpoint, file, NEW_ODS, NEW_NAME, world_path(world, "code"));
}

static void read_fingerprint(char out[CPIS_FINGERPRINT_BYTES])
{
	const char *at = strstr(world_out(world), "fingerprint of the key  ");
	ck_assert_ptr_nonnull(at);
	snprintf(out, CPIS_FINGERPRINT_BYTES, "%s", at + strlen("fingerprint of the key  "));
}

static bool same_text(const char *path, const char *text)
{
	char *file = world_read_file(path, NULL);
	bool same = strcmp(file, text) == 0;
	free(file);
	return same;
}

static void write_profile_of_new_system(void)
{
	char text[2048];
	snprintf(text, sizeof text,
		 "endpoint: %s\nbroker_name: %s\nbroker_certificate: ../authority/broker/broker.pem\n"
		 "trust_directory: ../authority/trust\nsystem_certificate: ../systems/new.pem\nsystem_key: ../systems/new.key\n"
		 "staff_certificate: ../staff/nurse.pem\nstaff_key: ../staff/nurse.key\nrole: R8001\n"
		 "care_setting: emergency_department\n",
		 world_endpoint(world), WORLD_BROKER_NAME);
	world_write_file(world_path(world, "profiles/newcomer.yaml"), text);
}

// The whole way with our own commands, and the private key in one place only.
START_TEST(a_system_makes_its_key_and_gets_a_certificate_for_it_by_what_was_read_out)
{
	char fingerprint[CPIS_FINGERPRINT_BYTES], other[CPIS_FINGERPRINT_BYTES], key[256];
	ck_assert_int_eq(world_cpis(world, NULL, "certs", "request-system", "--out", world_path(world, "systems"), "--file", "new",
				    NULL),
			 0);
	invite(NEW_ODS, NEW_NAME);
	ck_assert_int_eq(present("new"), 0);
	read_fingerprint(fingerprint);
	ck_assert_int_eq(mkdir(world_path(world, "keys"), 0700), 0);
	ck_assert_int_eq(world_cpis(world, "registrar", "enrol", "list", "--save-keys", world_path(world, "keys"), NULL), 0);
	snprintf(key, sizeof key, "%s", world_path(world, "keys/%s.pem", fingerprint));
	// Somebody else's digits issue nothing.
	snprintf(other, sizeof other, "%s", fingerprint);
	other[0] = other[0] == '0' ? '1' : '0';
	const char *typed[] = {other, fingerprint};
	for (int i = 0; i < 2; i++) {
		long mark = world_log_mark(world);
		ck_assert_int_eq(world_cpis(world, NULL, "certs", "issue-system", "--dir", world_path(world, "authority"), "--ods",
					    NEW_ODS, "--name", NEW_NAME, "--public-key", key, "--fingerprint", typed[i], "--out",
					    world_path(world, "issued"), NULL),
				 i == 0 ? 1 : 0);
		if (i == 1)
			world_wait_log(world, mark, "register_loaded");
	}
	ck_assert_int_eq(present("new"), 0);
	ck_assert(world_said(world, "The certificate was issued"));
	write_profile_of_new_system();
	ck_assert_int_eq(world_cpis(world, "newcomer", "query", child, NULL), 0);
}
END_TEST

START_TEST(a_new_system_is_invited_compared_issued_and_asks_its_first_question)
{
	char fingerprint[CPIS_FINGERPRINT_BYTES];
	make_system("new", NEW_ODS, NEW_NAME);
	invite(NEW_ODS, NEW_NAME);
	ck_assert_int_eq(world_cpis(world, "registrar", "enrol", "list", NULL), 0);
	ck_assert(world_said(world, "INVITED " NEW_ODS "/" NEW_NAME));
	ck_assert_int_eq(present("new"), 0);
	read_fingerprint(fingerprint);
	ck_assert_int_ne(access(world_path(world, "systems/new.pem"), F_OK), 0);
	// What the registrar sees and what the operator reads out are the same.
	ck_assert_int_eq(mkdir(world_path(world, "keys"), 0700), 0);
	ck_assert_int_eq(world_cpis(world, "registrar", "enrol", "list", "--save-keys", world_path(world, "keys"), NULL), 0);
	ck_assert(world_said(world, "WAITING " NEW_ODS "/" NEW_NAME) && world_said(world, fingerprint));
	const char *openssl[] = {"openssl", "x509", "-in", world_path(world, "systems/new.issued"), "-noout", "-pubkey", NULL};
	ck_assert_int_eq(world_command(world, openssl), 0);
	ck_assert(same_text(world_path(world, "keys/%s.pem", fingerprint), world_out(world)));
	// The broker is lost in between, and all is where it was.
	world_kill(world);
	world_start(world);
	ck_assert_int_eq(present("new"), 0);
	ck_assert(world_said(world, fingerprint));
	place_certificate("new");
	ck_assert_int_eq(present("new"), 0);
	ck_assert(world_said(world, "The certificate was issued"));
	char *issued = world_read_file(world_path(world, "systems/new.issued"), NULL);
	ck_assert(same_text(world_path(world, "systems/new.pem"), issued));
	free(issued);
	ck_assert_int_eq(world_cpis(world, "registrar", "enrol", "list", NULL), 0);
	ck_assert(world_said(world, "ISSUED " NEW_ODS "/" NEW_NAME));
	write_profile_of_new_system();
	ck_assert_int_eq(world_cpis(world, "newcomer", "query", child, NULL), 0);
	ck_assert_int_eq(world_cpis(world, "guardian", "audit", "search", NULL), 0);
	ck_assert(world_said(world, "ENROL_INVITE") && world_said(world, fingerprint) && world_said(world, WHY));
	ck_assert_ptr_null(strstr(world_log(world), fingerprint));
}
END_TEST

START_TEST(whoever_waits_is_given_the_certificate_as_soon_as_it_is_there)
{
	char program[WORLD_PATH_BYTES];
	int status;
	make_system("new", NEW_ODS, NEW_NAME);
	invite(NEW_ODS, NEW_NAME);
	snprintf(program, sizeof program, "%s/cpis", world->build);
	const char *out = world_path(world, "wait.out");
	const char *arguments[] = {program, "enrol", "present", "--endpoint", endpoint, "--broker-name", WORLD_BROKER_NAME,
				   "--broker-certificate", world_path(world, "authority/broker/broker.pem"), "--trust",
				   world_path(world, "authority/trust"), "--key", world_path(world, "systems/new.key"), "--ods",
				   NEW_ODS, "--name", NEW_NAME, "--code", world_path(world, "code"), "--out",
				   world_path(world, "given.pem"), "--wait", "--interval", "100", "--timeout", "2000", NULL};
	pid_t child_pid = world_launch(world, arguments, out, world_path(world, "wait.err"));
	// Until the key has come.
	uint64_t end_ms = world_monotonic_ms() + WORLD_WAIT_MS;
	do {
		ck_assert_uint_lt(world_monotonic_ms(), end_ms);
		ck_assert_int_eq(world_cpis(world, "registrar", "enrol", "list", NULL), 0);
	} while (!world_said(world, "WAITING"));
	// It outlasts a restart of the broker too.
	ck_assert_int_eq(world_stop(world), 0);
	world_start(world);
	place_certificate("new");
	ck_assert(world_reap(world, child_pid, WORLD_WAIT_MS, &status));
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	char *issued = world_read_file(world_path(world, "systems/new.issued"), NULL);
	ck_assert(same_text(world_path(world, "given.pem"), issued));
	free(issued);
}
END_TEST

// ------------------------------------------------------------------ refusals

START_TEST(a_wrong_code_another_key_and_another_name_are_refused_alike)
{
	char first[4096];
	make_system("new", NEW_ODS, NEW_NAME);
	make_system("other", NEW_ODS, "other-system");
	world_write_file(world_path(world, "wrong"), "000000-000011-720885-051260-483791-360448-002805-360437\n");
	ck_assert_int_eq(present_to(endpoint, "new", NEW_ODS, NEW_NAME, world_path(world, "wrong")), 3);
	ck_assert(world_complained(world, "enrolment_code"));
	snprintf(first, sizeof first, "%.*s", (int)strcspn(world_err(world), "\n"), world_err(world));
	invite(NEW_ODS, NEW_NAME);
	ck_assert_int_eq(present_to(endpoint, "new", NEW_ODS, NEW_NAME, world_path(world, "wrong")), 3);
	ck_assert(world_complained(world, first));
	ck_assert_int_eq(present_to(endpoint, "new", NEW_ODS, "other-system", world_path(world, "code")), 3);
	ck_assert(world_complained(world, first));
	ck_assert_int_eq(present_to(endpoint, "new", "RYD", NEW_NAME, world_path(world, "code")), 3);
	ck_assert(world_complained(world, first));
	ck_assert_int_eq(present("new"), 0);
	ck_assert_int_eq(present("other"), 3);
	ck_assert(world_complained(world, first));
	ck_assert_int_eq(world_cpis(world, "registrar", "enrol", "withdraw", "--ods", NEW_ODS, "--name", NEW_NAME, "--reason",
				    WHY, NULL),
			 0);
	ck_assert_int_eq(present("new"), 3);
	ck_assert(world_complained(world, first));
	ck_assert_int_eq(world_cpis(world, "registrar", "enrol", "withdraw", "--ods", NEW_ODS, "--name", NEW_NAME, "--reason",
				    WHY, NULL),
			 5);
	// The audit log tells them apart, for those who may read it.
	ck_assert_int_eq(world_cpis(world, "guardian", "audit", "search", "--json", NULL), 0);
	ck_assert(world_said(world, "There is no invitation with this code.") && world_said(world, "The invitation was withdrawn.") &&
		  world_said(world, "The invitation is for another organisation or name.") && world_said(world, "The code was used with another key."));
}
END_TEST

START_TEST(an_invitation_ends_by_itself)
{
	char until[25];
	make_system("new", NEW_ODS, NEW_NAME);
	instant_format(world_now_ms() + 3000, until);
	ck_assert_int_eq(world_cpis(world, "registrar", "enrol", "invite", "--ods", NEW_ODS, "--name", NEW_NAME, "--reason", WHY,
				    "--until", until, NULL),
			 0);
	char line[80];
	snprintf(line, sizeof line, "%.55s\n", strstr(world_out(world), "one-time code  ") + strlen("one-time code  "));
	world_write_file(world_path(world, "code"), line);
	ck_assert_int_eq(present("new"), 0);
	uint64_t end_ms = world_monotonic_ms() + WORLD_WAIT_MS;
	int code;
	while ((code = present("new")) == 0)
		ck_assert_uint_lt(world_monotonic_ms(), end_ms);
	ck_assert_int_eq(code, 3);
	ck_assert(world_complained(world, "enrolment_code"));
	ck_assert_int_eq(world_cpis(world, "registrar", "enrol", "list", NULL), 0);
	ck_assert(world_said(world, "no open invitations"));
}
END_TEST

START_TEST(wrong_words_are_named_before_anything_is_sent)
{
	static const struct {
		const char *code, *complaint;
	} codes[] = {
		{"000000-000011-720885-051261-483791-360448-002805-360437\n", "group number 4"},
		{"000000-000011\n", "8 groups of 6 digits"},
		{"\n", "8 groups of 6 digits"},
	};
	make_system("new", NEW_ODS, NEW_NAME);
	for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
		world_write_file(world_path(world, "code"), codes[i].code);
		ck_assert_int_eq(present("new"), 1);
		ck_assert(world_complained(world, codes[i].complaint));
	}
	invite(NEW_ODS, NEW_NAME);
	ck_assert_int_eq(present_to(endpoint, "new", "rxh", NEW_NAME, world_path(world, "code")), 1);
	ck_assert(world_complained(world, "--ods"));
	ck_assert_int_eq(present_to(endpoint, "new", NEW_ODS, NEW_NAME, world_path(world, "nowhere")), 1);
	ck_assert(world_complained(world, "cannot be read"));
	ck_assert_int_eq(present_to(endpoint, "absent", NEW_ODS, NEW_NAME, world_path(world, "code")), 3);
	world_write_file(world_path(world, "systems/new.pem"), "precious\n");
	ck_assert_int_eq(present("new"), 1);
	ck_assert(world_complained(world, "is there already"));
	ck_assert(same_text(world_path(world, "systems/new.pem"), "precious\n"));
	ck_assert_int_eq(world_cpis(world, "registrar", "enrol", "invite", "--ods", NEW_ODS, "--name", NEW_NAME, "--reason", WHY,
				    "--until", "soon", NULL),
			 1);
	ck_assert_int_eq(world_cpis(world, "registrar", "enrol", "list", "--save-keys", world_path(world, "nowhere"), NULL), 1);
	ck_assert_int_eq(world_cpis(world, "nurse", "enrol", "invite", "--ods", NEW_ODS, "--name", NEW_NAME, "--reason", WHY,
				    NULL),
			 3);
	ck_assert(world_complained(world, "role_lacks_activity"));
	// Nothing of all this has touched the invitation.
	ck_assert_int_eq(world_cpis(world, "registrar", "enrol", "list", NULL), 0);
	ck_assert(world_said(world, "INVITED"));
}
END_TEST

START_TEST(each_endpoint_does_its_own_work_only)
{
	Cpis__V1__EnrolRequest enrol = CPIS__V1__ENROL_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	static uint8_t code[ENROLMENT_CODE_BYTES] = {1};
	static char ods[] = NEW_ODS, name[] = NEW_NAME;
	const char *broker_key = world_path(world, "authority/broker/broker.key");
	enrol.code = (ProtobufCBinaryData){sizeof code, code};
	enrol.organisation = ods;
	enrol.system_name = name;
	request.body_case = CPIS__V1__REQUEST__BODY_ENROL;
	request.enrol = &enrol;
	// An enrolled system, where systems belong.
	struct channel *hospital = channel_open(world, world_path(world, "systems/hospital.key"));
	struct channel_reply *reply = channel_request(hospital, &request);
	ck_assert_str_eq(reply->reply->reason_code, "wrong_endpoint");
	channel_reply_free(reply);
	channel_close(hospital);
	// The same at the enrolment endpoint, and a stranger there: nothing but enrolment, and it is recorded.
	const char *keys[] = {world_path(world, "systems/hospital.key"), NULL};
	for (size_t i = 0; i < 2; i++) {
		struct channel *channel = channel_open_at(world, endpoint, broker_key, keys[i]);
		ck_assert(channel_admitted(channel));
		reply = channel_ping(channel);
		ck_assert_str_eq(reply->reply->reason_code, "wrong_endpoint");
		ck_assert_str_eq(reply->record->organisation, "");
		channel_reply_free(reply);
		reply = channel_exchange(channel, "garbage", 7);
		ck_assert_str_eq(reply->reply->reason_code, "message_not_well_formed");
		channel_reply_free(reply);
		reply = channel_open_session(world, channel, "nurse");
		ck_assert_str_eq(reply->reply->reason_code, "wrong_endpoint");
		channel_reply_free(reply);
		reply = channel_request(channel, &request);
		ck_assert_str_eq(reply->reply->reason_code, "enrolment_code");
		channel_reply_free(reply);
		channel_close(channel);
	}
	struct channel *stranger = channel_open(world, NULL);
	ck_assert(!channel_admitted(stranger));
	channel_close(stranger);
	make_system("new", NEW_ODS, NEW_NAME);
	invite(NEW_ODS, NEW_NAME);
	ck_assert_int_eq(present_to(world_endpoint(world), "new", NEW_ODS, NEW_NAME, world_path(world, "code")), 3);
	ck_assert(world_complained(world, "is it the enrolment endpoint?"));
}
END_TEST

// ------------------------------------------------------------------ the flood

#define STRANGERS 200u
#define CARE_QUERIES 300u

struct flood {
	void *context;
	void *sockets[STRANGERS];
	zmq_pollitem_t items[STRANGERS];
	atomic_bool stop;
	uint64_t sent, answered, started_ms, ended_ms;
};

static void open_strangers(struct flood *flood)
{
	struct curve_key_pair broker, own;
	int zero = 0, few = 10, small = 8192;
	ck_assert_int_eq(curve_key_load(world_path(world, "authority/broker/broker.key"), &broker), CERTS_OK);
	flood->context = zmq_ctx_new();
	for (unsigned i = 0; i < STRANGERS; i++) {
		void *socket = flood->sockets[i] = zmq_socket(flood->context, ZMQ_DEALER);
		ck_assert_int_eq(curve_key_generate(&own), CERTS_OK);
		ck_assert_int_eq(zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, broker.public_key, KEY_BYTES), 0);
		ck_assert_int_eq(zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, own.public_key, KEY_BYTES), 0);
		ck_assert_int_eq(zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, own.secret_key, KEY_BYTES), 0);
		ck_assert_int_eq(zmq_setsockopt(socket, ZMQ_LINGER, &zero, sizeof zero), 0);
		// What waits on this side of the network is not the broker's, but this machine's all the same.
		ck_assert_int_eq(zmq_setsockopt(socket, ZMQ_SNDHWM, &few, sizeof few), 0);
		ck_assert_int_eq(zmq_setsockopt(socket, ZMQ_SNDBUF, &small, sizeof small), 0);
		ck_assert_int_eq(zmq_connect(socket, endpoint), 0);
		flood->items[i] = (zmq_pollitem_t){.socket = socket, .events = ZMQ_POLLIN | ZMQ_POLLOUT};
	}
}

static size_t pack_guess(uint64_t number, uint8_t out[512])
{
	Cpis__V1__EnrolRequest enrol = CPIS__V1__ENROL_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	uint8_t id[REQUEST_ID_BYTES] = {1}, code[ENROLMENT_CODE_BYTES] = {1};
	static char ods[] = NEW_ODS, name[] = NEW_NAME;
	memcpy(id + 1, &number, sizeof number);
	memcpy(code + 1, &number, sizeof number);
	request.protocol_version = PROTOCOL_VERSION;
	request.request_id = (ProtobufCBinaryData){sizeof id, id};
	request.deadline_ms = 60000;
	enrol.code = (ProtobufCBinaryData){sizeof code, code};
	enrol.organisation = ods;
	enrol.system_name = name;
	request.body_case = CPIS__V1__REQUEST__BODY_ENROL;
	request.enrol = &enrol;
	return cpis__v1__request__pack(&request, out);
}

// As many guesses as the broker lets them get rid of.
static void *run_flood(void *context)
{
	struct flood *flood = context;
	uint8_t guess[512], reply[16384];
	while (!atomic_load(&flood->stop)) {
		zmq_poll(flood->items, STRANGERS, 100);
		for (unsigned i = 0; i < STRANGERS; i++) {
			if ((flood->items[i].revents & ZMQ_POLLOUT) != 0) {
				size_t bytes = pack_guess(flood->sent, guess);
				flood->sent += zmq_send(flood->sockets[i], guess, bytes, ZMQ_DONTWAIT) == (int)bytes;
			}
			if ((flood->items[i].revents & ZMQ_POLLIN) != 0)
				flood->answered += zmq_recv(flood->sockets[i], reply, sizeof reply, ZMQ_DONTWAIT) > 0;
		}
	}
	return NULL;
}

static int compare_times(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

// The median time of a query, in microseconds; all of them must be answered.
static uint64_t care(struct cpis_client *nurse, const char *name)
{
	static uint64_t times[CARE_QUERIES];
	for (unsigned i = 0; i < CARE_QUERIES; i++) {
		struct timespec before, after;
		clock_gettime(CLOCK_MONOTONIC, &before);
		const Cpis__V1__Reply *reply = world_flag(nurse, child, CPIS__V1__CARE_SETTING__EMERGENCY_DEPARTMENT);
		clock_gettime(CLOCK_MONOTONIC, &after);
		ck_assert_int_eq(reply->outcome, CPIS__V1__OUTCOME__OK);
		cpis_reply_free(reply);
		times[i] = (uint64_t)((after.tv_sec - before.tv_sec) * 1000000 + (after.tv_nsec - before.tv_nsec) / 1000);
	}
	qsort(times, CARE_QUERIES, sizeof times[0], compare_times);
	printf("%s: %u queries, %llu us in the median, %llu us at the worst\n", name, CARE_QUERIES,
	       (unsigned long long)times[CARE_QUERIES / 2], (unsigned long long)times[CARE_QUERIES - 1]);
	return times[CARE_QUERIES / 2];
}

// Records of strangers, and what one of them takes up in the file.
static uint64_t records_of_strangers(void)
{
	sqlite3 *database = NULL;
	sqlite3_stmt *statement = NULL;
	ck_assert_int_eq(sqlite3_open_v2(world_path(world, "store.db"), &database, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_prepare_v2(database,
					    "SELECT count(*), coalesce(avg(length(salt) + length(record) + length(nodes)), 0)"
					    " FROM audit WHERE organisation = ''",
					    -1, &statement, NULL),
			 SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(statement), SQLITE_ROW);
	uint64_t count = (uint64_t)sqlite3_column_int64(statement, 0);
	printf("%llu records of strangers, %d bytes each\n", (unsigned long long)count, sqlite3_column_int(statement, 1));
	sqlite3_finalize(statement);
	sqlite3_close(database);
	return count;
}

START_TEST(a_flood_of_strangers_neither_fills_the_log_nor_keeps_a_nurse_waiting)
{
	struct flood flood = {0};
	pthread_t thread;
	struct cpis_client *nurse = world_sign_in(world, "nurse");
	care(nurse, "without strangers");
	uint64_t before = records_of_strangers();
	open_strangers(&flood);
	uint64_t started_ms = world_monotonic_ms();
	ck_assert_int_eq(pthread_create(&thread, NULL, run_flood, &flood), 0);
	uint64_t rounds = 0;
	do {
		care(nurse, "in the flood");
		rounds++;
	} while (world_monotonic_ms() - started_ms < 4000);
	uint64_t during = records_of_strangers() - before, took_ms = world_monotonic_ms() - started_ms;
	atomic_store(&flood.stop, true);
	pthread_join(thread, NULL);
	printf("%llu ms: %llu guesses sent, %llu recorded, %llu answered, %llu rounds of queries\n", (unsigned long long)took_ms,
	       (unsigned long long)flood.sent, (unsigned long long)during, (unsigned long long)flood.answered,
	       (unsigned long long)rounds);
	ck_assert_uint_gt(during, 0);
	ck_assert_uint_le(during, LISTENERS_ENROLLING_PER_SECOND * (took_ms / 1000 + 2));
	for (unsigned i = 0; i < STRANGERS; i++)
		zmq_close(flood.sockets[i]);
	zmq_ctx_term(flood.context);
	cpis_close(nurse);
	// When they are gone an invited system has its turn.
	make_system("new", NEW_ODS, NEW_NAME);
	invite(NEW_ODS, NEW_NAME);
	int code;
	uint64_t end_ms = world_monotonic_ms() + 2 * WORLD_WAIT_MS;
	while ((code = present("new")) == 2)
		ck_assert_uint_lt(world_monotonic_ms(), end_ms);
	ck_assert_int_eq(code, 0);
}
END_TEST

START_TEST(a_configuration_without_the_endpoint_enrols_nobody)
{
	ck_assert_int_eq(world_stop(world), 0);
	char *config = world_read_file(world_path(world, "broker.yaml"), NULL);
	*strstr(config, "enrolment_endpoint:") = '\0';
	world_write_file(world_path(world, "broker.yaml"), config);
	free(config);
	world_start(world);
	make_system("new", NEW_ODS, NEW_NAME);
	invite(NEW_ODS, NEW_NAME);
	ck_assert_int_eq(world_cpis(world, NULL, "enrol", "present", "--endpoint", endpoint, "--broker-name", WORLD_BROKER_NAME,
				    "--broker-certificate", world_path(world, "authority/broker/broker.pem"), "--trust",
				    world_path(world, "authority/trust"), "--key", world_path(world, "systems/new.key"), "--ods",
				    NEW_ODS, "--name", NEW_NAME, "--code", world_path(world, "code"), "--timeout", "500", NULL),
			 2);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("enrolment");
	TCase *tests = tcase_create("enrolment");
	tcase_set_timeout(tests, 240);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, a_system_makes_its_key_and_gets_a_certificate_for_it_by_what_was_read_out);
	tcase_add_test(tests, a_new_system_is_invited_compared_issued_and_asks_its_first_question);
	tcase_add_test(tests, whoever_waits_is_given_the_certificate_as_soon_as_it_is_there);
	tcase_add_test(tests, a_wrong_code_another_key_and_another_name_are_refused_alike);
	tcase_add_test(tests, an_invitation_ends_by_itself);
	tcase_add_test(tests, wrong_words_are_named_before_anything_is_sent);
	tcase_add_test(tests, each_endpoint_does_its_own_work_only);
	tcase_add_test(tests, a_flood_of_strangers_neither_fills_the_log_nor_keeps_a_nurse_waiting);
	tcase_add_test(tests, a_configuration_without_the_endpoint_enrols_nobody);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
