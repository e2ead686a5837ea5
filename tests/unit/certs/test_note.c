// Signed checkpoints: the exact bytes, and everything that a verifier must refuse.
#include "certs/note.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DASH "\xe2\x80\x94"
#define ORIGIN "cpis.example/audit"

// RFC 8032 section 7.1, test 1: secret key 9d61b19d..., as PKCS#8.
#define KEY_PEM                                                                                      \
	"-----BEGIN PRIVATE KEY-----\n"                                                              \
	"MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"                         \
	"-----END PRIVATE KEY-----\n"

// Origin, 107 records, root 00 01 02 ... 1f; then key id 2879dee7 = SHA-256(origin, "\n", 01, public key)[0..3] and
// the Ed25519 signature of the first three lines with their newlines. Made with python3 hashlib and `openssl pkeyutl`.
#define TEXT ORIGIN "\n107\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
#define SIGNATURE "KHne59orK11MuZQN+FpJrM05aYNVPReUhrFpmSaggTGO//9f9Frg2d7dLKNgyIEvCUq2KZGigDNW7SaQMn+vSvLA6AA="
#define OWN_LINE DASH " " ORIGIN " " SIGNATURE "\n"
#define NOTE TEXT "\n" OWN_LINE
#define VKEY ORIGIN "+2879dee7+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea"
// Any base64 of more than four bytes is a signature as far as the form goes.
#define WITNESS_LINE DASH " witness.example/w1 AAAAAAECAwQF\n"

static char directory[] = "/tmp/cpis-note-XXXXXX";
static char path[64];

static void write_file(const char *text, size_t bytes)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, bytes), (ssize_t)bytes);
	close(fd);
}

static struct signing_key *fixed_key(void)
{
	struct signing_key *key;
	write_file(KEY_PEM, strlen(KEY_PEM));
	ck_assert_int_eq(signing_key_load(path, &key), CERTS_OK);
	return key;
}

static struct note_verifier fixed_verifier(void)
{
	struct note_verifier verifier = {.origin = ORIGIN};
	struct signing_key *key = fixed_key();
	signing_key_public(key, verifier.public_key);
	signing_key_free(key);
	return verifier;
}

static struct checkpoint fixed_checkpoint(void)
{
	struct checkpoint checkpoint = {.origin = ORIGIN, .size = 107};
	for (size_t i = 0; i < MERKLE_HASH_BYTES; i++)
		checkpoint.root.bytes[i] = (uint8_t)i;
	return checkpoint;
}

static enum certs_status verify(const char *note)
{
	struct note_verifier verifier = fixed_verifier();
	struct checkpoint untouched = {.size = 4711}, ret = untouched;
	enum certs_status status = checkpoint_verify(note, strlen(note), &verifier, &ret);
	if (status != CERTS_OK)
		ck_assert_mem_eq(&ret, &untouched, sizeof ret);
	return status;
}

START_TEST(signs_the_golden_note)
{
	char note[NOTE_BYTES_MAX + 1];
	struct checkpoint checkpoint = fixed_checkpoint();
	struct signing_key *key = fixed_key();
	ck_assert_int_eq(checkpoint_sign(&checkpoint, key, note), CERTS_OK);
	ck_assert_str_eq(note, NOTE);
	signing_key_free(key);
}
END_TEST

START_TEST(reads_the_golden_note_back)
{
	struct note_verifier verifier = fixed_verifier();
	struct checkpoint checkpoint, expected = fixed_checkpoint();
	ck_assert_int_eq(checkpoint_verify(NOTE, strlen(NOTE), &verifier, &checkpoint), CERTS_OK);
	ck_assert_str_eq(checkpoint.origin, ORIGIN);
	ck_assert_uint_eq(checkpoint.size, 107);
	ck_assert_mem_eq(checkpoint.root.bytes, expected.root.bytes, MERKLE_HASH_BYTES);
}
END_TEST

START_TEST(signs_the_largest_size_under_the_longest_origin)
{
	char note[NOTE_BYTES_MAX + 1];
	struct note_verifier verifier = fixed_verifier();
	struct checkpoint checkpoint = {.size = INT64_MAX}, read;
	memset(checkpoint.origin, 'x', NOTE_ORIGIN_BYTES_MAX);
	memcpy(verifier.origin, checkpoint.origin, sizeof verifier.origin);
	struct signing_key *key = fixed_key();
	ck_assert_int_eq(checkpoint_sign(&checkpoint, key, note), CERTS_OK);
	ck_assert_int_eq(checkpoint_verify(note, strlen(note), &verifier, &read), CERTS_OK);
	ck_assert_uint_eq(read.size, INT64_MAX);
	checkpoint.size++;
	ck_assert_int_eq(checkpoint_sign(&checkpoint, key, note), CERTS_VALUE);
	signing_key_free(key);
}
END_TEST

START_TEST(refuses_to_sign_an_origin_that_a_note_cannot_carry)
{
	static const char *const origins[] = {"", "two words", "a+b", "a\nb", "caf\xc3\xa9", "a\x7f"};
	struct signing_key *key = fixed_key();
	for (size_t i = 0; i < sizeof origins / sizeof origins[0]; i++) {
		char note[NOTE_BYTES_MAX + 1] = "untouched";
		struct checkpoint checkpoint = {.size = 1};
		strcpy(checkpoint.origin, origins[i]);
		ck_assert_int_eq(checkpoint_sign(&checkpoint, key, note), CERTS_VALUE);
		ck_assert_str_eq(note, "untouched");
	}
	struct checkpoint unterminated;
	memset(&unterminated, 'x', sizeof unterminated);
	char note[NOTE_BYTES_MAX + 1];
	ck_assert_int_eq(checkpoint_sign(&unterminated, key, note), CERTS_VALUE);
	signing_key_free(key);
}
END_TEST

START_TEST(passes_over_witnesses_before_and_after)
{
	ck_assert_int_eq(verify(TEXT "\n" WITNESS_LINE OWN_LINE WITNESS_LINE), CERTS_OK);
}
END_TEST

START_TEST(strips_what_others_wrote_below_it)
{
	struct note_verifier verifier = fixed_verifier();
	char out[NOTE_BYTES_MAX + 1] = "untouched";
	ck_assert_int_eq(checkpoint_strip(TEXT "\n" WITNESS_LINE "bad", &verifier, out), CERTS_MALFORMED);
	ck_assert_int_eq(checkpoint_strip(TEXT "\n" WITNESS_LINE, &verifier, out), CERTS_SIGNATURE);
	ck_assert_str_eq(out, "untouched");
	ck_assert_int_eq(checkpoint_strip(TEXT "\n" OWN_LINE, &verifier, out), CERTS_OK);
	ck_assert_str_eq(out, TEXT "\n" OWN_LINE);
	ck_assert_int_eq(checkpoint_strip(TEXT "\n" WITNESS_LINE OWN_LINE WITNESS_LINE OWN_LINE, &verifier, out), CERTS_OK);
	ck_assert_str_eq(out, TEXT "\n" OWN_LINE);
}
END_TEST

START_TEST(passes_over_another_key_of_the_same_name)
{
	ck_assert_int_eq(verify(TEXT "\n" DASH " " ORIGIN " AAAAAAECAwQF\n" OWN_LINE), CERTS_OK);
}
END_TEST

START_TEST(refuses_a_note_signed_by_others_only)
{
	ck_assert_int_eq(verify(TEXT "\n" WITNESS_LINE), CERTS_SIGNATURE);
}
END_TEST

START_TEST(refuses_a_broken_signature_even_beside_a_good_one)
{
	// key id 2879dee7, then bytes that sign nothing
	ck_assert_int_eq(verify(TEXT "\n" OWN_LINE DASH " " ORIGIN " KHne5wAAAAA=\n"), CERTS_SIGNATURE);
}
END_TEST

START_TEST(refuses_another_logs_note)
{
	char note[NOTE_BYTES_MAX + 1];
	struct checkpoint checkpoint = fixed_checkpoint();
	struct signing_key *key = fixed_key();
	strcpy(checkpoint.origin, "other.example/audit");
	ck_assert_int_eq(checkpoint_sign(&checkpoint, key, note), CERTS_OK);
	ck_assert_int_eq(verify(note), CERTS_NAME);
	signing_key_free(key);
}
END_TEST

START_TEST(refuses_another_key)
{
	char note[NOTE_BYTES_MAX + 1];
	struct checkpoint checkpoint = fixed_checkpoint();
	struct signing_key *key;
	ck_assert_int_eq(signing_key_generate(&key), CERTS_OK);
	ck_assert_int_eq(checkpoint_sign(&checkpoint, key, note), CERTS_OK);
	ck_assert_int_eq(verify(note), CERTS_SIGNATURE);
	signing_key_free(key);
}
END_TEST

START_TEST(refuses_a_changed_size_or_root)
{
	ck_assert_int_eq(verify(ORIGIN "\n108\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n\n" OWN_LINE), CERTS_SIGNATURE);
	ck_assert_int_eq(verify(ORIGIN "\n107\nAQECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n\n" OWN_LINE), CERTS_SIGNATURE);
}
END_TEST

START_TEST(refuses_every_flipped_bit_and_every_shorter_note)
{
	struct note_verifier verifier = fixed_verifier();
	struct checkpoint ret;
	char note[] = NOTE;
	size_t bytes = strlen(note);
	for (size_t bit = 0; bit < 8 * bytes; bit++) {
		note[bit / 8] = (char)(note[bit / 8] ^ 1 << bit % 8);
		ck_assert_int_ne(checkpoint_verify(note, bytes, &verifier, &ret), CERTS_OK);
		note[bit / 8] = (char)(note[bit / 8] ^ 1 << bit % 8);
	}
	for (size_t shorter = 0; shorter < bytes; shorter++)
		ck_assert_int_ne(checkpoint_verify(note, shorter, &verifier, &ret), CERTS_OK);
	ck_assert_int_eq(checkpoint_verify(note, bytes, &verifier, &ret), CERTS_OK);
}
END_TEST

#define ROOT "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

START_TEST(refuses_a_malformed_note)
{
	static const char *const notes[] = {
		"",
		"\n",
		TEXT,                                                          // no signatures
		TEXT "\n",
		TEXT OWN_LINE,                                                 // no blank line
		TEXT "\n\n" OWN_LINE,                                          // two
		TEXT "extension\n\n" OWN_LINE,                                 // none are ours
		"\n107\n" ROOT "\n\n" OWN_LINE,                                // no origin
		"a b\n107\n" ROOT "\n\n" OWN_LINE,
		ORIGIN "\n\n" ROOT "\n\n" OWN_LINE,                            // no size
		ORIGIN "\n0107\n" ROOT "\n\n" OWN_LINE,
		ORIGIN "\n+107\n" ROOT "\n\n" OWN_LINE,
		ORIGIN "\n-1\n" ROOT "\n\n" OWN_LINE,
		ORIGIN "\n107 \n" ROOT "\n\n" OWN_LINE,
		ORIGIN "\n9223372036854775808\n" ROOT "\n\n" OWN_LINE,         // 2^63
		ORIGIN "\n18446744073709551615\n" ROOT "\n\n" OWN_LINE,
		ORIGIN "\n18446744073709551616\n" ROOT "\n\n" OWN_LINE,        // 2^64
		ORIGIN "\n107\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==\n\n" OWN_LINE,     // 31 bytes
		ORIGIN "\n107\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g\n\n" OWN_LINE,     // 33
		ORIGIN "\n107\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=\n\n" OWN_LINE,     // spare bits
		ORIGIN "\n107\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n\n" OWN_LINE,      // no padding
		ORIGIN "\n107\n AECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n\n" OWN_LINE,     // a blank
		ORIGIN "\n107\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBka-xwdHh8=\n\n" OWN_LINE,     // url alphabet
		ORIGIN "\r\n107\r\n" ROOT "\r\n\r\n" OWN_LINE,
		NOTE "\n",
		NOTE "more",
		TEXT "\n" DASH " " ORIGIN " " SIGNATURE,                       // no newline at the end
		TEXT "\n" DASH ORIGIN " " SIGNATURE "\n",
		TEXT "\n- " ORIGIN " " SIGNATURE "\n",
		TEXT "\n" DASH "  " SIGNATURE "\n",                            // no name
		TEXT "\n" DASH " " ORIGIN "  " SIGNATURE "\n",
		TEXT "\n" DASH " " ORIGIN " " SIGNATURE " \n",
		TEXT "\n" DASH " " ORIGIN "\n",
		TEXT "\n" OWN_LINE DASH " w+1 AAAAAAECAwQF\n",
		TEXT "\n" OWN_LINE DASH " w1 AAAAAA==\n",                      // a key id and no signature
		TEXT "\n" OWN_LINE DASH " w1 not-base64!!\n",
	};
	for (size_t i = 0; i < sizeof notes / sizeof notes[0]; i++)
		ck_assert_msg(verify(notes[i]) == CERTS_MALFORMED, "note %zu: %s", i, notes[i]);
}
END_TEST

START_TEST(refuses_a_note_beyond_its_bound)
{
	char note[NOTE_BYTES_MAX + 64] = NOTE;
	while (strlen(note) <= NOTE_BYTES_MAX)
		strcat(note, WITNESS_LINE);
	ck_assert_int_eq(verify(note), CERTS_MALFORMED);
	note[strlen(note) - strlen(WITNESS_LINE)] = '\0';
	ck_assert_int_eq(verify(note), CERTS_OK);
}
END_TEST

START_TEST(refuses_a_nul_within_the_note)
{
	static const char note[] = ORIGIN "\0x\n107\n" ROOT "\n\n" OWN_LINE;
	struct note_verifier verifier = fixed_verifier();
	struct checkpoint ret;
	ck_assert_int_eq(checkpoint_verify(note, sizeof note - 1, &verifier, &ret), CERTS_MALFORMED);
}
END_TEST

START_TEST(formats_the_golden_verifier_line)
{
	char line[256];
	struct note_verifier verifier = fixed_verifier();
	ck_assert_int_eq(note_verifier_format(&verifier, line, sizeof line), CERTS_OK);
	ck_assert_str_eq(line, VKEY);
	ck_assert_int_eq(note_verifier_format(&verifier, line, strlen(VKEY) + 1), CERTS_OK);
	strcpy(line, "untouched");
	ck_assert_int_eq(note_verifier_format(&verifier, line, strlen(VKEY)), CERTS_VALUE);
	ck_assert_str_eq(line, "untouched");
	strcpy(verifier.origin, "two words");
	ck_assert_int_eq(note_verifier_format(&verifier, line, sizeof line), CERTS_VALUE);
}
END_TEST

static enum certs_status load(const char *line, struct note_verifier *ret)
{
	write_file(line, strlen(line));
	return note_verifier_load(path, ret);
}

START_TEST(loads_the_verifier_line_with_or_without_its_newline)
{
	struct note_verifier verifier, expected = fixed_verifier();
	ck_assert_int_eq(load(VKEY, &verifier), CERTS_OK);
	ck_assert_int_eq(load(VKEY "\n", &verifier), CERTS_OK);
	ck_assert_str_eq(verifier.origin, ORIGIN);
	ck_assert_mem_eq(verifier.public_key, expected.public_key, KEY_BYTES);
}
END_TEST

// The example of golang.org/x/mod/sumdb/note: another implementation's key id is ours.
START_TEST(loads_the_verifier_line_of_another_implementation)
{
	struct note_verifier verifier;
	ck_assert_int_eq(load("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW\n", &verifier), CERTS_OK);
	ck_assert_str_eq(verifier.origin, "PeterNeumann");
}
END_TEST

START_TEST(refuses_a_malformed_verifier_line)
{
	static const char *const lines[] = {
		"",
		"\n",
		VKEY "\n\n",
		VKEY " ",
		VKEY "\r\n",
		" " VKEY,
		"+2879dee7+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea",
		ORIGIN "+2879dee8+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea", // another key id
		ORIGIN "+2879DEE7+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea",
		"cpis.example/audiT+2879dee7+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea",
		ORIGIN "+2879dee7+AtdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea", // another algorithm
		ORIGIN "+2879dee7+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1E",
		ORIGIN "+2879dee7 AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea",
		ORIGIN,
	};
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		struct note_verifier untouched = {.origin = "untouched"}, verifier = untouched;
		ck_assert_msg(load(lines[i], &verifier) == CERTS_MALFORMED, "line %zu: %s", i, lines[i]);
		ck_assert_mem_eq(&verifier, &untouched, sizeof verifier);
	}
	struct note_verifier verifier;
	write_file(VKEY "\0x\n", sizeof VKEY "\0x\n" - 1);
	ck_assert_int_eq(note_verifier_load(path, &verifier), CERTS_MALFORMED);
	char endless[4096];
	memset(endless, 'x', sizeof endless);
	write_file(endless, sizeof endless);
	ck_assert_int_eq(note_verifier_load(path, &verifier), CERTS_MALFORMED);
}
END_TEST

START_TEST(says_when_the_verifier_file_cannot_be_read)
{
	struct note_verifier verifier;
	ck_assert_int_eq(note_verifier_load("/tmp/cpis-note-no-such-file", &verifier), CERTS_CANNOT_READ);
	ck_assert_int_eq(note_verifier_load(directory, &verifier), CERTS_CANNOT_READ);
}
END_TEST

static const uint8_t receipt_salt[MERKLE_SALT_BYTES] = {7};
static struct merkle_hash receipt_path[1];
static char receipt_note[NOTE_BYTES_MAX + 1];

// A log of two records, of which the second is "record".
static void sign_receipt(void)
{
	struct merkle_tree tree = {.size = 0};
	struct merkle_hash leaf, nodes[MERKLE_HEIGHT_MAX + 1];
	size_t count;
	merkle_leaf(receipt_salt, (const uint8_t *)"first", 5, &receipt_path[0]);
	merkle_append(&tree, &receipt_path[0], nodes, &count);
	merkle_leaf(receipt_salt, (const uint8_t *)"record", 6, &leaf);
	merkle_append(&tree, &leaf, nodes, &count);
	struct checkpoint checkpoint = {.origin = ORIGIN, .size = 2};
	merkle_root(&tree, &checkpoint.root);
	struct signing_key *key = fixed_key();
	ck_assert_int_eq(checkpoint_sign(&checkpoint, key, receipt_note), CERTS_OK);
	signing_key_free(key);
}

static enum certs_status receipt(uint64_t index, const uint8_t *salt, const char *record, size_t path_count)
{
	struct note_verifier verifier = fixed_verifier();
	struct checkpoint untouched = {.size = 4711}, ret = untouched;
	enum certs_status status = receipt_verify(&verifier, index, salt, (const uint8_t *)record, strlen(record), receipt_path,
						  path_count, receipt_note, strlen(receipt_note), &ret);
	if (status == CERTS_OK)
		ck_assert_uint_eq(ret.size, 2);
	else
		ck_assert_mem_eq(&ret, &untouched, sizeof ret);
	return status;
}

START_TEST(accepts_a_receipt_and_refuses_another_record_salt_index_or_path)
{
	static const uint8_t other_salt[MERKLE_SALT_BYTES] = {8};
	sign_receipt();
	ck_assert_int_eq(receipt(1, receipt_salt, "record", 1), CERTS_OK);
	ck_assert_int_eq(receipt(1, receipt_salt, "Record", 1), CERTS_PROOF);
	ck_assert_int_eq(receipt(1, other_salt, "record", 1), CERTS_PROOF);
	ck_assert_int_eq(receipt(0, receipt_salt, "record", 1), CERTS_PROOF);
	ck_assert_int_eq(receipt(2, receipt_salt, "record", 1), CERTS_PROOF);
	ck_assert_int_eq(receipt(1, receipt_salt, "record", 0), CERTS_PROOF);
	receipt_note[strlen(ORIGIN) + 1] = '3';
	ck_assert_int_eq(receipt(1, receipt_salt, "record", 1), CERTS_SIGNATURE);
}
END_TEST

int main(void)
{
	if (mkdtemp(directory) == NULL)
		return EXIT_FAILURE;
	snprintf(path, sizeof path, "%s/file", directory);
	Suite *suite = suite_create("note");
	TCase *tests = tcase_create("note");
	tcase_add_test(tests, signs_the_golden_note);
	tcase_add_test(tests, reads_the_golden_note_back);
	tcase_add_test(tests, signs_the_largest_size_under_the_longest_origin);
	tcase_add_test(tests, refuses_to_sign_an_origin_that_a_note_cannot_carry);
	tcase_add_test(tests, passes_over_witnesses_before_and_after);
	tcase_add_test(tests, strips_what_others_wrote_below_it);
	tcase_add_test(tests, passes_over_another_key_of_the_same_name);
	tcase_add_test(tests, refuses_a_note_signed_by_others_only);
	tcase_add_test(tests, refuses_a_broken_signature_even_beside_a_good_one);
	tcase_add_test(tests, refuses_another_logs_note);
	tcase_add_test(tests, refuses_another_key);
	tcase_add_test(tests, refuses_a_changed_size_or_root);
	tcase_add_test(tests, refuses_every_flipped_bit_and_every_shorter_note);
	tcase_add_test(tests, refuses_a_malformed_note);
	tcase_add_test(tests, refuses_a_note_beyond_its_bound);
	tcase_add_test(tests, refuses_a_nul_within_the_note);
	tcase_add_test(tests, formats_the_golden_verifier_line);
	tcase_add_test(tests, loads_the_verifier_line_with_or_without_its_newline);
	tcase_add_test(tests, loads_the_verifier_line_of_another_implementation);
	tcase_add_test(tests, refuses_a_malformed_verifier_line);
	tcase_add_test(tests, says_when_the_verifier_file_cannot_be_read);
	tcase_add_test(tests, accepts_a_receipt_and_refuses_another_record_salt_index_or_path);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	unlink(path);
	rmdir(directory);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
