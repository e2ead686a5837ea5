// Who answers for which NHS numbers, as the register's file says it; and a register that is full.
#include <stdio.h>
#include <string.h>

#include "tests/harness/suite.h"
#include "tests/unit/broker/register_files.h"

#define ANSWERS(text) ORGANISATIONS "  - {ods: W00, name: W, type: national_body, answers: " text "}\n" PROFILES NURSE

static const char *who_answers(const struct register_snapshot *snapshot, const char *digits)
{
	struct nhs_number number;
	snprintf(number.digits, sizeof number.digits, "%s", digits);
	const struct register_range *range = register_range_of(snapshot, &number);
	return range == NULL ? "" : range->organisation.text;
}

START_TEST(a_range_is_found_from_its_first_to_its_last_number)
{
	struct register_snapshot *snapshot = load(
		ORGANISATIONS "  - {ods: W01, name: W, type: national_body, answers: {plans: [9996000000-9996999999]}}\n"
			      "  - {ods: W00, name: W, type: national_body, answers: {demographics: true, plans: "
			      "[9995000000-9995499999, 9990000018-9990000018, 9995500000-9995999999]}}\n" PROFILES NURSE);
	ck_assert_str_eq(who_answers(snapshot, "9994999999"), "");
	ck_assert_str_eq(who_answers(snapshot, "9995000000"), "W00");
	ck_assert_str_eq(who_answers(snapshot, "9995499999"), "W00");
	ck_assert_str_eq(who_answers(snapshot, "9995999999"), "W00");
	ck_assert_str_eq(who_answers(snapshot, "9996000000"), "W01");
	ck_assert_str_eq(who_answers(snapshot, "9997000000"), "");
	ck_assert_str_eq(who_answers(snapshot, "9990000018"), "W00");
	ck_assert_str_eq(who_answers(snapshot, "9990000019"), "");
	ck_assert_str_eq(register_demographics(snapshot)->ods.text, "W00");
	register_release(snapshot);
	snapshot = load(GOOD);
	ck_assert_str_eq(who_answers(snapshot, "9995000000"), "");
	ck_assert_ptr_null(register_demographics(snapshot));
	register_release(snapshot);
}
END_TEST

struct shape {
	unsigned organisations, ranges, per_organisation;
};

// Ranges of one number each. An organisation has at most so many, and the bound goes over all of them.
static void write_ranges(FILE *file, unsigned first, unsigned count, unsigned per_organisation)
{
	fprintf(file, ", answers: {plans: [");
	for (unsigned i = first; i < count && i < first + per_organisation; i++)
		fprintf(file, "%s%u-%u", i == first ? "" : ", ", 2000000000u + i, 2000000000u + i);
	fprintf(file, "]}");
}

static void write_shape(const struct shape *shape)
{
	FILE *file = fopen(register_file, "w");
	ck_assert_ptr_nonnull(file);
	fprintf(file, "organisations:\n");
	for (unsigned i = 0; i < shape->organisations; i++) {
		fprintf(file, "  - {ods: A%05u, name: A, type: national_body", i);
		if (i * shape->per_organisation < shape->ranges)
			write_ranges(file, i * shape->per_organisation, shape->ranges, shape->per_organisation);
		fprintf(file, "}\n");
	}
	fprintf(file, "role_profiles: []\n");
	ck_assert_int_eq(fclose(file), 0);
}

static void refuses_shape(struct shape shape, const char *expected)
{
	struct register_snapshot *snapshot = NULL;
	char detail[REGISTER_DETAIL_BYTES] = "";
	write_shape(&shape);
	ck_assert(!register_load(&paths, policy, now_ms, &snapshot, detail));
	ck_assert_ptr_null(snapshot);
	ck_assert_msg(strstr(detail, expected) != NULL, "%s", detail);
}

START_TEST(a_full_register_is_read_and_one_organisation_or_range_more_is_refused)
{
	enum { EACH = REGISTER_RANGES_PER_ORGANISATION_MAX };
	const struct shape full = {REGISTER_ORGANISATIONS_MAX, REGISTER_RANGES_MAX, EACH};
	write_shape(&full);
	struct register_snapshot *snapshot = load_at(now_ms);
	const struct ods_code last = ods("A16383");
	ck_assert_ptr_nonnull(register_organisation(snapshot, &last));
	ck_assert_str_eq(who_answers(snapshot, "2000000000"), "A00000");
	ck_assert_str_eq(who_answers(snapshot, "2000001023"), "A00015");
	register_release(snapshot);
	refuses_shape((struct shape){REGISTER_ORGANISATIONS_MAX + 1, 1, EACH}, "organisations");
	refuses_shape((struct shape){17, REGISTER_RANGES_MAX + 1, EACH}, "more than 1024 ranges of numbers");
	refuses_shape((struct shape){1, EACH + 1, EACH + 1}, "plans");
}
END_TEST

START_TEST(refuses_bad_answers_with_their_line)
{
	refuses(ANSWERS("{plans: [9995000000]}"),
		":5: organisation W00: '9995000000' is not a range of NHS numbers, as 9995000000-9995999999");
	refuses(ANSWERS("{plans: [9995999999-9995000000]}"),
		":5: organisation W00: '9995999999-9995000000' is not a range of NHS numbers, as 9995000000-9995999999");
	refuses(ANSWERS("{plans: [999500000x-9995000000]}"),
		":5: organisation W00: '999500000x-9995000000' is not a range of NHS numbers, as 9995000000-9995999999");
	refuses(ANSWERS("{plans: [9995000000-9995999999, 9995999999-9996000000]}"),
		":5: organisation W00: range 9995999999-9996000000 overlaps with 9995000000-9995999999 of W00");
	refuses(ANSWERS("{plans: [9995000000-9995999999, 9990000000-9995000000]}"),
		":5: organisation W00: range 9990000000-9995000000 overlaps with 9995000000-9995999999 of W00");
	refuses(ORGANISATIONS "  - {ods: W00, name: W, type: national_body, answers: {demographics: true}}\n"
			      "  - {ods: W01, name: W, type: national_body, answers: {demographics: true}}\n" PROFILES NURSE,
		":6: organisation W01: W00 answers demographics already");
	struct register_snapshot *snapshot = NULL;
	char detail[REGISTER_DETAIL_BYTES] = "";
	write_register(ANSWERS("{flags: true}"));
	ck_assert(!register_load(&paths, policy, now_ms, &snapshot, detail));
	write_register(ANSWERS("{demographics: perhaps}"));
	ck_assert(!register_load(&paths, policy, now_ms, &snapshot, detail));
}
END_TEST

static void add(TCase *tests)
{
	tcase_add_test(tests, a_range_is_found_from_its_first_to_its_last_number);
	tcase_add_test(tests, a_full_register_is_read_and_one_organisation_or_range_more_is_refused);
	tcase_add_test(tests, refuses_bad_answers_with_their_line);
}

int main(void)
{
	return suite_run_group("register_ranges", make_authority, remove_authority, 60, add);
}
