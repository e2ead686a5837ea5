// Reading a file of plans as CSV, through libcsv.
#include "clients/cli/plan_file_priv.h"

#include <errno.h>
#include <string.h>

#include <csv.h>

// What `cpis publish --rejected` adds to a row, and what nobody needs to take away again.
#define IGNORED PLAN_COLUMNS_COUNT
#define HEADER_MAX (PLAN_COLUMNS_COUNT + 3)

struct csv {
	struct plan_reader *reader;
	enum plan_column order[HEADER_MAX]; // of the header, by place
	unsigned header_count;
	bool header_seen;
	unsigned field_count;           // of the row being read
	bool alive;                     // a field ended in the bytes read last
};

static bool is_ignored(const char *text, size_t bytes)
{
	static const char *const names[] = {"code", "field", "reason"};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strlen(names[i]) == bytes && memcmp(names[i], text, bytes) == 0)
			return true;
	return false;
}

static void take_header_field(struct csv *csv, const char *text, size_t bytes)
{
	enum plan_column column = plan_column_of(text, bytes);
	if (column == PLAN_COLUMNS_COUNT && !is_ignored(text, bytes)) {
		plan_reader_fail(csv->reader, "column %u of the header is not one that is known", csv->header_count + 1);
		return;
	}
	for (unsigned i = 0; column != IGNORED && i < csv->header_count; i++)
		if (csv->order[i] == column)
			plan_reader_fail(csv->reader, "the column %s stands twice in the header", plan_columns[column].name);
	if (csv->header_count == HEADER_MAX)
		plan_reader_fail(csv->reader, "the header has more than %u columns", HEADER_MAX);
	if (!csv->reader->failed)
		csv->order[csv->header_count++] = column;
}

static void take_field(struct csv *csv, const char *text, size_t bytes)
{
	if (csv->field_count >= csv->header_count) {
		plan_reader_fail(csv->reader, "there are more fields than the header has columns");
		return;
	}
	enum plan_column column = csv->order[csv->field_count++];
	if (column != IGNORED)
		plan_reader_field(csv->reader, column, text, bytes);
}

static void on_field(void *text, size_t bytes, void *context)
{
	struct csv *csv = context;
	csv->alive = true;
	if (csv->reader->failed)
		return;
	if (csv->header_seen)
		take_field(csv, text, bytes);
	else
		take_header_field(csv, text, bytes);
}

static void end_header(struct csv *csv)
{
	csv->header_seen = true;
	for (unsigned column = 0; column < PLAN_COLUMNS_COUNT; column++) {
		bool found = !plan_columns[column].required;
		for (unsigned i = 0; i < csv->header_count; i++)
			found = found || csv->order[i] == column;
		if (!found)
			plan_reader_fail(csv->reader, "the header lacks the column %s", plan_columns[column].name);
	}
}

static void end_row(struct csv *csv)
{
	if (csv->field_count < csv->header_count)
		plan_reader_fail(csv->reader, "there are fewer fields than the header has columns");
	plan_reader_row(csv->reader);
	csv->field_count = 0;
}

// Every end of line is reported, of empty ones too (CSV_REPALL_NL): that is how lines are counted.
static void on_line_end(int character, void *context)
{
	struct csv *csv = context;
	csv->alive = true;
	if (!csv->reader->failed && !csv->header_seen && csv->header_count > 0)
		end_header(csv);
	else if (!csv->reader->failed && csv->field_count > 0)
		end_row(csv);
	if (character == '\n')
		csv->reader->line++;
}

static void read_stream(struct csv *csv, struct csv_parser *parser)
{
	static const char byte_order_mark[] = "\xef\xbb\xbf";
	struct plan_reader *reader = csv->reader;
	char buffer[16384];
	bool first = true;
	for (size_t bytes; !reader->failed && (bytes = fread(buffer, 1, sizeof buffer, reader->file)) > 0;) {
		size_t skip = first && bytes >= 3 && memcmp(buffer, byte_order_mark, 3) == 0 ? 3 : 0;
		first = csv->alive = false;
		if (csv_parse(parser, buffer + skip, bytes - skip, on_field, on_line_end, csv) != bytes - skip)
			plan_reader_fail(reader, "%s: is a quotation mark missing, or one too many?",
					 csv_strerror(csv_error(parser)));
		// libcsv would keep a field that does not end in memory.
		if (!csv->alive && bytes == sizeof buffer)
			plan_reader_fail(reader, "a field does not end: is a quotation mark missing?");
	}
	if (!reader->failed && ferror(reader->file))
		plan_reader_fail(reader, "%s", strerror(errno));
	if (!reader->failed && csv_fini(parser, on_field, on_line_end, csv) != 0)
		plan_reader_fail(reader, "%s: is a quotation mark missing?", csv_strerror(csv_error(parser)));
	explicit_bzero(buffer, sizeof buffer);
}

void csv_plans_read(struct plan_reader *reader)
{
	struct csv csv = {.reader = reader};
	struct csv_parser parser;
	if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI | CSV_REPALL_NL) != 0) {
		plan_reader_fail(reader, "out of memory");
		return;
	}
	read_stream(&csv, &parser);
	csv_free(&parser);
	if (!reader->failed && !csv.header_seen)
		plan_reader_fail(reader, "there is no header");
}
