// Makes a log through the broker's own code and exports it at many sizes into one directory, for other software to read
// (tests/system/export.sh):
//
//	DIR/broker.db, log.vkey   the log
//	DIR/export                its export, brought up to date at each size
#include <stdio.h>
#include <stdlib.h>

#include "clients/cli/log_export.h"
#include "tests/bench/log_maker.h"

static const struct {
	uint64_t from, to;
} sizes[] = {{0, 70}, {255, 257}, {511, 513}, {65535, 65537}};

static void export_to(const char *directory, const struct note_verifier *verifier, uint64_t size)
{
	char database_path[300], out[300];
	struct log_exported exported;
	struct log_result result = {0};
	snprintf(database_path, sizeof database_path, "%s/broker.db", directory);
	snprintf(out, sizeof out, "%s/export", directory);
	struct log_database *database = log_database_open(database_path, result.detail);
	if (database == NULL || log_export(database, verifier, out, &exported, &result) != LOG_HOLDS || exported.size != size) {
		fprintf(stderr, "log_exports: %llu records: %s\n", (unsigned long long)size, result.detail);
		exit(1);
	}
	log_database_close(database);
}

int main(int argc, char **argv)
{
	struct log_maker maker;
	if (argc != 2) {
		fprintf(stderr, "usage: log_exports DIR\n");
		return 1;
	}
	log_maker_open(&maker, argv[1]);
	struct note_verifier verifier = {.origin = LOG_MAKER_ORIGIN};
	signing_key_public(maker.key, verifier.public_key);
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
		for (uint64_t size = sizes[i].from; size <= sizes[i].to; size++) {
			log_maker_grow(&maker, size);
			export_to(argv[1], &verifier, size);
		}
	log_maker_close(&maker);
	return 0;
}
