// A nurse's client before a broker that holds the right keys and lies, for the test_lying programs: every lie ends in the status that
// cpis.h documents and in no data. What no receipt can show is a false body under a true record: see clients/README.md.
#ifndef CPIS_TESTS_SYSTEM_LIED_TO_H
#define CPIS_TESTS_SYSTEM_LIED_TO_H

#include <check.h>
#include <stdint.h>

#include "tests/harness/world_client.h"
#include "tests/harness/world_liar.h"

#define HURRY_MS 1500 // for lies that only the deadline ends
#define COUNT(list) (int)(sizeof(list) / sizeof((list)[0]))

extern struct world *world;
extern struct liar *liar;
extern struct cpis_client *client;
extern char note_before[NOTE_BYTES_MAX + 1]; // the client's checkpoint when it asked last

// Around each test: a world and a liar of its own.
void meet_liar(void);
void leave_liar(void);

// Whether the child is flagged, asked of whatever the liar was told to say.
enum cpis_status ask(uint32_t deadline_ms, const Cpis__V1__Reply **ret);
// The library takes the liar's true answers: what is refused otherwise is refused for the lie.
void assert_believed(void);
// No reply, no checkpoint taken over, and a sentence that says what was wrong.
void assert_caught_within(liar_lie *lie, enum cpis_status expected, uint32_t deadline_ms);
// The same after a true answer.
void assert_caught(liar_lie *lie, enum cpis_status expected);

// A lie: one byte of the path to the record is another.
liar_lie altered_path;

#endif
