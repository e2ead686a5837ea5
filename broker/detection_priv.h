// What detection.c, which remembers, and detection_find.c, which judges, share. Inside broker/detection*.c only.
#ifndef CPIS_BROKER_DETECTION_PRIV_H
#define CPIS_BROKER_DETECTION_PRIV_H

#include "broker/detection.h"
#include "broker/detection_memory.h"

#define DETECTION_SECOND_MS 1000u

// One event under one rule.
struct observation {
	struct memory *memory;
	const struct detection_event *event;
	const struct detection_rule *rule;
	unsigned number;                 // of the rule
	detection_second now_s;
	struct memory_person *person;    // NULL: the event has none that matters
	struct memory_look before;       // what was known of the person's looks at this child; zeroed: nothing
	struct memory_system *system;    // NULL: no rule asks
	struct memory_child child;       // as it was before the event; a zeroed key: nobody looked
	bool told;                       // it was found in this window before: nobody will read the words
	char *words;                     // DETECTION_WORDS_BYTES
};

// Counts the event and says whether it is a finding; then `words` say what, unless it was told.
struct detection_finder {
	bool (*find)(struct observation *);
	bool of_looks; // else of sessions
	bool of_system;
};
extern const struct detection_finder detection_finders[DETECTION_KINDS];

static inline bool detection_is_look(const struct detection_event *event)
{
	return event->operation == CPIS__V1__OPERATION__FLAG || event->operation == CPIS__V1__OPERATION__DETAILS;
}

// A clock that was set back makes things recent rather than old.
static inline bool detection_within(detection_second then_s, detection_second now_s, uint64_t window_ms)
{
	return then_s != 0 && (then_s >= now_s || (uint64_t)(now_s - then_s) * DETECTION_SECOND_MS < window_ms);
}

static inline bool detection_counts(const struct detection_rule *rule, unsigned care_setting)
{
	return rule->care_settings == 0 || (rule->care_settings >> (care_setting & 63u) & 1u) != 0;
}

#endif
