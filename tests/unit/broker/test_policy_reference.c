// policy_decide against a second, plain reading of the policy: lists of words as they stand in the file, no
// masks. Random questions over the shipped policy and over generated ones; CPIS_TEST_SEED=n repeats a run.
#include "broker/policy.h"

#include <check.h>
#include <cyaml/cyaml.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "proto/wire.h"

#define SHIPPED "broker/policy.yaml"
#define SHIPPED_QUESTIONS 1000000u
#define GENERATED_POLICIES 20
#define GENERATED_QUESTIONS 50000u // for each
#define WORDS_MAX 16u // of a question
#define CODES_MAX 512u // activities of a policy
#define UNNAMED CPIS__V1__CARE_SETTING__CARE_SETTING_UNSPECIFIED
#define SCHEDULED CPIS__V1__ACCESS_TYPE__SCHEDULED
#define UNSCHEDULED CPIS__V1__ACCESS_TYPE__UNSCHEDULED

// ------------------------------------------------------------------ the policy as it stands in the file

struct activity {
	char *code, *name, *silent, *break_glass;
};

struct role {
	char *code, *name, *reason, *hours, *days;
	char **activities;
	unsigned activities_count;
};

struct setting {
	char *name, *scheduled;
};

struct operation {
	char *name;
	char **activities;
	unsigned activities_count;
	char **organisation_types;
	unsigned organisation_types_count;
	char *care_setting, *signature, *break_glass, *session_minutes, *person_per_minute, *system_per_minute;
};

struct reference {
	char *name;
	struct activity *activities;
	unsigned activities_count;
	struct role *roles;
	unsigned roles_count;
	struct setting *care_settings;
	unsigned care_settings_count;
	struct operation *operations;
	unsigned operations_count;
};

#define TEXT(key, structure, flags)                                                                  \
	CYAML_FIELD_STRING_PTR(#key, CYAML_FLAG_POINTER | (flags), struct structure, key, 0, CYAML_UNLIMITED)
#define LIST(key, structure, value, flags)                                                           \
	CYAML_FIELD_SEQUENCE(#key, CYAML_FLAG_POINTER | (flags), struct structure, key, value, 0, CYAML_UNLIMITED)
#define ENTRY(structure) CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct structure, structure##_fields)

static const cyaml_schema_value_t word = {CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 0, CYAML_UNLIMITED)};
static const cyaml_schema_field_t activity_fields[] = {
	TEXT(code, activity, 0),
	TEXT(name, activity, 0),
	TEXT(silent, activity, CYAML_FLAG_OPTIONAL),
	TEXT(break_glass, activity, CYAML_FLAG_OPTIONAL),
	CYAML_FIELD_END,
};
static const cyaml_schema_field_t role_fields[] = {
	TEXT(code, role, 0),
	TEXT(name, role, 0),
	LIST(activities, role, &word, 0),
	TEXT(reason, role, CYAML_FLAG_OPTIONAL),
	TEXT(hours, role, CYAML_FLAG_OPTIONAL),
	TEXT(days, role, CYAML_FLAG_OPTIONAL),
	CYAML_FIELD_END,
};
static const cyaml_schema_field_t setting_fields[] = {
	TEXT(name, setting, 0),
	TEXT(scheduled, setting, 0),
	CYAML_FIELD_END,
};
static const cyaml_schema_field_t operation_fields[] = {
	TEXT(name, operation, 0),
	LIST(activities, operation, &word, CYAML_FLAG_OPTIONAL),
	LIST(organisation_types, operation, &word, CYAML_FLAG_OPTIONAL),
	TEXT(care_setting, operation, CYAML_FLAG_OPTIONAL),
	TEXT(signature, operation, CYAML_FLAG_OPTIONAL),
	TEXT(break_glass, operation, CYAML_FLAG_OPTIONAL),
	TEXT(session_minutes, operation, CYAML_FLAG_OPTIONAL),
	TEXT(person_per_minute, operation, CYAML_FLAG_OPTIONAL),
	TEXT(system_per_minute, operation, CYAML_FLAG_OPTIONAL),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t activity_entry = {ENTRY(activity)}, role_entry = {ENTRY(role)},
				  setting_entry = {ENTRY(setting)}, operation_entry = {ENTRY(operation)};
static const cyaml_schema_field_t reference_fields[] = {
	TEXT(name, reference, 0),
	LIST(activities, reference, &activity_entry, 0),
	LIST(roles, reference, &role_entry, 0),
	LIST(care_settings, reference, &setting_entry, 0),
	LIST(operations, reference, &operation_entry, 0),
	CYAML_FIELD_IGNORE("examples", CYAML_FLAG_OPTIONAL),
	CYAML_FIELD_IGNORE("detection", CYAML_FLAG_OPTIONAL),
	CYAML_FIELD_IGNORE("sampling", CYAML_FLAG_OPTIONAL),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t reference_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct reference, reference_fields),
};
static const cyaml_config_t cyaml_config = {
	.log_fn = cyaml_log,
	.mem_fn = cyaml_mem,
	.log_level = CYAML_LOG_WARNING,
};

// ------------------------------------------------------------------ the decision, read off the words

struct question {
	const char *operation, *organisation_type, *role;
	const char *granted[WORDS_MAX];
	unsigned granted_count;
	const char *provided[WORDS_MAX]; // the organisation's care settings
	unsigned provided_count;
	const char *care_setting; // NULL: not named
	bool scheduled; // asked for as such
	bool reason, broken; // stated; the glass is
	unsigned session_minutes; // begun ones
	unsigned minute; // of the day in England
	bool weekend;
};

struct answer {
	const char *refusal; // NULL: allowed
	const char *care_setting; // as it counts, for a look that is allowed
	bool look, silent, notify, contradiction, signature;
	unsigned person, system; // a minute
};

static bool is(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

static bool among(const char *const *words, unsigned count, const char *wanted)
{
	for (unsigned i = 0; i < count; i++) {
		if (is(words[i], wanted))
			return true;
	}
	return false;
}

static bool holds(const struct role *role, const struct question *question, const char *activity)
{
	return among((const char *const *)role->activities, role->activities_count, activity) ||
	       among(question->granted, question->granted_count, activity);
}

static const struct operation *find_operation(const struct reference *policy, const char *name)
{
	for (unsigned i = 0; i < policy->operations_count; i++) {
		if (is(policy->operations[i].name, name))
			return &policy->operations[i];
	}
	return NULL;
}

static const struct role *find_role(const struct reference *policy, const char *code)
{
	for (unsigned i = 0; i < policy->roles_count; i++) {
		if (is(policy->roles[i].code, code))
			return &policy->roles[i];
	}
	return NULL;
}

static const struct setting *find_setting(const struct reference *policy, const char *name)
{
	for (unsigned i = 0; i < policy->care_settings_count; i++) {
		if (is(policy->care_settings[i].name, name))
			return &policy->care_settings[i];
	}
	return NULL;
}

static struct answer refuse(const char *reason)
{
	return (struct answer){.refusal = reason};
}

static unsigned number(const char *text)
{
	return text == NULL ? 0 : (unsigned)atoi(text);
}

static bool is_too_old(const struct operation *operation, const struct question *question)
{
	return operation->session_minutes != NULL && question->session_minutes > number(operation->session_minutes);
}

static bool is_at_work(const struct role *role, const struct question *question)
{
	if (role->hours == NULL)
		return true;
	if (is(role->days, "weekdays") && question->weekend)
		return false;
	unsigned from = number(role->hours) * 60 + number(role->hours + 3);
	unsigned until = number(role->hours + 6) * 60 + number(role->hours + 9);
	// Minute by minute from the beginning to the end, over midnight if need be.
	for (unsigned minute = from; minute != until; minute = (minute + 1) % (24 * 60)) {
		if (minute == question->minute)
			return true;
	}
	return false;
}

static struct answer answer_look(const struct reference *policy, const struct question *question,
				 const struct operation *operation, const struct role *role)
{
	const char *name = question->care_setting;
	if (is(role->reason, "required") && !question->reason)
		return refuse("reason_needed");
	if (name == NULL && question->provided_count > 1)
		return refuse("care_setting_needed");
	if (name == NULL && question->provided_count == 1)
		name = question->provided[0];
	const struct setting *setting = find_setting(policy, name);
	if (setting == NULL || !among(question->provided, question->provided_count, name))
		return refuse("care_setting_not_in_scope");
	// Its own, and what the person was granted.
	bool may_be_silent = false;
	for (unsigned i = 0; i < policy->activities_count; i++) {
		if (is(policy->activities[i].silent, "true") && holds(role, question, policy->activities[i].code))
			may_be_silent = true;
	}
	struct answer answer = {.care_setting = name, .look = true};
	answer.signature = is(operation->signature, "required");
	answer.silent = question->scheduled && is(setting->scheduled, "true") && may_be_silent;
	if (is(operation->name, "details")) {
		answer.notify = !answer.silent;
		answer.contradiction = question->scheduled && !answer.silent;
	}
	return answer;
}

// A look with the glass broken: neither activity nor hours nor the setting's scope are asked about.
static struct answer answer_broken(const struct reference *policy, const struct question *question,
				   const struct operation *operation, const struct role *role)
{
	bool may = false;
	for (unsigned i = 0; i < policy->activities_count; i++) {
		if (is(policy->activities[i].break_glass, "true") && holds(role, question, policy->activities[i].code))
			may = true;
	}
	if (!may || !is(operation->break_glass, "allowed"))
		return refuse("break_glass_not_allowed");
	if (is_too_old(operation, question))
		return refuse("session_too_old");
	if (!question->reason)
		return refuse("reason_needed");
	if (question->care_setting == NULL && question->provided_count != 1)
		return refuse("care_setting_needed");
	return (struct answer){
		.look = true,
		.care_setting = question->care_setting != NULL ? question->care_setting : question->provided[0],
		.notify = true,
		.contradiction = question->scheduled,
		.signature = true,
	};
}

// Beside ping.
static bool is_roleless(const char *name)
{
	return is(name, "session_open") || is(name, "session_close") || is(name, "enrol") || is(name, "audit_consistency") ||
	       is(name, "checkpoint_exchange");
}

static struct answer answer_asked(const struct reference *policy, const struct question *question)
{
	const struct operation *operation = find_operation(policy, question->operation);
	if (operation == NULL)
		return refuse("operation_not_in_policy");
	if (is(operation->name, "ping") || is_roleless(operation->name))
		return (struct answer){0};
	if (!among((const char *const *)operation->organisation_types, operation->organisation_types_count,
		   question->organisation_type))
		return refuse("organisation_type");
	const struct role *role = find_role(policy, question->role);
	if (role == NULL)
		return refuse("role_not_in_policy");
	if (question->broken)
		return answer_broken(policy, question, operation, role);
	bool may = false;
	for (unsigned i = 0; i < operation->activities_count; i++) {
		if (holds(role, question, operation->activities[i]))
			may = true;
	}
	if (!may)
		return refuse("role_lacks_activity");
	if (!is_at_work(role, question))
		return refuse("outside_hours");
	if (is_too_old(operation, question))
		return refuse("session_too_old");
	if (is(operation->care_setting, "required"))
		return answer_look(policy, question, operation, role);
	return (struct answer){.signature = is(operation->signature, "required")};
}

static struct answer answer_question(const struct reference *policy, const struct question *question)
{
	struct answer answer = answer_asked(policy, question);
	const struct operation *operation = find_operation(policy, question->operation);
	if (answer.refusal == NULL) {
		answer.person = number(operation->person_per_minute);
		answer.system = number(operation->system_per_minute);
	}
	return answer;
}

// ------------------------------------------------------------------ chance

static uint64_t seed, state;

// splitmix64
static uint64_t next_random(void)
{
	uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static unsigned below(unsigned bound)
{
	return (unsigned)(next_random() % bound);
}

static void take_seed(void)
{
	const char *given = getenv("CPIS_TEST_SEED");
	if (given != NULL)
		seed = strtoull(given, NULL, 10);
	else if (getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed)
		exit(EXIT_FAILURE);
	printf("seed %" PRIu64 " (repeat with CPIS_TEST_SEED)\n", seed);
	fflush(stdout);
}

// ------------------------------------------------------------------ one policy, read twice

static struct policy *policy;
static struct reference *reference;

static void load(const char *path)
{
	char detail[POLICY_DETAIL_BYTES] = "";
	ck_assert_msg(policy_load(path, &policy, detail), "seed %" PRIu64 ": %s", seed, detail);
	cyaml_data_t *data = NULL;
	ck_assert_int_eq(cyaml_load_file(path, &cyaml_config, &reference_schema, &data, NULL), CYAML_OK);
	reference = data;
}

static void tear_down(void)
{
	cyaml_free(&cyaml_config, &reference_schema, reference, 0);
	policy_free(policy);
}

// ------------------------------------------------------------------ questions

struct named {
	const char *word;
	int number;
};

// cpis.v1's, and what is none of them.
static const struct named operations[] = {
	{"unspecified", 0},        {"ping", 1},            {"session_open", 2},     {"flag", 3},
	{"details", 4},            {"publish", 5},         {"inbox_list", 6},       {"inbox_acknowledge", 7},
	{"audit_search", 8},       {"audit_show", 9},      {"quarantine_set", 10},  {"quarantine_lift", 11},
	{"quarantine_list", 12},   {"role_grant", 13},        {"role_end", 14},        {"role_list", 15},
	{"explain", 16},           {"policy_load", 17},    {"policy_show", 18},     {"alert_list", 19},
	{"alert_review", 20},      {"enrol", 21},          {"enrol_invite", 22},    {"enrol_list", 23},
	{"enrol_withdraw", 24},
	{"publication_open", 25},
	{"publication_records", 26},
	{"publication_commit", 27},
	{"publication_show", 28},
	{"contacts_set", 29},
	{"contacts_show", 30},
	{"data_quality", 31},
	{"inbox_take", 32},
	{"enquiry_send", 33},
	{"enquiry_answer", 34},
	{"not_brought_send", 35},
	{"responder_register", 36},
	{"responder_take", 37},
	{"responder_answer", 38},
	{"responder_announce", 39},
	{"audit_consistency", 40},
	{"alert_show", 41},
	{"alert_assign", 42},
	{"alert_note", 43},
	{"alert_close", 44},
	{"checkpoint_exchange", 45},
	{"retention_show", 46},
	{"retention_hold", 47},
	{"retention_release", 48},
	{"session_close", 49},
	{"operations_show", 50},
	{"extract_read", 51},
	{"no_operation", 63},   {"no_operation", 64},    {"no_operation", -1},
	// Looks have the most conditions.
	{"flag", 3},               {"details", 4},         {"flag", 3},             {"details", 4},
	{"details", 4},            {"details", 4},         {"details", 4},          {"details", 4},
	{"details", 4},            {"details", 4},         {"details", 4},          {"details", 4},
	{"details", 4},            {"details", 4},         {"details", 4},          {"details", 4},
	{"details", 4},            {"details", 4},         {"details", 4},          {"details", 4},
	{"details", 4},            {"details", 4},         {"details", 4},          {"details", 4},
	{"details", 4},            {"details", 4},         {"details", 4},          {"details", 4},
	{"details", 4},            {"details", 4},         {"details", 4},          {"details", 4},
	{"details", 4},            {"details", 4},         {"details", 4},          {"details", 4},
	{"details", 4},            {"details", 4},         {"details", 4},          {"details", 4},
	{"details", 4},            {"details", 4},         {"details", 4},          {"details", 4},
	{"details", 4},            {"details", 4},         {"details", 4},          {"details", 4},
	{"details", 4},            {"details", 4},         {"details", 4},          {"details", 4},
	{"details", 4},            {"details", 4},         {"details", 4},          {"details", 4},
	{"details", 4},            {"details", 4},         {"details", 4},          {"details", 4},
	{"details", 4},            {"details", 4},         {"details", 4},          {"details", 4},
};
static const struct named settings[] = {
	{"emergency_department", 1}, {"walk_in_centre", 2},  {"minor_injury_unit", 3},      {"gp_out_of_hours", 4},
	{"nhs_111", 5},              {"ambulance", 6},       {"maternity", 7},              {"paediatric_ward", 8},
	{"gp_in_hours", 20},         {"mental_health", 21},  {"sexual_health", 22},         {"school_nursing", 23},
	{"community_paediatrics", 24}, {"dentistry", 25},    {"social_care", 40},           {"no_setting_30", 30},
	{"no_setting_63", 63},
};
static const struct named types[] = {
	{"care_provider", ORGANISATION_CARE_PROVIDER},
	{"care_provider", ORGANISATION_CARE_PROVIDER},
	{"local_authority", ORGANISATION_LOCAL_AUTHORITY},
	{"national_body", ORGANISATION_NATIONAL_BODY},
};
#define COUNT(array) ((unsigned)(sizeof(array) / sizeof(array)[0]))
#define ANY(array) (&(array)[below(COUNT(array))])

// Monday 00:00 in England, in winter and in summer.
static const uint64_t mondays_ms[] = {UINT64_C(1767571200000), UINT64_C(1783292400000)};

// How and when it is asked.
static void draw_manner(struct question *words, struct policy_question *numbers)
{
	bool look = is(words->operation, "flag") || is(words->operation, "details");
	unsigned day = below(7), minute = below(24 * 60), session = below(4) == 0 ? 1 + below(800) : below(3);
	words->reason = numbers->reason_stated = look && below(2) == 0;
	words->broken = numbers->break_glass = look && below(4) == 0;
	words->minute = minute;
	words->weekend = day >= 5;
	numbers->now_ms = *ANY(mondays_ms) + (day * UINT64_C(1440) + minute) * 60000 + below(60000);
	// A session of 60 minutes is one of 60; a millisecond more begins the next.
	words->session_minutes = session;
	numbers->session_age_ms = session == 0 ? 0 : session * UINT64_C(60000) - below(60000);
}

// The same question in words and in the policy's own terms.
static void draw(struct question *words, struct policy_question *numbers)
{
	static const Cpis__V1__AccessType accesses[] = {UNSCHEDULED, SCHEDULED, SCHEDULED,
							CPIS__V1__ACCESS_TYPE__ACCESS_TYPE_UNSPECIFIED};
	const struct named *operation = ANY(operations), *type = ANY(types);
	*words = (struct question){.operation = operation->word, .organisation_type = type->word};
	*numbers = (struct policy_question){.operation = (Cpis__V1__Operation)operation->number,
					    .organisation_type = (enum organisation_type)type->number,
					    .access_type = *ANY(accesses)};
	words->scheduled = numbers->access_type == SCHEDULED;
	draw_manner(words, numbers);
	words->role = below(16) == 0 ? "R0000" : reference->roles[below(reference->roles_count)].code;
	numbers->role_code = words->role;
	for (unsigned left = below(2) * below(4); left > 0; left--) {
		const char *code = reference->activities[below(reference->activities_count)].code;
		words->granted[words->granted_count++] = code;
		(void)!policy_activity(policy, code, &numbers->additional);
	}
	static const unsigned provided_counts[] = {0, 1, 1, 1, 2, 3, 8};
	for (unsigned left = *ANY(provided_counts); left > 0; left--) {
		const struct named *setting = ANY(settings);
		if (among(words->provided, words->provided_count, setting->word))
			continue;
		words->provided[words->provided_count++] = setting->word;
		numbers->organisation_care_settings |= UINT64_C(1) << setting->number;
	}
	unsigned way = below(4);
	if (way == 0)
		return; // not named
	const struct named *setting = ANY(settings);
	while (way > 1 && words->provided_count > 0 && !among(words->provided, words->provided_count, setting->word))
		setting = ANY(settings);
	words->care_setting = setting->word;
	numbers->care_setting = (Cpis__V1__CareSetting)setting->number;
}

static int setting_number(const char *name)
{
	for (unsigned i = 0; i < COUNT(settings); i++) {
		if (is(settings[i].word, name))
			return settings[i].number;
	}
	return UNNAMED;
}

static bool agree(const struct answer *answer, const struct policy_question *question,
		  const struct policy_decision *decision)
{
	const char *refusal = answer->refusal == NULL ? "" : answer->refusal;
	int setting = answer->look ? setting_number(answer->care_setting) : (int)question->care_setting;
	Cpis__V1__AccessType access = !answer->look   ? question->access_type
				      : answer->silent ? SCHEDULED : UNSCHEDULED;
	return strcmp(reason_word(decision->reason), refusal) == 0 && (int)decision->care_setting == setting &&
	       decision->access_type == access && decision->notify == answer->notify &&
	       decision->contradiction == answer->contradiction &&
	       decision->person_per_minute == answer->person && decision->system_per_minute == answer->system &&
	       // What must be signed is of no account when it is refused.
	       (answer->refusal != NULL || decision->signed_act == answer->signature);
}

static struct {
	unsigned allowed, refused, silent, notify, contradiction, signature, broken, hours, old, unreasoned;
} seen;

static void count(const struct question *question, const struct answer *answer)
{
	seen.broken += question->broken && answer->refusal == NULL;
	seen.hours += is(answer->refusal, "outside_hours");
	seen.old += is(answer->refusal, "session_too_old");
	seen.unreasoned += is(answer->refusal, "reason_needed");
	seen.allowed += answer->refusal == NULL;
	seen.refused += answer->refusal != NULL;
	seen.silent += answer->silent;
	seen.notify += answer->notify;
	seen.contradiction += answer->contradiction;
	seen.signature += answer->signature;
}

static void compare(unsigned questions)
{
	for (unsigned i = 0; i < questions; i++) {
		struct question words;
		struct policy_question numbers;
		draw(&words, &numbers);
		struct answer answer = answer_question(reference, &words);
		struct policy_decision decision = policy_decide(policy, &numbers);
		// check notes each assertion; a million are slow.
		if (agree(&answer, &numbers, &decision)) {
			count(&words, &answer);
			continue;
		}
		ck_abort_msg("seed %" PRIu64 ", question %u: %s, %s, %s, care setting %s of %u, access type %d: "
			     "%s%s and not %s, care setting %d, access type %d, notify %d",
			     seed, i, words.operation, words.organisation_type, words.role,
			     words.care_setting == NULL ? "not named" : words.care_setting, words.provided_count,
			     (int)numbers.access_type, answer.refusal == NULL ? "allowed" : answer.refusal,
			     answer.silent ? ", silent" : "", reason_word(decision.reason),
			     (int)decision.care_setting, (int)decision.access_type, decision.notify);
	}
}

// ------------------------------------------------------------------ generated policies

// From `least` to `most` of `words`, each once.
static void write_words(FILE *file, const char *key, const struct named *words, unsigned words_count,
			unsigned least, unsigned most)
{
	bool taken[CODES_MAX] = {false};
	unsigned wanted = least + below(most - least + 1);
	fprintf(file, ", %s: [", key);
	for (unsigned written = 0; written < wanted;) {
		unsigned choice = below(words_count);
		if (taken[choice])
			continue;
		taken[choice] = true;
		fprintf(file, "%s%s", written++ == 0 ? "" : ", ", words[choice].word);
	}
	fprintf(file, "]");
}

static void write_bound(FILE *file, bool roleless, const char *key, unsigned max)
{
	if (!roleless && below(3) == 0)
		fprintf(file, ", %s: %u", key, 1 + below(max));
}

static void write_operations(FILE *file, const struct named *codes, unsigned codes_count)
{
	fprintf(file, "operations:\n  - {name: ping}\n");
	for (unsigned i = 2; i <= 24; i++) {
		bool roleless = is_roleless(operations[i].word);
		bool look = is(operations[i].word, "flag") || is(operations[i].word, "details");
		if (below(look ? 16 : 5) == 0)
			continue;
		fprintf(file, "  - {name: %s", operations[i].word);
		if (!roleless) {
			write_words(file, "activities", codes, codes_count, 1, codes_count < 4 ? codes_count : 4);
			write_words(file, "organisation_types", types + 1, 3, 1, 3);
		}
		fprintf(file, "%s%s%s", look ? ", care_setting: required" : "",
			!roleless && below(3) == 0 ? ", signature: required" : "",
			is(operations[i].word, "details") && below(4) > 0 ? ", break_glass: allowed" : "");
		write_bound(file, roleless, "session_minutes", 720);
		write_bound(file, roleless, "person_per_minute", 1000000);
		write_bound(file, roleless, "system_per_minute", 1000000);
		fprintf(file, "}\n");
	}
}

static void write_policy(FILE *file)
{
	char texts[CODES_MAX][8];
	struct named codes[CODES_MAX];
	unsigned codes_count = 1 + below(below(2) == 0 ? 16 : CODES_MAX), roles = 1 + below(256);
	fprintf(file, "name: generated\nactivities:\n");
	for (unsigned i = 0; i < codes_count; i++) {
		snprintf(texts[i], sizeof texts[i], "L%04u", i * 7 % CODES_MAX);
		codes[i].word = texts[i];
		fprintf(file, "  - {code: %s, name: Activity%s%s}\n", texts[i], below(8) == 0 ? ", silent: true" : "",
			below(8) == 0 ? ", break_glass: true" : "");
	}
	fprintf(file, "roles:\n");
	// Not in the order of their codes; 101 and 1000 have no divisor in common.
	for (unsigned i = 0; i < roles; i++) {
		fprintf(file, "  - {code: R%04u, name: Role", 1 + i * 101 % 1000);
		write_words(file, "activities", codes, codes_count, 0, codes_count < 8 ? codes_count : 8);
		unsigned from = below(1440), until = (from + 1 + below(1439)) % 1440;
		if (below(3) == 0)
			fprintf(file, ", hours: %02u:%02u-%02u:%02u%s", from / 60, from % 60, until / 60, until % 60,
				below(2) == 0 ? ", days: weekdays" : "");
		fprintf(file, "%s}\n", below(3) == 0 ? ", reason: required" : "");
	}
	fprintf(file, "care_settings:\n  - {name: ambulance, scheduled: false}\n");
	for (unsigned i = 0; settings[i].number != 30; i++) {
		if (!is(settings[i].word, "ambulance") && below(5) > 0)
			fprintf(file, "  - {name: %s, scheduled: %s}\n", settings[i].word,
				below(2) == 0 ? "true" : "false");
	}
	write_operations(file, codes, codes_count);
}

// ------------------------------------------------------------------ the tests

START_TEST(agrees_with_the_reference_on_the_shipped_policy)
{
	state = seed;
	load(SHIPPED);
	compare(SHIPPED_QUESTIONS);
	printf("%u questions: %u allowed, %u refused, %u silent, %u notify, %u contradictions, %u signed, %u by breaking "
	       "the glass, %u without a reason, %u with an old session\n",
	       SHIPPED_QUESTIONS, seen.allowed, seen.refused, seen.silent, seen.notify, seen.contradiction,
	       seen.signature, seen.broken, seen.unreasoned, seen.old);
	fflush(stdout);
	ck_assert(seen.allowed > 1000 && seen.refused > 1000 && seen.silent > 1000 && seen.notify > 1000 &&
		  seen.contradiction > 1000 && seen.signature > 1000 && seen.broken > 100 && seen.unreasoned > 1000 && seen.old > 100);
}
END_TEST

START_TEST(agrees_with_the_reference_on_a_generated_policy)
{
	char directory[] = "/tmp/cpis-policy-reference-XXXXXX", path[64];
	state = seed + (uint64_t)_i + 1;
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(path, sizeof path, "%s/policy.yaml", directory);
	FILE *file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	write_policy(file);
	ck_assert_int_eq(fclose(file), 0);
	load(path);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(rmdir(directory), 0);
	compare(GENERATED_QUESTIONS);
}
END_TEST

// The words above are typed in by hand: cpis.v1 must have exactly these.
START_TEST(asks_about_every_operation_and_care_setting)
{
	const ProtobufCEnumDescriptor *all = &cpis__v1__operation__descriptor;
	unsigned end = 1;
	// What the broker records by itself is asked of no policy.
	for (unsigned i = 1; i < all->n_values && all->values[i].value < CPIS__V1__OPERATION__HANDSHAKE; i++, end++) {
		Cpis__V1__Operation operation;
		ck_assert(wire_operation_by_name(operations[i].word, &operation));
		ck_assert_int_eq(operation, operations[i].number);
		ck_assert_int_eq(operation, all->values[i].value);
	}
	ck_assert_int_eq(operations[end].number, 63);
	all = &cpis__v1__care_setting__descriptor;
	for (unsigned i = 1; i < all->n_values; i++) {
		Cpis__V1__CareSetting setting;
		ck_assert(wire_care_setting_by_name(settings[i - 1].word, &setting));
		ck_assert_int_eq(setting, settings[i - 1].number);
		ck_assert_int_eq(setting, all->values[i].value);
	}
	ck_assert_int_eq(settings[all->n_values - 1].number, 30);
}
END_TEST

int main(void)
{
	take_seed();
	Suite *suite = suite_create("policy_reference");
	TCase *tcase = tcase_create("reference");
	// A sanitized run on a busy machine.
	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, NULL, tear_down);
	tcase_add_test(tcase, asks_about_every_operation_and_care_setting);
	tcase_add_test(tcase, agrees_with_the_reference_on_the_shipped_policy);
	tcase_add_loop_test(tcase, agrees_with_the_reference_on_a_generated_policy, 0, GENERATED_POLICIES);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
