// What a rehearsal leaves: a JSON file that others read (`cpis assurance`), and a table for people.
#ifndef CPIS_DRILL_REPORT_H
#define CPIS_DRILL_REPORT_H

#include <stdio.h>

#include "clients/drill/drill.h"

struct drill_report;

struct drill_report *drill_report_new(void); // never NULL
void drill_report_free(struct drill_report *report); // accepts NULL

enum drill_outcome { DRILL_PASSED, DRILL_FAILED, DRILL_NOT_REHEARSED };
// `why` for the last two.
void drill_report_add(struct drill_report *report, const struct drill_incident *incident, uint64_t started_ms, enum drill_outcome outcome,
		      const struct drill_times *times, const char *why);

// Exercises that were rehearsed elsewhere, from a file of the form below. False with a sentence in `detail`, and nothing added.
#define DRILL_REPORT_DETAIL_BYTES 400
bool drill_report_add_file(struct drill_report *report, const char *path, char detail[DRILL_REPORT_DETAIL_BYTES]);

// A table in Markdown, with a heading line for each column.
void drill_report_print(const struct drill_report *report, FILE *out);
// {"exercises": [{"started", "exercise", "severity", "title", "outcome": "passed" | "failed" | "not_rehearsed", "detect_ms", "contain_ms",
// "recover_ms" (null: does not apply), "requests", "failed_requests", "longest_ms", "note"}]}. Written aside and renamed. False with errno.
bool drill_report_write(const struct drill_report *report, const char *path);

#endif
