// PostgreSQL backend: finding rows of this broker's audit log by child, member of staff, organisation and time. Three indexes go along
// the rows' numbers; with several tags each is a walk of its own, of `limit` rows at most (SEARCH_OF_TAGS).
//
// Times need not go up with the numbers, because clocks are set back: the least and greatest time of each block of rows bounds where
// to look, and each row's own time decides. The greatest up to a block and the least from it on do go up with the numbers, so that an
// index over either finds the first and the last block of a time span. As in store_sqlite_search.c, but each batch notes its own rows.
#include "broker/store_postgres_priv.h"

#define BLOCK_ROWS 1024u
#define QUERY_TAGS 2048u

// ------------------------------------------------------------------ the blocks' times

bool postgres_end_span(struct postgres_store *store)
{
	struct values span = {0}, lower = {0};
	if (!store->span_open)
		return true;
	store->span_open = false;
	values_text(&span, store->broker);
	values_u64(&span, store->span_block);
	values_u64(&span, store->span_min_ms);
	values_u64(&span, store->span_max_ms);
	// Only after a clock was set back are there any before it with a later one.
	values_text(&lower, store->broker);
	values_u64(&lower, store->span_block);
	values_u64(&lower, store->span_min_ms);
	return postgres_write(store, POSTGRES_AUDIT_BLOCK_PUT, &span) == STORE_OK &&
	       postgres_write(store, POSTGRES_AUDIT_BLOCK_LOWER, &lower) == STORE_OK;
}

bool postgres_note_time(struct postgres_store *store, uint64_t index, uint64_t time_ms)
{
	uint64_t block = index / BLOCK_ROWS;
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

static uint64_t bounded(uint64_t value)
{
	return value > INT64_MAX ? INT64_MAX : value;
}

static bool find_block(struct postgres_store *store, enum postgres_statement which, uint64_t time_ms, uint64_t *ret, bool *ret_found)
{
	struct values values = {0};
	values_text(&values, store->broker);
	values_u64(&values, bounded(time_ms));
	enum store_status status = postgres_get(store, which, &values, postgres_read_u64, sizeof *ret, NULL, ret);
	*ret_found = status == STORE_OK;
	return status == STORE_OK || status == STORE_NOT_FOUND;
}

// Narrows the numbers to the blocks that have any such time.
static bool narrow(struct postgres_store *store, const struct store_audit_range *range, uint64_t *from, uint64_t *until)
{
	uint64_t block = 0;
	bool found = false;
	if (range->from_ms > 0) {
		if (!find_block(store, POSTGRES_AUDIT_BLOCK_FIRST, range->from_ms, &block, &found))
			return false;
		if (!found)
			*from = *until;
		else if (block * BLOCK_ROWS > *from)
			*from = block * BLOCK_ROWS;
	}
	if (range->until_ms < INT64_MAX) {
		if (!find_block(store, POSTGRES_AUDIT_BLOCK_LAST, range->until_ms, &block, &found))
			return false;
		if (!found)
			*until = *from;
		else if ((block + 1) * BLOCK_ROWS < *until)
			*until = (block + 1) * BLOCK_ROWS;
	}
	return true;
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
	uint64_t from = bounded(range->from_index), until = bounded(range->until_index);
	struct values values = {0};
	if (store->poisoned || !postgres_end_span(store) || !narrow(store, range, &from, &until))
		return STORE_FAILED;
	if (from >= until || (tagged && range->tag_count == 0)) {
		*ret = NULL;
		*ret_count = 0;
		return STORE_OK;
	}
	if (range->tag_count + range->person_count > QUERY_TAGS)
		return STORE_NO_MEMORY;
	values_text(&values, store->broker);
	values_u64(&values, from);
	values_u64(&values, until);
	values_u64(&values, bounded(range->from_ms));
	values_u64(&values, bounded(range->until_ms));
	values_u64(&values, range->limit);
	if (!put_keys(&values, range, arena))
		return STORE_NO_MEMORY;
	return postgres_list(store, statement_of(range), &values, postgres_read_audit, sizeof **ret, arena, ret, ret_count);
}
