// Sessions that an OpenID provider's token opens in place of one's own key, every way in which such a token does not hold, what cannot be
// done in them, and what is left of one in the log.
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "broker/digest.h"
#include "broker/limits.h"
#include "tests/harness/id_provider.h"
#include "tests/harness/stage.h"

static struct stage *stage;
static struct id_provider provider;
static const char *const algorithms[] = {"RS256", "PS256", "ES256", "EdDSA"};

// Once for all tests. Each key is called after its algorithm.
static void make_keys(void)
{
	for (size_t i = 0; i < sizeof algorithms / sizeof algorithms[0]; i++)
		id_provider_add_key(&provider, algorithms[i], algorithms[i]);
}

static void drop_keys(void)
{
	id_provider_done(&provider);
}

static void raise_curtain(void)
{
	char directory[160];
	stage = stage_new();
	snprintf(directory, sizeof directory, "%s/identity", stage->directory);
	id_provider_init(&provider, directory);
	id_provider_publish(&provider);
	id_provider_configure(&provider, "RXH/hospital");
	stage_read_register(stage);
}

static void drop_curtain(void)
{
	stage_free(stage);
}

static json_t *nurse_claims(void)
{
	return id_provider_claims(stage->now_ms, stage_uid(NURSE), "RXH", "R8001");
}

static struct stage_statement statement_with(const char *token)
{
	struct stage_statement statement = stage_statement(stage, NURSE);
	statement.uid = statement.role = "";
	statement.identity_token = token;
	return statement;
}

// The token is freed; so are the claims.
static const struct stage_reply *present_token(char *token)
{
	struct stage_statement statement = statement_with(token);
	const struct stage_reply *got = stage_present(stage, &statement);
	free(token);
	return got;
}

static const struct stage_reply *present(json_t *claims)
{
	char *token = id_provider_token(&provider, "RS256", claims);
	json_decref(claims);
	return present_token(token);
}

static json_t *nurse_with(const char *name, json_t *value)
{
	json_t *claims = nurse_claims();
	if (value == NULL)
		json_object_del(claims, name);
	else
		json_object_set_new(claims, name, value);
	return claims;
}

static json_t *seconds_from_now(int seconds)
{
	return json_integer((json_int_t)(stage->now_ms / 1000u) + seconds);
}

static const struct stage_reply *sign_in(void)
{
	const struct stage_reply *got = present(nurse_claims());
	stage_expect_ok(got);
	stage_take_token(stage, NURSE, got);
	return got;
}

static const Cpis__V1__AuditDetail *shown(uint64_t index)
{
	if (stage->token_bytes[REVIEWER] == 0)
		stage_sign_in(stage, REVIEWER);
	return stage_shown(stage, REVIEWER, index)->detail;
}

// ------------------------------------------------------------------ what opens a session

START_TEST(a_token_opens_a_session_by_each_algorithm_that_is_allowed)
{
	json_t *claims = nurse_claims();
	char *token = id_provider_token(&provider, algorithms[_i], claims);
	json_decref(claims);
	const struct stage_reply *got = present_token(token);
	stage_expect_ok(got);
	ck_assert_str_eq(got->reply->session_open->name, "Grace Okafor");
	stage_take_token(stage, NURSE, got);
	stage_expect_ok(stage_flag(stage, NURSE, stage_child(0)));
	ck_assert_uint_le(stage->token_bytes[NURSE], SESSION_CACHE_TOKEN_BYTES_MAX);
}
END_TEST

START_TEST(the_log_says_who_vouched_and_for_which_token)
{
	uint8_t id[HASH_BYTES];
	const Cpis__V1__AuditDetail *detail = shown(sign_in()->reply->receipt->index);
	ck_assert_str_eq(detail->uid, stage_uid(NURSE));
	ck_assert_str_eq(detail->role_code, "R8001");
	ck_assert_int_eq(detail->proof, CPIS__V1__PROOF_KIND__IDENTITY_TOKEN);
	ck_assert_str_eq(detail->token_issuer, ID_PROVIDER_ISSUER);
	digest_sha256("b7c0f9", 6, id);
	ck_assert_mem_eq(detail->token_sha256.data, id, sizeof id);
	ck_assert_uint_eq(detail->staff_certificate_serial.len, 0);
	// One that is refused after its signature held names the person too.
	detail = shown(present(nurse_with("aud", json_string("another-party")))->reply->receipt->index);
	ck_assert_str_eq(detail->uid, stage_uid(NURSE));
	ck_assert_str_eq(detail->token_issuer, ID_PROVIDER_ISSUER);
	// And one whose signature does not hold names nobody, whoever it says that it is of.
	char *payload = json_dumps(nurse_claims(), 0);
	char *token = id_provider_sign(&provider, "PS256", "PS256", "{\"alg\":\"RS256\",\"kid\":\"RS256\"}", payload);
	free(payload);
	const struct stage_reply *got = present_token(token);
	stage_expect(got, AUTHOR_CREDENTIALS_ERROR, "identity_token_signature");
	ck_assert_str_eq(shown(got->reply->receipt->index)->uid, "");
}
END_TEST

START_TEST(callers_names_for_a_request_are_in_its_record)
{
	Cpis__V1__FlagRequest body = CPIS__V1__FLAG_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	body.nhs_number = (char *)(uintptr_t)stage_child(0);
	request.body_case = CPIS__V1__REQUEST__BODY_FLAG;
	request.flag = &body;
	request.caller_request_id = (char *)(uintptr_t)"60E0B220-8136-4CA5-AE46-1D97EF59D068";
	request.caller_correlation_id = (char *)(uintptr_t)"11c46f5f-cdef-4865-94b2-0ee0edcc26da";
	sign_in();
	const struct stage_reply *got = stage_ask_as(stage, NURSE, &request);
	stage_expect_ok(got);
	const Cpis__V1__AuditDetail *detail = shown(got->reply->receipt->index);
	ck_assert_str_eq(detail->caller_request_id, request.caller_request_id);
	ck_assert_str_eq(detail->caller_correlation_id, request.caller_correlation_id);
	request.caller_request_id = (char *)(uintptr_t)"two words";
	request.request_id.len = 0;
	stage_expect(stage_ask_as(stage, NURSE, &request), MESSAGE_NOT_WELL_FORMED, "message_not_well_formed");
}
END_TEST

START_TEST(the_session_ends_with_the_token)
{
	ck_assert_uint_eq(sign_in()->reply->session_open->expires_ms, (stage->now_ms / 1000u + 300u) * 1000u);
	stage->now_ms += 299 * 1000;
	stage_expect_ok(stage_flag(stage, NURSE, stage_child(0)));
	stage->now_ms += 1000;
	stage_expect(stage_flag(stage, NURSE, stage_child(0)), SESSION_EXPIRED, "session_expired");
}
END_TEST

START_TEST(the_register_has_the_last_word_about_the_role)
{
	// The provider says so, and the register does not.
	stage_expect(present(id_provider_claims(stage->now_ms, stage_uid(NOBODY), "RXH", "R8001")), AUTHOR_CREDENTIALS_ERROR, "role_profile");
	stage_expect(present(id_provider_claims(stage->now_ms, stage_uid(NURSE), "RXH", "R0050")), AUTHOR_CREDENTIALS_ERROR, "role_profile");
	// The register says so, and the provider does not.
	stage_expect(present(id_provider_claims(stage->now_ms, stage_uid(NURSE), "RXJ", "R8001")), AUTHOR_CREDENTIALS_ERROR,
		     "identity_token_role");
	sign_in();
	stage_end_profile(stage, NURSE);
	stage_expect(stage_flag(stage, NURSE, stage_child(0)), AUTHOR_CREDENTIALS_ERROR, "role_profile");
}
END_TEST

START_TEST(of_several_roles_one_is_chosen)
{
	static const char two[] = "[{\"org_code\":\"RXH\",\"person_roleid\":\"1\",\"role_code\":\"S0:G0:R8009\"},"
				  "{\"org_code\":\"RXH\",\"person_roleid\":\"2\",\"role_code\":\"S0:G0:R8001\"},"
				  "{\"org_code\":\"RY7\",\"person_roleid\":\"3\",\"role_code\":\"S0:G0:R8001\"}]";
	json_t *claims = nurse_with("nhsid_nrbac_roles", json_loads(two, 0, NULL));
	char *token = id_provider_token(&provider, "RS256", claims);
	struct stage_statement statement = statement_with(token);
	stage_expect(stage_present(stage, &statement), AUTHOR_CREDENTIALS_ERROR, "identity_token_roles");
	statement.role = "R8001";
	stage_expect_ok(stage_present(stage, &statement));
	statement.role = "R0050";
	stage_expect(stage_present(stage, &statement), AUTHOR_CREDENTIALS_ERROR, "identity_token_role");
	free(token);
	json_object_set_new(claims, "selected_roleid", json_string("2"));
	stage_expect_ok(present(json_incref(claims)));
	json_object_set_new(claims, "selected_roleid", json_string("3"));
	stage_expect(present(claims), AUTHOR_CREDENTIALS_ERROR, "identity_token_role");
}
END_TEST

START_TEST(no_act_is_signed_in_such_a_session)
{
	Cpis__V1__DetailsRequest body = CPIS__V1__DETAILS_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	json_t *claims = id_provider_claims(stage->now_ms, stage_uid(CONSULTANT), "RXH", "R0050");
	const struct stage_reply *got = present(claims);
	stage_expect_ok(got);
	ProtobufCBinaryData token = got->reply->session_open->session_token;
	memcpy(stage->tokens[CONSULTANT], token.data, token.len);
	stage->token_bytes[CONSULTANT] = token.len;
	body.nhs_number = (char *)(uintptr_t)stage_child(0);
	body.reason = (char *)(uintptr_t)"unconscious child, nobody else here";
	body.break_glass = true;
	body.care_setting = CPIS__V1__CARE_SETTING__MATERNITY;
	request.body_case = CPIS__V1__REQUEST__BODY_DETAILS;
	request.details = &body;
	// With their own key, which is certified and good: but nobody showed it when the session was opened.
	stage_expect(stage_act(stage, CONSULTANT, CONSULTANT, stage->now_ms, &request), AUTHOR_CREDENTIALS_ERROR, "act_identity_token");
	stage_sign_in(stage, CONSULTANT);
	request.request_id.len = 0;
	stage_expect_ok(stage_act(stage, CONSULTANT, CONSULTANT, stage->now_ms, &request));
}
END_TEST

// ------------------------------------------------------------------ what does not

START_TEST(a_token_is_for_one_system)
{
	stage_expect(present(nurse_with("aud", json_string("another-party"))), AUTHOR_CREDENTIALS_ERROR, "identity_token_audience");
	stage_expect(present(nurse_with("aud", NULL)), AUTHOR_CREDENTIALS_ERROR, "identity_token_audience");
	stage_expect(present(nurse_with("aud", json_pack("[s,s]", ID_PROVIDER_AUDIENCE, "another-party"))), AUTHOR_CREDENTIALS_ERROR,
		     "identity_token_audience");
	stage_expect(present(nurse_with("azp", json_string("another-party"))), AUTHOR_CREDENTIALS_ERROR, "identity_token_audience");
	stage_expect_ok(present(nurse_with("aud", json_pack("[s]", ID_PROVIDER_AUDIENCE))));
	// A good one, through another hospital's system.
	json_t *claims = id_provider_claims(stage->now_ms, stage_uid(MIDWIFE), "RXJ", "R8016");
	char *token = id_provider_token(&provider, "RS256", claims);
	struct stage_statement statement = stage_statement(stage, MIDWIFE);
	statement.identity_token = token;
	stage_expect(stage_present(stage, &statement), AUTHOR_CREDENTIALS_ERROR, "identity_token_audience");
	free(token);
	json_decref(claims);
	// And what it opened, likewise.
	sign_in();
	Cpis__V1__FlagRequest body = CPIS__V1__FLAG_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	body.nhs_number = (char *)(uintptr_t)stage_child(0);
	request.body_case = CPIS__V1__REQUEST__BODY_FLAG;
	request.flag = &body;
	request.session_token = (ProtobufCBinaryData){stage->token_bytes[NURSE], stage->tokens[NURSE]};
	stage_expect(stage_ask(stage, STAGE_INFIRMARY, &request), AUTHOR_CREDENTIALS_ERROR, "session_invalid");
}
END_TEST

static const struct {
	const char *name;
	int seconds; // from now
	bool good;
} times[] = {
	{"exp", 0, false}, {"exp", 1, true}, {"exp", 12 * 3600, false}, {"exp", 12 * 3600 - 1, true},
	{"iat", 60, true}, {"iat", 61, false}, {"nbf", 60, true}, {"nbf", 61, false}, {"nbf", -5, true},
	{"auth_time", 61, false}, {"auth_time", -12 * 3600, true}, {"auth_time", -12 * 3600 - 1, false},
};

START_TEST(a_tokens_times_are_kept)
{
	static const char *const names[] = {"exp", "iat", "auth_time", "nbf"};
	for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
		const struct stage_reply *got = present(nurse_with(times[i].name, seconds_from_now(times[i].seconds)));
		if (times[i].good)
			stage_expect_ok(got);
		else
			stage_expect(got, AUTHOR_CREDENTIALS_ERROR, "identity_token_time");
	}
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		json_t *others[] = {json_string("soon"), json_real(1e300), json_integer(INT64_MAX), json_integer(-1), json_null(), NULL};
		// Without nbf a token is good.
		for (size_t j = 0; j < sizeof others / sizeof others[0] - (strcmp(names[i], "nbf") == 0); j++)
			stage_expect(present(nurse_with(names[i], others[j])), AUTHOR_CREDENTIALS_ERROR, "identity_token_time");
	}
}
END_TEST

START_TEST(who_it_is_was_made_sure_of)
{
	static const char *const names[] = {"authentication_assurance_level", "id_assurance_level"};
	for (size_t i = 0; i < 2; i++) {
		stage_expect(present(nurse_with(names[i], json_string("2"))), AUTHOR_CREDENTIALS_ERROR, "identity_token_assurance");
		stage_expect(present(nurse_with(names[i], json_integer(2))), AUTHOR_CREDENTIALS_ERROR, "identity_token_assurance");
		stage_expect(present(nurse_with(names[i], json_string("33"))), AUTHOR_CREDENTIALS_ERROR, "identity_token_assurance");
		stage_expect_ok(present(nurse_with(names[i], json_integer(3))));
	}
	stage_expect(present(nurse_with(names[0], NULL)), AUTHOR_CREDENTIALS_ERROR, "identity_token_assurance");
}
END_TEST

START_TEST(a_token_says_who)
{
	stage_expect(present(nurse_with("nhsid_useruid", NULL)), AUTHOR_CREDENTIALS_ERROR, "identity_token_person");
	stage_expect(present(nurse_with("nhsid_useruid", json_string("12345"))), AUTHOR_CREDENTIALS_ERROR, "identity_token_person");
	stage_expect(present(nurse_with("uid", json_string(stage_uid(CONSULTANT)))), AUTHOR_CREDENTIALS_ERROR, "identity_token_person");
	stage_expect(present(nurse_with("name", NULL)), AUTHOR_CREDENTIALS_ERROR, "identity_token_person");
	stage_expect(present(nurse_with("name", json_string("Grace\nOkafor"))), AUTHOR_CREDENTIALS_ERROR, "identity_token_person");
	stage_expect_ok(present(nurse_with("uid", json_string(stage_uid(NURSE)))));
	// A statement that names somebody else.
	json_t *claims = nurse_claims();
	char *token = id_provider_token(&provider, "RS256", claims);
	struct stage_statement statement = statement_with(token);
	statement.uid = stage_uid(CONSULTANT);
	stage_expect(stage_present(stage, &statement), AUTHOR_CREDENTIALS_ERROR, "statement_person");
	free(token);
	json_decref(claims);
}
END_TEST

// Header, key and algorithm that it is really signed with, and why it is refused.
static const struct {
	const char *header, *key, *algorithm, *reason;
} confusions[] = {
	{"{\"alg\":\"none\"}", "RS256", "none", "identity_token_form"},
	{"{\"alg\":\"none\",\"kid\":\"RS256\"}", "RS256", "RS256", "identity_token_algorithm"},
	{"{\"alg\":\"HS256\",\"kid\":\"RS256\"}", "RS256", "RS256", "identity_token_algorithm"},
	{"{\"alg\":\"RS512\",\"kid\":\"RS256\"}", "RS256", "RS256", "identity_token_algorithm"},
	{"{\"alg\":\"rs256\",\"kid\":\"RS256\"}", "RS256", "RS256", "identity_token_algorithm"},
	{"{\"kid\":\"RS256\"}", "RS256", "RS256", "identity_token_algorithm"},
	{"{\"alg\":\"PS256\",\"kid\":\"RS256\"}", "RS256", "PS256", "identity_token_algorithm"}, // the key says what it is for
	{"{\"alg\":\"ES256\",\"kid\":\"RS256\"}", "ES256", "ES256", "identity_token_algorithm"}, // another kind of key
	{"{\"alg\":\"RS256\",\"kid\":\"PS256\"}", "PS256", "RS256", "identity_token_algorithm"},
	{"{\"alg\":\"EdDSA\",\"kid\":\"ES256\"}", "EdDSA", "EdDSA", "identity_token_algorithm"},
	{"{\"alg\":\"RS256\",\"kid\":\"RS256\"}", "PS256", "RS256", "identity_token_signature"}, // another key's
	{"{\"alg\":\"EdDSA\",\"kid\":\"EdDSA\"}", "ES256", "ES256", "identity_token_signature"},
	{"{\"alg\":\"RS256\",\"kid\":\"nobody's\"}", "RS256", "RS256", "identity_token_key"},
	{"{\"alg\":\"RS256\"}", "RS256", "RS256", "identity_token_key"},
	{"{\"alg\":\"RS256\",\"kid\":7}", "RS256", "RS256", "identity_token_key"},
	{"{\"alg\":\"RS256\",\"kid\":\"RS256\",\"crit\":[\"b64\"],\"b64\":false}", "RS256", "RS256", "identity_token_form"},
	{"{\"alg\":\"RS256\",\"kid\":\"RS256\",\"kid\":\"RS256\"}", "RS256", "RS256", "identity_token_form"},
	{"[\"RS256\"]", "RS256", "RS256", "identity_token_form"},
	{"", "RS256", "RS256", "identity_token_form"},
	{"{\"alg\":\"RS256\",\"kid\":\"RS256\",\"jku\":\"https://elsewhere.example/keys\"}", "RS256", "RS256", NULL}, // not asked
};

START_TEST(no_algorithm_or_key_is_taken_for_another)
{
	json_t *claims = nurse_claims();
	char *payload = json_dumps(claims, 0);
	for (size_t i = 0; i < sizeof confusions / sizeof confusions[0]; i++) {
		const struct stage_reply *got =
			present_token(id_provider_sign(&provider, confusions[i].key, confusions[i].algorithm, confusions[i].header, payload));
		if (confusions[i].reason == NULL)
			stage_expect_ok(got);
		else
			stage_expect(got, AUTHOR_CREDENTIALS_ERROR, confusions[i].reason);
	}
	free(payload);
	json_decref(claims);
}
END_TEST

START_TEST(a_claim_that_stands_twice_is_believed_neither_time)
{
	char *payload = json_dumps(nurse_claims(), 0), twice[4000];
	snprintf(twice, sizeof twice, "{\"nhsid_useruid\":\"%s\",%s", stage_uid(CONSULTANT), payload + 1);
	stage_expect(present_token(id_provider_sign(&provider, "RS256", "RS256", "{\"alg\":\"RS256\",\"kid\":\"RS256\"}", twice)),
		     AUTHOR_CREDENTIALS_ERROR, "identity_token_form");
	free(payload);
}
END_TEST

START_TEST(bytes_that_are_no_token_are_refused)
{
	json_t *claims = nurse_claims();
	char *token = id_provider_token(&provider, "RS256", claims), *longer = NULL;
	size_t bytes = strlen(token);
	json_decref(claims);
	static const char *const others[] = {"x", ".", "..", "...", "e30.e30", "e30.e30.", "e30.e30.AA.AA", ".e30.AA", "e30..AA", "e.e30.AA",
					     "e30=.e30.AA", "e3+.e30.AA", "e30.e30 .AA", "bnVsbA.bnVsbA.AA", "e30.e30.AA"};
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		const char *reason = i + 1 == sizeof others / sizeof others[0] ? "identity_token_issuer" : "identity_token_form";
		stage_expect(present_token(strdup(others[i])), AUTHOR_CREDENTIALS_ERROR, reason);
	}
	// Each byte of it counts: 40 of them, from the first to the last but one, whose bits may be of no meaning.
	for (size_t i = 0; i < 40; i++) {
		char *altered = strdup(token);
		size_t at = i * (bytes - 2) / 39;
		altered[at] = altered[at] == 'A' ? 'B' : 'A';
		ck_assert_int_eq(present_token(altered)->reply->outcome, CPIS__V1__OUTCOME__AUTHOR_CREDENTIALS_ERROR);
	}
	free(token);
	// As long as one may be, and one byte more.
	longer = malloc(IDENTITY_TOKEN_BYTES_MAX + 2);
	memset(longer, 'A', IDENTITY_TOKEN_BYTES_MAX + 1);
	longer[IDENTITY_TOKEN_BYTES_MAX + 1] = '\0';
	stage_expect(present_token(strdup(longer + 1)), AUTHOR_CREDENTIALS_ERROR, "identity_token_form");
	stage_expect(present_token(longer), MESSAGE_NOT_WELL_FORMED, "message_not_well_formed");
}
END_TEST

START_TEST(a_token_and_a_signature_are_one_too_many)
{
	char *token = strdup("e30.e30.AA");
	struct stage_statement statement = statement_with(token);
	statement.signed_too = true;
	stage_expect(stage_present(stage, &statement), MESSAGE_NOT_WELL_FORMED, "message_not_well_formed");
	free(token);
}
END_TEST

START_TEST(a_statement_opens_one_session_with_a_token_too)
{
	static const uint8_t nonce[NONCE_BYTES] = {1, 2, 3};
	json_t *claims = nurse_claims();
	char *token = id_provider_token(&provider, "RS256", claims);
	struct stage_statement statement = statement_with(token);
	statement.nonce = nonce;
	stage_expect_ok(stage_present(stage, &statement));
	stage_expect(stage_present(stage, &statement), AUTHOR_CREDENTIALS_ERROR, "statement_replayed");
	// The token is a bearer's: it opens another while it lasts, of the same person, through the same system.
	statement.nonce = NULL;
	stage_expect_ok(stage_present(stage, &statement));
	statement.time_ms -= CLOCK_SKEW_MS_MAX + 1;
	stage_expect(stage_present(stage, &statement), AUTHOR_CREDENTIALS_ERROR, "statement_time");
	free(token);
	json_decref(claims);
}
END_TEST

START_TEST(keys_are_changed_with_both_valid_meanwhile)
{
	json_t *claims = nurse_claims();
	id_provider_add_key(&provider, "2027", "RS256");
	char *by_new = id_provider_token(&provider, "2027", claims);
	stage_expect(present_token(strdup(by_new)), AUTHOR_CREDENTIALS_ERROR, "identity_token_key");
	id_provider_publish(&provider);
	stage_read_register(stage);
	stage_expect_ok(present_token(strdup(by_new)));
	char *by_old = id_provider_token(&provider, "RS256", claims);
	stage_expect_ok(present_token(strdup(by_old)));
	id_provider_drop_key(&provider, "RS256");
	id_provider_publish(&provider);
	stage_read_register(stage);
	stage_expect(present_token(by_old), AUTHOR_CREDENTIALS_ERROR, "identity_token_key");
	stage_expect_ok(present_token(by_new));
	json_decref(claims);
}
END_TEST

START_TEST(a_provider_that_is_taken_out_takes_its_sessions_along)
{
	sign_in();
	stage_expect_ok(stage_flag(stage, NURSE, stage_child(0)));
	id_provider_configure(&provider, "RXH/another");
	stage_read_register(stage);
	stage_expect(stage_flag(stage, NURSE, stage_child(0)), AUTHOR_CREDENTIALS_ERROR, "identity_token_audience");
	char path[300];
	snprintf(path, sizeof path, "%s/cis2.yaml", provider.directory);
	ck_assert_int_eq(remove(path), 0);
	stage_read_register(stage);
	stage_expect(stage_flag(stage, NURSE, stage_child(0)), AUTHOR_CREDENTIALS_ERROR, "identity_token_issuer");
	stage_expect(present(nurse_claims()), AUTHOR_CREDENTIALS_ERROR, "identity_token_issuer");
}
END_TEST

START_TEST(an_algorithm_that_the_configuration_leaves_out_is_refused)
{
	id_provider_write(&provider, "cis2.yaml", "issuer: " ID_PROVIDER_ISSUER "\njwks_file: cis2.jwks\nassurance_level: \"3\"\n"
			  "algorithms: [ES256]\naudiences: [{system: RXH/hospital, audience: " ID_PROVIDER_AUDIENCE "}]\n");
	stage_read_register(stage);
	stage_expect(present(nurse_claims()), AUTHOR_CREDENTIALS_ERROR, "identity_token_algorithm");
	json_t *claims = nurse_claims();
	stage_expect_ok(present_token(id_provider_token(&provider, "ES256", claims)));
	json_decref(claims);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("identity tokens");
	TCase *tcase = tcase_create("scenario");
	tcase_add_unchecked_fixture(tcase, make_keys, drop_keys);
	tcase_add_checked_fixture(tcase, raise_curtain, drop_curtain);
	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, a_token_opens_a_session_by_each_algorithm_that_is_allowed, 0, 4);
	tcase_add_test(tcase, the_log_says_who_vouched_and_for_which_token);
	tcase_add_test(tcase, callers_names_for_a_request_are_in_its_record);
	tcase_add_test(tcase, the_session_ends_with_the_token);
	tcase_add_test(tcase, the_register_has_the_last_word_about_the_role);
	tcase_add_test(tcase, of_several_roles_one_is_chosen);
	tcase_add_test(tcase, no_act_is_signed_in_such_a_session);
	tcase_add_test(tcase, a_token_is_for_one_system);
	tcase_add_test(tcase, a_tokens_times_are_kept);
	tcase_add_test(tcase, who_it_is_was_made_sure_of);
	tcase_add_test(tcase, a_token_says_who);
	tcase_add_test(tcase, no_algorithm_or_key_is_taken_for_another);
	tcase_add_test(tcase, a_claim_that_stands_twice_is_believed_neither_time);
	tcase_add_test(tcase, bytes_that_are_no_token_are_refused);
	tcase_add_test(tcase, a_token_and_a_signature_are_one_too_many);
	tcase_add_test(tcase, a_statement_opens_one_session_with_a_token_too);
	tcase_add_test(tcase, keys_are_changed_with_both_valid_meanwhile);
	tcase_add_test(tcase, a_provider_that_is_taken_out_takes_its_sessions_along);
	tcase_add_test(tcase, an_algorithm_that_the_configuration_leaves_out_is_refused);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
