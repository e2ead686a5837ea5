// A policy's decisions as a table that people can check: tests/data/policy_table.txt, which says how it is
// read. Laid out as one decision for each combination of its conditions: none without, none with two. A request that is no
// look cannot say how it looks: of those conditions it has the first value only.
#ifndef CPIS_TESTS_POLICY_TABLE_H
#define CPIS_TESTS_POLICY_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/policy.h"

#define POLICY_TABLE_WORDS_MAX 64u // of one condition: a value is one bit of a mask
#define POLICY_TABLE_WORD_BYTES 40u
#define POLICY_TABLE_GROUPS_MAX 32u
#define POLICY_TABLE_LINES_MAX 250u // with a decision: one byte of a cell
#define POLICY_TABLE_DETAIL_BYTES 600u
// A decision that is no look: care setting and access type stay as asked.
#define POLICY_TABLE_NO_LOOK CPIS__V1__ACCESS_TYPE__ACCESS_TYPE_UNSPECIFIED

// The conditions, outermost first.
#define CONDITION_TABLE(X)                                                                           \
	X(OPERATION, "operation")                                                                    \
	X(ORGANISATION, "organisation")                                                              \
	X(GRANTED, "granted")                                                                        \
	X(ROLE, "role")                                                                              \
	X(ASKED, "asked")                                                                            \
	X(SETTING, "setting")                                                                        \
	X(ACCESS, "access")                                                                          \
	X(STATED, "stated")                                                                          \
	X(GLASS, "glass")                                                                            \
	X(SESSION, "session")

enum condition {
#define X(name, word) name,
	CONDITION_TABLE(X)
#undef X
	CONDITIONS
};

// How the care setting was asked for, and what the organisation provides.
enum asked {
	NAMED,
	NAMED_OF_SEVERAL,
	NAMED_NOT_PROVIDED,
	NAMED_BUT_NONE,
	ONLY_ONE,
	NOT_NAMED,
	NOT_NAMED_OF_NONE,
};

struct policy_table_values {
	char words[POLICY_TABLE_WORDS_MAX][POLICY_TABLE_WORD_BYTES];
	int numbers[POLICY_TABLE_WORDS_MAX]; // on the wire, where they have one
	unsigned count;
};

struct policy_table_group {
	enum condition condition;
	char word[POLICY_TABLE_WORD_BYTES];
	uint64_t values;
};

// What the table's words for a decision are in the policy's terms.
struct policy_table_decision {
	const char *text;
	enum reason reason;
	Cpis__V1__AccessType look; // as it counts, for a look
	bool notify, contradiction, signed_act;
};

// How often an operation may be done in a minute; 0: no bound.
struct policy_table_rate {
	unsigned person, system;
};

struct policy_table_line {
	unsigned number;
	uint64_t conditions[CONDITIONS]; // 0: whatever it is
	const struct policy_table_decision *decision;
};

struct policy_table {
	struct policy_table_values values[CONDITIONS];
	struct policy_table_group groups[POLICY_TABLE_GROUPS_MAX];
	unsigned groups_count;
	struct policy_table_line lines[POLICY_TABLE_LINES_MAX];
	unsigned lines_count;
	struct policy_table_rate rates[POLICY_TABLE_WORDS_MAX]; // by operation's place
	uint8_t *cells; // for each combination 1 + the line that decides it; the last condition changes fastest
	size_t cells_count;
	char detail[POLICY_TABLE_DETAIL_BYTES];
};

// NULL: `detail` begins with the line that is wrong, or says what is decided twice or by no line.
struct policy_table *policy_table_new(const char *content, char detail[POLICY_TABLE_DETAIL_BYTES]);
void policy_table_free(struct policy_table *table); // accepts NULL

// Values of this condition that the operation (its place among the values) can have.
unsigned policy_table_count(const struct policy_table *table, enum condition condition, unsigned operation);
// The next combination, as the place of each condition's value; false after the last. From all zeros on.
bool policy_table_next(const struct policy_table *table, unsigned digits[CONDITIONS]);

const struct policy_table_line *policy_table_line_of(const struct policy_table *table, size_t cell);
bool policy_table_has(const struct policy_table *table, enum condition condition, const char *word);
// "operation flag, organisation care_provider, ..."
const char *policy_table_combination(const struct policy_table *table, size_t cell,
				     char ret[POLICY_TABLE_DETAIL_BYTES / 2]);

#endif
