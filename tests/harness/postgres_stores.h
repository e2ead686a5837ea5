// A PostgreSQL with a database of its own for each test, two stores before it, and a receiver of its log that stands for the second server.
#ifndef CPIS_TESTS_POSTGRES_STORES_H
#define CPIS_TESTS_POSTGRES_STORES_H

#include <check.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "broker/store_postgres.h"
#include "tests/harness/postgres.h"

#define SHORT_MS 700u // that something is not done in this time, however long it is waited for
#define STANDBY "second"

extern struct postgres server;
extern char database[32];
extern struct arena arena;
extern struct store *first, *second; // closed after the test
extern pid_t receiver;

// Runs the suite on a server that is started for it. main's result.
int stores_main(Suite *suite);
void stores_add(Suite *suite, const char *name, const TTest *const tests[], size_t count);

const char *sql(const char *text); // as the administrator, in the test's database
bool forbids(const char *role, const char *text);
bool migrate(const char *of);
bool try_open(const struct store_postgres_options *options, struct store **ret, char detail[STORE_DETAIL_BYTES]);
struct store *open_as(const char *role, bool lone_server, unsigned timeout_ms);
struct store *open_one(void); // as broker1, without a second server, patiently
// On a busy machine the server may take longer than SHORT_MS though nothing is wrong with it: it is opened again until it was not.
struct store *open_short(const char *role, bool lone_server);
void refuses(const struct store_postgres_options *options, const char *words);
void refuses_role(const char *role, bool lone_server, unsigned timeout_ms, const char *words);

// Starts the receiver, and the server waits for it from then on.
void start_receiver(void);
void stop_receiver(void); // SIGSTOP

struct store_tag tag(unsigned n);
extern const struct ods_code leeds;
enum store_status append(struct store *store, uint64_t index);
enum store_status put_plan(struct store *store, unsigned slot);
enum store_status put_item(struct store *store, uint64_t id);
uint64_t size_of(struct store *store);
void begin(struct store *store);
void append_and_commit(struct store *store, uint64_t index);
void commit_fails(struct store *store);

#endif
