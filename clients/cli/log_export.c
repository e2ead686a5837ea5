// Writing an export from the log's file.
#include "clients/cli/log_export.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clients/cli/export_file.h"
#include "clients/cli/tile.h"

// The bundle that is being filled.
struct bundle {
	uint8_t hashes[TILE_HASHES_BYTES], entries[TILE_WIDTH * (2 + MERKLE_HASH_BYTES)];
	uint8_t *records, *records_end, *entries_end;
	unsigned width;
};

struct export {
	struct log_database *database;
	const char *directory;
	struct log_span span;          // from record 0 on: its tree is the whole log's
	struct bundle bundle;
	struct log_exported *exported;
	struct log_result *result;
};

static enum log_status unreadable(struct export *export)
{
	log_database_detail(export->database, export->result->detail);
	return LOG_UNREADABLE;
}

static enum log_status put(struct export *export, const char *path, const void *data, size_t bytes)
{
	switch (export_file_put(path, data, bytes, export->result->detail)) {
	case EXPORT_MADE:
		export->exported->files++;
		return LOG_HOLDS;
	case EXPORT_THERE:
		return LOG_HOLDS;
	case EXPORT_DIFFERENT:
		return LOG_BROKEN;
	default:
		return LOG_UNREADABLE;
	}
}

static enum log_status put_tile(struct export *export, const struct tile_name *name, const void *data, size_t bytes)
{
	char path[PATH_MAX];
	if (!tile_path(export->directory, name, path)) {
		snprintf(export->result->detail, sizeof export->result->detail, "%.200s: the name is too long", export->directory);
		return LOG_UNREADABLE;
	}
	return put(export, path, data, bytes);
}

// ------------------------------------------------------------------ tiles above the leaves

// A tile's hashes as they are stored, which must give what has been computed from the records: rows before the first new one
// were not checked this time.
static enum log_status put_upper(struct export *export, unsigned level, uint64_t number, unsigned width,
				 const struct merkle_hash *root)
{
	struct merkle_hash hashes[TILE_WIDTH], nodes[MERKLE_HEIGHT_MAX + 1];
	struct merkle_tree tile = {0};
	size_t count;
	for (unsigned i = 0; i < width; i++) {
		if (!log_database_node(export->database, TILE_HEIGHT * level, number * TILE_WIDTH + i, &hashes[i]))
			return log_broken(export->result, "an inner hash of the records below %llu is missing",
					  (unsigned long long)export->span.tree.size);
		merkle_append(&tile, &hashes[i], nodes, &count);
	}
	bool good = root == NULL || memcmp(&tile.edge[TILE_HEIGHT], root, sizeof *root) == 0;
	for (unsigned h = 0; good && root == NULL && h < TILE_HEIGHT; h++)
		good = (width >> h & 1) == 0 ||
		       memcmp(&tile.edge[h], &export->span.tree.edge[TILE_HEIGHT * level + h], sizeof tile.edge[h]) == 0;
	if (!good)
		return log_broken(export->result, "an inner hash of the records below %llu does not follow from them: audit verify "
						  "names the record",
				  (unsigned long long)export->span.tree.size);
	return put_tile(export, &(struct tile_name){TILE_HASHES, level, number, width}, hashes, width * sizeof hashes[0]);
}

// The tiles that the row's record completes above the leaves. Its hashes have been checked.
static enum log_status put_completed(struct export *export, const struct log_row *row)
{
	enum log_status status = LOG_HOLDS;
	uint64_t size = row->index + 1;
	for (unsigned level = 1; status == LOG_HOLDS && level < TILE_LEVELS - 1; level++) {
		unsigned height = TILE_HEIGHT * (level + 1);
		struct merkle_hash root;
		if ((size & (((uint64_t)1 << height) - 1)) != 0)
			break;
		memcpy(&root, row->nodes.data + height * sizeof root, sizeof root);
		status = put_upper(export, level, (size >> height) - 1, TILE_WIDTH, &root);
	}
	return status;
}

static enum log_status put_partial(struct export *export)
{
	enum log_status status = LOG_HOLDS;
	uint64_t size = export->span.tree.size;
	for (unsigned level = 1; status == LOG_HOLDS && level < TILE_LEVELS; level++) {
		uint64_t hashes = size >> (TILE_HEIGHT * level);
		if (hashes % TILE_WIDTH != 0)
			status = put_upper(export, level, hashes / TILE_WIDTH, (unsigned)(hashes % TILE_WIDTH), NULL);
	}
	return status;
}

// ------------------------------------------------------------------ bundles

static enum log_status put_bundle(struct export *export, uint64_t number)
{
	struct bundle *bundle = &export->bundle;
	struct tile_name records = {TILE_RECORDS, 0, number, bundle->width}, entries = {TILE_ENTRIES, 0, number, bundle->width},
			 hashes = {TILE_HASHES, 0, number, bundle->width};
	enum log_status status =
		put_tile(export, &records, bundle->records, (size_t)(bundle->records_end - bundle->records));
	if (status == LOG_HOLDS)
		status = put_tile(export, &entries, bundle->entries, (size_t)(bundle->entries_end - bundle->entries));
	if (status == LOG_HOLDS)
		status = put_tile(export, &hashes, bundle->hashes, bundle->width * MERKLE_HASH_BYTES);
	bundle->width = 0;
	bundle->records_end = bundle->records;
	bundle->entries_end = bundle->entries;
	return status;
}

static enum log_status add_to_bundle(struct export *export, const struct log_row *row)
{
	struct bundle *bundle = &export->bundle;
	struct merkle_hash commitment;
	uint8_t *item = bundle->records_end + 2;
	size_t bytes = row->salt.bytes + row->record.bytes; // the decoder has held it to MESSAGE_BYTES_MAX
	memcpy(item, row->salt.data, row->salt.bytes);
	memcpy(item + row->salt.bytes, row->record.data, row->record.bytes);
	bundle->records_end[0] = (uint8_t)(bytes >> 8);
	bundle->records_end[1] = (uint8_t)bytes;
	bundle->records_end = item + bytes;
	merkle_commitment(row->salt.data, row->record.data, row->record.bytes, &commitment);
	bundle->entries_end = tile_put_item(bundle->entries_end, &commitment, sizeof commitment);
	memcpy(bundle->hashes + bundle->width * MERKLE_HASH_BYTES, row->nodes.data, MERKLE_HASH_BYTES);
	bundle->width++;
	if (bundle->width < TILE_WIDTH)
		return LOG_HOLDS;
	enum log_status status = put_bundle(export, row->index / TILE_WIDTH);
	return status == LOG_HOLDS ? put_completed(export, row) : status;
}

// ------------------------------------------------------------------ passes

// What was exported before is the beginning of what is here.
static enum log_status check_old(struct export *export, const struct log_kept *old)
{
	struct merkle_hash root;
	if (old == NULL || old->checkpoint.size != export->span.tree.size)
		return LOG_HOLDS;
	merkle_root(&export->span.tree, &root);
	if (memcmp(&root, &old->checkpoint.root, sizeof root) != 0)
		return log_broken(export->result, "the first %llu records are not those that were exported: %.150s",
				  (unsigned long long)old->checkpoint.size, old->path);
	return LOG_HOLDS;
}

// From the last bundle that was not full. Its rows' hashes are checked, the ones before it are those of the old checkpoint.
static enum log_status pass(struct export *export, const struct log_kept *old, uint64_t size, bool writes)
{
	uint64_t begin = old == NULL ? 0 : old->checkpoint.size & ~(uint64_t)(TILE_WIDTH - 1);
	struct log_row row;
	bool found = true;
	export->span = (struct log_span){.end = size};
	if (!merkle_tree_load(begin, log_database_node, export->database, &export->span.tree))
		return log_broken(export->result, "an inner hash of the records below %llu is missing", (unsigned long long)begin);
	enum log_status status = check_old(export, old);
	if (status == LOG_HOLDS && !log_database_seek(export->database, begin, size))
		return unreadable(export);
	while (status == LOG_HOLDS && found) {
		if (!log_database_next(export->database, &row, &found))
			return unreadable(export);
		if (!found)
			break;
		const char *wrong = log_file_check_row(&row, &export->span);
		if (wrong != NULL)
			status = log_bad_record(export->result, export->span.tree.size, wrong);
		if (status == LOG_HOLDS)
			status = check_old(export, old);
		if (status == LOG_HOLDS && writes)
			status = add_to_bundle(export, &row);
	}
	if (status == LOG_HOLDS && export->span.tree.size < size)
		status = log_bad_record(export->result, export->span.tree.size, "it is missing");
	if (status == LOG_HOLDS && writes && export->bundle.width > 0)
		status = put_bundle(export, size / TILE_WIDTH);
	return status == LOG_HOLDS && writes ? put_partial(export) : status;
}

// ------------------------------------------------------------------ checkpoints

// All that the checkpoint stands for is on the disk before it is, names of files too.
static enum log_status flush(struct export *export)
{
	int file = open(export->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool flushed = file >= 0 && syncfs(file) == 0;
	if (!flushed)
		snprintf(export->result->detail, sizeof export->result->detail, "%.180s: %s", export->directory, strerror(errno));
	if (file >= 0)
		close(file);
	return flushed ? LOG_HOLDS : LOG_UNREADABLE;
}

static enum log_status put_checkpoint(struct export *export, const char *note, size_t bytes, uint64_t size)
{
	char path[PATH_MAX];
	snprintf(path, sizeof path, "%s/checkpoints/%llu", export->directory, (unsigned long long)size);
	enum log_status status = flush(export);
	if (status == LOG_HOLDS)
		status = put(export, path, note, bytes);
	if (status == LOG_HOLDS)
		status = flush(export);
	if (status != LOG_HOLDS)
		return status;
	char old[NOTE_BYTES_MAX], detail[EXPORT_DETAIL_BYTES];
	size_t old_bytes;
	snprintf(path, sizeof path, "%s/checkpoint", export->directory);
	bool same = export_file_read(path, (uint8_t *)old, sizeof old, &old_bytes, detail) == EXPORT_READ && old_bytes == bytes &&
		    memcmp(old, note, bytes) == 0;
	export->exported->checkpoint_stays = !same && !export_file_replace(path, note, bytes);
	return LOG_HOLDS;
}

static enum log_status export_all(struct export *export, const struct note_verifier *verifier, const struct log_kept *old)
{
	char note[NOTE_BYTES_MAX + 2];
	size_t note_bytes;
	uint64_t size;
	bool negative;
	struct log_result *result = export->result;
	if (!log_database_size(export->database, &size, &negative) || !log_database_note(export->database, note, &note_bytes))
		return unreadable(export);
	if (negative)
		return log_bad_record(result, 0, "there is a row with a number below 0");
	if (old != NULL && old->checkpoint.size > size)
		return log_bad_record(result, size, "it is missing here and was exported: the log has been cut there");
	enum log_status status = pass(export, old, size, false);
	if (status == LOG_HOLDS)
		status = log_check_note(&export->span.tree, note, note_bytes, verifier, result);
	if (status != LOG_HOLDS || note_bytes == 0) // an empty log: nothing to export yet
		return status;
	status = pass(export, old, size, true);
	export->exported->size = size;
	return status == LOG_HOLDS ? put_checkpoint(export, note, note_bytes, size) : status;
}

enum log_status log_export(struct log_database *database, const struct note_verifier *verifier, const char *directory,
			   struct log_exported *ret, struct log_result *result)
{
	struct export_checkpoints checkpoints;
	*ret = (struct log_exported){0};
	*result = (struct log_result){0};
	struct export *export = calloc(1, sizeof *export);
	uint8_t *records = malloc(TILE_BUNDLE_BYTES_MAX);
	enum log_status status = LOG_UNREADABLE;
	if (export == NULL || records == NULL) {
		snprintf(result->detail, sizeof result->detail, "out of memory");
		free(records);
		free(export);
		return status;
	}
	export->database = database;
	export->directory = directory;
	export->exported = ret;
	export->result = result;
	export->bundle.records = export->bundle.records_end = records;
	export->bundle.entries_end = export->bundle.entries;
	status = export_checkpoints_load(directory, verifier, &checkpoints, result);
	if (status == LOG_HOLDS) {
		const struct log_kept *old = checkpoints.count == 0 ? NULL : &checkpoints.kept[checkpoints.count - 1];
		ret->old_size = old == NULL ? 0 : old->checkpoint.size;
		status = export_all(export, verifier, old);
	}
	result->records = export->span.tree.size;
	merkle_root(&export->span.tree, &result->root);
	export_checkpoints_free(&checkpoints);
	free(records);
	free(export);
	return status;
}
