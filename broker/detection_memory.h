// What detection remembers: flat tables whose rows push out the one of their set that was used longest ago, and a journal that
// puts back what a batch has changed. Inside broker/detection*.c only.
#ifndef CPIS_BROKER_DETECTION_MEMORY_H
#define CPIS_BROKER_DETECTION_MEMORY_H

#include "broker/detection.h"

// Seconds since 1970; good until 2106.
typedef uint32_t detection_second;

// A number that somebody asked about.
struct memory_look {
	uint32_t number;           // first nine digits; of an invalid one any value
	detection_second allowed_s, denied_s; // the last time; 0: never
	uint16_t denials;          // in a row
	bool invalid, found;
};

// Every row begins with this.
struct memory_row {
	uint64_t key;              // 0: free
	detection_second used_s;
	uint32_t batch;            // that saved it last
};

// Of one rule, for one person or system.
struct memory_count {
	uint32_t window;           // its number: time / window
	uint32_t count;            // in it
	detection_second found_s;  // when the rule last found something; 0: never
};

struct memory_person {
	struct memory_row row;
	struct memory_count counts[DETECTION_RULES_MAX];
	uint64_t groups[DETECTION_RULES_MAX]; // the peers whose measure the count is, when its window is over
	struct memory_look looks[DETECTION_LOOKS_MAX];
};

struct memory_system {
	struct memory_row row;
	struct memory_count counts[DETECTION_RULES_MAX];
	uint32_t average_1024[DETECTION_RULES_MAX]; // of earlier windows, times 1,024; the latest count an eighth
	uint32_t most_1024[DETECTION_RULES_MAX];    // likewise; fades by a 1,024th each window
	uint32_t windows[DETECTION_RULES_MAX];      // earlier ones, so far
};

struct memory_child {
	struct memory_row row;
	struct place place;
	char organisation[ODS_CODE_BYTES_MAX + 1];
	uint8_t care_setting;
};

// How many children each peer looked at in one window: `counts[n]` of them at n. Or looks with [0] and without [1] a reason.
struct memory_group {
	struct memory_row row;
	uint32_t total;
	uint16_t counts[DETECTION_LOOKS_MAX + 1];
};

struct memory;

__attribute__((warn_unused_result)) bool memory_new(unsigned batch_max, struct memory **ret);
void memory_free(struct memory *memory); // accepts NULL; wipes

// The row of this key, saved for the batch under way; a new one is zeroed. For one event at most one person, system and child
// and MEMORY_GROUPS_PER_EVENT groups.
#define MEMORY_GROUPS_PER_EVENT (2u * DETECTION_RULES_MAX)
struct memory_person *memory_person(struct memory *memory, uint64_t key, detection_second now_s);
struct memory_system *memory_system(struct memory *memory, uint64_t key, detection_second now_s);
// `ret_before`: what the row was; with a key of 0 when it is new.
struct memory_child *memory_child(struct memory *memory, uint64_t key, detection_second now_s, struct memory_child *ret_before);
struct memory_group *memory_group(struct memory *memory, uint64_t key, detection_second now_s);

void memory_keep(struct memory *memory);
void memory_put_back(struct memory *memory);
void memory_forget(struct memory *memory);

// FNV-1a over the bytes, never 0. Keys come from names that the register or the vault gave out, not from a peer's choice.
#define MEMORY_HASH_START UINT64_C(14695981039346656037)
uint64_t memory_hash(uint64_t before, const void *bytes, size_t bytes_count);

#endif
