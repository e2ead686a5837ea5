// A store's file as a whole: copied while a broker works with it, checked, put into words. None of it needs a key, so none of it
// says whether the file is ours; whoever calls checks `note`.
#ifndef CPIS_BROKER_STORE_BACKUP_H
#define CPIS_BROKER_STORE_BACKUP_H

#include "broker/store.h"
#include "certs/note.h"

// The audit log of a file.
struct store_log {
	uint64_t records;
	uint64_t newest_ms;            // the last record's time; 0: there is none
	struct merkle_hash root;       // of all of them
	char note[NOTE_BYTES_MAX + 1]; // the checkpoint that the file has; "": none
};

// Copies what is committed now into `to`, which must not be there: one moment of the store, however much is committed
// meanwhile. Commits do not wait for it; the write-ahead log is not shortened until it is done. Flushed, not yet in place
// anywhere: the directory is the caller's. `to` is removed after a failure. `ret` is read from the copy, by its stored hashes.
__attribute__((warn_unused_result)) bool store_sqlite_backup(const char *path, const char *to, struct store_log *ret,
							      char detail[STORE_DETAIL_BYTES]);

// Reads a file to its end: SQLite's own check of every page and index, and the log derived again from salts and records. The
// first thing that does not hold is named; the file is `called` so in the sentence. `-wal` and `-shm` come and go beside it.
__attribute__((warn_unused_result)) bool store_sqlite_verify(const char *path, const char *called, struct store_log *ret,
							      char detail[STORE_DETAIL_BYTES]);

// Makes the log another one's successor: `note` is its checkpoint from now on, and what was heard and cosigned of the other one is
// forgotten. Nobody may have the file open.
__attribute__((warn_unused_result)) bool store_sqlite_succeed(const char *path, const char *note, char detail[STORE_DETAIL_BYTES]);

// What a restored store knows of what it lacks.
struct store_gap {
	struct store_log log;                 // as it is now
	bool was_restored;
	uint64_t restored_ms;                 // `restored_note` is the checkpoint of the backup, and this its newest record's time
	char restored_note[NOTE_BYTES_MAX + 1];
	bool was_heard;                       // somebody holds a checkpoint that is not of this log:
	char heard_note[NOTE_BYTES_MAX + 1];  // the largest, and who handed it in
	char heard_of[ODS_CODE_BYTES_MAX + SYSTEM_NAME_BYTES_MAX + 2];
};
typedef void store_tell_publication(void *context, const char *organisation, uint64_t published_ms);
// Beside a broker, too. Each authority's last publication is told, by code.
__attribute__((warn_unused_result)) bool store_sqlite_gap(const char *path, struct store_gap *ret, store_tell_publication *tell,
							   void *context, char detail[STORE_DETAIL_BYTES]);

// The lock that a broker holds while it runs: for who would put another file in the store's place. -1 with a sentence.
__attribute__((warn_unused_result)) int store_sqlite_lock(const char *path, char detail[STORE_DETAIL_BYTES]);

// A file that is not in its place yet lies beside the store under this ending; while it does, the store is not opened.
#define STORE_RESTORING_ENDING ".restoring"

#endif
