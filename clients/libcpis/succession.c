// A log that has a successor, because a backup was put back that others had been shown more than. The trust bundle says so, and
// nobody else can: log.previous is the verifier key of the log before, log.succeeded its checkpoint with whose records the
// successor begins. What this client remembers of the log before is either in those, and the successor must prove it to begin
// with it; or it is more, and that is lost.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clients/libcpis/client_priv.h"

static enum cpis_status load_succeeded(struct cpis_client *client, const char *path)
{
	char note[NOTE_BYTES_MAX + 1];
	FILE *file = fopen(path, "re");
	if (file == NULL && errno == ENOENT)
		return CPIS_OK;
	size_t bytes = file == NULL ? 0 : fread(note, 1, NOTE_BYTES_MAX, file);
	if (file != NULL)
		fclose(file);
	note[bytes] = '\0';
	enum certs_status status = checkpoint_verify(note, bytes, &client->previous, &client->succeeded);
	return status == CERTS_OK ? CPIS_OK
				  : client_fail(client, CPIS_TRUST, "%.200s: %s", path,
						file == NULL ? strerror(errno) : certs_status_text(status));
}

enum cpis_status client_load_succession(struct cpis_client *client, const char *trust_directory)
{
	char path[CLIENT_PATH_BYTES + 32];
	snprintf(path, sizeof path, "%s/log.previous", trust_directory);
	if (access(path, F_OK) != 0)
		return CPIS_OK;
	enum certs_status status = note_verifier_load(path, &client->previous);
	if (status != CERTS_OK)
		return client_fail(client, CPIS_TRUST, "%.200s: %s", path, certs_status_text(status));
	snprintf(path, sizeof path, "%s/log.succeeded", trust_directory);
	return load_succeeded(client, path);
}

bool client_is_of_previous(const struct cpis_client *client, const char *note, size_t bytes, struct checkpoint *ret)
{
	return client->previous.origin[0] != '\0' && checkpoint_verify(note, bytes, &client->previous, ret) == CERTS_OK;
}

bool client_remembers_previous(const struct cpis_client *client)
{
	return client->newest.size > 0 && strcmp(client->newest.origin, client->log.origin) != 0;
}

enum cpis_status client_keep_previous(struct cpis_client *client, uint64_t size)
{
	char aside[CLIENT_PATH_BYTES + 64];
	snprintf(aside, sizeof aside, "%s.previous-%llu", client->checkpoint_file, (unsigned long long)size);
	if (renameat2(AT_FDCWD, client->checkpoint_file, AT_FDCWD, aside, RENAME_NOREPLACE) == 0)
		return CPIS_OK;
	return client_fail(client, CPIS_STATE, "%.200s: %s; the checkpoint of the log before cannot be put there", aside,
			   strerror(errno));
}
