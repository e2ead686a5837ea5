// Two cores before one PostgreSQL that are asked in turn, for scenarios that were written for one: the other one goes on where the first
// left off, so a scenario holds only when no core keeps anything to itself. For the programs that system/test_brokers_in_turn starts.
#ifndef CPIS_TESTS_HARNESS_STAGE_BROKERS_H
#define CPIS_TESTS_HARNESS_STAGE_BROKERS_H

#include <stdbool.h>

#include "broker/store.h"

// "DIRECTORY PORT" of a server of tests/harness/postgres.h whose "template" has the tables. Without it a stage has one core over SQLite.
#define STAGE_BROKERS_VARIABLE "CPIS_STAGE_POSTGRES"

bool stage_brokers_wanted(void);
// A new database of the server.
void stage_brokers_make_database(char ret_name[40]);
struct store *stage_brokers_open(const char *name); // aborts when it cannot be opened
void stage_brokers_remove_database(const char *name);

#endif
