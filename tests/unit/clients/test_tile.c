// Names and form of an export's files, by the examples of c2sp.org/tlog-tiles.
#include "clients/cli/tile.h"

#include <stdlib.h>
#include <string.h>

#include <check.h>

static void assert_path(struct tile_name name, const char *wanted)
{
	char path[PATH_MAX];
	ck_assert(tile_path("d", &name, path));
	ck_assert_str_eq(path, wanted);
}

START_TEST(names_are_those_of_the_specification)
{
	assert_path((struct tile_name){TILE_HASHES, 0, 1234067, 256}, "d/tile/0/x001/x234/067");
	assert_path((struct tile_name){TILE_HASHES, 63, 0, 1}, "d/tile/63/000.p/1");
	assert_path((struct tile_name){TILE_ENTRIES, 0, 999, 255}, "d/tile/entries/999.p/255");
	assert_path((struct tile_name){TILE_ENTRIES, 0, 1000, 256}, "d/tile/entries/x001/000");
	assert_path((struct tile_name){TILE_RECORDS, 0, 1000000, 256}, "d/record/x001/x000/000");
	assert_path((struct tile_name){TILE_HASHES, 0, UINT64_MAX, 256}, "d/tile/0/x018/x446/x744/x073/x709/x551/615");
}
END_TEST

START_TEST(a_directory_whose_name_is_too_long_is_refused)
{
	static char directory[PATH_MAX];
	char path[PATH_MAX];
	memset(directory, 'd', sizeof directory - 1);
	ck_assert(!tile_path(directory, &(struct tile_name){TILE_HASHES, 0, 0, 256}, path));
}
END_TEST

// "A tree of size 70,000 will be represented by 273 full level 0 tiles, one partial level 0 tile of width 112, one full level 1
// tile, one partial level 1 tile of width 17, and one partial level 2 tile of width 1."
START_TEST(widths_are_those_of_the_specification)
{
	static const struct {
		uint64_t size;
		unsigned level;
		uint64_t number;
		unsigned width;
	} known[] = {
		{70000, 0, 0, 256}, {70000, 0, 272, 256}, {70000, 0, 273, 112}, {70000, 0, 274, 0}, {70000, 1, 0, 256},
		{70000, 1, 1, 17},  {70000, 1, 2, 0},	  {70000, 2, 0, 1},	{70000, 3, 0, 0},   {256, 0, 0, 256},
		{256, 1, 0, 1},	    {256, 0, 1, 0},	  {0, 0, 0, 0},		{255, 1, 0, 0},
	};
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		ck_assert_uint_eq(tile_width(known[i].size, known[i].level, known[i].number), known[i].width);
}
END_TEST

START_TEST(items_come_out_as_they_went_in_and_no_others)
{
	static uint8_t bytes[2 * TILE_ITEM_BYTES_MAX], item[TILE_ITEM_BYTES_MAX];
	memset(item, 7, sizeof item);
	uint8_t *end = tile_put_item(tile_put_item(tile_put_item(bytes, "ab", 2), "", 0), item, sizeof item);
	size_t whole = (size_t)(end - bytes);
	ck_assert_uint_eq(whole, 2 + 2 + 2 + 0 + 2 + sizeof item);
	struct log_bytes left = {bytes, whole}, got;
	ck_assert(tile_take_item(&left, &got) && got.bytes == 2 && memcmp(got.data, "ab", 2) == 0);
	ck_assert(tile_take_item(&left, &got) && got.bytes == 0);
	ck_assert(tile_take_item(&left, &got) && got.bytes == sizeof item && memcmp(got.data, item, sizeof item) == 0);
	ck_assert_uint_eq(left.bytes, 0);
	ck_assert(!tile_take_item(&left, &got));
	for (size_t cut = 0; cut < 4; cut++) {
		left = (struct log_bytes){bytes, cut};
		ck_assert(!tile_take_item(&left, &got));
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tile");
	TCase *tests = tcase_create("tile");
	tcase_add_test(tests, names_are_those_of_the_specification);
	tcase_add_test(tests, a_directory_whose_name_is_too_long_is_refused);
	tcase_add_test(tests, widths_are_those_of_the_specification);
	tcase_add_test(tests, items_come_out_as_they_went_in_and_no_others);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
