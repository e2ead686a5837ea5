// Where a time span lies in the audit log, for every backend of the store: rows are looked for in the blocks that can have its times.
// A block is STORE_BLOCK_ROWS rows one after another. Of each the backend keeps the greatest time up to it and the least from it on,
// which go up with the numbers whatever the clock did.
#ifndef CPIS_BROKER_STORE_BLOCKS_H
#define CPIS_BROKER_STORE_BLOCKS_H

#include "broker/store.h"

#define STORE_BLOCK_ROWS 1024u

// FIRST: the first block with a time of `time_ms` or later up to it. LAST: the last one with an earlier time from it on.
enum store_blocks_end { STORE_BLOCKS_FIRST, STORE_BLOCKS_LAST };
// STORE_NOT_FOUND: there is none.
typedef enum store_status store_blocks_find(struct store *store, enum store_blocks_end end, uint64_t time_ms, uint64_t *ret_block);

// Narrows the numbers from `from` on and before `until` to the blocks that can have times of the range; equal: there are none.
// False: the store failed.
__attribute__((warn_unused_result)) bool store_blocks_narrow(struct store *store, store_blocks_find *find,
							      const struct store_audit_range *range, uint64_t *from, uint64_t *until);

// What databases hold as a signed number.
uint64_t store_bounded(uint64_t value);

#endif
