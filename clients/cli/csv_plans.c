// Reading a file of plans through libcsv.
#include "clients/cli/csv_plans.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <csv.h>

#include "proto/text.h"

enum column {
	NHS_NUMBER,
	PLAN_TYPE,
	START_DATE,
	END_DATE,
	DELETE_DATE,
	LOCAL_ID,
	FAMILY_NAME,
	GIVEN_NAMES,
	BIRTH_DATE,
	EMERGENCY_DUTY_TELEPHONE,
	OFFICE_HOURS_TELEPHONE,
	COLUMNS
};

static const struct {
	const char *name;
	bool required;
	size_t bytes_max;
} columns[COLUMNS] = {
	[NHS_NUMBER] = {"nhs_number", true, TEXT_BYTES_MAX},
	[PLAN_TYPE] = {"plan_type", true, TEXT_BYTES_MAX},
	[START_DATE] = {"start_date", true, TEXT_BYTES_MAX},
	[END_DATE] = {"end_date", false, TEXT_BYTES_MAX},
	[DELETE_DATE] = {"delete_date", false, TEXT_BYTES_MAX},
	[LOCAL_ID] = {"local_id", false, LOCAL_ID_BYTES_MAX},
	[FAMILY_NAME] = {"family_name", false, TEXT_BYTES_MAX},
	[GIVEN_NAMES] = {"given_names", false, TEXT_BYTES_MAX},
	[BIRTH_DATE] = {"birth_date", false, TEXT_BYTES_MAX},
	[EMERGENCY_DUTY_TELEPHONE] = {"emergency_duty_telephone", true, TELEPHONE_BYTES_MAX},
	[OFFICE_HOURS_TELEPHONE] = {"office_hours_telephone", false, TELEPHONE_BYTES_MAX},
};

struct reader {
	const char *path;
	csv_plans_row *row;
	void *context;
	struct csv_telephones telephones;
	unsigned long rows;
	unsigned long line;
	enum column order[COLUMNS];  // of the header, by place
	unsigned header_count;
	bool header_seen;
	unsigned field_count;        // of the row being read
	char fields[COLUMNS][TEXT_BYTES_MAX + 1]; // by column
	bool failed;
	char *detail;
};

static void fail(struct reader *reader, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void fail(struct reader *reader, const char *format, ...)
{
	if (reader->failed)
		return;
	reader->failed = true;
	char what[160];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(what, sizeof what, format, arguments);
	va_end(arguments);
	snprintf(reader->detail, CSV_PLANS_DETAIL_BYTES, "%.100s:%lu: %s", reader->path, reader->line, what);
}

static void take_header_field(struct reader *reader, const char *text, size_t bytes)
{
	for (unsigned column = 0; column < COLUMNS; column++) {
		if (strlen(columns[column].name) != bytes || memcmp(columns[column].name, text, bytes) != 0)
			continue;
		for (unsigned i = 0; i < reader->header_count; i++)
			if (reader->order[i] == column)
				fail(reader, "the column %s stands twice in the header", columns[column].name);
		if (!reader->failed)
			reader->order[reader->header_count++] = column;
		return;
	}
	fail(reader, "column %u of the header is not one that is known", reader->header_count + 1);
}

static void take_field(struct reader *reader, const char *text, size_t bytes)
{
	if (reader->field_count >= reader->header_count) {
		fail(reader, "there are more fields than the header has columns");
		return;
	}
	enum column column = reader->order[reader->field_count++];
	// The value is not repeated: it may be a child's.
	if (bytes > columns[column].bytes_max)
		fail(reader, "%s is longer than %zu bytes", columns[column].name, columns[column].bytes_max);
	else if (!text_is_clean(text, bytes))
		fail(reader, "%s is not clean UTF-8 text", columns[column].name);
	if (reader->failed)
		return;
	memcpy(reader->fields[column], text, bytes);
	reader->fields[column][bytes] = '\0';
}

static void on_field(void *text, size_t bytes, void *context)
{
	struct reader *reader = context;
	if (reader->failed)
		return;
	if (reader->header_seen)
		take_field(reader, text, bytes);
	else
		take_header_field(reader, text, bytes);
}

static void end_header(struct reader *reader)
{
	reader->header_seen = true;
	for (unsigned column = 0; column < COLUMNS; column++) {
		bool found = !columns[column].required;
		for (unsigned i = 0; i < reader->header_count; i++)
			found = found || reader->order[i] == column;
		if (!found)
			fail(reader, "the header lacks the column %s", columns[column].name);
	}
}

static void take_telephone(struct reader *reader, enum column column, char kept[TELEPHONE_BYTES_MAX + 1])
{
	const char *text = reader->fields[column];
	if (text[0] == '\0')
		return;
	if (!text_is_telephone(text, strlen(text)))
		fail(reader, "%s is not a telephone number", columns[column].name);
	else if (reader->rows > 0 && strcmp(kept, text) != 0)
		fail(reader, "%s differs from the first row's: a file has one for all", columns[column].name);
	else
		memcpy(kept, text, strlen(text) + 1);
}

static void end_row(struct reader *reader)
{
	if (reader->field_count < reader->header_count)
		fail(reader, "there are fewer fields than the header has columns");
	if (reader->failed)
		return;
	if (reader->rows == 0 && reader->fields[EMERGENCY_DUTY_TELEPHONE][0] == '\0')
		fail(reader, "the first row must give emergency_duty_telephone");
	take_telephone(reader, EMERGENCY_DUTY_TELEPHONE, reader->telephones.emergency_duty);
	take_telephone(reader, OFFICE_HOURS_TELEPHONE, reader->telephones.office_hours);
	if (reader->failed)
		return;
	reader->rows++;
	struct csv_plan plan = {
		.line = reader->line,
		.nhs_number = reader->fields[NHS_NUMBER],
		.plan_type = reader->fields[PLAN_TYPE],
		.start_date = reader->fields[START_DATE],
		.end_date = reader->fields[END_DATE],
		.delete_date = reader->fields[DELETE_DATE],
		.local_id = reader->fields[LOCAL_ID],
		.family_name = reader->fields[FAMILY_NAME],
		.given_names = reader->fields[GIVEN_NAMES],
		.birth_date = reader->fields[BIRTH_DATE],
	};
	if (reader->row != NULL && !reader->row(reader->context, &plan))
		reader->failed = true;
	reader->field_count = 0;
}

// Every end of line is reported, of empty ones too (CSV_REPALL_NL): that is how lines are counted.
static void on_line_end(int character, void *context)
{
	struct reader *reader = context;
	if (!reader->failed && !reader->header_seen && reader->header_count > 0)
		end_header(reader);
	else if (!reader->failed && reader->field_count > 0)
		end_row(reader);
	if (character == '\n')
		reader->line++;
}

static void read_stream(struct reader *reader, FILE *file, struct csv_parser *parser)
{
	static const char byte_order_mark[] = "\xef\xbb\xbf";
	char buffer[16384];
	bool first = true;
	for (size_t bytes; !reader->failed && (bytes = fread(buffer, 1, sizeof buffer, file)) > 0;) {
		size_t skip = first && bytes >= 3 && memcmp(buffer, byte_order_mark, 3) == 0 ? 3 : 0;
		first = false;
		if (csv_parse(parser, buffer + skip, bytes - skip, on_field, on_line_end, reader) != bytes - skip)
			fail(reader, "%s", csv_strerror(csv_error(parser)));
	}
	if (!reader->failed && ferror(file))
		fail(reader, "%s", strerror(errno));
	if (!reader->failed && csv_fini(parser, on_field, on_line_end, reader) != 0)
		fail(reader, "%s: is a quotation mark missing?", csv_strerror(csv_error(parser)));
	explicit_bzero(buffer, sizeof buffer);
}

bool csv_plans_read(const char *path, csv_plans_row *row, void *context, struct csv_telephones *ret_telephones,
		    unsigned long *ret_rows, char detail[CSV_PLANS_DETAIL_BYTES])
{
	struct reader reader = {.path = path, .row = row, .context = context, .line = 1, .detail = detail};
	struct csv_parser parser;
	detail[0] = '\0';
	FILE *file = fopen(path, "re");
	if (file == NULL) {
		snprintf(detail, CSV_PLANS_DETAIL_BYTES, "%.150s: %s", path, strerror(errno));
		return false;
	}
	if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI | CSV_REPALL_NL) != 0) {
		snprintf(detail, CSV_PLANS_DETAIL_BYTES, "%.150s: out of memory", path);
		fclose(file);
		return false;
	}
	read_stream(&reader, file, &parser);
	csv_free(&parser);
	fclose(file);
	if (!reader.failed && !reader.header_seen)
		fail(&reader, "the file is empty");
	else if (!reader.failed && reader.rows == 0)
		fail(&reader, "there is no row below the header");
	if (!reader.failed) {
		*ret_telephones = reader.telephones;
		*ret_rows = reader.rows;
	}
	bool good = !reader.failed;
	explicit_bzero(&reader, sizeof reader);
	return good;
}
