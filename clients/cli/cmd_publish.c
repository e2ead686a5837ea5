// `cpis publish`: a local authority's file of plans, sent in requests of at most 200 records.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/cli/commands.h"
#include "clients/cli/connection.h"
#include "clients/cli/csv_plans.h"
#include "clients/cli/output.h"
#include "proto/arena.h"
#include "proto/nhs_number.h"
#include "proto/ods_code.h"

struct publication {
	struct connection connection;
	const char *path;
	const char *authority;
	struct csv_telephones telephones;
	unsigned long from_line;
	struct arena arena;          // the records of the request being filled
	Cpis__V1__PlanRecord *records[PUBLISH_RECORDS_MAX];
	size_t record_count;
	unsigned long last_line;     // of the request being filled
	unsigned long received, stored;
	unsigned long done_line;     // everything up to here has been answered
	json_t *rejected;            // for --json
	int code;
};

static void print_rejected(struct publication *publication, const Cpis__V1__RecordOutcome *outcome)
{
	char code[16];
	snprintf(code, sizeof code, "CPR%02d", outcome->code);
	if (publication->connection.line->json)
		json_array_append_new(publication->rejected,
				      json_pack("{s:I, s:s, s:s, s:s}", "row", (json_int_t)outcome->row, "code", code,
						"field", outcome->field, "detail", outcome->detail));
	else
		printf("%s:%u: %s %s: %s\n", publication->path, outcome->row, code, outcome->field, outcome->detail);
}

static bool send_batch(struct publication *publication)
{
	Cpis__V1__PublishRequest publish = CPIS__V1__PUBLISH_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	const Cpis__V1__Reply *reply = NULL;
	if (publication->record_count == 0)
		return true;
	publish.authority = (char *)(uintptr_t)publication->authority;
	publish.emergency_duty_telephone = publication->telephones.emergency_duty;
	publish.office_hours_telephone = publication->telephones.office_hours;
	publish.n_records = publication->record_count;
	publish.records = publication->records;
	request.body_case = CPIS__V1__REQUEST__BODY_PUBLISH;
	request.publish = &publish;
	publication->code = connection_call(&publication->connection, &request, &reply);
	if (publication->code != EXIT_DONE)
		return false;
	publication->received += reply->publish->received;
	publication->stored += reply->publish->stored;
	for (size_t i = 0; i < reply->publish->n_rejected; i++)
		print_rejected(publication, reply->publish->rejected[i]);
	cpis_reply_free(reply);
	publication->done_line = publication->last_line;
	publication->record_count = 0;
	arena_reset(&publication->arena);
	return true;
}

static char *keep(struct publication *publication, const char *text)
{
	return arena_copy_text(&publication->arena, text, strlen(text));
}

static bool take_row(void *context, const struct csv_plan *plan)
{
	struct publication *publication = context;
	struct nhs_number number;
	if (plan->line < publication->from_line)
		return true;
	Cpis__V1__PlanRecord *record = arena_alloc(&publication->arena, sizeof *record);
	if (record == NULL)
		goto no_memory;
	cpis__v1__plan_record__init(record);
	// As people write it; what is not a number goes as it is, for the broker to name.
	bool typed = nhs_number_parse_typed(plan->nhs_number, strlen(plan->nhs_number), &number) == NHS_NUMBER_OK;
	record->nhs_number = keep(publication, typed ? number.digits : plan->nhs_number);
	if (!wire_plan_type_by_name(plan->plan_type, &record->type))
		record->type = CPIS__V1__PLAN_TYPE__PLAN_TYPE_UNSPECIFIED;
	record->start_date = keep(publication, plan->start_date);
	record->end_date = keep(publication, plan->end_date);
	record->delete_date = keep(publication, plan->delete_date);
	record->local_id = keep(publication, plan->local_id);
	record->family_name = keep(publication, plan->family_name);
	record->given_names = keep(publication, plan->given_names);
	record->birth_date = keep(publication, plan->birth_date);
	record->row = (uint32_t)plan->line;
	if (publication->arena.overflowed)
		goto no_memory;
	publication->last_line = plan->line;
	publication->records[publication->record_count++] = record;
	return publication->record_count < PUBLISH_RECORDS_MAX || send_batch(publication);
no_memory:
	fputs("cpis publish: out of memory\n", stderr);
	publication->code = EXIT_FAILED;
	return false;
}

static const char *file_outcome(const struct publication *publication)
{
	if (publication->stored == publication->received)
		return "CPF02";
	return publication->stored > 0 ? "CPF03" : "CPF04";
}

static int summarise(struct publication *publication)
{
	const char *outcome = file_outcome(publication);
	unsigned long rejected = publication->received - publication->stored;
	if (publication->connection.line->json)
		output_json(json_pack("{s:s, s:I, s:I, s:I, s:O}", "file_outcome", outcome, "received",
				      (json_int_t)publication->received, "stored", (json_int_t)publication->stored,
				      "rejected_count", (json_int_t)rejected, "rejected", publication->rejected));
	else
		printf("%s: %lu records read, %lu stored, %lu rejected.\n", outcome, publication->received,
		       publication->stored, rejected);
	if (rejected == 0)
		return EXIT_DONE;
	return publication->stored > 0 ? EXIT_PARTIAL : EXIT_USAGE;
}

// A publication that stops half way says what is in and how to go on.
static void say_how_to_go_on(const struct publication *publication)
{
	if (publication->done_line == 0)
		fprintf(stderr, "cpis publish: no record of this file is known to be stored; sending it again is harmless.\n");
	else
		fprintf(stderr,
			"cpis publish: %lu records up to line %lu are stored, %lu were rejected. To go on: --from-row %lu\n",
			publication->stored, publication->done_line, publication->received - publication->stored,
			publication->done_line + 1);
}

static int publish(struct publication *publication)
{
	char detail[CSV_PLANS_DETAIL_BYTES];
	struct csv_telephones telephones;
	unsigned long rows;
	bool whole = csv_plans_read(publication->path, take_row, publication, &telephones, &rows, detail) &&
		     send_batch(publication);
	if (whole && publication->received == 0) {
		fprintf(stderr, "cpis publish: %s has no row at or after line %lu\n", publication->path,
			publication->from_line);
		return EXIT_USAGE;
	}
	if (whole)
		return summarise(publication);
	// It was whole a moment ago: somebody is writing to it.
	if (detail[0] != '\0') {
		fprintf(stderr, "cpis publish: %s\n", detail);
		publication->code = EXIT_FAILED;
	}
	say_how_to_go_on(publication);
	return publication->code;
}

static int run(const struct command_line *line)
{
	struct publication publication = {.path = line->operands[0], .code = EXIT_DONE};
	const char *authority = command_value(line, "authority"), *from = command_value(line, "from-row");
	char detail[CSV_PLANS_DETAIL_BYTES];
	struct ods_code code_checked;
	uint64_t from_line = 0;
	unsigned long rows;
	if (authority != NULL && !ods_code_parse(authority, strlen(authority), &code_checked))
		return command_usage_error(line, "--authority is an ODS code: 3 to 12 capital letters and digits");
	if (from != NULL && !command_number(from, 2, UINT32_MAX, &from_line))
		return command_usage_error(line, "--from-row is a line number, 2 or more");
	// Read once before anything is sent: a file with a broken line is refused as a whole.
	if (!csv_plans_read(publication.path, NULL, NULL, &publication.telephones, &rows, detail)) {
		fprintf(stderr, "cpis publish: %s\n", detail);
		return EXIT_USAGE;
	}
	publication.from_line = (unsigned long)from_line;
	int code = connection_sign_in(line, &publication.connection);
	if (code != EXIT_DONE)
		return code;
	publication.authority = authority != NULL ? authority : cpis_system_organisation(publication.connection.client);
	publication.rejected = json_array();
	if (arena_init(&publication.arena, ARENA_BYTES)) {
		code = publish(&publication);
	} else {
		fputs("cpis publish: out of memory\n", stderr);
		code = EXIT_FAILED;
	}
	arena_done(&publication.arena);
	json_decref(publication.rejected);
	connection_close(&publication.connection);
	return code;
}

static const struct command_option options[] = {
	{"authority", "ODS", "for whom (default: the organisation of this system)", OPTION_OPTIONAL},
	{"from-row", "LINE", "leave out the rows before this line: to go on after an interruption", OPTION_OPTIONAL},
	{0},
};

static const struct command command = {
	.name = "publish",
	.operands = "FILE.csv",
	.help = "Publishes, corrects, ends or withdraws plans from a CSV file with the header\n"
		"  nhs_number,plan_type,start_date,end_date,delete_date,local_id,emergency_duty_telephone,\n"
		"  office_hours_telephone\n"
		"plan_type is CPP, LAC or UCPP (on the mother's number), dates are YYYY-MM-DD. The same number and type again\n"
		"corrects the plan; an end_date ends it; a delete_date withdraws what was entered in error. Good rows are\n"
		"stored, bad ones listed with their line. Sending a file again is harmless.",
	.options = options,
	.operands_min = 1,
	.operands_max = 1,
	.run = run,
};

int command_publish(int argc, char **argv)
{
	return command_dispatch(&command, argc, argv);
}
