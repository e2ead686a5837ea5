// Remembering events, and putting each before the rules that are about such events.
#include "broker/detection_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Refusals that are further apart are not one attempt.
#define DENIALS_APART_MS (60u * 60u * 1000u)

struct detection {
	struct memory *memory;
};

bool detection_new(unsigned batch_max, struct detection **ret)
{
	struct detection *detection = calloc(1, sizeof *detection);
	if (detection == NULL || !memory_new(batch_max, &detection->memory)) {
		free(detection);
		return false;
	}
	*ret = detection;
	return true;
}

void detection_free(struct detection *detection)
{
	if (detection == NULL)
		return;
	memory_free(detection->memory);
	free(detection);
}

void detection_committed(struct detection *detection)
{
	memory_keep(detection->memory);
}

void detection_abandoned(struct detection *detection)
{
	memory_put_back(detection->memory);
}

void detection_forget(struct detection *detection)
{
	memory_forget(detection->memory);
}

// ------------------------------------------------------------------ an event

// The person's memory of this number, or the one whose last look is the longest ago.
static struct memory_look *look_of(struct memory_person *person, uint32_t number)
{
	struct memory_look *oldest = &person->looks[0];
	uint32_t oldest_s = UINT32_MAX;
	for (unsigned i = 0; i < DETECTION_LOOKS_MAX; i++) {
		struct memory_look *look = &person->looks[i];
		uint32_t last_s = look->allowed_s > look->denied_s ? look->allowed_s : look->denied_s;
		if (last_s != 0 && look->number == number && !look->invalid)
			return look;
		if (last_s < oldest_s) {
			oldest = look;
			oldest_s = last_s;
		}
	}
	memset(oldest, 0, sizeof *oldest);
	oldest->number = number;
	return oldest;
}

static void remember_look(struct observation *seen)
{
	const struct detection_event *event = seen->event;
	if (event->number_invalid) {
		struct memory_look *look = look_of(seen->person, (uint32_t)event->audit_index);
		*look = (struct memory_look){.number = (uint32_t)event->audit_index, .allowed_s = seen->now_s, .invalid = true};
	} else if (event->has_number && (event->allowed || event->denied)) {
		struct memory_look *look = look_of(seen->person, event->number);
		seen->before = *look;
		if (event->allowed) {
			look->allowed_s = seen->now_s;
			look->found = event->found;
			look->denials = 0;
		} else {
			bool again = detection_within(look->denied_s, seen->now_s, DENIALS_APART_MS);
			look->denials = again && look->denials < UINT16_MAX ? (uint16_t)(look->denials + 1) : 1;
			look->denied_s = seen->now_s;
		}
	}
}

static void remember_person(struct observation *seen)
{
	uint64_t key = memory_hash(MEMORY_HASH_START, seen->event->person.bytes, sizeof seen->event->person.bytes);
	seen->person = memory_person(seen->memory, key, seen->now_s);
	if (detection_is_look(seen->event))
		remember_look(seen);
}

static bool asks_for(const struct detection_rules *rules, enum detection_kind kind, unsigned care_setting)
{
	for (size_t i = 0; i < rules->count; i++)
		if (rules->rules[i].kind == kind && detection_counts(&rules->rules[i], care_setting))
			return true;
	return false;
}

static void remember_child(struct observation *seen, const struct detection_rules *rules)
{
	const struct detection_event *event = seen->event;
	if (!detection_is_look(event) || !event->allowed || !event->has_number || !event->place.known ||
	    !asks_for(rules, DETECTION_FAR_SETTINGS, (unsigned)event->care_setting))
		return;
	uint64_t key = memory_hash(MEMORY_HASH_START, &event->number, sizeof event->number);
	struct memory_child *child = memory_child(seen->memory, key, seen->now_s, &seen->child);
	child->place = event->place;
	child->care_setting = (uint8_t)event->care_setting;
	memset(child->organisation, 0, sizeof child->organisation);
	memccpy(child->organisation, event->organisation, '\0', sizeof child->organisation - 1);
}

// Whether the rule is about such events at all.
static bool applies(const struct observation *seen)
{
	if (detection_finders[seen->rule->kind].of_system)
		return seen->system != NULL;
	return seen->person != NULL && detection_finders[seen->rule->kind].of_looks == detection_is_look(seen->event) &&
	       detection_counts(seen->rule, (unsigned)seen->event->care_setting);
}

// Found, and not already within the window.
static bool is_news(struct observation *seen)
{
	struct memory_count *count = detection_finders[seen->rule->kind].of_system ? &seen->system->counts[seen->number]
								       : &seen->person->counts[seen->number];
	seen->told = detection_within(count->found_s, seen->now_s, seen->rule->window_ms);
	if (!detection_finders[seen->rule->kind].find(seen) || seen->told)
		return false;
	count->found_s = seen->now_s;
	return true;
}

size_t detection_observe(struct detection *detection, const struct detection_rules *rules, const struct detection_event *event,
			 struct detection_finding ret[DETECTION_RULES_MAX])
{
	size_t count = 0;
	struct observation seen = {.memory = detection->memory, .event = event, .now_s = (uint32_t)(event->time_ms / DETECTION_SECOND_MS)};
	if (rules->count == 0 || event->organisation[0] == '\0')
		return 0;
	if (asks_for(rules, DETECTION_SYSTEM_RATE, 0)) {
		uint64_t key = memory_hash(MEMORY_HASH_START, event->organisation, strlen(event->organisation) + 1);
		seen.system = memory_system(detection->memory, memory_hash(key, event->system_name, strlen(event->system_name)),
					    seen.now_s);
	}
	if (event->has_person && (detection_is_look(event) || event->operation == CPIS__V1__OPERATION__SESSION_OPEN))
		remember_person(&seen);
	remember_child(&seen, rules);
	for (seen.number = 0; seen.number < rules->count; seen.number++) {
		seen.rule = &rules->rules[seen.number];
		seen.words = ret[count].words;
		if (!applies(&seen) || !is_news(&seen))
			continue;
		ret[count].rule = seen.rule;
		ret[count].about_system = detection_finders[seen.rule->kind].of_system;
		count++;
	}
	return count;
}
