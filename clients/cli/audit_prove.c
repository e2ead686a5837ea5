// `cpis audit prove`: a record and the proof that the log contains it, out of the database file, as a text to keep.
#include "clients/cli/audit_prove.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/cli/audit_verify.h"
#include "clients/cli/commands.h"
#include "clients/cli/log_prove.h"

const struct command_option audit_prove_options[] = {
	{"database", "FILE", "the broker's store file, or a copy of it", OPTION_OPTIONAL},
	{"postgres", "CONNINFO", "in place of --database: the brokers' PostgreSQL, or a standby, as a role of cpis_auditor", OPTION_OPTIONAL},
	{"log-key", "FILE", "log.vkey of the trust bundle", OPTION_REQUIRED},
	{"record", "NO", "which one", OPTION_REQUIRED},
	{"out", "FILE", "where to; not there yet (default: standard output)", OPTION_OPTIONAL},
	{0},
};

static int fail(int code, const char *what)
{
	fprintf(stderr, "cpis audit prove: %s\n", what);
	return code;
}

static int fail_file(int code, const char *path, const char *what)
{
	fprintf(stderr, "cpis audit prove: %s: %s\n", path, what);
	return code;
}

static int write_text(const char *path, const char *text)
{
	FILE *file = path == NULL ? stdout : fopen(path, "wxe");
	if (file == NULL)
		return fail_file(EXIT_USAGE, path, strerror(errno));
	bool written = fputs(text, file) >= 0 && fflush(file) == 0;
	int error = errno;
	if (path != NULL)
		written = fclose(file) == 0 && written;
	return written ? EXIT_DONE : fail_file(EXIT_FAILED, path == NULL ? "standard output" : path, strerror(error));
}

static int prove(struct log_database *database, const struct note_verifier *verifier, uint64_t index, const char *out)
{
	struct tlog_proof proof;
	char detail[LOG_DETAIL_BYTES];
	bool found = false;
	enum log_status status = log_prove(database, verifier, index, &proof, &found, detail);
	if (status != LOG_HOLDS)
		return fail(status == LOG_BROKEN ? EXIT_PROOF : EXIT_FAILED, detail);
	if (!found)
		return fail(EXIT_USAGE, "the log has no such record");
	char *text = tlog_proof_format(&proof);
	int code = text == NULL ? fail(EXIT_FAILED, "out of memory") : write_text(out, text);
	free(text);
	free(proof.record);
	return code;
}

int audit_prove(const struct command_line *line)
{
	struct note_verifier verifier;
	char detail[LOG_DATABASE_DETAIL_BYTES];
	uint64_t index;
	const char *record = command_value(line, "record");
	if (!command_number(record, 0, INT64_MAX - 1, &index))
		return command_usage_error(line, "--record is a record's number");
	if (audit_database_count(line) != 1)
		return command_usage_error(line, "give one of --database FILE and --postgres CONNINFO");
	int code = audit_load_key(line, &verifier);
	if (code != EXIT_DONE)
		return code;
	struct log_database *database = audit_open_database(line, detail);
	if (database == NULL)
		return fail(EXIT_FAILED, detail);
	code = prove(database, &verifier, index, command_value(line, "out"));
	log_database_close(database);
	return code;
}
