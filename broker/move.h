// `cpis-broker --move`: a broker's file is copied into a PostgreSQL, beside the broker and as often as one likes, and once more, and
// verified, when it has been stopped; then the database is the store and the file is none any more. Prints what it did, or one
// sentence that says what is wrong, and returns the process's exit status. Reads the store and the trust bundle, no key.
//
// The last step is two: the file is marked, and then the database is given the checkpoint. Whatever ends the process between the two
// leaves none of them open to a broker, and the same command again ends it. The other order would leave both.
#ifndef CPIS_BROKER_MOVE_H
#define CPIS_BROKER_MOVE_H

#include <stdbool.h>

// `conninfo`: as a member of cpis_owner, of a database with the tables of this version (--migrate).
int move_run(const char *config_path, const char *conninfo, bool finish);

#endif
