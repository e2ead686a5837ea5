// The audit log: records into leaves, leaves into the tree, the tree's root into signed checkpoints.
#include "broker/audit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/random.h"
#include "broker/sealed.h"
#include "proto/audit_record.h"
#include "proto/date.h"
#include "proto/invariant.h"

#define RECORD_VERSION 1u

// A record of the batch under way: kept until its receipt is made, so that receipts need no reads.
struct batch_row {
	uint8_t salt[SALT_BYTES];
	const uint8_t *record; // in the batch's arena
	size_t record_bytes;
	size_t node_count;
	struct merkle_hash nodes[MERKLE_HEIGHT_MAX + 1];
};

struct audit_log {
	struct audit_options options;
	struct audit_keys *keys;
	struct merkle_tree committed; // what the store has for certain
	struct merkle_tree current;   // committed and the batch
	struct batch_row *rows;       // options.batch_max of them
	size_t row_count;
	char note[NOTE_BYTES_MAX + 1]; // of the batch, from audit_close_batch on
	char known[NOTE_BYTES_MAX + 1]; // that of `committed`; "": it has no records
};

static bool fetch_from_store(void *context, unsigned height, uint64_t number, struct merkle_hash *ret)
{
	struct audit_log *log = context;
	uint64_t index = ((number + 1) << height) - 1;
	return log->options.store->ops->audit_node(log->options.store, index, height, ret) == STORE_OK;
}

// A node of the current tree: from the batch, from the committed right edge, or from the store.
static bool fetch(void *context, unsigned height, uint64_t number, struct merkle_hash *ret)
{
	struct audit_log *log = context;
	uint64_t index = ((number + 1) << height) - 1;
	if (index >= log->committed.size) {
		size_t row = (size_t)(index - log->committed.size);
		if (row >= log->row_count || height >= log->rows[row].node_count)
			return false;
		*ret = log->rows[row].nodes[height];
		return true;
	}
	if ((log->committed.size >> height & 1) != 0 && number == (log->committed.size >> height) - 1) {
		*ret = log->committed.edge[height];
		return true;
	}
	return fetch_from_store(context, height, number, ret);
}

// The stored checkpoint must be ours and speak of exactly the rows that are there.
static bool agrees(struct audit_log *log, const char *note, const struct merkle_tree *tree, char detail[AUDIT_DETAIL_BYTES])
{
	struct note_verifier verifier = {0};
	snprintf(verifier.origin, sizeof verifier.origin, "%s", log->options.origin);
	signing_key_public(log->options.key, verifier.public_key);
	struct checkpoint checkpoint = {0};
	struct merkle_hash root;
	merkle_root(tree, &root);
	if (note[0] == '\0' && tree->size == 0)
		return true;
	if (note[0] == '\0') {
		snprintf(detail, AUDIT_DETAIL_BYTES, "the audit log has records but no checkpoint");
	} else if (checkpoint_verify(note, strlen(note), &verifier, &checkpoint) != CERTS_OK) {
		snprintf(detail, AUDIT_DETAIL_BYTES, "the audit log's checkpoint was not signed by this log's key");
	} else if (checkpoint.size != tree->size || memcmp(&checkpoint.root, &root, sizeof root) != 0) {
		snprintf(detail, AUDIT_DETAIL_BYTES,
			 "the audit log has %llu records and does not match its checkpoint of %llu: run `cpis audit verify`",
			 (unsigned long long)tree->size, (unsigned long long)checkpoint.size);
	} else {
		return true;
	}
	return false;
}

// "" when there is none.
static bool read_checkpoint(struct audit_log *log, char ret[NOTE_BYTES_MAX + 1], char detail[AUDIT_DETAIL_BYTES])
{
	struct arena arena;
	const char *note = "";
	if (!arena_init(&arena, 2 * NOTE_BYTES_MAX)) {
		snprintf(detail, AUDIT_DETAIL_BYTES, "out of memory");
		return false;
	}
	enum store_status status = log->options.store->ops->checkpoint_get(log->options.store, &arena, &note);
	bool read = (status == STORE_OK || status == STORE_NOT_FOUND) && strlen(note) <= NOTE_BYTES_MAX;
	if (read)
		snprintf(ret, NOTE_BYTES_MAX + 1, "%s", note);
	else
		snprintf(detail, AUDIT_DETAIL_BYTES, "the audit log's checkpoint cannot be read");
	arena_done(&arena);
	return read;
}

// What this process has committed, and answered for, must still be there: a store can have been put back to an earlier state under it,
// or another server have taken over that lacks it.
static bool has_what_was_committed(struct audit_log *log, const struct merkle_tree *tree, char detail[AUDIT_DETAIL_BYTES])
{
	const struct merkle_tree *known = &log->committed;
	bool has = tree->size >= known->size;
	for (unsigned height = 0; has && height < MERKLE_HEIGHT_MAX && known->size >> height != 0; height++) {
		struct merkle_hash hash;
		if ((known->size >> height & 1) != 0)
			has = fetch_from_store(log, height, (known->size >> height) - 1, &hash) &&
			      memcmp(&hash, &known->edge[height], sizeof hash) == 0;
	}
	if (!has)
		snprintf(detail, AUDIT_DETAIL_BYTES,
			 "the store has lost or changed records that were answered for: of %llu it has %llu; stop the broker and find out what took its place",
			 (unsigned long long)known->size, (unsigned long long)tree->size);
	return has;
}

bool audit_reload(struct audit_log *log, char detail[AUDIT_DETAIL_BYTES])
{
	uint64_t size = 0;
	struct merkle_tree tree;
	char note[NOTE_BYTES_MAX + 1];
	if (log->options.store->ops->audit_size(log->options.store, &size) != STORE_OK ||
	    !merkle_tree_load(size, fetch_from_store, log, &tree)) {
		snprintf(detail, AUDIT_DETAIL_BYTES, "the audit log's rows cannot be read: run `cpis audit verify`");
		return false;
	}
	if (!read_checkpoint(log, note, detail) || !agrees(log, note, &tree, detail) || !has_what_was_committed(log, &tree, detail))
		return false;
	if (!audit_keys_load(log->keys)) {
		snprintf(detail, AUDIT_DETAIL_BYTES, "the audit log's keys do not open: is this the store's key?");
		return false;
	}
	log->committed = tree;
	memcpy(log->known, note, sizeof log->known);
	audit_abandoned(log);
	return true;
}

bool audit_is_at(const struct audit_log *log, uint64_t size, const char *checkpoint)
{
	return size == log->committed.size && strcmp(checkpoint, log->known) == 0;
}

bool audit_follow(struct audit_log *log, const struct store_audit *row)
{
	struct merkle_hash leaf, nodes[MERKLE_HEIGHT_MAX + 1];
	size_t node_count;
	INVARIANT(log->row_count == 0);
	if (row->index != log->current.size)
		return false;
	merkle_leaf(row->salt, row->record.data, row->record.bytes, &leaf);
	merkle_append(&log->current, &leaf, nodes, &node_count);
	return true;
}

bool audit_followed(struct audit_log *log, const char *checkpoint, char detail[AUDIT_DETAIL_BYTES])
{
	INVARIANT(log->row_count == 0);
	if (!agrees(log, checkpoint, &log->current, detail)) {
		log->current = log->committed;
		return false;
	}
	log->committed = log->current;
	snprintf(log->known, sizeof log->known, "%s", checkpoint);
	return true;
}

bool audit_open(const struct audit_options *options, struct audit_log **ret, char detail[AUDIT_DETAIL_BYTES])
{
	struct audit_log *log = calloc(1, sizeof *log);
	if (log != NULL)
		log->rows = calloc(options->batch_max, sizeof *log->rows);
	if (log == NULL || log->rows == NULL || !audit_keys_new(options->store, options->vault, &log->keys)) {
		snprintf(detail, AUDIT_DETAIL_BYTES, "out of memory");
		audit_free(log);
		return false;
	}
	log->options = *options;
	if (!audit_reload(log, detail)) {
		audit_free(log);
		return false;
	}
	*ret = log;
	return true;
}

void audit_free(struct audit_log *log)
{
	if (log == NULL)
		return;
	audit_keys_free(log->keys);
	free(log->rows);
	free(log);
}

struct audit_keys *audit_keys_of(struct audit_log *log)
{
	return log->keys;
}

struct store *audit_store_of(struct audit_log *log)
{
	return log->options.store;
}

uint64_t audit_root(const struct audit_log *log, struct merkle_hash *ret)
{
	merkle_root(&log->committed, ret);
	return log->committed.size;
}

uint64_t audit_next_index(const struct audit_log *log)
{
	return log->current.size;
}

static void index_identity(uint64_t index, uint8_t out[8])
{
	for (int i = 7; i >= 0; i--, index >>= 8)
		out[i] = (uint8_t)index;
}

// What a record is sealed and found with.
struct record_keys {
	uint32_t id;
	struct store_blob sealed;       // the part that names people
	struct store_tag subject, person;
};

static enum audit_class class_of(const struct audit_event *event)
{
	return event->subject != NULL ? AUDIT_CLASS_CHILD : event->person != NULL ? AUDIT_CLASS_STAFF : AUDIT_CLASS_SERVICE;
}

static bool use_tag(struct audit_log *log, struct arena *arena, uint32_t month, enum audit_class record_class,
		    const struct store_tag *tag, struct store_tag *ret)
{
	if (tag == NULL)
		return true;
	const struct audit_key *key = audit_keys_use(log->keys, arena, month, record_class);
	if (key != NULL)
		audit_key_tag(key, tag, ret);
	return key != NULL;
}

// False when it does not fit or the library fails.
static bool use_keys(struct audit_log *log, struct arena *arena, uint64_t index, const struct audit_event *event,
		     struct record_keys *ret)
{
	uint8_t identity[8];
	uint32_t month = instant_month(event->time_ms);
	const struct audit_key *key = audit_keys_use(log->keys, arena, month, class_of(event));
	if (key == NULL)
		return false;
	ret->id = key->id;
	index_identity(index, identity);
	ret->sealed = sealed_make_with(key->seal, arena, identity, sizeof identity, &event->detail->base);
	return ret->sealed.data != NULL && use_tag(log, arena, month, AUDIT_CLASS_CHILD, event->subject, &ret->subject) &&
	       use_tag(log, arena, month, AUDIT_CLASS_PERSON, event->person, &ret->person);
}

static ProtobufCBinaryData tag_field(const struct store_tag *tag)
{
	ProtobufCBinaryData field = {0, NULL};
	if (tag != NULL) {
		field.len = sizeof tag->bytes;
		field.data = (uint8_t *)(uintptr_t)tag->bytes;
	}
	return field;
}

static const uint8_t *pack_record(struct audit_log *log, struct arena *arena, const struct audit_event *event,
				  uint64_t index, const struct record_keys *keys, size_t *ret_bytes)
{
	Cpis__V1__AuditRecord record = CPIS__V1__AUDIT_RECORD__INIT;
	record.version = RECORD_VERSION;
	record.index = index;
	record.time_ms = event->time_ms;
	if (event->request_id != NULL) {
		record.request_id.len = REQUEST_ID_BYTES;
		record.request_id.data = (uint8_t *)(uintptr_t)event->request_id;
	}
	record.operation = event->operation;
	record.outcome = reason_outcome(event->reason);
	record.reason_code = (char *)(uintptr_t)reason_word(event->reason);
	record.organisation = (char *)(uintptr_t)event->organisation;
	record.system_name = (char *)(uintptr_t)event->system_name;
	record.policy_version = (char *)(uintptr_t)event->policy_version;
	record.broker_name = (char *)(uintptr_t)log->options.broker_name;
	record.subject_tag = tag_field(event->subject == NULL ? NULL : &keys->subject);
	record.person_tag = tag_field(event->person == NULL ? NULL : &keys->person);
	record.seal_key = keys->id;
	record.sealed_detail.len = keys->sealed.bytes;
	record.sealed_detail.data = (uint8_t *)(uintptr_t)keys->sealed.data;
	return wire_pack(arena, &record.base, ret_bytes);
}

enum store_status audit_append(struct audit_log *log, struct arena *arena, const struct audit_event *event,
			       uint64_t *ret_index)
{
	INVARIANT(log->row_count < log->options.batch_max);
	uint64_t index = log->current.size;
	struct record_keys keys = {0};
	if (!use_keys(log, arena, index, event, &keys))
		return STORE_NO_MEMORY;
	struct batch_row *row = &log->rows[log->row_count];
	row->record = pack_record(log, arena, event, index, &keys, &row->record_bytes);
	if (row->record == NULL)
		return STORE_NO_MEMORY;
	random_bytes(row->salt, sizeof row->salt);

	struct merkle_hash leaf;
	merkle_leaf(row->salt, row->record, row->record_bytes, &leaf);
	merkle_append(&log->current, &leaf, row->nodes, &row->node_count);
	log->row_count++;

	struct store_audit stored = {
		.index = index,
		.record = {row->record, row->record_bytes},
		.node_count = row->node_count,
		.time_ms = event->time_ms,
		.has_subject = event->subject != NULL,
		.has_person = event->person != NULL,
		.subject = keys.subject,
		.person = keys.person,
	};
	memcpy(stored.salt, row->salt, sizeof stored.salt);
	memcpy(stored.nodes, row->nodes, row->node_count * sizeof row->nodes[0]);
	memccpy(stored.organisation.text, event->organisation, '\0', sizeof stored.organisation.text - 1);
	enum store_status status = log->options.store->ops->audit_append(log->options.store, &stored);
	if (status == STORE_OK)
		*ret_index = index;
	return status;
}

enum store_status audit_close_batch(struct audit_log *log)
{
	struct checkpoint checkpoint = {.size = log->current.size};
	snprintf(checkpoint.origin, sizeof checkpoint.origin, "%s", log->options.origin);
	merkle_root(&log->current, &checkpoint.root);
	if (checkpoint_sign(&checkpoint, log->options.key, log->note) != CERTS_OK)
		return STORE_FAILED;
	return log->options.store->ops->checkpoint_put(log->options.store, log->note);
}

void audit_committed(struct audit_log *log)
{
	log->committed = log->current;
	memcpy(log->known, log->note, sizeof log->known);
	log->row_count = 0;
	audit_keys_committed(log->keys);
}

void audit_abandoned(struct audit_log *log)
{
	log->current = log->committed;
	log->row_count = 0;
	explicit_bzero(log->note, sizeof log->note);
	audit_keys_abandoned(log->keys);
}

static bool hashes_field(struct arena *arena, const struct merkle_hash *hashes, size_t count, size_t *ret_count,
			 ProtobufCBinaryData **ret)
{
	ProtobufCBinaryData *fields = arena_alloc(arena, (count + 1) * sizeof *fields);
	uint8_t *bytes = arena_alloc(arena, (count + 1) * sizeof *hashes);
	if (fields == NULL || bytes == NULL)
		return false;
	memcpy(bytes, hashes, count * sizeof *hashes);
	for (size_t i = 0; i < count; i++)
		fields[i] = (ProtobufCBinaryData){MERKLE_HASH_BYTES, bytes + i * MERKLE_HASH_BYTES};
	*ret_count = count;
	*ret = fields;
	return true;
}

static bool receipt_path(struct audit_log *log, struct arena *arena, uint64_t index, Cpis__V1__Receipt *receipt)
{
	struct merkle_path path;
	return merkle_prove(index, log->current.size, fetch, log, &path) &&
	       hashes_field(arena, path.hashes, path.count, &receipt->n_path, &receipt->path);
}

Cpis__V1__Receipt *audit_receipt(struct audit_log *log, struct arena *arena, uint64_t index)
{
	Cpis__V1__Receipt *receipt = arena_alloc(arena, sizeof *receipt);
	if (receipt == NULL || index >= log->current.size)
		return NULL;
	cpis__v1__receipt__init(receipt);
	receipt->index = index;
	if (index >= log->committed.size) {
		struct batch_row *row = &log->rows[index - log->committed.size];
		receipt->salt.data = arena_copy(arena, row->salt, sizeof row->salt);
		receipt->record.data = (uint8_t *)(uintptr_t)row->record;
		receipt->record.len = row->record_bytes;
	} else {
		struct store_audit row;
		if (log->options.store->ops->audit_get(log->options.store, index, arena, &row) != STORE_OK)
			return NULL;
		receipt->salt.data = arena_copy(arena, row.salt, sizeof row.salt);
		receipt->record.data = (uint8_t *)(uintptr_t)row.record.data;
		receipt->record.len = row.record.bytes;
	}
	receipt->salt.len = SALT_BYTES;
	receipt->checkpoint = arena_copy_text(arena, log->note, strlen(log->note));
	if (receipt->salt.data == NULL || receipt->checkpoint == NULL || !receipt_path(log, arena, index, receipt))
		return NULL;
	return receipt;
}

bool audit_growth(struct audit_log *log, struct arena *arena, uint64_t old_size, uint64_t size, size_t *ret_count,
		  ProtobufCBinaryData **ret)
{
	struct merkle_growth proof;
	if (size > log->current.size || !merkle_prove_growth(old_size, size, fetch, log, &proof))
		return false;
	return hashes_field(arena, proof.hashes, proof.count, ret_count, ret);
}

bool audit_prove_growth(struct audit_log *log, struct arena *arena, uint64_t old_size, Cpis__V1__Receipt *receipt)
{
	if (old_size == 0 || old_size > log->current.size)
		return true;
	return audit_growth(log, arena, old_size, log->current.size, &receipt->n_growth, &receipt->growth);
}

// NULL when it does not open; `ret_erased`, and an empty one, when nobody can open it any more.
static Cpis__V1__AuditDetail *open_detail(struct audit_log *log, struct arena *arena,
					  const Cpis__V1__AuditRecord *record, bool *ret_erased)
{
	uint8_t identity[8];
	const struct audit_key *key = audit_keys_by_id(log->keys, record->seal_key);
	*ret_erased = key != NULL && key->destroyed_ms != 0;
	if (*ret_erased) {
		Cpis__V1__AuditDetail *empty = arena_alloc(arena, sizeof *empty);
		if (empty != NULL)
			cpis__v1__audit_detail__init(empty);
		return empty;
	}
	if (key == NULL || key->seal == NULL)
		return NULL;
	index_identity(record->index, identity);
	struct store_blob sealed = {record->sealed_detail.data, record->sealed_detail.len};
	return (Cpis__V1__AuditDetail *)sealed_open_with(key->seal, arena, identity, sizeof identity, sealed,
							 &cpis__v1__audit_detail__descriptor);
}

Cpis__V1__AuditEntry *audit_entry(struct audit_log *log, struct arena *arena, const struct store_audit *row)
{
	Cpis__V1__AuditRecord *record = NULL;
	struct wire_error error;
	if (audit_record_decode(arena, row->record.data, row->record.bytes, &record, &error) != WIRE_OK ||
	    record->index != row->index)
		return NULL;
	Cpis__V1__AuditEntry *entry = arena_alloc(arena, sizeof *entry);
	if (entry == NULL)
		return NULL;
	cpis__v1__audit_entry__init(entry);
	bool erased = false;
	entry->detail = open_detail(log, arena, record, &erased);
	if (entry->detail == NULL)
		return NULL;
	entry->erased = erased;
	entry->index = record->index;
	entry->time_ms = record->time_ms;
	entry->request_id = record->request_id;
	entry->operation = record->operation;
	entry->outcome = record->outcome;
	entry->reason_code = record->reason_code;
	entry->organisation = record->organisation;
	entry->system_name = record->system_name;
	entry->policy_version = record->policy_version;
	return entry;
}
