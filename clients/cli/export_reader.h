// Reading an export's bundles, one after the other, each record checked against its entry and its hash.
#ifndef CPIS_CLI_EXPORT_READER_H
#define CPIS_CLI_EXPORT_READER_H

#include "clients/cli/log_walk.h"
#include "clients/cli/tile.h"

// One thread's. `directory` is borrowed.
struct export_reader {
	const char *directory;
	uint64_t size;            // of the log: how wide the last ones are
	uint8_t *records;         // a bundle's bytes
	uint8_t entries[TILE_WIDTH * (2 + MERKLE_HASH_BYTES)], hashes[TILE_HASHES_BYTES];
	struct merkle_hash root;  // of the last whole bundle
};

// NULL: no memory.
struct export_reader *export_reader_new(const char *directory, uint64_t size);
void export_reader_free(struct export_reader *reader);

// Reads the bundle that the span's next record begins, and appends its records. The first bad one stops it: `wrong` and `detail`,
// or `unreadable`. `take`, unless NULL, is given each good record with the hashes that it completes within the span;
// false stops.
typedef bool export_take(void *context, const struct log_row *row, const struct audit_record_keys *keys);
void export_reader_bundle(struct export_reader *reader, struct log_span *span, export_take *take, void *context);

// A tile's hashes against those that it must have. What is wrong goes into `detail`; `unreadable` likewise.
__attribute__((warn_unused_result)) enum log_status export_reader_tile(struct export_reader *reader,
									const struct tile_name *name,
									const struct merkle_hash *wanted,
									char detail[LOG_DETAIL_BYTES]);

#endif
