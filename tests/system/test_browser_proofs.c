// Who sits before a browser, through libcpis as a gateway uses it: two real brokers before one real PostgreSQL, each with a name and a
// key of its own, and proofs made as browsers make them.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "tests/harness/postgres.h"
#include "tests/harness/prover.h"
#include "tests/harness/world_brokers.h"
#include "tests/harness/world_client.h"

#define WEB_HOST "national.cpis.test"
#define SHORT_MS 1500u // for a broker that does not answer

static struct postgres postgres;
static struct world *world;
static struct world_broker *other;
static struct cpis_broker second;
static struct prover registrar; // by passkey
static struct cpis_client *clients[2]; // of one gateway: two threads' of it, but for the thread
static char web_certificate[512], web_key[512];

static void migrate(void)
{
	char migrator[POSTGRES_CONNINFO_BYTES];
	postgres_conninfo(&postgres, "migrator", "cpis", migrator);
	world_migrate(world, migrator);
}

static void enrol_gateway(void)
{
	ck_assert_msg(world_cpis(world, NULL, "certs", "issue-system", "--dir", world_path(world, "authority"), "--ods", "X26", "--name",
				 "national-web", "--web-host", WEB_HOST, "--out", world_path(world, "systems"), "--file", "web", NULL) == 0,
		      "%s", world_err(world));
	snprintf(web_certificate, sizeof web_certificate, "%s", world_path(world, "systems/web.pem"));
	snprintf(web_key, sizeof web_key, "%s", world_path(world, "systems/web.key"));
}

static struct cpis_client *connect_gateway(const struct cpis_broker *further, size_t count)
{
	struct cpis_options options = world_options(world, "registrar");
	struct cpis_client *client = NULL;
	char detail[CPIS_DETAIL_BYTES] = "";
	options.system_certificate = web_certificate;
	options.system_key = web_key;
	options.further = further;
	options.further_count = count;
	ck_assert_msg(cpis_connect(&options, &client, detail) == CPIS_OK, "%s", detail);
	return client;
}

static void setup(void)
{
	char conninfo[POSTGRES_CONNINFO_BYTES];
	const struct world_person *person = world_person("registrar");
	postgres_make_database(&postgres, "cpis");
	postgres_conninfo(&postgres, "broker1", "cpis", conninfo);
	world = world_new();
	world_use_postgres(world, conninfo);
	migrate();
	enrol_gateway();
	prover_init_passkey(&registrar, world_path(world, "."), "authority", person->uid, person->name, WEB_HOST, world_now_ms());
	other = world_broker_new(world, "second-broker");
	postgres_conninfo(&postgres, "broker2", "cpis", conninfo);
	world_broker_use_postgres(other, conninfo);
	second = world_broker_known(other);
	world_start(world);
	world_broker_start(other);
	for (size_t i = 0; i < 2; i++)
		clients[i] = connect_gateway(&second, 1);
}

static void teardown(void)
{
	for (size_t i = 0; i < 2; i++)
		cpis_close(clients[i]);
	prover_done(&registrar);
	world_broker_free(other);
	world_free(world);
	postgres_remove_database(&postgres, "cpis");
}

// ------------------------------------------------------------------ what a gateway does

// A statement, as it lies in the browser's form, and the certificate.
struct asked {
	uint8_t statement[CPIS_STATEMENT_BYTES_MAX], challenge[CPIS_CHALLENGE_BYTES];
	size_t statement_bytes;
};

static void ask(struct cpis_client *client, struct asked *ret)
{
	ck_assert_msg(cpis_session_statement(client, world_person("registrar")->role, ret->statement, &ret->statement_bytes,
					     ret->challenge) == CPIS_OK, "%s", cpis_detail(client));
}

static enum cpis_status open_proven(struct cpis_client *client, const struct asked *asked, uint32_t deadline_ms,
				    const Cpis__V1__Reply **ret)
{
	uint8_t *der = NULL;
	size_t der_bytes = 0;
	ck_assert_int_eq(certificate_file_to_der(registrar.certificate_file, &der, &der_bytes), CERTS_OK);
	enum cpis_status status = cpis_session_open_proven(client, asked->statement, asked->statement_bytes, der, der_bytes,
							   prover_prove(&registrar, asked->challenge), deadline_ms, ret);
	free(der);
	return status;
}

// The call's outcome, and the reply that it has written.
static void expect(struct cpis_client *client, enum cpis_status status, const Cpis__V1__Reply **reply, const char *reason_code)
{
	ck_assert_msg(status == CPIS_OK, "%s: %s", cpis_status_text(status), cpis_detail(client));
	ck_assert_str_eq((*reply)->reason_code, reason_code);
	cpis_reply_free(*reply);
}

struct token {
	uint8_t bytes[CPIS_TOKEN_BYTES_MAX];
	size_t count;
};

static struct token sign_in(struct cpis_client *client)
{
	struct asked asked;
	struct token token;
	const Cpis__V1__Reply *reply = NULL;
	ask(client, &asked);
	enum cpis_status status = open_proven(client, &asked, WORLD_CALL_MS, &reply);
	ck_assert_msg(status == CPIS_OK, "%s", cpis_detail(client));
	ck_assert_msg(reply->outcome == CPIS__V1__OUTCOME__OK, "%s", reply->reason_code);
	token.count = reply->session_open->session_token.len;
	memcpy(token.bytes, reply->session_open->session_token.data, token.count);
	cpis_reply_free(reply);
	return token;
}

static Cpis__V1__QuarantineSetRequest set_body;
static Cpis__V1__Request request;

static Cpis__V1__Request *set_request(const char *profile)
{
	cpis__v1__quarantine_set_request__init(&set_body);
	cpis__v1__request__init(&request);
	set_body.kind = CPIS__V1__QUARANTINE_KIND__PERSON;
	set_body.target = (char *)(uintptr_t)world_person(profile)->uid;
	set_body.reason = (char *)(uintptr_t)"key found on a stolen laptop";
	request.body_case = CPIS__V1__REQUEST__BODY_QUARANTINE_SET;
	request.quarantine_set = &set_body;
	return &request;
}

// An act as it comes back out of the browser: packed when it was prepared, and the name of its broker.
struct act {
	uint8_t packed[4096], challenge[CPIS_CHALLENGE_BYTES];
	size_t packed_bytes;
	char broker_name[IDENTITY_NAME_BYTES_MAX + 1];
};

static void prepare(struct cpis_client *client, const char *profile, struct act *ret)
{
	Cpis__V1__Request *made = set_request(profile);
	ck_assert_msg(cpis_act_prepare(client, made, ret->challenge) == CPIS_OK, "%s", cpis_detail(client));
	ck_assert_uint_le(cpis__v1__request__get_packed_size(made), sizeof ret->packed);
	ret->packed_bytes = cpis__v1__request__pack(made, ret->packed);
	snprintf(ret->broker_name, sizeof ret->broker_name, "%s", cpis_broker_name(client));
}

static enum cpis_status call_proven(struct cpis_client *client, const struct act *act, const uint8_t challenge[CPIS_CHALLENGE_BYTES],
				    uint32_t deadline_ms, const Cpis__V1__Reply **ret)
{
	Cpis__V1__Request *unpacked = cpis__v1__request__unpack(NULL, act->packed_bytes, act->packed);
	ck_assert_ptr_nonnull(unpacked);
	ProtobufCBinaryData id = unpacked->request_id;
	enum cpis_status status =
		cpis_call_proven(client, unpacked, act->broker_name, prover_prove(&registrar, challenge), deadline_ms, ret);
	unpacked->request_id = id; // the client's own meanwhile
	cpis__v1__request__free_unpacked(unpacked, NULL);
	return status;
}

static const Cpis__V1__Reply *list(struct cpis_client *client)
{
	Cpis__V1__QuarantineListRequest body = CPIS__V1__QUARANTINE_LIST_REQUEST__INIT;
	Cpis__V1__Request asked = CPIS__V1__REQUEST__INIT;
	asked.body_case = CPIS__V1__REQUEST__BODY_QUARANTINE_LIST;
	asked.quarantine_list = &body;
	return world_call(client, &asked);
}

static void assert_hears(struct cpis_client *client, const char *reason_code)
{
	const Cpis__V1__Reply *reply = list(client);
	ck_assert_str_eq(reply->reason_code, reason_code);
	cpis_reply_free(reply);
}

// ------------------------------------------------------------------ tests

START_TEST(a_person_signs_in_acts_and_signs_out_with_a_passkey_whichever_client_serves)
{
	struct act act;
	const Cpis__V1__Reply *reply = NULL;
	struct token token = sign_in(clients[0]);
	ck_assert(cpis_set_session_token(clients[1], token.bytes, token.count));
	assert_hears(clients[1], "");
	prepare(clients[1], "nurse", &act);
	ck_assert_str_eq(act.broker_name, WORLD_BROKER_NAME);
	ck_assert_int_eq(call_proven(clients[0], &act, act.challenge, WORLD_CALL_MS, &reply), CPIS_OK);
	ck_assert_msg(reply->outcome == CPIS__V1__OUTCOME__OK, "%s", reply->reason_code);
	char index[24];
	snprintf(index, sizeof index, "%llu", (unsigned long long)reply->receipt->index);
	cpis_reply_free(reply);
	ck_assert_int_eq(world_cpis(world, "guardian", "audit", "show", index, NULL), 0);
	ck_assert_ptr_nonnull(strstr(world_out(world), "proven by          a passkey\n"));
	ck_assert_ptr_nonnull(strstr(world_out(world), "browser's proof    kept whole"));
	// The same once more is what was done; the same proof for another act is none.
	ck_assert_int_eq(call_proven(clients[1], &act, act.challenge, WORLD_CALL_MS, &reply), CPIS_OK);
	expect(clients[1], CPIS_OK, &reply, "");
	struct act another;
	prepare(clients[0], "midwife", &another);
	expect(clients[0], call_proven(clients[0], &another, act.challenge, WORLD_CALL_MS, &reply), &reply, "proof_challenge");
	// Out, at both clients.
	expect(clients[0], cpis_session_end(clients[0], WORLD_CALL_MS, &reply), &reply, "");
	assert_hears(clients[0], "session_missing");
	assert_hears(clients[1], "session_closed");
	expect(clients[1], cpis_session_end(clients[1], WORLD_CALL_MS, &reply), &reply, "session_closed");
	assert_hears(clients[1], "session_missing");
}
END_TEST

START_TEST(who_signed_out_at_one_broker_is_signed_out_at_the_other)
{
	const Cpis__V1__Reply *reply = NULL;
	struct cpis_client *there = NULL;
	struct token token = sign_in(clients[0]);
	struct cpis_options options = world_options(world, "registrar");
	char detail[CPIS_DETAIL_BYTES] = "";
	options.system_certificate = web_certificate;
	options.system_key = web_key;
	options.endpoint = second.endpoint;
	options.broker_name = second.broker_name;
	options.broker_certificate = second.broker_certificate;
	ck_assert_msg(cpis_connect(&options, &there, detail) == CPIS_OK, "%s", detail);
	// It has opened the token, and remembers it.
	ck_assert(cpis_set_session_token(there, token.bytes, token.count));
	assert_hears(there, "");
	expect(clients[0], cpis_session_end(clients[0], WORLD_CALL_MS, &reply), &reply, "");
	assert_hears(there, "session_closed");
	// And after it was away.
	world_broker_kill(other);
	world_broker_start(other);
	assert_hears(there, "session_closed");
	cpis_close(there);
}
END_TEST

// The proof names the first, so the second is not asked; the next one is made for the second.
START_TEST(what_was_proven_is_for_its_broker_alone_and_the_next_for_another)
{
	struct asked asked;
	struct act act;
	const Cpis__V1__Reply *reply = NULL;
	struct token token = sign_in(clients[0]);
	ck_assert(cpis_set_session_token(clients[1], token.bytes, token.count));
	prepare(clients[1], "nurse", &act);
	ask(clients[0], &asked);
	ck_assert_int_eq(kill(world_broker_pid(world), SIGSTOP), 0);
	ck_assert_int_ne(open_proven(clients[0], &asked, SHORT_MS, &reply), CPIS_OK);
	ck_assert_ptr_nonnull(strstr(cpis_detail(clients[0]), WORLD_BROKER_NAME));
	ck_assert_int_ne(call_proven(clients[1], &act, act.challenge, SHORT_MS, &reply), CPIS_OK);
	ck_assert_str_eq(cpis_broker_name(clients[0]), second.broker_name);
	ck_assert_str_eq(cpis_broker_name(clients[1]), second.broker_name);
	token = sign_in(clients[0]);
	ck_assert_str_eq(cpis_broker_name(clients[0]), second.broker_name);
	ck_assert(cpis_set_session_token(clients[1], token.bytes, token.count));
	prepare(clients[1], "midwife", &act);
	ck_assert_str_eq(act.broker_name, second.broker_name);
	expect(clients[1], call_proven(clients[1], &act, act.challenge, WORLD_CALL_MS, &reply), &reply, "");
	ck_assert_int_eq(kill(world_broker_pid(world), SIGCONT), 0);
	// A broker that nobody knows.
	strcpy(act.broker_name, "third-broker");
	ck_assert_int_eq(call_proven(clients[1], &act, act.challenge, WORLD_CALL_MS, &reply), CPIS_USAGE);
}
END_TEST

START_TEST(what_was_not_prepared_is_not_sent)
{
	struct asked asked;
	const Cpis__V1__Reply *reply = NULL;
	static uint8_t token[CPIS_TOKEN_BYTES_MAX + 1];
	ck_assert(!cpis_set_session_token(clients[0], token, sizeof token));
	assert_hears(clients[0], "session_missing");
	ck_assert_int_eq(cpis_call_proven(clients[0], set_request("nurse"), WORLD_BROKER_NAME,
					  prover_prove(&registrar, registrar.challenge), WORLD_CALL_MS, &reply), CPIS_USAGE);
	ask(clients[0], &asked);
	asked.statement[0] ^= 0x40;
	ck_assert_int_eq(open_proven(clients[0], &asked, WORLD_CALL_MS, &reply), CPIS_USAGE);
	// Another's statement is what the broker sees through.
	asked.statement[0] ^= 0x40;
	asked.challenge[0] ^= 1;
	expect(clients[0], open_proven(clients[0], &asked, WORLD_CALL_MS, &reply), &reply, "proof_challenge");
	assert_hears(clients[0], "session_missing");
}
END_TEST

// The same organisation's other system, whose certificate names no host.
START_TEST(a_system_without_a_web_host_is_told_so)
{
	struct asked asked;
	const Cpis__V1__Reply *reply = NULL;
	struct cpis_client *client = world_connect(world, "registrar");
	ask(client, &asked);
	expect(client, open_proven(client, &asked, WORLD_CALL_MS, &reply), &reply, "proof_no_web_host");
	// And a proof for the one is nothing through the other.
	ask(clients[0], &asked);
	expect(client, open_proven(client, &asked, WORLD_CALL_MS, &reply), &reply, "proof_no_web_host");
	cpis_close(client);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("browser_proofs");
	TCase *tests = tcase_create("browser_proofs");
	tcase_set_timeout(tests, 180);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, a_person_signs_in_acts_and_signs_out_with_a_passkey_whichever_client_serves);
	tcase_add_test(tests, who_signed_out_at_one_broker_is_signed_out_at_the_other);
	tcase_add_test(tests, what_was_proven_is_for_its_broker_alone_and_the_next_for_another);
	tcase_add_test(tests, what_was_not_prepared_is_not_sent);
	tcase_add_test(tests, a_system_without_a_web_host_is_told_so);
	suite_add_tcase(suite, tests);
	postgres_start(&postgres, NULL);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	postgres_stop(&postgres);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
