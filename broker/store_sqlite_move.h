// The SQLite side of `cpis-broker --move`: reading a store's file beside its broker, and the mark by which no broker opens it again.
// One thread. Functions that give a bool are false with a sentence, which never holds contents of a row.
#ifndef CPIS_BROKER_STORE_SQLITE_MOVE_H
#define CPIS_BROKER_STORE_SQLITE_MOVE_H

#include "broker/move_table.h"
#include "broker/store_backup.h"

#define MOVE_IDENTITY_BYTES 64

struct sqlite_move;

// Where a file stands. `identity` is of the database that its finish was begun with (store_postgres_move.h).
enum sqlite_move_mark { SQLITE_MOVE_IN_FORCE, SQLITE_MOVE_BEGUN, SQLITE_MOVE_DONE };
struct sqlite_move_state {
	enum sqlite_move_mark mark;
	char identity[MOVE_IDENTITY_BYTES];
	uint64_t records;              // of the log
	uint64_t heard_id;             // the greatest that was ever given; 0: none
	char note[NOTE_BYTES_MAX + 1]; // "": there is no checkpoint
};

// A file of this schema version, whether it is marked or not.
__attribute__((warn_unused_result)) bool sqlite_move_open(const char *path, struct sqlite_move **ret, char detail[STORE_DETAIL_BYTES]);
void sqlite_move_close(struct sqlite_move *move); // accepts NULL

// What is read until the end is of one moment. A broker's commits do not wait; its write-ahead log is not shortened meanwhile.
__attribute__((warn_unused_result)) bool sqlite_move_begin_moment(struct sqlite_move *move, char detail[STORE_DETAIL_BYTES]);
void sqlite_move_end_moment(struct sqlite_move *move);

__attribute__((warn_unused_result)) bool sqlite_move_look(struct sqlite_move *move, struct sqlite_move_state *ret,
							   char detail[STORE_DETAIL_BYTES]);
// Counted in the table itself and not by the index that it is walked along, which may be damaged.
__attribute__((warn_unused_result)) bool sqlite_move_count(struct sqlite_move *move, const struct move_table *table, uint64_t *ret,
							    char detail[STORE_DETAIL_BYTES]);
// A node of the log, for certs/merkle.h; the context is the struct sqlite_move.
bool sqlite_move_node(void *context, unsigned height, uint64_t number, struct merkle_hash *ret);

// Rows in the order of their keys, those of the log with numbers from `from` on and before `until`; one walk at a time.
__attribute__((warn_unused_result)) bool sqlite_move_walk(struct sqlite_move *move, const struct move_table *table, uint64_t from,
							   uint64_t until, char detail[STORE_DETAIL_BYTES]);
// *ret_end: there is no more, and the walk is over.
__attribute__((warn_unused_result)) bool sqlite_move_next(struct sqlite_move *move, struct move_row *row, bool *ret_end,
							   char detail[STORE_DETAIL_BYTES]);

// On disk, in the file itself, when it returns. The caller has the broker's lock; nobody else may be reading.
__attribute__((warn_unused_result)) bool sqlite_move_mark(const char *path, enum sqlite_move_mark mark, const char *identity,
							   char detail[STORE_DETAIL_BYTES]);

#endif
