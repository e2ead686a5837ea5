// The blocks of the audit log that a time span can lie in.
#include "broker/store_blocks.h"

uint64_t store_bounded(uint64_t value)
{
	return value > INT64_MAX ? INT64_MAX : value;
}

bool store_blocks_narrow(struct store *store, store_blocks_find *find, const struct store_audit_range *range, uint64_t *from,
			 uint64_t *until)
{
	uint64_t block = 0;
	if (range->from_ms > 0) {
		enum store_status status = find(store, STORE_BLOCKS_FIRST, store_bounded(range->from_ms), &block);
		if (status == STORE_NOT_FOUND)
			*from = *until;
		else if (status != STORE_OK)
			return false;
		else if (block * STORE_BLOCK_ROWS > *from)
			*from = block * STORE_BLOCK_ROWS;
	}
	if (range->until_ms < INT64_MAX) {
		enum store_status status = find(store, STORE_BLOCKS_LAST, range->until_ms, &block);
		if (status == STORE_NOT_FOUND)
			*until = *from;
		else if (status != STORE_OK)
			return false;
		else if ((block + 1) * STORE_BLOCK_ROWS < *until)
			*until = (block + 1) * STORE_BLOCK_ROWS;
	}
	return true;
}
