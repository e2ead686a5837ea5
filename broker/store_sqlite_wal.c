// SQLite backend: the write-ahead log brought back into the database. SQLite does that within the commit that finds the log long
// enough, and whoever waits for that commit waits for some megabytes to be written and flushed. So a thread does it beside the
// commits. The log begins anew when all of it has been brought back and nothing has come meanwhile. When that does not happen by
// itself, because there is no pause between commits, the committer does the last piece, once the thread has left little of it.
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "broker/log.h"
#include "broker/store_sqlite_priv.h"
#include "proto/invariant.h"

#define WAL_FRAMES_LONG 1000      // some 4 MB: the thread begins
#define WAL_FRAMES_TOO_LONG 16000 // some 64 MB: the committer does not wait for a pause any more
#define WAL_FRAMES_LITTLE 256
#define WAL_PASSES_MAX 16u

struct wal_keeper {
	sqlite3 *database;  // a connection of the thread's own
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t woken, rested;
	bool working;
	bool wanted, stopping;
	bool failing;       // it has been told that the last pass failed
	bool little_left;   // all but a few frames are in the database
	int asked_frames;   // how long the log was when the thread was last asked
};

// A flush that failed leaves pages that the system takes for written and that may never be: a second flush would find nothing to do and
// succeed. Only what reads the write-ahead log from its beginning puts them there again, which a start does. So the process ends
// before that log can begin anew.
static void end_unflushed(void)
{
	log_event(LOG_EVENT_STORE_UNFLUSHED,
		  "the database could not be flushed: the disk fails, see the kernel's log; the broker ends, so that its next start brings the"
		  " whole write-ahead log into the database again");
	abort();
}

static bool is_unflushed(int status)
{
	return status == SQLITE_IOERR_FSYNC || status == SQLITE_IOERR_DIR_FSYNC;
}

// SQLite flushes the database when a pass has reached the last frame, which under load none does: then the committer would.
static int flush_database(sqlite3 *database)
{
	sqlite3_file *file = NULL;
	int status = sqlite3_file_control(database, "main", SQLITE_FCNTL_FILE_POINTER, &file);
	return status == SQLITE_OK ? file->pMethods->xSync(file, SQLITE_SYNC_NORMAL) : status;
}

// Each pass takes less time than the one before, so less comes meanwhile.
static bool bring_back(struct wal_keeper *keeper)
{
	int frames = 0, moved = 0, before = -1;
	for (unsigned pass = 0; pass < WAL_PASSES_MAX; pass++) {
		int status = sqlite3_wal_checkpoint_v2(keeper->database, NULL, SQLITE_CHECKPOINT_PASSIVE, &frames, &moved);
		if (status == SQLITE_OK)
			status = flush_database(keeper->database);
		if (is_unflushed(status))
			end_unflushed();
		bool failed = status != SQLITE_OK && status != SQLITE_BUSY;
		if (failed && !keeper->failing)
			log_event(LOG_EVENT_STORE_FAILED, "wal_checkpoint: %s; it is tried again", sqlite3_errstr(status));
		keeper->failing = failed;
		if (status != SQLITE_OK)
			return false;
		if (frames - moved <= WAL_FRAMES_LITTLE)
			return true;
		// A reader holds the rest: later.
		if (moved <= before)
			return false;
		before = moved;
	}
	return false;
}

static void *keep(void *argument)
{
	struct wal_keeper *keeper = argument;
	pthread_mutex_lock(&keeper->mutex);
	while (!keeper->stopping) {
		if (!keeper->wanted) {
			pthread_cond_wait(&keeper->woken, &keeper->mutex);
			continue;
		}
		keeper->working = true;
		pthread_mutex_unlock(&keeper->mutex);
		bool little_left = bring_back(keeper);
		pthread_mutex_lock(&keeper->mutex);
		keeper->wanted = keeper->working = false;
		keeper->little_left = little_left;
		pthread_cond_broadcast(&keeper->rested);
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
	if (keeper->little_left && frames >= WAL_FRAMES_TOO_LONG) {
		finish = true;
	} else if (!keeper->wanted && (frames < keeper->asked_frames ? frames : frames - keeper->asked_frames) >= WAL_FRAMES_LONG) {
		keeper->wanted = true;
		keeper->asked_frames = frames;
		pthread_cond_signal(&keeper->woken);
	}
	keeper->little_left = false;
	pthread_mutex_unlock(&keeper->mutex);
	// What else fails here is tried again with the next one: the log only grows meanwhile.
	int status = finish ? sqlite3_wal_checkpoint_v2(database, name, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL) : SQLITE_OK;
	if (is_unflushed(status))
		end_unflushed();
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
	pthread_cond_init(&keeper->rested, NULL);
	if (sqlite3_open_v2(path, &keeper->database, flags, NULL) != SQLITE_OK ||
	    sqlite3_exec(keeper->database, "PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF", NULL, NULL, NULL) != SQLITE_OK ||
	    pthread_create(&keeper->thread, NULL, keep, keeper) != 0) {
		sqlite3_close(keeper->database);
		free(keeper);
		return false;
	}
	sqlite3_extended_result_codes(keeper->database, 1);
	sqlite3_wal_hook(store->database, after_commit, keeper);
	store->keeper = keeper;
	return true;
}

int sqlite_wal_cut(struct sqlite_store *store)
{
	struct wal_keeper *keeper = store->keeper;
	if (keeper == NULL)
		return SQLITE_BUSY;
	pthread_mutex_lock(&keeper->mutex);
	while (keeper->working)
		pthread_cond_wait(&keeper->rested, &keeper->mutex);
	// It cannot begin meanwhile. Nobody waits for a reader: it is tried again.
	sqlite3_busy_timeout(store->database, 0);
	int status = sqlite3_wal_checkpoint_v2(store->database, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	if (is_unflushed(status))
		end_unflushed();
	sqlite3_busy_timeout(store->database, store->busy ? STORE_BUSY_AGAIN_MS : STORE_BUSY_TIMEOUT_MS);
	pthread_mutex_unlock(&keeper->mutex);
	return status;
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
	pthread_cond_destroy(&keeper->rested);
	pthread_mutex_destroy(&keeper->mutex);
	free(keeper);
	store->keeper = NULL;
}
