// The rules of detection. One function for each kind: it counts the event and says whether that is a finding, in words.
#include "broker/detection_priv.h"

#include <stdio.h>
#include <string.h>

#include "proto/date.h"
#include "proto/text.h"
#include "proto/wire.h"

#define MINUTE_MS 60000u
#define MINUTE_S 60u
#define DAY_MS (24ull * 60u * 60u * 1000u)
// A system is compared with itself from then on.
#define SYSTEM_WINDOWS_MIN 3u
#define SYSTEM_COUNT_MAX 4000000u
#define SYSTEM_IDLE_MAX 64u

// ------------------------------------------------------------------ helpers

static unsigned minutes_of(const struct detection_rule *rule)
{
	return (unsigned)(rule->window_ms / (MINUTE_MS));
}

static uint32_t window_of(const struct observation *seen)
{
	return (uint32_t)(seen->event->time_ms / seen->rule->window_ms);
}

static void setting_word(const struct detection_event *event, char out[40])
{
	text_lower_case(wire_care_setting_name(event->care_setting), out, 40);
}

// Counts one more in the window of this event; a count of another window is begun anew.
static uint32_t count_one(struct memory_count *count, uint32_t window)
{
	if (count->window != window)
		count->count = 0;
	count->window = window;
	return ++count->count;
}

// ------------------------------------------------------------------ people

// Distinct children that the person was shown within the window.
static unsigned children_in_window(const struct observation *seen)
{
	unsigned count = 0;
	for (unsigned i = 0; i < DETECTION_LOOKS_MAX; i++) {
		const struct memory_look *look = &seen->person->looks[i];
		count += !look->invalid && detection_within(look->allowed_s, seen->now_s, seen->rule->window_ms);
	}
	return count;
}

static uint64_t peers_key(const struct observation *seen)
{
	uint8_t tail[2] = {(uint8_t)seen->number, (uint8_t)seen->event->care_setting};
	return memory_hash(memory_hash(MEMORY_HASH_START, tail, sizeof tail), seen->event->role_code,
			   strlen(seen->event->role_code));
}

// A peer's window is over: their count joins the measure of all. The older ones fade.
static void add_peer(struct memory_group *group, uint32_t count)
{
	if (group->counts[count < DETECTION_LOOKS_MAX ? count : DETECTION_LOOKS_MAX] == UINT16_MAX || group->total >= 8192) {
		group->total = 0;
		for (unsigned i = 0; i <= DETECTION_LOOKS_MAX; i++)
			group->total += group->counts[i] /= 2;
	}
	group->counts[count < DETECTION_LOOKS_MAX ? count : DETECTION_LOOKS_MAX]++;
	group->total++;
}

static void measure_peers(const struct memory_group *group, unsigned *ret_median, unsigned *ret_most)
{
	uint32_t so_far = 0;
	*ret_median = *ret_most = 0;
	for (unsigned i = 0; i <= DETECTION_LOOKS_MAX; i++) {
		if (group->counts[i] == 0)
			continue;
		if (so_far * 2 < group->total)
			*ret_median = i;
		so_far += group->counts[i];
		*ret_most = i;
	}
}

// The clock's windows are for the measure of peers; what is judged slides.
static void count_for_peers(const struct observation *seen)
{
	struct memory_count *count = &seen->person->counts[seen->number];
	uint32_t window = window_of(seen);
	if (count->window != window) {
		if (count->count > 0)
			add_peer(memory_group(seen->memory, seen->person->groups[seen->number], seen->now_s), count->count);
		count->window = window;
		count->count = 0;
	}
	uint64_t began_s = window * seen->rule->window_ms / DETECTION_SECOND_MS;
	if (seen->before.allowed_s < began_s || seen->before.invalid)
		count->count++;
	seen->person->groups[seen->number] = peers_key(seen);
}

static bool volume(struct observation *seen)
{
	const unsigned *numbers = seen->rule->numbers;
	unsigned median, most;
	char setting[40];
	if (!seen->event->allowed || !seen->event->has_number)
		return false;
	count_for_peers(seen);
	unsigned children = children_in_window(seen);
	if (children < numbers[DETECTION_CHILDREN] && children < numbers[DETECTION_ALONE])
		return false;
	const struct memory_group *group = memory_group(seen->memory, peers_key(seen), seen->now_s);
	if (seen->told)
		return true;
	setting_word(seen->event, setting);
	if (group->total < numbers[DETECTION_PEERS]) {
		if (children < numbers[DETECTION_ALONE])
			return false;
		snprintf(seen->words, DETECTION_WORDS_BYTES,
			 "looked at %u children in %u minutes; too little is known of peers in %s in %s", children,
			 minutes_of(seen->rule), seen->event->role_code, setting);
		return true;
	}
	measure_peers(group, &median, &most);
	if (children < numbers[DETECTION_CHILDREN] || children < numbers[DETECTION_TIMES] * median)
		return false;
	snprintf(seen->words, DETECTION_WORDS_BYTES, "looked at %s%u children in %u minutes; peers in %s in %s: %u, most %u",
		 children == DETECTION_LOOKS_MAX ? "at least " : "", children, minutes_of(seen->rule), seen->event->role_code,
		 setting, median, most);
	return true;
}

static bool enumeration(struct observation *seen)
{
	const unsigned *numbers = seen->rule->numbers;
	uint32_t low = seen->event->number, high = low;
	unsigned count = 0;
	if (!seen->event->has_number)
		return false;
	for (unsigned i = 0; i < DETECTION_LOOKS_MAX; i++) {
		const struct memory_look *look = &seen->person->looks[i];
		uint32_t apart = look->number > seen->event->number ? look->number - seen->event->number
								    : seen->event->number - look->number;
		if (look->invalid || apart > numbers[DETECTION_SPAN] ||
		    (!detection_within(look->allowed_s, seen->now_s, seen->rule->window_ms) &&
		     !detection_within(look->denied_s, seen->now_s, seen->rule->window_ms)))
			continue;
		count++;
		low = look->number < low ? look->number : low;
		high = look->number > high ? look->number : high;
	}
	if (count < numbers[DETECTION_NUMBERS])
		return false;
	snprintf(seen->words, DETECTION_WORDS_BYTES,
		 "asked about %u numbers in %u minutes that lie within %u of each other; unrelated numbers are millions apart",
		 count, minutes_of(seen->rule), high - low + 1);
	return true;
}

static bool no_match(struct observation *seen)
{
	const unsigned *numbers = seen->rule->numbers;
	unsigned all = 0, nothing = 0, invalid = 0;
	// A guess that hits changes nothing about those that missed.
	if (!seen->event->number_invalid)
		return false;
	for (unsigned i = 0; i < DETECTION_LOOKS_MAX; i++) {
		const struct memory_look *look = &seen->person->looks[i];
		if (!detection_within(look->allowed_s, seen->now_s, seen->rule->window_ms))
			continue;
		all++;
		nothing += look->invalid || !look->found;
		invalid += look->invalid;
	}
	if (all < numbers[DETECTION_LOOKS] || nothing * 100 < numbers[DETECTION_PERCENT] * all ||
	    invalid < numbers[DETECTION_INVALID])
		return false;
	snprintf(seen->words, DETECTION_WORDS_BYTES,
		 "asked about %u numbers in %u minutes: %u of them are no NHS number, and of %u nothing is known", all,
		 minutes_of(seen->rule), invalid, nothing - invalid);
	return true;
}

// The measure is what is done at the same place: whether reasons are stated is a matter of local practice.
static uint64_t practice_key(const struct observation *seen)
{
	uint8_t tail[2] = {(uint8_t)seen->number, (uint8_t)seen->event->care_setting};
	return memory_hash(memory_hash(MEMORY_HASH_START, tail, sizeof tail), seen->event->organisation,
			   strlen(seen->event->organisation));
}

// The person's looks in the window, with and without, stand where other rules have their count and their peers.
static bool no_reason(struct observation *seen)
{
	const unsigned *numbers = seen->rule->numbers;
	struct memory_count *count = &seen->person->counts[seen->number];
	uint64_t *looks = &seen->person->groups[seen->number];
	char setting[40];
	if (!seen->event->allowed || !seen->event->has_number)
		return false;
	struct memory_group *group = memory_group(seen->memory, practice_key(seen), seen->now_s);
	unsigned without = !seen->event->reason_stated;
	if (group->counts[without] == UINT16_MAX) {
		group->counts[0] /= 2;
		group->counts[1] /= 2;
	}
	group->counts[without]++;
	if (count->window != window_of(seen)) {
		*count = (struct memory_count){.window = window_of(seen), .found_s = count->found_s};
		*looks = 0;
	}
	++*looks;
	count->count += without;
	uint64_t all = (uint64_t)group->counts[0] + group->counts[1], given = group->counts[0];
	// As many as that would be without one if the person did what is done there.
	bool far_more = count->count * all >= numbers[DETECTION_TIMES] * *looks * group->counts[1];
	if (!without || count->count < numbers[DETECTION_LOOKS] || all < numbers[DETECTION_PEERS] || !far_more ||
	    given * 100 < numbers[DETECTION_PERCENT] * all)
		return false;
	setting_word(seen->event, setting);
	snprintf(seen->words, DETECTION_WORDS_BYTES,
		 "%u of %u looks in %u minutes without a reason; %u of 100 looks at %s in %s state one", count->count,
		 (unsigned)*looks, minutes_of(seen->rule), (unsigned)(given * 100 / all), seen->event->organisation, setting);
	return true;
}

static bool outside_hours(struct observation *seen)
{
	const struct detection_rule *rule = seen->rule;
	struct english_time now = english_time_of(seen->event->time_ms);
	bool after = now.minute_of_day >= rule->from_minute, before = now.minute_of_day < rule->until_minute;
	bool open = rule->from_minute < rule->until_minute ? after && before : after || before;
	bool weekend = rule->weekdays && (now.weekday == 0 || now.weekday == 6);
	char setting[40];
	if (open && !weekend)
		return false;
	uint32_t count = count_one(&seen->person->counts[seen->number], window_of(seen));
	if (count < rule->numbers[DETECTION_LOOKS])
		return false;
	setting_word(seen->event, setting);
	snprintf(seen->words, DETECTION_WORDS_BYTES, "%u looks in %u minutes from %s outside %02u:%02u-%02u:%02u%s, one at %02u:%02u",
		 count, minutes_of(rule), setting, rule->from_minute / 60u, rule->from_minute % 60u, rule->until_minute / 60u,
		 rule->until_minute % 60u, rule->weekdays ? " on weekdays" : "", now.minute_of_day / 60u, now.minute_of_day % 60u);
	return true;
}

static bool dormant(struct observation *seen)
{
	unsigned days = (unsigned)(seen->event->slept_ms / DAY_MS);
	if (!seen->event->allowed || days < seen->rule->numbers[DETECTION_DAYS])
		return false;
	snprintf(seen->words, DETECTION_WORDS_BYTES, "signed in as %s at %s for the first time in %u days",
		 seen->event->role_code, seen->event->organisation, days);
	return true;
}

static bool own_household(struct observation *seen)
{
	if (!seen->event->allowed || !seen->event->own_household)
		return false;
	snprintf(seen->words, DETECTION_WORDS_BYTES, "looked at a child of whom %s says that they live at the same address",
		 seen->event->system_name);
	return true;
}

static bool denied_then_allowed(struct observation *seen)
{
	const struct memory_look *before = &seen->before;
	if (!seen->event->allowed || !seen->event->has_number || before->denials < seen->rule->numbers[DETECTION_DENIALS] ||
	    !detection_within(before->denied_s, seen->now_s, seen->rule->window_ms))
		return false;
	unsigned apart = seen->now_s > before->denied_s ? seen->now_s - before->denied_s : 0;
	snprintf(seen->words, DETECTION_WORDS_BYTES, "was refused %u times about a child, and allowed %u minutes after the last time",
		 before->denials, apart / MINUTE_S);
	return true;
}

// ------------------------------------------------------------------ places

static bool far_settings(struct observation *seen)
{
	const struct memory_child *child = &seen->child;
	if (!seen->event->allowed || !seen->event->has_number || !seen->event->place.known || child->row.key == 0 ||
	    !detection_within(child->row.used_s, seen->now_s, seen->rule->window_ms) || !detection_counts(seen->rule, child->care_setting))
		return false;
	unsigned km = place_kilometres(&child->place, &seen->event->place);
	if (km < seen->rule->numbers[DETECTION_KM])
		return false;
	unsigned apart = seen->now_s > child->row.used_s ? seen->now_s - child->row.used_s : 0;
	snprintf(seen->words, DETECTION_WORDS_BYTES, "a child was looked at from %s and, %u minutes later and %u km away, from %s",
		 child->organisation, apart / MINUTE_S, km, seen->event->organisation);
	return true;
}

// ------------------------------------------------------------------ systems

// Its windows that are over become what it is compared with.
static void roll_system(struct memory_system *system, unsigned number, uint32_t window)
{
	struct memory_count *count = &system->counts[number];
	uint32_t *average = &system->average_1024[number], *most = &system->most_1024[number], latest = count->count * 1024;
	if (count->window == window)
		return;
	if (count->window != 0) {
		*average = system->windows[number] == 0 ? latest : (uint32_t)((7ull * *average + latest) / 8);
		*most = latest > *most ? latest : *most - *most / 1024;
		system->windows[number]++;
		for (uint32_t idle = count->window + 1; idle < window && idle - count->window < SYSTEM_IDLE_MAX; idle++) {
			*average -= *average / 8;
			*most -= *most / 1024;
		}
	}
	count->window = window;
	count->count = 0;
}

static bool system_rate(struct observation *seen)
{
	const unsigned *numbers = seen->rule->numbers;
	struct memory_system *system = seen->system;
	struct memory_count *count = &system->counts[seen->number];
	roll_system(system, seen->number, window_of(seen));
	if (count->count < SYSTEM_COUNT_MAX)
		count->count++;
	if (count->count < numbers[DETECTION_REQUESTS] || system->windows[seen->number] < SYSTEM_WINDOWS_MIN ||
	    count->count * 1024ull < (uint64_t)numbers[DETECTION_TIMES] * system->most_1024[seen->number])
		return false;
	snprintf(seen->words, DETECTION_WORDS_BYTES, "%u requests in %u minutes by %s/%s; on average %u before, most %u",
		 count->count, minutes_of(seen->rule), seen->event->organisation, seen->event->system_name,
		 (system->average_1024[seen->number] + 512) / 1024, (system->most_1024[seen->number] + 512) / 1024);
	return true;
}

// ------------------------------------------------------------------ all of them

const struct detection_finder detection_finders[DETECTION_KINDS] = {
	[DETECTION_VOLUME] = {volume, true, false},
	[DETECTION_ENUMERATION] = {enumeration, true, false},
	[DETECTION_NO_MATCH] = {no_match, true, false},
	[DETECTION_NO_REASON] = {no_reason, true, false},
	[DETECTION_OUTSIDE_HOURS] = {outside_hours, true, false},
	[DETECTION_FAR_SETTINGS] = {far_settings, true, false},
	[DETECTION_DORMANT] = {dormant, false, false},
	[DETECTION_OWN_HOUSEHOLD] = {own_household, true, false},
	[DETECTION_DENIED_THEN_ALLOWED] = {denied_then_allowed, true, false},
	[DETECTION_SYSTEM_RATE] = {system_rate, false, true},
};
