// Who is let in, as the front is told.
#include "broker/admission.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "broker/clock.h"
#include "tests/harness/enrolment.h"

static struct enrolment *enrolment;

static void set_up(void)
{
	enrolment = enrolment_new();
}

static void tear_down(void)
{
	enrolment_free(enrolment);
}

// As the register says of each, before and after the way over a link.
static void assert_as_register(const struct admission *admission, uint64_t now_ms)
{
	for (enum enrolment_system i = 0; i < ENROLMENT_SYSTEMS; i++) {
		const uint8_t *key = enrolment->keys[i].public_key;
		enum certs_status status = CERTS_PROFILE;
		ck_assert(admission_find(admission, key, now_ms, &status));
		ck_assert_int_eq(status, register_system_status(register_system(enrolment->snapshot, key), now_ms));
	}
	enum certs_status status;
	ck_assert(!admission_find(admission, enrolment->stranger.public_key, now_ms, &status));
}

START_TEST(each_stands_as_in_the_register_at_any_time)
{
	uint64_t now_ms = clock_now_ms(), year_ms = 366ull * 24 * 3600 * 1000;
	size_t bytes;
	const uint8_t *data = admission_bytes(enrolment->admission, &bytes);
	struct admission *copy = admission_of_bytes(data, bytes);
	ck_assert_ptr_nonnull(copy);
	for (unsigned i = 0; i < 3; i++) {
		uint64_t at_ms = now_ms + i * year_ms - year_ms;
		assert_as_register(enrolment->admission, at_ms);
		assert_as_register(copy, at_ms);
	}
	admission_release(admission_retain(copy));
	admission_release(copy);
	admission_release(NULL);
}
END_TEST

START_TEST(a_revoked_one_is_there_and_says_so)
{
	struct admission *fresh = enrolment_revoke(enrolment, ENROLMENT_LEEDS);
	enum certs_status status;
	ck_assert(admission_find(fresh, enrolment->keys[ENROLMENT_LEEDS].public_key, clock_now_ms(), &status));
	ck_assert_int_eq(status, CERTS_REVOKED);
	admission_release(fresh);
}
END_TEST

START_TEST(bytes_that_are_no_list_make_none)
{
	size_t bytes;
	const uint8_t *data = admission_bytes(enrolment->admission, &bytes);
	ck_assert_ptr_null(admission_of_bytes(data, bytes - 1));
	struct admission *nobody = admission_of_bytes(NULL, 0);
	enum certs_status status;
	ck_assert(!admission_find(nobody, enrolment->keys[0].public_key, clock_now_ms(), &status));
	admission_release(nobody);
	size_t one = bytes / ENROLMENT_SYSTEMS, most = one * REGISTER_SYSTEMS_MAX;
	uint8_t *many = calloc(REGISTER_SYSTEMS_MAX + 1, one);
	struct admission *full = admission_of_bytes(many, most);
	ck_assert_ptr_nonnull(full);
	admission_release(full);
	ck_assert_ptr_null(admission_of_bytes(many, most + one));
	free(many);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("admission");
	TCase *tests = tcase_create("admission");
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, each_stands_as_in_the_register_at_any_time);
	tcase_add_test(tests, a_revoked_one_is_there_and_says_so);
	tcase_add_test(tests, bytes_that_are_no_list_make_none);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
