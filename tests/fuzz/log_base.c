// A store is opened, filled, and closed again; what is kept is the file's bytes.
#include "tests/fuzz/log_base.h"

#include <string.h>

#include <sqlite3.h>

#include "broker/store.h"
#include "proto/wire.h"

static struct signing_key *key;
static struct note_verifier verifier;

const struct note_verifier *log_base_verifier(void)
{
	static const char pem[] = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB\n"
				  "-----END PRIVATE KEY-----\n";
	if (key != NULL)
		return &verifier;
	FUZZ_MUST(signing_key_load(fuzz_file(pem, sizeof pem - 1), &key) == CERTS_OK);
	strcpy(verifier.origin, LOG_BASE_ORIGIN);
	signing_key_public(key, verifier.public_key);
	return &verifier;
}

void log_base_sign(uint64_t size, const struct merkle_hash *root, char out[NOTE_BYTES_MAX + 1])
{
	struct checkpoint checkpoint = {.origin = LOG_BASE_ORIGIN, .size = size, .root = *root};
	log_base_verifier();
	FUZZ_MUST(checkpoint_sign(&checkpoint, key, out) == CERTS_OK);
}

size_t log_base_record(uint64_t index, uint8_t variant, uint8_t out[512])
{
	static uint8_t id[REQUEST_ID_BYTES], tag[TAG_BYTES] = {1};
	Cpis__V1__AuditRecord record = CPIS__V1__AUDIT_RECORD__INIT;
	record.version = 1;
	record.index = index;
	record.time_ms = LOG_BASE_NOW_MS + index * 1000;
	record.request_id = (ProtobufCBinaryData){sizeof id, id};
	record.operation = CPIS__V1__OPERATION__FLAG;
	record.outcome = variant % 2 == 0 ? CPIS__V1__OUTCOME__OK : CPIS__V1__OUTCOME__ACCESS_DENIED;
	record.organisation = (char *)(uintptr_t)(variant % 3 == 2 ? "" : index % 2 == 0 ? "RXH" : "383");
	record.system_name = (char *)(uintptr_t)"hospital";
	record.broker_name = (char *)(uintptr_t)"test-broker";
	if (index % 3 != 0) {
		record.subject_tag = (ProtobufCBinaryData){sizeof tag, tag};
		record.person_tag = (ProtobufCBinaryData){sizeof tag, tag};
	}
	FUZZ_MUST(cpis__v1__audit_record__get_packed_size(&record) <= 512);
	return cpis__v1__audit_record__pack(&record, out);
}

static void append(struct store *store, uint64_t index, struct merkle_tree *tree)
{
	uint8_t packed[512];
	struct store_audit row = {.index = index, .time_ms = LOG_BASE_NOW_MS + index * 1000};
	struct merkle_hash leaf;
	row.record = (struct store_blob){packed, log_base_record(index, 0, packed)};
	strcpy(row.organisation.text, index % 2 == 0 ? "RXH" : "383");
	row.has_subject = row.has_person = index % 3 != 0;
	row.subject.bytes[0] = row.person.bytes[0] = 1;
	merkle_leaf(row.salt, packed, row.record.bytes, &leaf);
	merkle_append(tree, &leaf, row.nodes, &row.node_count);
	FUZZ_MUST(store->ops->audit_append(store, &row) == STORE_OK);
}

static void fill(struct store *store, uint64_t records, struct merkle_hash *ret_root)
{
	struct merkle_tree tree = {0};
	struct store_audit *rows = NULL;
	size_t count = 0;
	char note[NOTE_BYTES_MAX + 1];
	struct store_tag tag = {{1}};
	struct store_audit_range range = {.key = STORE_AUDIT_SUBJECT, .tags = &tag, .tag_count = 1, .until_index = records,
					  .until_ms = UINT64_MAX, .limit = 1};
	FUZZ_MUST(store->ops->begin(store) == STORE_OK);
	for (uint64_t i = 0; i < records; i++)
		append(store, i, &tree);
	merkle_root(&tree, ret_root);
	log_base_sign(records, ret_root, note);
	// Searching takes the rows into the index.
	FUZZ_MUST(store->ops->checkpoint_put(store, note) == STORE_OK &&
		  store->ops->audit_search(store, &range, fuzz_arena(), &rows, &count) == STORE_OK &&
		  store->ops->commit(store) == STORE_OK);
}

void log_base_make(struct log_base *base, const char *name, uint64_t records)
{
	struct store *store = NULL;
	sqlite3 *database = NULL;
	char detail[STORE_DETAIL_BYTES];
	*base = (struct log_base){.records = records};
	snprintf(base->path, sizeof base->path, "%.48s/%.32s", fuzz_directory(), name);
	FUZZ_MUST(store_sqlite_open(base->path, &store, detail) == STORE_OK);
	fill(store, records, &base->root);
	store->ops->close(store);
	// Without a write-ahead log it is one file, and triggers keep an attacker from nothing.
	FUZZ_MUST(sqlite3_open(base->path, &database) == SQLITE_OK &&
		  sqlite3_exec(database,
			       "PRAGMA journal_mode = DELETE; DROP TRIGGER audit_is_not_updated; DROP TRIGGER audit_is_not_deleted;"
			       "DROP TRIGGER audit_is_only_appended; VACUUM",
			       NULL, NULL, NULL) == SQLITE_OK);
	sqlite3_close(database);
	FILE *file = fopen(base->path, "re");
	FUZZ_MUST(file != NULL && fseek(file, 0, SEEK_END) == 0);
	base->image_bytes = (size_t)ftell(file);
	base->image = malloc(base->image_bytes);
	rewind(file);
	FUZZ_MUST(base->image != NULL && fread(base->image, 1, base->image_bytes, file) == base->image_bytes);
	fclose(file);
}

void log_base_note(const struct log_base *base, char out[NOTE_BYTES_MAX + 1])
{
	log_base_sign(base->records, &base->root, out);
}

void log_base_restore(const struct log_base *base)
{
	fuzz_write(base->path, base->image, base->image_bytes);
}
