// Reading a file of plans as JSON lines, through jansson.
#include "clients/cli/plan_file_priv.h"

#include <errno.h>
#include <string.h>

#include <jansson.h>

#include "proto/date.h"

// Nine texts of 200 bytes, every byte of them escaped.
#define LINE_BYTES_MAX 16384

static void take_number(struct plan_reader *reader, const char *name, const json_t *value, uint64_t max, uint64_t *ret)
{
	if (!json_is_integer(value) || json_integer_value(value) < 1 || (uint64_t)json_integer_value(value) > max)
		plan_reader_fail(reader, "%s is a number from 1 to %llu", name, (unsigned long long)max);
	else
		*ret = (uint64_t)json_integer_value(value);
}

static void take_kind(struct plan_reader *reader, const json_t *value)
{
	const char *text = json_is_string(value) ? json_string_value(value) : "";
	if (strcmp(text, "full") == 0)
		reader->facts.kind = CPIS__V1__PUBLICATION_KIND__FULL;
	else if (strcmp(text, "delta") == 0)
		reader->facts.kind = CPIS__V1__PUBLICATION_KIND__DELTA;
	else
		plan_reader_fail(reader, "kind is \"full\" or \"delta\"");
}

static void take_head(struct plan_reader *reader, json_t *object)
{
	const char *name;
	json_t *value;
	json_object_foreach(object, name, value) {
		if (strcmp(name, "sequence") == 0)
			take_number(reader, name, value, UINT32_MAX, &reader->facts.sequence);
		else if (strcmp(name, "records") == 0)
			take_number(reader, name, value, PUBLICATION_RECORDS_MAX, &reader->facts.records);
		else if (strcmp(name, "kind") == 0)
			take_kind(reader, value);
		else if (strcmp(name, "created") != 0)
			plan_reader_fail(reader, "the first line has a member that is not known");
		else if (!json_is_string(value) ||
			 !instant_parse(json_string_value(value), json_string_length(value), &reader->facts.created_ms))
			plan_reader_fail(reader, "created is a UTC time as 2026-11-23T03:00:00Z");
	}
	if (reader->facts.records == 0)
		plan_reader_fail(reader, "the first line must say how many records there are");
}

static void take_plan(struct plan_reader *reader, json_t *object)
{
	bool seen[PLAN_COLUMNS_COUNT] = {false};
	const char *name;
	json_t *value;
	json_object_foreach(object, name, value) {
		enum plan_column column = plan_column_of(name, strlen(name));
		if (column == PLAN_COLUMNS_COUNT) {
			plan_reader_fail(reader, "a member is not one that is known");
			return;
		}
		if (!json_is_string(value)) {
			plan_reader_fail(reader, "%s is not a text", name);
			return;
		}
		seen[column] = true;
		plan_reader_field(reader, column, json_string_value(value), json_string_length(value));
	}
	for (unsigned column = 0; column < PLAN_COLUMNS_COUNT; column++)
		if (plan_columns[column].required && !seen[column])
			plan_reader_fail(reader, "%s is missing", plan_columns[column].name);
	plan_reader_row(reader);
}

static void take_line(struct plan_reader *reader, const char *line, size_t bytes)
{
	json_error_t error;
	json_t *object = json_loadb(line, bytes, JSON_REJECT_DUPLICATES, &error);
	// jansson's own words may repeat what stands in the line.
	if (object == NULL && json_error_code(&error) == json_error_invalid_utf8)
		plan_reader_fail(reader, "this is not UTF-8 text; the file may be in Windows-1252: save it as UTF-8");
	else if (!json_is_object(object))
		plan_reader_fail(reader, "this is not one JSON object, whole on its line");
	else if (reader->line == 1)
		take_head(reader, object);
	else
		take_plan(reader, object);
	json_decref(object);
}

void json_plans_read(struct plan_reader *reader)
{
	char line[LINE_BYTES_MAX];
	while (!reader->failed && fgets(line, sizeof line, reader->file) != NULL) {
		size_t bytes = strlen(line);
		bool whole = bytes > 0 && line[bytes - 1] == '\n';
		if (!whole && !feof(reader->file))
			plan_reader_fail(reader, "the line is too long, or has a zero byte in it");
		else if (strspn(line, " \t\r\n") != bytes)
			take_line(reader, line, bytes);
		reader->line++;
	}
	if (!reader->failed && ferror(reader->file))
		plan_reader_fail(reader, "%s", strerror(errno));
	explicit_bzero(line, sizeof line);
}
