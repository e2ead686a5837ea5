// A thread each.
#include "clients/drill/steady.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clients/drill/asker.h"
#include "clients/drill/place.h"

#define PAUSE_MS 600u // below what the shipped policy lets one person ask in a minute
#define PEOPLE_MAX 8u

struct person {
	struct steady *steady;
	pthread_t thread;
	bool runs;
	struct asker *asker;
	unsigned renewals;           // of steady's that were followed
	uint64_t pause_ms;           // before the first question, so that not all ask at once
	uint64_t answered_ms;        // when the last question was put that was answered, and when the answer was there
	uint64_t answered_at_ms;
};

struct steady {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	bool stop;
	unsigned renewals;
	struct person people[PEOPLE_MAX];
	unsigned count;
	struct steady_count counts;
	uint64_t failed_ms, failed_at_ms;
	struct asker_answer last_failure;
};

static void wait_until(struct steady *steady, uint64_t until_ms)
{
	struct timespec until = {.tv_sec = (time_t)(until_ms / 1000u), .tv_nsec = (long)(until_ms % 1000u) * 1000000};
	pthread_cond_clockwait(&steady->changed, &steady->mutex, CLOCK_MONOTONIC, &until);
}

static void note(struct person *person, uint64_t asked_ms, const struct asker_answer *answer)
{
	struct steady *steady = person->steady;
	uint64_t now_ms = drill_now_ms();
	steady->counts.asked++;
	if (now_ms - asked_ms > steady->counts.longest_ms)
		steady->counts.longest_ms = now_ms - asked_ms;
	if (answer->told) {
		person->answered_ms = asked_ms;
		person->answered_at_ms = now_ms;
	} else {
		steady->counts.failed++;
		steady->failed_ms = asked_ms;
		steady->failed_at_ms = now_ms;
		steady->last_failure = *answer;
	}
	pthread_cond_broadcast(&steady->changed);
}

static void *work(void *context)
{
	struct person *person = context;
	struct steady *steady = person->steady;
	pthread_mutex_lock(&steady->mutex);
	uint64_t next_ms = drill_now_ms() + person->pause_ms;
	while (!steady->stop) {
		uint64_t now_ms = drill_now_ms();
		if (now_ms < next_ms) {
			wait_until(steady, next_ms);
			continue;
		}
		if (person->renewals != steady->renewals) {
			person->renewals = steady->renewals;
			asker_renew(person->asker);
		}
		next_ms = now_ms + PAUSE_MS;
		pthread_mutex_unlock(&steady->mutex);
		struct asker_answer answer = asker_flag(person->asker, PLACE_CHILD, STEADY_DEADLINE_MS);
		pthread_mutex_lock(&steady->mutex);
		note(person, now_ms, &answer);
	}
	pthread_mutex_unlock(&steady->mutex);
	return NULL;
}

struct steady *steady_start(struct drill *drill, const char *name, unsigned count)
{
	struct steady *steady = calloc(1, sizeof *steady);
	if (steady == NULL || count > PEOPLE_MAX) {
		free(steady);
		drill_fail(drill, "no memory");
		return NULL;
	}
	pthread_mutex_init(&steady->mutex, NULL);
	pthread_cond_init(&steady->changed, NULL);
	uint64_t began_ms = drill_now_ms();
	for (unsigned i = 0; i < count; i++) {
		char profile[32];
		struct person *person = &steady->people[i];
		snprintf(profile, sizeof profile, "%s-%u", name, i);
		*person = (struct person){.steady = steady, .asker = asker_new(drill, profile), .pause_ms = i * PAUSE_MS / count};
		steady->count++;
		if (person->asker == NULL || pthread_create(&person->thread, NULL, work, person) != 0) {
			drill_fail(drill, "nobody can ask as %s", profile);
			steady_stop(steady);
			return NULL;
		}
		person->runs = true;
	}
	if (steady_wait_answered(drill, steady, began_ms) == DRILL_NONE) {
		steady_stop(steady);
		return NULL;
	}
	// What came before is not the incident's.
	pthread_mutex_lock(&steady->mutex);
	steady->counts = (struct steady_count){0};
	pthread_mutex_unlock(&steady->mutex);
	return steady;
}

void steady_stop(struct steady *steady)
{
	if (steady == NULL)
		return;
	pthread_mutex_lock(&steady->mutex);
	steady->stop = true;
	pthread_cond_broadcast(&steady->changed);
	pthread_mutex_unlock(&steady->mutex);
	for (unsigned i = 0; i < steady->count; i++) {
		if (steady->people[i].runs)
			pthread_join(steady->people[i].thread, NULL);
		asker_free(steady->people[i].asker);
	}
	pthread_cond_destroy(&steady->changed);
	pthread_mutex_destroy(&steady->mutex);
	free(steady);
}

struct steady_count steady_read(struct steady *steady)
{
	pthread_mutex_lock(&steady->mutex);
	struct steady_count counts = steady->counts;
	pthread_mutex_unlock(&steady->mutex);
	return counts;
}

void steady_renew(struct steady *steady)
{
	pthread_mutex_lock(&steady->mutex);
	steady->renewals++;
	pthread_mutex_unlock(&steady->mutex);
}

// ------------------------------------------------------------------ waiting for them

// DRILL_NONE: not yet all.
static uint64_t all_answered(const struct steady *steady, uint64_t since_ms)
{
	uint64_t last_ms = 0;
	for (unsigned i = 0; i < steady->count; i++) {
		if (steady->people[i].answered_ms < since_ms)
			return DRILL_NONE;
		if (steady->people[i].answered_at_ms > last_ms)
			last_ms = steady->people[i].answered_at_ms;
	}
	return last_ms;
}

static uint64_t one_failed(const struct steady *steady, uint64_t since_ms)
{
	return steady->failed_at_ms != 0 && steady->failed_ms >= since_ms ? steady->failed_at_ms : DRILL_NONE;
}

static uint64_t wait_for(struct steady *steady, uint64_t (*seen)(const struct steady *, uint64_t), uint64_t since_ms)
{
	uint64_t end_ms = drill_now_ms() + DRILL_WAIT_MS, when_ms;
	pthread_mutex_lock(&steady->mutex);
	while ((when_ms = seen(steady, since_ms)) == DRILL_NONE && drill_now_ms() < end_ms)
		wait_until(steady, end_ms);
	pthread_mutex_unlock(&steady->mutex);
	return when_ms;
}

uint64_t steady_wait_answered(struct drill *drill, struct steady *steady, uint64_t since_ms)
{
	uint64_t when_ms = wait_for(steady, all_answered, since_ms);
	if (when_ms == DRILL_NONE)
		drill_fail(drill, "not everybody was answered within %u s; the last failure: %s %s", DRILL_WAIT_MS / 1000u,
			   cpis_status_text(steady->last_failure.status), steady->last_failure.reason);
	return when_ms;
}

uint64_t steady_wait_failed(struct drill *drill, struct steady *steady, uint64_t since_ms)
{
	uint64_t when_ms = wait_for(steady, one_failed, since_ms);
	if (when_ms == DRILL_NONE)
		drill_fail(drill, "nobody noticed within %u s", DRILL_WAIT_MS / 1000u);
	return when_ms;
}

bool steady_tally(struct drill *drill, struct steady *steady, struct drill_times *times)
{
	if (steady_wait_answered(drill, steady, drill_now_ms()) == DRILL_NONE)
		return false;
	struct steady_count counts = steady_read(steady);
	times->requests += counts.asked;
	times->failed += counts.failed;
	if (counts.longest_ms > times->longest_ms)
		times->longest_ms = counts.longest_ms;
	return true;
}
