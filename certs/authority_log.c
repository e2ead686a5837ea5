// The audit log's next key: for a log that cannot be gone on with under the one it has.
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "certs/authority.h"
#include "certs/authority_priv.h"
#include "certs/certificate_priv.h"
#include "certs/file_priv.h"
#include "certs/note.h"

#define LINE_BYTES 512
#define KEY_ID_DIGITS 8

static enum certs_status refuse(char detail[CERTS_DETAIL_BYTES], enum certs_status status, const char *path)
{
	return status == CERTS_OK ? CERTS_OK : certificate_refuse(detail, status, path, NULL);
}

static enum certs_status write_line(const char *directory, const char *name, const struct note_verifier *verifier,
				    char detail[CERTS_DETAIL_BYTES])
{
	char path[AUTHORITY_PATH_BYTES], line[LINE_BYTES];
	authority_join(path, directory, name);
	enum certs_status status = note_verifier_format(verifier, line, sizeof line - 1);
	if (status == CERTS_VALUE)
		return certificate_refuse(detail, status, "log origin", "no spaces, no plus, not empty");
	if (status == CERTS_OK) {
		strcat(line, "\n");
		status = file_write(path, line, strlen(line), 0644, true);
	}
	return refuse(detail, status, path);
}

// broker/log-1a2b3c4d.key, by the key's id: another log's is never overwritten.
static enum certs_status keep_old_key(const char *directory, const struct note_verifier *old, char detail[CERTS_DETAIL_BYTES])
{
	char from[AUTHORITY_PATH_BYTES], to[AUTHORITY_PATH_BYTES], line[LINE_BYTES], name[64];
	enum certs_status status = note_verifier_format(old, line, sizeof line);
	if (status != CERTS_OK)
		return refuse(detail, status, "trust/log.vkey");
	snprintf(name, sizeof name, "broker/log-%.*s.key", KEY_ID_DIGITS, strchr(line, '+') + 1);
	authority_join(from, directory, "broker/log.key");
	authority_join(to, directory, name);
	// The broker's host may be the only one that has it.
	if (access(from, F_OK) != 0)
		return CERTS_OK;
	if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) != 0)
		return refuse(detail, CERTS_CANNOT_WRITE, to);
	return CERTS_OK;
}

static enum certs_status make_key(const char *directory, struct note_verifier *next, char detail[CERTS_DETAIL_BYTES])
{
	char path[AUTHORITY_PATH_BYTES];
	struct signing_key *key = NULL;
	authority_join(path, directory, "broker/log.key");
	enum certs_status status = signing_key_generate(&key);
	if (status == CERTS_OK)
		status = signing_key_save(key, path);
	if (status == CERTS_OK)
		signing_key_public(key, next->public_key);
	signing_key_free(key);
	return refuse(detail, status, path);
}

enum certs_status authority_new_log(const char *directory, const char *origin, char detail[CERTS_DETAIL_BYTES])
{
	char path[AUTHORITY_PATH_BYTES], line[LINE_BYTES];
	struct note_verifier old, next = {0};
	int fd = -1;
	if (strlen(origin) > NOTE_ORIGIN_BYTES_MAX)
		return certificate_refuse(detail, CERTS_VALUE, "log origin", "at most 128 bytes");
	memcpy(next.origin, origin, strlen(origin));
	// Before anything is changed.
	if (note_verifier_format(&next, line, sizeof line) != CERTS_OK)
		return certificate_refuse(detail, CERTS_VALUE, "log origin", "no spaces, no plus, not empty");
	enum certs_status status = authority_lock(directory, &fd, detail);
	if (status != CERTS_OK)
		return status;
	authority_join(path, directory, "trust/log.vkey");
	status = refuse(detail, note_verifier_load(path, &old), path);
	if (status == CERTS_OK && strcmp(old.origin, origin) == 0)
		status = certificate_refuse(detail, CERTS_VALUE, "log origin", "is the one that the log has: the successor needs another");
	if (status == CERTS_OK)
		status = write_line(directory, "trust/log.previous", &old, detail);
	if (status == CERTS_OK)
		status = keep_old_key(directory, &old, detail);
	if (status == CERTS_OK)
		status = make_key(directory, &next, detail);
	if (status == CERTS_OK)
		status = write_line(directory, "trust/log.vkey", &next, detail);
	close(fd);
	return status;
}
