// Files that are written once: whole, under their name, and never changed. Works on storage that lets files be made and not
// changed, renamed or removed.
#ifndef CPIS_CLI_EXPORT_FILE_H
#define CPIS_CLI_EXPORT_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXPORT_DETAIL_BYTES 300

enum export_put {
	EXPORT_MADE,
	EXPORT_THERE,     // and it is the same
	EXPORT_DIFFERENT, // it is there, and something else
	EXPORT_FAILED,
};

// Makes the file and the folders above it; it is on the disk when this returns. `detail` says what is wrong, with the path.
__attribute__((warn_unused_result)) enum export_put export_file_put(const char *path, const void *data, size_t bytes,
								     char detail[EXPORT_DETAIL_BYTES]);
// Puts the file in place of what has its name. False where the storage does not let that be done, errno says why.
__attribute__((warn_unused_result)) bool export_file_replace(const char *path, const void *data, size_t bytes);

enum export_read { EXPORT_READ, EXPORT_MISSING, EXPORT_TOO_LONG, EXPORT_UNREADABLE };
// Reads all of a file of at most `out_bytes`.
__attribute__((warn_unused_result)) enum export_read export_file_read(const char *path, uint8_t *out, size_t out_bytes,
								       size_t *ret_bytes, char detail[EXPORT_DETAIL_BYTES]);

#endif
