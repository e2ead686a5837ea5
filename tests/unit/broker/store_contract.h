// The store's contract: what every backend must do, as groups of tests that run on the one that contract_start was given.
#ifndef CPIS_TESTS_UNIT_STORE_CONTRACT_H
#define CPIS_TESTS_UNIT_STORE_CONTRACT_H

#include <check.h>
#include <stdbool.h>
#include <stdint.h>

#include "broker/store.h"

struct contract_backend {
	void (*make)(void);             // a place for a store that is empty
	struct store *(*open)(void);    // the same store each time
	void (*destroy)(void);
	unsigned children;              // that are very many for it
};

TCase *contract_batches(void);
TCase *contract_rows(void);
TCase *contract_inbox(void);
TCase *contract_audit(void);

// Around each test.
void contract_start(const struct contract_backend *backend);
void contract_stop(void);

// ------------------------------------------------------------------ for the tests

extern const struct contract_backend *backend;
extern struct store *store;
extern const struct store_ops *ops;
extern struct arena arena;
extern struct merkle_tree tree; // of the audit rows that were appended
extern bool silent_next;        // of accesses
extern const struct ods_code brighton, leeds, hove;

void close_store(void);
void reopen(void);
void begin(void);
void commit(void);
// A write that is refused, at once or by the commit; ends the batch.
void assert_fails(enum store_status status);

struct store_tag tag(unsigned n);
struct store_blob blob(const char *text);
void assert_blob(struct store_blob found, const char *text);
enum store_status put_plan(unsigned slot, unsigned subject, const char *sealed);
enum store_status put_access(unsigned subject, uint64_t index, const char *sealed);
enum store_status put_item(const struct ods_code *organisation, uint64_t id, const char *sealed);
// As it is now; 0: there is none.
enum store_status put_authority(const struct ods_code *organisation, uint64_t published_ms, const char *sealed);
enum store_status put_request(unsigned key, uint64_t expires_ms, const char *sealed);
// The next row, as broker/audit.c makes them. Subject or person 0: none.
struct store_audit next_row(const char *organisation, unsigned subject, unsigned person, uint64_t time_ms);
void append(const struct store_audit *row);

#endif
