// Searching the log by a child or a member of staff, whose pseudonyms differ from month to month.
#include "broker/audit.h"

#include <string.h>

#include "proto/date.h"

static bool is_of_class(const struct audit_key *key, enum audit_class record_class)
{
	return key->record_class == record_class && key->destroyed_ms == 0;
}

// The pseudonyms of `tag` in the months that the range reaches, in the arena. NULL: it does not fit.
static struct store_tag *tags_of(const struct audit_keys *keys, const struct audit_search *search, const struct store_tag *tag,
				 enum audit_class record_class, struct arena *arena, size_t *ret_count)
{
	uint32_t first = instant_month(search->range.from_ms), last = instant_month(search->range.until_ms);
	struct store_tag *tags = arena_alloc(arena, (audit_keys_count(keys) + 1) * sizeof *tags);
	*ret_count = 0;
	for (size_t i = 0; tags != NULL && i < audit_keys_count(keys); i++) {
		const struct audit_key *key = audit_keys_at(keys, i);
		if (is_of_class(key, record_class) && key->month >= first && key->month <= last)
			audit_key_tag(key, tag, &tags[(*ret_count)++]);
	}
	return tags;
}

enum store_status audit_find(struct audit_log *log, const struct audit_search *search, struct arena *arena,
			     struct store_audit **ret, size_t *ret_count)
{
	struct store *store = audit_store_of(log);
	struct store_audit_range range = search->range;
	if (range.key == STORE_AUDIT_SUBJECT || range.key == STORE_AUDIT_PERSON) {
		enum audit_class record_class = range.key == STORE_AUDIT_SUBJECT ? AUDIT_CLASS_CHILD : AUDIT_CLASS_PERSON;
		range.tags = tags_of(audit_keys_of(log), search, &search->tag, record_class, arena, &range.tag_count);
		if (range.tags == NULL)
			return STORE_NO_MEMORY;
	}
	if (range.key == STORE_AUDIT_SUBJECT && search->by_person) {
		range.persons = tags_of(audit_keys_of(log), search, &search->person, AUDIT_CLASS_PERSON, arena, &range.person_count);
		if (range.persons == NULL)
			return STORE_NO_MEMORY;
		if (range.person_count == 0)
			range.tag_count = 0; // nothing can be theirs
	}
	return store->ops->audit_search(store, &range, arena, ret, ret_count);
}

enum store_status audit_page(struct audit_log *log, uint64_t from, uint64_t until, uint32_t max, struct arena *arena,
			     struct store_audit **ret, size_t *ret_count)
{
	struct store *store = audit_store_of(log);
	struct store_audit_range range = {.key = STORE_AUDIT_ALL, .from_index = from, .until_index = until, .until_ms = UINT64_MAX,
					  .oldest_first = true, .limit = max};
	return store->ops->audit_search(store, &range, arena, ret, ret_count);
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
