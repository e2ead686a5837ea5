// Asking one broker after the other.
#include "tests/cluster/brokers.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#define PATH_BYTES 400
#define NOT_NOW_MS 50u

bool brokers_read(const char *directory, struct brokers *ret)
{
	char path[PATH_BYTES];
	*ret = (struct brokers){.directory = directory};
	snprintf(path, sizeof path, "%s/brokers.list", directory);
	FILE *file = fopen(path, "re");
	struct broker_place *place = ret->places;
	while (file != NULL && ret->count < BROKERS_COUNT_MAX &&
	       fscanf(file, "%79s %79s %199s", place->name, place->endpoint, place->certificate) == 3)
		place = &ret->places[++ret->count];
	if (file != NULL)
		fclose(file);
	if (ret->count == 0)
		fprintf(stderr, "%s: no brokers: run cluster.sh up\n", path);
	return ret->count > 0;
}

void asker_init(struct asker *asker, const struct brokers *brokers, const char *system, const char *person, const char *role)
{
	*asker = (struct asker){.brokers = brokers, .system = system, .person = person, .role = role};
}

void asker_done(struct asker *asker)
{
	for (size_t i = 0; i < BROKERS_COUNT_MAX; i++) {
		cpis_close(asker->clients[i]);
		asker->clients[i] = NULL;
		asker->in_session[i] = false;
	}
}

void asker_new_id(uint8_t ret[REQUEST_ID_BYTES])
{
	if (getrandom(ret, REQUEST_ID_BYTES, 0) != REQUEST_ID_BYTES)
		abort();
}

uint64_t asker_now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

bool asker_wait(int stop, uint32_t wait_ms)
{
	struct pollfd ready = {.fd = stop, .events = POLLIN};
	return poll(&ready, 1, (int)wait_ms) == 1;
}

// ------------------------------------------------------------------ one attempt

static void path_of(const struct asker *asker, const char *folder, const char *file, const char *ending, char ret[PATH_BYTES])
{
	snprintf(ret, PATH_BYTES, "%s/%s/%s%s", asker->brokers->directory, folder, file, ending);
}

static enum asked connect_current(struct asker *asker)
{
	char trust[PATH_BYTES], certificate[PATH_BYTES], key[PATH_BYTES], detail[CPIS_DETAIL_BYTES] = "";
	const struct broker_place *place = &asker->brokers->places[asker->current];
	path_of(asker, "authority", "trust", "", trust);
	path_of(asker, "systems", asker->system, ".pem", certificate);
	path_of(asker, "systems", asker->system, ".key", key);
	struct cpis_options options = {
		.endpoint = place->endpoint, .broker_name = place->name, .broker_certificate = place->certificate,
		.trust_directory = trust, .system_certificate = certificate, .system_key = key,
	};
	enum cpis_status status = cpis_connect(&options, &asker->clients[asker->current], detail);
	if (status == CPIS_OK)
		return ASKED_ANSWERED;
	fprintf(stderr, "%s at %s: %s: %s\n", asker->person, place->name, cpis_status_text(status), detail);
	return ASKED_BROKEN;
}

// What comes of any call. A log that is not the one it was, or a reply without its proof, is worse than none.
static enum asked judge(const struct asker *asker, enum cpis_status status, const Cpis__V1__Reply *reply)
{
	switch (status) {
	case CPIS_OK:
		break;
	case CPIS_UNREACHABLE:
	case CPIS_TIMEOUT:
	case CPIS_REFUSED_AT_HANDSHAKE: // whoever is held back does not get in at all
		return ASKED_NOTHING;
	default:
		fprintf(stderr, "%s at %s: %s: %s\n", asker->person, asker->brokers->places[asker->current].name, cpis_status_text(status),
			cpis_detail(asker->clients[asker->current]));
		return ASKED_BROKEN;
	}
	switch (reply->outcome) {
	case CPIS__V1__OUTCOME__OK:
		return ASKED_ANSWERED;
	case CPIS__V1__OUTCOME__SERVICE_UNAVAILABLE:
	case CPIS__V1__OUTCOME__TOO_MANY_REQUESTS:
	case CPIS__V1__OUTCOME__DEADLINE_EXPIRED:
		return ASKED_NOTHING;
	default:
		return ASKED_REFUSED;
	}
}

static enum asked open_session(struct asker *asker, uint32_t attempt_ms, const Cpis__V1__Reply **ret)
{
	char certificate[PATH_BYTES], key[PATH_BYTES];
	path_of(asker, "staff", asker->person, ".pem", certificate);
	path_of(asker, "staff", asker->person, ".key", key);
	enum cpis_status status = cpis_session_open(asker->clients[asker->current], certificate, key, asker->role, attempt_ms, ret);
	enum asked asked = judge(asker, status, *ret);
	asker->in_session[asker->current] = asked == ASKED_ANSWERED;
	return asked;
}

enum asked asker_try(struct asker *asker, Cpis__V1__Request *request, bool is_act, const uint8_t id[REQUEST_ID_BYTES], uint32_t attempt_ms,
		     const Cpis__V1__Reply **ret)
{
	char key[PATH_BYTES];
	enum asked asked = ASKED_ANSWERED;
	*ret = NULL;
	asker->sent++;
	if (asker->clients[asker->current] == NULL)
		asked = connect_current(asker);
	if (asked == ASKED_ANSWERED && !asker->in_session[asker->current]) {
		asked = open_session(asker, attempt_ms, ret);
		if (asked != ASKED_ANSWERED)
			return asked;
		cpis_reply_free(*ret);
		*ret = NULL;
	}
	if (asked != ASKED_ANSWERED)
		return asked;
	struct cpis_client *client = asker->clients[asker->current];
	path_of(asker, "staff", asker->person, ".key", key);
	cpis_set_request_id(client, id);
	enum cpis_status status = is_act ? cpis_call_signed(client, request, key, attempt_ms, ret) : cpis_call(client, request, attempt_ms, ret);
	asked = judge(asker, status, *ret);
	if (asked == ASKED_REFUSED && (*ret)->outcome == CPIS__V1__OUTCOME__SESSION_EXPIRED) {
		asker->in_session[asker->current] = false;
		return ASKED_NOTHING;
	}
	return asked;
}

// ------------------------------------------------------------------ until there is an answer

enum asked asker_ask(struct asker *asker, Cpis__V1__Request *request, bool is_act, const uint8_t id[REQUEST_ID_BYTES], uint32_t patience_ms,
		     const Cpis__V1__Reply **ret)
{
	uint64_t end = asker_now_ms() + patience_ms;
	for (unsigned attempt = 0;; attempt++) {
		asker->retried += attempt > 0;
		enum asked asked = asker_try(asker, request, is_act, id, BROKERS_ATTEMPT_MS, ret);
		if (asked != ASKED_NOTHING || asker_now_ms() >= end)
			return asked;
		cpis_reply_free(*ret);
		*ret = NULL;
		asker->current = (asker->current + 1) % asker->brokers->count;
		if (asker->current == 0)
			(void)asker_wait(-1, NOT_NOW_MS); // all were asked
	}
}
