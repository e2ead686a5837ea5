// What one decision costs: the person's role profile looked up, the policy's checks made, the rule named. Over a policy
// of 10 to 100 roles, 300 activities and 50 care settings, and for ever more staff; beside SHA-256 of 64 bytes, in turns.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "broker/digest.h"
#include "broker/policy_priv.h"
#include "broker/roles.h"
#include "broker/vault.h"
#include "tests/bench/ending.h"
#include "tests/harness/enrolment.h"

#define ROLES_MAX 100u
#define ACTIVITIES 300u
#define ACTIVITIES_PER_ROLE 12u
#define SETTINGS 50u
#define REPEATS 9u
#define BATCH 2000u    // decisions between two looks at the clock
#define SAMPLES 100u   // batches in a repeat
#define QUESTIONS 4096u
#define STAFF_MAX 60000u

struct question {
	char uid[UID_DIGITS + 1];
	char role_code[ROLE_CODE_BYTES_MAX + 1];
	struct policy_question question;
};

static struct ods_code hospital;
static char directory[] = "/tmp/cpis-bench-decision-XXXXXX";

static void must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "bench_decision: %s\n", what);
	exit(1);
}

static double now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static uint64_t state = 1;
static unsigned roles_count; // of the policy

static unsigned below(unsigned bound)
{
	state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (unsigned)((state >> 33) % bound);
}

// ------------------------------------------------------------------ the policy

static struct policy *make_policy(void)
{
	static char text[65536];
	char detail[POLICY_DETAIL_BYTES] = "";
	struct policy *policy = NULL;
	FILE *out = fmemopen(text, sizeof text, "w");
	must(out != NULL, "memory");
	fputs("name: bench\nactivities:\n", out);
	for (unsigned i = 0; i < ACTIVITIES; i++)
		fprintf(out, "  - {code: L%04u, name: a%s}\n", i, i == 7 ? ", silent: true" : i == 8 ? ", break_glass: true" : "");
	fputs("roles:\n", out);
	for (unsigned i = 0; i < roles_count; i++) {
		fprintf(out, "  - {code: R%04u, name: r, activities: [", i);
		for (unsigned k = 0; k < ACTIVITIES_PER_ROLE; k++)
			fprintf(out, "%sL%04u", k == 0 ? "" : ", ", (i * 7 + k * 23) % ACTIVITIES);
		fprintf(out, "]%s%s}\n", i % 3 == 0 ? ", reason: required" : "", i % 4 == 0 ? ", hours: 07:00-20:00" : "");
	}
	fputs("care_settings:\n  - {name: ambulance, scheduled: false}\noperations:\n", out);
	fputs("  - {name: details, care_setting: required, break_glass: allowed, session_minutes: 720, person_per_minute: 60, "
	      "organisation_types: [care_provider], activities: [", out);
	// As if half of them were for looking.
	for (unsigned i = 0; i < ACTIVITIES; i += 2)
		fprintf(out, "%sL%04u", i == 0 ? "" : ", ", i);
	fputs("]}\n", out);
	fclose(out);
	must(policy_read((const uint8_t *)text, strlen(text), "bench", &policy, detail), detail);
	// The protocol does not have 50 care settings; a mask of them costs the same.
	for (unsigned i = 1; i <= SETTINGS; i++) {
		policy->care_settings |= UINT64_C(1) << i;
		if (i % 2 == 0)
			policy->scheduled |= UINT64_C(1) << i;
	}
	return policy;
}

static void make_questions(struct question *questions, unsigned staff)
{
	for (unsigned i = 0; i < QUESTIONS; i++) {
		unsigned person = below(staff);
		struct question *asked = &questions[i];
		memset(asked, 0, sizeof *asked);
		snprintf(asked->uid, sizeof asked->uid, "555%09u", person % 1000000000u);
		snprintf(asked->role_code, sizeof asked->role_code, "R%04u", person % roles_count);
		asked->question = (struct policy_question){
			.operation = CPIS__V1__OPERATION__DETAILS,
			.organisation_type = ORGANISATION_CARE_PROVIDER,
			.role_code = asked->role_code,
			.organisation_care_settings = (UINT64_C(1) << (SETTINGS + 1)) - 2,
			.care_setting = (Cpis__V1__CareSetting)(1 + below(SETTINGS)),
			.access_type = (Cpis__V1__AccessType)(1 + below(2)),
			.reason_stated = below(2) == 0,
			.break_glass = below(20) == 0,
			.session_age_ms = below(12 * 3600) * 1000u,
			.now_ms = UINT64_C(1792488600000) + below(86400) * UINT64_C(1000),
		};
	}
}

// ------------------------------------------------------------------ the staff

static void add_staff(struct roles *roles, struct store *store, unsigned from, unsigned until)
{
	struct arena arena;
	must(arena_init(&arena, ARENA_BYTES), "memory");
	must(store->ops->begin(store) == STORE_OK, "begin");
	for (unsigned i = from; i < until; i++) {
		char uid[UID_DIGITS + 1], role[ROLE_CODE_BYTES_MAX + 1];
		bool replaced;
		Cpis__Stored__V1__StoredRole row = CPIS__STORED__V1__STORED_ROLE__INIT;
		snprintf(uid, sizeof uid, "555%09u", i % 1000000000u);
		snprintf(role, sizeof role, "R%04u", i % roles_count);
		row.uid = uid;
		row.role_code = role;
		row.organisation = hospital.text;
		row.from_ms = 1;
		arena_reset(&arena);
		must(roles_put(roles, &arena, &row, &replaced) == STORE_OK, "role");
	}
	must(store->ops->commit(store) == STORE_OK, "commit");
	arena_done(&arena);
}

// ------------------------------------------------------------------ measuring

static volatile unsigned sink;

static void decide(const struct policy *policy, const struct roles *roles, const struct register_snapshot *snapshot,
		   struct question *asked)
{
	char rule[POLICY_RULE_BYTES];
	const struct role_profile *profile = roles_find(roles, snapshot, asked->uid, asked->role_code, &hospital,
							asked->question.now_ms);
	must(profile != NULL, "a person has lost their role");
	asked->question.additional = profile->additional;
	struct policy_decision decision = policy_decide(policy, &asked->question);
	policy_rule_text(policy, &asked->question, &decision, rule);
	sink += (unsigned)decision.reason + (unsigned char)rule[0];
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static double median(double *values, unsigned count)
{
	qsort(values, count, sizeof values[0], by_value);
	return values[count / 2];
}

static double measure_decisions(const struct policy *policy, const struct roles *roles,
				const struct register_snapshot *snapshot, struct question *questions)
{
	static double samples[SAMPLES];
	unsigned next = 0;
	for (unsigned i = 0; i < SAMPLES; i++) {
		double start = now_ns();
		for (unsigned k = 0; k < BATCH; k++)
			decide(policy, roles, snapshot, &questions[next++ % QUESTIONS]);
		samples[i] = (now_ns() - start) / BATCH;
	}
	return median(samples, SAMPLES);
}

static double measure_hash(void)
{
	static double samples[SAMPLES];
	uint8_t bytes[64] = {1}, digest[HASH_BYTES];
	for (unsigned i = 0; i < SAMPLES; i++) {
		double start = now_ns();
		for (unsigned k = 0; k < BATCH; k++) {
			digest_sha256(bytes, sizeof bytes, digest);
			bytes[0] ^= digest[0];
		}
		samples[i] = (now_ns() - start) / BATCH;
	}
	sink += bytes[0];
	return median(samples, SAMPLES);
}

static json_t *row_of(const char *name, unsigned staff, const struct policy *policy, const struct roles *roles,
		      const struct register_snapshot *snapshot)
{
	static struct question questions[QUESTIONS];
	double decision[REPEATS], hash[REPEATS], ratio[REPEATS];
	make_questions(questions, staff);
	for (unsigned i = 0; i < REPEATS; i++) {
		decision[i] = measure_decisions(policy, roles, snapshot, questions);
		hash[i] = measure_hash();
		ratio[i] = decision[i] / hash[i];
	}
	double spread_low, spread_high, middle = median(ratio, REPEATS);
	spread_low = ratio[0];
	spread_high = ratio[REPEATS - 1];
	double ns = median(decision, REPEATS);
	printf("%-22s median %5.0f ns, %.2f of SHA-256 of 64 bytes (%.0f ns) [%.2f-%.2f]\n", name, ns, middle,
	       median(hash, REPEATS), spread_low, spread_high);
	fflush(stdout);
	return json_pack("{s:s, s:f, s:f}", "name", name, "p50_us", ns / 1000, "ratio_to_sha256", middle);
}

// Rows for so many roles and each number of staff, from the fewest on; named after what grows.
static void measure(json_t *rows, const char *grows, unsigned roles_wanted, const unsigned *steps, unsigned steps_count)
{
	char path[128], name[48], detail[400] = "";
	struct vault *vault = NULL;
	struct store *store = NULL;
	struct roles *roles = NULL;
	struct enrolment *enrolment = enrolment_new();
	roles_count = roles_wanted;
	struct policy *policy = make_policy();
	snprintf(path, sizeof path, "%s/key-%s-%u", directory, grows, roles_wanted);
	must(vault_create_key(path, detail) && vault_open_key(path, &vault, detail), detail);
	snprintf(path, sizeof path, "%s/store-%s-%u.db", directory, grows, roles_wanted);
	must(store_sqlite_open(path, &store, detail) == STORE_OK, detail);
	must(roles_new(store, vault, policy, &roles), "memory");
	for (unsigned i = 0, before = 0; i < steps_count; i++) {
		add_staff(roles, store, before, steps[i]);
		before = steps[i];
		snprintf(name, sizeof name, "decision_%s_%u", grows, strcmp(grows, "roles") == 0 ? roles_wanted : steps[i]);
		json_array_append_new(rows, row_of(name, steps[i], policy, roles, enrolment->snapshot));
	}
	roles_free(roles);
	store->ops->close(store);
	vault_free(vault);
	policy_free(policy);
	enrolment_free(enrolment);
}

int main(int argc, char **argv)
{
	static const unsigned staff[] = {100, 1000, 10000, STAFF_MAX}, roles[] = {10, 30, ROLES_MAX};
	if (argc != 2) {
		fprintf(stderr, "usage: bench_decision REPORT.json\n");
		return 1;
	}
	must(mkdtemp(directory) != NULL, "no directory");
	ending_removes(directory);
	must(ods_code_parse("RXH", 3, &hospital), "ODS code");
	json_t *rows = json_array();
	for (unsigned i = 0; i < sizeof roles / sizeof roles[0]; i++)
		measure(rows, "roles", roles[i], &staff[1], 1);
	measure(rows, "staff", ROLES_MAX, staff, sizeof staff / sizeof staff[0]);
	json_t *report = json_pack("{s:o}", "rows", rows);
	int failed = json_dump_file(report, argv[1], JSON_INDENT(2));
	json_decref(report);
	return failed != 0;
}
