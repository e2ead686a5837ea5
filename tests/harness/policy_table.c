// Reading a table of a policy's decisions, and laying it out over every combination of its conditions.
#include "tests/harness/policy_table.h"

#include <check.h>
#include <ctype.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNLISTED_SETTING 30
#define UNKNOWN_OPERATION 63

static const char *const condition_words[CONDITIONS] = {
#define X(name, word) [name] = word,
	CONDITION_TABLE(X)
#undef X
};

static const char *const asked_words[] = {
	[NAMED] = "named",
	[NAMED_OF_SEVERAL] = "named_of_several",
	[NAMED_NOT_PROVIDED] = "named_not_provided",
	[NAMED_BUT_NONE] = "named_but_none",
	[ONLY_ONE] = "only_one",
	[NOT_NAMED] = "not_named",
	[NOT_NAMED_OF_NONE] = "not_named_of_none",
};

static const struct policy_table_decision decisions[] = {
	{"allowed", REASON_NONE, POLICY_TABLE_NO_LOOK, false, false, false},
	{"allowed signed", REASON_NONE, POLICY_TABLE_NO_LOOK, false, false, true},
	{"allowed unscheduled", REASON_NONE, CPIS__V1__ACCESS_TYPE__UNSCHEDULED, false, false, false},
	{"allowed scheduled", REASON_NONE, CPIS__V1__ACCESS_TYPE__SCHEDULED, false, false, false},
	{"allowed notifies", REASON_NONE, CPIS__V1__ACCESS_TYPE__UNSCHEDULED, true, false, false},
	{"allowed notifies contradiction", REASON_NONE, CPIS__V1__ACCESS_TYPE__UNSCHEDULED, true, true, false},
	{"allowed notifies signed", REASON_NONE, CPIS__V1__ACCESS_TYPE__UNSCHEDULED, true, false, true},
	{"allowed notifies contradiction signed", REASON_NONE, CPIS__V1__ACCESS_TYPE__UNSCHEDULED, true, true, true},
	{"allowed silent", REASON_NONE, CPIS__V1__ACCESS_TYPE__SCHEDULED, false, false, false},
	{"refused operation_not_in_policy", REASON_OPERATION, POLICY_TABLE_NO_LOOK, false, false, false},
	{"refused organisation_type", REASON_ORGANISATION_TYPE, POLICY_TABLE_NO_LOOK, false, false, false},
	{"refused role_not_in_policy", REASON_ROLE_UNKNOWN, POLICY_TABLE_NO_LOOK, false, false, false},
	{"refused role_lacks_activity", REASON_ACTIVITY, POLICY_TABLE_NO_LOOK, false, false, false},
	{"refused break_glass_not_allowed", REASON_BREAK_GLASS, POLICY_TABLE_NO_LOOK, false, false, false},
	{"refused session_too_old", REASON_SESSION_AGE, POLICY_TABLE_NO_LOOK, false, false, false},
	{"refused reason_needed", REASON_REASON_MISSING, POLICY_TABLE_NO_LOOK, false, false, false},
	{"refused care_setting_needed", REASON_CARE_SETTING_UNNAMED, POLICY_TABLE_NO_LOOK, false, false, false},
	{"refused care_setting_not_in_scope", REASON_CARE_SETTING, POLICY_TABLE_NO_LOOK, false, false, false},
};

__attribute__((format(printf, 2, 3))) static bool wrong(struct policy_table *table, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(table->detail, sizeof table->detail, format, arguments);
	va_end(arguments);
	return false;
}

// ------------------------------------------------------------------ the conditions and their values

static void add_value(struct policy_table_values *values, const char *word, int number)
{
	ck_assert_uint_lt(values->count, POLICY_TABLE_WORDS_MAX);
	ck_assert_uint_lt(strlen(word), POLICY_TABLE_WORD_BYTES);
	strcpy(values->words[values->count], word);
	values->numbers[values->count++] = number;
}

// All of an enumeration's values below `end`, so that a new one in cpis.v1 is a gap in the table.
static void add_enumeration(struct policy_table_values *values, const ProtobufCEnumDescriptor *enumeration,
			    const char *zero, int end)
{
	for (unsigned i = 0; i < enumeration->n_values && enumeration->values[i].value < end; i++) {
		const char *name = enumeration->values[i].name;
		char word[POLICY_TABLE_WORD_BYTES] = "";
		for (size_t j = 0; name[j] != '\0' && j + 1 < sizeof word; j++)
			word[j] = (char)tolower((unsigned char)name[j]);
		if (enumeration->values[i].value != 0)
			add_value(values, word, enumeration->values[i].value);
		else if (zero != NULL)
			add_value(values, zero, 0);
	}
}

static void add_values(struct policy_table *table)
{
	add_enumeration(&table->values[OPERATION], &cpis__v1__operation__descriptor, "unspecified", CPIS__V1__OPERATION__HANDSHAKE);
	add_value(&table->values[OPERATION], "unknown", UNKNOWN_OPERATION);
	for (int type = 0; type < ORGANISATION_TYPES; type++)
		add_value(&table->values[ORGANISATION], organisation_type_word((enum organisation_type)type), type);
	add_value(&table->values[GRANTED], "nothing", 0);
	for (size_t i = 0; i < sizeof asked_words / sizeof asked_words[0]; i++)
		add_value(&table->values[ASKED], asked_words[i], (int)i);
	add_enumeration(&table->values[SETTING], &cpis__v1__care_setting__descriptor, NULL, INT_MAX);
	add_value(&table->values[SETTING], "30", UNLISTED_SETTING);
	add_enumeration(&table->values[ACCESS], &cpis__v1__access_type__descriptor, "unspecified", INT_MAX);
	add_value(&table->values[STATED], "nothing", 0);
	add_value(&table->values[STATED], "reason", 1);
	add_value(&table->values[GLASS], "whole", 0);
	add_value(&table->values[GLASS], "broken", 1);
	add_value(&table->values[SESSION], "young", 0);
	add_value(&table->values[SESSION], "old", 1);
}

static bool is_look(const struct policy_table *table, unsigned operation)
{
	int number = table->values[OPERATION].numbers[operation];
	return number == CPIS__V1__OPERATION__FLAG || number == CPIS__V1__OPERATION__DETAILS;
}

unsigned policy_table_count(const struct policy_table *table, enum condition condition, unsigned operation)
{
	bool of_looks = condition == ASKED || condition == SETTING || condition == ACCESS || condition == STATED ||
			condition == GLASS;
	return of_looks && !is_look(table, operation) ? 1 : table->values[condition].count;
}

bool policy_table_next(const struct policy_table *table, unsigned digits[CONDITIONS])
{
	for (unsigned i = CONDITIONS; i-- > 0;) {
		if (++digits[i] < policy_table_count(table, (enum condition)i, digits[OPERATION]))
			return true;
		// The operation past the last ends it all.
		if (i == OPERATION)
			return false;
		digits[i] = 0;
	}
	return false;
}

// Combinations of one operation.
static size_t block_of(const struct policy_table *table, unsigned operation)
{
	size_t cells = 1;
	for (unsigned i = OPERATION + 1; i < CONDITIONS; i++)
		cells *= policy_table_count(table, (enum condition)i, operation);
	return cells;
}

static uint64_t find_value(const struct policy_table_values *values, const char *word)
{
	for (unsigned i = 0; i < values->count; i++) {
		if (strcmp(values->words[i], word) == 0)
			return UINT64_C(1) << i;
	}
	return 0;
}

static struct policy_table_group *find_group(struct policy_table *table, enum condition condition,
					     const char *word)
{
	for (unsigned i = 0; i < table->groups_count; i++) {
		if (table->groups[i].condition == condition && strcmp(table->groups[i].word, word) == 0)
			return &table->groups[i];
	}
	return NULL;
}

// ------------------------------------------------------------------ reading the table

#define BLANKS " \t"

// Roles are known by standing in a group, activities by their own line; each once.
static bool read_code(struct policy_table *table, unsigned number, enum condition condition, const char *word)
{
	struct policy_table_values *codes = &table->values[condition];
	if (find_value(codes, word) != 0)
		return wrong(table, "%u: '%s' stands twice", number, word);
	if (codes->count == POLICY_TABLE_WORDS_MAX || strlen(word) >= POLICY_TABLE_WORD_BYTES)
		return wrong(table, "%u: too many codes, or one too long", number);
	add_value(codes, word, 0);
	return true;
}

static bool read_activities(struct policy_table *table, unsigned number, char **rest)
{
	for (const char *word; (word = strtok_r(NULL, BLANKS, rest)) != NULL;) {
		if (!read_code(table, number, GRANTED, word))
			return false;
	}
	return true;
}

// Values, and other groups for all that are in them.
static bool read_group(struct policy_table *table, unsigned number, enum condition condition, char **rest)
{
	struct policy_table_values *values = &table->values[condition];
	const char *name = strtok_r(NULL, BLANKS, rest);
	if (name == NULL || strlen(name) >= POLICY_TABLE_WORD_BYTES || find_value(values, name) != 0)
		return wrong(table, "%u: a group needs a name of its own", number);
	struct policy_table_group *group = find_group(table, condition, name);
	if (group == NULL) {
		if (table->groups_count == POLICY_TABLE_GROUPS_MAX)
			return wrong(table, "%u: too many groups", number);
		group = &table->groups[table->groups_count++];
		group->condition = condition;
		strcpy(group->word, name);
	}
	for (const char *word; (word = strtok_r(NULL, BLANKS, rest)) != NULL;) {
		const struct policy_table_group *other = find_group(table, condition, word);
		if (other == NULL && condition == ROLE && !read_code(table, number, ROLE, word))
			return false;
		uint64_t value = other != NULL ? other->values : find_value(values, word);
		if (value == 0)
			return wrong(table, "%u: unknown %s '%s'", number, condition_words[condition], word);
		group->values |= value;
	}
	return group->values != 0 || wrong(table, "%u: group '%s' is empty", number, name);
}

static bool read_decision(struct policy_table *table, unsigned number,
			  const uint64_t conditions[CONDITIONS], char **rest)
{
	if (table->lines_count == POLICY_TABLE_LINES_MAX)
		return wrong(table, "%u: too many lines", number);
	struct policy_table_line *line = &table->lines[table->lines_count++];
	line->number = number;
	memcpy(line->conditions, conditions, sizeof line->conditions);
	char text[POLICY_TABLE_WORD_BYTES * 2] = "";
	size_t bytes = 0;
	for (const char *word; (word = strtok_r(NULL, BLANKS, rest)) != NULL && bytes < sizeof text;)
		bytes += (size_t)snprintf(text + bytes, sizeof text - bytes, "%s%s", bytes == 0 ? "" : " ", word);
	for (size_t i = 0; i < sizeof decisions / sizeof decisions[0]; i++) {
		if (strcmp(text, decisions[i].text) == 0) {
			line->decision = &decisions[i];
			return true;
		}
	}
	return wrong(table, "%u: '%s' is no decision", number, text);
}

// "condition value ...", with or without a decision behind it. 0 in `conditions`: whatever it is.
static bool read_condition(struct policy_table *table, unsigned number, enum condition condition,
			   uint64_t conditions[CONDITIONS], char **rest)
{
	for (unsigned deeper = condition; deeper < CONDITIONS; deeper++)
		conditions[deeper] = 0;
	for (const char *word; (word = strtok_r(NULL, BLANKS, rest)) != NULL;) {
		if (strcmp(word, "->") == 0)
			return conditions[condition] != 0 ? read_decision(table, number, conditions, rest)
							  : wrong(table, "%u: no value", number);
		const struct policy_table_group *group = find_group(table, condition, word);
		uint64_t value = group == NULL ? find_value(&table->values[condition], word) : group->values;
		if (value == 0)
			return wrong(table, "%u: unknown %s '%s'", number, condition_words[condition], word);
		conditions[condition] |= value;
	}
	return conditions[condition] != 0 || wrong(table, "%u: no value", number);
}

// "rate OPERATION PERSON SYSTEM": numbers, or "any".
static bool read_rate(struct policy_table *table, unsigned number, char **rest)
{
	const char *operation = strtok_r(NULL, BLANKS, rest), *person = strtok_r(NULL, BLANKS, rest),
		   *system = strtok_r(NULL, BLANKS, rest);
	uint64_t value = operation == NULL ? 0 : find_value(&table->values[OPERATION], operation);
	if (value == 0 || person == NULL || system == NULL)
		return wrong(table, "%u: a rate has an operation and two numbers", number);
	// "any" is no number, and so 0: no bound.
	table->rates[__builtin_ctzll(value)] =
		(struct policy_table_rate){(unsigned)atoi(person), (unsigned)atoi(system)};
	return true;
}

static bool read_line(struct policy_table *table, unsigned number, uint64_t conditions[CONDITIONS],
		      char *text)
{
	char *rest = NULL;
	text[strcspn(text, "#")] = '\0';
	const char *word = strtok_r(text, BLANKS, &rest);
	if (word == NULL)
		return true;
	if (strcmp(word, "->") == 0)
		return read_decision(table, number, conditions, &rest);
	if (strcmp(word, "activities") == 0)
		return read_activities(table, number, &rest);
	if (strcmp(word, "rate") == 0)
		return read_rate(table, number, &rest);
	if (strcmp(word, "grants") == 0)
		return read_group(table, number, GRANTED, &rest);
	if (strcmp(word, "roles") == 0)
		return read_group(table, number, ROLE, &rest);
	if (strcmp(word, "settings") == 0)
		return read_group(table, number, SETTING, &rest);
	for (unsigned i = 0; i < CONDITIONS; i++) {
		if (strcmp(word, condition_words[i]) == 0)
			return read_condition(table, number, (enum condition)i, conditions, &rest);
	}
	return wrong(table, "%u: unknown condition '%s'", number, word);
}

// ------------------------------------------------------------------ every combination, decided once

const char *policy_table_combination(const struct policy_table *table, size_t cell,
				     char ret[POLICY_TABLE_DETAIL_BYTES / 2])
{
	unsigned digits[CONDITIONS] = {0};
	while (cell >= block_of(table, digits[OPERATION]))
		cell -= block_of(table, digits[OPERATION]++);
	for (unsigned i = CONDITIONS; i-- > OPERATION + 1;) {
		unsigned count = policy_table_count(table, (enum condition)i, digits[OPERATION]);
		digits[i] = (unsigned)(cell % count);
		cell /= count;
	}
	size_t bytes = 0;
	for (unsigned i = 0; i < CONDITIONS; i++)
		bytes += (size_t)snprintf(ret + bytes, POLICY_TABLE_DETAIL_BYTES / 2 - bytes, "%s%s %s", i == 0 ? "" : ", ",
					  condition_words[i], table->values[i].words[digits[i]]);
	return ret;
}

static bool fill_cells(struct policy_table *table, unsigned line, size_t first, size_t count)
{
	for (size_t cell = first; cell < first + count; cell++) {
		char text[POLICY_TABLE_DETAIL_BYTES / 2];
		if (table->cells[cell] != 0)
			return wrong(table, "lines %u and %u both decide %s",
				     table->lines[table->cells[cell] - 1].number, table->lines[line].number,
				     policy_table_combination(table, cell, text));
		table->cells[cell] = (uint8_t)(line + 1);
	}
	return true;
}

// `cells` from `first` on are those of this and the deeper conditions of one operation.
static bool fill(struct policy_table *table, unsigned line, unsigned operation, unsigned condition, size_t first,
		 size_t cells)
{
	const uint64_t *conditions = table->lines[line].conditions;
	unsigned named = condition;
	while (named < CONDITIONS && conditions[named] == 0)
		named++;
	// Whatever the deeper conditions are: one run of cells.
	if (named == CONDITIONS)
		return fill_cells(table, line, first, cells);
	unsigned count = policy_table_count(table, (enum condition)condition, operation);
	uint64_t wanted = conditions[condition] == 0 ? UINT64_MAX : conditions[condition];
	cells /= count;
	for (unsigned i = 0; i < count; i++) {
		if ((wanted >> i & 1) != 0 && !fill(table, line, operation, condition + 1, first + i * cells, cells))
			return false;
	}
	return true;
}

static bool fill_line(struct policy_table *table, unsigned line)
{
	uint64_t wanted = table->lines[line].conditions[OPERATION];
	size_t first = 0;
	for (unsigned operation = 0; operation < table->values[OPERATION].count; operation++) {
		size_t cells = block_of(table, operation);
		if ((wanted == 0 || (wanted >> operation & 1) != 0) &&
		    !fill(table, line, operation, OPERATION + 1, first, cells))
			return false;
		first += cells;
	}
	return true;
}

static bool fill_all(struct policy_table *table)
{
	table->cells_count = 0;
	for (unsigned operation = 0; operation < table->values[OPERATION].count; operation++)
		table->cells_count += block_of(table, operation);
	if (table->cells_count == 0)
		return wrong(table, "no role at all");
	table->cells = calloc(table->cells_count, 1);
	ck_assert_ptr_nonnull(table->cells);
	for (unsigned line = 0; line < table->lines_count; line++) {
		if (!fill_line(table, line))
			return false;
	}
	const uint8_t *gap = memchr(table->cells, 0, table->cells_count);
	if (gap == NULL)
		return true;
	char text[POLICY_TABLE_DETAIL_BYTES / 2];
	return wrong(table, "no line decides %s",
		     policy_table_combination(table, (size_t)(gap - table->cells), text));
}

void policy_table_free(struct policy_table *table)
{
	if (table != NULL)
		free(table->cells);
	free(table);
}

// NULL: `detail` says which line is wrong, or what is decided twice or not at all.
struct policy_table *policy_table_new(const char *content, char detail[POLICY_TABLE_DETAIL_BYTES])
{
	struct policy_table *table = calloc(1, sizeof *table);
	char *copy = strdup(content), *rest = copy;
	ck_assert(table != NULL && copy != NULL);
	add_values(table);
	uint64_t conditions[CONDITIONS] = {0};
	bool good = true;
	unsigned number = 1;
	for (char *text; good && (text = strsep(&rest, "\n")) != NULL; number++)
		good = read_line(table, number, conditions, text);
	good = good && fill_all(table);
	free(copy);
	if (good)
		return table;
	strcpy(detail, table->detail);
	policy_table_free(table);
	return NULL;
}

// ------------------------------------------------------------------ looking into it

const struct policy_table_line *policy_table_line_of(const struct policy_table *table, size_t cell)
{
	return &table->lines[table->cells[cell] - 1];
}

bool policy_table_has(const struct policy_table *table, enum condition condition, const char *word)
{
	return find_value(&table->values[condition], word) != 0;
}
