// Bringing the database to what the file is. The log is only appended to, so it goes on where it ends. Other tables are walked on both
// sides in the order of their keys: what differs is put together and applied in one transaction, and what comes after the database's
// last row, which at first is everything, is copied straight into the table.
#include "broker/clock.h"
#include "broker/move_priv.h"

// A transaction. What was committed is not sent again after an interruption.
#define ROWS_AT_ONCE 65536u

bool move_bring_log(struct move *move, uint64_t from, uint64_t until, struct move_work *ret)
{
	uint64_t began_ms = clock_monotonic_ms();
	for (uint64_t next = from; next < until;) {
		uint64_t end = until - next > ROWS_AT_ONCE ? next + ROWS_AT_ONCE : until;
		bool ended = false;
		if (!sqlite_move_begin_moment(move->from, move->detail) ||
		    !sqlite_move_walk(move->from, &move_audit, next, end, move->detail) ||
		    !postgres_move_begin_rows(move->to, &move_audit, move->detail))
			return false;
		while (sqlite_move_next(move->from, &move->left, &ended, move->detail) && !ended) {
			if (!postgres_move_put(move->to, &move->left, move->detail))
				return false;
			ret->read++;
			ret->added++;
			ret->bytes += move->left.bytes;
		}
		if (!ended || !postgres_move_end_rows(move->to, next, move->detail))
			return false;
		sqlite_move_end_moment(move->from);
		next = end;
	}
	ret->ms = clock_monotonic_ms() - began_ms;
	return true;
}

// ------------------------------------------------------------------ other tables

// Both walks as far as the database's goes.
static bool differ(struct move *move, const struct move_table *table, bool *from_ended, struct move_work *work)
{
	bool begun = false, to_ended = false;
	if (!postgres_move_next(move->to, &move->right, &to_ended, move->detail))
		return false;
	while (!to_ended) {
		int order = *from_ended ? 1 : move_row_compare(table, &move->left, &move->right);
		bool same = order == 0 && move_row_equal(&move->left, &move->right);
		if (!same && !begun && !postgres_move_begin_differences(move->to, table, move->detail))
			return false;
		begun = begun || !same;
		if (!same && !postgres_move_differ(move->to, order > 0 ? &move->right : &move->left, order > 0, move->detail))
			return false;
		work->added += order < 0;
		work->changed += order == 0 && !same;
		work->removed += order > 0;
		if (order <= 0) {
			work->read++;
			work->bytes += move->left.bytes;
			if (!sqlite_move_next(move->from, &move->left, from_ended, move->detail))
				return false;
		}
		if (order >= 0 && !postgres_move_next(move->to, &move->right, &to_ended, move->detail))
			return false;
	}
	return !begun || postgres_move_end_differences(move->to, move->detail);
}

static bool add_rest(struct move *move, const struct move_table *table, bool ended, struct move_work *work)
{
	while (!ended) {
		if (!postgres_move_begin_rows(move->to, table, move->detail))
			return false;
		for (unsigned i = 0; i < ROWS_AT_ONCE && !ended; i++) {
			if (!postgres_move_put(move->to, &move->left, move->detail))
				return false;
			work->read++;
			work->added++;
			work->bytes += move->left.bytes;
			if (!sqlite_move_next(move->from, &move->left, &ended, move->detail))
				return false;
		}
		if (!postgres_move_end_rows(move->to, 0, move->detail))
			return false;
	}
	return true;
}

bool move_bring_table(struct move *move, const struct move_table *table, struct move_work *ret)
{
	uint64_t began_ms = clock_monotonic_ms();
	bool ended = false;
	bool brought = sqlite_move_begin_moment(move->from, move->detail) &&
		       sqlite_move_walk(move->from, table, 0, 0, move->detail) &&
		       postgres_move_walk(move->to, table, move->detail) &&
		       sqlite_move_next(move->from, &move->left, &ended, move->detail) && differ(move, table, &ended, ret) &&
		       add_rest(move, table, ended, ret);
	sqlite_move_end_moment(move->from);
	ret->ms = clock_monotonic_ms() - began_ms;
	return brought;
}
