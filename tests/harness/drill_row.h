// One row of the fault table: what a fault looked like in a real run. `make drill` names a file in $CPIS_DRILL_ROWS, to which rows are
// appended; without it they are made and thrown away, so that the tests are the same ones.
#ifndef CPIS_TESTS_DRILL_ROW_H
#define CPIS_TESTS_DRILL_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DRILL_CELL_BYTES 1500

struct drill_row {
	unsigned place;                    // in the table
	char fault[DRILL_CELL_BYTES], made[DRILL_CELL_BYTES];
	char peer[DRILL_CELL_BYTES], operator[DRILL_CELL_BYTES]; // what each was told, in its own words
	char recovery[DRILL_CELL_BYTES], lost[DRILL_CELL_BYTES];
};

// True when the table is being made: then also what takes long is waited for.
bool drill_row_wanted(void);
// Adds to a cell, as by printf, after "; " where something stands there. Newlines become spaces.
void drill_row_add(char cell[DRILL_CELL_BYTES], const char *format, ...) __attribute__((format(printf, 2, 3)));
// The lines of a broker's log that warn, each once and as code: without time and level, `directory` and digits cut. Not those of
// handshakes: the broker proves at each start that a stranger is refused, and clients give up.
void drill_row_add_log(struct drill_row *row, const char *log, const char *directory);
void drill_row_write(const struct drill_row *row);

#endif
