// The tables that both stores have, and rows in the form of PostgreSQL's COPY (its manual, "COPY", "Binary Format").
#include "broker/move_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N(name) {name, MOVE_NUMBER}
#define F(name) {name, MOVE_BOOLEAN}
#define B(name) {name, MOVE_BYTES}
#define T(name) {name, MOVE_TEXT}

const struct move_table move_audit = {
	"audit", 1, 8, {N("idx"), B("salt"), B("record"), B("nodes"), N("time_ms"), T("organisation"), B("subject"), B("person")}};

const struct move_table move_tables[] = {
	{"plan", 2, 5, {B("slot"), N("generation"), B("subject"), T("authority"), B("sealed")}},
	{"rejection", 3, 8,
	 {T("authority"), N("generation"), N("place"), B("record"), N("code"), T("field"), N("since_ms"), B("sealed")}},
	{"access", 2, 4, {B("subject"), N("audit_index"), F("silent"), B("sealed")}},
	{"inbox", 3, 16,
	 {T("organisation"), N("box"), N("id"), N("kind"), N("created_ms"), N("acknowledged_ms"), N("delivered_ms"), N("lease_until_ms"),
	  N("escalated_ms"), N("escalation_id"), N("expired_ms"), N("answered_ms"), N("due_ms"), B("sealed"), B("acknowledged_by"),
	  B("leased_by")}},
	{"reported", 1, 3, {N("id"), N("until_ms"), T("after")}},
	{"authority", 1, 4, {T("organisation"), N("last_published_ms"), N("due_ms"), B("sealed")}},
	{"inactive", 1, 2, {B("subject"), B("sealed")}},
	{"quarantine", 1, 3, {B("target"), N("since_ms"), B("sealed")}},
	{"enrolment", 1, 3, {B("system"), B("code"), B("sealed")}},
	{"role", 1, 2, {B("profile"), B("sealed")}},
	{"role_use", 1, 2, {B("profile"), N("used_ms")}},
	{"policy", 1, 2, {N("id"), B("sealed")}},
	{"request", 1, 4, {B("key"), B("digest"), N("expires_ms"), B("sealed")}},
	{"hold", 1, 2, {B("name"), B("sealed")}},
	{"audit_key", 1, 5, {N("id"), N("month"), N("class"), N("destroyed_ms"), B("sealed")}},
	{"heard", 1, 7, {N("id"), T("organisation"), T("system"), F("fits"), N("size"), N("received_ms"), T("note")}},
	{"cosigned", 1, 3, {N("which"), N("time_ms"), T("note")}},
	{NULL, 0, 0, {{NULL, MOVE_NUMBER}}},
};

bool move_table_list(const struct move_table *table, unsigned from, unsigned until, const char *prefix, char *out, size_t out_bytes)
{
	size_t used = 0;
	for (unsigned i = from; i < until && used < out_bytes; i++) {
		int written = snprintf(out + used, out_bytes - used, "%s%s\"%s\"", i == from ? "" : ", ", prefix, table->columns[i].name);
		used += written < 0 ? out_bytes : (size_t)written;
	}
	return used < out_bytes;
}

// ------------------------------------------------------------------ building

void move_row_done(struct move_row *row)
{
	free(row->data);
	*row = (struct move_row){0};
}

static bool append(struct move_row *row, const void *data, size_t bytes)
{
	if (bytes > SIZE_MAX / 4 || row->bytes > SIZE_MAX / 4)
		return false;
	if (row->bytes + bytes > row->room) {
		size_t room = 2 * (row->bytes + bytes);
		uint8_t *grown = realloc(row->data, room);
		if (grown == NULL)
			return false;
		row->data = grown;
		row->room = room;
	}
	if (bytes > 0)
		memcpy(row->data + row->bytes, data, bytes);
	row->bytes += bytes;
	return true;
}

static bool append_length(struct move_row *row, uint32_t value)
{
	const uint8_t bytes[] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8), (uint8_t)value};
	return append(row, bytes, sizeof bytes);
}

bool move_row_begin(struct move_row *row, unsigned field_count)
{
	const uint8_t bytes[] = {(uint8_t)(field_count >> 8), (uint8_t)field_count};
	row->bytes = 0;
	return append(row, bytes, sizeof bytes);
}

bool move_row_bytes(struct move_row *row, const void *data, size_t bytes)
{
	return bytes <= INT32_MAX && append_length(row, (uint32_t)bytes) && append(row, data, bytes);
}

bool move_row_number(struct move_row *row, int64_t value)
{
	uint8_t bytes[8];
	for (unsigned i = 0; i < 8; i++)
		bytes[i] = (uint8_t)((uint64_t)value >> (56 - 8 * i));
	return move_row_bytes(row, bytes, sizeof bytes);
}

bool move_row_boolean(struct move_row *row, bool value)
{
	const uint8_t byte = value;
	return move_row_bytes(row, &byte, 1);
}

bool move_row_null(struct move_row *row)
{
	return append_length(row, UINT32_MAX);
}

bool move_row_set(struct move_row *row, const void *data, size_t bytes)
{
	row->bytes = 0;
	return append(row, data, bytes);
}

// ------------------------------------------------------------------ reading

static uint32_t length_at(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

bool move_row_is_of(const struct move_table *table, const struct move_row *row)
{
	size_t at = 2;
	if (row->bytes < 2 || (unsigned)(row->data[0] << 8 | row->data[1]) != table->column_count)
		return false;
	for (unsigned i = 0; i < table->column_count; i++) {
		if (row->bytes - at < 4)
			return false;
		uint32_t length = length_at(row->data + at);
		enum move_kind kind = table->columns[i].kind;
		at += 4;
		if (length == UINT32_MAX && i >= table->key_count && kind == MOVE_BYTES)
			continue;
		if (length > row->bytes - at || (kind == MOVE_NUMBER && length != 8) || (kind == MOVE_BOOLEAN && length != 1))
			return false;
		at += length;
	}
	return at == row->bytes;
}

const uint8_t *move_row_field(const struct move_row *row, unsigned number, size_t *ret_bytes)
{
	const uint8_t *at = row->data + 2;
	for (; number > 0; number--)
		at += 4 + (length_at(at) == UINT32_MAX ? 0 : length_at(at));
	*ret_bytes = length_at(at) == UINT32_MAX ? 0 : length_at(at);
	return length_at(at) == UINT32_MAX ? NULL : at + 4;
}

int64_t move_row_field_number(const struct move_row *row, unsigned number)
{
	size_t bytes = 0;
	uint64_t value = 0;
	const uint8_t *field = move_row_field(row, number, &bytes);
	for (size_t i = 0; field != NULL && i < bytes; i++)
		value = value << 8 | field[i];
	return (int64_t)value;
}

// SQLite's order of blobs and texts, and PostgreSQL's of bytea and of texts in the collation "C".
static int compare_bytes(const uint8_t *left, size_t left_bytes, const uint8_t *right, size_t right_bytes)
{
	size_t both = left_bytes < right_bytes ? left_bytes : right_bytes;
	int order = both == 0 ? 0 : memcmp(left, right, both);
	return order != 0 ? order : (left_bytes > right_bytes) - (left_bytes < right_bytes);
}

int move_row_compare(const struct move_table *table, const struct move_row *left, const struct move_row *right)
{
	int order = 0;
	for (unsigned i = 0; i < table->key_count && order == 0; i++) {
		size_t left_bytes, right_bytes;
		const uint8_t *l = move_row_field(left, i, &left_bytes), *r = move_row_field(right, i, &right_bytes);
		if (table->columns[i].kind == MOVE_NUMBER) {
			int64_t a = move_row_field_number(left, i), b = move_row_field_number(right, i);
			order = (a > b) - (a < b);
		} else {
			order = compare_bytes(l, left_bytes, r, right_bytes);
		}
	}
	return order;
}

bool move_row_equal(const struct move_row *left, const struct move_row *right)
{
	return left->bytes == right->bytes && memcmp(left->data, right->data, left->bytes) == 0;
}
