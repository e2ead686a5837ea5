// Large stores.
#include "tests/bench/filler.h"

#include "broker/random.h"
#include "broker/store.h"
#include "tests/bench/link.h"
#include "tests/bench/log_maker.h"

#define BATCH 10000u
#define PLAN_BYTES 150u   // sealed, as a usual plan
#define ITEM_BYTES 250u   // likewise a notification
#define SETTLED_BYTES 60u
#define ITEM_KIND 16u     // InboxItem.access
#define ITEM_MS UINT64_C(1760000000000)

static struct store *open_store(struct world *world)
{
	char detail[STORE_DETAIL_BYTES] = "";
	struct store *store = NULL;
	link_must(store_sqlite_open(world_path(world, "store.db"), &store, detail) == STORE_OK, detail);
	return store;
}

static void begin_batch(struct store *store, uint64_t number)
{
	if (number % BATCH == 0)
		link_must(store->ops->begin(store) == STORE_OK, "a batch cannot begin");
}

static void end_batch(struct store *store, uint64_t number, uint64_t count)
{
	if (number % BATCH == BATCH - 1 || number == count - 1)
		link_must(store->ops->commit(store) == STORE_OK, "a batch cannot be committed");
}

// Evenly spread and in order, so that the indices grow at their end: the result is as if they had come in any order.
static void write_tag(uint64_t number, uint64_t count, struct store_tag *ret)
{
	uint64_t first = (uint64_t)((double)number / (double)count * 18446744073709549568.0);
	random_bytes(ret->bytes, sizeof ret->bytes);
	for (unsigned i = 0; i < 8; i++)
		ret->bytes[i] = (uint8_t)(first >> (56 - 8 * i));
}

void filler_plans(struct world *world, uint64_t count)
{
	struct store *store = open_store(world);
	uint8_t sealed[PLAN_BYTES];
	struct store_plan plan = {.generation = 1, .authority = {"383"}, .sealed = {sealed, sizeof sealed}};
	for (uint64_t i = 0; i < count; i++) {
		begin_batch(store, i);
		write_tag(i, count, &plan.slot);
		write_tag(i, count, &plan.subject);
		random_bytes(sealed, sizeof sealed);
		link_must(store->ops->plan_put(store, &plan) == STORE_OK, "a plan cannot be stored");
		end_batch(store, i, count);
	}
	store->ops->close(store);
}

void filler_inbox(struct world *world, uint64_t count)
{
	struct store *store = open_store(world);
	uint8_t sealed[ITEM_BYTES], settled[SETTLED_BYTES];
	struct store_inbox_item item = {.box = STORE_BOX_NOTIFICATIONS, .organisation = {"383"}, .kind = ITEM_KIND,
					.sealed = {sealed, sizeof sealed}, .acknowledged_by = {settled, sizeof settled}};
	for (uint64_t i = 0; i < count; i++) {
		begin_batch(store, i);
		item.id = i + 1;
		item.created_ms = ITEM_MS + i;
		item.acknowledged_ms = item.delivered_ms = ITEM_MS + i + 60000;
		random_bytes(sealed, sizeof sealed);
		random_bytes(settled, sizeof settled);
		link_must(store->ops->inbox_put(store, &item) == STORE_OK && store->ops->inbox_update(store, &item) == STORE_OK,
			  "a notification cannot be stored");
		end_batch(store, i, count);
	}
	store->ops->close(store);
}

void filler_records(struct world *world, uint64_t count)
{
	struct log_maker maker;
	if (count == 0)
		return;
	log_maker_open_in(&maker, world, count);
	log_maker_grow(&maker, count);
	log_maker_close(&maker);
}
