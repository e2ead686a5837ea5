// The operator's log, read back through a pipe in the place of standard error.
#include "broker/log.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <regex.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker/clock.h"
#include "broker/limits.h"
#include "proto/date.h"

#define WAIT_MS 5000
#define THREADS 4
#define LINES_PER_THREAD 25

static int reading, standard_error;
static char text[2 * THREADS * LINES_PER_THREAD * 100];
static size_t text_bytes;

static void start(void)
{
	int ends[2];
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	standard_error = dup(STDERR_FILENO);
	ck_assert_int_ge(standard_error, 0);
	ck_assert_int_ge(dup2(ends[1], STDERR_FILENO), 0);
	close(ends[1]);
	reading = ends[0];
	text_bytes = 0;
}

static void stop(void)
{
	dup2(standard_error, STDERR_FILENO);
	close(standard_error);
	close(reading);
}

// All that was written so far: whoever wrote it has returned, so it is in the pipe.
static const char *read_log(void)
{
	struct pollfd readable = {.fd = reading, .events = POLLIN};
	ck_assert_int_eq(poll(&readable, 1, WAIT_MS), 1);
	while (poll(&readable, 1, 0) == 1 && (readable.revents & POLLIN) != 0) {
		ssize_t got = read(reading, text + text_bytes, sizeof text - 1 - text_bytes);
		ck_assert_int_gt(got, 0);
		text_bytes += (size_t)got;
	}
	text[text_bytes] = '\0';
	return text;
}

static bool matches(const char *subject, const char *pattern)
{
	regex_t expression;
	ck_assert_int_eq(regcomp(&expression, pattern, REG_EXTENDED | REG_NOSUB), 0);
	bool matched = regexec(&expression, subject, 0, NULL, 0) == 0;
	regfree(&expression);
	return matched;
}

#define WHEN "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z "

START_TEST(writes_time_level_event_and_text_on_one_line)
{
	log_event(LOG_EVENT_ENROLLED_REFUSED, "line %d: %s", 7, "no such role");
	const char *line = read_log();
	ck_assert_msg(matches(line, WHEN "warning enrolled_refused line 7: no such role\n$"), "%s", line);
}
END_TEST

START_TEST(has_a_word_for_each_level)
{
	log_event(LOG_EVENT_STORE_FAILED, "x");
	log_event(LOG_EVENT_TURNED_AWAY, "x");
	log_event(LOG_EVENT_READY, "x");
	const char *first = read_log();
	char *second = strchr(first, '\n') + 1, *third = strchr(second, '\n') + 1;
	ck_assert_msg(matches(first, WHEN "error store_failed x\n"), "%s", first);
	ck_assert_msg(matches(second, WHEN "warning turned_away x\n"), "%s", second);
	ck_assert_msg(matches(third, WHEN "info ready x\n$"), "%s", third);
}
END_TEST

START_TEST(stamps_lines_with_the_time_they_were_written_at)
{
	uint64_t before = clock_now_ms(), stamped = 0;
	log_event(LOG_EVENT_READY, "x");
	uint64_t after = clock_now_ms();
	ck_assert(instant_parse(read_log(), 24, &stamped));
	ck_assert_uint_ge(stamped, before);
	ck_assert_uint_le(stamped, after);
}
END_TEST

START_TEST(does_not_let_a_text_end_the_line_or_drive_a_terminal)
{
	log_event(LOG_EVENT_READY, "%s", "a\nb\rc\td\x1b[2J\x7f\x01 e\n");
	const char *line = read_log();
	ck_assert_msg(matches(line, WHEN "info ready a\\?b\\?c\\?d\\?\\[2J\\?\\? e\\?\n$"), "%s", line);
}
END_TEST

START_TEST(leaves_text_in_utf_8_as_it_is)
{
	log_event(LOG_EVENT_READY, "%s", "Ysbyty M\xc3\xb4n");
	ck_assert_ptr_nonnull(strstr(read_log(), "Ysbyty M\xc3\xb4n\n"));
}
END_TEST

START_TEST(cuts_a_long_text_and_still_ends_the_line)
{
	char large[2 * LOG_LINE_BYTES_MAX];
	memset(large, 'x', sizeof large);
	large[sizeof large - 1] = '\0';
	log_event(LOG_EVENT_STORE_FAILED, "%s", large);
	const char *line = read_log();
	ck_assert_uint_eq(text_bytes, strlen(line)); // no NUL
	ck_assert_uint_le(text_bytes, LOG_LINE_BYTES_MAX);
	ck_assert_uint_gt(text_bytes, LOG_LINE_BYTES_MAX / 2);
	ck_assert_ptr_eq(strchr(line, '\n'), line + text_bytes - 1);
	ck_assert(matches(line, WHEN "error store_failed x+\n$"));
}
END_TEST

START_TEST(writes_a_text_of_every_length_whole_up_to_the_cut)
{
	char wanted[LOG_LINE_BYTES_MAX];
	memset(wanted, 'y', sizeof wanted);
	for (size_t bytes = 960; bytes < 1010; bytes++) {
		wanted[bytes] = '\0';
		text_bytes = 0;
		log_event(LOG_EVENT_READY, "%s", wanted);
		const char *line = read_log();
		size_t head = strlen("2026-11-23T03:00:00.000Z info ready ");
		size_t expected = head + bytes + 1 < LOG_LINE_BYTES_MAX ? head + bytes + 1 : LOG_LINE_BYTES_MAX;
		ck_assert_uint_eq(strlen(line), expected);
		ck_assert_int_eq(line[expected - 1], '\n');
		wanted[bytes] = 'y';
	}
}
END_TEST

START_TEST(writes_an_event_without_text)
{
	log_event(LOG_EVENT_STOPPED, "%s", "");
	ck_assert(matches(read_log(), WHEN "info stopped ?\n$"));
}
END_TEST

START_TEST(keeps_errno_and_goes_on_when_the_log_cannot_be_written)
{
	close(STDERR_FILENO);
	errno = ENOENT;
	log_event(LOG_EVENT_STORE_FAILED, "x");
	ck_assert_int_eq(errno, ENOENT);
	int full = open("/dev/full", O_WRONLY);
	ck_assert_int_ge(dup2(full, STDERR_FILENO), 0);
	log_event(LOG_EVENT_STORE_FAILED, "x");
	ck_assert_int_eq(errno, ENOENT);
	if (full != STDERR_FILENO)
		close(full);
}
END_TEST

START_TEST(says_what_recurs_once_and_once_that_it_is_over)
{
	for (int i = 0; i < 1000; i++)
		log_trouble(LOG_EVENT_STORE_FAILED, "commit: %s", "disk full");
	log_trouble(LOG_EVENT_COMMIT_FAILED, "commit: disk full");
	log_mended();
	log_mended();
	const char *log = read_log();
	ck_assert_msg(matches(log, WHEN "error store_failed commit: disk full\n[^\n]* error commit_failed commit: disk full\n"
				   "[^\n]* info mended requests are recorded and answered again, after [01] s\n$"),
		      "%s", log);
}
END_TEST

// Where there is a journal, it would be its records.
START_TEST(does_not_wait_for_a_journal_that_hangs)
{
	int ends[2];
	char stream[64], bytes[512];
	struct stat status;
	if (access("/run/systemd/journal/socket", F_OK) == 0)
		return;
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	ck_assert_int_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	ck_assert_int_eq(fstat(STDERR_FILENO, &status), 0);
	snprintf(stream, sizeof stream, "%llu:%llu", (unsigned long long)status.st_dev, (unsigned long long)status.st_ino);
	ck_assert_int_eq(setenv("JOURNAL_STREAM", stream, 1), 0);
	log_open("core");
	uint64_t before = log_count(LOG_EVENT_TURNED_AWAY);
	for (int i = 0; i < 10000; i++)
		log_event(LOG_EVENT_TURNED_AWAY, "%0400d", i);
	ck_assert_uint_eq(log_count(LOG_EVENT_TURNED_AWAY), before + 10000);
	// What it took, it has by its priority.
	ssize_t got = read(ends[0], bytes, sizeof bytes - 1);
	ck_assert_int_gt(got, 0);
	bytes[got] = '\0';
	ck_assert(strncmp(bytes, "<4>", 3) == 0);
	ck_assert_msg(matches(bytes + 3, WHEN "warning turned_away 0000"), "%s", bytes);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

static void *write_lines(void *context)
{
	for (int i = 0; i < LINES_PER_THREAD; i++)
		log_event(LOG_EVENT_READY, "%c%032d%c", *(const char *)context, i, *(const char *)context);
	return NULL;
}

START_TEST(never_mixes_the_lines_of_two_threads)
{
	static const char names[THREADS] = {'a', 'b', 'c', 'd'};
	pthread_t threads[THREADS];
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, write_lines, (void *)(uintptr_t)&names[i]), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	int lines = 0;
	char *rest = NULL;
	read_log();
	for (char *line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest), lines++)
		ck_assert_msg(matches(line, WHEN "info ready (a0[0-9]{31}a|b0[0-9]{31}b|c0[0-9]{31}c|d0[0-9]{31}d)$"), "%s",
			      line);
	ck_assert_int_eq(lines, THREADS * LINES_PER_THREAD);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("log");
	TCase *tests = tcase_create("log");
	tcase_add_checked_fixture(tests, start, stop);
	tcase_add_test(tests, says_what_recurs_once_and_once_that_it_is_over);
	tcase_add_test(tests, writes_time_level_event_and_text_on_one_line);
	tcase_add_test(tests, has_a_word_for_each_level);
	tcase_add_test(tests, stamps_lines_with_the_time_they_were_written_at);
	tcase_add_test(tests, does_not_let_a_text_end_the_line_or_drive_a_terminal);
	tcase_add_test(tests, leaves_text_in_utf_8_as_it_is);
	tcase_add_test(tests, cuts_a_long_text_and_still_ends_the_line);
	tcase_add_test(tests, writes_a_text_of_every_length_whole_up_to_the_cut);
	tcase_add_test(tests, writes_an_event_without_text);
	tcase_add_test(tests, keeps_errno_and_goes_on_when_the_log_cannot_be_written);
	tcase_add_test(tests, does_not_wait_for_a_journal_that_hangs);
	tcase_add_test(tests, never_mixes_the_lines_of_two_threads);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
