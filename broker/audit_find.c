// Searching the log by a child or a member of staff, whose pseudonyms differ from month to month.
#include "broker/audit.h"

#include <string.h>

#include "proto/date.h"

static bool is_of_class(const struct audit_key *key, enum audit_class record_class)
{
	return key->record_class == record_class && key->destroyed_ms == 0;
}

// The month that comes next after `after` in the order asked for and has anything to find, within `from` and `until`; NULL: none.
static const struct audit_key *next_month(const struct audit_keys *keys, const struct store_audit_range *range,
					  enum audit_class record_class, const struct audit_key *after)
{
	const struct audit_key *found = NULL;
	uint32_t first = instant_month(range->from.time_ms), last = instant_month(range->until.time_ms);
	for (size_t i = 0; i < audit_keys_count(keys); i++) {
		const struct audit_key *key = audit_keys_at(keys, i);
		if (!is_of_class(key, record_class) || key->month < first || key->month > last)
			continue;
		if (range->oldest_first ? (after == NULL || key->month > after->month) && (found == NULL || key->month < found->month)
					: (after == NULL || key->month < after->month) && (found == NULL || key->month > found->month))
			found = key;
	}
	return found;
}

static bool before(struct store_audit_place a, struct store_audit_place b)
{
	return a.time_ms != b.time_ms ? a.time_ms < b.time_ms : a.index < b.index;
}

static struct store_audit_range within(const struct store_audit_range *range, const struct audit_key *key)
{
	struct store_audit_range part = *range;
	struct store_audit_place start = {month_start_ms(key->month), 0}, end = {month_start_ms(key->month + 1), 0};
	if (before(part.from, start))
		part.from = start;
	if (before(end, part.until))
		part.until = end;
	audit_key_tag(key, &range->tag, &part.tag);
	return part;
}

enum store_status audit_find(struct audit_log *log, const struct store_audit_range *range, struct arena *arena,
			     struct store_audit **ret, size_t *ret_count)
{
	struct audit_keys *keys = audit_keys_of(log);
	struct store *store = audit_store_of(log);
	if (range->key != STORE_AUDIT_SUBJECT && range->key != STORE_AUDIT_PERSON)
		return store->ops->audit_search(store, range, arena, ret, ret_count);
	enum audit_class record_class = range->key == STORE_AUDIT_SUBJECT ? AUDIT_CLASS_CHILD : AUDIT_CLASS_PERSON;
	struct store_audit *all = arena_alloc(arena, range->limit * sizeof *all);
	size_t count = 0;
	if (all == NULL)
		return STORE_NO_MEMORY;
	for (const struct audit_key *key = next_month(keys, range, record_class, NULL); key != NULL && count < range->limit;
	     key = next_month(keys, range, record_class, key)) {
		struct store_audit_range part = within(range, key);
		struct store_audit *rows = NULL;
		size_t found = 0;
		part.limit = range->limit - (uint32_t)count;
		enum store_status status = store->ops->audit_search(store, &part, arena, &rows, &found);
		if (status != STORE_OK)
			return status;
		if (found > 0)
			memcpy(all + count, rows, found * sizeof *rows);
		count += found;
	}
	*ret = all;
	*ret_count = count;
	return STORE_OK;
}

bool audit_is_of(struct audit_log *log, const struct store_audit *row, const struct store_tag *person)
{
	struct store_tag tag;
	const struct audit_key *key = audit_keys_find(audit_keys_of(log), instant_month(row->time_ms), AUDIT_CLASS_PERSON);
	if (!row->has_person || key == NULL)
		return false;
	audit_key_tag(key, person, &tag);
	return memcmp(&row->person, &tag, sizeof tag) == 0;
}
