// Valid messages, mutated at random: whatever the bytes, the decoders give a status and stay within them.
#include "proto/wire.h"

#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "proto/audit_record.h"
#include "tests/unit/proto/raw.h"

#define MUTATIONS 200000

static struct arena arena;
static struct wire_error error;
static struct raw raw;

static void setup(void)
{
	ck_assert(arena_init(&arena, ARENA_BYTES));
}

static void teardown(void)
{
	arena_done(&arena);
}

// splitmix64: so that a seed gives the same run anywhere.
static uint64_t state;

static uint64_t next_random(void)
{
	uint64_t z = (state += 0x9E3779B97F4A7C15u);
	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
	z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
	return z ^ (z >> 31);
}

static size_t below(size_t bound)
{
	return (size_t)(next_random() % bound);
}

static void take_seed(void)
{
	const char *given = getenv("CPIS_TEST_SEED");
	if (given != NULL)
		state = strtoull(given, NULL, 10);
	else
		ck_assert_int_eq(getrandom(&state, sizeof state, 0), (int)sizeof state);
	printf("seed %" PRIu64 " (repeat with CPIS_TEST_SEED)\n", state);
	fflush(stdout);
}

struct sample {
	const ProtobufCMessageDescriptor *descriptor;
	struct raw raw;
};

static struct sample samples[8];
static size_t sample_count;

static struct raw *new_sample(const ProtobufCMessageDescriptor *descriptor)
{
	samples[sample_count].descriptor = descriptor;
	samples[sample_count].raw.count = 0;
	return &samples[sample_count++].raw;
}

static void write_receipt(struct raw *out)
{
	struct raw receipt = {.count = 0};
	raw_number(&receipt, 1, 300);
	raw_bytes(&receipt, 2, "saltsaltsaltsalt", 16);
	raw_bytes(&receipt, 3, "\x08\x01", 2);
	raw_bytes(&receipt, 4, "0123456789abcdef0123456789abcdef", 32);
	raw_bytes(&receipt, 4, "0123456789abcdef0123456789abcdef", 32);
	raw_text(&receipt, 5, "cpis.example/audit\n301\nroot\n\n\xE2\x80\x94 cpis.example/audit signature\n");
	raw_message(out, 8, &receipt);
}

static void write_access(struct raw *out, unsigned field)
{
	struct raw access = {.count = 0};
	raw_number(&access, 1, 1795402800000);
	raw_text(&access, 2, "Grace Okafor");
	raw_text(&access, 3, "R8001");
	raw_text(&access, 5, "RXH");
	raw_number(&access, 7, 1);
	raw_message(out, field, &access);
}

static void make_requests(void)
{
	struct raw body = {.count = 0}, record = {.count = 0}, *out = new_sample(&cpis__v1__request__descriptor);
	raw_text(&body, 1, "9990000018");
	raw_number(&body, 2, 1);
	raw_number(&body, 3, 1);
	raw_envelope(out);
	raw_bytes(out, 4, "token", 5);
	raw_message(out, 19, &body);

	out = new_sample(&cpis__v1__request__descriptor);
	body.count = 0;
	raw_text(&body, 1, "383");
	raw_text(&record, 1, "9990000026");
	raw_number(&record, 2, 2);
	raw_text(&record, 3, "2026-03-01");
	raw_text(&record, 6, "LCS-1");
	raw_number(&record, 7, 1);
	raw_message(&body, 4, &record);
	raw_message(&body, 4, &record);
	raw_envelope(out);
	raw_message(out, 20, &body);

	out = new_sample(&cpis__v1__request__descriptor);
	body.count = 0;
	raw_bytes(&body, 1, "\x01\x02\xAC\x02", 4);
	raw_envelope(out);
	raw_message(out, 22, &body);
}

static void start_reply(struct raw *out)
{
	raw_number(out, 1, 1);
	raw_bytes(out, 2, "0123456789abcdef", 16);
	raw_number(out, 3, 1);
	write_receipt(out);
}

static void make_replies(void)
{
	struct raw body = {.count = 0}, inner = {.count = 0}, item = {.count = 0};
	struct raw *out = new_sample(&cpis__v1__reply__descriptor);
	raw_number(&inner, 1, 1);
	raw_number(&inner, 2, 1);
	raw_text(&inner, 3, "2026-03-01");
	raw_message(&body, 1, &inner);
	write_access(&body, 2);
	raw_number(&body, 3, 1);
	start_reply(out);
	raw_message(out, 19, &body);

	out = new_sample(&cpis__v1__reply__descriptor);
	inner.count = body.count = 0;
	raw_text(&inner, 1, "9990000018");
	raw_bytes(&inner, 3, "\x01\x02", 2);
	write_access(&inner, 4);
	raw_number(&item, 1, 7);
	raw_message(&item, 16, &inner);
	raw_message(&body, 1, &item);
	raw_number(&body, 2, 1);
	start_reply(out);
	raw_message(out, 21, &body);

	out = new_sample(&cpis__v1__audit_record__descriptor);
	raw_number(out, 1, 1);
	raw_number(out, 2, 300);
	raw_bytes(out, 4, "0123456789abcdef", 16);
	raw_number(out, 5, 4);
	raw_number(out, 6, 1);
	raw_bytes(out, 12, "subjectsubjectsu", 16);
	raw_bytes(out, 15, "sealed", 6);
}

static void mutate_once(void)
{
	size_t at = below(raw.count + 1), length = 1 + below(12);
	switch (below(8)) {
	case 0: // one bit
		if (at < raw.count)
			raw.bytes[at] ^= (uint8_t)(1u << below(8));
		break;
	case 1: // one byte
		if (at < raw.count)
			raw.bytes[at] = (uint8_t)next_random();
		break;
	case 2: // a byte that likes to be a length or the middle of a number
		if (at < raw.count)
			raw.bytes[at] = (const uint8_t[]){0x00, 0x7F, 0x80, 0xFF}[below(4)];
		break;
	case 3: // cut the end off
		raw.count = at;
		break;
	case 4: // take some out
		length = length > raw.count - at ? raw.count - at : length;
		memmove(raw.bytes + at, raw.bytes + at + length, raw.count - at - length);
		raw.count -= length;
		break;
	case 5: // put some in
		memmove(raw.bytes + at + length, raw.bytes + at, raw.count - at);
		for (size_t i = 0; i < length; i++)
			raw.bytes[at + i] = (uint8_t)next_random();
		raw.count += length;
		break;
	case 6: // say some twice
		length = length > raw.count - at ? raw.count - at : length;
		memmove(raw.bytes + at + length, raw.bytes + at, raw.count - at);
		raw.count += length;
		break;
	default: { // add the end of another
		const struct raw *other = &samples[below(sample_count)].raw;
		size_t from = below(other->count);
		raw_append(&raw, other->bytes + from, other->count - from);
		break;
	}
	}
}

// Whatever passes is canonical, so it packs to the same bytes; whatever does not has a status. The decoders of
// requests, replies and records see the same bytes.
static bool try_mutant(const ProtobufCMessageDescriptor *descriptor)
{
	uint8_t *exact = malloc(raw.count + (raw.count == 0));
	ProtobufCMessage *message = NULL;
	Cpis__V1__Request *request = NULL;
	Cpis__V1__Reply *reply = NULL;
	Cpis__V1__AuditRecord *record = NULL;
	ck_assert_ptr_nonnull(exact);
	memcpy(exact, raw.bytes, raw.count);
	arena_reset(&arena);
	bool passed = wire_unpack(&arena, descriptor, exact, raw.count, &message, &error) == WIRE_OK;
	if (passed) {
		size_t bytes = 0;
		const uint8_t *packed = wire_pack(&arena, message, &bytes);
		if (packed == NULL || bytes != raw.count || memcmp(packed, exact, bytes) != 0)
			ck_abort_msg("%s: packs to other bytes", descriptor->name);
	}
	ck_assert_uint_lt(strlen(error.field), sizeof error.field);
	arena_reset(&arena);
	ck_assert_int_eq(wire_request_decode(&arena, exact, raw.count, &request, &error) == WIRE_OK, request != NULL);
	arena_reset(&arena);
	ck_assert_int_eq(wire_reply_decode(&arena, exact, raw.count, &reply, &error) == WIRE_OK, reply != NULL);
	arena_reset(&arena);
	ck_assert_int_eq(audit_record_decode(&arena, exact, raw.count, &record, &error) == WIRE_OK, record != NULL);
	free(exact);
	return passed;
}

START_TEST(survives_200000_mutations_of_valid_messages)
{
	size_t passed = 0;
	take_seed();
	make_requests();
	make_replies();
	for (size_t i = 0; i < sample_count; i++)
		ck_assert_int_eq(raw_unpack(&arena, samples[i].descriptor, &samples[i].raw, &error), WIRE_OK);
	for (size_t i = 0; i < MUTATIONS; i++) {
		const struct sample *sample = &samples[below(sample_count)];
		raw.count = 0;
		raw_append(&raw, sample->raw.bytes, sample->raw.count);
		for (size_t times = 1 + below(4); times > 0; times--)
			mutate_once();
		passed += try_mutant(sample->descriptor);
	}
	// Both ways have been gone.
	ck_assert_uint_gt(passed, MUTATIONS / 100);
	ck_assert_uint_lt(passed, MUTATIONS / 2);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("wire_mutations");
	TCase *tcase = tcase_create("wire_mutations");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 300);
	tcase_add_test(tcase, survives_200000_mutations_of_valid_messages);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
