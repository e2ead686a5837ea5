// The rejected rows, written as a CSV file with the reasons beside them.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clients/cli/publish.h"

// Why a row was rejected. They wait in a temporary file until the rows are read: there may be as many as rows.
struct reason {
	uint32_t row;
	int code;
	char field[32], detail[TEXT_BYTES_MAX + 1];
};

struct rejected_file {
	char path[4096];
	FILE *out, *reasons;
	struct reason next;     // of the row that is waited for
	bool has_next, failed;
};

static bool fail(struct rejected_file *file)
{
	if (!file->failed)
		fprintf(stderr, "cpis publish: %s: %s\n", file->path, strerror(errno));
	file->failed = true;
	return false;
}

static bool is_same_file(const char *path, const char *from)
{
	struct stat one, other;
	return stat(path, &one) == 0 && stat(from, &other) == 0 && one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

bool rejected_file_may_be(const char *path, const char *from)
{
	if (!is_same_file(path, from))
		return true;
	fprintf(stderr, "cpis publish: --rejected %s would overwrite what is published\n", path);
	return false;
}

struct rejected_file *rejected_file_new(const char *path)
{
	struct rejected_file *file = calloc(1, sizeof *file);
	if (file == NULL || snprintf(file->path, sizeof file->path, "%s", path) >= (int)sizeof file->path) {
		fputs("cpis publish: the path of --rejected is too long\n", stderr);
		free(file);
		return NULL;
	}
	file->reasons = tmpfile();
	file->out = file->reasons == NULL ? NULL : fopen(path, "we");
	if (file->out != NULL)
		return file;
	fail(file);
	if (file->reasons != NULL)
		fclose(file->reasons);
	free(file);
	return NULL;
}

bool rejected_file_add(struct rejected_file *file, const Cpis__V1__RecordOutcome *outcome)
{
	struct reason reason = {.row = outcome->row, .code = (int)outcome->code};
	snprintf(reason.field, sizeof reason.field, "%s", outcome->field);
	snprintf(reason.detail, sizeof reason.detail, "%s", outcome->detail);
	return fwrite(&reason, sizeof reason, 1, file->reasons) == 1 || fail(file);
}

static void read_next(struct rejected_file *file)
{
	file->has_next = fread(&file->next, sizeof file->next, 1, file->reasons) == 1;
}

static void put_field(FILE *out, const char *text, char end)
{
	if (strpbrk(text, "\",\r\n") == NULL) {
		fputs(text, out);
	} else {
		putc('"', out);
		for (; *text != '\0'; text++) {
			if (*text == '"')
				putc('"', out);
			putc(*text, out);
		}
		putc('"', out);
	}
	putc(end, out);
}

static void put_header(FILE *out)
{
	for (unsigned i = 0; i < PLAN_COLUMNS_COUNT; i++)
		put_field(out, plan_columns[i].name, ',');
	fputs("code,field,reason\n", out);
}

static bool put_row(void *context, const struct plan_row *row)
{
	struct rejected_file *file = context;
	char code[16];
	if (!file->has_next || row->line != file->next.row)
		return true;
	for (unsigned i = 0; i < PLAN_COLUMNS_COUNT; i++)
		put_field(file->out, row->text[i], ',');
	snprintf(code, sizeof code, "CPR%02d", file->next.code);
	put_field(file->out, code, ',');
	put_field(file->out, file->next.field, ',');
	put_field(file->out, file->next.detail, '\n');
	read_next(file);
	return true;
}

bool rejected_file_write(struct rejected_file *file, const char *from)
{
	char detail[PLAN_FILE_DETAIL_BYTES];
	struct plan_file_facts facts;
	rewind(file->reasons);
	read_next(file);
	put_header(file->out);
	bool read = plan_file_read(from, put_row, file, &facts, detail);
	if (!read)
		fprintf(stderr, "cpis publish: %s\n", detail);
	bool written = !ferror(file->out) && fflush(file->out) == 0 && fsync(fileno(file->out)) == 0;
	written = fclose(file->out) == 0 && written;
	if (!written)
		fail(file);
	bool good = read && written && !file->failed;
	fclose(file->reasons);
	explicit_bzero(file, sizeof *file);
	free(file);
	return good;
}
