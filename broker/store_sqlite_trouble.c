// SQLite backend: what went wrong with the database, and what the operator can do about it, as one sentence each.
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "broker/store_sqlite_priv.h"

// By SQLite's primary code.
static const struct {
	int code;
	const char *advice;
} advices[] = {
	{SQLITE_FULL, "make room on its file system: the broker goes on by itself"},
	{SQLITE_BUSY, "another process holds the database: end it; the broker goes on by itself"},
	{SQLITE_NOMEM, "the machine has no memory for it: the broker goes on by itself when there is some"},
	{SQLITE_READONLY, "make file and file system writable again and restart the broker"},
	{SQLITE_CORRUPT, "the file is damaged: stop the broker, keep the file, and put a backup in its place"},
	{SQLITE_NOTADB, "the file is damaged: stop the broker, keep the file, and put a backup in its place"},
	{SQLITE_IOERR, "the disk fails, see the kernel's log: the broker goes on by itself when it works"},
	{SQLITE_CANTOPEN, "see that file and folder are there and the broker may open them"},
};

void sqlite_trouble(sqlite3 *database, char ret[SQLITE_TROUBLE_BYTES])
{
	int code = sqlite3_errcode(database) & 0xff, system_error = code == SQLITE_IOERR ? sqlite3_system_errno(database) : 0;
	const char *advice = "";
	// The system says it where SQLite only has a failed write.
	if (system_error == EROFS)
		code = SQLITE_READONLY;
	else if (system_error == EDQUOT)
		code = SQLITE_FULL;
	for (size_t i = 0; i < sizeof advices / sizeof *advices; i++)
		if (advices[i].code == code)
			advice = advices[i].advice;
	snprintf(ret, SQLITE_TROUBLE_BYTES, "%s%s%s%s%s", sqlite3_errmsg(database), system_error == 0 ? "" : ", ",
		 system_error == 0 ? "" : strerrordesc_np(system_error), advice[0] == '\0' ? "" : "; ", advice);
}
