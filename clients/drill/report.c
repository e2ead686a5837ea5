// The report, as JSON by jansson.
#include "clients/drill/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "proto/date.h"

struct drill_report {
	json_t *exercises;
};

struct drill_report *drill_report_new(void)
{
	struct drill_report *report = calloc(1, sizeof *report);
	if (report == NULL || (report->exercises = json_array()) == NULL)
		abort();
	return report;
}

void drill_report_free(struct drill_report *report)
{
	if (report != NULL)
		json_decref(report->exercises);
	free(report);
}

static json_t *milliseconds(uint64_t ms)
{
	return ms == DRILL_NONE ? json_null() : json_integer((json_int_t)ms);
}

void drill_report_add(struct drill_report *report, const struct drill_incident *incident, uint64_t started_ms, enum drill_outcome outcome,
		      const struct drill_times *times, const char *why)
{
	static const char *const words[] = {"passed", "failed", "not_rehearsed"};
	char started[25];
	instant_format(started_ms, started);
	bool passed = outcome == DRILL_PASSED;
	uint64_t none = DRILL_NONE;
	json_array_append_new(
		report->exercises,
		json_pack("{s:s, s:s, s:i, s:s, s:s, s:s, s:o, s:o, s:o, s:I, s:I, s:I, s:s}", "started", started, "exercise", incident->name,
			  "severity", (int)incident->severity, "title", incident->title, "steps", incident->steps, "outcome", words[outcome],
			  "detect_ms", milliseconds(passed ? times->detected_ms : none), "contain_ms",
			  milliseconds(passed ? times->contained_ms : none), "recover_ms", milliseconds(passed ? times->recovered_ms : none),
			  "requests", (json_int_t)times->requests, "failed_requests", (json_int_t)times->failed, "longest_ms",
			  (json_int_t)times->longest_ms, "note", passed ? times->note : why));
}

// Of the form in report.h, so that the table can be printed and others can read it.
static bool is_exercise(const json_t *one)
{
	static const char *const texts[] = {"started", "exercise", "title", "outcome", "note"};
	static const char *const times[] = {"detect_ms", "contain_ms", "recover_ms"};
	static const char *const numbers[] = {"severity", "requests", "failed_requests", "longest_ms"};
	bool good = json_is_object(one);
	for (size_t i = 0; good && i < sizeof texts / sizeof texts[0]; i++)
		good = json_is_string(json_object_get(one, texts[i]));
	for (size_t i = 0; good && i < sizeof numbers / sizeof numbers[0]; i++)
		good = json_is_integer(json_object_get(one, numbers[i]));
	for (size_t i = 0; good && i < sizeof times / sizeof times[0]; i++)
		good = json_is_integer(json_object_get(one, times[i])) || json_is_null(json_object_get(one, times[i]));
	return good;
}

bool drill_report_add_file(struct drill_report *report, const char *path, char detail[DRILL_REPORT_DETAIL_BYTES])
{
	json_error_t error;
	size_t at;
	json_t *all = json_load_file(path, JSON_REJECT_DUPLICATES, &error), *exercises = json_object_get(all, "exercises"), *one;
	bool good = json_is_array(exercises);
	if (all == NULL)
		snprintf(detail, DRILL_REPORT_DETAIL_BYTES, "%.200s:%d: %.150s", path, error.line, error.text);
	else if (!good)
		snprintf(detail, DRILL_REPORT_DETAIL_BYTES, "%.200s: has no list \"exercises\"", path);
	json_array_foreach(exercises, at, one)
		if (good && !is_exercise(one)) {
			good = false;
			snprintf(detail, DRILL_REPORT_DETAIL_BYTES, "%.200s: exercise %zu lacks what a report has, see --report", path, at + 1);
		}
	if (good)
		json_array_extend(report->exercises, exercises);
	json_decref(all);
	return good;
}

static void print_seconds(FILE *out, const json_t *value)
{
	if (json_is_integer(value))
		fprintf(out, " %.2f s |", (double)json_integer_value(value) / 1000.0);
	else
		fputs(" - |", out);
}

void drill_report_print(const struct drill_report *report, FILE *out)
{
	size_t at;
	json_t *one;
	fputs("| incident | severity | detected | contained | recovered | requests of others, failed | longest answer | what was seen |\n"
	      "| --- | --- | --- | --- | --- | --- | --- | --- |\n", out);
	json_array_foreach(report->exercises, at, one) {
		bool passed = strcmp(json_string_value(json_object_get(one, "outcome")), "passed") == 0;
		fprintf(out, "| %s (`%s`) | %lld |", json_string_value(json_object_get(one, "title")),
			json_string_value(json_object_get(one, "exercise")), (long long)json_integer_value(json_object_get(one, "severity")));
		print_seconds(out, json_object_get(one, "detect_ms"));
		print_seconds(out, json_object_get(one, "contain_ms"));
		print_seconds(out, json_object_get(one, "recover_ms"));
		if (passed) {
			fprintf(out, " %lld, %lld |", (long long)json_integer_value(json_object_get(one, "requests")),
				(long long)json_integer_value(json_object_get(one, "failed_requests")));
			print_seconds(out, json_object_get(one, "longest_ms"));
			fprintf(out, " %s |\n", json_string_value(json_object_get(one, "note")));
		} else {
			fprintf(out, " - | - | %s: %s |\n", json_string_value(json_object_get(one, "outcome")),
				json_string_value(json_object_get(one, "note")));
		}
	}
}

bool drill_report_write(const struct drill_report *report, const char *path)
{
	char aside[4096];
	if ((size_t)snprintf(aside, sizeof aside, "%s.writing", path) >= sizeof aside) {
		errno = ENAMETOOLONG;
		return false;
	}
	json_t *all = json_pack("{s:O}", "exercises", report->exercises);
	errno = EIO;
	bool good = all != NULL && json_dump_file(all, aside, JSON_INDENT(2)) == 0 && rename(aside, path) == 0;
	if (!good) {
		int saved = errno;
		unlink(aside);
		errno = saved;
	}
	json_decref(all);
	return good;
}
