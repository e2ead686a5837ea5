// `cpis audit export` and `cpis audit import`: the log as files that other software reads, and back.
#include "clients/cli/audit_export.h"

#include <stdio.h>

#include "clients/cli/audit_verify.h"
#include "clients/cli/commands.h"
#include "clients/cli/log_export.h"
#include "clients/cli/log_import.h"
#include "clients/cli/output.h"

const struct command_option audit_export_options[] = {
	{"database", "FILE", "the broker's store file, or a copy of it", OPTION_OPTIONAL},
	{"postgres", "CONNINFO", "in place of --database: the brokers' PostgreSQL, or a standby, as a role of cpis_auditor", OPTION_OPTIONAL},
	{"log-key", "FILE", "log.vkey of the trust bundle", OPTION_REQUIRED},
	{"out", "DIR", "where to; again adds what is new and changes nothing", OPTION_REQUIRED},
	{0},
};

const struct command_option audit_import_options[] = {
	{"export", "DIR", "what `cpis audit export` wrote", OPTION_REQUIRED},
	{"log-key", "FILE", "log.vkey of the trust bundle", OPTION_REQUIRED},
	{"database", "FILE", "the database to make; not there yet", OPTION_REQUIRED},
	{0},
};

static void print_exported(const struct command_line *line, const struct log_exported *exported)
{
	const char *out = command_value(line, "out");
	if (line->json)
		output_json(json_pack("{s:I, s:I, s:I, s:b}", "records", (json_int_t)exported->size, "records_before",
				      (json_int_t)exported->old_size, "files_made", (json_int_t)exported->files,
				      "checkpoint_replaced", !exported->checkpoint_stays));
	else
		printf("%llu records exported, %llu of them new, %llu files made.\n", (unsigned long long)exported->size,
		       (unsigned long long)(exported->size - exported->old_size), (unsigned long long)exported->files);
	if (exported->checkpoint_stays)
		fprintf(stderr, "cpis audit export: %s/checkpoint cannot be replaced there; the newest is %s/checkpoints/%llu\n", out,
			out, (unsigned long long)exported->size);
}

int audit_export(const struct command_line *line)
{
	struct note_verifier verifier;
	struct log_exported exported;
	struct log_result result = {0};
	if (audit_database_count(line) != 1)
		return command_usage_error(line, "give one of --database FILE and --postgres CONNINFO");
	int code = audit_load_key(line, &verifier);
	if (code != EXIT_DONE)
		return code;
	struct log_database *database = audit_open_database(line, result.detail);
	enum log_status status = LOG_UNREADABLE;
	if (database != NULL)
		status = log_export(database, &verifier, command_value(line, "out"), &exported, &result);
	log_database_close(database);
	if (status == LOG_HOLDS)
		print_exported(line, &exported);
	else
		audit_print_result(line, status, &result);
	return audit_exit_code(status);
}

int audit_import(const struct command_line *line)
{
	struct note_verifier verifier;
	struct log_result result;
	int code = audit_load_key(line, &verifier);
	if (code != EXIT_DONE)
		return code;
	enum log_status status = log_import(command_value(line, "export"), &verifier, command_value(line, "database"),
					    audit_progress_begin(), &result);
	audit_progress_end();
	audit_print_result(line, status, &result);
	return audit_exit_code(status);
}
