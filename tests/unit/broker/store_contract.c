// What the store's contract tests share: an empty store of some backend, and rows to put into it.
#include "tests/unit/broker/store_contract.h"

#include <stdio.h>
#include <string.h>

#define TEST_ARENA_BYTES (512 * 1024)

const struct contract_backend *backend;
struct store *store;
const struct store_ops *ops;
struct arena arena;
struct merkle_tree tree;
const struct ods_code brighton = {"RXH"}, leeds = {"383"}, hove = {"846"};

void close_store(void)
{
	ops->close(store);
	store = NULL;
}

void reopen(void)
{
	if (store != NULL)
		close_store();
	store = backend->open();
	ops = store->ops;
}

void contract_start(const struct contract_backend *of)
{
	backend = of;
	backend->make();
	ck_assert(arena_init(&arena, TEST_ARENA_BYTES));
	memset(&tree, 0, sizeof tree);
	reopen();
}

void contract_stop(void)
{
	if (store != NULL)
		close_store();
	arena_done(&arena);
	backend->destroy();
}

void begin(void)
{
	ck_assert_int_eq(ops->begin(store), STORE_OK);
}

void commit(void)
{
	ck_assert_int_eq(ops->commit(store), STORE_OK);
}

void assert_fails(enum store_status status)
{
	ck_assert(status == STORE_FAILED || (status == STORE_OK && ops->commit(store) == STORE_FAILED));
	ops->rollback(store);
}

struct store_tag tag(unsigned n)
{
	struct store_tag made = {{0}};
	made.bytes[0] = (uint8_t)(n >> 8);
	made.bytes[TAG_BYTES - 1] = (uint8_t)n;
	return made;
}

struct store_blob blob(const char *text)
{
	return (struct store_blob){(const uint8_t *)text, strlen(text)};
}

void assert_blob(struct store_blob found, const char *text)
{
	ck_assert_uint_eq(found.bytes, strlen(text));
	if (found.bytes > 0)
		ck_assert_mem_eq(found.data, text, found.bytes);
}

enum store_status put_plan(unsigned slot, unsigned subject, const char *sealed)
{
	struct store_plan plan = {tag(slot), 1, tag(subject), leeds, blob(sealed)};
	return ops->plan_put(store, &plan);
}

bool silent_next; // of accesses

enum store_status put_access(unsigned subject, uint64_t index, const char *sealed)
{
	struct store_access access = {tag(subject), index, silent_next, blob(sealed)};
	return ops->access_put(store, &access);
}

enum store_status put_item(const struct ods_code *organisation, uint64_t id, const char *sealed)
{
	struct store_inbox_item item = {
		.organisation = *organisation, .id = id, .created_ms = 1000 + id, .sealed = blob(sealed)};
	return ops->inbox_put(store, &item);
}

enum store_status put_authority(const struct ods_code *organisation, uint64_t published_ms, const char *sealed)
{
	struct store_authority authority = {*organisation, published_ms, 0, blob(sealed)};
	return ops->authority_put(store, &authority);
}

enum store_status put_request(unsigned key, uint64_t expires_ms, const char *sealed)
{
	struct store_request request = {
		.key = tag(key), .digest = {(uint8_t)key}, .expires_ms = expires_ms, .sealed = blob(sealed)};
	return ops->request_put(store, &request);
}

// The next row, as broker/audit.c makes them. Subject or person 0: none.
struct store_audit next_row(const char *organisation, unsigned subject, unsigned person, uint64_t time_ms)
{
	struct store_audit row = {.index = tree.size, .record = blob("record"), .time_ms = time_ms};
	struct merkle_hash leaf;
	row.salt[0] = (uint8_t)(row.index + 1);
	snprintf(row.organisation.text, sizeof row.organisation.text, "%s", organisation);
	row.has_subject = subject != 0;
	row.subject = tag(subject);
	row.has_person = person != 0;
	row.person = tag(person);
	merkle_leaf(row.salt, row.record.data, row.record.bytes, &leaf);
	struct merkle_tree after = tree;
	merkle_append(&after, &leaf, row.nodes, &row.node_count);
	return row;
}

void append(const struct store_audit *row)
{
	struct merkle_hash nodes[MERKLE_HEIGHT_MAX + 1];
	size_t count;
	ck_assert_int_eq(ops->audit_append(store, row), STORE_OK);
	merkle_append(&tree, &row->nodes[0], nodes, &count);
}
