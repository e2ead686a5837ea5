// The files of an export: C2SP tlog-tiles (c2sp.org/tlog-tiles), and our bundles of records beside them. What is what is in
// certs/README.md, "An export".
//
//	tile/<L>/<N>        hashes of height 8L, 256 of them
//	tile/entries/<N>    256 entries; a record's entry is its commitment, so that the leaf is RFC 6962's
//	record/<N>          256 records, each as salt || record, whose SHA-256 is its entry
//
// The last of each is shorter, and has .p/<width> behind its name.
#ifndef CPIS_CLI_TILE_H
#define CPIS_CLI_TILE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "certs/merkle.h"
#include "clients/cli/log_row.h"

#define TILE_HEIGHT 8u
#define TILE_WIDTH 256u
#define TILE_LEVELS 8u // 256 ** 8 records are more than there can be
#define TILE_HASHES_BYTES (TILE_WIDTH * MERKLE_HASH_BYTES)
// A bundle's items have two bytes of length before them.
#define TILE_ITEM_BYTES_MAX UINT16_MAX
#define TILE_BUNDLE_BYTES_MAX (TILE_WIDTH * (2u + TILE_ITEM_BYTES_MAX))

enum tile_kind { TILE_HASHES, TILE_ENTRIES, TILE_RECORDS };

// `width` 1 to TILE_WIDTH; `level` counts for hashes only.
struct tile_name {
	enum tile_kind kind;
	unsigned level;
	uint64_t number;
	unsigned width;
};

// False: the directory's name is too long.
__attribute__((warn_unused_result)) bool tile_path(const char *directory, const struct tile_name *name, char out[PATH_MAX]);

// How wide the tile `number` of this level is in a tree of `size`; 0: it has none.
unsigned tile_width(uint64_t size, unsigned level, uint64_t number);

// Puts one item behind the others; `out` has room. Returns where the next one goes.
uint8_t *tile_put_item(uint8_t *out, const void *data, size_t bytes);
// Takes one item off the front. False when there is no whole one.
__attribute__((warn_unused_result)) bool tile_take_item(struct log_bytes *bundle, struct log_bytes *ret);

#endif
