// The examples of clients/examples/, built by their own Makefile with an installed libcpis.so as anybody would build them, and run
// against a broker.
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "tests/harness/world.h"
#include "tests/harness/world_client.h"

#define EMERGENCY CPIS__V1__CARE_SETTING__EMERGENCY_DEPARTMENT

static struct world *world;
static char build[PATH_MAX], stage[PATH_MAX + 8], sanitize[64], known[11], other[11];

static int shell(const char *format, ...) __attribute__((format(printf, 1, 2)));
static int shell(const char *format, ...)
{
	static char command[8 * PATH_MAX];
	va_list arguments;
	va_start(arguments, format);
	ck_assert_int_lt(vsnprintf(command, sizeof command, format, arguments), (int)sizeof command);
	va_end(arguments);
	const char *argv[] = {"bash", "-c", command, NULL};
	return world_command(world, argv);
}

static void must(int code)
{
	ck_assert_msg(code == 0, "exit %d: %s%s", code, world_out(world), world_err(world));
}

// What a program of an outsider's finds: libraries, headers and what pkg-config says of them. Once for all tests. The sanitizers'
// library cannot be linked without them.
static int install_and_build(void)
{
	static char command[8 * PATH_MAX];
	const char *where = getenv("BUILD") == NULL ? "build" : getenv("BUILD"), *how = getenv("SANITIZE");
	if (how != NULL && how[0] != '\0')
		snprintf(sanitize, sizeof sanitize, "-fsanitize=%s", how);
	if (realpath(where, build) == NULL)
		return 1;
	snprintf(stage, sizeof stage, "%s/stage", build);
	// This make is its own.
	unsetenv("MAKEFLAGS");
	unsetenv("MAKELEVEL");
	snprintf(command, sizeof command,
		 "set -e; rm -rf '%s'; make --no-print-directory BUILD='%s' libcpis; "
		 "make --no-print-directory BUILD='%s' DESTDIR='%s' PREFIX=/usr place-libcpis; "
		 "mkdir -p '%s/out/examples'; cp clients/examples/* '%s/out/examples/'; "
		 "PKG_CONFIG_SYSROOT_DIR='%s' PKG_CONFIG_PATH='%s/usr/lib/pkgconfig' make -C '%s/out/examples' OUT=.. "
		 "CFLAGS='-O1 -g -Wall -Wextra -Werror %s'",
		 stage, where, where, stage, stage, stage, stage, stage, stage, sanitize);
	return system(command);
}

// The environment in which an example is run as somebody.
static const char *as(const char *profile)
{
	static char text[8][3 * PATH_MAX];
	static unsigned at;
	const struct world_person *person = world_person(profile);
	char *out = text[at++ % 8];
	snprintf(out, sizeof text[0],
		 "LD_LIBRARY_PATH='%s/usr/lib' CPIS_ENDPOINT=%s CPIS_BROKER_NAME=%s CPIS_BROKER_CERTIFICATE='%s' CPIS_TRUST='%s' "
		 "CPIS_SYSTEM_CERTIFICATE='%s' CPIS_SYSTEM_KEY='%s' CPIS_STAFF_CERTIFICATE='%s' CPIS_STAFF_KEY='%s' CPIS_ROLE=%s",
		 stage, world_endpoint(world), WORLD_BROKER_NAME, world_path(world, "authority/broker/broker.pem"),
		 world_path(world, "authority/trust"), world_path(world, "systems/%s.pem", person->system),
		 world_path(world, "systems/%s.key", person->system), world_path(world, "staff/%s.pem", profile),
		 world_path(world, "staff/%s.key", profile), person->role);
	return out;
}

static void setup(void)
{
	world = world_new();
	world_start(world);
	world_nhs_number(0, known);
	world_nhs_number(1, other);
	must(shell("%s '%s/out/publish' 383 %s 2016-06-01 EXAMPLE ALEX 2026-01-01 '01632 960000'", as("leeds"), stage, known));
	ck_assert_str_eq(world_out(world), "1 of 1 stored\n");
}

static void teardown(void)
{
	world_free(world);
}

// ------------------------------------------------------------------ tests

START_TEST(they_are_linked_with_the_shared_library)
{
	must(shell("readelf -dW '%s/out/flag_query' | grep -o 'libcpis.so.[0-9]*'", stage));
	ck_assert_str_eq(world_out(world), "libcpis.so.1\n");
	// And run without its own libraries' names: those are the library's business.
	ck_assert_int_ne(shell("readelf -dW '%s/out/flag_query' | grep -E 'NEEDED.*(libzmq|libcrypto|libp11)'", stage), 0);
}
END_TEST

// The archive, in the way of which nothing may be: a program with functions of names that are used inside.
START_TEST(a_program_can_be_linked_with_the_archive_too)
{
	must(shell("cd '%s/out' && { cat examples/verify_receipt.c; echo 'int arena_init(void); int arena_init(void) { return 7; }'; } > own.c && "
		   "export PKG_CONFIG_SYSROOT_DIR='%s' PKG_CONFIG_PATH='%s/usr/lib/pkgconfig' && "
		   "${CC:-gcc} %s $(pkg-config --cflags libcpis) -o own own.c '%s/usr/lib/libcpis.a' -lprotobuf-c -lzmq -lcrypto -lp11-kit && "
		   "! readelf -dW own | grep libcpis",
		   stage, stage, stage, sanitize, stage));
	ck_assert_int_eq(shell("'%s/out/own'", stage), 2);
}
END_TEST

START_TEST(a_cplusplus_program_can_use_the_header)
{
	must(shell("cd '%s/out' && echo '#include <cpis.h>' > header.cc && "
		   "export PKG_CONFIG_SYSROOT_DIR='%s' PKG_CONFIG_PATH='%s/usr/lib/pkgconfig' && "
		   "clang -x c++ -Wall -Wextra -Werror -fsyntax-only $(pkg-config --cflags libcpis) header.cc",
		   stage, stage, stage));
}
END_TEST

START_TEST(a_question_is_asked_and_its_receipt_verified_without_a_broker)
{
	char receipt[PATH_MAX];
	snprintf(receipt, sizeof receipt, "%s", world_path(world, "example.receipt"));
	must(shell("%s '%s/out/flag_query' %s '%s'", as("nurse"), stage, known, receipt));
	ck_assert_str_eq(world_out(world), "known\n");
	must(shell("%s '%s/out/flag_query' %s", as("nurse"), stage, other));
	ck_assert_str_eq(world_out(world), "not known\n");
	world_stop(world);
	must(shell("%s '%s/out/verify_receipt' '%s' '%s'", as("nurse"), stage, world_path(world, "authority/trust"), receipt));
	ck_assert_ptr_nonnull(strstr(world_out(world), "RXH asked " WORLD_BROKER_NAME));
	world_start(world);
	// Not what was signed: one byte of the record, or another log's key.
	must(shell("cp '%s' '%s.bad' && printf '\\377' | dd of='%s.bad' bs=1 seek=40 conv=notrunc status=none", receipt, receipt, receipt));
	ck_assert_int_eq(shell("%s '%s/out/verify_receipt' '%s' '%s.bad'", as("nurse"), stage, world_path(world, "authority/trust"), receipt), 1);
	ck_assert_int_eq(shell("%s '%s/out/verify_receipt' '%s' '%s'", as("nurse"), stage, world_path(world, "nowhere"), receipt), 1);
	ck_assert_ptr_nonnull(strstr(world_err(world), "log.vkey"));
	must(shell("mkdir -p '%s' && sed 's/+.*+/+00000000+/' '%s' > '%s'", world_path(world, "else"),
		   world_path(world, "authority/trust/log.vkey"), world_path(world, "else/log.vkey")));
	ck_assert_int_eq(shell("%s '%s/out/verify_receipt' '%s' '%s'", as("nurse"), stage, world_path(world, "else"), receipt), 1);
	must(shell("head -c 100 '%s' > '%s.short'", receipt, receipt));
	ck_assert_int_eq(shell("%s '%s/out/verify_receipt' '%s' '%s.short'", as("nurse"), stage, world_path(world, "authority/trust"), receipt), 1);
}
END_TEST

START_TEST(what_is_refused_and_what_is_missing_is_said)
{
	ck_assert_int_eq(shell("%s '%s/out/flag_query' 1234", as("nurse"), stage), 1);
	ck_assert_ptr_nonnull(strstr(world_err(world), "refused: "));
	ck_assert_int_eq(shell("%s '%s/out/publish' 383 %s 2016-06-01 EXAMPLE ALEX 2026-01-01 '01632 960000'", as("nurse"), stage, known), 1);
	ck_assert_ptr_nonnull(strstr(world_err(world), "refused: "));
	ck_assert_int_eq(shell("%s CPIS_STAFF_KEY=/nowhere '%s/out/flag_query' %s", as("nurse"), stage, known), 1);
	ck_assert_int_eq(shell("LD_LIBRARY_PATH='%s/usr/lib' '%s/out/flag_query' %s", stage, stage, known), 2);
	ck_assert_ptr_nonnull(strstr(world_err(world), "is not set"));
}
END_TEST

START_TEST(the_event_loop_answers_as_questions_come)
{
	must(shell("for n in %s %s %s 1234; do echo $n; done | %s '%s/out/event_loop'", known, other, known, as("nurse"), stage));
	ck_assert_str_eq(world_out(world), "known\nnot known\nknown\nrefused: nhs_number\n");
}
END_TEST

START_TEST(the_inbox_worker_takes_an_item_and_ends_when_it_is_told_to)
{
	struct cpis_client *nurse = world_sign_in(world, "nurse");
	cpis_reply_free(world_details(nurse, known, EMERGENCY, CPIS__V1__ACCESS_TYPE__UNSCHEDULED));
	cpis_close(nurse);
	must(shell("exec 3< <(%s exec '%s/out/inbox_worker'); pid=$!; read -r line <&3; echo \"$line\"; kill -TERM $pid; wait $pid", as("leeds"),
		   stage));
	ck_assert_int_eq(strncmp(world_out(world), "item ", 5), 0);
	struct cpis_client *leeds = world_sign_in(world, "leeds");
	const Cpis__V1__Reply *reply = world_inbox(leeds, 0, false);
	ck_assert_uint_eq(reply->inbox_list->unacknowledged, 0);
	cpis_reply_free(reply);
	cpis_close(leeds);
}
END_TEST

int main(void)
{
	if (install_and_build() != 0)
		return 1;
	Suite *suite = suite_create("examples");
	TCase *tests = tcase_create("examples");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, they_are_linked_with_the_shared_library);
	tcase_add_test(tests, a_program_can_be_linked_with_the_archive_too);
	tcase_add_test(tests, a_cplusplus_program_can_use_the_header);
	tcase_add_test(tests, a_question_is_asked_and_its_receipt_verified_without_a_broker);
	tcase_add_test(tests, what_is_refused_and_what_is_missing_is_said);
	tcase_add_test(tests, the_event_loop_answers_as_questions_come);
	tcase_add_test(tests, the_inbox_worker_takes_an_item_and_ends_when_it_is_told_to);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
