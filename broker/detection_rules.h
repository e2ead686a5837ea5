// The policy's detection rules, as they are compiled: what is looked for among the records as they are written
// (broker/detection.h), at which thresholds, and what follows. policy_detection.c reads them.
#ifndef CPIS_BROKER_DETECTION_RULES_H
#define CPIS_BROKER_DETECTION_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/limits.h"
#include "proto/cpis.pb-c.h"

enum detection_kind {
	DETECTION_VOLUME,              // far more children than peers in the same role and care setting
	DETECTION_ENUMERATION,         // numbers close to each other
	DETECTION_NO_MATCH,            // nearly all numbers are none, or nothing is known of them
	DETECTION_NO_REASON,           // looks without a reason where most give one
	DETECTION_OUTSIDE_HOURS,       // looks when nobody works there
	DETECTION_FAR_SETTINGS,        // one child, organisations far apart, within minutes
	DETECTION_DORMANT,             // a role profile that nobody used for long
	DETECTION_OWN_HOUSEHOLD,       // the asking system says that the child lives with the asker
	DETECTION_DENIED_THEN_ALLOWED, // refused, and then allowed, about one child
	DETECTION_SYSTEM_RATE,         // a system that asks far more than it ever did
	DETECTION_KINDS
};

// The thresholds. Each kind has its own set of them, all required (policy_detection.c).
#define DETECTION_NUMBER_TABLE(X)                                                                    \
	X(CHILDREN, "children", DETECTION_LOOKS_MAX - 1)                                             \
	X(TIMES, "times", 1000u)                                                                     \
	X(PEERS, "peers", 4096u)                                                                     \
	X(ALONE, "alone", DETECTION_LOOKS_MAX - 1)                                                   \
	X(NUMBERS, "numbers", DETECTION_LOOKS_MAX - 1)                                               \
	X(SPAN, "span", 1000000u)                                                                    \
	X(LOOKS, "looks", DETECTION_LOOKS_MAX - 1)                                                   \
	X(PERCENT, "percent", 100u)                                                                  \
	X(INVALID, "invalid", DETECTION_LOOKS_MAX - 1)                                               \
	X(KM, "km", 20000u)                                                                          \
	X(DAYS, "asleep_days", 3650u)                                                                       \
	X(DENIALS, "denials", 100u)                                                                  \
	X(REQUESTS, "requests", 10000000u)

enum detection_number {
#define X(name, word, max) DETECTION_##name,
	DETECTION_NUMBER_TABLE(X)
#undef X
	DETECTION_NUMBERS_COUNT
};

struct detection_rule {
	enum detection_kind kind;
	Cpis__V1__Severity severity;
	uint64_t window_ms;                       // what is counted, and within which it is found once
	unsigned numbers[DETECTION_NUMBERS_COUNT];
	uint64_t care_settings;                   // bit n: counts looks from care setting n; 0: from all
	// By England's clock, until exclusive; from after until: over midnight. Of DETECTION_OUTSIDE_HOURS.
	unsigned short from_minute, until_minute;
	bool weekdays;                            // at weekends nobody works there
	uint64_t quarantine_ms;                   // 0: nobody is held back
};

struct detection_rules {
	struct detection_rule rules[DETECTION_RULES_MAX];
	size_t count;
	unsigned sample_per_thousand; // accesses that are chosen for routine review (job_sample.c); 0: none
};

const char *detection_kind_word(enum detection_kind kind);
// "low", "medium" or "high".
const char *detection_severity_word(Cpis__V1__Severity severity);

#endif
