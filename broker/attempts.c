// Failed handshakes, counted by reason until the audit log has them.
#include "broker/attempts.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/invariant.h"

#define MORE " ..."

struct tally {
	uint64_t count, first_ms;
	uint64_t due_ms;               // monotonic: the next record not before
	char examples[TEXT_BYTES_MAX];
};

struct attempts {
	pthread_mutex_t lock; // guards all below
	struct tally tallies[REASONS];
	uint64_t totals[REASONS];
};

struct attempts *attempts_new(void)
{
	struct attempts *attempts = calloc(1, sizeof *attempts);
	if (attempts != NULL)
		INVARIANT(pthread_mutex_init(&attempts->lock, NULL) == 0);
	return attempts;
}

void attempts_free(struct attempts *attempts)
{
	if (attempts == NULL)
		return;
	pthread_mutex_destroy(&attempts->lock);
	free(attempts);
}

// Whether `list` has this one between its commas.
static bool stands_in(const char *list, const char *example)
{
	size_t bytes = strlen(example);
	for (const char *at = list; (at = strstr(at, example)) != NULL; at++)
		if ((at == list || at[-1] == ' ') && (at[bytes] == '\0' || at[bytes] == ',' || at[bytes] == ' '))
			return true;
	return false;
}

static bool is_full(const char *list)
{
	size_t bytes = strlen(list), more = strlen(MORE);
	return bytes >= more && strcmp(list + bytes - more, MORE) == 0;
}

static void add_example(char list[TEXT_BYTES_MAX], const char *example)
{
	size_t used = strlen(list), room = TEXT_BYTES_MAX - sizeof MORE - used;
	if (example[0] == '\0' || is_full(list) || stands_in(list, example))
		return;
	if (strlen(example) + 2 >= room)
		strcat(list, MORE);
	else
		snprintf(list + used, room, "%s%s", used == 0 ? "" : ", ", example);
}

void attempts_note(struct attempts *attempts, enum reason reason, const char *example, uint64_t now_ms)
{
	char text[ATTEMPT_EXAMPLE_BYTES];
	INVARIANT((unsigned)reason < REASONS);
	snprintf(text, sizeof text, "%s", example);
	pthread_mutex_lock(&attempts->lock);
	struct tally *tally = &attempts->tallies[reason];
	if (tally->count++ == 0)
		tally->first_ms = now_ms;
	attempts->totals[reason]++;
	add_example(tally->examples, text);
	pthread_mutex_unlock(&attempts->lock);
}

void attempts_add(struct attempts *attempts, const struct attempt *more)
{
	char list[TEXT_BYTES_MAX];
	INVARIANT((unsigned)more->reason < REASONS);
	snprintf(list, sizeof list, "%s", more->examples);
	pthread_mutex_lock(&attempts->lock);
	struct tally *tally = &attempts->tallies[more->reason];
	if (tally->count == 0)
		tally->first_ms = more->first_ms;
	tally->count += more->count;
	attempts->totals[more->reason] += more->count;
	char *rest = list;
	for (char *comma; (comma = strstr(rest, ", ")) != NULL; rest = comma + 2) {
		*comma = '\0';
		add_example(tally->examples, rest);
	}
	add_example(tally->examples, rest);
	pthread_mutex_unlock(&attempts->lock);
}

uint64_t attempts_total(struct attempts *attempts, enum reason reason)
{
	INVARIANT((unsigned)reason < REASONS);
	pthread_mutex_lock(&attempts->lock);
	uint64_t total = attempts->totals[reason];
	pthread_mutex_unlock(&attempts->lock);
	return total;
}

static struct attempt take(struct tally *tally, enum reason reason, uint64_t monotonic_ms)
{
	struct attempt taken = {.reason = reason, .count = tally->count, .first_ms = tally->first_ms};
	memcpy(taken.examples, tally->examples, sizeof taken.examples);
	*tally = (struct tally){.due_ms = monotonic_ms + ATTEMPTS_INTERVAL_MS};
	return taken;
}

size_t attempts_take(struct attempts *attempts, uint64_t monotonic_ms, bool all, size_t max, struct attempt *ret)
{
	size_t count = 0;
	pthread_mutex_lock(&attempts->lock);
	for (enum reason reason = 0; reason < REASONS && count < max; reason++) {
		struct tally *tally = &attempts->tallies[reason];
		if (tally->count > 0 && (all || monotonic_ms >= tally->due_ms))
			ret[count++] = take(tally, reason, monotonic_ms);
	}
	pthread_mutex_unlock(&attempts->lock);
	return count;
}

void attempts_give_back(struct attempts *attempts, const struct attempt *taken, size_t count, uint64_t monotonic_ms)
{
	pthread_mutex_lock(&attempts->lock);
	for (size_t i = 0; i < count; i++) {
		struct tally *tally = &attempts->tallies[taken[i].reason];
		tally->count += taken[i].count;
		tally->first_ms = taken[i].first_ms;
		// Those from before stay; of the newer ones it is said that there were some.
		if (tally->examples[0] != '\0' && !is_full(taken[i].examples) && !stands_in(taken[i].examples, tally->examples))
			snprintf(tally->examples, sizeof tally->examples, "%.*s%s",
				 (int)(TEXT_BYTES_MAX - sizeof MORE), taken[i].examples, MORE);
		else
			memcpy(tally->examples, taken[i].examples, sizeof tally->examples);
		tally->due_ms = monotonic_ms + ATTEMPTS_RETRY_MS;
	}
	pthread_mutex_unlock(&attempts->lock);
}
