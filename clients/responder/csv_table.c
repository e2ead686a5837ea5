// Reading a table through libcsv.
#include "clients/responder/csv_table.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <csv.h>

#include "proto/text.h"

struct reader {
	const struct csv_table *table;
	unsigned order[CSV_TABLE_COLUMNS_MAX]; // of the header, by place
	unsigned header_count, field_count;
	unsigned long line;
	bool header_seen;
	bool alive;                            // a field or a line ended in the bytes read last
	const char *fault;                     // what is wrong on this line; NULL: nothing
	char fields[CSV_TABLE_COLUMNS_MAX][TEXT_BYTES_MAX + 1]; // by column
};

static void take_header_field(struct reader *reader, const char *text, size_t bytes)
{
	for (unsigned column = 0; column < reader->table->column_count; column++) {
		const char *name = reader->table->columns[column];
		if (strlen(name) != bytes || memcmp(name, text, bytes) != 0)
			continue;
		for (unsigned i = 0; i < reader->header_count; i++)
			if (reader->order[i] == column)
				reader->fault = "a column stands twice in the header";
		if (reader->fault == NULL)
			reader->order[reader->header_count++] = column;
		return;
	}
	reader->fault = "a column of the header is not one that is known";
}

static void take_field(struct reader *reader, const char *text, size_t bytes)
{
	if (reader->field_count == reader->header_count) {
		reader->fault = "there are more fields than the header has columns";
		return;
	}
	char *field = reader->fields[reader->order[reader->field_count++]];
	if (bytes > TEXT_BYTES_MAX || !text_is_clean(text, bytes)) {
		reader->fault = "a field is too long, or not clean UTF-8 text";
		return;
	}
	memcpy(field, text, bytes);
	field[bytes] = '\0';
}

static void on_field(void *text, size_t bytes, void *context)
{
	struct reader *reader = context;
	reader->alive = true;
	if (reader->fault != NULL)
		return;
	if (reader->header_seen)
		take_field(reader, text, bytes);
	else
		take_header_field(reader, text, bytes);
}

static void end_row(struct reader *reader)
{
	char *fields[CSV_TABLE_COLUMNS_MAX];
	if (reader->field_count < reader->header_count) {
		reader->fault = "there are fewer fields than the header has columns";
		return;
	}
	for (unsigned i = 0; i < reader->table->column_count; i++)
		fields[i] = reader->fields[i];
	reader->fault = reader->table->row(reader->table->context, fields);
	reader->field_count = 0;
}

// Every end of line is reported, of empty ones too (CSV_REPALL_NL): that is how lines are counted.
static void on_line_end(int character, void *context)
{
	struct reader *reader = context;
	reader->alive = true;
	if (reader->fault != NULL)
		return;
	if (!reader->header_seen && reader->header_count > 0) {
		reader->header_seen = true;
		if (reader->header_count < reader->table->column_count)
			reader->fault = "the header lacks a column";
	} else if (reader->field_count > 0) {
		end_row(reader);
	}
	if (character == '\n' && reader->fault == NULL)
		reader->line++;
}

static void read_stream(struct reader *reader, FILE *file, struct csv_parser *parser)
{
	static const char byte_order_mark[] = "\xef\xbb\xbf";
	char buffer[16384];
	bool first = true;
	for (size_t bytes; reader->fault == NULL && (bytes = fread(buffer, 1, sizeof buffer, file)) > 0; first = false) {
		size_t skip = first && bytes >= 3 && memcmp(buffer, byte_order_mark, 3) == 0 ? 3 : 0;
		reader->alive = false;
		size_t parsed = csv_parse(parser, buffer + skip, bytes - skip, on_field, on_line_end, reader);
		if (parsed != bytes - skip && reader->fault == NULL)
			reader->fault = csv_strerror(csv_error(parser));
		// libcsv would keep a field that does not end in memory, and copy it again and again.
		if (reader->fault == NULL && !reader->alive && bytes == sizeof buffer)
			reader->fault = "a field does not end: is a quotation mark missing?";
	}
	if (reader->fault == NULL && ferror(file))
		reader->fault = strerror(errno);
	if (reader->fault == NULL && csv_fini(parser, on_field, on_line_end, reader) != 0)
		reader->fault = "a quotation mark is missing";
	if (reader->fault == NULL && !reader->header_seen)
		reader->fault = "the file is empty";
	explicit_bzero(buffer, sizeof buffer);
}

bool csv_table_read(const char *path, const struct csv_table *table, char detail[CSV_TABLE_DETAIL_BYTES])
{
	struct reader reader = {.table = table, .line = 1};
	struct csv_parser parser;
	FILE *file = fopen(path, "re");
	if (file == NULL) {
		snprintf(detail, CSV_TABLE_DETAIL_BYTES, "%.200s: %s", path, strerror(errno));
		return false;
	}
	if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI | CSV_REPALL_NL) != 0) {
		snprintf(detail, CSV_TABLE_DETAIL_BYTES, "%.200s: out of memory", path);
		fclose(file);
		return false;
	}
	read_stream(&reader, file, &parser);
	csv_free(&parser);
	fclose(file);
	bool good = reader.fault == NULL;
	if (!good)
		snprintf(detail, CSV_TABLE_DETAIL_BYTES, "%.150s:%lu: %s", path, reader.line, reader.fault);
	explicit_bzero(reader.fields, sizeof reader.fields);
	return good;
}
