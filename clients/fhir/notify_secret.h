// What has to be gone again: files with secrets in them, and memory that a library frees.
#ifndef CPIS_FHIR_NOTIFY_SECRET_H
#define CPIS_FHIR_NOTIFY_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#define NOTIFY_DETAIL_BYTES 600
#define NOTIFY_FILE_BYTES_MAX 65536u

// A file's bytes and a zero behind them. Owned by notify_file_read, wiped and freed by notify_file_free; harmless when zeroed.
struct notify_file {
	char *data;
	size_t bytes;
};

// A regular file of 1 to NOTIFY_FILE_BYTES_MAX bytes. A `secret` one is refused when anybody but its owner may do anything with
// it (certs/secret_file.h). False: `detail` says which and why.
__attribute__((warn_unused_result)) bool notify_file_read(const char *path, bool secret, struct notify_file *ret,
							   char detail[NOTIFY_DETAIL_BYTES]);
void notify_file_free(struct notify_file *file);

// For libraries that are told how to allocate: what they free is wiped before. Never NULL: without memory the program ends, with
// NOTIFY_FAILED and a line that says so, because what was made of a part of it must not be sent. Any thread.
void *notify_secret_allocate(size_t bytes);
void *notify_secret_allocate_zeroed(size_t count, size_t bytes);
void *notify_secret_resize(void *memory, size_t bytes);
char *notify_secret_copy(const char *text);
void notify_secret_free(void *memory); // accepts NULL

#endif
