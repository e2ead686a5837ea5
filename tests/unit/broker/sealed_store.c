// The store's key lies beside it.
#include "tests/unit/broker/sealed_store.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/limits.h"

static char directory[] = "/tmp/cpis-test-store-XXXXXX";
static char database[64], key[64];
struct store *store;
struct vault *vault;
struct arena arena;

void sealed_store_make(void)
{
	char detail[STORE_DETAIL_BYTES] = "";
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(database, sizeof database, "%s/store", directory);
	snprintf(key, sizeof key, "%s/store.key", directory);
	ck_assert_msg(vault_create_key(key, detail) && vault_open_key(key, &vault, detail), "%s", detail);
	ck_assert_msg(store_sqlite_open(database, &store, detail) == STORE_OK, "%s", detail);
	ck_assert(arena_init(&arena, ARENA_BYTES));
}

void sealed_store_remove(void)
{
	static const char *const ends[] = {"", "-wal", "-shm", ".lock", ".key"};
	char path[80];
	store->ops->close(store);
	vault_free(vault);
	arena_done(&arena);
	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
		snprintf(path, sizeof path, "%s%s", database, ends[i]);
		unlink(path);
	}
	rmdir(directory);
	memcpy(directory + strlen(directory) - 6, "XXXXXX", 6);
}
