// Files of keys and certificates: read whole with a bound, written whole or not at all. Inside certs/ only.
#ifndef CPIS_CERTS_FILE_PRIV_H
#define CPIS_CERTS_FILE_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "certs/certs_status.h"

#define FILE_BYTES_MAX (1024u * 1024u)

// Reads a regular file; a `secret` one must be closed to group and others. NUL-terminated besides; malloc, freed
// with file_free, which wipes.
__attribute__((warn_unused_result)) enum certs_status file_read(const char *path, bool secret, uint8_t **ret,
								 size_t *ret_bytes);
void file_free(uint8_t *data, size_t bytes);

// Writes beside, flushes, and moves into place. With `replace` false an existing file is CERTS_EXISTS.
__attribute__((warn_unused_result)) enum certs_status file_write(const char *path, const void *data, size_t bytes,
								  mode_t mode, bool replace);

// Flushes the directory that holds `path`: only then is a new name durable.
__attribute__((warn_unused_result)) bool file_sync_directory_of(const char *path);

#endif
