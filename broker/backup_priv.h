// What backup.c, restore.c and move.c share.
#ifndef CPIS_BROKER_BACKUP_PRIV_H
#define CPIS_BROKER_BACKUP_PRIV_H

#include "broker/store_backup.h"
#include "certs/note.h"

#define BACKUP_DETAIL_BYTES 512
#define BACKUP_PATH_BYTES 4300

// Writes "PATH: WHAT" and is false.
bool backup_fail(char detail[BACKUP_DETAIL_BYTES], const char *path, const char *what);
// The directory that a path lies in, so that its names are durable.
__attribute__((warn_unused_result)) bool backup_flush_directory(const char *path, char detail[BACKUP_DETAIL_BYTES]);
// The file's own checkpoint is of this log, and of exactly its records.
__attribute__((warn_unused_result)) bool backup_check_note(const struct store_log *log, const struct note_verifier *verifier,
							    const char *path, char detail[BACKUP_DETAIL_BYTES]);
// The key that the trust bundle has for the log.
__attribute__((warn_unused_result)) bool backup_load_verifier(const char *trust_directory, struct note_verifier *ret,
							       char detail[BACKUP_DETAIL_BYTES]);
void backup_print_log(const char *path, const struct store_log *log);

#endif
