// SQLite's own, on the store that the contract's tests use.
#ifndef CPIS_TESTS_UNIT_STORE_SQLITE_TRAITS_H
#define CPIS_TESTS_UNIT_STORE_SQLITE_TRAITS_H

#include <check.h>

TCase *sqlite_traits(const char *path); // where the store is, during each test

#endif
