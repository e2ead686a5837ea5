// What the assurance report is made of: figures under the National Data Guardian's ten standards, each with where it came from.
#ifndef CPIS_CLI_ASSURANCE_H
#define CPIS_CLI_ASSURANCE_H

#include <stdio.h>

#include <jansson.h>

#include "clients/cli/command_line.h"
#include "clients/cli/connection.h"

#define ASSURANCE_STANDARDS 10u
#define ASSURANCE_PROFILES_MAX 8u
#define ASSURANCE_SOURCE_BYTES 600
#define ASSURANCE_DAY_MS (UINT64_C(24) * 60 * 60 * 1000)

// Whose evidence is asked for: one signed-in member of staff. No role may ask for all of it.
struct assurance_asker {
	struct command_line line;    // with this profile's path
	struct connection connection;
};

struct assurance {
	const struct command_line *line;
	struct assurance_asker askers[ASSURANCE_PROFILES_MAX];
	unsigned askers_count;
	uint64_t now_ms;             // the day that the report is of: its end, or now
	uint64_t from_ms;            // the period's beginning
	uint64_t days, unused_days, training_days, open_days;
	json_t *figures[ASSURANCE_STANDARDS]; // arrays; number 0 is standard 1
	unsigned attention, without_evidence;
};

// A figure under a standard (1 to 10). `value` is stolen; `source` is the command or file that gives it again. The figure is returned,
// borrowed, for assurance_name. With `attention` something has to be done, and it is in the summary.
json_t *assurance_say(struct assurance *assurance, unsigned standard, bool attention, json_t *value, const char *source,
		      const char *format, ...) __attribute__((format(printf, 6, 7)));
// That there is no evidence for it, and why.
void assurance_without(struct assurance *assurance, unsigned standard, const char *what, const char *why);
// Adds one of what a figure counts, e.g. a staff id with a role: the first 20 stand in the report.
void assurance_name(json_t *figure, const char *format, ...) __attribute__((format(printf, 2, 3)));

// The parts; each returns EXIT_DONE, or has said what is wrong and returns the exit code: then there is no report.
int assurance_people(struct assurance *assurance);   // role profiles: standards 2, 3, 4
int assurance_log(struct assurance *assurance);      // the audit log: 1, 4
int assurance_cases(struct assurance *assurance);    // alerts as cases: 5, 6
int assurance_service(struct assurance *assurance);  // how the service runs, its policy, contacts: 4, 6, 7, 9
int assurance_files(struct assurance *assurance);    // certificates, bill of materials, exercises, contact sheet: 6, 7, 8, 9, 10
void assurance_outside(struct assurance *assurance); // what nobody can know from here

// Whom a question is about: the first profile's organisation, or the service as a whole, which people of any may be asked about.
enum assurance_scope { ASSURANCE_OWN, ASSURANCE_SERVICE };
// Asks as whoever may, one profile after the other. EXIT_DONE with `*ret` NULL: nobody may, and `why` says it. A reply is freed by
// the caller; `*ret_asker` is who got it.
int assurance_ask(struct assurance *assurance, enum assurance_scope scope, Cpis__V1__Request *request, const Cpis__V1__Reply **ret,
		  struct assurance_asker **ret_asker, char why[ASSURANCE_SOURCE_BYTES]);
// "cpis --profile FILE REST" of who was asked.
void assurance_command(const struct assurance_asker *asker, char out[ASSURANCE_SOURCE_BYTES], const char *format, ...)
	__attribute__((format(printf, 3, 4)));
// "2026-11-27", of England's clock; "" for 0.
void assurance_date(uint64_t time_ms, char out[11]);

// The report, whole. JSON or Markdown. Owned by the caller.
json_t *assurance_value(const struct assurance *assurance);
char *assurance_markdown(const struct assurance *assurance); // malloc'd; NULL: no memory
// One line: what needs attention.
void assurance_summary(const struct assurance *assurance, FILE *stream);

#endif
