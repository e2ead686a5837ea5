// Makes audit logs of any size: records straight into a SQLite store through the broker's own audit_append and vault, in large
// batches, and its indices afterwards. The same number gives the same record, but for salts and seals. Three seconds apart, so that ten million are a year.
//
//	CHILDREN children, STAFF people at ORGANISATIONS organisations; of each hundred records one is about the first child, one
//	is by the first person, 70 are flag queries, 8 details, 5 refusals, and the rest inboxes, sessions and searches.
#ifndef CPIS_TESTS_BENCH_LOG_MAKER_H
#define CPIS_TESTS_BENCH_LOG_MAKER_H

#include <stdint.h>

#include "broker/audit.h"
#include "proto/nhs_number.h"
#include "tests/harness/world.h"

#define LOG_MAKER_CHILDREN 400000u
#define LOG_MAKER_STAFF 60000u
#define LOG_MAKER_ORGANISATIONS 400u
#define LOG_MAKER_ORIGIN "cpis.example/bench"
#define LOG_MAKER_STEP_MS 3000u
#define LOG_MAKER_FROM_MS UINT64_C(1760000000000)

struct log_maker {
	char path[512];              // of the store
	char origin[NOTE_ORIGIN_BYTES_MAX + 1];
	uint64_t step_ms;            // from one record to the next
	struct store *store;
	struct vault *vault;
	struct signing_key *key;     // of the log; a new one each time, so that only a new directory can be made longer
	struct audit_log *audit;
	struct arena arena;
	struct nhs_number *children; // LOG_MAKER_CHILDREN
};

// Makes broker.db, store.key and log.vkey in a directory that is there and empty. What cannot be had ends the process with a sentence.
void log_maker_open(struct log_maker *maker, const char *directory);
// The log of a world that has none yet, with its keys. So many records end before now.
void log_maker_open_in(struct log_maker *maker, struct world *world, uint64_t records);
// Appends until the log has `records`.
void log_maker_grow(struct log_maker *maker, uint64_t records);
void log_maker_close(struct log_maker *maker);
// Of the file, with what is in its write-ahead log.
uint64_t log_maker_file_bytes(const struct log_maker *maker);

void log_maker_uid(uint32_t person, char out[UID_DIGITS + 1]);
void log_maker_organisation(uint32_t organisation, char out[8]);
// When record number `index` was made, in a log of its own directory.
uint64_t log_maker_time_ms(uint64_t index);

#endif
