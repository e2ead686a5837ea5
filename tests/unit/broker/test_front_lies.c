// Fronts that lie to the core, or cannot start: this program stands in the front's place.
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/clock.h"
#include "broker/front_frames_priv.h"
#include "broker/front_keeper.h"
#include "tests/unit/broker/real_front.h"

#define LIE "CPIS_TEST_FRONT_LIE"
#define LEFT_FILE "CPIS_TEST_FRONT_LEFT"

enum lie {
	LIE_DIES,
	LIE_SAYS_IT_CANNOT,
	LIE_OTHER_LISTENERS,
	LIE_NO_FRAMES,          // those before cannot be opened, those from here on are given up
	LIE_READY_AGAIN,
	LIE_UNKNOWN_LISTENER,
	LIE_LONG_ROUTING_ID,
	LIE_SHORT_REQUEST,
	LIE_KEY_OR_NOT,
	LIE_OTHER_REASON,
	LIE_NO_ATTEMPT,
	LIE_WORDS_WITHOUT_END,
	LIE_SHORT_ATTEMPT,
	LIE_NOBODY_BUSY,
	LIE_SHORT_PONG,
	LIES,
	NO_LIE_BUT_LONG_TO_END
};

static void say(struct front_link *link, enum front_frame_type type, const void *data, size_t bytes)
{
	if (!front_link_put(link, type, &(struct front_part){data, bytes}, 1) || !front_link_flush(link))
		_exit(1);
}

static void lie_in_frames(struct front_link *link, enum lie lie)
{
	struct front_request_head head = {.from = LISTENER_CURRENT, .routing_id_bytes = 0};
	struct attempt attempt = {.reason = REASON_HANDSHAKE_KEY, .count = 1};
	struct front_ready ready = {{"tcp://127.0.0.1:1"}};
	const struct front_busy busy = {{1}, 0};
	const uint32_t no_frame[] = {7, 77};
	switch (lie) {
	case LIE_NO_FRAMES:
		if (write(front_link_fd(link), no_frame, sizeof no_frame) < 0)
			_exit(1);
		break;
	case LIE_READY_AGAIN:
		say(link, FRONT_FRAME_READY, &ready, sizeof ready);
		break;
	case LIE_UNKNOWN_LISTENER:
		head.from = LISTENERS;
		say(link, FRONT_FRAME_REQUEST, &head, sizeof head);
		break;
	case LIE_LONG_ROUTING_ID:
		head.routing_id_bytes = 1;
		say(link, FRONT_FRAME_REQUEST, &head, sizeof head);
		break;
	case LIE_SHORT_REQUEST:
		say(link, FRONT_FRAME_REQUEST, &head, sizeof head - 1);
		break;
	case LIE_KEY_OR_NOT:
		head.has_key = 2;
		say(link, FRONT_FRAME_REQUEST, &head, sizeof head);
		break;
	case LIE_OTHER_REASON:
		attempt.reason = REASON_STORE;
		say(link, FRONT_FRAME_ATTEMPT, &attempt, sizeof attempt);
		break;
	case LIE_NO_ATTEMPT:
		attempt.count = 0;
		say(link, FRONT_FRAME_ATTEMPT, &attempt, sizeof attempt);
		break;
	case LIE_WORDS_WITHOUT_END:
		memset(attempt.examples, 'a', sizeof attempt.examples);
		say(link, FRONT_FRAME_ATTEMPT, &attempt, sizeof attempt);
		break;
	case LIE_SHORT_ATTEMPT:
		say(link, FRONT_FRAME_ATTEMPT, &attempt, sizeof attempt - 1);
		break;
	case LIE_NOBODY_BUSY:
		say(link, FRONT_FRAME_BUSY, &busy, sizeof busy);
		break;
	default:
		say(link, FRONT_FRAME_PONG, &busy, 1);
		break;
	}
}

// What a front has to do between the closing of its end and its own: much of it here, and then it leaves a file.
static int end_late(struct front_link *link)
{
	struct front_frame frame = {0};
	static uint8_t keys[32u << 20];
	while (frame.type != FRONT_FRAME_CLOSE) {
		enum front_link_next next = front_link_next(link, &frame);
		struct pollfd item = {.fd = front_link_fd(link), .events = POLLIN};
		if (next == FRONT_LINK_BROKEN || (next == FRONT_LINK_NOTHING && (poll(&item, 1, -1) < 0 || !front_link_fill(link))))
			return 1;
	}
	front_link_free(link);
	for (unsigned i = 0; i < 8; i++)
		explicit_bzero(keys, sizeof keys);
	const char *path = getenv(LEFT_FILE);
	FILE *left = path == NULL ? NULL : fopen(path, "we");
	return left != NULL && fclose(left) == 0 ? 0 : 1;
}

// In the front's place.
static int lie_to_core(enum lie lie)
{
	struct front_link *link = front_link_new(FRONT_DESCRIPTOR);
	struct front_ready ready = {{"tcp://127.0.0.1:1"}};
	if (lie == LIE_DIES || link == NULL) {
		front_link_free(link);
		return 9;
	}
	if (lie == LIE_SAYS_IT_CANNOT) {
		say(link, FRONT_FRAME_FAILED, "the moon is full", 16);
		front_link_free(link);
		return 1;
	}
	if (lie == LIE_OTHER_LISTENERS)
		memcpy(ready.endpoints[LISTENER_NEXT], "tcp://127.0.0.1:2", 18);
	say(link, FRONT_FRAME_READY, &ready, sizeof ready);
	if (lie == NO_LIE_BUT_LONG_TO_END)
		return end_late(link);
	if (lie >= LIE_NO_FRAMES)
		lie_in_frames(link, lie);
	// Until the core has had enough of it.
	for (;;)
		pause();
}

static int lie_or_front(void)
{
	const char *lie = getenv(LIE);
	return lie != NULL ? lie_to_core((enum lie)atoi(lie)) : front_process_run();
}

START_TEST(a_front_that_cannot_start_is_told_of)
{
	static const char *const words[] = {"did not start", "the moon is full", "did not start"};
	char number[4];
	snprintf(number, sizeof number, "%d", _i);
	setenv(LIE, number, 1);
	ck_assert(!open_front("tcp://127.0.0.1:*", NULL));
	ck_assert_msg(strstr(detail, words[_i]) != NULL, "%s", detail);
}
END_TEST

START_TEST(a_front_that_lies_is_given_up_and_another_started)
{
	char number[4];
	snprintf(number, sizeof number, "%d", _i);
	setenv(LIE, number, 1);
	ck_assert_msg(open_front("tcp://127.0.0.1:*", NULL), "%s", detail);
	// Each one lies, so each one is given up.
	echo_until_restarts(2);
	struct attempt taken[4];
	// Nothing of it counts.
	ck_assert_uint_eq(attempts_take(attempts, clock_monotonic_ms(), true, 4, taken), 0);
}
END_TEST

START_TEST(a_front_that_has_closed_its_end_is_let_end)
{
	char number[4], left[64];
	snprintf(number, sizeof number, "%d", NO_LIE_BUT_LONG_TO_END);
	snprintf(left, sizeof left, "%s/left", directory);
	setenv(LIE, number, 1);
	setenv(LEFT_FILE, left, 1);
	ck_assert_msg(open_front("tcp://127.0.0.1:*", NULL), "%s", detail);
	front_stop(front);
	ck_assert_int_eq(unlink(left), 0);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("front_lies");
	TCase *tests = tcase_create("tests");
	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_loop_test(tests, a_front_that_cannot_start_is_told_of, 0, LIE_NO_FRAMES);
	tcase_add_loop_test(tests, a_front_that_lies_is_given_up_and_another_started, LIE_NO_FRAMES, LIES);
	tcase_add_test(tests, a_front_that_has_closed_its_end_is_let_end);
	suite_add_tcase(suite, tests);
	return suite;
}

int main(int argc, char **argv)
{
	return run_front_tests(argc, argv, lie_or_front, make_suite);
}
