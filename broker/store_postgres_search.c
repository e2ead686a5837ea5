// PostgreSQL backend: finding rows of the audit log by child, member of staff, organisation and time. Three indexes go along
// the rows' numbers; with several tags each is a walk of its own, of `limit` rows at most (SEARCH_OF_TAGS).
//
// Times: as in store_sqlite_search.c, but each batch notes its own rows.
#include "broker/store_blocks.h"
#include "broker/store_postgres_priv.h"

#define QUERY_TAGS 2048u

// ------------------------------------------------------------------ the blocks' times

bool postgres_end_span(struct postgres_store *store)
{
	struct values span = {0}, lower = {0};
	if (!store->span_open)
		return true;
	store->span_open = false;
	values_u64(&span, store->span_block);
	values_u64(&span, store->span_min_ms);
	values_u64(&span, store->span_max_ms);
	// Only after a clock was set back are there any before it with a later one.
	values_u64(&lower, store->span_block);
	values_u64(&lower, store->span_min_ms);
	return postgres_write(store, POSTGRES_AUDIT_BLOCK_PUT, &span) == STORE_OK &&
	       postgres_write(store, POSTGRES_AUDIT_BLOCK_LOWER, &lower) == STORE_OK;
}

bool postgres_note_time(struct postgres_store *store, uint64_t index, uint64_t time_ms)
{
	uint64_t block = index / STORE_BLOCK_ROWS;
	if (store->span_open && store->span_block != block && !postgres_end_span(store))
		return false;
	if (!store->span_open) {
		store->span_open = true;
		store->span_block = block;
		store->span_min_ms = store->span_max_ms = time_ms;
	}
	store->span_min_ms = time_ms < store->span_min_ms ? time_ms : store->span_min_ms;
	store->span_max_ms = time_ms > store->span_max_ms ? time_ms : store->span_max_ms;
	return true;
}

// ------------------------------------------------------------------ searching

static enum store_status find_block(struct store *base, enum store_blocks_end end, uint64_t time_ms, uint64_t *ret_block)
{
	struct postgres_store *store = postgres_store_of(base);
	struct values values = {0};
	values_u64(&values, time_ms);
	return postgres_get(store, end == STORE_BLOCKS_FIRST ? POSTGRES_AUDIT_BLOCK_FIRST : POSTGRES_AUDIT_BLOCK_LAST, &values,
			    postgres_read_u64, sizeof *ret_block, NULL, ret_block);
}

static enum postgres_statement statement_of(const struct store_audit_range *range)
{
	static const enum postgres_statement newest[] = {POSTGRES_SEARCH_ALL, POSTGRES_SEARCH_SUBJECT, POSTGRES_SEARCH_PERSON,
							 POSTGRES_SEARCH_ORGANISATION};
	static const enum postgres_statement oldest[] = {POSTGRES_SEARCH_ALL_OLDEST, POSTGRES_SEARCH_SUBJECT_OLDEST,
							 POSTGRES_SEARCH_PERSON_OLDEST, POSTGRES_SEARCH_ORGANISATION_OLDEST};
	if (range->key == STORE_AUDIT_SUBJECT && range->person_count > 0)
		return range->oldest_first ? POSTGRES_SEARCH_BOTH_OLDEST : POSTGRES_SEARCH_BOTH;
	return range->oldest_first ? oldest[range->key] : newest[range->key];
}

// False: it does not fit the arena.
static bool put_keys(struct values *values, const struct store_audit_range *range, struct arena *arena)
{
	if (range->key == STORE_AUDIT_ALL)
		return true;
	if (range->key == STORE_AUDIT_ORGANISATION) {
		values_ods(values, &range->organisation);
		return true;
	}
	return values_tags(values, range->tags, range->tag_count, arena) &&
	       (range->key != STORE_AUDIT_SUBJECT || range->person_count == 0 ||
		values_tags(values, range->persons, range->person_count, arena));
}

enum store_status postgres_audit_search(struct store *base, const struct store_audit_range *range, struct arena *arena,
					struct store_audit **ret, size_t *ret_count)
{
	struct postgres_store *store = postgres_store_of(base);
	bool tagged = range->key == STORE_AUDIT_SUBJECT || range->key == STORE_AUDIT_PERSON;
	uint64_t from = store_bounded(range->from_index), until = store_bounded(range->until_index);
	struct values values = {0};
	if (store->poisoned || !postgres_end_span(store) || !store_blocks_narrow(base, find_block, range, &from, &until))
		return STORE_FAILED;
	if (from >= until || (tagged && range->tag_count == 0)) {
		*ret = NULL;
		*ret_count = 0;
		return STORE_OK;
	}
	if (range->tag_count + range->person_count > QUERY_TAGS)
		return STORE_NO_MEMORY;
	values_u64(&values, from);
	values_u64(&values, until);
	values_u64(&values, store_bounded(range->from_ms));
	values_u64(&values, store_bounded(range->until_ms));
	values_u64(&values, range->limit);
	if (!put_keys(&values, range, arena))
		return STORE_NO_MEMORY;
	return postgres_list(store, statement_of(range), &values, postgres_read_audit, sizeof **ret, arena, ret, ret_count);
}
