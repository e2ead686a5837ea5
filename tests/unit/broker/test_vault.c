// The vault: the key file's refusals, tags pinned to golden vectors, and all that a sealed value must not survive.
#include "broker/vault.h"

#include <check.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY_TEXT_BYTES 65
#define GOLDEN_KEY "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"
#define PLAIN "a child protection plan"
#define PLAIN_BYTES (sizeof PLAIN - 1)
#define SEALED_BYTES (PLAIN_BYTES + SEAL_OVERHEAD_BYTES)
#define IDENTITY "slot"
#define IDENTITY_BYTES (sizeof IDENTITY - 1)

static char directory[] = "/tmp/cpis-vault-XXXXXX";
static char path[64];
static struct vault *vault;

static void write_key(const char *text, size_t bytes, mode_t mode)
{
	unlink(path);
	int file = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	ck_assert_int_ge(file, 0);
	ck_assert_int_eq(write(file, text, bytes), (ssize_t)bytes);
	ck_assert_int_eq(fchmod(file, mode), 0);
	ck_assert_int_eq(close(file), 0);
}

static struct vault *open_key(void)
{
	struct vault *opened = NULL;
	char detail[VAULT_DETAIL_BYTES] = "";
	ck_assert_msg(vault_open_key(path, &opened, detail), "%s", detail);
	return opened;
}

static void start(void)
{
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(path, sizeof path, "%s/store.key", directory);
	write_key(GOLDEN_KEY, KEY_TEXT_BYTES, 0600);
	vault = open_key();
}

static int remove_one(const char *at, const struct stat *status, int type, struct FTW *place)
{
	(void)status, (void)type, (void)place;
	return remove(at);
}

static void stop(void)
{
	vault_free(vault);
	ck_assert_int_eq(nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
	memcpy(directory + strlen(directory) - 6, "XXXXXX", 6);
}

static struct nhs_number number(const char *digits)
{
	struct nhs_number parsed;
	ck_assert_int_eq(nhs_number_parse(digits, strlen(digits), &parsed), NHS_NUMBER_OK);
	return parsed;
}

static void assert_tag(const struct store_tag *tag, const char *hex)
{
	char text[2 * TAG_BYTES + 1];
	for (size_t i = 0; i < TAG_BYTES; i++)
		snprintf(text + 2 * i, 3, "%02x", tag->bytes[i]);
	ck_assert_str_eq(text, hex);
}

// ------------------------------------------------------------------ the key file

START_TEST(makes_a_key_file_for_the_owner_alone)
{
	char detail[VAULT_DETAIL_BYTES] = "", text[KEY_TEXT_BYTES + 2];
	struct stat status;
	unlink(path);
	umask(0);
	ck_assert_msg(vault_create_key(path, detail), "%s", detail);
	ck_assert_int_eq(stat(path, &status), 0);
	ck_assert_uint_eq(status.st_mode & 07777, 0600);
	ck_assert_int_eq(status.st_size, KEY_TEXT_BYTES);
	FILE *file = fopen(path, "r");
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fread(text, 1, sizeof text, file), KEY_TEXT_BYTES);
	fclose(file);
	for (size_t i = 0; i < KEY_TEXT_BYTES - 1; i++)
		ck_assert_ptr_nonnull(memchr("0123456789abcdef", text[i], 16));
	ck_assert_int_eq(text[KEY_TEXT_BYTES - 1], '\n');
	vault_free(open_key());
}
END_TEST

START_TEST(makes_another_key_each_time)
{
	char detail[VAULT_DETAIL_BYTES] = "";
	struct nhs_number child = number("9990000018");
	struct store_tag first, second;
	for (int i = 0; i < 2; i++) {
		unlink(path);
		ck_assert(vault_create_key(path, detail));
		struct vault *fresh = open_key();
		vault_tag_subject(fresh, &child, i == 0 ? &first : &second);
		vault_free(fresh);
	}
	ck_assert_mem_ne(first.bytes, second.bytes, TAG_BYTES);
}
END_TEST

START_TEST(does_not_overwrite_a_key_file)
{
	char detail[VAULT_DETAIL_BYTES] = "";
	ck_assert(!vault_create_key(path, detail));
	ck_assert_ptr_nonnull(strstr(detail, "not overwritten"));
	struct store_tag tag;
	struct nhs_number child = number("9990000018");
	struct vault *again = open_key();
	vault_tag_subject(again, &child, &tag);
	assert_tag(&tag, "066d7ddafc59f9b552de3af04a05a580");
	vault_free(again);
}
END_TEST

START_TEST(does_not_follow_a_link_to_where_the_key_would_go)
{
	char detail[VAULT_DETAIL_BYTES] = "", target[80];
	snprintf(target, sizeof target, "%s/elsewhere", directory);
	unlink(path);
	ck_assert_int_eq(symlink(target, path), 0);
	ck_assert(!vault_create_key(path, detail));
	ck_assert_str_ne(detail, "");
	ck_assert_int_ne(access(target, F_OK), 0);
}
END_TEST

START_TEST(says_when_a_key_file_cannot_be_made)
{
	char detail[VAULT_DETAIL_BYTES] = "", nowhere[96];
	snprintf(nowhere, sizeof nowhere, "%s/no/such/store.key", directory);
	ck_assert(!vault_create_key(nowhere, detail));
	ck_assert_ptr_nonnull(strstr(detail, "No such file"));
}
END_TEST

static void refuses(const char *words)
{
	char detail[VAULT_DETAIL_BYTES] = "";
	struct vault *untouched = vault, *ret = untouched;
	ck_assert(!vault_open_key(path, &ret, detail));
	ck_assert_ptr_eq(ret, untouched);
	ck_assert_msg(strstr(detail, words) != NULL, "\"%s\" does not say \"%s\"", detail, words);
}

START_TEST(refuses_a_key_file_others_can_use)
{
	static const mode_t modes[] = {0640, 0620, 0610, 0604, 0602, 0601, 0666, 0777};
	for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
		write_key(GOLDEN_KEY, KEY_TEXT_BYTES, modes[i]);
		refuses("chmod 600");
	}
	write_key(GOLDEN_KEY, KEY_TEXT_BYTES, 0400);
	vault_free(open_key());
}
END_TEST

START_TEST(refuses_a_key_file_of_another_format)
{
	static const char *const texts[] = {
		"",
		"\n",
		"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",     // no newline
		"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\r\n",
		"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n\n",
		"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f00\n",
		"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1\n",
		"000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F\n",   // upper case
		"g00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n",
		" 00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n",
		"-----BEGIN PRIVATE KEY-----\n",
	};
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		write_key(texts[i], strlen(texts[i]), 0600);
		refuses("64 lower-case hexadecimal digits");
	}
}
END_TEST

START_TEST(refuses_what_is_not_a_file)
{
	unlink(path);
	refuses("No such file");
	ck_assert_int_eq(mkdir(path, 0700), 0);
	refuses("is not a file");
	ck_assert_int_eq(rmdir(path), 0);
	ck_assert_int_eq(mkfifo(path, 0600), 0); // and does not wait for a writer
	refuses("is not a file");
}
END_TEST

START_TEST(frees_nothing_without_complaint)
{
	vault_free(NULL);
}
END_TEST

// ------------------------------------------------------------------ tags

// Key 00 01 ... 1f; tag key = HKDF-SHA-256 (no salt, info "cpis/1/tag"); tag = the first 16 bytes of HMAC-SHA-256 over
// kind, then length and bytes of each field. Made with python3 hmac and hashlib.
START_TEST(tags_are_the_golden_ones)
{
	struct nhs_number child = number("9990000018");
	struct ods_code leeds = {"383"};
	uint8_t channel[32], request[REQUEST_ID_BYTES];
	struct store_tag tag;
	memset(channel, 0x11, sizeof channel);
	memset(request, 0x22, sizeof request);
	vault_tag_subject(vault, &child, &tag);
	assert_tag(&tag, "066d7ddafc59f9b552de3af04a05a580");
	vault_tag_person(vault, "555000000001", &tag);
	assert_tag(&tag, "e69f294ba6a1836f4157b6297956d68a");
	vault_tag_slot(vault, &child, &leeds, 1, &tag);
	assert_tag(&tag, "4c6d6f4bd95c6dade2415ca3a136da4e");
	vault_tag_request(vault, "555000000001", channel, request, &tag);
	assert_tag(&tag, "4f86934b80dba0cab9c310fba7afc707");
}
END_TEST

START_TEST(tags_differ_by_kind_and_by_every_input)
{
	struct nhs_number child = number("9990000018"), sibling = number("9990000026");
	struct ods_code leeds = {"383"}, brighton = {"846"};
	uint8_t channel[2][32] = {{1}, {2}}, request[2][REQUEST_ID_BYTES] = {{1}, {2}};
	struct store_tag tags[13];
	size_t count = 0;
	vault_tag_subject(vault, &child, &tags[count++]);
	vault_tag_subject(vault, &sibling, &tags[count++]);
	vault_tag_person(vault, "9990000018", &tags[count++]); // the same text, another kind
	vault_tag_person(vault, "555000000001", &tags[count++]);
	vault_tag_person(vault, "555000000002", &tags[count++]);
	vault_tag_slot(vault, &child, &leeds, 1, &tags[count++]);
	vault_tag_slot(vault, &child, &leeds, 2, &tags[count++]);
	vault_tag_slot(vault, &child, &brighton, 1, &tags[count++]);
	vault_tag_slot(vault, &sibling, &leeds, 1, &tags[count++]);
	vault_tag_request(vault, "555000000001", channel[0], request[0], &tags[count++]);
	vault_tag_request(vault, "555000000002", channel[0], request[0], &tags[count++]);
	vault_tag_request(vault, "555000000001", channel[1], request[0], &tags[count++]);
	vault_tag_request(vault, "555000000001", channel[0], request[1], &tags[count++]);
	ck_assert_uint_eq(count, sizeof tags / sizeof tags[0]);
	for (size_t i = 0; i < count; i++)
		for (size_t j = i + 1; j < count; j++)
			ck_assert_msg(memcmp(&tags[i], &tags[j], TAG_BYTES) != 0, "tags %zu and %zu", i, j);
}
END_TEST

START_TEST(tags_are_the_same_after_the_key_is_opened_again)
{
	struct nhs_number child = number("9990000034");
	struct store_tag before, between, after;
	char detail[VAULT_DETAIL_BYTES] = "";
	unlink(path);
	ck_assert(vault_create_key(path, detail));
	struct vault *first = open_key();
	vault_tag_subject(first, &child, &before);
	vault_tag_subject(first, &child, &between);
	vault_free(first);
	struct vault *second = open_key();
	vault_tag_subject(second, &child, &after);
	vault_free(second);
	ck_assert_mem_eq(before.bytes, between.bytes, TAG_BYTES);
	ck_assert_mem_eq(before.bytes, after.bytes, TAG_BYTES);
}
END_TEST

// ------------------------------------------------------------------ sealing

static void seal(uint8_t out[SEALED_BYTES])
{
	ck_assert(seal_close(vault_key(vault, VAULT_PLAN), IDENTITY, IDENTITY_BYTES, (const uint8_t *)PLAIN, PLAIN_BYTES, out));
}

static bool opens(enum vault_purpose purpose, const char *identity, const uint8_t *sealed, size_t bytes)
{
	static const uint8_t wiped[SEALED_BYTES];
	uint8_t plain[SEALED_BYTES];
	memset(plain, 0xEE, sizeof plain);
	bool opened = seal_open(vault_key(vault, purpose), identity, strlen(identity), sealed, bytes, plain);
	if (opened)
		ck_assert_mem_eq(plain, PLAIN, PLAIN_BYTES);
	else if (bytes >= SEAL_OVERHEAD_BYTES)
		ck_assert_mem_eq(plain, wiped, bytes - SEAL_OVERHEAD_BYTES);
	return opened;
}

// Seal key = HKDF-SHA-256 (no salt, info "cpis/1/seal/plan"), nonce a0 ... ab, associated data "slot". Made with an
// AES-256-GCM written out in python3.
START_TEST(opens_the_golden_sealed_value)
{
	static const uint8_t golden[SEALED_BYTES] = {
		0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xab, 0x4c, 0x5a, 0xb0, 0xda, 0xd1,
		0x73, 0xc9, 0x4e, 0xec, 0xea, 0x05, 0xcd, 0x69, 0x1d, 0x6e, 0x66, 0x9e, 0xb9, 0xd5, 0x7d, 0xd5, 0xa5,
		0xe8, 0xfb, 0x4f, 0x69, 0x28, 0xb7, 0xdc, 0x37, 0x8a, 0x51, 0x95, 0xbf, 0xaf, 0xeb, 0x6b, 0x55, 0x3c,
	};
	ck_assert(opens(VAULT_PLAN, IDENTITY, golden, sizeof golden));
}
END_TEST

START_TEST(opens_what_it_sealed_now_and_after_a_restart)
{
	uint8_t sealed[SEALED_BYTES];
	seal(sealed);
	ck_assert(opens(VAULT_PLAN, IDENTITY, sealed, sizeof sealed));
	vault_free(vault);
	vault = open_key();
	ck_assert(opens(VAULT_PLAN, IDENTITY, sealed, sizeof sealed));
}
END_TEST

START_TEST(seals_for_every_purpose_and_opens_for_that_one_only)
{
	for (int sealed_for = 0; sealed_for < VAULT_PURPOSES; sealed_for++) {
		uint8_t sealed[SEALED_BYTES];
		ck_assert(seal_close(vault_key(vault, (enum vault_purpose)sealed_for), IDENTITY, IDENTITY_BYTES,
				     (const uint8_t *)PLAIN, PLAIN_BYTES, sealed));
		for (int opened_as = 0; opened_as < VAULT_PURPOSES; opened_as++)
			ck_assert_msg(opens((enum vault_purpose)opened_as, IDENTITY, sealed, sizeof sealed) ==
					      (opened_as == sealed_for),
				      "sealed for %d, opened as %d", sealed_for, opened_as);
	}
}
END_TEST

START_TEST(does_not_open_with_another_identity)
{
	static const char *const others[] = {"", "slo", "sloT", "slots", "tols"};
	uint8_t sealed[SEALED_BYTES];
	seal(sealed);
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		ck_assert_msg(!opens(VAULT_PLAN, others[i], sealed, sizeof sealed), "identity \"%s\"", others[i]);
}
END_TEST

START_TEST(does_not_open_with_any_bit_flipped)
{
	uint8_t sealed[SEALED_BYTES];
	seal(sealed);
	for (size_t bit = 0; bit < 8 * sizeof sealed; bit++) {
		sealed[bit / 8] = (uint8_t)(sealed[bit / 8] ^ 1 << bit % 8);
		ck_assert_msg(!opens(VAULT_PLAN, IDENTITY, sealed, sizeof sealed), "bit %zu", bit);
		sealed[bit / 8] = (uint8_t)(sealed[bit / 8] ^ 1 << bit % 8);
	}
	// A refusal leaves nothing behind that the next value would meet.
	ck_assert(opens(VAULT_PLAN, IDENTITY, sealed, sizeof sealed));
}
END_TEST

START_TEST(does_not_open_truncated_or_extended)
{
	uint8_t sealed[SEALED_BYTES + 1] = {0};
	seal(sealed);
	for (size_t bytes = 0; bytes < SEALED_BYTES; bytes++)
		ck_assert_msg(!opens(VAULT_PLAN, IDENTITY, sealed, bytes), "%zu bytes", bytes);
	uint8_t plain[sizeof sealed];
	ck_assert(!seal_open(vault_key(vault, VAULT_PLAN), IDENTITY, IDENTITY_BYTES, sealed, sizeof sealed, plain));
}
END_TEST

START_TEST(does_not_open_with_another_key)
{
	char detail[VAULT_DETAIL_BYTES] = "";
	uint8_t sealed[SEALED_BYTES];
	seal(sealed);
	vault_free(vault);
	unlink(path);
	ck_assert(vault_create_key(path, detail));
	vault = open_key();
	ck_assert(!opens(VAULT_PLAN, IDENTITY, sealed, sizeof sealed));
}
END_TEST

START_TEST(two_seals_of_the_same_plaintext_differ)
{
	uint8_t first[SEALED_BYTES], second[SEALED_BYTES];
	seal(first);
	seal(second);
	ck_assert_mem_ne(first, second, 12);                                   // nonce
	ck_assert_mem_ne(first + 12, second + 12, PLAIN_BYTES);                // ciphertext
	ck_assert_mem_ne(first + 12 + PLAIN_BYTES, second + 12 + PLAIN_BYTES, 16); // tag
}
END_TEST

START_TEST(seals_nothing_and_a_lot)
{
	uint8_t empty[SEAL_OVERHEAD_BYTES], none[1] = {0xEE};
	ck_assert(seal_close(vault_key(vault, VAULT_INBOX), NULL, 0, NULL, 0, empty));
	ck_assert(seal_open(vault_key(vault, VAULT_INBOX), NULL, 0, empty, sizeof empty, none));
	ck_assert_uint_eq(none[0], 0xEE);
	empty[0] ^= 1;
	ck_assert(!seal_open(vault_key(vault, VAULT_INBOX), NULL, 0, empty, sizeof empty, none));

	size_t bytes = 100000;
	uint8_t *plain = calloc(1, bytes), *sealed = malloc(bytes + SEAL_OVERHEAD_BYTES), *opened = malloc(bytes);
	ck_assert(plain != NULL && sealed != NULL && opened != NULL);
	plain[bytes - 1] = 7;
	ck_assert(seal_close(vault_key(vault, VAULT_AUDIT_KEY), "i", 1, plain, bytes, sealed));
	ck_assert(seal_open(vault_key(vault, VAULT_AUDIT_KEY), "i", 1, sealed, bytes + SEAL_OVERHEAD_BYTES, opened));
	ck_assert_mem_eq(opened, plain, bytes);
	free(plain);
	free(sealed);
	free(opened);
}
END_TEST

START_TEST(a_requests_digest_cannot_be_made_without_the_key)
{
	static const uint8_t request[] = "a request", other[] = "a requesu";
	uint8_t first[HASH_BYTES], again[HASH_BYTES], different[HASH_BYTES];
	char detail[VAULT_DETAIL_BYTES] = "";
	vault_digest_request(vault, request, sizeof request, first);
	vault_digest_request(vault, request, sizeof request, again);
	ck_assert_mem_eq(first, again, HASH_BYTES);
	vault_digest_request(vault, other, sizeof other, different);
	ck_assert_mem_ne(first, different, HASH_BYTES);
	unlink(path);
	ck_assert(vault_create_key(path, detail));
	struct vault *fresh = open_key();
	vault_digest_request(fresh, request, sizeof request, different);
	ck_assert_mem_ne(first, different, HASH_BYTES);
	vault_free(fresh);
}
END_TEST

START_TEST(quarantine_tags_differ_by_kind_and_target)
{
	struct store_tag person, system, other;
	vault_tag_quarantine(vault, 3, "555000000001", &person);
	vault_tag_quarantine(vault, 1, "555000000001", &system);
	vault_tag_quarantine(vault, 3, "555000000002", &other);
	ck_assert_mem_ne(person.bytes, system.bytes, TAG_BYTES);
	ck_assert_mem_ne(person.bytes, other.bytes, TAG_BYTES);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vault");
	TCase *tests = tcase_create("vault");
	tcase_add_checked_fixture(tests, start, stop);
	tcase_add_test(tests, makes_a_key_file_for_the_owner_alone);
	tcase_add_test(tests, makes_another_key_each_time);
	tcase_add_test(tests, does_not_overwrite_a_key_file);
	tcase_add_test(tests, does_not_follow_a_link_to_where_the_key_would_go);
	tcase_add_test(tests, says_when_a_key_file_cannot_be_made);
	tcase_add_test(tests, refuses_a_key_file_others_can_use);
	tcase_add_test(tests, refuses_a_key_file_of_another_format);
	tcase_add_test(tests, refuses_what_is_not_a_file);
	tcase_add_test(tests, frees_nothing_without_complaint);
	tcase_add_test(tests, tags_are_the_golden_ones);
	tcase_add_test(tests, tags_differ_by_kind_and_by_every_input);
	tcase_add_test(tests, tags_are_the_same_after_the_key_is_opened_again);
	tcase_add_test(tests, opens_the_golden_sealed_value);
	tcase_add_test(tests, opens_what_it_sealed_now_and_after_a_restart);
	tcase_add_test(tests, seals_for_every_purpose_and_opens_for_that_one_only);
	tcase_add_test(tests, does_not_open_with_another_identity);
	tcase_add_test(tests, does_not_open_with_any_bit_flipped);
	tcase_add_test(tests, does_not_open_truncated_or_extended);
	tcase_add_test(tests, does_not_open_with_another_key);
	tcase_add_test(tests, two_seals_of_the_same_plaintext_differ);
	tcase_add_test(tests, seals_nothing_and_a_lot);
	tcase_add_test(tests, a_requests_digest_cannot_be_made_without_the_key);
	tcase_add_test(tests, quarantine_tags_differ_by_kind_and_target);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
