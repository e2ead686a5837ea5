// What was acknowledged, against log, inbox and register.
#include "tests/cluster/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/audit_record.h"

#define PATIENCE_MS 30000u
#define PAGE 100u

static const Cpis__V1__Reply *ask(struct asker *asker, Cpis__V1__Request *request, struct check_found *found)
{
	uint8_t id[REQUEST_ID_BYTES];
	const Cpis__V1__Reply *reply = NULL;
	asker_new_id(id);
	if (asker_ask(asker, request, false, id, PATIENCE_MS, &reply) == ASKED_ANSWERED)
		return reply;
	fprintf(stderr, "check: %s: %s\n", asker->person, reply == NULL ? "no answer" : reply->reason_code);
	cpis_reply_free(reply);
	found->unasked++;
	return NULL;
}

static void lost(struct check_found *found, const struct book_entry *entry, const char *what)
{
	fprintf(stderr, "LOST: %s of %s, receipt %llu at broker %zu: %s\n", wire_operation_name(entry->operation), entry->child,
		(unsigned long long)entry->index, entry->broker + 1, what);
	found->lost++;
}

// ------------------------------------------------------------------ the log

static bool is_of(const Cpis__V1__AuditEntry *shown, const struct book_entry *entry)
{
	return shown->index == entry->index && shown->request_id.len == REQUEST_ID_BYTES &&
	       memcmp(shown->request_id.data, entry->request_id, REQUEST_ID_BYTES) == 0 && shown->operation == entry->operation &&
	       shown->outcome == CPIS__V1__OUTCOME__OK;
}

static void check_record(struct asker *guardian, const struct book_entry *entry, struct check_found *found)
{
	Cpis__V1__AuditShowRequest show = CPIS__V1__AUDIT_SHOW_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	uint8_t id[REQUEST_ID_BYTES];
	const Cpis__V1__Reply *reply = NULL;
	enum asked asked;
	show.index = entry->index;
	request.body_case = CPIS__V1__REQUEST__BODY_AUDIT_SHOW;
	request.audit_show = &show;
	// The next one each time there is no answer.
	guardian->current = (entry->broker + 1) % guardian->brokers->count;
	asker_new_id(id);
	asked = asker_ask(guardian, &request, false, id, PATIENCE_MS, &reply);
	if (asked == ASKED_ANSWERED && is_of(reply->audit_show->entry, entry) &&
	    cpis_check_proof(guardian->clients[guardian->current], reply->audit_show->proof) == CPIS_OK)
		found->records++;
	else if (asked == ASKED_ANSWERED || (asked == ASKED_REFUSED && reply->outcome == CPIS__V1__OUTCOME__NO_RECORD_FOUND))
		lost(found, entry, "the log has not its record");
	else
		found->unasked++;
	cpis_reply_free(reply);
}

void check_records(const struct brokers *brokers, const struct book *book, struct check_found *found)
{
	struct asker guardian;
	asker_init(&guardian, brokers, "national", "guardian", "R5105");
	for (size_t i = 0; i < book->count; i++)
		if (book->entries[i].acknowledged)
			check_record(&guardian, &book->entries[i], found);
	asker_done(&guardian);
}

// ------------------------------------------------------------------ the plans

void check_plans(struct asker *looker, const struct book *book, struct check_found *found)
{
	Cpis__V1__FlagRequest flag = CPIS__V1__FLAG_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	request.body_case = CPIS__V1__REQUEST__BODY_FLAG;
	request.flag = &flag;
	for (size_t i = 0; i < book->count; i++) {
		struct book_entry *entry = &book->entries[i];
		if (!entry->acknowledged)
			continue;
		flag.nhs_number = entry->child;
		const Cpis__V1__Reply *reply = ask(looker, &request, found);
		if (reply != NULL && reply->flag->flag)
			found->plans++;
		else if (reply != NULL)
			lost(found, entry, "nobody has a plan of this child");
		cpis_reply_free(reply);
	}
}

// ------------------------------------------------------------------ the inbox

struct look {
	const struct book_entry *entry;
	unsigned notices;
};

static int compare_looks(const void *a, const void *b)
{
	return strcmp(((const struct look *)a)->entry->child, ((const struct look *)b)->entry->child);
}

static struct look *looks_of(const struct book *books, size_t count, size_t *ret_count)
{
	size_t room = 1, kept = 0;
	for (size_t i = 0; i < count; i++)
		room += books[i].count;
	struct look *looks = calloc(room, sizeof *looks);
	if (looks == NULL)
		abort();
	for (size_t b = 0; b < count; b++)
		for (size_t i = 0; i < books[b].count; i++)
			if (books[b].entries[i].operation == CPIS__V1__OPERATION__DETAILS)
				looks[kept++].entry = &books[b].entries[i];
	qsort(looks, kept, sizeof *looks, compare_looks);
	*ret_count = kept;
	return looks;
}

static void acknowledge(struct asker *leeds, uint64_t *ids, size_t count, struct check_found *found)
{
	Cpis__V1__InboxAcknowledgeRequest acknowledged = CPIS__V1__INBOX_ACKNOWLEDGE_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	acknowledged.n_ids = count;
	acknowledged.ids = ids;
	request.body_case = CPIS__V1__REQUEST__BODY_INBOX_ACKNOWLEDGE;
	request.inbox_acknowledge = &acknowledged;
	cpis_reply_free(ask(leeds, &request, found));
}

// One page; false when there was none.
static bool read_page(struct asker *leeds, uint64_t *after, struct look *looks, size_t count, struct check_found *found)
{
	Cpis__V1__InboxListRequest list = CPIS__V1__INBOX_LIST_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	uint64_t ids[PAGE];
	list.after_id = *after;
	list.limit = PAGE;
	request.body_case = CPIS__V1__REQUEST__BODY_INBOX_LIST;
	request.inbox_list = &list;
	const Cpis__V1__Reply *reply = ask(leeds, &request, found);
	size_t items = reply == NULL ? 0 : reply->inbox_list->n_items;
	for (size_t i = 0; i < items; i++) {
		const Cpis__V1__InboxItem *item = reply->inbox_list->items[i];
		struct book_entry wanted = {0};
		struct look key = {.entry = &wanted};
		*after = ids[i] = item->id;
		if (item->kind_case != CPIS__V1__INBOX_ITEM__KIND_ACCESS)
			continue;
		snprintf(wanted.child, sizeof wanted.child, "%s", item->access->nhs_number);
		struct look *look = bsearch(&key, looks, count, sizeof *looks, compare_looks);
		if (look != NULL)
			look->notices++;
	}
	cpis_reply_free(reply);
	if (items > 0)
		acknowledge(leeds, ids, items, found);
	return items > 0;
}

void check_inbox(const struct brokers *brokers, const struct book *books, size_t count, struct check_found *found)
{
	struct asker leeds;
	uint64_t after = 0;
	size_t looks_count;
	struct look *looks = looks_of(books, count, &looks_count);
	asker_init(&leeds, brokers, "leeds", "leeds", "R9535");
	while (read_page(&leeds, &after, looks, looks_count, found))
		continue;
	for (size_t i = 0; i < looks_count; i++) {
		found->notices += looks[i].notices;
		// Of a look that was not acknowledged it is not known whether it took effect.
		if (looks[i].entry->acknowledged && looks[i].notices == 0)
			lost(found, looks[i].entry, "its authority was not told");
		if (looks[i].notices > 1) {
			fprintf(stderr, "DOUBLED: %s was told of %u times\n", looks[i].entry->child, looks[i].notices);
			found->doubled++;
		}
	}
	free(looks);
	asker_done(&leeds);
}
