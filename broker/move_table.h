// What `cpis-broker --move` takes from one store to another: the tables that both have, and their rows in one form, which is that of
// PostgreSQL's COPY in binary. So the rows of both sides are compared byte by byte, and nothing that is sealed is opened.
//
// Not in the list: what each side derives for itself (audit_word, audit_indexed, audit_block), what only one has (turn, revision,
// migration, moved), and the checkpoint, which comes last and by itself.
#ifndef CPIS_BROKER_MOVE_TABLE_H
#define CPIS_BROKER_MOVE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum move_kind { MOVE_NUMBER, MOVE_BOOLEAN, MOVE_BYTES, MOVE_TEXT };

#define MOVE_COLUMNS 16
struct move_table {
	const char *name;
	unsigned key_count;          // of the first columns, by which both sides are walked in one order
	unsigned column_count;
	struct {
		const char *name;
		enum move_kind kind;
	} columns[MOVE_COLUMNS];
};

// The log, and all others; the list ends with a NULL name.
extern const struct move_table move_audit;
enum { MOVE_AUDIT_INDEX, MOVE_AUDIT_SALT, MOVE_AUDIT_RECORD, MOVE_AUDIT_NODES, MOVE_AUDIT_TIME };
extern const struct move_table move_tables[];

// Columns `from` and on before `until`, each in quotes and after `prefix`. False: they do not fit.
bool move_table_list(const struct move_table *table, unsigned from, unsigned until, const char *prefix, char *out, size_t out_bytes);

// One row, owned; zeroed at first. Bytes: how many fields there are (2), and of each its length (4; -1: NULL) and value.
struct move_row {
	uint8_t *data;
	size_t bytes, room;
};
void move_row_done(struct move_row *row);

// Building one: false when there is no memory.
bool move_row_begin(struct move_row *row, unsigned field_count);
bool move_row_number(struct move_row *row, int64_t value);
bool move_row_boolean(struct move_row *row, bool value);
bool move_row_bytes(struct move_row *row, const void *data, size_t bytes);
bool move_row_null(struct move_row *row);
// A copy of one that came from elsewhere.
bool move_row_set(struct move_row *row, const void *data, size_t bytes);

// Has the table's fields, of its kinds, and nothing else. The two below want that.
bool move_row_is_of(const struct move_table *table, const struct move_row *row);
// NULL: it is NULL. Lives as long as the row is not changed.
const uint8_t *move_row_field(const struct move_row *row, unsigned number, size_t *ret_bytes);
int64_t move_row_field_number(const struct move_row *row, unsigned number);
// By their keys: less than, equal to or greater than 0.
int move_row_compare(const struct move_table *table, const struct move_row *left, const struct move_row *right);
bool move_row_equal(const struct move_row *left, const struct move_row *right);

#endif
