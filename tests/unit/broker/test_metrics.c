// Metrics between two processes and as text, and where they may be served.
#include "broker/metrics_text.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <check.h>

#include "broker/metrics_address.h"
#include "broker/metrics_board.h"

#define NOON UINT64_C(1795780801123)
#define TURNS 20000u

static struct metrics metrics;
static char text[65536];

static const char *shown(const struct metrics *which, bool alive)
{
	FILE *out = fmemopen(text, sizeof text, "w");
	metrics_text_write(which, alive, out);
	fclose(out);
	return text;
}

static bool has_line(const char *line)
{
	size_t length = strlen(line);
	for (const char *at = text; (at = strstr(at, line)) != NULL; at++)
		if ((at == text || at[-1] == '\n') && at[length] == '\n')
			return true;
	return false;
}

// ------------------------------------------------------------------ addresses

START_TEST(loopback_addresses_are_read_and_written_back)
{
	static const char *const good[] = {"127.0.0.1:9420", "127.8.9.10:1", "127.0.0.1:65535", "[::1]:9420"};
	struct metrics_address address;
	char out[METRICS_ADDRESS_BYTES];
	for (unsigned i = 0; i < sizeof good / sizeof good[0]; i++) {
		ck_assert_msg(metrics_address_parse(good[i], &address), "%s", good[i]);
		metrics_address_format(&address, out);
		ck_assert_str_eq(out, good[i]);
	}
	ck_assert(metrics_address_parse("127.0.0.1:*", &address));
	metrics_address_format(&address, out);
	ck_assert_str_eq(out, "127.0.0.1:0");
}
END_TEST

START_TEST(anything_else_is_no_place_for_metrics)
{
	static const char *const bad[] = {"", ":", "9420", "127.0.0.1", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:999999",
					  "127.0.0.1:94x", "127.0.0.1:-1", "127.0.0.1: 9420", "127.1:9420", "0.0.0.0:9420", "128.0.0.1:9420",
					  "192.0.2.1:9420", "localhost:9420", "::1:9420", "[::]:9420", "[::1]", "[::ffff:127.0.0.1]:9420",
					  "tcp://127.0.0.1:9420", "127.0.0.1:9420 ",
					  "127.0.0.1000000000000000000000000000000000000000000000000000000000000000000000000:9420"};
	struct metrics_address address;
	for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++)
		ck_assert_msg(!metrics_address_parse(bad[i], &address), "%s", bad[i]);
}
END_TEST

// ------------------------------------------------------------------ the board

START_TEST(what_the_core_puts_is_what_the_reader_gets)
{
	int fd;
	static struct metrics got;
	struct metrics_board *board = metrics_board_new(SANDBOX_REQUIRED, LOG_FORMAT_JSON, &fd);
	ck_assert_ptr_nonnull(board);
	const struct metrics_board *reader = metrics_board_map(fd);
	ck_assert_ptr_nonnull(reader);
	ck_assert_int_eq(metrics_board_sandbox(reader), SANDBOX_REQUIRED);
	ck_assert_int_eq(metrics_board_log_format(reader), LOG_FORMAT_JSON);
	ck_assert(!metrics_board_get(reader, &got));
	ck_assert_uint_eq(metrics_board_alive_ms(reader), 0);
	metrics_board_alive(board, 77);
	ck_assert_uint_eq(metrics_board_alive_ms(reader), 77);
	metrics.log_size = 42;
	metrics_board_put(board, &metrics);
	ck_assert(metrics_board_get(reader, &got));
	ck_assert_uint_eq(got.log_size, 42);
	metrics_board_free(reader);
	metrics_board_free(board);
	close(fd);
}
END_TEST

START_TEST(whoever_is_handed_the_board_cannot_write_to_it_or_cut_it_short)
{
	int fd;
	struct metrics_board *board = metrics_board_new(SANDBOX_OFF, LOG_FORMAT_TEXT, &fd);
	ck_assert_ptr_nonnull(board);
	ck_assert_ptr_eq(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
	ck_assert_int_lt(ftruncate(fd, 0), 0);
	ck_assert_int_lt(pwrite(fd, "x", 1, 0), 0);
	metrics_board_free(board);
	close(fd);
}
END_TEST

START_TEST(what_is_no_board_is_not_read)
{
	int fd = memfd_create("other", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	ck_assert_ptr_null(metrics_board_map(-1));
	ck_assert_ptr_null(metrics_board_map(fd));
	ck_assert_int_eq(ftruncate(fd, sizeof(struct metrics) + 64), 0);
	ck_assert_ptr_null(metrics_board_map(fd));
	close(fd);
}
END_TEST

// Each picture is of one number throughout: a torn one shows two.
START_TEST(a_reader_beside_a_writer_never_sees_half_a_picture)
{
	int fd;
	struct metrics_board *board = metrics_board_new(SANDBOX_OFF, LOG_FORMAT_TEXT, &fd);
	ck_assert_ptr_nonnull(board);
	pid_t writer = fork();
	if (writer == 0) {
		for (uint64_t i = 1; i <= TURNS; i++) {
			metrics.now_ms = metrics.log_size = metrics.events[LOG_EVENTS - 1] = metrics.operations[5].allowed = i;
			metrics_board_put(board, &metrics);
		}
		_exit(0);
	}
	const struct metrics_board *reader = metrics_board_map(fd);
	static struct metrics got;
	ck_assert_ptr_nonnull(reader);
	while (got.now_ms < TURNS) {
		if (!metrics_board_get(reader, &got))
			continue;
		ck_assert_uint_eq(got.log_size, got.now_ms);
		ck_assert_uint_eq(got.events[LOG_EVENTS - 1], got.now_ms);
		ck_assert_uint_eq(got.operations[5].allowed, got.now_ms);
	}
	ck_assert_int_eq(waitpid(writer, NULL, 0), writer);
	metrics_board_free(reader);
	metrics_board_free(board);
	close(fd);
}
END_TEST

// ------------------------------------------------------------------ text

START_TEST(counts_become_lines_with_their_labels)
{
	metrics = (struct metrics){.broker_name = "b\"1\\", .version = "1", .store = "sqlite", .now_ms = NOON, .started_ms = NOON - 1500};
	metrics.operations[3] = (struct traffic_count){.allowed = 12, .refused = 1};
	metrics.refusals[REASON_BUSY] = 4;
	metrics.handshakes_failed[REASON_HANDSHAKE_SECRET] = 9;
	metrics.events[LOG_EVENT_MENDED] = 2;
	metrics.waiting_ms = NOON;
	metrics.waiting.oldest_ms = NOON - 90000;
	shown(&metrics, true);
	ck_assert(has_line("cpis_build_info{broker=\"b\\\"1\\\\\",version=\"1\",store=\"sqlite\"} 1"));
	ck_assert(has_line("cpis_start_time_seconds 1795780799.623"));
	ck_assert(has_line("cpis_requests_total{operation=\"flag\",decision=\"allowed\"} 12"));
	ck_assert(has_line("cpis_requests_total{operation=\"flag\",decision=\"refused\"} 1"));
	ck_assert(has_line("cpis_refusals_total{reason=\"busy\"} 4"));
	ck_assert(has_line("cpis_refusals_total{reason=\"internal\"} 0"));
	ck_assert(has_line("cpis_handshakes_failed_total{reason=\"handshake_secret\"} 9"));
	ck_assert(has_line("cpis_log_events_total{event=\"mended\",level=\"info\",security=\"no\"} 2"));
	ck_assert(has_line("cpis_inbox_oldest_seconds 90"));
	ck_assert(has_line("cpis_alive 1"));
	ck_assert(has_line("cpis_ready 1"));
}
END_TEST

START_TEST(histograms_add_up)
{
	metrics = (struct metrics){.now_ms = NOON};
	metrics.stages[TRAFFIC_COMMIT].buckets[0] = 2;
	metrics.stages[TRAFFIC_COMMIT].buckets[2] = 3;
	metrics.stages[TRAFFIC_COMMIT].buckets[TRAFFIC_BOUNDS] = 1;
	metrics.stages[TRAFFIC_COMMIT].sum = 7000500;
	metrics.batches.buckets[1] = 5;
	metrics.batches.sum = 10;
	shown(&metrics, true);
	ck_assert(has_line("cpis_stage_seconds_bucket{stage=\"commit\",le=\"5e-05\"} 2"));
	ck_assert(has_line("cpis_stage_seconds_bucket{stage=\"commit\",le=\"0.00025\"} 5"));
	ck_assert(has_line("cpis_stage_seconds_bucket{stage=\"commit\",le=\"5\"} 5"));
	ck_assert(has_line("cpis_stage_seconds_bucket{stage=\"commit\",le=\"+Inf\"} 6"));
	ck_assert(has_line("cpis_stage_seconds_sum{stage=\"commit\"} 7.0005"));
	ck_assert(has_line("cpis_stage_seconds_count{stage=\"commit\"} 6"));
	ck_assert(has_line("cpis_batch_requests_bucket{le=\"1\"} 0"));
	ck_assert(has_line("cpis_batch_requests_bucket{le=\"2\"} 5"));
	ck_assert(has_line("cpis_batch_requests_sum 10"));
}
END_TEST

START_TEST(a_time_that_is_not_known_has_no_line)
{
	metrics = (struct metrics){.now_ms = NOON};
	shown(&metrics, true);
	ck_assert_ptr_null(strstr(text, "\ncpis_log_witnessed_timestamp_seconds "));
	ck_assert_ptr_null(strstr(text, "\ncpis_certificate_not_after_timestamp_seconds{"));
	ck_assert_ptr_null(strstr(text, "\ncpis_inbox_oldest_seconds "));
	metrics.witnessed_ms = NOON;
	shown(&metrics, true);
	ck_assert(has_line("cpis_log_witnessed_timestamp_seconds 1795780801.123"));
}
END_TEST

static bool is_ready(bool alive, const char *wanted)
{
	FILE *out = fmemopen(text, sizeof text, "w");
	bool ready = metrics_text_ready(&metrics, alive, out);
	fclose(out);
	ck_assert_msg(strstr(text, wanted) == text, "%s", text);
	return ready;
}

START_TEST(each_cause_makes_it_not_ready_and_is_named)
{
	static const char *const words[] = {"store: ", "front: ", "draining: ", "unwitnessed: "};
	metrics = (struct metrics){.now_ms = NOON};
	ck_assert(is_ready(true, "ready\n"));
	ck_assert(!is_ready(false, "stalled: "));
	for (unsigned i = 0; i < METRICS_CAUSE_STALLED; i++) {
		metrics.causes = 1u << i;
		ck_assert(!is_ready(true, words[i]));
		shown(&metrics, true);
		ck_assert(has_line("cpis_ready 0"));
		ck_assert(has_line("cpis_alive 1"));
	}
	shown(&metrics, false);
	ck_assert(has_line("cpis_not_ready{cause=\"stalled\"} 1"));
	ck_assert(has_line("cpis_alive 0"));
}
END_TEST

START_TEST(before_the_first_picture_it_is_not_ready_and_nothing_is_counted)
{
	shown(NULL, false);
	ck_assert(has_line("cpis_alive 0"));
	ck_assert(has_line("cpis_ready 0"));
	ck_assert_ptr_null(strstr(text, "cpis_requests_total"));
	FILE *out = fmemopen(text, sizeof text, "w");
	ck_assert(!metrics_text_ready(NULL, true, out));
	fclose(out);
	shown(NULL, true);
	ck_assert(has_line("cpis_ready 0"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("metrics");
	TCase *tests = tcase_create("metrics");
	tcase_add_test(tests, loopback_addresses_are_read_and_written_back);
	tcase_add_test(tests, anything_else_is_no_place_for_metrics);
	tcase_add_test(tests, what_the_core_puts_is_what_the_reader_gets);
	tcase_add_test(tests, whoever_is_handed_the_board_cannot_write_to_it_or_cut_it_short);
	tcase_add_test(tests, what_is_no_board_is_not_read);
	tcase_add_test(tests, a_reader_beside_a_writer_never_sees_half_a_picture);
	tcase_add_test(tests, counts_become_lines_with_their_labels);
	tcase_add_test(tests, histograms_add_up);
	tcase_add_test(tests, a_time_that_is_not_known_has_no_line);
	tcase_add_test(tests, each_cause_makes_it_not_ready_and_is_named);
	tcase_add_test(tests, before_the_first_picture_it_is_not_ready_and_nothing_is_counted);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
