// What the readers of the two forms share. Inside clients/cli/plan_file*.c and csv_plans.c, json_plans.c only.
#ifndef CPIS_CLI_PLAN_FILE_PRIV_H
#define CPIS_CLI_PLAN_FILE_PRIV_H

#include <stdio.h>

#include "clients/cli/plan_file.h"

struct plan_reader {
	const char *path;
	FILE *file;
	plan_row_taker *taker;
	void *context;
	struct plan_file_facts facts;
	unsigned long line;
	char fields[PLAN_COLUMNS_COUNT][TEXT_BYTES_MAX + 1];
	bool failed;
	char *detail;
};

// The first complaint is kept.
void plan_reader_fail(struct plan_reader *reader, const char *format, ...) __attribute__((format(printf, 2, 3)));
// A field of the row that is being read. Its value is never repeated: it may be a child's.
void plan_reader_field(struct plan_reader *reader, enum plan_column column, const char *text, size_t bytes);
// The row is complete.
void plan_reader_row(struct plan_reader *reader);
// PLAN_COLUMNS_COUNT: there is no such column.
enum plan_column plan_column_of(const char *name, size_t bytes);

void csv_plans_read(struct plan_reader *reader);
void json_plans_read(struct plan_reader *reader);

#endif
