// Rows of CSV (RFC 4180) to standard output, through libcsv. Spreadsheets take a cell that begins with = + - @ for a formula, and
// a name or a reason may begin so: such a cell gets an apostrophe in front.
#ifndef CPIS_CLI_CSV_WRITE_H
#define CPIS_CLI_CSV_WRITE_H

// One row; the cells end with a NULL.
void csv_write_row(const char *const *cells);

#endif
