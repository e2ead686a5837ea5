// What move.c and its two parts share: bringing tables over, and proving that they are the same.
#ifndef CPIS_BROKER_MOVE_PRIV_H
#define CPIS_BROKER_MOVE_PRIV_H

#include "broker/store_postgres_move.h"
#include "broker/store_sqlite_move.h"

struct move {
	struct sqlite_move *from;
	struct postgres_move *to;
	struct move_row left, right;   // of the file, of the database
	char detail[STORE_DETAIL_BYTES];
};

struct move_work {
	uint64_t read, added, changed, removed; // rows
	uint64_t bytes;                // of those that were read
	uint64_t ms;
};

// move_pass.c. The log's next rows, up to `until`; each transaction is a moment of its own.
__attribute__((warn_unused_result)) bool move_bring_log(struct move *move, uint64_t from, uint64_t until, struct move_work *ret);
// Another table, to what it is at one moment.
__attribute__((warn_unused_result)) bool move_bring_table(struct move *move, const struct move_table *table, struct move_work *ret);

// move_verify.c. Both sides have the same rows in every table; of the log, `ret->root` is computed from the database's rows.
__attribute__((warn_unused_result)) bool move_verify(struct move *move, struct store_log *ret, struct move_work *ret_work);
// The first `records` of both logs are the same, by the hashes that are stored with them.
__attribute__((warn_unused_result)) bool move_same_log(struct move *move, uint64_t records);

#endif
