// The register, with real certificates of an authority made for the run.
#include "broker/register.h"

#include <check.h>
#include <ftw.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "certs/authority.h"
#include "proto/date.h"

#define DAY_MS (UINT64_C(24) * 3600 * 1000)
#define ORGANISATIONS                                                                                        \
	"organisations:\n"                                                                                   \
	"  - {ods: RXH, name: Brighton, type: care_provider, care_settings: [emergency_department]}\n"       \
	"  - {ods: RY7, name: Community, type: care_provider, care_settings: [school_nursing, maternity]}\n" \
	"  - {ods: 383, name: Leeds, type: local_authority}\n"
#define PROFILES "role_profiles:\n"
#define NURSE "  - {uid: 555000000001, role: R8001, organisation: RXH, from: 2026-01-01}\n" // line 6
#define GOOD ORGANISATIONS PROFILES NURSE

// Made anew for each test, Ed25519 keys being cheap.
static char directory[] = "/tmp/cpis-register-XXXXXX";
static char trust_directory[64], enrolled_directory[64], register_file[64], out_directory[64];
static const struct register_paths paths = {trust_directory, enrolled_directory, register_file, NULL};
static struct policy *policy;
static uint64_t now_ms;

static void make_authority(void)
{
	char detail[POLICY_DETAIL_BYTES] = "", pki[48];
	ck_assert(instant_parse("2026-03-01", 10, &now_ms));
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(pki, sizeof pki, "%s/pki", directory);
	snprintf(trust_directory, sizeof trust_directory, "%s/trust", pki);
	snprintf(enrolled_directory, sizeof enrolled_directory, "%s/enrolled", pki);
	snprintf(register_file, sizeof register_file, "%s/register.yaml", directory);
	snprintf(out_directory, sizeof out_directory, "%s/out", directory);
	ck_assert_msg(authority_init(pki, "broker-1", "cpis.example/audit", now_ms, detail) == CERTS_OK, "%s",
		      detail);
	ck_assert_int_eq(mkdir(out_directory, 0700), 0);
	ck_assert_msg(policy_load("broker/policy.yaml", &policy, detail), "%s", detail);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *place)
{
	(void)status, (void)type, (void)place;
	return remove(path);
}

static void remove_authority(void)
{
	policy_free(policy);
	ck_assert_int_eq(nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
	memcpy(directory + strlen(directory) - 6, "XXXXXX", 6);
}

static void write_register(const char *text)
{
	FILE *file = fopen(register_file, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

static struct register_snapshot *load_at(uint64_t time_ms)
{
	struct register_snapshot *snapshot = NULL;
	char detail[REGISTER_DETAIL_BYTES] = "";
	ck_assert_msg(register_load(&paths, policy, time_ms, &snapshot, detail), "%s", detail);
	return snapshot;
}

static struct register_snapshot *load(const char *text)
{
	write_register(text);
	return load_at(now_ms);
}

// `expected` is what follows the register file's path.
static void refuses(const char *text, const char *expected)
{
	struct register_snapshot *snapshot = NULL;
	char detail[REGISTER_DETAIL_BYTES] = "", whole[REGISTER_DETAIL_BYTES];
	write_register(text);
	ck_assert(!register_load(&paths, policy, now_ms, &snapshot, detail));
	ck_assert_ptr_null(snapshot);
	snprintf(whole, sizeof whole, "%s%s", register_file, expected);
	ck_assert_str_eq(detail, whole);
}

static struct ods_code ods(const char *text)
{
	struct ods_code ret;
	ck_assert(ods_code_parse(text, strlen(text), &ret));
	return ret;
}

static const struct role_profile *profile_on(const struct register_snapshot *snapshot, const char *uid,
					     const char *role, const char *organisation, const char *instant)
{
	uint64_t time_ms;
	struct ods_code code = ods(organisation);
	ck_assert(instant_parse(instant, strlen(instant), &time_ms));
	return register_profile(snapshot, uid, role, &code, time_ms);
}

// Enrols a system of `organisation` and tells its key pair and certificate.
static struct curve_key_pair enrol(const char *organisation, const char *name, unsigned days,
				   struct authority_paths *ret_paths)
{
	char detail[CERTS_DETAIL_BYTES] = "", pki[48];
	struct curve_key_pair pair;
	snprintf(pki, sizeof pki, "%s/pki", directory);
	ck_assert_msg(authority_issue_system(pki, organisation, name, out_directory, name, days, now_ms,
					     ret_paths, detail) == CERTS_OK,
		      "%s", detail);
	ck_assert_int_eq(curve_key_load(ret_paths->key, &pair), CERTS_OK);
	return pair;
}

static void copy_into_enrolled(const char *from, const char *name)
{
	char to[128], buffer[8192];
	snprintf(to, sizeof to, "%s/%s", enrolled_directory, name);
	FILE *source = fopen(from, "r"), *target = fopen(to, "w");
	ck_assert(source != NULL && target != NULL);
	size_t bytes = fread(buffer, 1, sizeof buffer, source);
	ck_assert_uint_eq(fwrite(buffer, 1, bytes, target), bytes);
	ck_assert_int_eq(fclose(source), 0);
	ck_assert_int_eq(fclose(target), 0);
}

// Enrols the certificate a second time, under another serial number: what the authority's tool never does.
static void enrol_again(const char *certificate_path, const char *name)
{
	char path[128];
	snprintf(path, sizeof path, "%s/pki/private/systems-ca.key", directory);
	FILE *key_file = fopen(path, "r"), *certificate_file = fopen(certificate_path, "r");
	ck_assert(key_file != NULL && certificate_file != NULL);
	EVP_PKEY *key = PEM_read_PrivateKey(key_file, NULL, NULL, NULL);
	X509 *certificate = PEM_read_X509(certificate_file, NULL, NULL, NULL);
	fclose(key_file);
	fclose(certificate_file);
	ck_assert(key != NULL && certificate != NULL);
	// One bit off keeps it positive, and of the length that the profile asks for.
	ASN1_INTEGER *serial = ASN1_INTEGER_dup(X509_get0_serialNumber(certificate));
	ck_assert_ptr_nonnull(serial);
	serial->data[serial->length - 1] ^= 1;
	ck_assert_int_eq(X509_set_serialNumber(certificate, serial), 1);
	ck_assert_int_gt(X509_sign(certificate, key, NULL), 0);
	snprintf(path, sizeof path, "%s/%s", enrolled_directory, name);
	FILE *target = fopen(path, "w");
	ck_assert_ptr_nonnull(target);
	ck_assert_int_eq(PEM_write_X509(target, certificate), 1);
	ck_assert_int_eq(fclose(target), 0);
	ASN1_INTEGER_free(serial);
	X509_free(certificate);
	EVP_PKEY_free(key);
}

// ------------------------------------------------------------------ organisations and role profiles

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

START_TEST(a_profile_is_of_one_person_role_and_organisation)
{
	struct register_snapshot *snapshot =
		load(GOOD "  - {uid: 555000000001, role: R0001, organisation: RY7, from: 2026-01-01}\n");
	ck_assert_ptr_nonnull(profile_on(snapshot, "555000000001", "R8001", "RXH", "2026-03-01"));
	ck_assert_ptr_nonnull(profile_on(snapshot, "555000000001", "R0001", "RY7", "2026-03-01"));
	ck_assert_ptr_null(profile_on(snapshot, "555000000001", "R8001", "RY7", "2026-03-01"));
	ck_assert_ptr_null(profile_on(snapshot, "555000000001", "R0001", "RXH", "2026-03-01"));
	ck_assert_ptr_null(profile_on(snapshot, "555000000002", "R8001", "RXH", "2026-03-01"));
	ck_assert_ptr_null(profile_on(snapshot, "55500000000", "R8001", "RXH", "2026-03-01"));
	ck_assert_ptr_null(profile_on(snapshot, "5550000000011", "R8001", "RXH", "2026-03-01"));
	ck_assert_ptr_null(profile_on(snapshot, "555000000001", "R800111111111111", "RXH", "2026-03-01"));
	ck_assert_ptr_null(profile_on(snapshot, "", "", "RXH", "2026-03-01"));
	register_release(snapshot);
}
END_TEST

START_TEST(a_profile_holds_from_its_first_instant_to_before_its_last)
{
	struct register_snapshot *snapshot =
		load(ORGANISATIONS PROFILES
		     "  - {uid: 555000000001, role: R8001, organisation: RXH, from: 2026-09-01}\n"
		     "  - {uid: 555000000001, role: R8001, organisation: RXH, from: 2026-01-01, until: "
		     "2026-02-01T12:00:00Z}\n"
		     "  - {uid: 555000000001, role: R8001, organisation: RXH, from: 2026-02-01T12:00:00Z, "
		     "until: 2026-06-01, "
		     "activities: [B0170]}\n");
	ck_assert_ptr_null(profile_on(snapshot, "555000000001", "R8001", "RXH", "2025-12-31T23:59:59.999Z"));
	const struct role_profile *first = profile_on(snapshot, "555000000001", "R8001", "RXH", "2026-01-01");
	ck_assert_ptr_nonnull(first);
	ck_assert_uint_eq(activity_set_count(&first->additional), 0);
	ck_assert_ptr_eq(profile_on(snapshot, "555000000001", "R8001", "RXH", "2026-02-01T11:59:59.999Z"),
			 first);
	const struct role_profile *second =
		profile_on(snapshot, "555000000001", "R8001", "RXH", "2026-02-01T12:00:00Z");
	ck_assert_ptr_nonnull(second);
	ck_assert_uint_eq(activity_set_count(&second->additional), 1);
	ck_assert_ptr_eq(profile_on(snapshot, "555000000001", "R8001", "RXH", "2026-05-31T23:59:59.999Z"),
			 second);
	ck_assert_ptr_null(profile_on(snapshot, "555000000001", "R8001", "RXH", "2026-06-01"));
	ck_assert_ptr_null(profile_on(snapshot, "555000000001", "R8001", "RXH", "2026-08-31"));
	ck_assert_ptr_nonnull(profile_on(snapshot, "555000000001", "R8001", "RXH", "2199-12-31"));
	register_release(snapshot);
}
END_TEST

START_TEST(finds_each_of_many_profiles)
{
	enum { COUNT = 5000, LINE = 90 };
	size_t room = sizeof ORGANISATIONS + sizeof PROFILES + COUNT * LINE;
	char *text = malloc(room), uid[UID_DIGITS + 1];
	ck_assert_ptr_nonnull(text);
	size_t bytes = (size_t)snprintf(text, room, ORGANISATIONS PROFILES);
	// 2,003 and 5,000 have no common divisor: every number once, in no order.
	for (unsigned i = 0; i < COUNT; i++)
		bytes += (size_t)snprintf(
			text + bytes, room - bytes,
			"  - {uid: 55500000%04u, role: R8001, organisation: RXH, from: 2026-01-01}\n",
			i * 2003 % COUNT);
	struct register_snapshot *snapshot = load(text);
	free(text);
	struct ods_code code = ods("RXH");
	for (unsigned i = 0; i < COUNT; i++) {
		snprintf(uid, sizeof uid, "55500000%04u", i);
		const struct role_profile *profile = register_profile(snapshot, uid, "R8001", &code, now_ms);
		ck_assert_ptr_nonnull(profile);
		ck_assert_str_eq(profile->uid, uid);
	}
	ck_assert_ptr_null(register_profile(snapshot, "555000005000", "R8001", &code, now_ms));
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

START_TEST(training_has_a_date)
{
	size_t count;
#define TRAINED(date) "organisations:\n  - {ods: 383, name: Leeds, type: local_authority}\n" PROFILES \
	"  - {uid: \"555000000001\", role: R9535, organisation: \"383\", from: 2026-01-01, trained: " date "}\n"
	struct register_snapshot *snapshot = load(TRAINED("2026-03-02"));
	ck_assert_uint_eq(register_profiles(snapshot, &count)[0].trained_ms, 1772409600000);
	register_release(snapshot);
	refuses(TRAINED("soon"), ":4: role profile of 555000000001: trained 'soon' is not a date (YYYY-MM-DD) or a UTC time");
#undef TRAINED
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

#define ANSWERS(text) ORGANISATIONS "  - {ods: W00, name: W, type: national_body, answers: " text "}\n" PROFILES NURSE

static const char *who_answers(const struct register_snapshot *snapshot, const char *digits)
{
	struct nhs_number number;
	snprintf(number.digits, sizeof number.digits, "%s", digits);
	const struct register_range *range = register_range_of(snapshot, &number);
	return range == NULL ? "" : range->organisation.text;
}

START_TEST(a_range_is_found_from_its_first_to_its_last_number)
{
	struct register_snapshot *snapshot = load(
		ORGANISATIONS "  - {ods: W01, name: W, type: national_body, answers: {plans: [9996000000-9996999999]}}\n"
			      "  - {ods: W00, name: W, type: national_body, answers: {demographics: true, plans: "
			      "[9995000000-9995499999, 9990000018-9990000018, 9995500000-9995999999]}}\n" PROFILES NURSE);
	ck_assert_str_eq(who_answers(snapshot, "9994999999"), "");
	ck_assert_str_eq(who_answers(snapshot, "9995000000"), "W00");
	ck_assert_str_eq(who_answers(snapshot, "9995499999"), "W00");
	ck_assert_str_eq(who_answers(snapshot, "9995999999"), "W00");
	ck_assert_str_eq(who_answers(snapshot, "9996000000"), "W01");
	ck_assert_str_eq(who_answers(snapshot, "9997000000"), "");
	ck_assert_str_eq(who_answers(snapshot, "9990000018"), "W00");
	ck_assert_str_eq(who_answers(snapshot, "9990000019"), "");
	ck_assert_str_eq(register_demographics(snapshot)->ods.text, "W00");
	register_release(snapshot);
	snapshot = load(GOOD);
	ck_assert_str_eq(who_answers(snapshot, "9995000000"), "");
	ck_assert_ptr_null(register_demographics(snapshot));
	register_release(snapshot);
}
END_TEST

struct shape {
	unsigned organisations, ranges, per_organisation;
};

// Ranges of one number each. An organisation has at most so many, and the bound goes over all of them.
static void write_ranges(FILE *file, unsigned first, unsigned count, unsigned per_organisation)
{
	fprintf(file, ", answers: {plans: [");
	for (unsigned i = first; i < count && i < first + per_organisation; i++)
		fprintf(file, "%s%u-%u", i == first ? "" : ", ", 2000000000u + i, 2000000000u + i);
	fprintf(file, "]}");
}

static void write_shape(const struct shape *shape)
{
	FILE *file = fopen(register_file, "w");
	ck_assert_ptr_nonnull(file);
	fprintf(file, "organisations:\n");
	for (unsigned i = 0; i < shape->organisations; i++) {
		fprintf(file, "  - {ods: A%05u, name: A, type: national_body", i);
		if (i * shape->per_organisation < shape->ranges)
			write_ranges(file, i * shape->per_organisation, shape->ranges, shape->per_organisation);
		fprintf(file, "}\n");
	}
	fprintf(file, "role_profiles: []\n");
	ck_assert_int_eq(fclose(file), 0);
}

static void refuses_shape(struct shape shape, const char *expected)
{
	struct register_snapshot *snapshot = NULL;
	char detail[REGISTER_DETAIL_BYTES] = "";
	write_shape(&shape);
	ck_assert(!register_load(&paths, policy, now_ms, &snapshot, detail));
	ck_assert_ptr_null(snapshot);
	ck_assert_msg(strstr(detail, expected) != NULL, "%s", detail);
}

START_TEST(a_full_register_is_read_and_one_organisation_or_range_more_is_refused)
{
	enum { EACH = REGISTER_RANGES_PER_ORGANISATION_MAX };
	const struct shape full = {REGISTER_ORGANISATIONS_MAX, REGISTER_RANGES_MAX, EACH};
	write_shape(&full);
	struct register_snapshot *snapshot = load_at(now_ms);
	const struct ods_code last = ods("A16383");
	ck_assert_ptr_nonnull(register_organisation(snapshot, &last));
	ck_assert_str_eq(who_answers(snapshot, "2000000000"), "A00000");
	ck_assert_str_eq(who_answers(snapshot, "2000001023"), "A00015");
	register_release(snapshot);
	refuses_shape((struct shape){REGISTER_ORGANISATIONS_MAX + 1, 1, EACH}, "organisations");
	refuses_shape((struct shape){17, REGISTER_RANGES_MAX + 1, EACH}, "more than 1024 ranges of numbers");
	refuses_shape((struct shape){1, EACH + 1, EACH + 1}, "plans");
}
END_TEST

START_TEST(refuses_bad_answers_with_their_line)
{
	refuses(ANSWERS("{plans: [9995000000]}"),
		":5: organisation W00: '9995000000' is not a range of NHS numbers, as 9995000000-9995999999");
	refuses(ANSWERS("{plans: [9995999999-9995000000]}"),
		":5: organisation W00: '9995999999-9995000000' is not a range of NHS numbers, as 9995000000-9995999999");
	refuses(ANSWERS("{plans: [999500000x-9995000000]}"),
		":5: organisation W00: '999500000x-9995000000' is not a range of NHS numbers, as 9995000000-9995999999");
	refuses(ANSWERS("{plans: [9995000000-9995999999, 9995999999-9996000000]}"),
		":5: organisation W00: range 9995999999-9996000000 overlaps with 9995000000-9995999999 of W00");
	refuses(ANSWERS("{plans: [9995000000-9995999999, 9990000000-9995000000]}"),
		":5: organisation W00: range 9990000000-9995000000 overlaps with 9995000000-9995999999 of W00");
	refuses(ORGANISATIONS "  - {ods: W00, name: W, type: national_body, answers: {demographics: true}}\n"
			      "  - {ods: W01, name: W, type: national_body, answers: {demographics: true}}\n" PROFILES NURSE,
		":6: organisation W01: W00 answers demographics already");
	struct register_snapshot *snapshot = NULL;
	char detail[REGISTER_DETAIL_BYTES] = "";
	write_register(ANSWERS("{flags: true}"));
	ck_assert(!register_load(&paths, policy, now_ms, &snapshot, detail));
	write_register(ANSWERS("{demographics: perhaps}"));
	ck_assert(!register_load(&paths, policy, now_ms, &snapshot, detail));
}
END_TEST

START_TEST(refuses_bad_role_profiles_with_their_line)
{
	refuses(GOOD "  - {uid: 55500000000, role: R8001, organisation: RXH, from: 2026-01-01}\n",
		":7: '55500000000' is not a staff uid: 12 digits");
	refuses(GOOD "  - {uid: 55500000000x, role: R8001, organisation: RXH, from: 2026-01-01}\n",
		":7: '55500000000x' is not a staff uid: 12 digits");
	refuses(GOOD "  - {uid: 555000000002, role: R9999, organisation: RXH, from: 2026-01-01}\n",
		":7: role profile of 555000000002: the policy has no role 'R9999'");
	refuses(GOOD "  - {uid: 555000000002, role: R8001, organisation: 846, from: 2026-01-01}\n",
		":7: role profile of 555000000002: unknown organisation '846'");
	refuses(GOOD "  - {uid: 555000000002, role: R8001, organisation: R H, from: 2026-01-01}\n",
		":7: role profile of 555000000002: unknown organisation 'R H'");
	refuses(GOOD "  - {uid: 555000000002, role: R8001, organisation: RXH, from: 2026-01-01, activities: "
		     "[B9999]}\n",
		":7: role profile of 555000000002: the policy has no activity 'B9999'");
	refuses(GOOD "  - {uid: 555000000002, role: R8001, organisation: RXH, from: 2026-01-01, activities: "
		     "[B0170, B0170]}\n",
		":7: role profile of 555000000002: activity B0170 stands twice");
	refuses(GOOD "  - {uid: 555000000002, role: R8001, organisation: RXH}\n",
		":7: key 'from' is missing");
	refuses(GOOD "  - uid: 555000000002\n    role: R8001\n    organisation: RXH\n    from: 2026-01-01\n  "
		     "  to: 2027-01-01\n",
		":11: unknown key 'to'");
}
END_TEST

START_TEST(refuses_periods_that_are_none)
{
	refuses(GOOD "  - {uid: 555000000002, role: R8001, organisation: RXH, from: 01/02/2026}\n",
		":7: role profile of 555000000002: from '01/02/2026' is not a date (YYYY-MM-DD) or a UTC "
		"time");
	refuses(GOOD "  - {uid: 555000000002, role: R8001, organisation: RXH, from: 2026-01-01, until: "
		     "2026-02-30}\n",
		":7: role profile of 555000000002: until '2026-02-30' is not a date (YYYY-MM-DD) or a UTC "
		"time");
	refuses(GOOD "  - {uid: 555000000002, role: R8001, organisation: RXH, from: 2026-01-01, until: "
		     "2026-01-01}\n",
		":7: role profile of 555000000002: until must be after from");
	refuses(GOOD "  - {uid: 555000000002, role: R8001, organisation: RXH, from: 1970-01-01, until: "
		     "1970-01-01}\n",
		":7: role profile of 555000000002: until must be after from");
}
END_TEST

START_TEST(refuses_one_role_held_twice_at_one_time)
{
	refuses(GOOD NURSE, ":7: role profile of 555000000001: role R8001 at RXH is held twice at one time");
	refuses(GOOD "  - {uid: 555000000001, role: R8001, organisation: RXH, from: 2026-06-01, until: "
		     "2026-07-01}\n",
		":7: role profile of 555000000001: role R8001 at RXH is held twice at one time");
	refuses(GOOD "  - {uid: 555000000001, role: R8001, organisation: RXH, from: 2025-01-01, until: "
		     "2026-01-02}\n",
		":7: role profile of 555000000001: role R8001 at RXH is held twice at one time");
	register_release(
		load(GOOD "  - {uid: 555000000001, role: R8001, organisation: RXH, from: 2025-01-01, until: "
			  "2026-01-01}\n"));
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

START_TEST(the_fingerprint_changes_with_any_file_and_only_then)
{
	struct authority_paths issued;
	char other[160];
	write_register(GOOD);
	uint64_t first = register_fingerprint(&paths);
	ck_assert_uint_ne(first, 0);
	ck_assert_uint_eq(register_fingerprint(&paths), first);
	write_register(GOOD "# more\n");
	uint64_t second = register_fingerprint(&paths);
	ck_assert_uint_ne(second, first);
	enrol("RXH", "new-system", 30, &issued);
	uint64_t third = register_fingerprint(&paths);
	ck_assert_uint_ne(third, second);
	snprintf(other, sizeof other, "%s/ignored.txt", enrolled_directory);
	ck_assert_int_eq(symlink(register_file, other), 0);
	ck_assert_uint_eq(register_fingerprint(&paths), third);
	snprintf(other, sizeof other, "%s/pki", directory);
	char detail[CERTS_DETAIL_BYTES];
	ck_assert_int_eq(authority_revoke(other, issued.certificate, now_ms, detail), CERTS_OK);
	ck_assert_uint_ne(register_fingerprint(&paths), third);
	// A dangling link is one more name, and hides nothing.
	uint64_t fourth = register_fingerprint(&paths);
	snprintf(other, sizeof other, "%s/dangling.pem", enrolled_directory);
	ck_assert_int_eq(symlink("nowhere", other), 0);
	ck_assert_uint_ne(register_fingerprint(&paths), 0);
	ck_assert_uint_ne(register_fingerprint(&paths), fourth);
	unlink(register_file);
	ck_assert_uint_eq(register_fingerprint(&paths), 0);
}
END_TEST

// ------------------------------------------------------------------ enrolled systems

START_TEST(an_enrolled_system_is_found_by_its_key)
{
	struct authority_paths issued, second;
	struct curve_key_pair key = enrol("RXH", "ward-system", 30, &issued);
	struct curve_key_pair other = enrol("383", "case-system", 30, &second);
	struct register_snapshot *snapshot = load(GOOD);
	const struct enrolled_system *system = register_system(snapshot, key.public_key);
	ck_assert_ptr_nonnull(system);
	ck_assert_int_eq(system->status, CERTS_OK);
	ck_assert_str_eq(system->identity.organisation, "RXH");
	ck_assert_str_eq(system->identity.name, "ward-system");
	uint8_t *der = NULL;
	size_t der_bytes = 0;
	ck_assert_int_eq(certificate_file_to_der(issued.certificate, &der, &der_bytes), CERTS_OK);
	ck_assert_uint_eq(system->certificate_bytes, der_bytes);
	ck_assert_mem_eq(system->certificate, der, der_bytes);
	free(der);
	system = register_system(snapshot, other.public_key);
	ck_assert_ptr_nonnull(system);
	ck_assert_str_eq(system->identity.organisation, "383");
	ck_assert_uint_eq(register_systems_count(snapshot), 2);
	key.public_key[0] ^= 1;
	ck_assert_ptr_null(register_system(snapshot, key.public_key));
	register_release(snapshot);
}
END_TEST

START_TEST(a_systems_standing_ends_with_its_certificate)
{
	struct authority_paths issued;
	struct curve_key_pair key = enrol("RXH", "ward-system", 10, &issued);
	struct register_snapshot *snapshot = load(GOOD);
	const struct enrolled_system *system = register_system(snapshot, key.public_key);
	ck_assert_ptr_nonnull(system);
	uint64_t end_ms = system->identity.not_after_ms, start_ms = system->identity.not_before_ms;
	ck_assert_int_eq(register_system_status(system, now_ms), CERTS_OK);
	ck_assert_int_eq(register_system_status(system, end_ms - 1), CERTS_OK);
	ck_assert_int_eq(register_system_status(system, end_ms), CERTS_EXPIRED);
	ck_assert_int_eq(register_system_status(system, start_ms), CERTS_OK);
	ck_assert_int_eq(register_system_status(system, start_ms - 1), CERTS_NOT_YET_VALID);
	register_release(snapshot);
	// Loading judges the same instants alike.
	snapshot = load_at(end_ms - 1);
	ck_assert_int_eq(register_system(snapshot, key.public_key)->status, CERTS_OK);
	register_release(snapshot);
	snapshot = load_at(end_ms);
	ck_assert_int_eq(register_system(snapshot, key.public_key)->status, CERTS_EXPIRED);
	ck_assert_ptr_null(register_system(snapshot, key.public_key)->certificate);
	ck_assert_int_eq(register_system_status(register_system(snapshot, key.public_key), now_ms),
			 CERTS_EXPIRED);
	ck_assert_uint_eq(register_systems_count(snapshot), 0);
	register_release(snapshot);
}
END_TEST

START_TEST(a_revoked_system_is_kept_with_its_status)
{
	struct authority_paths issued;
	char detail[CERTS_DETAIL_BYTES], pki[48];
	struct curve_key_pair key = enrol("RXH", "ward-system", 30, &issued);
	snprintf(pki, sizeof pki, "%s/pki", directory);
	ck_assert_int_eq(authority_revoke(pki, issued.certificate, now_ms, detail), CERTS_OK);
	struct register_snapshot *snapshot = load(GOOD);
	const struct enrolled_system *system = register_system(snapshot, key.public_key);
	ck_assert_ptr_nonnull(system);
	ck_assert_int_eq(system->status, CERTS_REVOKED);
	ck_assert_int_eq(register_system_status(system, now_ms), CERTS_REVOKED);
	ck_assert_str_eq(system->identity.name, "ward-system");
	ck_assert_uint_eq(register_systems_count(snapshot), 0);
	register_release(snapshot);
}
END_TEST

START_TEST(stale_revocation_lists_leave_no_system_good)
{
	struct authority_paths issued;
	struct curve_key_pair key = enrol("RXH", "ward-system", 365, &issued);
	write_register(GOOD);
	struct register_snapshot *snapshot = load_at(now_ms + 40 * DAY_MS);
	ck_assert_uint_eq(register_systems_count(snapshot), 0);
	ck_assert_ptr_null(register_system(snapshot, key.public_key));
	register_release(snapshot);
}
END_TEST

static char remarks[65536]; // a line each

static void note_remark(void *count, const char *sentence)
{
	(*(unsigned *)count)++;
	strcat(strcat(remarks, sentence), "\n");
}

static void expect_remarks(const struct register_snapshot *snapshot, unsigned number)
{
	unsigned count = 0;
	remarks[0] = '\0';
	register_remarks(snapshot, note_remark, &count);
	ck_assert_msg(count == number, "%s", remarks);
}

START_TEST(one_bad_certificate_does_not_stop_the_others)
{
	struct authority_paths issued, staff;
	char detail[CERTS_DETAIL_BYTES], pki[48];
	struct curve_key_pair key = enrol("RXH", "ward-system", 30, &issued);
	snprintf(pki, sizeof pki, "%s/pki", directory);
	ck_assert_int_eq(authority_issue_staff(pki, "555000000001", "Test Nurse", out_directory, "nurse", 30,
					       now_ms, &staff, detail),
			 CERTS_OK);
	write_register(GOOD);
	copy_into_enrolled(register_file, "not-a-certificate.pem");
	copy_into_enrolled(staff.certificate, "of-another-use.pem");
	copy_into_enrolled(register_file, ".hidden.pem");
	copy_into_enrolled(register_file, "no-ending");
	struct register_snapshot *snapshot = load_at(now_ms);
	static const uint8_t zero[KEY_BYTES] = {0};
	ck_assert_ptr_null(register_system(snapshot, zero));
	ck_assert_int_eq(register_system(snapshot, key.public_key)->status, CERTS_OK);
	ck_assert_uint_eq(register_systems_count(snapshot), 1);
	// Whoever put them there is told why.
	expect_remarks(snapshot, 2);
	ck_assert_ptr_nonnull(strstr(remarks, "/not-a-certificate.pem is not admitted: it cannot be read, or is no certificate\n"));
	ck_assert_ptr_nonnull(strstr(remarks, "/of-another-use.pem is not admitted: "));
	ck_assert_ptr_nonnull(strstr(remarks, "the certificate was not issued by the right authority"));
	register_release(snapshot);
}
END_TEST

START_TEST(more_bad_certificates_than_anybody_reads_are_counted)
{
	char name[32];
	write_register(GOOD);
	for (unsigned i = 0; i < REGISTER_REMARKS_MAX + 7; i++) {
		snprintf(name, sizeof name, "bad-%03u.pem", i);
		copy_into_enrolled(register_file, name);
	}
	struct register_snapshot *snapshot = load_at(now_ms);
	expect_remarks(snapshot, REGISTER_REMARKS_MAX + 1);
	ck_assert_ptr_nonnull(strstr(remarks, "and 7 more enrolled certificates\n"));
	register_release(snapshot);
}
END_TEST

// All but the one that is looked for are one empty file under other names, which is quick to read.
START_TEST(there_are_16384_certificates_and_not_one_more)
{
	struct authority_paths made;
	struct register_snapshot *snapshot = NULL;
	char first[128], path[128], detail[REGISTER_DETAIL_BYTES] = "", expected[REGISTER_DETAIL_BYTES];
	const struct curve_key_pair pair = enrol("RXH", "last", 30, &made);
	copy_into_enrolled("/dev/null", "a.pem");
	snprintf(first, sizeof first, "%s/a.pem", enrolled_directory);
	write_register(GOOD);
	for (unsigned i = 2; i < REGISTER_SYSTEMS_MAX; i++) {
		snprintf(path, sizeof path, "%s/b%05u.pem", enrolled_directory, i);
		ck_assert_int_eq(link(first, path), 0);
	}
	snapshot = load_at(now_ms);
	ck_assert_uint_eq(register_systems_count(snapshot), 1);
	ck_assert_ptr_nonnull(register_system(snapshot, pair.public_key));
	register_release(snapshot);
	snprintf(path, sizeof path, "%s/b.pem", enrolled_directory);
	ck_assert_int_eq(link(first, path), 0);
	snapshot = NULL;
	ck_assert(!register_load(&paths, policy, now_ms, &snapshot, detail));
	ck_assert_ptr_null(snapshot);
	snprintf(expected, sizeof expected, "%s: more than 16384 certificates", enrolled_directory);
	ck_assert_str_eq(detail, expected);
}
END_TEST

START_TEST(a_copy_of_a_certificate_is_no_second_one)
{
	struct authority_paths issued;
	struct curve_key_pair key = enrol("RXH", "ward-system", 30, &issued);
	copy_into_enrolled(issued.certificate, "copy.pem");
	copy_into_enrolled(issued.certificate, "aaa.pem");
	struct register_snapshot *snapshot = load(GOOD);
	ck_assert_int_eq(register_system(snapshot, key.public_key)->status, CERTS_OK);
	ck_assert_uint_eq(register_systems_count(snapshot), 1);
	register_release(snapshot);
}
END_TEST

START_TEST(two_good_certificates_with_one_key_are_both_off_profile)
{
	struct authority_paths issued;
	struct curve_key_pair key = enrol("RXH", "ward-system", 30, &issued);
	enrol_again(issued.certificate, "again.pem");
	struct register_snapshot *snapshot = load(GOOD);
	const struct enrolled_system *system = register_system(snapshot, key.public_key);
	ck_assert_ptr_nonnull(system);
	ck_assert_int_eq(system->status, CERTS_PROFILE);
	ck_assert_int_eq(register_system_status(system, now_ms), CERTS_PROFILE);
	ck_assert_uint_eq(register_systems_count(snapshot), 0);
	expect_remarks(snapshot, 1);
	ck_assert_ptr_nonnull(strstr(remarks, "RXH/ward-system and RXH/"));
	ck_assert_ptr_nonnull(strstr(remarks, "have certificates for one key: neither is admitted\n"));
	register_release(snapshot);
}
END_TEST

START_TEST(a_key_that_was_revoked_stays_so_under_another_certificate)
{
	struct authority_paths issued;
	char detail[CERTS_DETAIL_BYTES], pki[48];
	struct curve_key_pair key = enrol("RXH", "ward-system", 30, &issued);
	enrol_again(issued.certificate, "again.pem");
	snprintf(pki, sizeof pki, "%s/pki", directory);
	ck_assert_int_eq(authority_revoke(pki, issued.certificate, now_ms, detail), CERTS_OK);
	struct register_snapshot *snapshot = load(GOOD);
	ck_assert_int_eq(register_system(snapshot, key.public_key)->status, CERTS_REVOKED);
	// That is how it should be.
	expect_remarks(snapshot, 0);
	register_release(snapshot);
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

static void add_file_tests(TCase *file)
{
	tcase_add_test(file, organisations_are_found_by_code);
	tcase_add_test(file, an_empty_register_knows_nobody);
	tcase_add_test(file, the_shipped_example_loads);
	tcase_add_test(file, a_profile_is_of_one_person_role_and_organisation);
	tcase_add_test(file, a_profile_holds_from_its_first_instant_to_before_its_last);
	tcase_add_test(file, finds_each_of_many_profiles);
	tcase_add_test(file, what_is_asked_of_publications_has_defaults_and_bounds);
	tcase_add_test(file, refuses_bad_organisations_with_their_line);
	tcase_add_test(file, says_how_each_organisation_wants_to_be_told);
	tcase_add_test(file, refuses_inboxes_that_cannot_be_meant);
	tcase_add_test(file, whom_to_ring_in_an_incident_is_by_severity_and_in_the_order_of_the_file);
	tcase_add_test(file, refuses_incident_contacts_that_cannot_be_rung);
	tcase_add_test(file, training_has_a_date);
	tcase_add_test(file, a_range_is_found_from_its_first_to_its_last_number);
	tcase_add_test(file, a_full_register_is_read_and_one_organisation_or_range_more_is_refused);
	tcase_add_test(file, refuses_bad_answers_with_their_line);
	tcase_add_test(file, refuses_bad_role_profiles_with_their_line);
	tcase_add_test(file, refuses_periods_that_are_none);
	tcase_add_test(file, refuses_one_role_held_twice_at_one_time);
	tcase_add_test(file, refuses_a_register_that_cannot_be_read);
	tcase_add_test(file, refuses_a_broken_trust_bundle);
	tcase_add_test(file, refuses_an_enrolled_directory_that_is_not_there);
	tcase_add_test(file, the_fingerprint_changes_with_any_file_and_only_then);
}

static void add_system_tests(TCase *systems)
{
	tcase_add_test(systems, an_enrolled_system_is_found_by_its_key);
	tcase_add_test(systems, a_systems_standing_ends_with_its_certificate);
	tcase_add_test(systems, a_revoked_system_is_kept_with_its_status);
	tcase_add_test(systems, stale_revocation_lists_leave_no_system_good);
	tcase_add_test(systems, one_bad_certificate_does_not_stop_the_others);
	tcase_add_test(systems, more_bad_certificates_than_anybody_reads_are_counted);
	tcase_add_test(systems, there_are_16384_certificates_and_not_one_more);
	tcase_add_test(systems, a_copy_of_a_certificate_is_no_second_one);
	tcase_add_test(systems, two_good_certificates_with_one_key_are_both_off_profile);
	tcase_add_test(systems, a_key_that_was_revoked_stays_so_under_another_certificate);
	tcase_add_test(systems, a_snapshot_lives_as_long_as_somebody_holds_it);
}

int main(void)
{
	Suite *suite = suite_create("register");
	TCase *file = tcase_create("file"), *systems = tcase_create("systems");
	// Check gives 4 s; a full register takes ThreadSanitizer longer.
	tcase_set_timeout(file, 60);
	tcase_add_checked_fixture(file, make_authority, remove_authority);
	add_file_tests(file);
	suite_add_tcase(suite, file);
	tcase_add_checked_fixture(systems, make_authority, remove_authority);
	add_system_tests(systems);
	suite_add_tcase(suite, systems);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
