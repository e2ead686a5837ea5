// Opening a file of plans, telling its form, and what is common to both.
#include "clients/cli/plan_file_priv.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include "proto/text.h"

const struct plan_column_rule plan_columns[PLAN_COLUMNS_COUNT] = {
#define X(column, text, must, bytes) [PLAN_COLUMN_##column] = {text, must, bytes},
	PLAN_COLUMNS(X)
#undef X
};

void plan_reader_fail(struct plan_reader *reader, const char *format, ...)
{
	char what[180];
	va_list arguments;
	if (reader->failed)
		return;
	reader->failed = true;
	va_start(arguments, format);
	vsnprintf(what, sizeof what, format, arguments);
	va_end(arguments);
	snprintf(reader->detail, PLAN_FILE_DETAIL_BYTES, "%.90s:%lu: %s", reader->path, reader->line, what);
}

enum plan_column plan_column_of(const char *name, size_t bytes)
{
	enum plan_column column = 0;
	while (column < PLAN_COLUMNS_COUNT &&
	       (strlen(plan_columns[column].name) != bytes || memcmp(plan_columns[column].name, name, bytes) != 0))
		column++;
	return column;
}

static bool is_ascii(const char *text, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		if ((unsigned char)text[i] >= 0x80)
			return false;
	return true;
}

void plan_reader_field(struct plan_reader *reader, enum plan_column column, const char *text, size_t bytes)
{
	const struct plan_column_rule *rule = &plan_columns[column];
	if (bytes > rule->bytes_max)
		plan_reader_fail(reader, "%s is longer than %zu bytes", rule->name, rule->bytes_max);
	else if (!text_is_clean(text, bytes) && !is_ascii(text, bytes))
		plan_reader_fail(reader, "%s is not UTF-8 text; the file may be in Windows-1252: save it as UTF-8", rule->name);
	else if (!text_is_clean(text, bytes))
		plan_reader_fail(reader, "%s has control characters", rule->name);
	if (reader->failed)
		return;
	memcpy(reader->fields[column], text, bytes);
	reader->fields[column][bytes] = '\0';
}

void plan_reader_row(struct plan_reader *reader)
{
	struct plan_row row = {.line = reader->line};
	if (reader->failed)
		return;
	if (reader->facts.rows == PUBLICATION_RECORDS_MAX)
		plan_reader_fail(reader, "the file has more than %u rows", PUBLICATION_RECORDS_MAX);
	reader->facts.rows++;
	for (unsigned i = 0; i < PLAN_COLUMNS_COUNT; i++)
		row.text[i] = reader->fields[i];
	if (!reader->failed && reader->taker != NULL && !reader->taker(reader->context, &row))
		reader->failed = true;
	memset(reader->fields, 0, sizeof reader->fields);
}

static bool refuse(struct plan_reader *reader, const char *what)
{
	snprintf(reader->detail, PLAN_FILE_DETAIL_BYTES, "%.150s: %s", reader->path, what);
	reader->failed = true;
	return false;
}

// What people send by mistake, told by how it begins.
static const char *mistake(const unsigned char *start, size_t bytes)
{
	if (bytes == 0)
		return "the file is empty";
	if (bytes >= 4 && memcmp(start, "PK\x03\x04", 4) == 0)
		return "this is a zip archive (or a spreadsheet): give the CSV file itself";
	if (bytes >= 2 && ((start[0] == 0xff && start[1] == 0xfe) || (start[0] == 0xfe && start[1] == 0xff)))
		return "the text is UTF-16: save it as UTF-8";
	if (memchr(start, '\0', bytes) != NULL)
		return "this is not a text file";
	return NULL;
}

static bool open_file(struct plan_reader *reader)
{
	struct stat status;
	unsigned char start[512];
	reader->file = fopen(reader->path, "re");
	if (reader->file == NULL || fstat(fileno(reader->file), &status) != 0)
		return refuse(reader, strerror(errno));
	if (S_ISDIR(status.st_mode))
		return refuse(reader, "this is a directory");
	// It is read twice.
	if (!S_ISREG(status.st_mode))
		return refuse(reader, "this is not a file");
	reader->facts.changed_ms = (uint64_t)status.st_mtim.tv_sec * 1000 + (uint64_t)status.st_mtim.tv_nsec / 1000000;
	size_t bytes = fread(start, 1, sizeof start, reader->file);
	const char *why = ferror(reader->file) ? strerror(errno) : mistake(start, bytes);
	rewind(reader->file);
	return why == NULL || refuse(reader, why);
}

static bool is_json(FILE *file)
{
	int first;
	while ((first = getc(file)) == ' ' || first == '\n' || first == '\r' || first == '\t')
		;
	rewind(file);
	return first == '{';
}

bool plan_file_read(const char *path, plan_row_taker *taker, void *context, struct plan_file_facts *ret,
		    char detail[PLAN_FILE_DETAIL_BYTES])
{
	struct plan_reader reader = {.path = path, .taker = taker, .context = context, .line = 1, .detail = detail};
	detail[0] = '\0';
	if (open_file(&reader)) {
		if (is_json(reader.file))
			json_plans_read(&reader);
		else
			csv_plans_read(&reader);
		if (!reader.failed && reader.facts.rows == 0)
			plan_reader_fail(&reader, "there is no plan in the file");
		if (!reader.failed && reader.facts.records != 0 && reader.facts.records != reader.facts.rows)
			plan_reader_fail(&reader, "the file says that it has %llu records, and it has %lu",
					 (unsigned long long)reader.facts.records, reader.facts.rows);
	}
	if (reader.file != NULL)
		fclose(reader.file);
	bool good = !reader.failed;
	if (good)
		*ret = reader.facts;
	explicit_bzero(&reader, sizeof reader);
	return good;
}
