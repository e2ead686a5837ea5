// A file without a name is written, flushed, and then given its name. link() never replaces anything, so that it is the kernel
// that holds the promise.
#include "clients/cli/export_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/fs.h>

static void explain(const char *path, const char *what, char detail[EXPORT_DETAIL_BYTES])
{
	snprintf(detail, EXPORT_DETAIL_BYTES, "%.180s: %.100s", path, what);
}

static bool write_all(int file, const uint8_t *data, size_t bytes)
{
	while (bytes > 0) {
		ssize_t count = write(file, data, bytes);
		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0)
			return false;
		data += count;
		bytes -= (size_t)count;
	}
	return true;
}

// Makes the folders above `path`.
static bool make_folders(const char *path)
{
	char folder[PATH_MAX];
	if ((size_t)snprintf(folder, sizeof folder, "%s", path) >= sizeof folder)
		return false;
	for (char *at = strchr(folder + 1, '/'); at != NULL; at = strchr(at + 1, '/')) {
		*at = '\0';
		if (mkdir(folder, 0755) != 0 && errno != EEXIST)
			return false;
		*at = '/';
	}
	return true;
}

static void folder_of(const char *path, char out[PATH_MAX])
{
	const char *slash = strrchr(path, '/');
	if (slash == NULL)
		strcpy(out, ".");
	else
		snprintf(out, PATH_MAX, "%.*s", slash == path ? 1 : (int)(slash - path), path);
}

// ------------------------------------------------------------------ without a name, or with one beside

struct draft {
	int file;
	char beside[PATH_MAX]; // "": it has no name
};

static bool draft_open(struct draft *draft, const char *path)
{
	char folder[PATH_MAX];
	folder_of(path, folder);
	draft->beside[0] = '\0';
	draft->file = open(folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0444);
	if (draft->file >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
		return draft->file >= 0;
	// A file system that knows no files without a name.
	if ((size_t)snprintf(draft->beside, sizeof draft->beside, "%s/.new-XXXXXX", folder) >= sizeof draft->beside) {
		errno = ENAMETOOLONG;
		return false;
	}
	draft->file = mkostemp(draft->beside, O_CLOEXEC);
	return draft->file >= 0 && fchmod(draft->file, 0444) == 0;
}

static bool draft_name(const struct draft *draft, const char *path)
{
	char proc[64];
	snprintf(proc, sizeof proc, "/proc/self/fd/%d", draft->file);
	return draft->beside[0] != '\0' ? link(draft->beside, path) == 0
					: linkat(AT_FDCWD, proc, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0;
}

static void draft_close(struct draft *draft)
{
	int error = errno;
	if (draft->file >= 0)
		close(draft->file);
	if (draft->beside[0] != '\0')
		unlink(draft->beside); // storage that does not let it keeps it; nobody reads it
	errno = error;
}

static bool create(const char *path, const void *data, size_t bytes)
{
	struct draft draft;
	bool made = draft_open(&draft, path);
	if (!made && errno == ENOENT && make_folders(path))
		made = draft_open(&draft, path);
	made = made && write_all(draft.file, data, bytes) && fdatasync(draft.file) == 0 && draft_name(&draft, path);
	draft_close(&draft);
	return made;
}

// ------------------------------------------------------------------ what is there

// A pipe or a device in a file's place gives no more than its name: waiting for what comes out of it could last for ever.
static int open_plain(const char *path)
{
	struct stat status;
	int file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (file >= 0 && (fstat(file, &status) != 0 || !S_ISREG(status.st_mode))) {
		close(file);
		errno = EINVAL;
		return -1;
	}
	return file;
}

enum export_read export_file_read(const char *path, uint8_t *out, size_t out_bytes, size_t *ret_bytes,
				  char detail[EXPORT_DETAIL_BYTES])
{
	int file = open_plain(path);
	if (file < 0) {
		explain(path, errno == EINVAL ? "it is not a file" : strerror(errno), detail);
		return errno == ENOENT || errno == ENOTDIR ? EXPORT_MISSING : EXPORT_UNREADABLE;
	}
	size_t done = 0;
	ssize_t count = 0;
	while (done < out_bytes && (count = read(file, out + done, out_bytes - done)) > 0)
		done += (size_t)count;
	uint8_t more;
	enum export_read status = EXPORT_READ;
	if (count < 0 || (done == out_bytes && (count = read(file, &more, 1)) < 0)) {
		explain(path, strerror(errno), detail);
		status = EXPORT_UNREADABLE;
	} else if (count > 0) {
		explain(path, "it is too long", detail);
		status = EXPORT_TOO_LONG;
	}
	close(file);
	*ret_bytes = done;
	return status;
}

static enum export_put compare(const char *path, const void *data, size_t bytes, char detail[EXPORT_DETAIL_BYTES])
{
	size_t there = 0;
	uint8_t *old = malloc(bytes + 1);
	enum export_read status =
		old == NULL ? EXPORT_UNREADABLE : export_file_read(path, old, bytes, &there, detail);
	bool same = status == EXPORT_READ && there == bytes && memcmp(old, data, bytes) == 0;
	if (old == NULL)
		explain(path, "out of memory", detail);
	free(old);
	if (same)
		return EXPORT_THERE;
	if (status == EXPORT_UNREADABLE)
		return EXPORT_FAILED;
	explain(path, "it is there, and it is not what the log has", detail);
	return EXPORT_DIFFERENT;
}

enum export_put export_file_put(const char *path, const void *data, size_t bytes, char detail[EXPORT_DETAIL_BYTES])
{
	// Looked at first: storage that is full or read-only may still have all of it.
	if (access(path, F_OK) == 0)
		return compare(path, data, bytes, detail);
	if (create(path, data, bytes))
		return EXPORT_MADE;
	if (errno == EEXIST) // another export at the same time
		return compare(path, data, bytes, detail);
	explain(path, strerror(errno), detail);
	return EXPORT_FAILED;
}

// chattr +i or +a: what is made there stays. Asked first, because a file beside could not be removed again.
static bool is_fixed(const char *path)
{
	int flags = 0, file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	bool fixed = file >= 0 && ioctl(file, FS_IOC_GETFLAGS, &flags) == 0 && (flags & (FS_IMMUTABLE_FL | FS_APPEND_FL)) != 0;
	if (file >= 0)
		close(file);
	return fixed;
}

bool export_file_replace(const char *path, const void *data, size_t bytes)
{
	char beside[PATH_MAX], folder[PATH_MAX];
	folder_of(path, folder);
	if (is_fixed(path) || (access(path, F_OK) == 0 && is_fixed(folder))) {
		errno = EPERM;
		return false;
	}
	if ((size_t)snprintf(beside, sizeof beside, "%s.%ld.new", path, (long)getpid()) >= sizeof beside) {
		errno = ENAMETOOLONG;
		return false;
	}
	if (!create(path, data, bytes)) {
		if (errno != EEXIST || !create(beside, data, bytes))
			return false;
		if (rename(beside, path) != 0) {
			int error = errno;
			unlink(beside);
			errno = error;
			return false;
		}
	}
	return true;
}
