// AUDIT_SEARCH: who looked, at whom, from where; and the pages that reports are made of. Recorded like any other look, with
// all filters (request.c): the child's own search finds it.
//
// The store's rows come along one key: the child, or else the person, or else the organisation, or else all. The other
// filters are judged on each opened record. Nobody else is answered meanwhile, so a request looks at a bounded number.
#include <string.h>

#include "broker/audit_match.h"
#include "broker/audit_remit.h"
#include "broker/log.h"
#include "broker/op.h"

#define CHUNK PAGE_ITEMS_MAX

struct walk {
	struct op_context *context;
	const Cpis__V1__AuditSearchRequest *request;
	struct audit_remit remit;
	struct store_tag person;                 // where the request names one
	struct audit_search search;              // what is left to look at
	size_t limit;
	uint64_t found[PAGE_ITEMS_MAX];
	size_t found_count;
	bool more;
	uint64_t next;                           // with more: as the wire says it, for the order asked for
};

// ------------------------------------------------------------------ where to look

static void bound(struct walk *walk)
{
	const Cpis__V1__AuditSearchRequest *request = walk->request;
	struct store_audit_range *range = &walk->search.range;
	range->from_index = request->from_index;
	// "only before record before_index - 1, and this one"
	range->until_index = request->before_index == 0 ? UINT64_MAX : request->before_index;
	range->from_ms = request->from_ms;
	range->until_ms = request->until_ms == 0 ? UINT64_MAX : request->until_ms;
}

static void choose_key(struct walk *walk)
{
	const Cpis__V1__AuditSearchRequest *request = walk->request;
	const char *organisation = request->organisation[0] == '\0' && !walk->remit.everything ? walk->remit.own
											       : request->organisation;
	struct store_audit_range *range = &walk->search.range;
	if (request->uid[0] != '\0')
		vault_tag_person(walk->context->vault, request->uid, &walk->person);
	if (walk->context->has_subject) {
		range->key = STORE_AUDIT_SUBJECT;
		walk->search.tag = walk->context->subject;
		walk->search.by_person = request->uid[0] != '\0';
		walk->search.person = walk->person;
	} else if (request->uid[0] != '\0') {
		range->key = STORE_AUDIT_PERSON;
		walk->search.tag = walk->person;
	} else if (ods_code_parse(organisation, strlen(organisation), &range->organisation)) {
		range->key = STORE_AUDIT_ORGANISATION;
	}
	range->oldest_first = request->oldest_first;
}

static enum reason start(struct op_context *context, struct walk *walk)
{
	const Cpis__V1__AuditSearchRequest *request = context->request->audit_search;
	*walk = (struct walk){.context = context, .request = request};
	walk->limit = request->limit == 0 ? PAGE_ITEMS_DEFAULT : request->limit;
	context->detail->filter_uid = request->uid;
	// core.c has noted whom the search is about, so that the next search finds this one.
	if (request->nhs_number[0] != '\0' && !context->has_subject)
		return REASON_NHS_NUMBER;
	enum reason reason = audit_match_check(request);
	if (reason == REASON_NONE)
		reason = audit_remit_of(context, &walk->remit);
	if (reason != REASON_NONE)
		return reason;
	if (request->organisation[0] != '\0' && !audit_remit_reaches(&walk->remit, request->organisation))
		return REASON_AUDIT_SCOPE;
	choose_key(walk);
	bound(walk);
	return REASON_NONE;
}

// ------------------------------------------------------------------ looking

static Cpis__V1__AuditEntry *open_row(struct walk *walk, const struct store_audit *row)
{
	Cpis__V1__AuditEntry *entry = audit_entry(walk->context->audit, walk->context->arena, row);
	if (entry == NULL)
		log_damage(LOG_EVENT_AUDIT_UNREADABLE, "audit record %llu does not open",
			   (unsigned long long)row->index);
	return entry;
}

// What the row alone tells, without opening its record.
static bool may_match(const struct walk *walk, const struct store_audit *row)
{
	if (walk->request->uid[0] != '\0' && !audit_is_of(walk->context->audit, row, &walk->person))
		return false;
	return walk->remit.everything || walk->remit.looks || strcmp(row->organisation.text, walk->remit.own) == 0;
}

static enum reason examine(struct walk *walk, const struct store_audit *row, bool *ret_match)
{
	*ret_match = false;
	if (!may_match(walk, row))
		return REASON_NONE;
	const Cpis__V1__AuditEntry *entry = open_row(walk, row);
	if (entry == NULL)
		return REASON_INTERNAL;
	*ret_match = audit_match(walk->request, entry) && audit_remit_holds(&walk->remit, entry);
	return REASON_NONE;
}

// The page ends before `row`; `last` is the row before it, in the order asked for.
static void stop_before(struct walk *walk, uint64_t row, uint64_t last)
{
	walk->more = true;
	walk->next = (walk->request->oldest_first ? last : row) + 1;
}

static enum reason examine_chunk(struct walk *walk, const struct store_audit *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		bool match = false;
		enum reason reason = examine(walk, &rows[i], &match);
		if (reason != REASON_NONE)
			return reason;
		if (match && walk->found_count == walk->limit) {
			stop_before(walk, rows[i].index, i == 0 ? walk->found[walk->found_count - 1] : rows[i - 1].index);
			return REASON_NONE;
		}
		if (match)
			walk->found[walk->found_count++] = rows[i].index;
	}
	return REASON_NONE;
}

static enum reason look(struct walk *walk)
{
	struct op_context *context = walk->context;
	for (size_t left = AUDIT_SEARCH_EXAMINED_MAX; !walk->more;) {
		struct store_audit *rows = NULL;
		size_t count = 0, used = context->arena->used, chunk = left < CHUNK ? left : CHUNK;
		// One more than is looked at: it tells where the next ones begin.
		walk->search.range.limit = (uint32_t)chunk + 1;
		if (audit_find(context->audit, &walk->search, context->arena, &rows, &count) != STORE_OK)
			return REASON_STORE;
		enum reason reason = examine_chunk(walk, rows, count < chunk ? count : chunk);
		if (reason != REASON_NONE)
			return reason;
		if (count <= chunk) {
			arena_rewind(context->arena, used);
			return REASON_NONE;
		}
		uint64_t next = rows[chunk].index, last = rows[chunk - 1].index;
		arena_rewind(context->arena, used);
		if (walk->request->oldest_first)
			walk->search.range.from_index = next;
		else
			walk->search.range.until_index = last;
		left -= chunk;
		if (!walk->more && left == 0)
			stop_before(walk, next, last);
	}
	return REASON_NONE;
}

// ------------------------------------------------------------------ the page

static enum reason fill(struct walk *walk, Cpis__V1__AuditSearchReply *reply)
{
	struct op_context *context = walk->context;
	size_t body_bytes = 0;
	for (size_t i = 0; i < walk->found_count; i++) {
		struct store_audit row;
		if (context->store->ops->audit_get(context->store, walk->found[i], context->arena, &row) != STORE_OK)
			return REASON_STORE;
		Cpis__V1__AuditEntry *entry = open_row(walk, &row);
		if (entry == NULL)
			return REASON_INTERNAL;
		entry->detail->act_browser_proof = NULL; // of kilobytes: audit_show has it
		body_bytes += protobuf_c_message_get_packed_size(&entry->base) + 8;
		if (body_bytes > OP_BODY_BYTES_MAX) {
			stop_before(walk, walk->found[i], walk->found[i - 1]);
			break;
		}
		reply->entries[reply->n_entries++] = entry;
	}
	reply->more = walk->more;
	if (walk->more && walk->request->oldest_first)
		reply->next_from_index = walk->next;
	else if (walk->more)
		reply->next_before_index = walk->next;
	return REASON_NONE;
}

enum reason op_audit_search(struct op_context *context)
{
	struct walk walk;
	enum reason reason = start(context, &walk);
	if (reason == REASON_NONE)
		reason = look(&walk);
	if (reason != REASON_NONE)
		return reason;
	Cpis__V1__AuditSearchReply *reply = OP_NEW(context, Cpis__V1__AuditSearchReply, cpis__v1__audit_search_reply__init);
	if (reply == NULL)
		return REASON_INTERNAL;
	reply->entries = arena_alloc(context->arena, (walk.found_count + 1) * sizeof *reply->entries);
	if (reply->entries == NULL)
		return REASON_INTERNAL;
	reason = fill(&walk, reply);
	if (reason != REASON_NONE)
		return reason;
	context->detail->count = (uint32_t)reply->n_entries;
	context->reply->audit_search = reply;
	context->reply->body_case = CPIS__V1__REPLY__BODY_AUDIT_SEARCH;
	return REASON_NONE;
}
