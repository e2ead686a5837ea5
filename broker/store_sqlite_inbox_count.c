// SQLite backend: how many items of an inbox are open. Each list and each take says so, and counting them anew each time costs more the
// longer nobody reads. What was counted once is kept in memory and follows every write; the lock on the store keeps other writers
// out. A batch that is rolled back takes all that is known with it.
#include <stdlib.h>
#include <string.h>

#include "broker/store_sqlite_priv.h"

#define SLOTS 4096u // several for each authority of a country and each box; a power of two
#define PROBES 8u

struct count {
	bool known;
	enum store_box box;
	struct ods_code organisation;
	uint64_t open;
};

struct inbox_counts {
	struct count slots[SLOTS];
};

bool sqlite_inbox_counts_init(struct sqlite_store *store)
{
	store->inbox_counts = calloc(1, sizeof *store->inbox_counts);
	return store->inbox_counts != NULL;
}

void sqlite_inbox_counts_free(struct sqlite_store *store)
{
	free(store->inbox_counts);
}

void sqlite_inbox_counts_forget(struct sqlite_store *store)
{
	memset(store->inbox_counts, 0, sizeof *store->inbox_counts);
}

// FNV-1a. Codes are a country's own; nobody gains by two that meet.
static unsigned first_slot(enum store_box box, const struct ods_code *organisation)
{
	uint32_t hash = 2166136261u ^ (uint32_t)box;
	for (const char *at = organisation->text; *at != '\0'; at++)
		hash = (hash ^ (uint8_t)*at) * 16777619u;
	return hash % SLOTS;
}

// The slot that has it. Otherwise a free one, with `known` false: where too many meet, all are given up, so that none is left behind
// that a later look would find.
static struct count *find(struct sqlite_store *store, enum store_box box, const struct ods_code *organisation)
{
	unsigned first = first_slot(box, organisation);
	for (unsigned i = 0; i < PROBES; i++) {
		struct count *slot = &store->inbox_counts->slots[(first + i) % SLOTS];
		if (!slot->known || (slot->box == box && strcmp(slot->organisation.text, organisation->text) == 0))
			return slot;
	}
	sqlite_inbox_counts_forget(store);
	return &store->inbox_counts->slots[first];
}

bool sqlite_inbox_count_get(struct sqlite_store *store, enum store_box box, const struct ods_code *organisation, uint64_t *ret)
{
	const struct count *slot = find(store, box, organisation);
	*ret = slot->open;
	return slot->known;
}

void sqlite_inbox_count_put(struct sqlite_store *store, enum store_box box, const struct ods_code *organisation, uint64_t open)
{
	struct count *slot = find(store, box, organisation);
	*slot = (struct count){.known = true, .box = box, .organisation = *organisation, .open = open};
}

void sqlite_inbox_count_change(struct sqlite_store *store, enum store_box box, const struct ods_code *organisation, bool was_open,
			       bool is_open)
{
	uint64_t open;
	if (sqlite_inbox_count_get(store, box, organisation, &open))
		sqlite_inbox_count_put(store, box, organisation, open - was_open + is_open);
}
