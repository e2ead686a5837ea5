// A log in memory and its receipts, made as an honest broker makes them.
#include <stdio.h>
#include <string.h>

#include <openssl/rand.h>

#include "tests/interop/vectors.h"

bool vector_log_fetch(void *context, unsigned height, uint64_t number, struct merkle_hash *ret)
{
	const struct vector_log *log = context;
	*ret = log->nodes[((number + 1) << height) - 1][height];
	return true;
}

void vector_record(const struct vector_log *log, const Cpis__V1__Request *request, Cpis__V1__AuditRecord *ret)
{
	static char organisation[] = VECTORS_ORGANISATION, system[] = VECTORS_SYSTEM, policy[] = "vectors-1@0000000000000000",
		    broker[] = VECTORS_BROKER;
	cpis__v1__audit_record__init(ret);
	ret->version = 1;
	ret->index = log->tree.size;
	ret->time_ms = VECTORS_NOW_MS + log->tree.size;
	ret->request_id = request->request_id;
	ret->operation = wire_operation(request);
	ret->outcome = CPIS__V1__OUTCOME__OK;
	ret->organisation = organisation;
	ret->system_name = system;
	ret->policy_version = policy;
	ret->broker_name = broker;
}

static void *take(struct arena *arena, const void *data, size_t bytes)
{
	void *copy = arena_alloc(arena, bytes);
	vectors_must(copy != NULL, "the arena is full");
	return memcpy(copy, data, bytes);
}

static ProtobufCBinaryData *take_hashes(struct arena *arena, const struct merkle_hash *hashes, size_t count)
{
	ProtobufCBinaryData *taken = arena_alloc(arena, (count + 1) * sizeof *taken);
	vectors_must(taken != NULL, "the arena is full");
	for (size_t i = 0; i < count; i++)
		taken[i] = (ProtobufCBinaryData){HASH_BYTES, take(arena, hashes[i].bytes, HASH_BYTES)};
	return taken;
}

static void sign_tree(struct vector_log *log)
{
	struct checkpoint checkpoint = {.size = log->tree.size};
	snprintf(checkpoint.origin, sizeof checkpoint.origin, "%s", log->origin);
	merkle_root(&log->tree, &checkpoint.root);
	vectors_must(checkpoint_sign(&checkpoint, log->key, log->notes[log->tree.size]) == CERTS_OK, "checkpoint");
}

void vector_log_seal(struct vectors *vectors, struct vector_log *log, const Cpis__V1__AuditRecord *record, uint64_t held,
		     Cpis__V1__Reply *reply)
{
	struct arena *arena = &vectors->arena;
	struct merkle_hash leaf;
	struct merkle_path path;
	struct merkle_growth growth = {.count = 0};
	size_t bytes = 0, count;
	uint8_t salt[SALT_BYTES];
	const uint8_t *packed = wire_pack(arena, &record->base, &bytes);
	uint64_t index = log->tree.size;
	vectors_must(packed != NULL && index < VECTOR_LOG_RECORDS_MAX && RAND_bytes(salt, sizeof salt) == 1, "record");
	merkle_leaf(salt, packed, bytes, &leaf);
	merkle_append(&log->tree, &leaf, log->nodes[index], &count);
	sign_tree(log);
	vectors_must(merkle_prove(index, index + 1, vector_log_fetch, log, &path), "path");
	vectors_must(held == 0 || merkle_prove_growth(held, index + 1, vector_log_fetch, log, &growth), "growth");
	Cpis__V1__Receipt *receipt = arena_alloc(arena, sizeof *receipt);
	vectors_must(receipt != NULL, "the arena is full");
	cpis__v1__receipt__init(receipt);
	receipt->index = index;
	receipt->salt = (ProtobufCBinaryData){SALT_BYTES, take(arena, salt, SALT_BYTES)};
	receipt->record = (ProtobufCBinaryData){bytes, take(arena, packed, bytes)};
	receipt->n_path = path.count;
	receipt->path = take_hashes(arena, path.hashes, path.count);
	receipt->checkpoint = take(arena, log->notes[index + 1], strlen(log->notes[index + 1]) + 1);
	receipt->n_growth = growth.count;
	receipt->growth = take_hashes(arena, growth.hashes, growth.count);
	reply->receipt = receipt;
}
