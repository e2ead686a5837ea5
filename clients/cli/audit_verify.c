// `cpis audit verify`: the log in a database file, or in an export, against its key and against checkpoints that people kept.
#include "clients/cli/audit_verify.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clients/cli/commands.h"
#include "clients/cli/log_export_check.h"
#include "clients/cli/log_file.h"
#include "clients/cli/log_index.h"
#include "clients/cli/output.h"

#define CHECKPOINTS_MAX 16u

const struct command_option audit_verify_options[] = {
	{"database", "FILE", "the broker's store file, or a copy of it", OPTION_OPTIONAL},
	{"postgres", "CONNINFO", "in place of --database: the brokers' PostgreSQL, or a standby, as a role of cpis_auditor", OPTION_OPTIONAL},
	{"export", "DIR", "in place of --database: what `cpis audit export` wrote", OPTION_OPTIONAL},
	{"log-key", "FILE", "log.vkey of the trust bundle", OPTION_REQUIRED},
	{"previous-log-key", "FILE", "log.previous of the trust bundle: for checkpoints of the log whose successor this is", OPTION_OPTIONAL},
	{"checkpoint", "FILE", "a checkpoint that a client kept; may be given up to 16 times", OPTION_REPEATABLE},
	{0},
};

// `previous` NULL: none. A successor begins with the records of the log before, so that one's checkpoints are checked alike.
static int load_kept(const struct note_verifier *verifier, const struct note_verifier *previous, const char *path,
		     struct log_kept *ret)
{
	char note[NOTE_BYTES_MAX + 1];
	FILE *file = fopen(path, "re");
	size_t bytes = file == NULL ? 0 : fread(note, 1, sizeof note, file);
	bool failed = file == NULL || ferror(file);
	if (failed)
		fprintf(stderr, "cpis audit verify: %s: %s\n", path, strerror(errno));
	if (file != NULL)
		fclose(file);
	if (failed)
		return EXIT_USAGE;
	enum certs_status status = checkpoint_verify(note, bytes, verifier, &ret->checkpoint);
	if (status == CERTS_NAME && previous != NULL)
		status = checkpoint_verify(note, bytes, previous, &ret->checkpoint);
	if (status != CERTS_OK) {
		fprintf(stderr, "cpis audit verify: %s is not a checkpoint of this log: %s\n", path,
			certs_status_text(status));
		return status == CERTS_MALFORMED ? EXIT_USAGE : EXIT_PROOF;
	}
	ret->path = path;
	return EXIT_DONE;
}

static void show_progress(uint64_t done, uint64_t of)
{
	fprintf(stderr, "\r%llu of %llu records", (unsigned long long)done, (unsigned long long)of);
}

void audit_print_result(const struct command_line *line, enum log_status status, const struct log_result *result)
{
	char root[2 * MERKLE_HASH_BYTES + 1];
	for (size_t i = 0; i < MERKLE_HASH_BYTES; i++)
		snprintf(root + 2 * i, 3, "%02x", result->root.bytes[i]);
	if (status != LOG_HOLDS)
		fprintf(stderr, "cpis %s: %s\n", line->command->name, result->detail);
	if (line->json) {
		json_t *value = json_pack("{s:b, s:I, s:s}", "holds", status == LOG_HOLDS, "records",
					  (json_int_t)result->records, "root", root);
		if (result->has_bad_index)
			json_object_set_new(value, "first_bad_record", json_integer((json_int_t)result->bad_index));
		if (status != LOG_HOLDS)
			json_object_set_new(value, "detail", json_string(result->detail));
		output_json(value);
	} else if (status == LOG_HOLDS) {
		printf("%llu records, root %s: the log holds.\n", (unsigned long long)result->records, root);
		if (command_value(line, "checkpoint") == NULL)
			puts("No --checkpoint was given: an older copy of the log would hold as well.");
	} else if (result->has_bad_index) {
		printf("First bad record: %llu.\n", (unsigned long long)result->bad_index);
	}
}

int audit_exit_code(enum log_status status)
{
	switch (status) {
	case LOG_HOLDS:
		return EXIT_DONE;
	case LOG_BROKEN:
		return EXIT_PROOF;
	default:
		return EXIT_FAILED;
	}
}

log_progress *audit_progress_begin(void)
{
	return isatty(STDERR_FILENO) ? show_progress : NULL;
}

void audit_progress_end(void)
{
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
}

static int load_key(const struct command_line *line, const char *path, struct note_verifier *ret)
{
	enum certs_status loaded = note_verifier_load(path, ret);
	if (loaded == CERTS_OK)
		return EXIT_DONE;
	fprintf(stderr, "cpis %s: %s: %s\n", line->command->name, path, certs_status_text(loaded));
	return EXIT_USAGE;
}

int audit_load_key(const struct command_line *line, struct note_verifier *ret)
{
	return load_key(line, command_value(line, "log-key"), ret);
}

int audit_database_count(const struct command_line *line)
{
	return (command_value(line, "database") != NULL) + (command_value(line, "postgres") != NULL);
}

struct log_database *audit_open_database(const struct command_line *line, char detail[LOG_DATABASE_DETAIL_BYTES])
{
	const char *conninfo = command_value(line, "postgres");
	return conninfo != NULL ? log_database_open_postgres(conninfo, detail) : log_database_open(command_value(line, "database"), detail);
}

static enum log_status verify_database(const struct command_line *line, const struct note_verifier *verifier, const struct log_kept *kept,
				       unsigned kept_count, log_progress *progress, struct log_result *ret)
{
	*ret = (struct log_result){0};
	struct log_database *database = audit_open_database(line, ret->detail);
	if (database == NULL)
		return LOG_UNREADABLE;
	enum log_status status = log_database_verify(database, verifier, kept, kept_count, progress, ret);
	if (status == LOG_HOLDS)
		status = log_index_verify_open(database, ret);
	log_database_close(database);
	return status;
}

int audit_verify(const struct command_line *line)
{
	struct note_verifier verifier, previous;
	struct log_kept kept[CHECKPOINTS_MAX];
	unsigned kept_count = 0;
	struct log_result result;
	const char *export = command_value(line, "export");
	if (audit_database_count(line) + (export != NULL) != 1)
		return command_usage_error(line, "give one of --database FILE, --postgres CONNINFO and --export DIR");
	const char *previous_key = command_value(line, "previous-log-key");
	int code = audit_load_key(line, &verifier);
	if (code == EXIT_DONE && previous_key != NULL)
		code = load_key(line, previous_key, &previous);
	for (const char *path; code == EXIT_DONE && (path = command_value_at(line, "checkpoint", kept_count)) != NULL;
	     kept_count++) {
		if (kept_count == CHECKPOINTS_MAX)
			return command_usage_error(line, "at most %u checkpoints", CHECKPOINTS_MAX);
		code = load_kept(&verifier, previous_key != NULL ? &previous : NULL, path, &kept[kept_count]);
	}
	if (code != EXIT_DONE)
		return code;
	log_progress *progress = audit_progress_begin();
	enum log_status status = export != NULL ? log_export_verify(export, &verifier, kept, kept_count, progress, &result)
						: verify_database(line, &verifier, kept, kept_count, progress, &result);
	audit_progress_end();
	audit_print_result(line, status, &result);
	return audit_exit_code(status);
}
