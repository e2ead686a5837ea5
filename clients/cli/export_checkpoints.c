// The checkpoints that an export has: one for each time it was brought up to date.
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/cli/command_line.h"
#include "clients/cli/export_file.h"
#include "clients/cli/log_export.h"

_Static_assert(EXPORT_DETAIL_BYTES == LOG_DETAIL_BYTES, "one detail is the other's");

static enum log_status unreadable(struct log_result *result, const char *path, const char *what)
{
	snprintf(result->detail, sizeof result->detail, "%.180s: %.100s", path, what);
	return LOG_UNREADABLE;
}

static bool add(struct export_checkpoints *checkpoints, const char *path, const struct checkpoint *checkpoint)
{
	struct log_kept *more = realloc(checkpoints->kept, (checkpoints->count + 1) * sizeof *more);
	char *name = strdup(path);
	if (more != NULL)
		checkpoints->kept = more;
	if (more == NULL || name == NULL) {
		free(name);
		return false;
	}
	more[checkpoints->count++] = (struct log_kept){.path = name, .checkpoint = *checkpoint};
	return true;
}

static enum log_status load_one(const char *path, uint64_t size, const struct note_verifier *verifier,
				struct export_checkpoints *checkpoints, struct log_result *result)
{
	char note[NOTE_BYTES_MAX + 1];
	size_t bytes = 0;
	struct checkpoint checkpoint;
	switch (export_file_read(path, (uint8_t *)note, NOTE_BYTES_MAX, &bytes, result->detail)) {
	case EXPORT_READ:
		break;
	case EXPORT_TOO_LONG:
		return LOG_BROKEN;
	default:
		return LOG_UNREADABLE;
	}
	enum certs_status status = checkpoint_verify(note, bytes, verifier, &checkpoint);
	if (status != CERTS_OK)
		return log_broken(result, "%.150s is not a checkpoint of this log: %s", path, certs_status_text(status));
	if (checkpoint.size != size)
		return log_broken(result, "%.150s is the checkpoint of %llu records", path, (unsigned long long)checkpoint.size);
	if (!add(checkpoints, path, &checkpoint))
		return unreadable(result, path, "out of memory");
	if (checkpoints->newest_bytes == 0 || size > checkpoints->kept[0].checkpoint.size) {
		// The newest is kept at the front while they are read.
		struct log_kept newest = checkpoints->kept[checkpoints->count - 1];
		checkpoints->kept[checkpoints->count - 1] = checkpoints->kept[0];
		checkpoints->kept[0] = newest;
		memcpy(checkpoints->newest, note, bytes);
		checkpoints->newest[bytes] = '\0';
		checkpoints->newest_bytes = bytes;
	}
	return LOG_HOLDS;
}

static int by_size(const void *left, const void *right)
{
	const struct log_kept *a = left, *b = right;
	return a->checkpoint.size < b->checkpoint.size ? -1 : a->checkpoint.size > b->checkpoint.size;
}

enum log_status export_checkpoints_load(const char *directory, const struct note_verifier *verifier,
					struct export_checkpoints *ret, struct log_result *result)
{
	char folder[PATH_MAX], path[2 * PATH_MAX];
	*ret = (struct export_checkpoints){0};
	snprintf(folder, sizeof folder, "%s/checkpoints", directory);
	DIR *names = opendir(folder);
	if (names == NULL)
		return errno == ENOENT ? LOG_HOLDS : unreadable(result, folder, strerror(errno));
	enum log_status status = LOG_HOLDS;
	for (struct dirent *name; status == LOG_HOLDS && (name = readdir(names)) != NULL;) {
		uint64_t size;
		// What has another name is not ours: a draft that could not be removed.
		if (!command_number(name->d_name, 0, INT64_MAX, &size))
			continue;
		snprintf(path, sizeof path, "%s/%s", folder, name->d_name);
		status = load_one(path, size, verifier, ret, result);
	}
	closedir(names);
	if (status == LOG_HOLDS && ret->count > 0)
		qsort(ret->kept, ret->count, sizeof *ret->kept, by_size);
	if (status != LOG_HOLDS)
		export_checkpoints_free(ret);
	return status;
}

void export_checkpoints_free(struct export_checkpoints *checkpoints)
{
	for (unsigned i = 0; i < checkpoints->count; i++)
		free((void *)(uintptr_t)checkpoints->kept[i].path);
	free(checkpoints->kept);
	*checkpoints = (struct export_checkpoints){0};
}
