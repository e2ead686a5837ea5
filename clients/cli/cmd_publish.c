// `cpis publish`: a local authority's numbered files, and corrections beside them.
#include <stdio.h>
#include <string.h>

#include "clients/cli/commands.h"
#include "clients/cli/publish.h"

static int check_options(const struct command_line *line)
{
	bool show = command_value(line, "show") != NULL, now = command_value(line, "now") != NULL;
	bool full = command_value(line, "full") != NULL, delta = command_value(line, "delta") != NULL;
	if (show && (now || full || delta || line->operand_count != 0))
		return command_usage_error(line, "--show stands alone");
	if (!show && line->operand_count != 1)
		return command_usage_error(line, "name the file");
	if ((full && delta) || (now && (full || delta)))
		return command_usage_error(line, "only one of --full, --delta and --now");
	if (now && (command_value(line, "dry-run") != NULL || command_value(line, "sequence") != NULL ||
		    command_value(line, "records") != NULL || command_value(line, "accept-vanished") != NULL))
		return command_usage_error(line, "--now is no numbered file: --dry-run, --sequence, --records and"
						 " --accept-vanished do not go with it");
	if (!now && command_value(line, "authority") != NULL)
		return command_usage_error(line, "--authority goes with --now only");
	return EXIT_DONE;
}

static int read_options(const struct command_line *line, struct publish *publish)
{
	const char *sequence = command_value(line, "sequence"), *records = command_value(line, "records");
	uint64_t number = 0;
	cpis__v1__publication_open_request__init(&publish->open);
	if (sequence != NULL && !command_number(sequence, 1, UINT32_MAX, &number))
		return command_usage_error(line, "--sequence is a number from 1 on");
	publish->open.sequence = (uint32_t)number;
	number = 0;
	if (records != NULL && !command_number(records, 1, PUBLICATION_RECORDS_MAX, &number))
		return command_usage_error(line, "--records is a number from 1 to %u", PUBLICATION_RECORDS_MAX);
	publish->open.records = (uint32_t)number;
	if (command_value(line, "full") != NULL)
		publish->open.kind = CPIS__V1__PUBLICATION_KIND__FULL;
	else if (command_value(line, "delta") != NULL)
		publish->open.kind = CPIS__V1__PUBLICATION_KIND__DELTA;
	publish->open.dry_run = command_value(line, "dry-run") != NULL;
	publish->accept_vanished = command_value(line, "accept-vanished") != NULL;
	return EXIT_DONE;
}

static int run_show(struct publish *publish)
{
	int code = connection_sign_in(publish->line, &publish->connection);
	publish->path = "row";
	return code == EXIT_DONE ? publish_show(publish, NULL) : code;
}

static int run(const struct command_line *line)
{
	struct publish publish = {.line = line, .path = line->operand_count == 1 ? line->operands[0] : ""};
	const char *rejected = command_value(line, "rejected");
	int code = check_options(line);
	if (code == EXIT_DONE)
		code = read_options(line, &publish);
	if (code != EXIT_DONE)
		return code;
	if (rejected != NULL && !rejected_file_may_be(rejected, publish.path))
		return EXIT_USAGE;
	if (!publish_batch_init(&publish.batch)) {
		fputs("cpis publish: out of memory\n", stderr);
		return EXIT_FAILED;
	}
	if (command_value(line, "show") != NULL)
		code = run_show(&publish);
	else if (command_value(line, "now") != NULL)
		code = publish_now(&publish, rejected);
	else
		code = publish_file(&publish, rejected);
	publish_batch_done(&publish.batch);
	connection_close(&publish.connection);
	return code;
}

static const struct command_option options[] = {
	{"full", NULL, "the file has all plans that the authority holds; what is not in it ends", OPTION_OPTIONAL},
	{"delta", NULL, "the file has plans that are new or have changed", OPTION_OPTIONAL},
	{"now", NULL, "a correction of at most 200 rows, beside the numbered files", OPTION_OPTIONAL},
	{"authority", "ODS", "with --now: for whom (default: the organisation of this system)", OPTION_OPTIONAL},
	{"sequence", "N", "the file's number (default: the next one)", OPTION_OPTIONAL},
	{"records", "N", "how many records it must have", OPTION_OPTIONAL},
	{"dry-run", NULL, "say what would change, and change nothing", OPTION_OPTIONAL},
	{"accept-vanished", NULL, "go on although more plans are missing than the register allows", OPTION_OPTIONAL},
	{"rejected", "OUT.csv", "write the rejected rows there, to be mended and sent again", OPTION_OPTIONAL},
	{"show", NULL, "the file that is open, or the last one: counts, rejected records, missing plans", OPTION_OPTIONAL},
	{0},
};

static const struct command command = {
	.name = "publish",
	.operands = "[FILE.csv|FILE.jsonl]",
	.help = "Publishes a file of plans, all of it at once or nothing. CSV with the header\n"
		"  nhs_number,plan_type,start_date,end_date,delete_date,local_id,family_name,given_names,birth_date\n"
		"or JSON lines. plan_type is CPP, LAC or UCPP (on the mother's number), dates are YYYY-MM-DD. The same number and\n"
		"type again corrects the plan; an end_date ends it; a delete_date withdraws what was entered in error. Good rows\n"
		"are stored, bad ones listed with their line. When it was interrupted, the same command goes on where it stopped.",
	.options = options,
	.operands_min = 0,
	.operands_max = 1,
	.run = run,
};

int command_publish(int argc, char **argv)
{
	return command_dispatch(&command, argc, argv);
}
