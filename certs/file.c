// Reading and writing key and certificate files.
#include "certs/file_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "certs/secret_file.h"

static enum certs_status read_all(int fd, size_t bytes, uint8_t **ret, size_t *ret_bytes)
{
	uint8_t *data = malloc(bytes + 1);
	if (data == NULL)
		return CERTS_LIBRARY;
	size_t done = 0;
	while (done < bytes) {
		ssize_t count = read(fd, data + done, bytes - done);
		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0)
			break;
		done += (size_t)count;
	}
	if (done != bytes) {
		file_free(data, bytes);
		return CERTS_CANNOT_READ;
	}
	data[bytes] = '\0';
	*ret = data;
	*ret_bytes = bytes;
	return CERTS_OK;
}

enum certs_status file_read(const char *path, bool secret, uint8_t **ret, size_t *ret_bytes)
{
	struct stat info;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return CERTS_CANNOT_READ;
	enum certs_status status = CERTS_CANNOT_READ;
	if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_size >= 0 &&
	    info.st_size <= (off_t)FILE_BYTES_MAX) {
		if (secret && !secret_file_is_closed(path, &info))
			status = CERTS_KEY_PERMISSIONS;
		else
			status = read_all(fd, (size_t)info.st_size, ret, ret_bytes);
	}
	close(fd);
	return status;
}

void file_free(uint8_t *data, size_t bytes)
{
	if (data == NULL)
		return;
	explicit_bzero(data, bytes);
	free(data);
}

static bool write_all(int fd, const uint8_t *data, size_t bytes)
{
	while (bytes > 0) {
		ssize_t count = write(fd, data, bytes);
		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0)
			return false;
		data += count;
		bytes -= (size_t)count;
	}
	return true;
}

// The name is durable only when its directory is.
bool file_sync_directory_of(const char *path)
{
	char copy[PATH_MAX];
	if ((size_t)snprintf(copy, sizeof copy, "%s", path) >= sizeof copy)
		return false;
	int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool synced = fsync(fd) == 0;
	close(fd);
	return synced;
}

enum certs_status file_write(const char *path, const void *data, size_t bytes, mode_t mode, bool replace)
{
	char aside[PATH_MAX];
	if ((size_t)snprintf(aside, sizeof aside, "%s.new.XXXXXX", path) >= sizeof aside)
		return CERTS_CANNOT_WRITE;
	int fd = mkostemp(aside, O_CLOEXEC);
	if (fd < 0)
		return CERTS_CANNOT_WRITE;
	bool written = fchmod(fd, mode) == 0 && write_all(fd, data, bytes) && fsync(fd) == 0;
	written = close(fd) == 0 && written;
	enum certs_status status = written ? CERTS_OK : CERTS_CANNOT_WRITE;
	// link(2) refuses to replace, rename(2) replaces: both in one step.
	if (status == CERTS_OK && replace && rename(aside, path) != 0)
		status = CERTS_CANNOT_WRITE;
	if (status == CERTS_OK && !replace && link(aside, path) != 0)
		status = errno == EEXIST ? CERTS_EXISTS : CERTS_CANNOT_WRITE;
	if (status != CERTS_OK || !replace)
		unlink(aside);
	if (status == CERTS_OK && !file_sync_directory_of(path))
		status = CERTS_CANNOT_WRITE;
	return status;
}
