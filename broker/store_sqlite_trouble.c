// SQLite backend: what went wrong with the database, and what the operator can do about it, as one sentence each.
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "broker/store_sqlite_priv.h"

// By SQLite's primary code.
static const struct {
	int code;
	bool passes; // a broker that runs goes on by itself afterwards
	const char *advice;
} advices[] = {
	{SQLITE_FULL, true, "make room on its file system"},
	{SQLITE_BUSY, true, "another process holds the database: end it"},
	{SQLITE_NOMEM, true, "the machine has no memory for it: give it more"},
	{SQLITE_IOERR, true, "the disk fails: see the kernel's log"},
	{SQLITE_READONLY, false, "make file and file system writable again and start the broker anew"},
	{SQLITE_CORRUPT, false, "the file is damaged: stop the broker, keep the file, and put a backup in its place"},
	{SQLITE_NOTADB, false, "the file is damaged or another program's: keep it, and put a backup in its place"},
	{SQLITE_CANTOPEN, false, "see that file and folder are there and the broker may open them"},
};

// The system's last word on the write-ahead log or the database. SQLite itself forgets it when it rolls back.
static int system_error_of(sqlite3 *database)
{
	static const int pointers[] = {SQLITE_FCNTL_JOURNAL_POINTER, SQLITE_FCNTL_FILE_POINTER};
	int error = sqlite3_system_errno(database);
	for (size_t i = 0; error == 0 && i < sizeof pointers / sizeof *pointers; i++) {
		sqlite3_file *file = NULL;
		if (sqlite3_file_control(database, "main", pointers[i], &file) == SQLITE_OK && file != NULL && file->pMethods != NULL &&
		    file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &error) != SQLITE_OK)
			error = 0;
	}
	return error;
}

// What the system says where SQLite only has a failed call. A read that fails is damage to SQLite, and may be mended.
static int code_of(int code, int system_error)
{
	if (code != SQLITE_IOERR && code != SQLITE_CORRUPT)
		return code;
	switch (system_error) {
	case EROFS:
		return SQLITE_READONLY;
	case ENOSPC:
	case EDQUOT:
		return SQLITE_FULL;
	case EIO:
		return SQLITE_IOERR;
	default:
		return code;
	}
}

void sqlite_trouble(sqlite3 *database, bool running, char ret[SQLITE_TROUBLE_BYTES])
{
	int code = sqlite3_errcode(database) & 0xff, system_error = 0;
	if (code == SQLITE_IOERR || code == SQLITE_CORRUPT || code == SQLITE_CANTOPEN)
		system_error = system_error_of(database);
	code = code_of(code, system_error);
	const char *said = system_error == 0 ? NULL : strerrordesc_np(system_error);
	int used = snprintf(ret, SQLITE_TROUBLE_BYTES, "%s%s%s", sqlite3_errmsg(database), said == NULL ? "" : ", ", said == NULL ? "" : said);
	for (size_t i = 0; i < sizeof advices / sizeof *advices && used < SQLITE_TROUBLE_BYTES; i++)
		if (advices[i].code == code)
			snprintf(ret + used, (size_t)(SQLITE_TROUBLE_BYTES - used), "; %s%s", advices[i].advice,
				 running && advices[i].passes ? "; the broker then goes on by itself" : "");
}
