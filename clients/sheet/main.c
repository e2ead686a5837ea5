// `cpis-contact-sheet --out FILE [--valid-days N]`: draws what `cpis contacts sheet` hands it on standard input. Holds no key and
// connects to nothing. FILE is replaced whole, or stays as it was.
#include <errno.h>
#include <getopt.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <fontconfig/fontconfig.h>
#include <pango/pangocairo.h>

#include "clients/sheet/sheet.h"

// Those of `cpis`.
enum { DONE = 0, USAGE = 1, FAILED = 6 };

#define PATH_BYTES 4096
#define VALID_DAYS_DEFAULT 31u
#define VALID_DAYS_MAX 366u

static int complain(int code, const char *what, const char *why)
{
	fprintf(stderr, "cpis-contact-sheet: %s: %s\n", what, why);
	return code;
}

// So that the name is on disk as well as the bytes. Not every file system can; the file is whole all the same.
static void flush_directory(char *path)
{
	int directory = open(dirname(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0)
		return;
	(void)!fsync(directory);
	close(directory);
}

static int write_file(const json_t *sheet, unsigned valid_days, const char *path)
{
	char temporary[PATH_BYTES], detail[SHEET_DETAIL_BYTES] = "";
	int length = snprintf(temporary, sizeof temporary, "%s.XXXXXX", path);
	if (length < 0 || (size_t)length >= sizeof temporary)
		return complain(USAGE, "--out", "the path is too long");
	int descriptor = mkostemp(temporary, O_CLOEXEC);
	if (descriptor < 0)
		return complain(FAILED, path, strerror(errno));
	// To be read by whoever prints it.
	bool written = sheet_draw(sheet, (uint64_t)time(NULL) * 1000, valid_days, descriptor, detail);
	if (written && (fchmod(descriptor, 0644) != 0 || fsync(descriptor) != 0)) {
		snprintf(detail, sizeof detail, "%s", strerror(errno));
		written = false;
	}
	close(descriptor);
	if (written && rename(temporary, path) != 0) {
		snprintf(detail, sizeof detail, "%s", strerror(errno));
		written = false;
	}
	if (!written) {
		unlink(temporary);
		return complain(FAILED, path, detail);
	}
	flush_directory(temporary);
	return DONE;
}

static int draw(unsigned valid_days, const char *path)
{
	json_error_t error;
	char detail[SHEET_DETAIL_BYTES];
	json_t *sheet = json_loadf(stdin, JSON_REJECT_DUPLICATES, &error);
	if (sheet == NULL)
		return complain(USAGE, "standard input is not JSON", error.text);
	int code = sheet_check(sheet, detail) ? write_file(sheet, valid_days, path) : complain(USAGE, "standard input", detail);
	json_decref(sheet);
	return code;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"out", required_argument, NULL, 'o'}, {"valid-days", required_argument, NULL, 'd'}, {"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'v'}, {0}};
	static const char usage[] = "usage: cpis-contact-sheet --out FILE [--valid-days N]\n"
				    "Draws the contacts on standard input, as `cpis contacts sheet` hands them over, into a PDF.\n";
	const char *path = NULL;
	unsigned valid_days = VALID_DAYS_DEFAULT;
	char *end;
	for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (option) {
		case 'o':
			path = optarg;
			break;
		case 'd':
			errno = 0;
			valid_days = (unsigned)strtoul(optarg, &end, 10);
			if (optarg[0] < '0' || optarg[0] > '9' || *end != '\0' || valid_days < 1 || valid_days > VALID_DAYS_MAX)
				return complain(USAGE, "--valid-days", "a number from 1 to 366");
			break;
		case 'h':
			fputs(usage, stdout);
			return DONE;
		case 'v':
			puts("cpis-contact-sheet " CPIS_VERSION);
			return DONE;
		default:
			fputs(usage, stderr);
			return USAGE;
		}
	}
	if (path == NULL || optind != argc) {
		fputs(usage, stderr);
		return USAGE;
	}
	int code = draw(valid_days, path);
#ifdef CPIS_SANITIZED
	// What these libraries keep for the next drawing is no leak. Where fontconfig could not keep its cache on the disk, this ends the
	// process by an assertion of its own (2.14.1), so it is done where leaks are looked for only.
	pango_cairo_font_map_set_default(NULL);
	FcFini();
#endif
	return code;
}
