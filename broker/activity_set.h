// Which of a policy's activities one holds, or an operation asks for: a set, by the policy's own numbering.
#ifndef CPIS_BROKER_ACTIVITY_SET_H
#define CPIS_BROKER_ACTIVITY_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/limits.h"

#define ACTIVITY_SET_WORDS (POLICY_ACTIVITIES_MAX / 64u)

// Zeroed: empty. Means something only together with the policy that made it.
struct activity_set {
	uint64_t words[ACTIVITY_SET_WORDS];
};

static inline bool activity_set_has(const struct activity_set *set, size_t number)
{
	return (set->words[number / 64] >> (number % 64) & 1) != 0;
}

static inline void activity_set_add(struct activity_set *set, size_t number)
{
	set->words[number / 64] |= UINT64_C(1) << (number % 64);
}

static inline void activity_set_add_all(struct activity_set *set, const struct activity_set *from)
{
	for (size_t i = 0; i < ACTIVITY_SET_WORDS; i++)
		set->words[i] |= from->words[i];
}

// The lowest number that is in both. False when there is none.
static inline bool activity_sets_meet(const struct activity_set *a, const struct activity_set *b, size_t *ret_number)
{
	for (size_t i = 0; i < ACTIVITY_SET_WORDS; i++) {
		uint64_t both = a->words[i] & b->words[i];
		if (both != 0) {
			*ret_number = i * 64 + (size_t)__builtin_ctzll(both);
			return true;
		}
	}
	return false;
}

static inline size_t activity_set_count(const struct activity_set *set)
{
	size_t count = 0;
	for (size_t i = 0; i < ACTIVITY_SET_WORDS; i++)
		count += (size_t)__builtin_popcountll(set->words[i]);
	return count;
}

#endif
