// Witnesses' cosignatures and the policy that says whose are wanted.
#include "certs/cosignature.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "certs/key.h"

#define ORIGIN "cpis.example/audit/test"
#define T 1700000000u
#define DASH "\xE2\x80\x94 "
#define WITNESSES 17

static struct signing_key *log_key, *keys[WITNESSES];
static struct note_verifier log_verifier, witnesses[WITNESSES];
static char note[NOTE_BYTES_MAX + 1], detail[WITNESS_DETAIL_BYTES];

static void setup(void)
{
	struct checkpoint checkpoint = {.origin = ORIGIN, .size = 7};
	ck_assert_int_eq(signing_key_generate(&log_key), CERTS_OK);
	ck_assert_int_eq(checkpoint_sign(&checkpoint, log_key, note), CERTS_OK);
	snprintf(log_verifier.origin, sizeof log_verifier.origin, "%s", ORIGIN);
	signing_key_public(log_key, log_verifier.public_key);
	for (unsigned i = 0; i < WITNESSES; i++) {
		ck_assert_int_eq(signing_key_generate(&keys[i]), CERTS_OK);
		// As long as a name may be, so that the bound on notes is tried.
		snprintf(witnesses[i].origin, sizeof witnesses[i].origin, "witness.example/%0112u", i);
		signing_key_public(keys[i], witnesses[i].public_key);
	}
}

static void teardown(void)
{
	signing_key_free(log_key);
	for (unsigned i = 0; i < WITNESSES; i++)
		signing_key_free(keys[i]);
}

static enum certs_status cosign(unsigned witness, uint64_t time_s)
{
	char before[NOTE_BYTES_MAX + 1];
	memcpy(before, note, sizeof before);
	return cosignature_add(before, witnesses[witness].origin, keys[witness], time_s, note);
}

// Written out by hand from c2sp.org/tlog-cosignature, "Format" and "Ed25519 signed message".
START_TEST(signs_what_the_specification_says)
{
	uint8_t line[76 + 2];
	char message[NOTE_BYTES_MAX];
	uint64_t time_s = 0;
	ck_assert_int_eq(cosign(0, T), CERTS_OK);
	const char *at = strrchr(note, ' ') + 1;
	ck_assert_uint_eq(strlen(at), 104 + 1);
	unsigned char decoded[78];
	ck_assert_int_eq(EVP_DecodeBlock(decoded, (const unsigned char *)at, 104), 78);
	memcpy(line, decoded, sizeof line);
	static const uint8_t time_bytes[8] = {0, 0, 0, 0, 0x65, 0x53, 0xF1, 0x00};
	ck_assert_mem_eq(line + 4, time_bytes, sizeof time_bytes);
	size_t text_bytes = (size_t)(strstr(note, "\n\n") + 1 - note);
	int bytes = snprintf(message, sizeof message, "cosignature/v1\ntime 1700000000\n%.*s", (int)text_bytes, note);
	ck_assert_int_eq(ed25519_verify(witnesses[0].public_key, (const uint8_t *)message, (size_t)bytes, line + 12), CERTS_OK);
	ck_assert_int_eq(cosignature_check(note, &witnesses[0], &time_s), CERTS_OK);
	ck_assert_uint_eq(time_s, T);
}
END_TEST

START_TEST(sixteen_fit_with_the_longest_names_and_the_log_still_verifies)
{
	struct checkpoint checkpoint;
	uint64_t time_s;
	for (unsigned i = 0; i < WITNESSES_MAX; i++)
		ck_assert_int_eq(cosign(i, T + i), CERTS_OK);
	ck_assert_int_eq(checkpoint_verify(note, strlen(note), &log_verifier, &checkpoint), CERTS_OK);
	for (unsigned i = 0; i < WITNESSES_MAX; i++) {
		ck_assert_int_eq(cosignature_check(note, &witnesses[i], &time_s), CERTS_OK);
		ck_assert_uint_eq(time_s, T + i);
	}
	ck_assert_int_eq(cosignature_check(note, &witnesses[16], &time_s), CERTS_NAME);
}
END_TEST

START_TEST(no_byte_of_text_time_or_signature_can_be_changed)
{
	uint64_t time_s;
	ck_assert_int_eq(cosign(0, T), CERTS_OK);
	for (char *at = note; at < strstr(note, "\n\n"); at++) {
		*at ^= 1;
		ck_assert_int_ne(cosignature_check(note, &witnesses[0], &time_s), CERTS_OK);
		*at ^= 1;
	}
	for (char *at = strrchr(note, ' ') + 1; *at != '\n'; at++) {
		char was = *at;
		*at = was == 'A' ? 'B' : 'A';
		ck_assert_int_ne(cosignature_check(note, &witnesses[0], &time_s), CERTS_OK);
		*at = was;
	}
	ck_assert_int_eq(cosignature_check(note, &witnesses[0], &time_s), CERTS_OK);
}
END_TEST

START_TEST(a_line_is_taken_over_once_from_a_note_of_the_same_text_only)
{
	char plain[NOTE_BYTES_MAX + 1], first[NOTE_BYTES_MAX + 1], other[NOTE_BYTES_MAX + 1], out[NOTE_BYTES_MAX + 1];
	struct checkpoint checkpoint = {.origin = ORIGIN, .size = 8};
	uint64_t time_s;
	memcpy(plain, note, sizeof plain);
	ck_assert_int_eq(cosign(0, T), CERTS_OK);
	ck_assert_int_eq(cosignature_take(plain, note, &witnesses[0], first), CERTS_OK);
	ck_assert_str_eq(first, note);
	memcpy(note, plain, sizeof note);
	ck_assert_int_eq(cosign(0, T + 5), CERTS_OK);
	ck_assert_int_eq(cosignature_take(first, note, &witnesses[0], out), CERTS_OK);
	ck_assert_int_eq(cosignature_check(out, &witnesses[0], &time_s), CERTS_OK);
	ck_assert_uint_eq(time_s, T + 5);
	ck_assert_int_eq(cosignature_take(first, plain, &witnesses[0], out), CERTS_NAME);
	ck_assert_int_eq(checkpoint_sign(&checkpoint, log_key, other), CERTS_OK);
	ck_assert_int_eq(cosignature_take(other, note, &witnesses[0], out), CERTS_PROOF);
	// Twice the same witness: which of the two counts?
	strcat(note, strstr(first, DASH "witness"));
	ck_assert_int_eq(cosignature_check(note, &witnesses[0], &time_s), CERTS_MALFORMED);
}
END_TEST

START_TEST(a_witness_that_signs_again_replaces_its_own_line_and_no_other)
{
	uint64_t time_s;
	ck_assert_int_eq(cosign(1, T), CERTS_OK);
	for (unsigned i = 0; i < 3; i++)
		ck_assert_int_eq(cosign(0, T + i), CERTS_OK);
	ck_assert_int_eq(cosignature_check(note, &witnesses[0], &time_s), CERTS_OK);
	ck_assert_uint_eq(time_s, T + 2);
	ck_assert_int_eq(cosignature_check(note, &witnesses[1], &time_s), CERTS_OK);
	// Even one that somebody has spoilt; another key's under the same name stays.
	char *last = strrchr(note, '=');
	last[-3] = last[-3] == 'A' ? 'B' : 'A';
	ck_assert_int_ne(cosignature_check(note, &witnesses[0], &time_s), CERTS_OK);
	char before[NOTE_BYTES_MAX + 1];
	memcpy(before, note, sizeof before);
	ck_assert_int_eq(cosignature_add(before, witnesses[0].origin, keys[2], T, note), CERTS_OK);
	ck_assert_int_eq(cosignature_check(note, &witnesses[0], &time_s), CERTS_SIGNATURE);
	ck_assert_int_eq(cosign(0, T + 9), CERTS_OK);
	ck_assert_int_eq(cosignature_check(note, &witnesses[0], &time_s), CERTS_OK);
	unsigned lines = 0;
	for (const char *at = note; (at = strstr(at, DASH)) != NULL; at++)
		lines++;
	ck_assert_uint_eq(lines, 4);
	memcpy(before, note, sizeof before);
	strcat(before, "nonsense\n");
	ck_assert_int_eq(cosignature_add(before, witnesses[0].origin, keys[0], T, note), CERTS_MALFORMED);
}
END_TEST

START_TEST(bad_names_and_notes_are_refused)
{
	char out[NOTE_BYTES_MAX + 1];
	uint64_t time_s;
	ck_assert_int_eq(cosignature_add(note, "a b", keys[0], T, out), CERTS_VALUE);
	ck_assert_int_eq(cosignature_add(note, "a+b", keys[0], T, out), CERTS_VALUE);
	ck_assert_int_eq(cosignature_add(note, "", keys[0], T, out), CERTS_VALUE);
	ck_assert_int_eq(cosignature_add(note, "a", keys[0], (uint64_t)INT64_MAX + 1, out), CERTS_VALUE);
	ck_assert_int_eq(cosignature_add("no note", "a", keys[0], T, out), CERTS_MALFORMED);
	ck_assert_int_eq(cosignature_check("no note", &witnesses[0], &time_s), CERTS_MALFORMED);
}
END_TEST

// ------------------------------------------------------------------ the policy

static bool load(const char *text, struct witness_policy *ret)
{
	char path[] = "/tmp/cpis-policy-XXXXXX";
	int file = mkstemp(path);
	ck_assert_int_ge(file, 0);
	ck_assert_int_eq(write(file, text, strlen(text)), (ssize_t)strlen(text));
	close(file);
	detail[0] = '\0';
	bool good = witness_policy_load(path, ret, detail);
	unlink(path);
	return good;
}

static const char *line_of(unsigned witness, const char *name)
{
	static char line[4][400];
	static unsigned turn;
	char key[300];
	ck_assert_int_eq(witness_key_format(&witnesses[witness], key, sizeof key), CERTS_OK);
	turn = (turn + 1) % 4;
	snprintf(line[turn], sizeof line[0], "witness %s %s\n", name, key);
	return line[turn];
}

START_TEST(a_quorum_of_two_of_three_holds_since_the_second_newest)
{
	struct witness_policy policy;
	char text[2000];
	uint64_t since;
	snprintf(text, sizeof text, "# who\n\nlog x\n%s%s%sgroup two 2 a b c\nquorum two\n", line_of(0, "a"), line_of(1, "b"),
		 line_of(2, "c"));
	ck_assert_msg(load(text, &policy), "%s", detail);
	ck_assert_uint_eq(witness_policy_least(&policy), 2);
	ck_assert(!witness_policy_holds(&policy, note, T + 9, &since));
	ck_assert_int_eq(cosign(0, T), CERTS_OK);
	ck_assert(!witness_policy_holds(&policy, note, T + 9, &since));
	ck_assert_int_eq(cosign(2, T + 7), CERTS_OK);
	ck_assert(witness_policy_holds(&policy, note, T + 9, &since));
	ck_assert_uint_eq(since, T);
	ck_assert_int_eq(cosign(1, T + 5), CERTS_OK);
	ck_assert(witness_policy_holds(&policy, note, T + 9, &since));
	ck_assert_uint_eq(since, T + 5);
	ck_assert_uint_eq(witness_policy_count(&policy, note), 3);
	// Cosignatures from the future prove nothing about the present.
	ck_assert(!witness_policy_holds(&policy, note, T - 100, &since));
}
END_TEST

START_TEST(groups_of_groups_and_single_witnesses_are_quorums_too)
{
	struct witness_policy policy;
	char text[2000];
	uint64_t since;
	snprintf(text, sizeof text, "%s%s%sgroup any any a b\ngroup all all any c\nquorum all\n", line_of(0, "a"),
		 line_of(1, "b"), line_of(2, "c"));
	ck_assert_msg(load(text, &policy), "%s", detail);
	ck_assert_int_eq(cosign(0, T), CERTS_OK);
	ck_assert(!witness_policy_holds(&policy, note, T, &since));
	ck_assert_int_eq(cosign(2, T), CERTS_OK);
	ck_assert(witness_policy_holds(&policy, note, T, &since));
	snprintf(text, sizeof text, "%squorum b\n", line_of(1, "b"));
	ck_assert(load(text, &policy));
	ck_assert(!witness_policy_holds(&policy, note, T, &since));
	ck_assert(load("quorum none\n", &policy));
	ck_assert(witness_policy_holds(&policy, note, T, &since));
	ck_assert(witness_policy_load("/nonexistent/log.policy", &policy, detail));
	ck_assert(!policy.required);
}
END_TEST

START_TEST(a_bad_line_is_refused_with_its_number)
{
	struct witness_policy policy;
	const char *a = line_of(0, "a");
	char text[2000];
	static const struct {
		const char *rest, *complaint;
	} bad[] = {
		{"quorum b\n", ":2: the quorum is no witness"},
		{"quorum a\nquorum a\n", ":3: there must be one line"},
		{"group g 2 a\nquorum g\n", ":2: the number must be"},
		{"group g 0 a\nquorum g\n", ":2: the number must be"},
		{"group g any a a\nquorum g\n", ":2: a member stands twice"},
		// Two groups of which one witness alone would make the quorum.
		{"group g any a\ngroup h any a\ngroup two 2 g h\nquorum two\n", ":3: a member stands twice"},
		{"group g any a\ngroup h any g\ngroup i any g\nquorum i\n", ":4: a member stands twice"},
		{"group g any b\nquorum g\n", ":2: a member is no witness"},
		{"group a any a\nquorum a\n", ":2: the name is taken"},
		{"group none any a\nquorum none\n", ":2: the name is taken"},
		{"group g\nquorum g\n", ":2: a group line is"},
		{"witness b\nquorum a\n", ":2: a witness line is"},
		{"witness b a+b+c\nquorum a\n", ":2: the key is not one"},
		{"nonsense\nquorum a\n", ":2: a line begins with"},
		{"quorum a", ":2: the line does not end"},
		{"", ": there must be one line"},
	};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		snprintf(text, sizeof text, "%s%s", a, bad[i].rest);
		ck_assert_msg(!load(text, &policy), "%s", bad[i].rest);
		ck_assert_msg(strstr(detail, bad[i].complaint) != NULL, "%s", detail);
	}
	snprintf(text, sizeof text, "%s%squorum a\n", line_of(0, "a"), line_of(0, "b"));
	ck_assert(!load(text, &policy));
	ck_assert_ptr_nonnull(strstr(detail, ":2: the key stands twice"));
	ck_assert(!witness_policy_load("/", &policy, detail));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cosignature");
	TCase *tests = tcase_create("cosignature");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, signs_what_the_specification_says);
	tcase_add_test(tests, sixteen_fit_with_the_longest_names_and_the_log_still_verifies);
	tcase_add_test(tests, no_byte_of_text_time_or_signature_can_be_changed);
	tcase_add_test(tests, a_line_is_taken_over_once_from_a_note_of_the_same_text_only);
	tcase_add_test(tests, a_witness_that_signs_again_replaces_its_own_line_and_no_other);
	tcase_add_test(tests, bad_names_and_notes_are_refused);
	tcase_add_test(tests, a_quorum_of_two_of_three_holds_since_the_second_newest);
	tcase_add_test(tests, groups_of_groups_and_single_witnesses_are_quorums_too);
	tcase_add_test(tests, a_bad_line_is_refused_with_its_number);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
