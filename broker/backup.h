// The operator's commands for the store as a whole: `cpis-broker --backup`, `--missing` and `--restore`. Each prints what it did,
// or one sentence that says what is wrong, and returns the process's exit status.
#ifndef CPIS_BROKER_BACKUP_H
#define CPIS_BROKER_BACKUP_H

#include <stdbool.h>

// A copy of the configuration's store into the file `to`, which must not be there, while its broker runs. Reads the store and the
// trust bundle, no key.
int backup_make(const char *config_path, const char *to);

// What the store lacks, as far as it knows, and the way on. Beside a broker too.
int backup_missing(const char *config_path);

struct restore_options {
	const char *config_path;
	const char *from;         // made by backup_make
	bool replaces;            // a store that is there is put aside; else it is a refusal
	const char *successor_of; // NULL, or the verifier key of the log that the backup has: the configuration's goes on from it
};
// Puts a backup in the store's place: copied beside it, read to its end, opened with the configuration's keys, and only then
// renamed. No broker may run.
int backup_restore(const struct restore_options *options);

#endif
