// The table of open sessions.
#include "clients/fhir/bearers.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

// Chosen by the digest's first bytes, which a caller cannot choose usefully: a place holds one of four.
#define WAYS 4u
#define PLACES (BEARERS_MAX / WAYS)

struct entry {
	uint8_t id[SHA256_BYTES];
	struct bearer_session session; // expires_ms 0: free
};

struct bearers {
	pthread_mutex_t mutex;
	struct entry entries[BEARERS_MAX];
};

bool bearers_new(struct bearers **ret)
{
	struct bearers *bearers = calloc(1, sizeof *bearers);
	if (bearers == NULL || pthread_mutex_init(&bearers->mutex, NULL) != 0) {
		free(bearers);
		return false;
	}
	*ret = bearers;
	return true;
}

void bearers_free(struct bearers *bearers)
{
	if (bearers == NULL)
		return;
	pthread_mutex_destroy(&bearers->mutex);
	explicit_bzero(bearers, sizeof *bearers);
	free(bearers);
}

static struct entry *place_of(struct bearers *bearers, const uint8_t id[SHA256_BYTES])
{
	return &bearers->entries[(((size_t)id[0] << 8 | id[1]) % PLACES) * WAYS];
}

static struct entry *find(struct bearers *bearers, const uint8_t id[SHA256_BYTES])
{
	struct entry *at = place_of(bearers, id);
	for (size_t i = 0; i < WAYS; i++)
		if (at[i].session.expires_ms != 0 && memcmp(at[i].id, id, SHA256_BYTES) == 0)
			return &at[i];
	return NULL;
}

bool bearers_find(struct bearers *bearers, const uint8_t id[SHA256_BYTES], uint64_t now_ms, struct bearer_session *ret)
{
	pthread_mutex_lock(&bearers->mutex);
	struct entry *found = find(bearers, id);
	bool good = found != NULL && now_ms < found->session.expires_ms;
	if (good)
		*ret = found->session;
	else if (found != NULL)
		explicit_bzero(found, sizeof *found);
	pthread_mutex_unlock(&bearers->mutex);
	return good;
}

void bearers_keep(struct bearers *bearers, const uint8_t id[SHA256_BYTES], const struct bearer_session *session)
{
	pthread_mutex_lock(&bearers->mutex);
	struct entry *to = find(bearers, id);
	if (to == NULL) {
		struct entry *at = to = place_of(bearers, id);
		for (size_t i = 1; i < WAYS; i++)
			if (at[i].session.expires_ms < to->session.expires_ms)
				to = &at[i];
	}
	memcpy(to->id, id, SHA256_BYTES);
	to->session = *session;
	pthread_mutex_unlock(&bearers->mutex);
}

void bearers_forget(struct bearers *bearers, const uint8_t id[SHA256_BYTES])
{
	pthread_mutex_lock(&bearers->mutex);
	struct entry *found = find(bearers, id);
	if (found != NULL)
		explicit_bzero(found, sizeof *found);
	pthread_mutex_unlock(&bearers->mutex);
}
