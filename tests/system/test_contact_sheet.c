// The contact sheet: what is on paper is what was published, read back by a real reader; and an old sheet outlives every failure.
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <check.h>

#include "tests/harness/world.h"

#define LEEDS_NIGHT "0113 496 0000"
#define LEEDS_DAY "0113 496 0100"
#define FILLERS 150u // more than one page of a reply, and of paper

static struct world *world;

// Authorities with an incident team, before the role profiles.
static void fill_the_register(void)
{
	const char *path = world_path(world, "register.yaml");
	char *text = world_read_file(path, NULL), *rest = strstr(text, "role_profiles:"), *with = NULL;
	size_t bytes;
	FILE *file = open_memstream(&with, &bytes);
	ck_assert(rest != NULL && file != NULL);
	fprintf(file, "%.*s", (int)(rest - text), text);
	for (unsigned i = 0; i < FILLERS; i++)
		fprintf(file, "  - {ods: \"F%03u\", name: Sir Ynys M\xc3\xb4n %u, type: local_authority, incident: {telephone: 01632 961%03u}}\n",
			i, i, i);
	fputs(rest, file);
	ck_assert_int_eq(fclose(file), 0);
	world_write_file(path, with);
	free(with);
	free(text);
}

static void setup(void)
{
	world = world_new();
	fill_the_register();
	world_start(world);
}

static void teardown(void)
{
	ck_assert_int_eq(world_stop(world), 0);
	world_free(world);
}

static int sheet(const char *profile, const char *path)
{
	return world_cpis(world, profile, "contacts", "sheet", "--out", path, NULL);
}

static int shell(const char *script, const char *path)
{
	const char *const arguments[] = {"sh", "-c", script, "sh", path, NULL};
	return world_command(world, arguments);
}

// The text of the PDF by poppler; in the order of the page.
static const char *read_aloud(const char *path)
{
	ck_assert_int_eq(shell("pdftotext -layout \"$1\" - | tr -s ' \\n' ' '", path), 0);
	return world_out(world);
}

static const char *directory(void)
{
	const char *path = world_path(world, "sheets");
	mkdir(path, 0755);
	return path;
}

static unsigned files_in(const char *path)
{
	DIR *open = opendir(path);
	unsigned count = 0;
	ck_assert_ptr_nonnull(open);
	for (struct dirent *entry; (entry = readdir(open)) != NULL;)
		count += entry->d_name[0] != '.';
	closedir(open);
	return count;
}

START_TEST(every_contact_is_on_the_sheet)
{
	char expected[100], date[11];
	ck_assert_int_eq(world_cpis(world, "leeds", "contacts", "set", "--emergency-duty", LEEDS_NIGHT, "--office-hours", LEEDS_DAY, NULL), 0);
	world_date(30, 0, date);
	ck_assert_int_eq(world_cpis(world, "leeds", "contacts", "set", "--emergency-duty", "0113 496 0777", "--from", date, NULL), 0);
	directory();
	const char *path = world_path(world, "sheets/contacts.pdf");
	ck_assert_msg(sheet("nurse", path) == 0, "%s", world_err(world));
	const char *text = read_aloud(path);
	ck_assert(strstr(text, "Leeds City Council (383)") != NULL && strstr(text, "any time " LEEDS_NIGHT) != NULL);
	ck_assert(strstr(text, LEEDS_DAY) != NULL && strstr(text, "0113 496 0777") != NULL && strstr(text, date) != NULL);
	ck_assert(strstr(text, "University Hospitals Sussex (RXH)") != NULL && strstr(text, "Incident team 01632 960100") != NULL);
	ck_assert(strstr(text, "Severity 1: on-call director 01632 960101") != NULL);
	// One that has published no number is seen to have none; whom nobody rings is not on it; and no member of staff is.
	ck_assert(strstr(text, "Brighton and Hove City Council (846)") != NULL && strstr(text, "published none") != NULL);
	ck_assert(strstr(text, "South East Coast Ambulance") == NULL && strstr(text, world_person("leeds")->name) == NULL);
	world_date(0, 0, date);
	snprintf(expected, sizeof expected, "Printed %.8s", date);
	ck_assert(strstr(text, expected) != NULL && strstr(text, "NOT a \"no\"") != NULL && strstr(text, WORLD_BROKER_NAME) != NULL);
	for (unsigned i = 0; i < FILLERS; i++) {
		snprintf(expected, sizeof expected, "M\xc3\xb4n %u (F%03u)", i, i);
		ck_assert_msg(strstr(text, expected) != NULL, "%s", expected);
		snprintf(expected, sizeof expected, "Incident team 01632 961%03u", i);
		ck_assert_msg(strstr(text, expected) != NULL, "%s", expected);
	}
	ck_assert_int_eq(shell("pdfinfo \"$1\"", path), 0);
	ck_assert(strstr(world_out(world), "(A4)") != NULL && strstr(world_out(world), "Title:           Whom to ring") != NULL);
	ck_assert_uint_eq(files_in(directory()), 1);
	// Authorities print it, too; a receptionist has no business with it.
	ck_assert_int_eq(sheet("leeds_duty", path), 0);
	ck_assert_int_eq(sheet("receptionist", path), 3);
}
END_TEST

START_TEST(a_failure_leaves_the_old_sheet)
{
	directory();
	const char *path = world_path(world, "sheets/contacts.pdf");
	size_t bytes, bytes_after;
	ck_assert_int_eq(sheet("nurse", path), 0);
	char *before = world_read_file(path, &bytes);
	// Refused; no broker; a full disk; no program to draw it; nowhere to write; something that is in the way.
	ck_assert_int_eq(sheet("receptionist", path), 3);
	const char *json = world_path(world, "sheet.json");
	ck_assert_int_eq(world_cpis(world, "nurse", "--json", "contacts", "sheet", "--out", path, NULL), 0);
	free(before);
	before = world_read_file(path, &bytes);
	const char *out = strstr(world_out(world), "\"sheet\": ");
	ck_assert_ptr_nonnull(out);
	world_write_file(json, world_out(world));
	ck_assert_int_eq(shell("python3 -c 'import json,sys; print(json.dumps(json.load(sys.stdin)[\"sheet\"]))' < \"$1\" > \"$1.bare\"", json), 0);
	ck_assert_int_eq(shell("trap '' XFSZ; ulimit -f 8; exec \"${BUILD:-build}/cpis-contact-sheet\" --out \"$1/sheets/contacts.pdf\" "
			       "< \"$1/sheet.json.bare\"", world_path(world, ".")), 6);
	ck_assert_msg(strstr(world_err(world), "File too large") != NULL, "%s", world_err(world));
	ck_assert_int_eq(shell("cp \"${BUILD:-build}/cpis\" \"$1/lone\" && PATH=/nowhere \"$1/lone\" --profile \"$1/profiles/nurse.yaml\" "
			       "contacts sheet --out \"$1/sheets/contacts.pdf\"", world_path(world, ".")), 6);
	ck_assert(strstr(world_err(world), "there is no program cpis-contact-sheet") != NULL);
	ck_assert_int_eq(sheet("nurse", world_path(world, "nowhere/contacts.pdf")), 6);
	ck_assert_int_eq(sheet("nurse", directory()), 6);
	world_kill(world);
	ck_assert_int_eq(world_cpis(world, "nurse", "--timeout", "500", "contacts", "sheet", "--out", path, NULL), 2);
	char *after = world_read_file(path, &bytes_after);
	ck_assert_uint_eq(bytes, bytes_after);
	ck_assert_mem_eq(before, after, bytes);
	ck_assert_uint_eq(files_in(directory()), 1);
	free(before);
	free(after);
	world_start(world);
}
END_TEST

START_TEST(what_is_no_sheet_is_not_drawn)
{
	static const char *const wrong[] = {
		"", "[]", "{}", "{\"broker\":\"b\",\"data_ms\":-1,\"organisations\":[]}",
		"{\"broker\":\"b\",\"data_ms\":1,\"organisations\":[7]}",
		"{\"broker\":\"b\",\"data_ms\":1,\"organisations\":[{\"organisation\":\"383\",\"name\":\"L\",\"incident_telephone\":\"\","
		"\"contacts\":[{\"from\":\"2026-01-01\"}]}]}",
		"{\"broker\":\"b\",\"data_ms\":1,\"organisations\":[{\"organisation\":\"383\",\"name\":\"L\",\"incident_telephone\":\"\","
		"\"escalation\":[{\"severity\":\"1\",\"role\":\"r\",\"telephone\":\"t\"}]}]}",
	};
	const char *input = world_path(world, "input.json");
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		world_write_file(input, wrong[i]);
		ck_assert_int_eq(shell("exec \"${BUILD:-build}/cpis-contact-sheet\" --out \"$1.pdf\" < \"$1\"", input), 1);
		ck_assert_msg(strstr(world_err(world), "cpis-contact-sheet: standard input") != NULL, "%s", world_err(world));
	}
	ck_assert_int_eq(shell("test ! -e \"$1.pdf\"", input), 0);
	ck_assert_int_eq(world_cpis(world, "nurse", "contacts", "sheet", "--out", "x", "--valid-days", "0", NULL), 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("contact_sheet");
	TCase *all = tcase_create("sheet");
	tcase_add_checked_fixture(all, setup, teardown);
	tcase_set_timeout(all, 120);
	tcase_add_test(all, every_contact_is_on_the_sheet);
	tcase_add_test(all, a_failure_leaves_the_old_sheet);
	tcase_add_test(all, what_is_no_sheet_is_not_drawn);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
