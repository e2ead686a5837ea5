// Frames between two processes: whole, in order, and nothing but frames.
#include "broker/front_link.h"

#include <check.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct front_link *left, *right;
static int raw; // the left one's descriptor, to write what is no frame

static void set_up(void)
{
	int ends[2];
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	raw = dup(ends[0]);
	left = front_link_new(ends[0]);
	right = front_link_new(ends[1]);
	ck_assert_ptr_nonnull(left);
	ck_assert_ptr_nonnull(right);
}

static void tear_down(void)
{
	close(raw);
	front_link_free(left);
	front_link_free(right);
	front_link_free(NULL);
}

static bool put(const void *data, size_t bytes)
{
	return front_link_put(left, FRONT_FRAME_REPLY, &(struct front_part){data, bytes}, 1);
}

START_TEST(frames_come_whole_and_in_order)
{
	struct front_frame frame;
	const struct front_part parts[] = {{"ab", 2}, {"", 0}, {"cde", 3}};
	ck_assert(front_link_put(left, FRONT_FRAME_REQUEST, parts, 3));
	ck_assert(front_link_put(left, FRONT_FRAME_PING, NULL, 0));
	ck_assert(front_link_has_unsent(left));
	ck_assert(front_link_flush(left));
	ck_assert(!front_link_has_unsent(left));
	ck_assert(front_link_fill(right));
	ck_assert_int_eq(front_link_next(right, &frame), FRONT_LINK_FRAME);
	ck_assert_int_eq(frame.type, FRONT_FRAME_REQUEST);
	ck_assert_uint_eq(frame.bytes, 5);
	ck_assert_mem_eq(frame.data, "abcde", 5);
	ck_assert_int_eq(front_link_next(right, &frame), FRONT_LINK_FRAME);
	ck_assert_int_eq(frame.type, FRONT_FRAME_PING);
	ck_assert_uint_eq(frame.bytes, 0);
	ck_assert_int_eq(front_link_next(right, &frame), FRONT_LINK_NOTHING);
	ck_assert(front_link_fill(right));
	ck_assert_int_eq(front_link_next(right, &frame), FRONT_LINK_NOTHING);
}
END_TEST

// Far more than the kernel takes at once: both go on in pieces, and the longest frame fits.
START_TEST(what_does_not_fit_goes_in_pieces)
{
	uint8_t *data = malloc(FRONT_LINK_FRAME_BYTES_MAX);
	struct front_frame frame;
	ck_assert_ptr_nonnull(data);
	for (unsigned i = 0; i < 20; i++) {
		memset(data, (int)i, FRONT_LINK_FRAME_BYTES_MAX);
		ck_assert(put(data, FRONT_LINK_FRAME_BYTES_MAX));
	}
	for (unsigned i = 0; i < 20;) {
		ck_assert(front_link_flush(left));
		ck_assert(front_link_fill(right));
		while (front_link_next(right, &frame) == FRONT_LINK_FRAME) {
			ck_assert_uint_eq(frame.bytes, FRONT_LINK_FRAME_BYTES_MAX);
			ck_assert_uint_eq(frame.data[0], i);
			ck_assert_uint_eq(frame.data[frame.bytes - 1], i);
			i++;
		}
	}
	ck_assert(!front_link_has_unsent(left));
	free(data);
}
END_TEST

START_TEST(a_frame_that_is_too_long_and_an_end_that_takes_nothing_are_refused)
{
	uint8_t *data = calloc(1, FRONT_LINK_FRAME_BYTES_MAX + 1);
	unsigned put_in = 0;
	ck_assert(!put(data, FRONT_LINK_FRAME_BYTES_MAX + 1));
	while (put(data, FRONT_LINK_FRAME_BYTES_MAX))
		ck_assert_uint_le(++put_in, FRONT_LINK_UNSENT_BYTES_MAX / FRONT_LINK_FRAME_BYTES_MAX);
	ck_assert_uint_ge(put_in, FRONT_LINK_UNSENT_BYTES_MAX / FRONT_LINK_FRAME_BYTES_MAX - 1);
	free(data);
}
END_TEST

static void write_raw(uint32_t bytes, uint32_t type)
{
	const uint32_t head[] = {bytes, type};
	ck_assert_int_eq(write(raw, head, sizeof head), sizeof head);
	ck_assert(front_link_fill(right));
}

START_TEST(what_is_no_frame_is_seen)
{
	static const struct {
		uint32_t bytes, type;
	} bad[] = {{FRONT_LINK_FRAME_BYTES_MAX + 1, FRONT_FRAME_PING}, {UINT32_MAX, FRONT_FRAME_PING}, {0, 0}, {0, FRONT_FRAME_TYPES}};
	struct front_frame frame;
	write_raw(bad[_i].bytes, bad[_i].type);
	ck_assert_int_eq(front_link_next(right, &frame), FRONT_LINK_BROKEN);
	ck_assert_int_eq(front_link_next(right, &frame), FRONT_LINK_BROKEN);
}
END_TEST

START_TEST(what_was_sent_before_the_end_is_still_given_out)
{
	struct front_frame frame;
	ck_assert(put("last", 4));
	ck_assert(front_link_flush(left));
	close(raw);
	raw = -1;
	front_link_free(left);
	left = NULL;
	ck_assert(front_link_fill(right));
	ck_assert_int_eq(front_link_next(right, &frame), FRONT_LINK_FRAME);
	ck_assert_int_eq(front_link_next(right, &frame), FRONT_LINK_NOTHING);
	ck_assert(!front_link_fill(right));
	ck_assert(!front_link_fill(right));
	ck_assert(front_link_put(right, FRONT_FRAME_PONG, NULL, 0));
	ck_assert(!front_link_flush(right));
}
END_TEST

START_TEST(half_a_frame_at_the_end_is_none)
{
	struct front_frame frame;
	write_raw(100, FRONT_FRAME_REPLY);
	close(raw);
	raw = -1;
	front_link_free(left);
	left = NULL;
	while (front_link_fill(right))
		ck_assert_int_eq(front_link_next(right, &frame), FRONT_LINK_NOTHING);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("front_link");
	TCase *tests = tcase_create("front_link");
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, frames_come_whole_and_in_order);
	tcase_add_test(tests, what_does_not_fit_goes_in_pieces);
	tcase_add_test(tests, a_frame_that_is_too_long_and_an_end_that_takes_nothing_are_refused);
	tcase_add_loop_test(tests, what_is_no_frame_is_seen, 0, 4);
	tcase_add_test(tests, what_was_sent_before_the_end_is_still_given_out);
	tcase_add_test(tests, half_a_frame_at_the_end_is_none);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
