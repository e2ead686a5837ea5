// Assurance from files: certificates, the software bill of materials, reports of exercises, the contact sheet.
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "certs/identity.h"
#include "clients/cli/assurance.h"
#include "clients/cli/certs_show.h"
#include "clients/cli/commands.h"
#include "proto/date.h"

#define CERTIFICATE_DAYS 30u
#define LISTS_DAYS 7u
#define EXERCISE_DAYS 365u
#define SHEET_DAYS 31u
#define SBOM_DAYS 92u

// ------------------------------------------------------------------ certificates

static int say_certificate(struct assurance *assurance, const char *path)
{
	struct certificate_description description;
	char detail[CERTS_DETAIL_BYTES], until[11];
	enum certs_status status = certificate_describe_file(path, &description, detail);
	if (status != CERTS_OK)
		return certs_failure(status, detail);
	assurance_date(description.not_after_ms, until);
	// Staff by their id: the report goes to many.
	assurance_say(assurance, 9, description.not_after_ms < assurance->now_ms + CERTIFICATE_DAYS * ASSURANCE_DAY_MS, json_string(until),
		      path, "when the certificate of %s ends (%s)", description.uid[0] != '\0' ? description.uid : description.name,
		      certs_kind_text(description.kind));
	return EXIT_DONE;
}

// Several profiles may go through one system.
static bool was_said(const struct assurance *assurance, const char *path)
{
	size_t i;
	json_t *figure;
	json_array_foreach(assurance->figures[8], i, figure) {
		const char *source = json_string_value(json_object_get(figure, "source"));
		if (source != NULL && strcmp(source, path) == 0)
			return true;
	}
	return false;
}

static int say_certificates(struct assurance *assurance)
{
	char detail[CERTS_DETAIL_BYTES], until[11];
	struct trust *trust = NULL;
	int code = EXIT_DONE;
	for (unsigned i = 0; i < assurance->askers_count && code == EXIT_DONE; i++) {
		const struct profile *profile = assurance->askers[i].connection.profile;
		if (!was_said(assurance, profile->system_certificate))
			code = say_certificate(assurance, profile->system_certificate);
		if (code == EXIT_DONE && profile->staff_certificate != NULL)
			code = say_certificate(assurance, profile->staff_certificate);
	}
	const char *path;
	for (unsigned i = 0; code == EXIT_DONE && (path = command_value_at(assurance->line, "certificate", i)) != NULL; i++)
		code = say_certificate(assurance, path);
	if (code != EXIT_DONE)
		return code;
	const char *bundle = assurance->askers[0].connection.profile->trust_directory;
	enum certs_status status = trust_load(bundle, &trust, detail);
	if (status != CERTS_OK)
		return certs_failure(status, detail);
	uint64_t until_ms = trust_crl_next_update_ms(trust);
	assurance_date(until_ms, until);
	assurance_say(assurance, 9, until_ms < assurance->now_ms + LISTS_DAYS * ASSURANCE_DAY_MS, json_string(until), bundle, "when the own trust bundle's revocation lists go out of date");
	trust_free(trust);
	return EXIT_DONE;
}

// ------------------------------------------------------------------ files of JSON

static int refuse(const struct assurance *assurance, const char *path, const char *what)
{
	fprintf(stderr, "cpis %s: %s: %s\n", assurance->line->command->name, path, what);
	return EXIT_USAGE;
}

static int load(const struct assurance *assurance, const char *path, json_t **ret)
{
	json_error_t error;
	*ret = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
	if (*ret != NULL)
		return EXIT_DONE;
	fprintf(stderr, "cpis %s: %s:%d: %s\n", assurance->line->command->name, path, error.line, error.text);
	return EXIT_USAGE;
}

static const char *text_at(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

// ------------------------------------------------------------------ the bill of materials

static const char *property(const json_t *component, const char *name)
{
	size_t i;
	json_t *one;
	json_array_foreach(json_object_get(component, "properties"), i, one)
		if (text_at(one, "name") != NULL && strcmp(text_at(one, "name"), name) == 0)
			return text_at(one, "value");
	return NULL;
}

struct bill {
	json_t *over, *unknown, *limited;
	json_int_t components, suppliers;
};

// Those that build and are not delivered, and our own programs, are nobody's support.
static bool counts(const json_t *component)
{
	const char *type = text_at(component, "type"), *scope = text_at(component, "scope");
	return (type == NULL || strcmp(type, "application") != 0) && (scope == NULL || strcmp(scope, "excluded") != 0);
}

static int take_component(const struct assurance *assurance, const char *path, const json_t *component, struct bill *bill)
{
	char today[11], line[300];
	const char *name = text_at(component, "name"), *version = text_at(component, "version");
	struct date date;
	if (name == NULL || version == NULL)
		return refuse(assurance, path, "a component without name or version");
	if (!counts(component))
		return EXIT_DONE;
	const char *until = property(component, "cpis:support:until");
	assurance_date(assurance->now_ms, today);
	bill->components++;
	if (until != NULL && !date_parse(until, strlen(until), &date))
		return refuse(assurance, path, "cpis:support:until is not a date");
	snprintf(line, sizeof line, "%s %s%s%s", name, version, until == NULL ? "" : " until ", until == NULL ? "" : until);
	if (until == NULL)
		json_array_append_new(bill->unknown, json_string(line));
	// As text they sort as dates.
	else if (strcmp(until, today) < 0)
		json_array_append_new(bill->over, json_string(line));
	if (property(component, "cpis:support:limited") != NULL)
		json_array_append_new(bill->limited, json_string(line));
	return EXIT_DONE;
}

static void say_listed(struct assurance *assurance, bool attention, const json_t *names, const char *path, const char *what)
{
	size_t i;
	json_t *name;
	json_t *figure = assurance_say(assurance, 8, attention && json_array_size(names) > 0, json_integer((json_int_t)json_array_size(names)),
				       path, "%s", what);
	json_array_foreach(names, i, name)
		assurance_name(figure, "%s", json_string_value(name));
}

static int read_bill(struct assurance *assurance, const char *path, const json_t *document, struct bill *bill)
{
	size_t i;
	json_t *component;
	uint64_t made_ms;
	int code = EXIT_DONE;
	const char *made = text_at(json_object_get(document, "metadata"), "timestamp"), *format = text_at(document, "bomFormat");
	if (format == NULL || strcmp(format, "CycloneDX") != 0 || made == NULL || !instant_parse(made, strlen(made), &made_ms) ||
	    !json_is_array(json_object_get(document, "components")))
		return refuse(assurance, path, "not a CycloneDX bill of materials with metadata.timestamp and components");
	json_array_foreach(json_object_get(document, "components"), i, component)
		if (code == EXIT_DONE)
			code = take_component(assurance, path, component, bill);
	if (code != EXIT_DONE)
		return code;
	char day[11];
	assurance_date(made_ms, day);
	assurance_say(assurance, 8, made_ms + SBOM_DAYS * ASSURANCE_DAY_MS < assurance->now_ms, json_string(day), path,
		      "when the bill of materials was made (every %u days)", SBOM_DAYS);
	return EXIT_DONE;
}

static int say_bill(struct assurance *assurance)
{
	const char *path = command_value(assurance->line, "sbom");
	json_t *document = NULL;
	if (path == NULL) {
		assurance_without(assurance, 8, "components and until when they are supported", "no --sbom was given (`make sbom` makes it)");
		assurance_without(assurance, 10, "whose software is used", "no --sbom was given (`make sbom` makes it)");
		return EXIT_DONE;
	}
	struct bill bill = {.over = json_array(), .unknown = json_array(), .limited = json_array()};
	int code = load(assurance, path, &document);
	if (code == EXIT_DONE)
		code = read_bill(assurance, path, document, &bill);
	if (code == EXIT_DONE) {
		assurance_say(assurance, 8, false, json_integer(bill.components), path, "components that the programs are delivered with");
		say_listed(assurance, true, bill.over, path, "of those: out of support");
		say_listed(assurance, false, bill.unknown, path, "of those: without a known end of support");
		say_listed(assurance, true, bill.limited, path, "of those: with limited support");
		assurance_say(assurance, 10, false, json_integer(bill.components), path, "components of other suppliers, each named there");
	}
	json_decref(bill.over);
	json_decref(bill.unknown);
	json_decref(bill.limited);
	json_decref(document);
	return code;
}

// ------------------------------------------------------------------ exercises

static bool is_count_or_null(const json_t *value)
{
	return json_is_null(value) || (json_is_integer(value) && json_integer_value(value) >= 0);
}

static bool is_outcome(const char *word)
{
	return strcmp(word, "passed") == 0 || strcmp(word, "failed") == 0 || strcmp(word, "not_rehearsed") == 0;
}

// {started, exercise, severity, detect_ms, contain_ms, recover_ms, failed_requests, outcome}, as `cpis drill` writes it
// (clients/drill/report.h); other keys are passed over.
static bool exercise_is_well_formed(const json_t *exercise, uint64_t *ret_started_ms)
{
	const char *started = text_at(exercise, "started"), *outcome = text_at(exercise, "outcome");
	json_int_t severity = json_integer_value(json_object_get(exercise, "severity"));
	return started != NULL && instant_parse(started, strlen(started), ret_started_ms) && text_at(exercise, "exercise") != NULL &&
	       severity >= 1 && severity <= 4 && outcome != NULL && is_outcome(outcome) &&
	       json_object_get(exercise, "detect_ms") != NULL && is_count_or_null(json_object_get(exercise, "detect_ms")) &&
	       json_object_get(exercise, "contain_ms") != NULL && is_count_or_null(json_object_get(exercise, "contain_ms")) &&
	       json_object_get(exercise, "recover_ms") != NULL && is_count_or_null(json_object_get(exercise, "recover_ms")) &&
	       json_is_integer(json_object_get(exercise, "failed_requests"));
}

static json_int_t longest(json_int_t so_far, const json_t *exercise, const char *key)
{
	json_int_t value = json_integer_value(json_object_get(exercise, key));
	return value > so_far ? value : so_far;
}

struct exercises {
	json_int_t done, failed, detect_ms, contain_ms, recover_ms;
	uint64_t last_ms;
	json_t *failures, *left_out;
};

static int read_exercises(struct assurance *assurance, const char *path, struct exercises *to)
{
	size_t i;
	json_t *document = NULL, *exercise;
	int code = load(assurance, path, &document);
	if (code == EXIT_DONE && !json_is_array(json_object_get(document, "exercises")))
		code = refuse(assurance, path, "not a report of exercises: it has no list \"exercises\"");
	json_array_foreach(json_object_get(document, "exercises"), i, exercise) {
		uint64_t started_ms;
		if (code != EXIT_DONE)
			break;
		if (!exercise_is_well_formed(exercise, &started_ms)) {
			char what[80];
			snprintf(what, sizeof what, "exercise %zu is not as `cpis drill` writes them", i + 1);
			code = refuse(assurance, path, what);
			break;
		}
		bool recent = started_ms < assurance->now_ms && started_ms + EXERCISE_DAYS * ASSURANCE_DAY_MS >= assurance->now_ms;
		bool rehearsed = strcmp(text_at(exercise, "outcome"), "not_rehearsed") != 0;
		if (rehearsed && started_ms < assurance->now_ms && started_ms > to->last_ms)
			to->last_ms = started_ms;
		if (recent && !rehearsed)
			json_array_append(to->left_out, json_object_get(exercise, "exercise"));
		if (!recent || !rehearsed)
			continue;
		to->done++;
		to->detect_ms = longest(to->detect_ms, exercise, "detect_ms");
		to->contain_ms = longest(to->contain_ms, exercise, "contain_ms");
		to->recover_ms = longest(to->recover_ms, exercise, "recover_ms");
		if (strcmp(text_at(exercise, "outcome"), "failed") != 0)
			continue;
		to->failed++;
		json_array_append(to->failures, json_object_get(exercise, "exercise"));
	}
	json_decref(document);
	return code;
}

static void say_exercises(struct assurance *assurance, const struct exercises *exercises, const char *source)
{
	char last[11];
	size_t i;
	json_t *name;
	assurance_date(exercises->last_ms, last);
	assurance_say(assurance, 7, exercises->done == 0, json_integer(exercises->done), source, "exercises in the last %u days", EXERCISE_DAYS);
	json_t *figure = assurance_say(assurance, 7, exercises->failed > 0, json_integer(exercises->failed), source, "of those: failed");
	json_array_foreach(exercises->failures, i, name)
		assurance_name(figure, "%s", json_string_value(name));
	figure = assurance_say(assurance, 7, false, json_integer((json_int_t)json_array_size(exercises->left_out)), source,
			       "exercises that were left out, for want of something");
	json_array_foreach(exercises->left_out, i, name)
		assurance_name(figure, "%s", json_string_value(name));
	if (last[0] != '\0')
		assurance_say(assurance, 7, false, json_string(last), source, "the last exercise");
	assurance_say(assurance, 7, false, json_integer(exercises->recover_ms), source, "longest recovery in an exercise, in milliseconds");
	assurance_say(assurance, 6, false, json_integer(exercises->detect_ms), source, "longest time until an exercise was noticed, in milliseconds");
	assurance_say(assurance, 6, false, json_integer(exercises->contain_ms), source, "longest time until it was contained, in milliseconds");
}

static int say_drills(struct assurance *assurance)
{
	struct exercises exercises = {.failures = json_array(), .left_out = json_array()};
	char source[ASSURANCE_SOURCE_BYTES] = "";
	const char *path;
	int code = EXIT_DONE;
	unsigned count = 0;
	for (; code == EXIT_DONE && (path = command_value_at(assurance->line, "drill", count)) != NULL; count++) {
		size_t used = strlen(source);
		snprintf(source + used, sizeof source - used, "%s%s", count == 0 ? "" : ", ", path);
		code = read_exercises(assurance, path, &exercises);
	}
	if (code == EXIT_DONE && count > 0)
		say_exercises(assurance, &exercises, source);
	else if (code == EXIT_DONE)
		assurance_without(assurance, 7, "exercises of the continuity plan", "no --drill was given");
	json_decref(exercises.failures);
	json_decref(exercises.left_out);
	return code;
}

// ------------------------------------------------------------------ the contact sheet

static int say_sheet(struct assurance *assurance)
{
	const char *path = command_value(assurance->line, "contact-sheet");
	struct stat status;
	char made[11];
	if (path == NULL) {
		assurance_without(assurance, 7, "the contact sheet on paper", "no --contact-sheet was given");
		return EXIT_DONE;
	}
	if (stat(path, &status) != 0)
		return refuse(assurance, path, strerror(errno));
	uint64_t made_ms = (uint64_t)status.st_mtim.tv_sec * 1000;
	assurance_date(made_ms, made);
	assurance_say(assurance, 7, made_ms + SHEET_DAYS * ASSURANCE_DAY_MS < assurance->now_ms, json_string(made), path,
		      "when the contact sheet was drawn (every %u days)", SHEET_DAYS);
	return EXIT_DONE;
}

int assurance_files(struct assurance *assurance)
{
	int code = say_certificates(assurance);
	if (code == EXIT_DONE)
		code = say_bill(assurance);
	if (code == EXIT_DONE)
		code = say_drills(assurance);
	return code == EXIT_DONE ? say_sheet(assurance) : code;
}

void assurance_outside(struct assurance *assurance)
{
	static const struct {
		unsigned standard;
		const char *what, *why;
	} outside[] = {
		{1, "lawful basis of each kind of sharing", "it is on paper: the sharing agreements of the organisation"},
		{2, "signed acceptance of duties, and breaches in staff files", "personnel records are not held here"},
		{3, "results of the test at the end of the training", "only its date is held here"},
		{5, "the yearly review of processes", "its minutes are not held here"},
		{6, "significant incidents reported to senior management within twelve hours", "reports are not held here"},
		{7, "the continuity plan's date and approval", "the plan is not held here"},
		{8, "operating systems and browsers of the care settings", "only what this service is delivered with is known here"},
		{9, "certification by a framework (Cyber Essentials, CAF) and its yearly review", "it is not held here"},
		{10, "contracts with suppliers and their data protection clauses", "contracts are not held here"},
	};
	for (size_t i = 0; i < sizeof outside / sizeof outside[0]; i++)
		assurance_without(assurance, outside[i].standard, outside[i].what, outside[i].why);
}
