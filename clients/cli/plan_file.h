// A local authority's file of plans, row by row, in bounded memory however large it is. Two forms, told apart by what is in them:
//
// CSV (RFC 4180, UTF-8, a byte order mark is allowed) with the header
//	nhs_number,plan_type,start_date,end_date,delete_date,local_id,family_name,given_names,birth_date
// Columns are found by name, in any order; end_date, delete_date and local_id may be missing, and of what `--rejected` adds
// (code, field, reason) nothing is read. Others are refused.
//
// JSON lines: first an object with `records` and, as the authority likes, `sequence`, `kind` (full, delta) and `created` (RFC 3339,
// UTC); then one object a plan, with the names above.
//
// Checked here is what would make the file unreadable. What is wrong with one record is for the broker to say, so
// that every way of publishing is told the same.
#ifndef CPIS_CLI_PLAN_FILE_H
#define CPIS_CLI_PLAN_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/cpis.pb-c.h"
#include "proto/limits.h"

#define PLAN_FILE_DETAIL_BYTES 300

// The columns: name, whether the header must have it, the longest text.
#define PLAN_COLUMNS(X)                                                                              \
	X(NHS_NUMBER, "nhs_number", true, TEXT_BYTES_MAX)                                            \
	X(PLAN_TYPE, "plan_type", true, TEXT_BYTES_MAX)                                              \
	X(START_DATE, "start_date", true, TEXT_BYTES_MAX)                                            \
	X(END_DATE, "end_date", false, TEXT_BYTES_MAX)                                               \
	X(DELETE_DATE, "delete_date", false, TEXT_BYTES_MAX)                                         \
	X(LOCAL_ID, "local_id", false, LOCAL_ID_BYTES_MAX)                                           \
	X(FAMILY_NAME, "family_name", true, TEXT_BYTES_MAX)                                          \
	X(GIVEN_NAMES, "given_names", true, TEXT_BYTES_MAX)                                          \
	X(BIRTH_DATE, "birth_date", true, TEXT_BYTES_MAX)
enum plan_column {
#define X(name, text, required, bytes) PLAN_COLUMN_##name,
	PLAN_COLUMNS(X)
#undef X
	PLAN_COLUMNS_COUNT
};

struct plan_column_rule {
	const char *name;
	bool required;
	size_t bytes_max;
};
extern const struct plan_column_rule plan_columns[PLAN_COLUMNS_COUNT];

// Texts are good during the call only.
struct plan_row {
	unsigned long line;              // in the file; the first line is 1
	const char *text[PLAN_COLUMNS_COUNT];
};

// False stops the reading.
typedef bool plan_row_taker(void *context, const struct plan_row *row);

// What a file says of itself; 0 where it does not.
struct plan_file_facts {
	unsigned long rows;              // counted
	uint64_t records, sequence, created_ms;
	Cpis__V1__PublicationKind kind;
	uint64_t changed_ms;             // when the file was last written to
};

// Reads the whole file. `taker` NULL: only checks. Returns false with "<path>:<line>: what is wrong", or false with an empty
// detail when `taker` stopped it.
__attribute__((warn_unused_result)) bool plan_file_read(const char *path, plan_row_taker *taker, void *context,
							struct plan_file_facts *ret,
							char detail[PLAN_FILE_DETAIL_BYTES]);

#endif
