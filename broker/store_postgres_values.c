// PostgreSQL backend: values in its binary formats, to it and from it.
#include <endian.h>
#include <string.h>

#include "broker/store_postgres_priv.h"
#include "proto/invariant.h"

#define BYTEA_OID 17u // catalog/pg_type.dat: the same in every PostgreSQL

static void put(struct values *values, const void *data, size_t bytes)
{
	INVARIANT(values->count < VALUES_LENGTH);
	values->out_of_range = values->out_of_range || bytes > INT32_MAX;
	values->data[values->count] = data;
	values->bytes[values->count++] = (int)bytes;
}

static void put_number(struct values *values, const void *number, size_t bytes)
{
	INVARIANT(values->count < VALUES_LENGTH && bytes <= sizeof values->numbers[0]);
	memcpy(values->numbers[values->count], number, bytes);
	values->is_number[values->count] = true;
	put(values, NULL, bytes);
}

void values_places(const struct values *values, const char *ret[VALUES_LENGTH])
{
	for (int i = 0; i < values->count; i++)
		ret[i] = values->is_number[i] ? (const char *)values->numbers[i] : values->data[i];
}

void values_u64(struct values *values, uint64_t value)
{
	uint64_t network = htobe64(value);
	values->out_of_range = values->out_of_range || value > INT64_MAX;
	put_number(values, &network, sizeof network);
}

void values_bool(struct values *values, bool value)
{
	uint8_t byte = value;
	put_number(values, &byte, sizeof byte);
}

void values_bytes(struct values *values, const void *data, size_t bytes)
{
	// A null pointer would become SQL's NULL.
	put(values, bytes == 0 ? "" : data, bytes);
}

void values_blob_or_null(struct values *values, struct store_blob blob)
{
	put(values, blob.bytes == 0 ? NULL : blob.data, blob.bytes);
}

void values_tag(struct values *values, const struct store_tag *tag)
{
	put(values, tag == NULL ? NULL : tag->bytes, tag == NULL ? 0 : sizeof tag->bytes);
}

void values_text(struct values *values, const char *text)
{
	values_bytes(values, text, strlen(text));
}

void values_ods(struct values *values, const struct ods_code *code)
{
	values_text(values, code->text);
}

static uint8_t *put_u32(uint8_t *at, uint32_t value)
{
	uint32_t network = htobe32(value);
	memcpy(at, &network, sizeof network);
	return at + sizeof network;
}

// backend/utils/adt/arrayfuncs.c, array_recv: dimensions, whether there are NULLs, the element's type; of each dimension size and
// lower bound; the elements, each after its length.
bool values_tags(struct values *values, const struct store_tag *tags, size_t count, struct arena *arena)
{
	size_t bytes = 5 * sizeof(uint32_t) + count * (sizeof(uint32_t) + TAG_BYTES);
	uint8_t *array = arena_alloc(arena, bytes), *at = array;
	if (array == NULL || count > INT32_MAX)
		return false;
	at = put_u32(at, 1);
	at = put_u32(at, 0);
	at = put_u32(at, BYTEA_OID);
	at = put_u32(at, (uint32_t)count);
	at = put_u32(at, 1);
	for (size_t i = 0; i < count; i++) {
		at = put_u32(at, TAG_BYTES);
		memcpy(at, tags[i].bytes, TAG_BYTES);
		at += TAG_BYTES;
	}
	values_bytes(values, array, bytes);
	return true;
}

// ------------------------------------------------------------------ rows

static const void *data_of(struct postgres_row row, int column)
{
	return PQgetvalue(row.result, row.number, column);
}

bool row_is_null(struct postgres_row row, int column)
{
	return PQgetisnull(row.result, row.number, column) == 1;
}

size_t row_bytes(struct postgres_row row, int column)
{
	int bytes = PQgetlength(row.result, row.number, column);
	return bytes < 0 ? 0 : (size_t)bytes;
}

bool row_fixed(struct postgres_row row, int column, void *ret, size_t bytes)
{
	if (row_is_null(row, column) || row_bytes(row, column) != bytes)
		return false;
	memcpy(ret, data_of(row, column), bytes);
	return true;
}

bool row_u64(struct postgres_row row, int column, uint64_t *ret)
{
	uint64_t network;
	if (!row_fixed(row, column, &network, sizeof network) || be64toh(network) > INT64_MAX)
		return false;
	*ret = be64toh(network);
	return true;
}

bool row_u32(struct postgres_row row, int column, uint32_t *ret)
{
	uint64_t value;
	if (!row_u64(row, column, &value) || value > UINT32_MAX)
		return false;
	*ret = (uint32_t)value;
	return true;
}

bool row_bool(struct postgres_row row, int column, bool *ret)
{
	uint8_t value;
	if (!row_fixed(row, column, &value, 1))
		return false;
	*ret = value != 0;
	return true;
}

bool row_tag(struct postgres_row row, int column, struct store_tag *ret)
{
	return row_fixed(row, column, ret->bytes, TAG_BYTES);
}

bool row_ods(struct postgres_row row, int column, struct ods_code *ret)
{
	return ods_code_parse(data_of(row, column), row_bytes(row, column), ret);
}

bool row_blob(struct postgres_row row, int column, struct arena *arena, struct store_blob *ret)
{
	ret->data = NULL;
	ret->bytes = row_bytes(row, column);
	if (ret->bytes == 0)
		return true;
	ret->data = arena_copy(arena, data_of(row, column), ret->bytes);
	return ret->data != NULL;
}

bool row_text(struct postgres_row row, int column, char *ret, size_t ret_bytes)
{
	size_t bytes = row_bytes(row, column);
	if (row_is_null(row, column) || bytes >= ret_bytes)
		return false;
	memcpy(ret, data_of(row, column), bytes);
	ret[bytes] = '\0';
	return true;
}

bool row_note(struct postgres_row row, int column, struct arena *arena, const char **ret)
{
	*ret = row_is_null(row, column) ? NULL : arena_copy_text(arena, data_of(row, column), row_bytes(row, column));
	return *ret != NULL;
}
