// Looks for what should be looked into, among the records as they are written: the policy's detection rules over what this
// broker remembers of people, systems and children. In memory and bounded; no socket, no store, no clock: time comes with each
// event. What it finds becomes an alert in the same commit as the record (broker/finding.h).
//
// What is remembered of a batch counts at once and is taken back when the batch is given up. Who was seen longest ago makes
// room for others: DETECTION_PEOPLE_MAX people, _SYSTEMS_MAX systems, _CHILDREN_MAX children and _GROUPS_MAX groups of peers.
// Each broker sees its own requests only. One thread: the core's.
#ifndef CPIS_BROKER_DETECTION_H
#define CPIS_BROKER_DETECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/detection_rules.h"
#include "broker/limits.h"
#include "broker/place.h"
#include "broker/store.h"
#include "proto/limits.h"

#define DETECTION_WORDS_BYTES (TEXT_BYTES_MAX + 1)

// A record, as far as it matters here.
struct detection_event {
	uint64_t time_ms;
	uint64_t audit_index;
	Cpis__V1__Operation operation;
	bool allowed;
	bool denied;                       // refused by a right that is not there: ACCESS_DENIED
	const char *organisation;          // of the system; "": not known, then nothing is looked for
	const char *system_name;
	struct place place;                // of the organisation
	bool has_person;
	struct store_tag person;
	const char *role_code;
	Cpis__V1__CareSetting care_setting;
	bool has_number;                   // it is about a child whose number is `number`
	uint32_t number;                   // the first nine digits
	bool number_invalid;               // it was asked with a number that is none
	bool found;                        // there was something to show
	bool reason_stated, own_household;
	uint64_t slept_ms;                 // session_open: since the role profile was last used; 0: not known
};

struct detection_finding {
	const struct detection_rule *rule; // borrowed from the rules
	bool about_system;                 // else about the event's person
	char words[DETECTION_WORDS_BYTES]; // with its numbers; names no child and nobody
};

struct detection;

// `batch_max`: events between two of detection_committed or detection_abandoned, at most. False: no memory.
__attribute__((warn_unused_result)) bool detection_new(unsigned batch_max, struct detection **ret);
void detection_free(struct detection *detection); // accepts NULL; wipes

// Remembers the event and says what it sets off: each rule once for one person (or system) within its window. The rules are the
// same ones until detection_forget. Returns how many.
size_t detection_observe(struct detection *detection, const struct detection_rules *rules, const struct detection_event *event,
			 struct detection_finding ret[DETECTION_RULES_MAX]);
// The batch is durable: what was observed stays.
void detection_committed(struct detection *detection);
// It is not: everything is as it was after the last detection_committed.
void detection_abandoned(struct detection *detection);
// Everything: for other rules, or because the log is read again.
void detection_forget(struct detection *detection);

#endif
