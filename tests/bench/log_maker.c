// Audit logs for benchmarks.
#include "tests/bench/log_maker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <sqlite3.h>


#define BATCH 8192u

static void must(bool good, const char *what, const char *detail)
{
	if (good)
		return;
	fprintf(stderr, "log_maker: %s: %s\n", what, detail);
	exit(1);
}

void log_maker_uid(uint32_t person, char out[UID_DIGITS + 1])
{
	snprintf(out, UID_DIGITS + 1, "555%09u", person % 1000000000u);
}

void log_maker_organisation(uint32_t organisation, char out[8])
{
	snprintf(out, 8, "R%03u", organisation % 1000u);
}

uint64_t log_maker_time_ms(uint64_t index)
{
	return LOG_MAKER_FROM_MS + index * LOG_MAKER_STEP_MS;
}

// Valid numbers of the range kept for tests: each stem that has a check digit.
static struct nhs_number *make_children(void)
{
	struct nhs_number *children = calloc(LOG_MAKER_CHILDREN, sizeof *children);
	must(children != NULL, "children", "out of memory");
	for (unsigned stem = 0, made = 0; made < LOG_MAKER_CHILDREN; stem++)
		for (unsigned digit = 0; digit < 10; digit++) {
			char text[11];
			snprintf(text, sizeof text, "999%06u%u", stem % 1000000u, digit);
			if (nhs_number_parse(text, 10, &children[made]) == NHS_NUMBER_OK) {
				made++;
				break;
			}
		}
	return children;
}

// What the log is verified with, in the file that a trust bundle has for it.
static void write_verifier(const struct log_maker *maker, const char *directory)
{
	char path[600], line[256] = "";
	struct note_verifier verifier = {.origin = LOG_MAKER_ORIGIN};
	signing_key_public(maker->key, verifier.public_key);
	must(note_verifier_format(&verifier, line, sizeof line) == CERTS_OK, "log.vkey", "cannot be formatted");
	snprintf(path, sizeof path, "%s/log.vkey", directory);
	FILE *file = fopen(path, "we");
	must(file != NULL && fprintf(file, "%s\n", line) > 0 && fclose(file) == 0, path, "cannot be written");
}

// With the store at `maker->path` and the log's key there already.
static void open_log(struct log_maker *maker, const char *store_key)
{
	char detail[STORE_DETAIL_BYTES] = "";
	maker->children = make_children();
	must(vault_open_key(store_key, &maker->vault, detail), store_key, detail);
	must(store_sqlite_open(maker->path, &maker->store, detail) == STORE_OK, maker->path, detail);
	must(arena_init(&maker->arena, BATCH * 6000u), "arena", "out of memory");
	struct audit_options options = {.store = maker->store, .vault = maker->vault, .key = maker->key,
					.origin = maker->origin, .broker_name = "bench", .batch_max = BATCH};
	must(audit_open(&options, &maker->audit, detail), "log", detail);
}

void log_maker_open(struct log_maker *maker, const char *directory)
{
	char store_key[600], detail[AUDIT_DETAIL_BYTES] = "";
	*maker = (struct log_maker){.step_ms = LOG_MAKER_STEP_MS};
	snprintf(store_key, sizeof store_key, "%s/store.key", directory);
	snprintf(maker->path, sizeof maker->path, "%s/broker.db", directory);
	must(vault_create_key(store_key, detail), store_key, detail);
	must(signing_key_generate(&maker->key) == CERTS_OK, "key", "cannot be made");
	write_verifier(maker, directory);
	snprintf(maker->origin, sizeof maker->origin, "%s", LOG_MAKER_ORIGIN);
	open_log(maker, store_key);
}

void log_maker_open_in(struct log_maker *maker, struct world *world, uint64_t records)
{
	struct note_verifier verifier;
	uint64_t span_ms = world_now_ms() - LOG_MAKER_FROM_MS;
	*maker = (struct log_maker){.step_ms = records * LOG_MAKER_STEP_MS < span_ms ? LOG_MAKER_STEP_MS : span_ms / (records + 1)};
	snprintf(maker->path, sizeof maker->path, "%s", world_path(world, "store.db"));
	must(signing_key_load(world_path(world, "authority/broker/log.key"), &maker->key) == CERTS_OK &&
		     note_verifier_load(world_path(world, "authority/trust/log.vkey"), &verifier) == CERTS_OK,
	     "the log's key", "cannot be read");
	snprintf(maker->origin, sizeof maker->origin, "%s", verifier.origin);
	open_log(maker, world_path(world, "store.key"));
}

// A number that depends on `index` and `salt` only (splitmix64).
static uint64_t mix(uint64_t index, uint64_t salt)
{
	uint64_t z = (index * 8 + salt + 1) * UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

struct act {
	Cpis__V1__Operation operation;
	enum reason reason;
	bool about_child;
};

static struct act act_of(unsigned of_hundred)
{
	if (of_hundred < 70)
		return (struct act){CPIS__V1__OPERATION__FLAG, REASON_NONE, true};
	if (of_hundred < 78)
		return (struct act){CPIS__V1__OPERATION__DETAILS, REASON_NONE, true};
	if (of_hundred < 83)
		return (struct act){CPIS__V1__OPERATION__FLAG, REASON_ACTIVITY, true};
	if (of_hundred < 90)
		return (struct act){CPIS__V1__OPERATION__SESSION_OPEN, REASON_NONE, false};
	if (of_hundred < 99)
		return (struct act){CPIS__V1__OPERATION__INBOX_LIST, REASON_NONE, false};
	return (struct act){CPIS__V1__OPERATION__AUDIT_SEARCH, REASON_NONE, true};
}

static void append(struct log_maker *maker, uint64_t index)
{
	struct act act = act_of((unsigned)(mix(index, 0) % 100));
	uint32_t child = mix(index, 1) % 100 == 0 ? 0 : (uint32_t)(mix(index, 2) % LOG_MAKER_CHILDREN);
	uint32_t person = mix(index, 3) % 100 == 0 ? 0 : (uint32_t)(mix(index, 4) % LOG_MAKER_STAFF);
	char uid[UID_DIGITS + 1], name[32], organisation[8];
	uint8_t request_id[REQUEST_ID_BYTES] = {0}, session_id[SESSION_ID_BYTES] = {0};
	uint64_t ignored, session = mix(person, index / 10000);
	struct store_tag subject, by;
	Cpis__V1__AuditDetail detail = CPIS__V1__AUDIT_DETAIL__INIT;
	log_maker_uid(person, uid);
	log_maker_organisation(person % LOG_MAKER_ORGANISATIONS, organisation);
	snprintf(name, sizeof name, "Person %u", person);
	memcpy(request_id, &index, sizeof index);
	memcpy(session_id, &session, sizeof session);
	vault_tag_subject(maker->vault, &maker->children[child], &subject);
	vault_tag_person(maker->vault, uid, &by);
	detail.nhs_number = act.about_child ? maker->children[child].digits : detail.nhs_number;
	detail.uid = uid;
	detail.name = name;
	detail.role_code = (char *)(uintptr_t) "R8001";
	detail.role_name = (char *)(uintptr_t) "Nurse Access";
	detail.rule = (char *)(uintptr_t) "roles R8001 activities B0107";
	detail.care_setting = CPIS__V1__CARE_SETTING__EMERGENCY_DEPARTMENT;
	detail.notified = act.operation == CPIS__V1__OPERATION__DETAILS;
	detail.session_id = (ProtobufCBinaryData){sizeof session_id, session_id};
	struct audit_event event = {
		.time_ms = LOG_MAKER_FROM_MS + index * maker->step_ms, .request_id = request_id, .operation = act.operation, .reason = act.reason,
		.organisation = organisation, .system_name = "hospital", .subject = act.about_child ? &subject : NULL,
		.person = &by, .policy_version = "cpis-default-1@0123456789abcdef", .detail = &detail,
	};
	must(audit_append(maker->audit, &maker->arena, &event, &ignored) == STORE_OK, "record", "cannot be appended");
}

// All of it into the file itself: it may be copied.
static void empty_write_ahead_log(const struct log_maker *maker)
{
	sqlite3 *database = NULL;
	must(sqlite3_open(maker->path, &database) == SQLITE_OK &&
		     sqlite3_exec(database, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL) == SQLITE_OK,
	     maker->path, "its write-ahead log cannot be emptied");
	sqlite3_close(database);
}

void log_maker_grow(struct log_maker *maker, uint64_t records)
{
	const struct store_ops *ops = maker->store->ops;
	while (audit_next_index(maker->audit) < records) {
		must(ops->begin(maker->store) == STORE_OK, "batch", "cannot begin");
		for (unsigned i = 0; i < BATCH && audit_next_index(maker->audit) < records; i++)
			append(maker, audit_next_index(maker->audit));
		must(audit_close_batch(maker->audit) == STORE_OK && ops->commit(maker->store) == STORE_OK, "batch",
		     "cannot be committed");
		audit_committed(maker->audit);
		arena_reset(&maker->arena);
	}
	empty_write_ahead_log(maker);
}

uint64_t log_maker_file_bytes(const struct log_maker *maker)
{
	static const char *const ends[] = {"", "-wal"};
	uint64_t bytes = 0;
	for (size_t i = 0; i < 2; i++) {
		char path[600];
		struct stat status;
		snprintf(path, sizeof path, "%s%s", maker->path, ends[i]);
		if (stat(path, &status) == 0)
			bytes += (uint64_t)status.st_size;
	}
	return bytes;
}

void log_maker_close(struct log_maker *maker)
{
	audit_free(maker->audit);
	maker->store->ops->close(maker->store);
	vault_free(maker->vault);
	signing_key_free(maker->key);
	arena_done(&maker->arena);
	free(maker->children);
}
