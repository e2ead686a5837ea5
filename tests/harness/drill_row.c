// Rows of the fault table.
#include "tests/harness/drill_row.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/harness/world.h"

#define VARIABLE "CPIS_DRILL_ROWS"
#define DRILL_LINES_MAX 4u // of one log in a row

bool drill_row_wanted(void)
{
	return getenv(VARIABLE) != NULL;
}

void drill_row_add(char cell[DRILL_CELL_BYTES], const char *format, ...)
{
	size_t used = strlen(cell);
	if (used > 0 && used + 2 < DRILL_CELL_BYTES) {
		memcpy(cell + used, "; ", 3);
		used += 2;
	}
	va_list arguments;
	va_start(arguments, format);
	int added = vsnprintf(cell + used, DRILL_CELL_BYTES - used, format, arguments);
	va_end(arguments);
	if (added < 0 || (size_t)added >= DRILL_CELL_BYTES - used)
		world_fail(NULL, "a cell of the fault table is too small");
	for (char *c = cell + used; *c != '\0'; c++)
		if (*c == '\n')
			*c = ' ';
		else if (*c == '|')
			*c = '/';
}

// "2026-11-26T02:30:17.000Z error store_failed commit: ..." without what differs from run to run.
static void cut_line(char *out, size_t room, const char *line, const char *directory)
{
	const char *text = strchr(line, ' ');
	text = text == NULL ? NULL : strchr(text + 1, ' ');
	size_t used = 0, directory_bytes = strlen(directory);
	for (text = text == NULL ? "" : text + 1; *text != '\0' && used + 1 < room;) {
		if (strncmp(text, directory, directory_bytes) == 0 && text[directory_bytes] == '/') {
			text += directory_bytes + 1;
		} else if (isdigit((unsigned char)*text)) {
			out[used++] = 'N';
			text += strspn(text, "0123456789");
		} else if (*text == '`') {
			// The line is code already.
			out[used++] = '\'';
			text++;
		} else {
			out[used++] = *text++;
		}
	}
	out[used] = '\0';
}

void drill_row_add_log(struct drill_row *row, const char *log, const char *directory)
{
	char *copy = strdup(log), *rest = copy;
	unsigned lines = 0;
	if (copy == NULL)
		world_fail(NULL, "out of memory");
	for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
		char cut[1024];
		if ((strstr(line, " error ") == NULL && strstr(line, " warning ") == NULL) || strstr(line, " handshake") != NULL ||
		    strstr(line, " runs_as_root ") != NULL)
			continue;
		cut_line(cut, sizeof cut, line, directory);
		if (strstr(row->operator, cut) != NULL)
			continue;
		if (++lines > DRILL_LINES_MAX)
			break;
		drill_row_add(row->operator, "`%s`", cut);
	}
	if (lines > DRILL_LINES_MAX)
		drill_row_add(row->operator, "and others like these");
	free(copy);
}

void drill_row_write(const struct drill_row *row)
{
	const char *path = getenv(VARIABLE);
	char line[6 * DRILL_CELL_BYTES + 64];
	if (path == NULL)
		return;
	const char *operator = row->operator[0] == '\0' ? "nothing" : row->operator;
	int bytes = snprintf(line, sizeof line, "%02u | %s | %s | %s | %s | %s | %s |\n", row->place, row->fault, row->made, row->peer,
			     operator, row->recovery, row->lost);
	// One write each: programs run beside each other.
	int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (file < 0 || write(file, line, (size_t)bytes) != bytes)
		world_fail(NULL, "%s cannot be written", path);
	close(file);
}
