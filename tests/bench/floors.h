// What the machine takes for the parts that no broker of this kind can do without.
#ifndef CPIS_TESTS_BENCH_FLOORS_H
#define CPIS_TESTS_BENCH_FLOORS_H

#include <stddef.h>

// Median time of writing so many bytes and fdatasync, over `repeats` of them (at most 1,000), into a file in `directory` that has its
// full length and content before, as a write-ahead log has: one that grows would wait for the file system's journal as well, and
// with it for whoever else writes.
double floors_fdatasync_us(const char *directory, size_t bytes, unsigned repeats);
double floors_sha256_us(size_t bytes);
double floors_ed25519_verify_us(size_t bytes);

#endif
