// A backup put in the store's place. Everything is done to a copy beside it, STORE.restoring; while that lies there no broker opens
// the store, and the last act is to rename it. Whatever fails before leaves what there was.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker/backup.h"
#include "broker/backup_priv.h"
#include "broker/clock.h"
#include "broker/process.h"
#include "proto/date.h"

#define COPY_BYTES (1u << 20)

enum { EXIT_DONE, EXIT_USAGE_ERROR, EXIT_CANNOT };
enum { ENDING_DATABASE, ENDING_WAL, ENDING_SHM, ENDING_LOCK, ENDINGS };
static const char *const endings[ENDINGS] = {"", "-wal", "-shm", ".lock"};

struct restore {
	const struct restore_options *options;
	struct broker broker;
	char store[BACKUP_PATH_BYTES], copy[BACKUP_PATH_BYTES], aside[BACKUP_PATH_BYTES];
	int lock;
	bool copied;               // there is a copy to remove
	struct note_verifier log;  // of the backup
	struct store_log state;
	char detail[BACKUP_DETAIL_BYTES];
};

static bool fail(struct restore *restore, const char *path, const char *what)
{
	return backup_fail(restore->detail, path, what);
}

static const char *with_ending(const char *path, int ending, char out[BACKUP_PATH_BYTES])
{
	snprintf(out, BACKUP_PATH_BYTES, "%.4200s%s", path, endings[ending]);
	return out;
}

// ------------------------------------------------------------------ the copy

static bool copy_bytes(int from, int to)
{
	uint8_t *buffer = malloc(COPY_BYTES);
	ssize_t got = -1;
	while (buffer != NULL && (got = read(from, buffer, COPY_BYTES)) > 0)
		for (ssize_t done = 0, put; done < got; done += put)
			if ((put = write(to, buffer + done, (size_t)(got - done))) <= 0) {
				free(buffer);
				return false;
			}
	free(buffer);
	return got == 0;
}

// Root makes it for whoever the store's directory belongs to.
static bool give_to_owner(int file, const char *path)
{
	char copy[BACKUP_PATH_BYTES];
	struct stat status;
	if (geteuid() != 0)
		return true;
	snprintf(copy, sizeof copy, "%s", path);
	char *slash = strrchr(copy, '/');
	if (slash != NULL)
		slash[slash == copy] = '\0';
	return stat(slash != NULL ? copy : ".", &status) == 0 && fchown(file, status.st_uid, status.st_gid) == 0;
}

static void remove_beside(const char *path)
{
	char whole[BACKUP_PATH_BYTES];
	for (int i = ENDING_WAL; i < ENDINGS; i++)
		unlink(with_ending(path, i, whole));
}

static bool copy_backup(struct restore *restore)
{
	const char *from = restore->options->from;
	char wal[BACKUP_PATH_BYTES];
	struct stat status;
	if (stat(with_ending(from, ENDING_WAL, wal), &status) == 0 && status.st_size > 0)
		return fail(restore, wal, "lies beside it, so it is a store that was in use and not a backup: make one with --backup");
	int in = open(from, O_RDONLY | O_CLOEXEC);
	if (in < 0)
		return fail(restore, from, strerror(errno));
	// What one that was interrupted left.
	remove_beside(restore->copy);
	unlink(restore->copy);
	int out = open(restore->copy, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	restore->copied = out >= 0;
	bool good = out >= 0 && give_to_owner(out, restore->copy) && copy_bytes(in, out) && fsync(out) == 0;
	int error = errno;
	close(in);
	if (out >= 0 && close(out) != 0 && good) {
		good = false;
		error = errno;
	}
	return good || fail(restore, restore->copy, strerror(error));
}

// ------------------------------------------------------------------ whose log it is

static bool load_log(struct restore *restore)
{
	const char *predecessor = restore->options->successor_of;
	if (predecessor == NULL) {
		restore->log = restore->broker.log_verifier;
		return true;
	}
	enum certs_status status = note_verifier_load(predecessor, &restore->log);
	if (status != CERTS_OK)
		return fail(restore, predecessor, certs_status_text(status));
	if (strcmp(restore->log.origin, restore->broker.log_verifier.origin) == 0)
		return fail(restore, predecessor, "is of the log that the configuration has: its successor needs a key and an origin of "
						  "its own (`cpis certs new-log`)");
	return true;
}

// The records stay what they are, and so does the tree: only who signs for it is another.
static bool succeed(struct restore *restore)
{
	struct checkpoint checkpoint = {.size = restore->state.records, .root = restore->state.root};
	char note[NOTE_BYTES_MAX + 1];
	snprintf(checkpoint.origin, sizeof checkpoint.origin, "%s", restore->broker.log_verifier.origin);
	enum certs_status status = checkpoint_sign(&checkpoint, restore->broker.log_key, note);
	if (status != CERTS_OK)
		return fail(restore, restore->copy, certs_status_text(status));
	return store_sqlite_succeed(restore->copy, note, restore->detail);
}

static void write_sentence(const struct restore *restore, char out[TEXT_BYTES_MAX + 1])
{
	char when[25] = "never";
	if (restore->state.newest_ms > 0)
		instant_format(restore->state.newest_ms, when);
	snprintf(out, TEXT_BYTES_MAX + 1, "RESTORED: a backup of %llu records, the newest of %s, was put back.%s",
		 (unsigned long long)restore->state.records, when,
		 restore->options->successor_of == NULL ? "" : " This log is the successor of the one that they are of.");
}

// Opened with all keys of the configuration, as a broker will: under another one every child would be unknown.
static bool record_it(struct restore *restore)
{
	struct broker *broker = &restore->broker;
	char sentence[TEXT_BYTES_MAX + 1], *path = strdup(restore->copy);
	if (path == NULL)
		return fail(restore, restore->copy, "out of memory");
	free(broker->config->store_file);
	broker->config->store_file = path;
	if (!process_open_store(broker, restore->detail))
		return false;
	write_sentence(restore, sentence);
	struct store_cosigned backup = {.time_ms = restore->state.newest_ms, .note = restore->state.note};
	struct core_restored words = {sentence, restore->options->successor_of == NULL ? "" : restore->log.origin};
	// A log without a record has nothing to be behind.
	bool recorded = restore->state.records == 0 ||
			core_record_restored(broker->core, &backup, &words, clock_now_ms());
	core_free(broker->core);
	broker->core = NULL;
	broker->store->ops->close(broker->store);
	broker->store = NULL;
	remove_beside(restore->copy);
	return recorded || fail(restore, restore->copy, "the restore could not be recorded in its log");
}

// ------------------------------------------------------------------ in place

static bool put_aside(struct restore *restore)
{
	char from[BACKUP_PATH_BYTES], to[BACKUP_PATH_BYTES];
	// The log of what is not in the database yet goes with it.
	for (int i = ENDING_DATABASE; i <= ENDING_WAL; i++)
		if (link(with_ending(restore->store, i, from), with_ending(restore->aside, i, to)) != 0 && errno != ENOENT)
			return fail(restore, to, errno == EEXIST ? "is there already: move it away" : strerror(errno));
	return true;
}

static bool put_in_place(struct restore *restore)
{
	char path[BACKUP_PATH_BYTES];
	if (restore->options->replaces && !put_aside(restore))
		return false;
	// It belongs to the file that goes. From here to the rename the copy keeps brokers away.
	unlink(with_ending(restore->store, ENDING_WAL, path));
	unlink(with_ending(restore->store, ENDING_SHM, path));
	if (rename(restore->copy, restore->store) != 0)
		return fail(restore, restore->store, strerror(errno));
	restore->copied = false;
	return backup_flush_directory(restore->store, restore->detail);
}

// For the trust bundle: with what the successor begins.
static bool write_succeeded(struct restore *restore)
{
	char path[BACKUP_PATH_BYTES];
	snprintf(path, sizeof path, "%.4200s.succeeded", restore->store);
	FILE *file = fopen(path, "we");
	bool written = file != NULL && fputs(restore->state.note, file) >= 0;
	if (file != NULL)
		written = fclose(file) == 0 && written;
	return written || fail(restore, path, strerror(errno));
}

static bool is_free(struct restore *restore)
{
	char path[BACKUP_PATH_BYTES];
	if (access(restore->store, F_OK) == 0 && !restore->options->replaces)
		return fail(restore, restore->store, "a store is there: move it away, or say --replace, which keeps it as .replaced");
	for (int i = ENDING_DATABASE; i <= ENDING_WAL; i++)
		if (access(with_ending(restore->aside, i, path), F_OK) == 0)
			return fail(restore, path, "is there already, from another restore: move it away");
	return true;
}

static bool run(struct restore *restore)
{
	const struct restore_options *options = restore->options;
	if (!process_load(&restore->broker, options->config_path, restore->detail) ||
	    !config_has_store_file(restore->broker.config, "--restore", restore->detail) || !load_log(restore))
		return false;
	const char *store = restore->broker.config->store_file;
	snprintf(restore->store, sizeof restore->store, "%.4200s", store);
	snprintf(restore->copy, sizeof restore->copy, "%.4200s%s", store, STORE_RESTORING_ENDING);
	snprintf(restore->aside, sizeof restore->aside, "%.4200s.replaced", store);
	restore->lock = store_sqlite_lock(restore->store, restore->detail);
	if (restore->lock >= 0 && !give_to_owner(restore->lock, restore->store))
		return fail(restore, restore->store, strerror(errno));
	return restore->lock >= 0 && is_free(restore) && copy_backup(restore) &&
	       store_sqlite_verify(restore->copy, options->from, &restore->state, restore->detail) &&
	       backup_check_note(&restore->state, &restore->log, options->from, restore->detail) &&
	       (options->successor_of == NULL || (succeed(restore) && write_succeeded(restore))) && record_it(restore) &&
	       put_in_place(restore);
}

static void report(const struct restore *restore)
{
	backup_print_log(restore->store, &restore->state);
	if (restore->options->successor_of != NULL)
		printf("The log %s begins with these records, and goes on from them. %s.succeeded is their checkpoint: put it into the trust "
		       "bundle as log.succeeded, and give every system and auditor that bundle, with its log.vkey and log.previous.\n",
		       restore->broker.log_verifier.origin, restore->store);
	else
		printf("Start the broker when this backup is the newest that there was of the store. If the store was in use after it, "
		       "records are lost and this log cannot be gone on with: whoever holds its later checkpoints will stop, and is "
		       "right. Then restore it again with --successor-of (broker/README.md, \"Backup and restore\").\n");
	printf("What was published after that time is not in it: each authority publishes one full file again (`cpis publish --full FILE`). "
	       "`cpis-broker --missing %s` lists what the store knows of.\n",
	       restore->options->config_path);
	if (restore->options->replaces && access(restore->aside, F_OK) == 0)
		printf("The store before is kept as %s.\n", restore->aside);
}

int backup_restore(const struct restore_options *options)
{
	struct restore *restore = calloc(1, sizeof *restore);
	if (restore == NULL) {
		fprintf(stderr, "cpis-broker: out of memory\n");
		return EXIT_CANNOT;
	}
	restore->options = options;
	restore->broker.signals = restore->broker.keeper = restore->lock = -1;
	process_harden();
	bool done = run(restore);
	if (done)
		report(restore);
	else
		fprintf(stderr, "cpis-broker: %s\n", restore->detail);
	process_close(&restore->broker);
	if (restore->copied) {
		remove_beside(restore->copy);
		unlink(restore->copy);
	}
	if (restore->lock >= 0)
		close(restore->lock);
	free(restore);
	return done ? EXIT_DONE : EXIT_CANNOT;
}
