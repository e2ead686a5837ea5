// A CSV file (RFC 4180, UTF-8, a byte order mark is allowed) read by the names in its header, row by row, in bounded memory.
#ifndef CPIS_RESPONDER_CSV_TABLE_H
#define CPIS_RESPONDER_CSV_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "proto/limits.h"

#define CSV_TABLE_DETAIL_BYTES 300
#define CSV_TABLE_COLUMNS_MAX 12u

struct csv_table {
	const char *const *columns;  // their names; all must be in the header, in any order, and no others
	unsigned column_count;       // at most CSV_TABLE_COLUMNS_MAX
	// A row's fields in the order of `columns`, clean UTF-8 of at most TEXT_BYTES_MAX, good during the call only. NULL, or what
	// is wrong with it, without any value of it.
	const char *(*row)(void *context, char *const fields[]);
	void *context;
};

// False with "<path>:<line>: what is wrong" at the first fault. A header alone is good.
__attribute__((warn_unused_result)) bool csv_table_read(const char *path, const struct csv_table *table,
							 char detail[CSV_TABLE_DETAIL_BYTES]);

#endif
