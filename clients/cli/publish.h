// Publishing a file of plans: its records made from its rows, its steps, its reports. Inside clients/cli/publish*.c and
// cmd_publish.c only.
#ifndef CPIS_CLI_PUBLISH_H
#define CPIS_CLI_PUBLISH_H

#include <jansson.h>

#include "clients/cli/connection.h"
#include "clients/cli/plan_file.h"
#include "proto/arena.h"

// Of one request, so that it fits a frame whatever the names are.
#define PUBLISH_BATCH_BYTES_MAX 45000u

struct publish_batch {
	struct arena arena;
	Cpis__V1__PlanRecord *records[PUBLISH_RECORDS_MAX];
	size_t count, bytes;
};

struct publish {
	const struct command_line *line;
	struct connection connection;
	const char *path;
	struct plan_file_facts facts;
	Cpis__V1__PublicationOpenRequest open;  // as it is sent
	uint8_t id[16], digest[32];
	bool accept_vanished;
	struct publish_batch batch;
	uint32_t place;               // of the next row
	uint32_t received;            // by the broker
	uint64_t progress_ms;         // when something last got through; monotonic
	bool waiting;                 // it has been said that the broker does not answer
	int code;
};

__attribute__((warn_unused_result)) bool publish_batch_init(struct publish_batch *batch);
void publish_batch_done(struct publish_batch *batch);
void publish_batch_clear(struct publish_batch *batch);
// Adds the row. NULL: out of memory.
Cpis__V1__PlanRecord *publish_batch_add(struct publish_batch *batch, const struct plan_row *row);
bool publish_batch_full(const struct publish_batch *batch);

// A call that is made again for as long as the broker does not answer, up to ten minutes without any progress. The reply may
// be a refusal. False: `publish->code` is set, and it has been said why.
bool publish_call(struct publish *publish, Cpis__V1__Request *request, bool with_signature, const Cpis__V1__Reply **ret);
// Says what a refusal says, and sets the code.
bool publish_refused(struct publish *publish, const Cpis__V1__Reply *reply);

// publish_file.c: the whole file, from where it stopped. The exit code.
int publish_file(struct publish *publish, const char *rejected_path);
// publish_now.c: a correction of at most 200 rows, in one act.
int publish_now(struct publish *publish, const char *rejected_path);

// publish_report.c
void publish_print_report(const Cpis__V1__PublicationReport *report);
json_t *publish_report_value(const Cpis__V1__PublicationReport *report);
void publish_print_rejected(const char *path, const Cpis__V1__RecordOutcome *outcome);
json_t *publish_rejected_value(const Cpis__V1__RecordOutcome *outcome);
int publish_exit_code(const Cpis__V1__PublicationReport *report);
// All rejected records and vanished plans of the file, printed or, with --json, in one object with the report.
int publish_show(struct publish *publish, const char *rejected_path);

// publish_rejected.c: the rejected rows as a file that can be mended and sent again. Outcomes come in the file's order.
struct rejected_file;
// False, and it has been said: it is the very file that is published.
bool rejected_file_may_be(const char *path, const char *from);
// NULL, and it has been said why, when it cannot be written.
struct rejected_file *rejected_file_new(const char *path);
bool rejected_file_add(struct rejected_file *file, const Cpis__V1__RecordOutcome *outcome);
// Reads `from` and writes the rows. False: said why. Frees it.
bool rejected_file_write(struct rejected_file *file, const char *from);

#endif
