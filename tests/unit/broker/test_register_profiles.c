// The role profiles of the register's file: who holds which role where, and from when until when.
#include <stdio.h>
#include <stdlib.h>

#include "proto/date.h"
#include "tests/harness/suite.h"
#include "tests/unit/broker/register_files.h"

START_TEST(a_profile_is_of_one_person_role_and_organisation)
{
	struct register_snapshot *snapshot =
		load(GOOD "  - {uid: 555000000001, role: R0001, organisation: RY7, from: 2026-01-01}\n");
	ck_assert_ptr_nonnull(profile_on(snapshot, "555000000001", "R8001", "RXH", "2026-03-01"));
	ck_assert_ptr_nonnull(profile_on(snapshot, "555000000001", "R0001", "RY7", "2026-03-01"));
	ck_assert_ptr_null(profile_on(snapshot, "555000000001", "R8001", "RY7", "2026-03-01"));
	ck_assert_ptr_null(profile_on(snapshot, "555000000001", "R0001", "RXH", "2026-03-01"));
	ck_assert_ptr_null(profile_on(snapshot, "555000000002", "R8001", "RXH", "2026-03-01"));
	ck_assert_ptr_null(profile_on(snapshot, "55500000000", "R8001", "RXH", "2026-03-01"));
	ck_assert_ptr_null(profile_on(snapshot, "5550000000011", "R8001", "RXH", "2026-03-01"));
	ck_assert_ptr_null(profile_on(snapshot, "555000000001", "R800111111111111", "RXH", "2026-03-01"));
	ck_assert_ptr_null(profile_on(snapshot, "", "", "RXH", "2026-03-01"));
	register_release(snapshot);
}
END_TEST

START_TEST(a_profile_holds_from_its_first_instant_to_before_its_last)
{
	struct register_snapshot *snapshot =
		load(ORGANISATIONS PROFILES
		     "  - {uid: 555000000001, role: R8001, organisation: RXH, from: 2026-09-01}\n"
		     "  - {uid: 555000000001, role: R8001, organisation: RXH, from: 2026-01-01, until: "
		     "2026-02-01T12:00:00Z}\n"
		     "  - {uid: 555000000001, role: R8001, organisation: RXH, from: 2026-02-01T12:00:00Z, "
		     "until: 2026-06-01, "
		     "activities: [B0170]}\n");
	ck_assert_ptr_null(profile_on(snapshot, "555000000001", "R8001", "RXH", "2025-12-31T23:59:59.999Z"));
	const struct role_profile *first = profile_on(snapshot, "555000000001", "R8001", "RXH", "2026-01-01");
	ck_assert_ptr_nonnull(first);
	ck_assert_uint_eq(activity_set_count(&first->additional), 0);
	ck_assert_ptr_eq(profile_on(snapshot, "555000000001", "R8001", "RXH", "2026-02-01T11:59:59.999Z"),
			 first);
	const struct role_profile *second =
		profile_on(snapshot, "555000000001", "R8001", "RXH", "2026-02-01T12:00:00Z");
	ck_assert_ptr_nonnull(second);
	ck_assert_uint_eq(activity_set_count(&second->additional), 1);
	ck_assert_ptr_eq(profile_on(snapshot, "555000000001", "R8001", "RXH", "2026-05-31T23:59:59.999Z"),
			 second);
	ck_assert_ptr_null(profile_on(snapshot, "555000000001", "R8001", "RXH", "2026-06-01"));
	ck_assert_ptr_null(profile_on(snapshot, "555000000001", "R8001", "RXH", "2026-08-31"));
	ck_assert_ptr_nonnull(profile_on(snapshot, "555000000001", "R8001", "RXH", "2199-12-31"));
	register_release(snapshot);
}
END_TEST

START_TEST(finds_each_of_many_profiles)
{
	enum { COUNT = 5000, LINE = 90 };
	size_t room = sizeof ORGANISATIONS + sizeof PROFILES + COUNT * LINE;
	char *text = malloc(room), uid[UID_DIGITS + 1];
	ck_assert_ptr_nonnull(text);
	size_t bytes = (size_t)snprintf(text, room, ORGANISATIONS PROFILES);
	// 2,003 and 5,000 have no common divisor: every number once, in no order.
	for (unsigned i = 0; i < COUNT; i++)
		bytes += (size_t)snprintf(
			text + bytes, room - bytes,
			"  - {uid: 55500000%04u, role: R8001, organisation: RXH, from: 2026-01-01}\n",
			i * 2003 % COUNT);
	struct register_snapshot *snapshot = load(text);
	free(text);
	struct ods_code code = ods("RXH");
	for (unsigned i = 0; i < COUNT; i++) {
		snprintf(uid, sizeof uid, "55500000%04u", i);
		const struct role_profile *profile = register_profile(snapshot, uid, "R8001", &code, now_ms);
		ck_assert_ptr_nonnull(profile);
		ck_assert_str_eq(profile->uid, uid);
	}
	ck_assert_ptr_null(register_profile(snapshot, "555000005000", "R8001", &code, now_ms));
	register_release(snapshot);
}
END_TEST

START_TEST(training_has_a_date)
{
	size_t count;
#define TRAINED(date) "organisations:\n  - {ods: 383, name: Leeds, type: local_authority}\n" PROFILES \
	"  - {uid: \"555000000001\", role: R9535, organisation: \"383\", from: 2026-01-01, trained: " date "}\n"
	struct register_snapshot *snapshot = load(TRAINED("2026-03-02"));
	ck_assert_uint_eq(register_profiles(snapshot, &count)[0].trained_ms, 1772409600000);
	register_release(snapshot);
	refuses(TRAINED("soon"), ":4: role profile of 555000000001: trained 'soon' is not a date (YYYY-MM-DD) or a UTC time");
#undef TRAINED
}
END_TEST

START_TEST(refuses_bad_role_profiles_with_their_line)
{
	refuses(GOOD "  - {uid: 55500000000, role: R8001, organisation: RXH, from: 2026-01-01}\n",
		":7: '55500000000' is not a staff uid: 12 digits");
	refuses(GOOD "  - {uid: 55500000000x, role: R8001, organisation: RXH, from: 2026-01-01}\n",
		":7: '55500000000x' is not a staff uid: 12 digits");
	refuses(GOOD "  - {uid: 555000000002, role: R9999, organisation: RXH, from: 2026-01-01}\n",
		":7: role profile of 555000000002: the policy has no role 'R9999'");
	refuses(GOOD "  - {uid: 555000000002, role: R8001, organisation: 846, from: 2026-01-01}\n",
		":7: role profile of 555000000002: unknown organisation '846'");
	refuses(GOOD "  - {uid: 555000000002, role: R8001, organisation: R H, from: 2026-01-01}\n",
		":7: role profile of 555000000002: unknown organisation 'R H'");
	refuses(GOOD "  - {uid: 555000000002, role: R8001, organisation: RXH, from: 2026-01-01, activities: "
		     "[B9999]}\n",
		":7: role profile of 555000000002: the policy has no activity 'B9999'");
	refuses(GOOD "  - {uid: 555000000002, role: R8001, organisation: RXH, from: 2026-01-01, activities: "
		     "[B0170, B0170]}\n",
		":7: role profile of 555000000002: activity B0170 stands twice");
	refuses(GOOD "  - {uid: 555000000002, role: R8001, organisation: RXH}\n",
		":7: key 'from' is missing");
	refuses(GOOD "  - uid: 555000000002\n    role: R8001\n    organisation: RXH\n    from: 2026-01-01\n  "
		     "  to: 2027-01-01\n",
		":11: unknown key 'to'");
}
END_TEST

START_TEST(refuses_periods_that_are_none)
{
	refuses(GOOD "  - {uid: 555000000002, role: R8001, organisation: RXH, from: 01/02/2026}\n",
		":7: role profile of 555000000002: from '01/02/2026' is not a date (YYYY-MM-DD) or a UTC "
		"time");
	refuses(GOOD "  - {uid: 555000000002, role: R8001, organisation: RXH, from: 2026-01-01, until: "
		     "2026-02-30}\n",
		":7: role profile of 555000000002: until '2026-02-30' is not a date (YYYY-MM-DD) or a UTC "
		"time");
	refuses(GOOD "  - {uid: 555000000002, role: R8001, organisation: RXH, from: 2026-01-01, until: "
		     "2026-01-01}\n",
		":7: role profile of 555000000002: until must be after from");
	refuses(GOOD "  - {uid: 555000000002, role: R8001, organisation: RXH, from: 1970-01-01, until: "
		     "1970-01-01}\n",
		":7: role profile of 555000000002: until must be after from");
}
END_TEST

START_TEST(refuses_one_role_held_twice_at_one_time)
{
	refuses(GOOD NURSE, ":7: role profile of 555000000001: role R8001 at RXH is held twice at one time");
	refuses(GOOD "  - {uid: 555000000001, role: R8001, organisation: RXH, from: 2026-06-01, until: "
		     "2026-07-01}\n",
		":7: role profile of 555000000001: role R8001 at RXH is held twice at one time");
	refuses(GOOD "  - {uid: 555000000001, role: R8001, organisation: RXH, from: 2025-01-01, until: "
		     "2026-01-02}\n",
		":7: role profile of 555000000001: role R8001 at RXH is held twice at one time");
	register_release(
		load(GOOD "  - {uid: 555000000001, role: R8001, organisation: RXH, from: 2025-01-01, until: "
			  "2026-01-01}\n"));
}
END_TEST

static void add(TCase *tests)
{
	tcase_add_test(tests, a_profile_is_of_one_person_role_and_organisation);
	tcase_add_test(tests, a_profile_holds_from_its_first_instant_to_before_its_last);
	tcase_add_test(tests, finds_each_of_many_profiles);
	tcase_add_test(tests, training_has_a_date);
	tcase_add_test(tests, refuses_bad_role_profiles_with_their_line);
	tcase_add_test(tests, refuses_periods_that_are_none);
	tcase_add_test(tests, refuses_one_role_held_twice_at_one_time);
}

int main(void)
{
	return suite_run_group("register_profiles", make_authority, remove_authority, 60, add);
}
