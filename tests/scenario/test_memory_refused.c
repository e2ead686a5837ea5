// Memory is refused at the n-th allocation inside the core, SQLite's, OpenSSL's and protobuf-c's among them, for every n until a
// request passes: nobody is answered without a record, no child that is known is said to be unknown, nothing crashes, and the same
// request succeeds afterwards.
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/harness/drill_row.h"
#include "tests/harness/stage.h"

#define PACE_MS 2000u // between requests: nobody asks too often

// ------------------------------------------------------------------ the allocator

// The real one: a sanitizer's own, or the C library's.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define REAL(name) __interceptor_##name
#else
#define REAL(name) __libc_##name
#endif
extern void *REAL(malloc)(size_t bytes);
extern void *REAL(calloc)(size_t count, size_t bytes);
extern void *REAL(realloc)(void *block, size_t bytes);

// Of this thread alone: the store's own thread has its memory.
static _Thread_local bool inside;
static _Thread_local unsigned long allocations, refuse_at; // 0: none is refused
static _Thread_local bool and_after, refused; // and_after: from that one on all are

// Programs allocate before ThreadSanitizer has begun: what it puts into a function would find nothing of its own.
#define FROM_THE_FIRST __attribute__((no_sanitize("thread")))

FROM_THE_FIRST static bool refuse(void)
{
	if (!inside || refuse_at == 0 || ++allocations < refuse_at || (allocations > refuse_at && !and_after))
		return false;
	refused = true;
	errno = ENOMEM;
	return true;
}

FROM_THE_FIRST void *malloc(size_t bytes)
{
	return refuse() ? NULL : REAL(malloc)(bytes);
}

FROM_THE_FIRST void *calloc(size_t count, size_t bytes)
{
	return refuse() ? NULL : REAL(calloc)(count, bytes);
}

FROM_THE_FIRST void *realloc(void *block, size_t bytes)
{
	return refuse() ? NULL : REAL(realloc)(block, bytes);
}

static void note_core(bool is_inside)
{
	inside = is_inside;
}

static void refuse_from_now(unsigned long n)
{
	allocations = 0;
	refuse_at = n;
	refused = false;
}

// ------------------------------------------------------------------ the scenery

static struct stage *stage;
static struct drill_row row;
static int real_stderr;
static char log_path[128];

static void raise_curtain(void)
{
	stage = stage_new();
	stage->around_core = note_core;
	stage_sign_in(stage, NURSE);
	stage_sign_in(stage, LEEDS_WORKER);
	stage_publish(stage, LEEDS_WORKER, stage_child(0), CPIS__V1__PLAN_TYPE__CPP, "2026-02-03", NULL, NULL);
	// What the operator reads.
	fflush(NULL);
	snprintf(log_path, sizeof log_path, "%s/log", stage->directory);
	int file = open(log_path, O_CREAT | O_RDWR | O_APPEND | O_CLOEXEC, 0600);
	real_stderr = dup(STDERR_FILENO);
	ck_assert(file >= 0 && real_stderr >= 0 && dup2(file, STDERR_FILENO) >= 0);
	close(file);
}

static void drop_curtain(void)
{
	static char log[1 << 20];
	fflush(NULL);
	dup2(real_stderr, STDERR_FILENO);
	close(real_stderr);
	int file = open(log_path, O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(file, 0);
	ssize_t bytes = read(file, log, sizeof log - 1);
	ck_assert_int_ge(bytes, 0);
	log[bytes] = '\0';
	close(file);
	drill_row_add_log(&row, log, stage->directory);
	stage_free(stage);
	printf("%s: peer: %s\n  operator: %s\n  recovery: %s\n  lost: %s\n", row.made, row.peer, row.operator, row.recovery, row.lost);
	drill_row_write(&row);
}

// ------------------------------------------------------------------ the requests

typedef const struct stage_reply *ask_once(void);

static const struct stage_reply *look_for_flag(void)
{
	return stage_flag(stage, NURSE, stage_child(0));
}

static const struct stage_reply *open_details(void)
{
	return stage_details(stage, NURSE, stage_child(0));
}

// By a core that has seen nobody yet.
static const struct stage_reply *open_details_after_a_start(void)
{
	stage_restart(stage);
	return open_details();
}

static const struct stage_reply *publish(void)
{
	struct stage_file file;
	// What follows from the one before.
	ck_assert(stage_tick(stage));
	stage_file_init(&file, LEEDS_WORKER, 3);
	return stage_ask_as(stage, LEEDS_WORKER, &file.request);
}

static const struct stage_reply *open_session(void)
{
	struct stage_statement statement = stage_statement(stage, NURSE);
	return stage_present(stage, &statement);
}

static const struct stage_reply *read_inbox(void)
{
	return stage_inbox(stage, LEEDS_WORKER);
}

// What an answer says must be true.
static void check_answer(const struct stage_reply *got)
{
	const Cpis__V1__Reply *reply = got->reply;
	ck_assert_ptr_nonnull(reply->receipt);
	if (reply->body_case == CPIS__V1__REPLY__BODY_FLAG)
		ck_assert(reply->flag->flag);
	if (reply->body_case == CPIS__V1__REPLY__BODY_DETAILS)
		ck_assert_uint_eq(reply->details->n_plans, 1);
	if (reply->body_case == CPIS__V1__REPLY__BODY_PUBLISH)
		ck_assert_uint_eq(reply->publish->stored, 3);
}

// One allocation after the other is refused, or from one on all of them, until the request passes.
static void rehearse_each(unsigned place, const char *what, ask_once *ask, unsigned long step)
{
	unsigned answered = 0, unavailable = 0, refusals = 0;
	uint64_t durable = stage_log_size(stage);
	unsigned long n = 1 - step;
	row = (struct drill_row){.place = place};
	drill_row_add(row.fault, "memory refused");
	do {
		stage->now_ms += PACE_MS;
		n += step;
		refuse_from_now(n);
		const struct stage_reply *got = ask();
		bool was_refused = refused;
		refuse_from_now(0);
		if (got->reply->receipt == NULL) {
			stage_expect(got, SERVICE_UNAVAILABLE, "store_unavailable");
			unavailable++;
		} else if (got->reply->outcome == CPIS__V1__OUTCOME__INTERNAL_SERVER_ERROR ||
			   strcmp(got->reply->reason_code, "person_rate") == 0 || strcmp(got->reply->reason_code, "system_rate") == 0) {
			// A refusal that could be recorded. Who cannot be counted is told to come again in a minute.
			refusals++;
			durable++;
		} else {
			ck_assert_msg(got->reply->outcome == CPIS__V1__OUTCOME__OK, "allocation %lu: %s %s", n,
				      wire_outcome_name(got->reply->outcome), got->reply->reason_code);
			check_answer(got);
			answered++;
			durable++;
		}
		ck_assert_uint_eq(stage_log_size(stage), durable);
		if (!was_refused)
			break;
	} while (true);
	const struct stage_reply *after = ask();
	stage_expect_ok(after);
	check_answer(after);
	ck_assert(stage_log_verifies(stage));
	drill_row_add(row.made, and_after ? "%s, with all allocations refused from each of its %lu on" :
					    "%s, with each of its %lu allocations refused in turn", what, n - 1);
	drill_row_add(row.peer, "%u times SERVICE_UNAVAILABLE store_unavailable", unavailable);
	if (refusals > 0)
		drill_row_add(row.peer, "%u times another refusal, recorded", refusals);
	drill_row_add(row.peer, "%u times answered all the same", answered - 1);
	drill_row_add(row.recovery, "by itself, with the next request");
	drill_row_add(row.lost, "nothing: each answer's record is in the log, log verifies");
}

static void rehearse(unsigned place, const char *what, ask_once *ask)
{
	rehearse_each(place, what, ask, 1);
}

// Checking a certificate takes some 1,500: when no table is made, every fifth of them.
static void rehearse_some(unsigned place, const char *what, ask_once *ask)
{
	rehearse_each(place, what, ask, drill_row_wanted() ? 1 : 5);
}

START_TEST(a_flag_query_without_memory_is_not_answered_wrongly)
{
	rehearse(50, "a flag query", look_for_flag);
}
END_TEST

START_TEST(a_look_at_details_without_memory_is_not_answered_wrongly)
{
	rehearse(51, "a look at details", open_details);
}
END_TEST

START_TEST(a_first_look_without_memory_is_not_answered_wrongly)
{
	rehearse(52, "a first look after a start", open_details_after_a_start);
}
END_TEST

START_TEST(a_look_whose_memory_ends_is_not_answered_wrongly)
{
	and_after = true;
	rehearse(56, "a look at details", open_details);
}
END_TEST

START_TEST(a_publication_whose_memory_ends_is_stored_whole_or_not_at_all)
{
	and_after = true;
	rehearse(57, "a publication", publish);
}
END_TEST

START_TEST(a_session_whose_memory_ends_is_opened_or_not)
{
	and_after = true;
	rehearse_some(58, "a session's opening", open_session);
}
END_TEST

START_TEST(a_publication_without_memory_is_stored_whole_or_not_at_all)
{
	rehearse(53, "a publication", publish);
}
END_TEST

START_TEST(a_session_without_memory_is_opened_or_not)
{
	rehearse_some(54, "a session's opening", open_session);
}
END_TEST

START_TEST(an_inbox_without_memory_is_read_whole_or_not_at_all)
{
	rehearse(55, "an inbox", read_inbox);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("memory_refused");
	TCase *tests = tcase_create("memory");
	tcase_set_timeout(tests, 180);
	tcase_add_checked_fixture(tests, raise_curtain, drop_curtain);
	tcase_add_test(tests, a_flag_query_without_memory_is_not_answered_wrongly);
	tcase_add_test(tests, a_look_at_details_without_memory_is_not_answered_wrongly);
	tcase_add_test(tests, a_first_look_without_memory_is_not_answered_wrongly);
	tcase_add_test(tests, a_publication_without_memory_is_stored_whole_or_not_at_all);
	tcase_add_test(tests, a_session_without_memory_is_opened_or_not);
	tcase_add_test(tests, a_look_whose_memory_ends_is_not_answered_wrongly);
	tcase_add_test(tests, a_publication_whose_memory_ends_is_stored_whole_or_not_at_all);
	tcase_add_test(tests, a_session_whose_memory_ends_is_opened_or_not);
	tcase_add_test(tests, an_inbox_without_memory_is_read_whole_or_not_at_all);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
