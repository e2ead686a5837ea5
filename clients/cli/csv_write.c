// CSV out.
#include "clients/cli/csv_write.h"

#include <stdio.h>
#include <string.h>

#include <csv.h>

static void write_cell(const char *cell)
{
	char guarded[2048];
	if (cell[0] != '\0' && strchr("=+-@\t\r", cell[0]) != NULL && (size_t)snprintf(guarded, sizeof guarded, "'%s", cell) > 0)
		cell = guarded;
	csv_fwrite(stdout, cell, strlen(cell));
}

void csv_write_row(const char *const *cells)
{
	for (size_t i = 0; cells[i] != NULL; i++) {
		if (i > 0)
			putchar(',');
		write_cell(cells[i]);
	}
	fputs("\r\n", stdout);
}
