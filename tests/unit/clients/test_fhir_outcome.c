// The FHIR facade's table: each outcome of the broker's has a row, each word of the second table is a reason of the broker's, and the open
// sessions are found, replaced and forgotten.
#include <string.h>

#include <check.h>

#include "broker/reason.h"
#include "clients/fhir/bearers.h"
#include "clients/fhir/outcome.h"

START_TEST(each_outcome_has_a_row_and_only_one)
{
	const ProtobufCEnumDescriptor *outcomes = &cpis__v1__outcome__descriptor;
	size_t rows = 0;
	for (unsigned i = 0; i < outcomes->n_values; i++) {
		const struct outcome_row *row = outcome_row((Cpis__V1__Outcome)outcomes->values[i].value);
		ck_assert_msg(row != NULL, "%s has no row", outcomes->values[i].name);
		ck_assert_int_ge(row->status, 200);
		ck_assert_int_eq(row->status == 200, row->outcome == CPIS__V1__OUTCOME__OK);
		ck_assert(row->issue_type[0] != '\0' && row->spine_code[0] != '\0');
	}
#define X(name, status, issue_type, spine_code) rows++;
	OUTCOME_TABLE(X)
#undef X
	ck_assert_uint_eq(rows, outcomes->n_values);
	ck_assert_ptr_null(outcome_row((Cpis__V1__Outcome)9999));
	ck_assert_int_eq(outcome_status((Cpis__V1__Outcome)9999, ""), 500);
}
END_TEST

// What the broker can say, from its own table.
static const struct {
	const char *word;
	Cpis__V1__Outcome outcome;
} reasons[] = {
#define X(name, word, outcome, sentence) {word, CPIS__V1__OUTCOME__##outcome},
	REASON_TABLE(X)
#undef X
};

START_TEST(each_reason_of_the_brokers_has_a_status)
{
	for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
		int status = outcome_status(reasons[i].outcome, reasons[i].word);
		ck_assert_msg((status == 200) == (reasons[i].outcome == CPIS__V1__OUTCOME__OK), "%s is %d", reasons[i].word, status);
	}
}
END_TEST

START_TEST(what_is_forbidden_rather_than_unknown_is_said_by_the_broker_so)
{
	static const char *const words[] = {
#define X(word) word,
		OUTCOME_FORBIDDEN_TABLE(X)
#undef X
	};
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		size_t at = 0;
		while (at < sizeof reasons / sizeof reasons[0] && strcmp(reasons[at].word, words[i]) != 0)
			at++;
		ck_assert_msg(at < sizeof reasons / sizeof reasons[0], "%s is no reason of the broker's", words[i]);
		ck_assert_int_eq(reasons[at].outcome, CPIS__V1__OUTCOME__AUTHOR_CREDENTIALS_ERROR);
		ck_assert_int_eq(outcome_status(reasons[at].outcome, words[i]), 403);
	}
}
END_TEST

START_TEST(a_session_is_found_until_it_ends_or_is_forgotten)
{
	struct bearers *bearers = NULL;
	struct bearer_session session = {.token = {7}, .token_bytes = 1, .expires_ms = 1000}, found;
	uint8_t id[SHA256_BYTES] = {1}, other[SHA256_BYTES] = {1, 0, 1};
	ck_assert(bearers_new(&bearers));
	ck_assert(!bearers_find(bearers, id, 1, &found));
	bearers_keep(bearers, id, &session);
	ck_assert(bearers_find(bearers, id, 999, &found));
	ck_assert_uint_eq(found.token[0], 7);
	ck_assert(!bearers_find(bearers, other, 999, &found));
	session.token[0] = 8;
	bearers_keep(bearers, id, &session);
	ck_assert(bearers_find(bearers, id, 999, &found));
	ck_assert_uint_eq(found.token[0], 8);
	ck_assert(!bearers_find(bearers, id, 1000, &found));
	bearers_keep(bearers, id, &session);
	bearers_forget(bearers, id);
	ck_assert(!bearers_find(bearers, id, 1, &found));
	bearers_free(bearers);
}
END_TEST

START_TEST(of_too_many_sessions_in_one_place_the_one_that_ends_soonest_goes)
{
	struct bearers *bearers = NULL;
	struct bearer_session session = {.token_bytes = 1}, found;
	uint8_t id[SHA256_BYTES] = {0};
	ck_assert(bearers_new(&bearers));
	for (uint8_t i = 0; i < 5; i++) { // a place holds four
		id[31] = i;
		session.expires_ms = i == 2 ? 100 : 1000u + i;
		bearers_keep(bearers, id, &session);
	}
	for (uint8_t i = 0; i < 5; i++) {
		id[31] = i;
		ck_assert_int_eq(bearers_find(bearers, id, 1, &found), i != 2);
	}
	bearers_free(bearers);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fhir outcome");
	TCase *tcase = tcase_create("tables");
	tcase_add_test(tcase, each_outcome_has_a_row_and_only_one);
	tcase_add_test(tcase, each_reason_of_the_brokers_has_a_status);
	tcase_add_test(tcase, what_is_forbidden_rather_than_unknown_is_said_by_the_broker_so);
	tcase_add_test(tcase, a_session_is_found_until_it_ends_or_is_forgotten);
	tcase_add_test(tcase, of_too_many_sessions_in_one_place_the_one_that_ends_soonest_goes);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
