// One stored record of the audit log, as a database or an export gives it, and what can be checked of it alone.
#ifndef CPIS_CLI_LOG_ROW_H
#define CPIS_CLI_LOG_ROW_H

#include <stddef.h>
#include <stdint.h>

#include "proto/audit_record.h"

struct log_bytes {
	const uint8_t *data; // NULL: nothing is stored
	size_t bytes;
};

// Lives until the next row is read.
struct log_row {
	uint64_t index;
	struct log_bytes salt, record;
	struct log_bytes nodes;           // the hashes that the row keeps: certs/merkle.h
	uint64_t time_ms;                 // from here on: the columns that searches go by
	struct log_bytes organisation, subject, person;
};

// What is wrong with the record's bytes as a record of this number, or NULL. `ret` points into them.
const char *log_row_read(const struct log_row *row, struct audit_record_keys *ret);
// What the search columns say that the record does not, or NULL.
const char *log_row_compare(const struct log_row *row, const struct audit_record_keys *keys);

#endif
