// Verifying an export.
#include "clients/cli/log_export_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/cli/export_file.h"
#include "clients/cli/export_reader.h"
#include "clients/cli/log_export.h"

_Static_assert(LOG_SPAN_HEIGHT == 2 * TILE_HEIGHT, "a span's bundles are one tile of level 1");

struct check {
	const char *directory;
	uint64_t size;
	struct merkle_hash *roots; // of the whole spans: the hashes of level 2
	uint64_t root_count;
};

static void *open_reader(void *context, char detail[LOG_DETAIL_BYTES])
{
	const struct check *check = context;
	struct export_reader *reader = export_reader_new(check->directory, check->size);
	if (reader == NULL)
		snprintf(detail, LOG_DETAIL_BYTES, "out of memory");
	return reader;
}

static void close_reader(void *reader)
{
	export_reader_free(reader);
}

static bool is_good(const struct log_span *span)
{
	return span->wrong == NULL && !span->unreadable && !span->broken;
}

// Bundles, and the tile above them.
static void check_span(void *context, struct log_span *span)
{
	struct export_reader *reader = context;
	struct merkle_hash roots[TILE_WIDTH];
	unsigned width = 0;
	while (is_good(span) && span->begin + span->tree.size < span->end) {
		export_reader_bundle(reader, span, NULL, NULL);
		if (is_good(span) && span->tree.size % TILE_WIDTH == 0)
			roots[width++] = reader->root;
	}
	if (!is_good(span) || width == 0)
		return;
	struct tile_name name = {TILE_HASHES, 1, span->begin >> LOG_SPAN_HEIGHT, width};
	enum log_status status = export_reader_tile(reader, &name, roots, span->detail);
	span->unreadable = status == LOG_UNREADABLE;
	span->broken = status == LOG_BROKEN;
}

static void keep_root(void *context, uint64_t number, const struct merkle_hash *root)
{
	struct check *check = context;
	check->roots[number] = *root;
	check->root_count = number + 1;
}

// Each level's tiles, whose whole ones give the hashes of the next level.
static enum log_status check_upper(struct check *check, struct log_result *result)
{
	enum log_status status = LOG_HOLDS;
	struct merkle_hash nodes[MERKLE_HEIGHT_MAX + 1];
	size_t count;
	struct export_reader *reader = export_reader_new(check->directory, check->size);
	if (reader == NULL) {
		snprintf(result->detail, sizeof result->detail, "out of memory");
		return LOG_UNREADABLE;
	}
	for (unsigned level = 2; status == LOG_HOLDS && check->root_count > 0; level++) {
		uint64_t number = 0;
		for (unsigned width; status == LOG_HOLDS && (width = tile_width(check->size, level, number)) > 0; number++) {
			const struct merkle_hash *hashes = check->roots + number * TILE_WIDTH;
			struct tile_name name = {TILE_HASHES, level, number, width};
			struct merkle_tree tile = {0};
			status = export_reader_tile(reader, &name, hashes, result->detail);
			for (unsigned i = 0; i < width; i++)
				merkle_append(&tile, &hashes[i], nodes, &count);
			if (width == TILE_WIDTH)
				check->roots[number] = tile.edge[TILE_HEIGHT];
		}
		check->root_count /= TILE_WIDTH;
	}
	export_reader_free(reader);
	return status;
}

// The file that other software reads: where storage does not let it be replaced it may be older, and no more than that.
static enum log_status check_current(const char *directory, const struct note_verifier *verifier, struct log_kept *ret,
				     char path[PATH_MAX], struct log_result *result)
{
	uint8_t note[NOTE_BYTES_MAX];
	size_t bytes = 0;
	snprintf(path, PATH_MAX, "%s/checkpoint", directory);
	switch (export_file_read(path, note, sizeof note, &bytes, result->detail)) {
	case EXPORT_READ:
		break;
	case EXPORT_UNREADABLE:
		return LOG_UNREADABLE;
	default:
		return LOG_BROKEN;
	}
	if (checkpoint_verify((const char *)note, bytes, verifier, &ret->checkpoint) != CERTS_OK)
		return log_broken(result, "%.200s was not signed with this log's key: log or key is another one", path);
	ret->path = path;
	return LOG_HOLDS;
}

static enum log_status check_all(const char *directory, const struct note_verifier *verifier, const struct log_kept *kept,
				 unsigned kept_count, const struct export_checkpoints *own, log_progress *progress,
				 struct log_result *ret)
{
	char path[PATH_MAX];
	struct merkle_tree tree;
	struct check check = {.directory = directory, .size = own->kept[own->count - 1].checkpoint.size};
	struct log_kept *all = calloc(own->count + kept_count + 1, sizeof *all);
	check.roots = calloc((check.size >> LOG_SPAN_HEIGHT) + 1, sizeof *check.roots);
	enum log_status status = LOG_UNREADABLE;
	if (all == NULL || check.roots == NULL) {
		snprintf(ret->detail, sizeof ret->detail, "out of memory");
	} else if ((status = check_current(directory, verifier, &all[0], path, ret)) == LOG_HOLDS) {
		unsigned count = 1;
		for (unsigned i = 0; i < own->count; i++)
			all[count++] = own->kept[i];
		for (unsigned i = 0; i < kept_count; i++)
			all[count++] = kept[i];
		struct log_source source = {.context = &check, .size = check.size, .open = open_reader, .check = check_span,
					    .close = close_reader, .passed = keep_root};
		status = log_walk(&source, 0, all, count, progress, &tree, ret);
		if (status == LOG_HOLDS)
			status = log_check_length(&tree, all, count, ret);
		if (status == LOG_HOLDS)
			status = check_upper(&check, ret);
	}
	free(all);
	free(check.roots);
	return status;
}

enum log_status log_export_verify(const char *directory, const struct note_verifier *verifier, const struct log_kept *kept,
				  unsigned kept_count, log_progress *progress, struct log_result *ret)
{
	struct export_checkpoints own;
	*ret = (struct log_result){0};
	enum log_status status = export_checkpoints_load(directory, verifier, &own, ret);
	if (status != LOG_HOLDS)
		return status;
	if (own.count > 0) {
		status = check_all(directory, verifier, kept, kept_count, &own, progress, ret);
	} else {
		snprintf(ret->detail, sizeof ret->detail, "%.200s: no export, or one that was not finished: it has no checkpoint",
			 directory);
		status = LOG_UNREADABLE;
	}
	export_checkpoints_free(&own);
	return status;
}
