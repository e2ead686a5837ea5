// `cpis audit compare`: checkpoints that several people hold, compared without a broker.
#include "clients/cli/audit_compare.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/cli/audit_verify.h"
#include "clients/cli/commands.h"
#include "clients/cli/log_file.h"
#include "clients/cli/output.h"

#define FILE_BYTES_MAX (64u * 1024u)
#define NOTES_MAX 256u
#define DASH "\xE2\x80\x94 " // opens each signature line

const struct command_option audit_compare_options[] = {
	{"log-key", "FILE", "log.vkey of the trust bundle", OPTION_REQUIRED},
	{"database", "FILE", "the broker's store file, or a copy of it: decides about checkpoints of different sizes", OPTION_OPTIONAL},
	{"postgres", "CONNINFO", "in place of --database: the brokers' PostgreSQL, or a standby, as a role of cpis_auditor", OPTION_OPTIONAL},
	{0},
};

struct comparing {
	const struct command_line *line;
	struct note_verifier log;
	struct log_kept held[NOTES_MAX];
	unsigned count;
};

static int complain(const char *path, const char *what, int code)
{
	fprintf(stderr, "cpis audit compare: %s: %s\n", path, what);
	return code;
}

// ------------------------------------------------------------------ reading

static int take(struct comparing *comparing, const char *path, const char *note, size_t bytes)
{
	if (comparing->count == NOTES_MAX)
		return complain(path, "there are more than 256 checkpoints", EXIT_USAGE);
	struct log_kept *held = &comparing->held[comparing->count];
	enum certs_status status = checkpoint_verify(note, bytes, &comparing->log, &held->checkpoint);
	if (status != CERTS_OK) {
		fprintf(stderr, "cpis audit compare: %s: not a checkpoint of this log: %s\n", path, certs_status_text(status));
		return status == CERTS_MALFORMED ? EXIT_USAGE : EXIT_PROOF;
	}
	held->path = path;
	comparing->count++;
	return EXIT_DONE;
}

// The end of the note that begins here: the text, an empty line, and signature lines up to the first line that is none.
static const char *end_of_note(const char *at)
{
	const char *end = strstr(at, "\n\n");
	if (end == NULL)
		return at + strlen(at);
	for (end += 2; strncmp(end, DASH, strlen(DASH)) == 0;) {
		const char *stop = strchr(end, '\n');
		end = stop == NULL ? end + strlen(end) : stop + 1;
	}
	return end;
}

// One note or several, with empty lines and lines that begin with # between them: what a client keeps as evidence has two.
static int take_text(struct comparing *comparing, const char *path, const char *text)
{
	unsigned before = comparing->count;
	for (const char *at = text; *at != '\0';) {
		const char *stop = strchr(at, '\n');
		if (*at == '#' || *at == '\n') {
			at = stop == NULL ? at + strlen(at) : stop + 1;
			continue;
		}
		const char *end = end_of_note(at);
		int code = take(comparing, path, at, (size_t)(end - at));
		if (code != EXIT_DONE)
			return code;
		at = end;
	}
	return comparing->count > before ? EXIT_DONE : complain(path, "has no checkpoint", EXIT_USAGE);
}

static int take_file(struct comparing *comparing, const char *path)
{
	static char text[FILE_BYTES_MAX + 1];
	FILE *file = fopen(path, "re");
	size_t bytes = file == NULL ? 0 : fread(text, 1, sizeof text, file);
	bool failed = file == NULL || ferror(file);
	int error = errno;
	if (file != NULL)
		fclose(file);
	if (failed)
		return complain(path, strerror(error), EXIT_USAGE);
	if (bytes > FILE_BYTES_MAX || memchr(text, '\0', bytes) != NULL)
		return complain(path, "is no file of checkpoints", EXIT_USAGE);
	text[bytes] = '\0';
	return take_text(comparing, path, text);
}

// ------------------------------------------------------------------ judging

static int say(const struct comparing *comparing, int code, const char *verdict, const char *sentence)
{
	if (code != EXIT_DONE)
		fprintf(stderr, "%s\n", sentence);
	else if (!comparing->line->json)
		puts(sentence);
	if (comparing->line->json)
		output_json(json_pack("{s:s, s:i, s:s}", "verdict", verdict, "checkpoints", (int)comparing->count, "reason", sentence));
	return code;
}

static int by_size(const void *a, const void *b)
{
	const struct log_kept *one = a, *other = b;
	return (one->checkpoint.size > other->checkpoint.size) - (one->checkpoint.size < other->checkpoint.size);
}

// After sorting: the first two of one size with other roots.
static bool find_fork(const struct comparing *comparing, char *sentence, size_t bytes)
{
	for (unsigned i = 1; i < comparing->count; i++) {
		const struct log_kept *one = &comparing->held[i - 1], *other = &comparing->held[i];
		if (one->checkpoint.size != other->checkpoint.size ||
		    memcmp(&one->checkpoint.root, &other->checkpoint.root, sizeof one->checkpoint.root) == 0)
			continue;
		snprintf(sentence, bytes,
			 "TWO LOGS: %s and %s have checkpoints of %llu records with different roots, and the log's key signed both.",
			 one->path, other->path, (unsigned long long)one->checkpoint.size);
		return true;
	}
	return false;
}

static enum log_status look(const struct comparing *comparing, unsigned count, struct log_result *ret)
{
	*ret = (struct log_result){0};
	struct log_database *database = audit_open_database(comparing->line, ret->detail);
	enum log_status status = LOG_UNREADABLE;
	if (database != NULL)
		status = log_database_verify(database, &comparing->log, comparing->held, count, NULL, ret);
	log_database_close(database);
	return status;
}

// A copy of the database may be older than what is compared: what it does not reach is not decided by it.
static int judge_by_database(const struct comparing *comparing)
{
	struct log_result result;
	char sentence[600];
	enum log_status status = look(comparing, comparing->count, &result);
	unsigned reached = comparing->count;
	while (reached > 0 && comparing->held[reached - 1].checkpoint.size > result.records)
		reached--;
	if (status == LOG_BROKEN && reached < comparing->count)
		status = look(comparing, reached, &result);
	if (status == LOG_UNREADABLE)
		return say(comparing, EXIT_FAILED, "undecided", result.detail);
	if (status == LOG_BROKEN) {
		snprintf(sentence, sizeof sentence, "TWO LOGS, or one that was changed: %s", result.detail);
		return say(comparing, EXIT_PROOF, "forked", sentence);
	}
	if (reached < comparing->count) {
		snprintf(sentence, sizeof sentence,
			 "UNDECIDED: the database has %llu records and %s a checkpoint of %llu. Take a newer copy; if this is what the broker "
			 "has now, the log has been cut.", (unsigned long long)result.records, comparing->held[reached].path,
			 (unsigned long long)comparing->held[reached].checkpoint.size);
		return say(comparing, EXIT_PARTIAL, "undecided", sentence);
	}
	return say(comparing, EXIT_DONE, "one", "All checkpoints are of this one log.");
}

static int judge(struct comparing *comparing)
{
	char sentence[9000];
	qsort(comparing->held, comparing->count, sizeof comparing->held[0], by_size);
	if (find_fork(comparing, sentence, sizeof sentence))
		return say(comparing, EXIT_PROOF, "forked", sentence);
	if (audit_database_count(comparing->line) != 0)
		return judge_by_database(comparing);
	if (comparing->held[0].checkpoint.size == comparing->held[comparing->count - 1].checkpoint.size)
		return say(comparing, EXIT_DONE, "one", "All checkpoints are of one log.");
	return say(comparing, EXIT_PARTIAL, "undecided",
		   "UNDECIDED: the checkpoints are of different sizes, and of those alone nobody can say whether they are of one log: give "
		   "--database, the broker's or a copy of it.");
}

int audit_compare(const struct command_line *line)
{
	static struct comparing comparing;
	const char *key = command_value(line, "log-key");
	comparing = (struct comparing){.line = line};
	if (audit_database_count(line) > 1)
		return command_usage_error(line, "give one of --database FILE and --postgres CONNINFO");
	enum certs_status status = note_verifier_load(key, &comparing.log);
	if (status != CERTS_OK)
		return complain(key, certs_status_text(status), EXIT_USAGE);
	for (int i = 0; i < line->operand_count; i++) {
		int code = take_file(&comparing, line->operands[i]);
		if (code != EXIT_DONE)
			return code;
	}
	return judge(&comparing);
}
