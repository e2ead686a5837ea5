// Runs somebody's program on one inbox item: no shell, no arguments, the item as one line of JSON on its standard input, an
// environment of a few harmless variables and nothing else, none of our open files, and not longer than it may.
#ifndef CPIS_CLI_INBOX_PROGRAM_H
#define CPIS_CLI_INBOX_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INBOX_PROGRAM_DETAIL_BYTES 160

// False, with a sentence, when there is no such file that may be executed.
bool inbox_program_check(const char *path, char detail[INBOX_PROGRAM_DETAIL_BYTES]);

// True: it ended with exit code 0, whether or not it read its input. False: `detail` says what became of it; after `limit_ms` it and
// what it has started are killed.
bool inbox_program_run(const char *path, const char *input, size_t input_bytes, uint64_t limit_ms,
		       char detail[INBOX_PROGRAM_DETAIL_BYTES]);

#endif
