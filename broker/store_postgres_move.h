// The PostgreSQL side of `cpis-broker --move`: a database that a store is copied into, as a member of cpis_owner, and that is no store
// until it has a checkpoint. One thread; blocks. Functions that give a bool are false with a sentence, which never holds contents of
// a row. Whatever was not ended by a function that says so is not there after a failure.
#ifndef CPIS_BROKER_STORE_POSTGRES_MOVE_H
#define CPIS_BROKER_STORE_POSTGRES_MOVE_H

#include "broker/move_table.h"
#include "broker/store_postgres.h"

struct postgres_move;

struct postgres_move_state {
	char identity[64];             // of this database, and of every server that it is replicated to
	uint64_t records;              // of the log
	bool has_rows;                 // in another table than the log
	bool has_second;               // a commit waits for another server
	char note[NOTE_BYTES_MAX + 1]; // "": there is no checkpoint
};

// Connects twice, to read and to write. Refused: a connection string as of store_postgres_open, a schema of another version, a server
// that would lose a commit, another move into the same database that is under way.
__attribute__((warn_unused_result)) bool postgres_move_open(const char *conninfo, struct postgres_move **ret,
							     char detail[STORE_DETAIL_BYTES]);
void postgres_move_close(struct postgres_move *move); // accepts NULL
__attribute__((warn_unused_result)) bool postgres_move_look(struct postgres_move *move, struct postgres_move_state *ret,
							     char detail[STORE_DETAIL_BYTES]);
// A node of the log, for certs/merkle.h; the context is the struct postgres_move.
bool postgres_move_node(void *context, unsigned height, uint64_t number, struct merkle_hash *ret);

// Rows in the order of their keys. One walk at a time; it goes on beside writes, and does not see them.
__attribute__((warn_unused_result)) bool postgres_move_walk(struct postgres_move *move, const struct move_table *table,
							     char detail[STORE_DETAIL_BYTES]);
__attribute__((warn_unused_result)) bool postgres_move_next(struct postgres_move *move, struct move_row *row, bool *ret_end,
							     char detail[STORE_DETAIL_BYTES]);
__attribute__((warn_unused_result)) bool postgres_move_count(struct postgres_move *move, const struct move_table *table, uint64_t *ret,
							      char detail[STORE_DETAIL_BYTES]);

// New rows, in one transaction; those of the log are the next ones.
__attribute__((warn_unused_result)) bool postgres_move_begin_rows(struct postgres_move *move, const struct move_table *table,
								   char detail[STORE_DETAIL_BYTES]);
__attribute__((warn_unused_result)) bool postgres_move_put(struct postgres_move *move, const struct move_row *row,
							    char detail[STORE_DETAIL_BYTES]);
// Committed when it is true. `first`: of the log, the number of the first one.
__attribute__((warn_unused_result)) bool postgres_move_end_rows(struct postgres_move *move, uint64_t first, char detail[STORE_DETAIL_BYTES]);

// Differences, in one transaction: all rows that are `gone`, by their keys, and then all that are not. A changed row is both, told once
// as the new one.
__attribute__((warn_unused_result)) bool postgres_move_begin_differences(struct postgres_move *move, const struct move_table *table,
									  char detail[STORE_DETAIL_BYTES]);
__attribute__((warn_unused_result)) bool postgres_move_differ(struct postgres_move *move, const struct move_row *row, bool gone,
							       char detail[STORE_DETAIL_BYTES]);
__attribute__((warn_unused_result)) bool postgres_move_end_differences(struct postgres_move *move, char detail[STORE_DETAIL_BYTES]);

// The last act: from its commit on brokers take the database for theirs. `heard_id` is the greatest number that the table heard has
// given out. False: it may have been committed all the same, and is to be looked for.
__attribute__((warn_unused_result)) bool postgres_move_put_in_force(struct postgres_move *move, const char *note, uint64_t heard_id,
								     char detail[STORE_DETAIL_BYTES]);

#endif
