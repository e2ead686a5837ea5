// Bundles of records, entries and hashes, read side by side.
#include "clients/cli/export_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/cli/export_file.h"
#include "proto/limits.h"

_Static_assert(EXPORT_DETAIL_BYTES == LOG_DETAIL_BYTES, "one detail is the other's");

struct export_reader *export_reader_new(const char *directory, uint64_t size)
{
	struct export_reader *reader = calloc(1, sizeof *reader);
	uint8_t *records = malloc(TILE_BUNDLE_BYTES_MAX);
	if (reader == NULL || records == NULL) {
		free(records);
		free(reader);
		return NULL;
	}
	reader->directory = directory;
	reader->size = size;
	reader->records = records;
	return reader;
}

void export_reader_free(struct export_reader *reader)
{
	free(reader->records);
	free(reader);
}

// ------------------------------------------------------------------ files

static enum export_read read_file(const struct export_reader *reader, const struct tile_name *name, uint8_t *out,
				  size_t out_bytes, struct log_bytes *ret, char detail[LOG_DETAIL_BYTES])
{
	char path[PATH_MAX];
	*ret = (struct log_bytes){out, 0};
	if (!tile_path(reader->directory, name, path)) {
		snprintf(detail, LOG_DETAIL_BYTES, "%.200s: the name is too long", reader->directory);
		return EXPORT_UNREADABLE;
	}
	return export_file_read(path, out, out_bytes, &ret->bytes, detail);
}

// A bundle file, whose absence or length is its first record's fault.
static bool read_bundle(struct export_reader *reader, enum tile_kind kind, uint64_t number, unsigned width, uint8_t *out,
			size_t out_bytes, struct log_bytes *ret, struct log_span *span)
{
	struct tile_name name = {kind, 0, number, width};
	switch (read_file(reader, &name, out, out_bytes, ret, span->detail)) {
	case EXPORT_READ:
		return true;
	case EXPORT_MISSING:
		span->wrong = "the file that it is in is missing";
		return false;
	case EXPORT_TOO_LONG:
		span->wrong = "the file that it is in has been changed";
		return false;
	case EXPORT_UNREADABLE:
		break;
	}
	span->unreadable = true;
	return false;
}

enum log_status export_reader_tile(struct export_reader *reader, const struct tile_name *name, const struct merkle_hash *wanted,
				   char detail[LOG_DETAIL_BYTES])
{
	struct log_bytes hashes;
	char path[PATH_MAX];
	switch (read_file(reader, name, reader->hashes, sizeof reader->hashes, &hashes, detail)) {
	case EXPORT_READ:
		break;
	case EXPORT_UNREADABLE:
		return LOG_UNREADABLE;
	default:
		return LOG_BROKEN;
	}
	if (hashes.bytes == name->width * sizeof *wanted && memcmp(hashes.data, wanted, hashes.bytes) == 0)
		return LOG_HOLDS;
	if (tile_path(reader->directory, name, path))
		snprintf(detail, LOG_DETAIL_BYTES, "%.220s: its hashes do not follow from the records", path);
	return LOG_BROKEN;
}

// ------------------------------------------------------------------ records

struct item {
	struct log_bytes records, entries; // what is left of the bundles
	const uint8_t *hash;
};

// What is wrong with the next record, or NULL and it is appended.
static const char *take_record(struct export_reader *reader, struct item *item, struct log_span *span, export_take *take,
			       void *context)
{
	struct log_bytes both, entry;
	struct merkle_hash commitment, leaf, nodes[MERKLE_HEIGHT_MAX + 1];
	struct audit_record_keys keys;
	size_t count;
	if (!tile_take_item(&item->records, &both) || both.bytes <= SALT_BYTES)
		return "salt or record is missing";
	struct log_row row = {.index = span->begin + span->tree.size,
			      .salt = {both.data, SALT_BYTES},
			      .record = {both.data + SALT_BYTES, both.bytes - SALT_BYTES}};
	merkle_commitment(row.salt.data, row.record.data, row.record.bytes, &commitment);
	if (!tile_take_item(&item->entries, &entry) || entry.bytes != sizeof commitment ||
	    memcmp(entry.data, &commitment, sizeof commitment) != 0)
		return "record or salt does not match its entry: one of them has been changed";
	merkle_leaf_of(&commitment, &leaf);
	if (memcmp(item->hash, &leaf, sizeof leaf) != 0)
		return "it does not match its hash: one of them has been changed";
	const char *wrong = log_row_read(&row, &keys);
	if (wrong != NULL)
		return wrong;
	merkle_append(&span->tree, &leaf, nodes, &count);
	if (count > TILE_HEIGHT)
		reader->root = nodes[TILE_HEIGHT];
	row.nodes = (struct log_bytes){nodes[0].bytes, count * sizeof nodes[0]};
	if (take != NULL && !take(context, &row, &keys)) {
		span->tree.size--;
		span->unreadable = true;
		return NULL;
	}
	log_span_accept(span);
	item->hash += sizeof leaf;
	return NULL;
}

void export_reader_bundle(struct export_reader *reader, struct log_span *span, export_take *take, void *context)
{
	uint64_t number = (span->begin + span->tree.size) / TILE_WIDTH;
	unsigned width = tile_width(reader->size, 0, number);
	struct item item = {.hash = reader->hashes};
	struct log_bytes hashes;
	if (!read_bundle(reader, TILE_RECORDS, number, width, reader->records, TILE_BUNDLE_BYTES_MAX, &item.records, span) ||
	    !read_bundle(reader, TILE_ENTRIES, number, width, reader->entries, sizeof reader->entries, &item.entries, span) ||
	    !read_bundle(reader, TILE_HASHES, number, width, reader->hashes, sizeof reader->hashes, &hashes, span))
		return;
	if (hashes.bytes != width * MERKLE_HASH_BYTES) {
		span->wrong = "the tile of its hash has another length";
		return;
	}
	for (unsigned i = 0; i < width && span->wrong == NULL && !span->unreadable; i++)
		span->wrong = take_record(reader, &item, span, take, context);
	if (span->wrong == NULL && !span->unreadable && (item.records.bytes != 0 || item.entries.bytes != 0)) {
		span->tree.size--;
		span->wrong = "something that is not in the log comes behind it in its file";
	}
	char path[PATH_MAX];
	if (span->wrong != NULL && tile_path(reader->directory, &(struct tile_name){TILE_RECORDS, 0, number, width}, path))
		snprintf(span->detail, sizeof span->detail, "%.250s", path);
}
