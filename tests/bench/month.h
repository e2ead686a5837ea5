// A synthetic month of looks at children, with 12 kinds of misuse planted in it, each labelled: what detection is measured on.
// Invented from a seed; the same seed is the same month.
//
// Scale: 60 organisations with some 1,500 staff, about a fiftieth of the services that look in England, each with its own practice
// in stating reasons. Work has shifts by day, evening and night, weekends, quiet and busy people, busy hours, second looks,
// siblings, mistyped numbers, wrong care settings that are put right, clinics with long lists, and people who come back after
// months.
#ifndef CPIS_TESTS_BENCH_MONTH_H
#define CPIS_TESTS_BENCH_MONTH_H

#include "broker/detection.h"

#define MISUSE_TABLE(X)                                                                              \
	X(MISUSE_BURST, "copies the register in an hour", DETECTION_VOLUME)                          \
	X(MISUSE_SLOW_COPY, "copies it through a shift", DETECTION_VOLUME)                           \
	X(MISUSE_RUN, "tries numbers one after the other", DETECTION_ENUMERATION)                    \
	X(MISUSE_GUESS, "guesses numbers", DETECTION_NO_MATCH)                                       \
	X(MISUSE_NO_REASON, "gives no reason where others do", DETECTION_NO_REASON)                  \
	X(MISUSE_NIGHT, "looks when nobody works there", DETECTION_OUTSIDE_HOURS)                    \
	X(MISUSE_FAR, "one child from two far places", DETECTION_FAR_SETTINGS)                       \
	X(MISUSE_DORMANT, "uses an account that slept", DETECTION_DORMANT)                           \
	X(MISUSE_HOUSEHOLD, "looks at the own household", DETECTION_OWN_HOUSEHOLD)                   \
	X(MISUSE_DENIED, "tries until it is allowed", DETECTION_DENIED_THEN_ALLOWED)                 \
	X(MISUSE_SYSTEM, "a stolen system key asks in bulk", DETECTION_SYSTEM_RATE)                  \
	X(MISUSE_CURIOUS, "looks at a neighbour's child now and then", DETECTION_KINDS) // no rule is for it

enum misuse {
#define X(name, words, rule) name,
	MISUSE_TABLE(X)
#undef X
	MISUSE_KINDS
};

#define MONTH_DAYS 30u
#define MONTH_PER_MISUSE 12u // incidents of each kind

struct month_incident {
	enum misuse kind;
	uint32_t person;         // who; of MISUSE_SYSTEM any
	uint32_t organisation;
	uint64_t from_ms, until_ms;
};

struct month_event {
	struct detection_event event;
	uint32_t person, organisation;
	int incident;            // its number; -1: normal work
};

struct month {
	struct month_event *events; // by time
	size_t count;
	struct month_incident incidents[MISUSE_KINDS * MONTH_PER_MISUSE];
	size_t incidents_count;
	size_t organisations, people;
};

struct month *month_new(uint64_t seed); // aborts without memory
void month_free(struct month *month);
const char *misuse_words(enum misuse kind);
enum detection_kind misuse_rule(enum misuse kind);

#endif
