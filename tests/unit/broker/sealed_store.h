// An empty SQLite store and a vault in a folder of their own: for tests of what is read back from a store.
#ifndef CPIS_TESTS_UNIT_SEALED_STORE_H
#define CPIS_TESTS_UNIT_SEALED_STORE_H

#include "broker/store.h"
#include "broker/vault.h"
#include "proto/arena.h"

extern struct store *store;
extern struct vault *vault;
extern struct arena arena;

// Around each test.
void sealed_store_make(void);
void sealed_store_remove(void);

#endif
