// Secrets in files and in memory.
#include "clients/fhir/notify_secret.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "certs/secret_file.h"
#include "clients/fhir/notify_exit.h"

static bool refuse(char *detail, const char *path, const char *why)
{
	snprintf(detail, NOTIFY_DETAIL_BYTES, "%.300s: %s", path, why);
	return false;
}

static bool read_whole(int descriptor, struct notify_file *file)
{
	file->data = malloc(NOTIFY_FILE_BYTES_MAX + 1u);
	while (file->data != NULL && file->bytes <= NOTIFY_FILE_BYTES_MAX) {
		ssize_t got = read(descriptor, file->data + file->bytes, NOTIFY_FILE_BYTES_MAX + 1u - file->bytes);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return false;
		if (got == 0) {
			file->data[file->bytes] = '\0';
			return true;
		}
		file->bytes += (size_t)got;
	}
	errno = file->data == NULL ? ENOMEM : EFBIG;
	return false;
}

bool notify_file_read(const char *path, bool secret, struct notify_file *ret, char detail[NOTIFY_DETAIL_BYTES])
{
	struct notify_file file = {0};
	struct stat status;
	bool done = false;
	// Not blocking, because opening a pipe would wait for its writer.
	int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (descriptor < 0)
		return refuse(detail, path, strerror(errno));
	if (fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode))
		(void)refuse(detail, path, "not a regular file");
	else if (secret && !secret_file_is_closed(path, &status))
		(void)refuse(detail, path, "holds a secret and others than its owner may use it: chmod 600");
	else if (!read_whole(descriptor, &file))
		(void)refuse(detail, path, errno == EFBIG ? "larger than 64 KiB" : strerror(errno));
	else if (file.bytes == 0)
		(void)refuse(detail, path, "is empty");
	else
		done = true;
	close(descriptor);
	if (done)
		*ret = file;
	else
		notify_file_free(&file);
	return done;
}

void notify_file_free(struct notify_file *file)
{
	if (file->data != NULL)
		explicit_bzero(file->data, NOTIFY_FILE_BYTES_MAX + 1u);
	free(file->data);
	*file = (struct notify_file){0};
}

// ------------------------------------------------------------------ memory

static void *there(void *memory)
{
	static const char words[] = "cpis-fhir-notify: out of memory\n";
	if (memory != NULL)
		return memory;
	(void)!write(STDERR_FILENO, words, sizeof words - 1);
	_exit(NOTIFY_FAILED);
}

void *notify_secret_allocate(size_t bytes)
{
	return there(malloc(bytes == 0 ? 1 : bytes));
}

void *notify_secret_allocate_zeroed(size_t count, size_t bytes)
{
	return there(calloc(count == 0 ? 1 : count, bytes == 0 ? 1 : bytes));
}

void notify_secret_free(void *memory)
{
	// What was asked for is not known any more: all that the block could hold.
	if (memory != NULL)
		explicit_bzero(memory, malloc_usable_size(memory));
	free(memory);
}

// Never in place: realloc would leave behind what it has copied from.
void *notify_secret_resize(void *memory, size_t bytes)
{
	size_t held = memory == NULL ? 0 : malloc_usable_size(memory);
	void *moved = notify_secret_allocate(bytes);
	if (held > 0)
		memcpy(moved, memory, held < bytes ? held : bytes);
	notify_secret_free(memory);
	return moved;
}

char *notify_secret_copy(const char *text)
{
	size_t bytes = strlen(text) + 1;
	return memcpy(notify_secret_allocate(bytes), text, bytes);
}
