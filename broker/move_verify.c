// Proving that file and database are the same. Every row of every table is read on both sides, in the order of its keys, and compared
// to the last byte; the log's tree is computed anew from the database's salts and records.
#include <stdio.h>
#include <string.h>

#include "broker/clock.h"
#include "broker/move_priv.h"

static bool refuse(struct move *move, const char *table, const char *what)
{
	snprintf(move->detail, sizeof move->detail, "%s: %s: nothing was put in force, and the broker can be started on its file again", table,
		 what);
	return false;
}

// certs/merkle.h: a row's hashes must be what follows from its salt and record, and from the rows before.
static bool take_record(struct move *move, struct merkle_tree *tree, uint64_t *ret_ms)
{
	struct merkle_hash leaf, nodes[MERKLE_HEIGHT_MAX + 1];
	size_t salt_bytes, record_bytes, stored_bytes, count = 0;
	const uint8_t *salt = move_row_field(&move->right, MOVE_AUDIT_SALT, &salt_bytes);
	const uint8_t *record = move_row_field(&move->right, MOVE_AUDIT_RECORD, &record_bytes);
	const uint8_t *stored = move_row_field(&move->right, MOVE_AUDIT_NODES, &stored_bytes);
	if ((uint64_t)move_row_field_number(&move->right, MOVE_AUDIT_INDEX) != tree->size || salt == NULL || record == NULL ||
	    stored == NULL || salt_bytes != SALT_BYTES)
		return refuse(move, "audit", "a record is missing or cannot be read");
	merkle_leaf(salt, record, record_bytes, &leaf);
	merkle_append(tree, &leaf, nodes, &count);
	*ret_ms = (uint64_t)move_row_field_number(&move->right, MOVE_AUDIT_TIME);
	return (stored_bytes == count * sizeof nodes[0] && memcmp(stored, nodes, stored_bytes) == 0) ||
	       refuse(move, "audit", "a record is not what was logged, or one before it is not");
}

static bool walk_both(struct move *move, const struct move_table *table, struct store_log *log, struct merkle_tree *tree,
		      struct move_work *work, uint64_t *ret_rows)
{
	bool left_ended = false, right_ended = false;
	if (!sqlite_move_walk(move->from, table, 0, INT64_MAX, move->detail) || !postgres_move_walk(move->to, table, move->detail))
		return false;
	for (*ret_rows = 0;; ++*ret_rows) {
		if (!sqlite_move_next(move->from, &move->left, &left_ended, move->detail) ||
		    !postgres_move_next(move->to, &move->right, &right_ended, move->detail))
			return false;
		if (left_ended && right_ended)
			return true;
		if (left_ended != right_ended || !move_row_equal(&move->left, &move->right))
			return refuse(move, table->name, "a row of the database is not as the file has it");
		if (table == &move_audit && !take_record(move, tree, &log->newest_ms))
			return false;
		work->read++;
		work->bytes += move->left.bytes;
	}
}

static bool verify_table(struct move *move, const struct move_table *table, struct store_log *log, struct merkle_tree *tree,
			 struct move_work *work)
{
	uint64_t rows = 0, left = 0, right = 0;
	if (!walk_both(move, table, log, tree, work, &rows) || !sqlite_move_count(move->from, table, &left, move->detail) ||
	    !postgres_move_count(move->to, table, &right, move->detail))
		return false;
	return (left == rows && right == rows) ||
	       refuse(move, table->name, "it has not as many rows as its index leads to: the file or the database is damaged");
}

bool move_verify(struct move *move, struct store_log *ret, struct move_work *ret_work)
{
	struct merkle_tree tree = {0};
	uint64_t began_ms = clock_monotonic_ms();
	if (!sqlite_move_begin_moment(move->from, move->detail))
		return false;
	bool same = verify_table(move, &move_audit, ret, &tree, ret_work);
	for (const struct move_table *table = move_tables; same && table->name != NULL; table++)
		same = verify_table(move, table, ret, &tree, ret_work);
	sqlite_move_end_moment(move->from);
	ret->records = tree.size;
	merkle_root(&tree, &ret->root);
	ret_work->ms = clock_monotonic_ms() - began_ms;
	return same;
}

bool move_same_log(struct move *move, uint64_t records)
{
	struct merkle_tree left, right;
	struct merkle_hash roots[2];
	if (!merkle_tree_load(records, sqlite_move_node, move->from, &left) ||
	    !merkle_tree_load(records, postgres_move_node, move->to, &right))
		return false;
	merkle_root(&left, &roots[0]);
	merkle_root(&right, &roots[1]);
	return memcmp(&roots[0], &roots[1], sizeof roots[0]) == 0;
}
