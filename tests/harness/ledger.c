// What was acknowledged, against log and inbox.
#include "tests/harness/ledger.h"

#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "proto/audit_record.h"
#include "tests/harness/world_client.h"

struct record {
	uint8_t request_id[REQUEST_ID_BYTES];
	uint64_t index;
	Cpis__V1__Operation operation;
	Cpis__V1__Outcome outcome;
};

void ledger_add(struct ledger *ledger, const uint8_t request_id[REQUEST_ID_BYTES], const Cpis__V1__Reply *reply,
		Cpis__V1__Operation operation)
{
	if (ledger->count == ledger->room) {
		ledger->room = ledger->room == 0 ? 1024 : 2 * ledger->room;
		ledger->entries = realloc(ledger->entries, ledger->room * sizeof *ledger->entries);
	}
	if (ledger->entries == NULL)
		world_fail(NULL, "out of memory");
	struct ledger_entry *entry = &ledger->entries[ledger->count++];
	memcpy(entry->request_id, request_id, REQUEST_ID_BYTES);
	entry->audit_index = reply->receipt->index;
	entry->operation = operation;
}

void ledger_done(struct ledger *ledger)
{
	free(ledger->entries);
	*ledger = (struct ledger){0};
}

// ------------------------------------------------------------------ the log

static void read_record(const struct world *world, sqlite3_stmt *row, struct arena *arena, struct record *ret, uint64_t index)
{
	Cpis__V1__AuditRecord *decoded = NULL;
	struct wire_error error;
	arena_reset(arena);
	if (audit_record_decode(arena, sqlite3_column_blob(row, 0), (size_t)sqlite3_column_bytes(row, 0), &decoded, &error) != WIRE_OK ||
	    decoded->index != index)
		world_fail(world, "audit record %llu cannot be read", (unsigned long long)index);
	*ret = (struct record){.index = index, .operation = decoded->operation, .outcome = decoded->outcome};
	// What the broker records by itself had no request.
	if (decoded->operation >= CPIS__V1__OPERATION__HANDSHAKE)
		return;
	if (decoded->request_id.len != REQUEST_ID_BYTES)
		world_fail(world, "audit record %llu has no request id", (unsigned long long)index);
	memcpy(ret->request_id, decoded->request_id.data, REQUEST_ID_BYTES);
}

static struct record *read_log(const struct world *world, const char *store, size_t *ret_count)
{
	sqlite3 *database = NULL;
	sqlite3_stmt *rows = NULL;
	struct arena arena;
	size_t count = 0, room = 1024;
	int step;
	struct record *records = calloc(room, sizeof *records);
	if (records == NULL || !arena_init(&arena, ARENA_BYTES) ||
	    sqlite3_open_v2(store, &database, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK ||
	    sqlite3_prepare_v2(database, "SELECT record FROM audit ORDER BY idx", -1, &rows, NULL) != SQLITE_OK)
		world_fail(world, "%s: %s", store, sqlite3_errmsg(database));
	while ((step = sqlite3_step(rows)) == SQLITE_ROW) {
		if (count == room) {
			room *= 2;
			records = realloc(records, room * sizeof *records);
		}
		if (records == NULL)
			world_fail(world, "out of memory");
		read_record(world, rows, &arena, &records[count], count);
		count++;
	}
	if (step != SQLITE_DONE)
		world_fail(world, "%s: %s", store, sqlite3_errmsg(database));
	sqlite3_finalize(rows);
	sqlite3_close(database);
	arena_done(&arena);
	*ret_count = count;
	return records;
}

static void check_entry(const struct world *world, const struct ledger_entry *entry, const struct record *records, size_t count)
{
	const struct record *record = &records[entry->audit_index];
	if (entry->audit_index >= count || memcmp(record->request_id, entry->request_id, REQUEST_ID_BYTES) != 0 ||
	    record->operation != entry->operation || record->outcome != CPIS__V1__OUTCOME__OK)
		world_fail(world, "an acknowledged %s is not record %llu of the log's %zu", wire_operation_name(entry->operation),
			   (unsigned long long)entry->audit_index, count);
}

// By request, the first time first.
static int compare_records(const void *a, const void *b)
{
	const struct record *x = a, *y = b;
	int order = memcmp(x->request_id, y->request_id, REQUEST_ID_BYTES);
	return order != 0 ? order : x->index < y->index ? -1 : x->index > y->index;
}

static int compare_ids(const void *a, const void *b)
{
	return memcmp(((const struct record *)a)->request_id, ((const struct record *)b)->request_id, REQUEST_ID_BYTES);
}

// Keeps the first record of each access that took effect; retries have records of their own. Returns how many.
static size_t keep_first_accesses(struct record *records, size_t count)
{
	size_t kept = 0, distinct = 0;
	for (size_t i = 0; i < count; i++)
		if (records[i].outcome == CPIS__V1__OUTCOME__OK && records[i].operation == CPIS__V1__OPERATION__DETAILS)
			records[kept++] = records[i];
	qsort(records, kept, sizeof *records, compare_records);
	for (size_t i = 0; i < kept; i++)
		if (i == 0 || compare_ids(&records[i - 1], &records[i]) != 0)
			records[distinct++] = records[i];
	return distinct;
}

// ------------------------------------------------------------------ the inbox

static int compare_indices(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

// The audit indices of all notifications, sorted.
static uint64_t *read_inbox(const struct world *world, struct cpis_client *leeds, size_t expected)
{
	uint64_t *indices = calloc(expected + 1, sizeof *indices), after = 0;
	size_t page;
	if (indices == NULL)
		world_fail(world, "out of memory");
	do {
		const Cpis__V1__Reply *reply = world_inbox(leeds, after, false);
		if (reply->outcome != CPIS__V1__OUTCOME__OK)
			world_fail(world, "the inbox: %s", reply->reason_code);
		page = reply->inbox_list->n_items;
		for (size_t i = 0; i < page; i++) {
			const Cpis__V1__InboxItem *item = reply->inbox_list->items[i];
			if (item->id != after + 1 || after >= expected || item->access == NULL)
				world_fail(world, "item %llu stands after %llu in an inbox that should have %zu", (unsigned long long)item->id,
					   (unsigned long long)after, expected);
			indices[after++] = item->access->audit_index;
		}
		cpis_reply_free(reply);
	} while (page > 0);
	if (after != expected)
		world_fail(world, "the inbox has %llu items for %zu accesses", (unsigned long long)after, expected);
	qsort(indices, expected, sizeof *indices, compare_indices);
	return indices;
}

// One notification for each access that took effect, however often it was sent, and none besides.
static void check_inbox(const struct world *world, struct cpis_client *leeds, const struct record *accesses, size_t count)
{
	uint64_t *indices = read_inbox(world, leeds, count);
	for (size_t i = 0; i < count; i++)
		if (bsearch(&accesses[i].index, indices, count, sizeof *indices, compare_indices) == NULL)
			world_fail(world, "access %llu has no notification", (unsigned long long)accesses[i].index);
	free(indices);
}

struct ledger_found ledger_check(struct world *world, const char *store, const struct ledger *const *ledgers, size_t count,
				 struct cpis_client *leeds)
{
	struct ledger_found found = {0};
	struct record *records = read_log(world, store, &found.records);
	for (size_t l = 0; l < count; l++)
		for (size_t i = 0; i < ledgers[l]->count; i++, found.acknowledged++)
			check_entry(world, &ledgers[l]->entries[i], records, found.records);
	found.accesses = keep_first_accesses(records, found.records);
	for (size_t l = 0; l < count; l++)
		for (size_t i = 0; i < ledgers[l]->count; i++) {
			struct record wanted;
			memcpy(wanted.request_id, ledgers[l]->entries[i].request_id, REQUEST_ID_BYTES);
			if (ledgers[l]->entries[i].operation == CPIS__V1__OPERATION__DETAILS &&
			    bsearch(&wanted, records, found.accesses, sizeof *records, compare_ids) == NULL)
				world_fail(world, "an acknowledged access is not in the log");
		}
	check_inbox(world, leeds, records, found.accesses);
	free(records);
	return found;
}

void ledger_verify(struct world *world, const char *store, const char *checkpoint)
{
	const char *path = world_path(world, "ledger.checkpoint"), *key = world_path(world, "authority/trust/log.vkey");
	int code;
	if (checkpoint == NULL) {
		code = world_cpis(world, NULL, "audit", "verify", "--database", store, "--log-key", key, NULL);
	} else {
		world_write_file(path, checkpoint);
		code = world_cpis(world, NULL, "audit", "verify", "--database", store, "--log-key", key, "--checkpoint", path, NULL);
	}
	if (code != 0)
		world_fail(world, "cpis audit verify: exit %d", code);
}
