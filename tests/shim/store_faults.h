// What a preloaded shim does to a store's files, told over a page that test and broker both have mapped: the test writes
// what is to fail, the shim counts how often it did. Before main() the shim opens the file that $CPIS_STORE_FAULTS names;
// after that it makes no system call of its own, so that it works inside a sandbox.
#ifndef CPIS_TESTS_SHIM_STORE_FAULTS_H
#define CPIS_TESTS_SHIM_STORE_FAULTS_H

#include <stdatomic.h>

#define STORE_FAULTS_VARIABLE "CPIS_STORE_FAULTS"

enum store_faults_call { STORE_FAULTS_READ, STORE_FAULTS_WRITE, STORE_FAULTS_SYNC, STORE_FAULTS_CALLS };

// Of one kind of call on the database or its write-ahead log. Zeroed: nothing fails.
struct store_faults_of {
	_Atomic int error;      // errno of each call
	_Atomic int half;       // half of what should be written or read is, and the call says so; with `error` it fails besides
	_Atomic unsigned seen;  // calls while one of these was set
};

struct store_faults {
	_Atomic int but_log;    // the write-ahead log is spared
	struct store_faults_of calls[STORE_FAULTS_CALLS];
	_Atomic unsigned flush_ms; // that each flush takes longer
};

#endif
