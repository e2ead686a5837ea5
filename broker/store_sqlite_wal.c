// SQLite backend: the write-ahead log brought back into the database. SQLite does that within the commit that finds the log long
// enough, and whoever waits for that commit waits for some megabytes to be written and flushed. So a thread does the most
// of it, beside the commits; and then the committer what has come meanwhile, which is little, so that the log begins anew.
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "broker/log.h"
#include "broker/store_sqlite_priv.h"
#include "proto/invariant.h"

#define WAL_FRAMES_LONG 2000 // some 8 MB

struct wal_keeper {
	sqlite3 *database;  // a connection of the thread's own
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t woken;
	bool wanted, done, stopping;
};

static void *keep(void *argument)
{
	struct wal_keeper *keeper = argument;
	pthread_mutex_lock(&keeper->mutex);
	while (!keeper->stopping) {
		if (!keeper->wanted) {
			pthread_cond_wait(&keeper->woken, &keeper->mutex);
			continue;
		}
		pthread_mutex_unlock(&keeper->mutex);
		int status = sqlite3_wal_checkpoint_v2(keeper->database, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
		if (status != SQLITE_OK && status != SQLITE_BUSY)
			log_event(LOG_LEVEL_ERROR, "store_failed", "wal_checkpoint: %s", sqlite3_errmsg(keeper->database));
		pthread_mutex_lock(&keeper->mutex);
		keeper->wanted = false;
		keeper->done = true;
	}
	pthread_mutex_unlock(&keeper->mutex);
	return NULL;
}

// After each commit, with the number of frames in the log.
static int after_commit(void *context, sqlite3 *database, const char *name, int frames)
{
	struct wal_keeper *keeper = context;
	bool finish = false;
	pthread_mutex_lock(&keeper->mutex);
	if (keeper->done) {
		keeper->done = false;
		finish = true;
	} else if (frames >= WAL_FRAMES_LONG && !keeper->wanted) {
		keeper->wanted = true;
		pthread_cond_signal(&keeper->woken);
	}
	pthread_mutex_unlock(&keeper->mutex);
	// What fails here is tried again with the next one: the log only grows meanwhile.
	if (finish)
		sqlite3_wal_checkpoint_v2(database, name, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	return SQLITE_OK;
}

bool sqlite_wal_keeper_start(struct sqlite_store *store, const char *path)
{
	struct wal_keeper *keeper = calloc(1, sizeof *keeper);
	if (keeper == NULL)
		return false;
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW;
	pthread_mutex_init(&keeper->mutex, NULL);
	pthread_cond_init(&keeper->woken, NULL);
	if (sqlite3_open_v2(path, &keeper->database, flags, NULL) != SQLITE_OK ||
	    sqlite3_exec(keeper->database, "PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF", NULL, NULL, NULL) != SQLITE_OK ||
	    pthread_create(&keeper->thread, NULL, keep, keeper) != 0) {
		sqlite3_close(keeper->database);
		free(keeper);
		return false;
	}
	sqlite3_wal_hook(store->database, after_commit, keeper);
	store->keeper = keeper;
	return true;
}

void sqlite_wal_keeper_stop(struct sqlite_store *store)
{
	struct wal_keeper *keeper = store->keeper;
	if (keeper == NULL)
		return;
	sqlite3_wal_hook(store->database, NULL, NULL);
	pthread_mutex_lock(&keeper->mutex);
	keeper->stopping = true;
	pthread_cond_signal(&keeper->woken);
	pthread_mutex_unlock(&keeper->mutex);
	pthread_join(keeper->thread, NULL);
	sqlite3_close(keeper->database);
	pthread_cond_destroy(&keeper->woken);
	pthread_mutex_destroy(&keeper->mutex);
	free(keeper);
	store->keeper = NULL;
}
