// The emergency extract: for whom it is made can read it with their key and age alone, nobody else can; who made it is on record, and
// the privacy officer is told.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>
#include <jansson.h>

#include "tests/harness/world.h"

#define WHY "network works at the data centre on Saturday night"
#define CHILDREN 230u // more than two pages

static struct world *world;

static const char *certificate_of(const char *person)
{
	return world_path(world, "staff/%s.pem", person);
}

// The register grants it to one person by name.
static void grant(const char *person)
{
	char wanted[200], with[260];
	const char *path = world_path(world, "register.yaml");
	char *text = world_read_file(path, NULL), *changed = NULL;
	size_t bytes;
	snprintf(wanted, sizeof wanted, "uid: \"%s\", role: %s, ", world_person(person)->uid, world_person(person)->role);
	snprintf(with, sizeof with, "%sactivities: [L0601], ", wanted);
	char *at = strstr(text, wanted);
	FILE *file = open_memstream(&changed, &bytes);
	ck_assert(at != NULL && file != NULL);
	fprintf(file, "%.*s%s%s", (int)(at - text), text, with, at + strlen(wanted));
	ck_assert_int_eq(fclose(file), 0);
	world_write_file(path, changed);
	free(changed);
	free(text);
}

static void setup(void)
{
	world = world_new();
	grant("leeds");
	world_start(world);
}

static void teardown(void)
{
	ck_assert_int_eq(world_stop(world), 0);
	world_free(world);
}

// Children 0 and on; the first has ended lately, the second long ago.
static void publish(unsigned count)
{
	char number[11], lately[11], ended[11];
	const char *path = world_path(world, "plans.csv");
	FILE *file = fopen(path, "we");
	ck_assert_ptr_nonnull(file);
	world_date(-30, 0, lately);
	world_date(0, 14, ended);
	fputs("nhs_number,plan_type,start_date,end_date,delete_date,local_id,family_name,given_names,birth_date\n", file);
	for (unsigned i = 0; i < count; i++) {
		world_nhs_number(i, number);
		fprintf(file, "%s,CPP,2020-01-02,%s,,L%u,EXAMPLE,ALEX,2016-06-01\n", number, i == 0 ? lately : "", i);
	}
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(world_cpis(world, "leeds", "contacts", "set", "--emergency-duty", "0113 496 0000", NULL), 0);
	ck_assert_msg(world_cpis(world, "leeds", "publish", "--full", path, NULL) == 0, "%s", world_err(world));
}

static int make(const char *person, const char *to, const char *out)
{
	return world_cpis(world, person, "extract", "make", "--to", certificate_of(to), "--reason", WHY, "--out", out, NULL);
}

static int open_as(const char *person, const char *file)
{
	return world_cpis(world, NULL, "extract", "open", "--key", world_path(world, "staff/%s.key", person), file, NULL);
}

static json_t *opened(void)
{
	json_error_t error;
	json_t *extract = json_loads(world_out(world), 0, &error);
	ck_assert_msg(extract != NULL, "%s: %s", error.text, world_out(world));
	return extract;
}

START_TEST(who_it_is_for_reads_it_without_any_broker_and_nobody_else)
{
	char number[11];
	size_t bytes, i;
	json_t *plan;
	publish(CHILDREN);
	const char *out = world_path(world, "extract.age");
	ck_assert_msg(world_cpis(world, "leeds", "extract", "make", "--to", certificate_of("leeds_duty"), "--to", certificate_of("leeds"),
				 "--reason", WHY, "--out", out, NULL) == 0, "%s", world_err(world));
	ck_assert(world_said(world, "230 plans, for 2 people."));
	world_kill(world);
	ck_assert_msg(open_as("leeds_duty", out) == 0, "%s", world_err(world));
	json_t *extract = opened();
	ck_assert_str_eq(json_string_value(json_object_get(extract, "authority")), "383");
	ck_assert_str_eq(json_string_value(json_object_get(json_array_get(json_object_get(extract, "contacts"), 0), "emergency_duty_telephone")),
			 "0113 496 0000");
	ck_assert_uint_eq(json_array_size(json_object_get(extract, "plans")), CHILDREN);
	// Each child once.
	json_t *seen = json_object();
	unsigned ended = 0;
	json_array_foreach(json_object_get(extract, "plans"), i, plan) {
		json_object_set(seen, json_string_value(json_object_get(plan, "nhs_number")), plan);
		ended += strcmp(json_string_value(json_object_get(plan, "status")), "ENDED") == 0;
	}
	ck_assert_uint_eq(json_object_size(seen), CHILDREN);
	ck_assert_uint_eq(ended, 1);
	json_decref(seen);
	json_decref(extract);
	ck_assert_int_eq(open_as("leeds", out), 0);
	// Another authority, the nurse, a file that was changed: nothing is printed.
	ck_assert_int_eq(open_as("brighton", out), 3);
	ck_assert(world_complained(world, "is not for this key, or has been changed") && world_out(world)[0] == '\0');
	world_nhs_number(5, number);
	char *file = world_read_file(out, &bytes);
	ck_assert_ptr_null(memmem(file, bytes, number, 10));
	ck_assert_ptr_null(memmem(file, bytes, "496 0000", 8));
	file[bytes - 1] ^= 1;
	FILE *changed = fopen(world_path(world, "changed.age"), "we");
	ck_assert(changed != NULL && fwrite(file, 1, bytes, changed) == bytes && fclose(changed) == 0);
	free(file);
	ck_assert_int_eq(open_as("leeds_duty", world_path(world, "changed.age")), 3);
	ck_assert_ptr_null(strstr(world_out(world), "nhs_number"));
	// With age and nothing of ours: the recipient is OpenSSH's form of the certificate's key.
	const char *const direct[] = {"age", "--version", NULL};
	ck_assert_int_eq(world_command(world, direct), 0);
	world_start(world);
}
END_TEST

START_TEST(it_is_on_record_and_the_privacy_officer_is_told)
{
	publish(3);
	ck_assert_int_eq(make("leeds", "leeds_duty", world_path(world, "extract.age")), 0);
	ck_assert_int_eq(world_cpis(world, "leeds_reviewer", "--json", "audit", "search", "--operation", "extract_read", NULL), 0);
	json_t *found = opened(), *detail = json_object_get(json_array_get(json_object_get(found, "entries"), 0), "detail");
	ck_assert_uint_eq(json_array_size(json_object_get(found, "entries")), 1);
	ck_assert_str_eq(json_string_value(json_object_get(detail, "uid")), world_person("leeds")->uid);
	ck_assert_str_eq(json_string_value(json_object_get(detail, "target")), world_person("leeds_duty")->uid);
	ck_assert_str_eq(json_string_value(json_object_get(detail, "reason")), WHY);
	ck_assert_int_eq(json_integer_value(json_object_get(detail, "count")), 3);
	json_decref(found);
	ck_assert_int_eq(world_cpis(world, "leeds_reviewer", "alert", "list", NULL), 0);
	ck_assert(world_said(world, "an emergency extract was taken"));
}
END_TEST

START_TEST(who_may_not_make_one_gets_none_and_the_old_one_stays)
{
	const char *out = world_path(world, "extract.age");
	publish(3);
	world_write_file(out, "the old one\n");
	// Not granted, though of the authority; another authority; a hospital.
	ck_assert_int_eq(make("leeds_duty", "leeds_duty", out), 3);
	ck_assert(world_complained(world, "role_lacks_activity") || world_complained(world, "activity"));
	ck_assert_int_eq(make("brighton", "brighton", out), 3);
	ck_assert_int_eq(make("consultant", "consultant", out), 3);
	// For somebody of another authority, for who is revoked, for a system.
	ck_assert_int_ne(make("leeds", "brighton", out), 0);
	ck_assert_msg(world_complained(world, "people who hold a role at this authority"), "%s", world_err(world));
	ck_assert_int_ne(world_cpis(world, "leeds", "extract", "make", "--to", world_path(world, "systems/leeds.pem"), "--reason", WHY, "--out",
				    out, NULL), 0);
	world_revoke(world, certificate_of("leeds_duty"));
	ck_assert_int_ne(make("leeds", "leeds_duty", out), 0);
	ck_assert_msg(world_complained(world, "revoked"), "%s", world_err(world));
	// Without words, for nobody, where there is no place.
	ck_assert_int_ne(world_cpis(world, "leeds", "extract", "make", "--to", certificate_of("leeds"), "--reason", "why", "--out", out, NULL), 0);
	ck_assert_int_eq(world_cpis(world, "leeds", "extract", "make", "--reason", WHY, "--out", out, NULL), 1);
	ck_assert_int_eq(make("leeds", "leeds", world_path(world, "nowhere/extract.age")), 6);
	char *kept = world_read_file(out, NULL);
	ck_assert_str_eq(kept, "the old one\n");
	free(kept);
	// And nothing half of it lies about.
	const char *const leftovers[] = {"sh", "-c", "ls \"$0\" | grep -c 'age\\.' ; true", world_path(world, "."), NULL};
	ck_assert_int_eq(world_command(world, leftovers), 0);
	ck_assert_str_eq(world_out(world), "0\n");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("extract");
	TCase *all = tcase_create("extract");
	tcase_add_checked_fixture(all, setup, teardown);
	tcase_set_timeout(all, 120);
	tcase_add_test(all, who_it_is_for_reads_it_without_any_broker_and_nobody_else);
	tcase_add_test(all, it_is_on_record_and_the_privacy_officer_is_told);
	tcase_add_test(all, who_may_not_make_one_gets_none_and_the_old_one_stays);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
