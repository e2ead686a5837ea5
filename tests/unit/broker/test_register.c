// The register's file: organisations, how they are told, what is asked of publications, and what cannot be read.
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "tests/harness/suite.h"
#include "tests/unit/broker/register_files.h"

START_TEST(organisations_are_found_by_code)
{
	struct register_snapshot *snapshot = load(GOOD);
	struct ods_code code = ods("RY7");
	const struct organisation *organisation = register_organisation(snapshot, &code);
	ck_assert_ptr_nonnull(organisation);
	ck_assert_str_eq(organisation->name, "Community");
	ck_assert_int_eq(organisation->type, ORGANISATION_CARE_PROVIDER);
	ck_assert_uint_eq(organisation->care_settings,
			  (UINT64_C(1) << CPIS__V1__CARE_SETTING__SCHOOL_NURSING) |
				  (UINT64_C(1) << CPIS__V1__CARE_SETTING__MATERNITY));
	code = ods("383");
	organisation = register_organisation(snapshot, &code);
	ck_assert_ptr_nonnull(organisation);
	ck_assert_int_eq(organisation->type, ORGANISATION_LOCAL_AUTHORITY);
	ck_assert_uint_eq(organisation->care_settings, 0);
	code = ods("846");
	ck_assert_ptr_null(register_organisation(snapshot, &code));
	register_release(snapshot);
}
END_TEST

START_TEST(an_empty_register_knows_nobody)
{
	struct register_snapshot *snapshot = load("organisations: []\nrole_profiles: []\n");
	struct ods_code code = ods("RXH");
	static const uint8_t key[KEY_BYTES] = {0};
	ck_assert_ptr_null(register_organisation(snapshot, &code));
	ck_assert_ptr_null(register_profile(snapshot, "555000000001", "R8001", &code, now_ms));
	ck_assert_ptr_null(register_system(snapshot, key));
	ck_assert_uint_eq(register_systems_count(snapshot), 0);
	ck_assert_ptr_nonnull(register_trust(snapshot));
	register_release(snapshot);
	register_release(NULL);
}
END_TEST

START_TEST(the_shipped_example_loads)
{
	const struct register_paths shipped = {trust_directory, enrolled_directory, "broker/register.yaml", NULL};
	struct register_snapshot *snapshot = NULL;
	char detail[REGISTER_DETAIL_BYTES] = "";
	ck_assert_msg(register_load(&shipped, policy, now_ms, &snapshot, detail), "%s", detail);
	const struct role_profile *nurse = profile_on(snapshot, "555000000004", "R8001", "RY7", "2026-03-01");
	ck_assert_ptr_nonnull(nurse);
	struct activity_set silent = {0};
	ck_assert(policy_activity(policy, "B0170", &silent));
	ck_assert_mem_eq(&nurse->additional, &silent, sizeof silent);
	register_release(snapshot);
}
END_TEST

START_TEST(what_is_asked_of_publications_has_defaults_and_bounds)
{
	struct register_snapshot *snapshot = load("organisations: []\nrole_profiles: []\n");
	ck_assert_uint_eq(register_publishing(snapshot).vanished_percent_max, 10);
	ck_assert_uint_eq(register_publishing(snapshot).contacts_stale_days, 90);
	register_release(snapshot);
	snapshot = load("publishing:\n  vanished_percent_max: 0\n  contacts_stale_days: 3660\norganisations: []\nrole_profiles: []\n");
	ck_assert_uint_eq(register_publishing(snapshot).vanished_percent_max, 0);
	ck_assert_uint_eq(register_publishing(snapshot).contacts_stale_days, 3660);
	register_release(snapshot);
	refuses("publishing: {vanished_percent_max: 101, contacts_stale_days: 90}\norganisations: []\nrole_profiles: []\n",
		":1: vanished_percent_max is a share in 100: 0 to 100");
	refuses("organisations: []\nrole_profiles: []\npublishing: {vanished_percent_max: 1, contacts_stale_days: 0}\n",
		":3: contacts_stale_days is 1 to 3660");
	refuses("organisations: []\nrole_profiles: []\npublishing: {vanished_percent_max: 1, contacts_stale_days: 3661}\n",
		":3: contacts_stale_days is 1 to 3660");
}
END_TEST

START_TEST(refuses_bad_organisations_with_their_line)
{
	refuses(ORGANISATIONS "  - {ods: RXH, name: Again, type: care_provider}\n" PROFILES NURSE,
		":5: organisation RXH stands twice");
	refuses(ORGANISATIONS "  - {ods: rxh, name: Small, type: care_provider}\n" PROFILES NURSE,
		":5: 'rxh' is not an ODS code: 3 to 12 capital letters and digits");
	refuses(ORGANISATIONS "  - {ods: A12, name: Shop, type: shop}\n" PROFILES NURSE,
		":5: type: 'shop' is not one of the words for it");
	refuses(ORGANISATIONS "  - {ods: A12, name: Typeless}\n" PROFILES NURSE, ":5: key 'type' is missing");
	refuses(ORGANISATIONS "  - {ods: A12, name: \"a\\eb\", type: care_provider}\n" PROFILES NURSE,
		":5: organisation A12: the name has control characters");
	refuses(ORGANISATIONS "  - {ods: A12, name: A, type: care_provider, place: Leeds}\n" PROFILES NURSE,
		":5: organisation A12: place is latitude and longitude in degrees, like 53.80 -1.55");
	refuses(ORGANISATIONS
		"  - {ods: A12, name: A, type: care_provider, care_settings: [cafeteria]}\n" PROFILES NURSE,
		":5: organisation A12: unknown care setting 'cafeteria'");
	refuses(ORGANISATIONS "  - {ods: A12, name: A, type: care_provider, care_settings: [maternity, "
			      "maternity]}\n" PROFILES NURSE,
		":5: organisation A12: care setting maternity stands twice");
}
END_TEST

#define LEEDS_INBOX(text) "organisations:\n  - {ods: 383, name: Leeds, type: local_authority, inbox: " text "}\n" PROFILES "  []\n"

static struct inbox_settings inbox_of(const char *text, const char *organisation)
{
	struct register_snapshot *snapshot = load(text);
	struct ods_code code = ods(organisation);
	struct inbox_settings settings = register_organisation(snapshot, &code)->inbox;
	register_release(snapshot);
	return settings;
}

START_TEST(says_how_each_organisation_wants_to_be_told)
{
	struct inbox_settings settings = inbox_of(GOOD, "383");
	ck_assert_uint_eq(settings.escalate_after_minutes, 240);
	ck_assert_uint_eq(settings.expire_after_days, 30);
	ck_assert_uint_eq(settings.same_look_minutes, 10);
	ck_assert(!settings.digest_hourly && !settings.nothing_to_report_daily);
	settings = inbox_of(GOOD, "RXH");
	ck_assert_uint_eq(settings.escalate_after_minutes, 0);
	ck_assert_uint_eq(settings.expire_after_days, 30);
	settings = inbox_of(LEEDS_INBOX("{escalate_after_minutes: 60, expire_after_days: 7, digest: hourly, nothing_to_report: "
					"daily, same_look_minutes: 0}"), "383");
	ck_assert_uint_eq(settings.escalate_after_minutes, 60);
	ck_assert_uint_eq(settings.expire_after_days, 7);
	ck_assert_uint_eq(settings.same_look_minutes, 0);
	ck_assert(settings.digest_hourly && settings.nothing_to_report_daily);
	settings = inbox_of(LEEDS_INBOX("{digest: never, nothing_to_report: never, escalate_after_minutes: 0}"), "383");
	ck_assert(!settings.digest_hourly && !settings.nothing_to_report_daily);
	ck_assert_uint_eq(settings.escalate_after_minutes, 0);
}
END_TEST

#define LEEDS_INCIDENT(text) "organisations:\n  - {ods: 383, name: Leeds, type: local_authority, incident: " text "}\n" PROFILES "  []\n"

START_TEST(whom_to_ring_in_an_incident_is_by_severity_and_in_the_order_of_the_file)
{
	const struct ods_code code = {"383"};
	struct register_snapshot *snapshot = load(LEEDS_INCIDENT(
		"{telephone: 01632 960100, escalation: [{severity: 3, role: manager, telephone: 01632 960103}, {severity: 1, role: first, "
		"telephone: 01632 960101}, {severity: 1, role: second, telephone: 01632 960102}]}"));
	const struct incident_contacts *incident = register_organisation(snapshot, &code)->incident;
	ck_assert_str_eq(incident->telephone, "01632 960100");
	ck_assert_uint_eq(incident->escalation_count, 3);
	ck_assert_str_eq(incident->escalation[0].role, "first");
	ck_assert_str_eq(incident->escalation[1].telephone, "01632 960102");
	ck_assert_uint_eq(incident->escalation[2].severity, 3);
	register_release(snapshot);
	snapshot = load(LEEDS_INCIDENT("{telephone: 01632 960100}"));
	ck_assert_uint_eq(register_organisation(snapshot, &code)->incident->escalation_count, 0);
	register_release(snapshot);
}
END_TEST

START_TEST(refuses_incident_contacts_that_cannot_be_rung)
{
#define ONE(severity, number) "{telephone: 01632 960100, escalation: [{severity: " severity ", role: first, telephone: " number "}]}"
	refuses(LEEDS_INCIDENT("{telephone: ring me}"), ":2: organisation 383: incident: 'ring me' is not a telephone number");
	refuses(LEEDS_INCIDENT(ONE("0", "01632 960101")), ":2: organisation 383: incident: severity is 1 to 4");
	refuses(LEEDS_INCIDENT(ONE("5", "01632 960101")), ":2: organisation 383: incident: severity is 1 to 4");
	refuses(LEEDS_INCIDENT(ONE("1", "nobody")), ":2: organisation 383: incident: 'nobody' is not a telephone number");
	refuses(LEEDS_INCIDENT("{telephone: 01632 960100, escalation: [{severity: 1, role: \"a\\u0007b\", telephone: 01632 960101}]}"),
		":2: organisation 383: incident: the role has control characters");
#undef ONE
}
END_TEST

START_TEST(refuses_inboxes_that_cannot_be_meant)
{
	const struct inbox_settings most =
		inbox_of(LEEDS_INBOX("{escalate_after_minutes: 43200, expire_after_days: 365, same_look_minutes: 1440}"), "383");
	ck_assert_uint_eq(most.escalate_after_minutes, REGISTER_ESCALATE_MINUTES_MAX);
	ck_assert_uint_eq(most.expire_after_days, REGISTER_EXPIRE_DAYS_MAX);
	ck_assert_uint_eq(most.same_look_minutes, REGISTER_SAME_LOOK_MINUTES_MAX);
	refuses(LEEDS_INBOX("{escalate_after_minutes: 43201}"),
		":2: organisation 383: inbox: escalate_after_minutes must be 0 to 43200");
	refuses(LEEDS_INBOX("{expire_after_days: 0}"), ":2: organisation 383: inbox: expire_after_days must be 1 to 365");
	refuses(LEEDS_INBOX("{expire_after_days: 366}"), ":2: organisation 383: inbox: expire_after_days must be 1 to 365");
	refuses(LEEDS_INBOX("{same_look_minutes: 1441}"), ":2: organisation 383: inbox: same_look_minutes must be 0 to 1440");
	refuses(LEEDS_INBOX("{escalate_after_minutes: 1440, expire_after_days: 1}"),
		":2: organisation 383: inbox: escalate_after_minutes must be less than expire_after_days");
	refuses("organisations:\n  - {ods: RXH, name: A, type: care_provider, inbox: {digest: hourly}}\n" PROFILES "  []\n",
		":2: organisation RXH: inbox: same_look_minutes, digest and nothing_to_report are for local authorities only");
}
END_TEST

// ------------------------------------------------------------------ files and directories

START_TEST(refuses_a_register_that_cannot_be_read)
{
	struct register_snapshot *snapshot = NULL;
	char detail[REGISTER_DETAIL_BYTES] = "";
	unlink(register_file);
	ck_assert(!register_load(&paths, policy, now_ms, &snapshot, detail));
	ck_assert_ptr_nonnull(strstr(detail, "register.yaml: cannot be opened"));
	refuses("", ": empty");
	refuses("organisations: []\n", ":1: key 'role_profiles' is missing");
}
END_TEST

START_TEST(refuses_a_broken_trust_bundle)
{
	struct register_paths broken = paths;
	struct register_snapshot *snapshot = NULL;
	char detail[REGISTER_DETAIL_BYTES] = "";
	write_register(GOOD);
	broken.trust_directory = out_directory;
	ck_assert(!register_load(&broken, policy, now_ms, &snapshot, detail));
	ck_assert_msg(strncmp(detail, out_directory, strlen(out_directory)) == 0, "%s", detail);
	ck_assert_ptr_null(snapshot);
}
END_TEST

START_TEST(refuses_an_enrolled_directory_that_is_not_there)
{
	struct register_paths broken = paths;
	struct register_snapshot *snapshot = NULL;
	char detail[REGISTER_DETAIL_BYTES] = "";
	write_register(GOOD);
	broken.enrolled_directory = "/tmp/cpis-register-no-such-directory";
	ck_assert(!register_load(&broken, policy, now_ms, &snapshot, detail));
	ck_assert_str_eq(detail,
			 "/tmp/cpis-register-no-such-directory: cannot be read: No such file or directory");
	ck_assert_ptr_null(snapshot);
}
END_TEST

// ------------------------------------------------------------------ references

static void *hold_and_let_go(void *context)
{
	struct register_snapshot *snapshot = context;
	for (int i = 0; i < 10000; i++)
		register_release(register_retain(snapshot));
	register_release(snapshot);
	return NULL;
}

START_TEST(a_snapshot_lives_as_long_as_somebody_holds_it)
{
	enum { THREADS = 4 };
	pthread_t threads[THREADS];
	struct register_snapshot *snapshot = load(GOOD);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(
			pthread_create(&threads[i], NULL, hold_and_let_go, register_retain(snapshot)), 0);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	ck_assert_ptr_nonnull(profile_on(snapshot, "555000000001", "R8001", "RXH", "2026-03-01"));
	register_release(snapshot);
}
END_TEST

static void add(TCase *tests)
{
	tcase_add_test(tests, organisations_are_found_by_code);
	tcase_add_test(tests, an_empty_register_knows_nobody);
	tcase_add_test(tests, the_shipped_example_loads);
	tcase_add_test(tests, what_is_asked_of_publications_has_defaults_and_bounds);
	tcase_add_test(tests, refuses_bad_organisations_with_their_line);
	tcase_add_test(tests, says_how_each_organisation_wants_to_be_told);
	tcase_add_test(tests, refuses_inboxes_that_cannot_be_meant);
	tcase_add_test(tests, whom_to_ring_in_an_incident_is_by_severity_and_in_the_order_of_the_file);
	tcase_add_test(tests, refuses_incident_contacts_that_cannot_be_rung);
	tcase_add_test(tests, refuses_a_register_that_cannot_be_read);
	tcase_add_test(tests, refuses_a_broken_trust_bundle);
	tcase_add_test(tests, refuses_an_enrolled_directory_that_is_not_there);
	tcase_add_test(tests, a_snapshot_lives_as_long_as_somebody_holds_it);
}

int main(void)
{
	return suite_run_group("register", make_authority, remove_authority, 60, add);
}
