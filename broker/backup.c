// Copies of the store, and what one that was put back lacks.
#include "broker/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "broker/backup_priv.h"
#include "broker/clock.h"
#include "broker/config.h"
#include "proto/date.h"

enum { EXIT_DONE, EXIT_USAGE_ERROR, EXIT_CANNOT };

bool backup_fail(char detail[BACKUP_DETAIL_BYTES], const char *path, const char *what)
{
	snprintf(detail, BACKUP_DETAIL_BYTES, "%.200s: %.250s", path, what);
	return false;
}

bool backup_flush_directory(const char *path, char detail[BACKUP_DETAIL_BYTES])
{
	char copy[BACKUP_PATH_BYTES];
	snprintf(copy, sizeof copy, "%s", path);
	int directory = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool flushed = directory >= 0 && fsync(directory) == 0;
	int error = errno;
	if (directory >= 0)
		close(directory);
	return flushed || backup_fail(detail, path, strerror(error));
}

bool backup_check_note(const struct store_log *log, const struct note_verifier *verifier, const char *path,
		       char detail[BACKUP_DETAIL_BYTES])
{
	struct checkpoint checkpoint;
	if (log->records == 0 && log->note[0] == '\0')
		return true;
	enum certs_status status = checkpoint_verify(log->note, strlen(log->note), verifier, &checkpoint);
	if (status != CERTS_OK)
		snprintf(detail, BACKUP_DETAIL_BYTES, "%.200s: its checkpoint is not of the log %.100s: %s", path, verifier->origin,
			 certs_status_text(status));
	else if (checkpoint.size != log->records)
		snprintf(detail, BACKUP_DETAIL_BYTES, "%.200s: it has %llu audit records and its checkpoint was signed for %llu", path,
			 (unsigned long long)log->records, (unsigned long long)checkpoint.size);
	else if (memcmp(&checkpoint.root, &log->root, sizeof log->root) != 0)
		backup_fail(detail, path, "its audit records are not those that its checkpoint was signed for");
	else
		return true;
	return false;
}

void backup_print_log(const char *path, const struct store_log *log)
{
	char when[25] = "never";
	if (log->newest_ms > 0)
		instant_format(log->newest_ms, when);
	printf("%s: %llu audit records, the newest of %s\n", path, (unsigned long long)log->records, when);
}

bool backup_load_verifier(const char *trust_directory, struct note_verifier *ret, char detail[BACKUP_DETAIL_BYTES])
{
	char path[BACKUP_PATH_BYTES];
	snprintf(path, sizeof path, "%s/log.vkey", trust_directory);
	enum certs_status status = note_verifier_load(path, ret);
	return status == CERTS_OK || backup_fail(detail, path, certs_status_text(status));
}

// ------------------------------------------------------------------ making one

// Whole or not at all: a link, as a rename would take the place of another backup.
static bool put_in_place(const char *part, const char *to, char detail[BACKUP_DETAIL_BYTES])
{
	if (link(part, to) != 0)
		return backup_fail(detail, to, errno == EEXIST ? "is there already and is not overwritten" : strerror(errno));
	if (unlink(part) != 0)
		return backup_fail(detail, part, strerror(errno));
	return backup_flush_directory(to, detail);
}

static bool make(const struct config *config, const char *to, struct store_log *ret, char detail[BACKUP_DETAIL_BYTES])
{
	struct note_verifier verifier;
	char part[BACKUP_PATH_BYTES];
	if (access(to, F_OK) == 0)
		return backup_fail(detail, to, "is there already and is not overwritten");
	if (!backup_load_verifier(config->trust_directory, &verifier, detail))
		return false;
	snprintf(part, sizeof part, "%s.part", to);
	// What a backup that was interrupted left. Two at a time into one file: the second fails when it makes its own.
	unlink(part);
	if (!store_sqlite_backup(config->store_file, part, ret, detail))
		return false;
	bool good = backup_check_note(ret, &verifier, to, detail) && put_in_place(part, to, detail);
	unlink(part);
	return good;
}

int backup_make(const char *config_path, const char *to)
{
	struct config *config = NULL;
	struct store_log log = {0};
	char detail[BACKUP_DETAIL_BYTES] = "";
	int code = EXIT_CANNOT;
	uint64_t began_ms = clock_monotonic_ms();
	// Whoever waits for an answer goes first.
	(void)setpriority(PRIO_PROCESS, 0, 10);
	if (config_load(config_path, &config, detail) && config_has_store_file(config, "--backup", detail) && make(config, to, &log, detail)) {
		backup_print_log(to, &log);
		printf("%s\nIt is sealed with %s, which is not in it: keep that key apart from it. Copied in %llu ms.\n", log.note,
		       config->store_key, (unsigned long long)(clock_monotonic_ms() - began_ms));
		code = EXIT_DONE;
	} else {
		fprintf(stderr, "cpis-broker: %s\n", detail);
	}
	config_free(config);
	return code;
}

// ------------------------------------------------------------------ what is missing

struct publications {
	uint64_t after_ms; // those are not lost
	size_t again, before;
};

static void print_publication(void *context, const char *organisation, uint64_t published_ms)
{
	struct publications *publications = context;
	char when[25];
	bool again = publications->after_ms > 0 && published_ms > publications->after_ms;
	instant_format(published_ms, when);
	printf("  %-12s last published %s%s\n", organisation, when, again ? ", since the backup was put back" : "");
	publications->again += again;
	publications->before += !again;
}

static void forget_publication(void *context, const char *organisation, uint64_t published_ms)
{
	(void)context;
	(void)organisation;
	(void)published_ms;
}

static void print_way_on(bool lost)
{
	printf("Authorities publish again: one full file of each (`cpis publish --full FILE`) brings its plans to what they are, whatever was "
	       "lost.\n");
	if (lost)
		printf("This log cannot be gone on with: clients that hold its later checkpoints stop, and are right. Start a successor "
		       "from the backup: `cpis certs new-log`, then `cpis-broker --restore CONFIG BACKUP --replace --successor-of "
		       "OLD.vkey` (broker/README.md, \"Backup and restore\").\n");
}

static int print_gap(const char *path, const struct note_verifier *verifier, const struct store_gap *gap)
{
	struct checkpoint restored = {0}, heard = {0};
	char when[25] = "never";
	backup_print_log(path, &gap->log);
	bool knows = gap->was_restored &&
		     checkpoint_verify(gap->restored_note, strlen(gap->restored_note), verifier, &restored) == CERTS_OK;
	bool forked = gap->was_heard && checkpoint_verify(gap->heard_note, strlen(gap->heard_note), verifier, &heard) == CERTS_OK;
	if (gap->restored_ms > 0)
		instant_format(gap->restored_ms, when);
	if (gap->was_restored && !knows)
		printf("A backup of another log, the newest record of %s, was put back: this log is its successor. How much of that one "
		       "is lost its own later checkpoints say (`cpis audit checkpoint` at whoever holds one).\n", when);
	else if (knows)
		printf("A backup of %llu records, the newest of %s, was put back.\n", (unsigned long long)restored.size, when);
	else
		printf("No backup was put back here by --restore.\n");
	bool lost = forked && (!knows || heard.size > restored.size);
	if (lost && knows)
		printf("Lost: at least %llu records, made after %s: %s was shown a log of %llu.\n",
		       (unsigned long long)(heard.size - restored.size), when, gap->heard_of, (unsigned long long)heard.size);
	else if (lost)
		printf("Records are lost or there are two logs: %s was shown one of %llu records that is not this one.\n",
		       gap->heard_of, (unsigned long long)heard.size);
	else
		printf("Nobody has shown a checkpoint that this log lacks. That is no proof: who holds one may not have connected yet.\n");
	if (lost || gap->was_restored)
		print_way_on(lost);
	return EXIT_DONE;
}

int backup_missing(const char *config_path)
{
	struct config *config = NULL;
	struct note_verifier verifier;
	struct store_gap gap = {0};
	struct publications publications = {0};
	char detail[BACKUP_DETAIL_BYTES] = "";
	int code = EXIT_CANNOT;
	// Twice: when the backup's newest record was made has to be known before the list.
	if (config_load(config_path, &config, detail) && config_has_store_file(config, "--missing", detail) &&
	    backup_load_verifier(config->trust_directory, &verifier, detail) &&
	    store_sqlite_gap(config->store_file, &gap, forget_publication, NULL, detail)) {
		publications.after_ms = gap.restored_ms;
		code = print_gap(config->store_file, &verifier, &gap);
		if (!store_sqlite_gap(config->store_file, &gap, print_publication, &publications, detail))
			code = EXIT_CANNOT;
		if (publications.again + publications.before == 0)
			printf("  No authority has published.\n");
	}
	if (code != EXIT_DONE)
		fprintf(stderr, "cpis-broker: %s\n", detail);
	config_free(config);
	return code;
}
