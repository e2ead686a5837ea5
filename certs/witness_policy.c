// The policy file: C2SP tlog-policy, with at most 16 witnesses and 16 groups.
#include "certs/cosignature.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certs/file_priv.h"
#include "certs/note_priv.h"

#define WORDS_MAX (3 + WITNESSES_MAX + WITNESS_GROUPS_MAX)
#define FUTURE_S 60u

struct reading {
	struct witness_policy policy;
	bool quorum_stands;
	uint32_t witnesses, groups; // members of a group of a line before
	const char *wrong; // what is wrong with the line
};

static bool refuse(struct reading *reading, const char *wrong)
{
	reading->wrong = wrong;
	return false;
}

static bool find_witness(const struct witness_policy *policy, const char *name, unsigned *ret)
{
	for (*ret = 0; *ret < policy->count; ++*ret)
		if (strcmp(policy->witnesses[*ret].name, name) == 0)
			return true;
	return false;
}

static bool find_group(const struct witness_policy *policy, const char *name, unsigned *ret)
{
	for (*ret = 0; *ret < policy->group_count; ++*ret)
		if (strcmp(policy->groups[*ret].name, name) == 0)
			return true;
	return false;
}

// Witnesses and groups share their names; "none" is nobody's.
static bool name_is_free(const struct witness_policy *policy, const char *name)
{
	unsigned number;
	return strlen(name) <= WITNESS_NAME_BYTES_MAX && strcmp(name, "none") != 0 && !find_witness(policy, name, &number) &&
	       !find_group(policy, name, &number);
}

static bool take_witness(struct reading *reading, char **words, unsigned count)
{
	struct witness_policy *policy = &reading->policy;
	struct note_verifier key;
	if (count != 3 && count != 4)
		return refuse(reading, "a witness line is: witness NAME KEY [URL]");
	if (policy->count == WITNESSES_MAX)
		return refuse(reading, "there are more than 16 witnesses");
	if (!name_is_free(policy, words[1]))
		return refuse(reading, "the name is taken, or longer than 64 bytes");
	if (note_key_parse(words[2], NOTE_COSIGNATURE_V1, &key) != CERTS_OK)
		return refuse(reading, "the key is not one for cosignatures: name+id+key, as `cpis witness init` prints it");
	for (unsigned i = 0; i < policy->count; i++)
		if (memcmp(policy->witnesses[i].key.public_key, key.public_key, KEY_BYTES) == 0)
			return refuse(reading, "the key stands twice");
	snprintf(policy->witnesses[policy->count].name, sizeof policy->witnesses[0].name, "%s", words[1]);
	policy->witnesses[policy->count++].key = key;
	return true;
}

static bool read_threshold(const char *word, unsigned members, unsigned *ret)
{
	char *end;
	if (strcmp(word, "any") == 0 || strcmp(word, "all") == 0) {
		*ret = word[1] == 'n' ? 1 : members;
		return true;
	}
	*ret = (unsigned)strtoul(word, &end, 10);
	return word[0] >= '1' && word[0] <= '9' && strlen(word) <= 2 && *end == '\0' && *ret <= members;
}

static bool take_group(struct reading *reading, char **words, unsigned count)
{
	struct witness_policy *policy = &reading->policy;
	if (count < 4)
		return refuse(reading, "a group line is: group NAME any|all|NUMBER MEMBER...");
	if (policy->group_count == WITNESS_GROUPS_MAX)
		return refuse(reading, "there are more than 16 groups");
	if (!name_is_free(policy, words[1]))
		return refuse(reading, "the name is taken, or longer than 64 bytes");
	uint32_t witnesses = 0, groups = 0;
	for (unsigned i = 3; i < count; i++) {
		unsigned number;
		bool is_group = find_group(policy, words[i], &number);
		if (!is_group && !find_witness(policy, words[i], &number))
			return refuse(reading, "a member is no witness and no group of a line before");
		uint32_t *set = is_group ? &groups : &witnesses;
		uint32_t taken = *set | (is_group ? reading->groups : reading->witnesses);
		// In two groups it would count twice (C2SP tlog-policy).
		if ((taken >> number & 1) != 0)
			return refuse(reading, "a member stands twice, here or in a group before");
		*set |= (uint32_t)1 << number;
	}
	unsigned threshold;
	if (!read_threshold(words[2], count - 3, &threshold))
		return refuse(reading, "the number must be any, all, or from 1 to the number of members");
	snprintf(policy->groups[policy->group_count].name, sizeof policy->groups[0].name, "%s", words[1]);
	policy->groups[policy->group_count].threshold = threshold;
	policy->groups[policy->group_count].witnesses = witnesses;
	policy->groups[policy->group_count++].groups = groups;
	reading->witnesses |= witnesses;
	reading->groups |= groups;
	return true;
}

static bool take_quorum(struct reading *reading, char **words, unsigned count)
{
	struct witness_policy *policy = &reading->policy;
	if (count != 2 || reading->quorum_stands)
		return refuse(reading, "there must be one line: quorum NAME");
	reading->quorum_stands = true;
	if (strcmp(words[1], "none") == 0)
		return true;
	policy->required = true;
	policy->quorum_is_group = find_group(policy, words[1], &policy->quorum);
	return policy->quorum_is_group || find_witness(policy, words[1], &policy->quorum) ||
	       refuse(reading, "the quorum is no witness and no group of a line before");
}

static bool take_line(struct reading *reading, char *line)
{
	char *words[WORDS_MAX], *rest = NULL;
	unsigned count = 0;
	for (char *word = strtok_r(line, " \t", &rest); word != NULL; word = strtok_r(NULL, " \t", &rest)) {
		if (count == WORDS_MAX)
			return refuse(reading, "the line has too many words");
		words[count++] = word;
	}
	if (count == 0 || words[0][0] == '#')
		return true;
	if (strcmp(words[0], "witness") == 0)
		return take_witness(reading, words, count);
	if (strcmp(words[0], "group") == 0)
		return take_group(reading, words, count);
	if (strcmp(words[0], "quorum") == 0)
		return take_quorum(reading, words, count);
	// The log is known from log.vkey beside it.
	return strcmp(words[0], "log") == 0 || refuse(reading, "a line begins with log, witness, group or quorum");
}

static bool take_text(struct reading *reading, char *text, const char *path, char detail[WITNESS_DETAIL_BYTES])
{
	unsigned number = 1;
	for (char *line = text, *end; *line != '\0'; line = end + 1, number++) {
		end = strchr(line, '\n');
		if (end == NULL) {
			snprintf(detail, WITNESS_DETAIL_BYTES, "%.150s:%u: the line does not end", path, number);
			return false;
		}
		*end = '\0';
		if (!take_line(reading, line)) {
			snprintf(detail, WITNESS_DETAIL_BYTES, "%.150s:%u: %s", path, number, reading->wrong);
			return false;
		}
	}
	if (!reading->quorum_stands)
		snprintf(detail, WITNESS_DETAIL_BYTES, "%.150s: there must be one line: quorum NAME", path);
	return reading->quorum_stands;
}

bool witness_policy_load(const char *path, struct witness_policy *ret, char detail[WITNESS_DETAIL_BYTES])
{
	struct reading reading = {0};
	uint8_t *data = NULL;
	size_t bytes = 0;
	errno = 0;
	enum certs_status status = file_read(path, false, &data, &bytes);
	if (status != CERTS_OK && errno == ENOENT) {
		*ret = reading.policy;
		return true;
	}
	if (status != CERTS_OK || memchr(data, '\0', bytes) != NULL) {
		snprintf(detail, WITNESS_DETAIL_BYTES, "%.150s: %s", path,
			 certs_status_text(status == CERTS_OK ? CERTS_MALFORMED : status));
		file_free(data, bytes);
		return false;
	}
	bool good = take_text(&reading, (char *)data, path, detail);
	file_free(data, bytes);
	if (good)
		*ret = reading.policy;
	return good;
}

// ------------------------------------------------------------------ what holds

static bool quorum_holds(const struct witness_policy *policy, uint32_t cosigned)
{
	uint32_t held = 0; // groups; a group's members stand before it
	for (unsigned i = 0; i < policy->group_count; i++) {
		unsigned members = (unsigned)(__builtin_popcount(policy->groups[i].witnesses & cosigned) +
					      __builtin_popcount(policy->groups[i].groups & held));
		held |= (uint32_t)(members >= policy->groups[i].threshold) << i;
	}
	return ((policy->quorum_is_group ? held : cosigned) >> policy->quorum & 1) != 0;
}

bool witness_policy_holds(const struct witness_policy *policy, const char *note, uint64_t now_s, uint64_t *ret_time_s)
{
	uint64_t times[WITNESSES_MAX] = {0}, best = 0;
	*ret_time_s = 0;
	if (!policy->required)
		return true;
	for (unsigned i = 0; i < policy->count; i++)
		if (cosignature_check(note, &policy->witnesses[i].key, &times[i]) != CERTS_OK || times[i] > now_s + FUTURE_S)
			times[i] = 0;
	for (unsigned i = 0; i < policy->count; i++) {
		uint32_t since = 0;
		for (unsigned k = 0; k < policy->count; k++)
			since |= (uint32_t)(times[k] >= times[i]) << k;
		if (times[i] > best && quorum_holds(policy, since))
			best = times[i];
	}
	*ret_time_s = best;
	return best > 0;
}

unsigned witness_policy_count(const struct witness_policy *policy, const char *note)
{
	unsigned count = 0;
	uint64_t time_s;
	for (unsigned i = 0; i < policy->count; i++)
		count += cosignature_check(note, &policy->witnesses[i].key, &time_s) == CERTS_OK;
	return count;
}

unsigned witness_policy_least(const struct witness_policy *policy)
{
	unsigned least = 0;
	if (!policy->required)
		return 0;
	for (uint32_t set = 1; set < (uint32_t)1 << policy->count; set++) {
		unsigned size = (unsigned)__builtin_popcount(set);
		if ((least == 0 || size < least) && quorum_holds(policy, set))
			least = size;
	}
	return least;
}
