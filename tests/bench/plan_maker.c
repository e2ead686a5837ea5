// Registers for benchmarks.
#include "tests/bench/plan_maker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "broker/plan.h"
#include "tests/bench/link.h"

#define BATCH 10000u

void plan_maker_number(unsigned *stem, char out[11])
{
	struct nhs_number valid;
	for (;; (*stem)++)
		for (unsigned check = 0; check < 10; check++) {
			link_must(*stem < 1000000, "no more numbers in the range kept for tests");
			snprintf(out, 11, "999%06u%u", *stem % 1000000u, check);
			if (nhs_number_parse(out, 10, &valid) == NHS_NUMBER_OK) {
				(*stem)++;
				return;
			}
		}
}

static void put(struct op_context *context, const struct ods_code *authority, const char *number, uint32_t row)
{
	static char start_date[] = "2026-01-05", birth_date[] = "2016-06-01";
	char local_id[24];
	struct nhs_number parsed;
	struct store_tag slot, subject;
	Cpis__Stored__V1__StoredPlan plan = CPIS__STORED__V1__STORED_PLAN__INIT;
	link_must(nhs_number_parse(number, 10, &parsed) == NHS_NUMBER_OK, "NHS number");
	snprintf(local_id, sizeof local_id, "LCS-%u", row);
	plan.nhs_number = op_text(number);
	plan.authority = op_text(authority->text);
	plan.type = CPIS__V1__PLAN_TYPE__CPP;
	plan.start_date = start_date;
	plan.birth_date = birth_date;
	plan.local_id = local_id;
	plan.published_ms = plan.since_ms = context->now_ms;
	plan.row = row;
	vault_tag_slot(context->vault, &parsed, authority, plan.type, &slot);
	vault_tag_subject(context->vault, &parsed, &subject);
	link_must(plan_put(context, authority, &slot, &subject, 1, &plan) == REASON_NONE, "a plan cannot be stored");
}

static void show(struct op_context *context, const struct ods_code *ods, uint32_t held)
{
	static char telephone[] = "0113 496 0000", from_date[] = "2026-01-01", name[] = "Anjali Rao";
	struct authority_state state;
	Cpis__V1__Contacts contacts = CPIS__V1__CONTACTS__INIT, *all[] = {&contacts};
	contacts.emergency_duty_telephone = contacts.office_hours_telephone = telephone;
	contacts.from_date = from_date;
	contacts.confirmed_by = name;
	contacts.last_confirmed_ms = context->now_ms;
	link_must(authority_state_load(context, ods, &state) == REASON_NONE, "an authority's state");
	state.stored->contacts = all;
	state.stored->n_contacts = 1;
	state.stored->committed = state.stored->full = state.stored->newest = state.stored->followed = 1;
	state.stored->full_date = from_date;
	state.stored->held = held;
	state.last_published_ms = context->now_ms;
	link_must(authority_state_save(context, &state) == REASON_NONE, "an authority's state cannot be stored");
}

struct store *plan_maker_open(const char *store_path)
{
	char detail[STORE_DETAIL_BYTES] = "";
	struct store *store = NULL;
	link_must(store_sqlite_open(store_path, &store, detail) == STORE_OK, detail);
	return store;
}

void plan_maker_fill(struct store *store, const char *key_path, const struct ods_code *authorities, unsigned authorities_count,
		     unsigned count)
{
	char detail[STORE_DETAIL_BYTES] = "", number[11];
	struct arena arena;
	struct timespec now;
	struct op_context context = {.arena = &arena, .store = store};
	unsigned stem = 0;
	clock_gettime(CLOCK_REALTIME, &now);
	context.now_ms = (uint64_t)now.tv_sec * 1000;
	link_must(vault_open_key(key_path, &context.vault, detail), detail);
	link_must(arena_init(&arena, 1u << 20), "memory");
	for (unsigned i = 0; i < count; i++) {
		if (i % BATCH == 0)
			link_must(context.store->ops->begin(context.store) == STORE_OK, "a batch cannot begin");
		plan_maker_number(&stem, number);
		put(&context, &authorities[i % authorities_count], number, i / authorities_count);
		arena_reset(&arena);
		if (i % BATCH == BATCH - 1 || i == count - 1)
			link_must(context.store->ops->commit(context.store) == STORE_OK, "a batch cannot be committed");
	}
	link_must(context.store->ops->begin(context.store) == STORE_OK, "a batch cannot begin");
	for (unsigned i = 0; i < authorities_count; i++) {
		show(&context, &authorities[i], count / authorities_count + (i < count % authorities_count));
		arena_reset(&arena);
	}
	link_must(context.store->ops->commit(context.store) == STORE_OK, "a batch cannot be committed");
	context.store->ops->close(context.store);
	vault_free(context.vault);
	arena_done(&arena);
}
