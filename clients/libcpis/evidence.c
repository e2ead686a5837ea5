// What is kept when a log turns out to be two: both signed notes, in a file that nothing of ours writes to again.
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "clients/libcpis/client_priv.h"

// A text with two notes and some words.
#define EVIDENCE_BYTES (2 * NOTE_BYTES_MAX + 1024)
#define EVIDENCE_PATH_BYTES (CLIENT_PATH_BYTES + 64)

bool client_write_file(const char *path, const char *text, int flags)
{
	int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
	if (file < 0)
		return false;
	size_t bytes = strlen(text);
	bool written = write(file, text, bytes) == (ssize_t)bytes && fsync(file) == 0;
	return close(file) == 0 && written;
}

// The file's name must be there after a loss of power as well.
static bool flush_directory(const char *path)
{
	char copy[EVIDENCE_PATH_BYTES];
	snprintf(copy, sizeof copy, "%s", path);
	int directory = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool done = directory >= 0 && fsync(directory) == 0;
	if (directory >= 0)
		close(directory);
	return done;
}

// By one of the two notes, so that what is found again and again is one file.
static void name_file(const struct cpis_client *client, const char *note, char out[EVIDENCE_PATH_BYTES])
{
	uint8_t digest[EVP_MAX_MD_SIZE] = {0};
	char hex[17];
	const char *end = strstr(note, "\n\n");
	(void)EVP_Digest(note, end == NULL ? strlen(note) : (size_t)(end - note), digest, NULL, EVP_sha256(), NULL);
	for (size_t i = 0; i < 8; i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	snprintf(out, EVIDENCE_PATH_BYTES, "%s.evidence-%s", client->checkpoint_file, hex);
}

// Whole under its name or not there; one that is there already stays.
static bool put(const char *path, const char *text)
{
	char beside[EVIDENCE_PATH_BYTES + 32];
	snprintf(beside, sizeof beside, "%s.%ld.new", path, (long)getpid());
	bool done = client_write_file(beside, text, O_TRUNC) && (link(beside, path) == 0 || errno == EEXIST);
	int error = errno;
	unlink(beside);
	errno = error;
	return done && flush_directory(path);
}

enum cpis_status client_found_fork(struct cpis_client *client, enum cpis_status status, const struct client_fork *fork)
{
	char text[EVIDENCE_BYTES], path[EVIDENCE_PATH_BYTES], state[CLIENT_PATH_BYTES + 16];
	if (client->checkpoint_file[0] == '\0')
		return client_fail(client, status, "%s; there is no checkpoint_file, so nothing is kept of it", fork->what);
	snprintf(text, sizeof text,
		 "# Evidence about the audit log %s, kept by %s of %s.\n# %s.\n\n# What this system was shown:\n%s\n"
		 "# What %s was shown:\n%s",
		 client->log.origin, client->system.name, client->system.organisation, fork->what, client->newest_note,
		 fork->who, fork->theirs);
	name_file(client, fork->keep_by_theirs ? fork->theirs : client->newest_note, path);
	// The next thing that is said to the broker is what this system holds, for the others.
	snprintf(state, sizeof state, "%s.exchange", client->checkpoint_file);
	unlink(state);
	client->exchanged_ms = 0;
	if (!put(path, text))
		return client_fail(client, status, "%s; %.200s: %s", fork->what, path, strerror(errno));
	return client_fail(client, status,
			   "%s. Keep %.200s, which has both checkpoints, do not rely on this broker, and compare with what others hold "
			   "(cpis audit compare)", fork->what, path);
}
