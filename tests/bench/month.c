// Inventing the month.
#include "tests/bench/month.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MINUTE_MS UINT64_C(60000)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)
#define START_MS UINT64_C(1790812800000) // Thursday 2026-10-01, 00:00 UTC
#define ORGANISATIONS 60u
#define PEOPLE_MAX 4000u
#define CHILDREN_PER_ORGANISATION 4000u
#define NUMBERS 1000000u // 999 000 000 to 999 999 999

// How work goes in one kind of place.
struct trade {
	Cpis__V1__CareSetting setting;
	const char *role;
	unsigned places;         // of the 60
	unsigned people;         // in each
	double children;         // in a shift, of a middling person
	double spread;           // between people and shifts
	bool around_the_clock;
	double list_share;       // of shifts that are a clinic with a list
};
static const struct trade trades[] = {
	{CPIS__V1__CARE_SETTING__EMERGENCY_DEPARTMENT, "R8001", 14, 45, 9, 0.5, true, 0},
	{CPIS__V1__CARE_SETTING__WALK_IN_CENTRE, "R8001", 6, 12, 8, 0.5, true, 0},
	{CPIS__V1__CARE_SETTING__MINOR_INJURY_UNIT, "R8003", 6, 10, 7, 0.5, true, 0},
	{CPIS__V1__CARE_SETTING__AMBULANCE, "R1070", 3, 80, 1.5, 0.5, true, 0},
	{CPIS__V1__CARE_SETTING__NHS_111, "R8003", 2, 60, 22, 0.35, true, 0},
	{CPIS__V1__CARE_SETTING__MATERNITY, "R8016", 8, 20, 4, 0.5, true, 0.02},
	{CPIS__V1__CARE_SETTING__GP_OUT_OF_HOURS, "R0260", 5, 12, 6, 0.5, true, 0},
	{CPIS__V1__CARE_SETTING__SCHOOL_NURSING, "R8001", 8, 15, 5, 0.5, false, 0.06},
	{CPIS__V1__CARE_SETTING__GP_IN_HOURS, "R0260", 8, 8, 3, 0.5, false, 0},
};
#define TRADES (sizeof trades / sizeof trades[0])

struct organisation_of {
	char ods[8];
	const struct trade *trade;
	struct place place;
	double reasons;          // share of looks with one
	uint32_t first_person, people;
};

struct person_of {
	uint32_t organisation;
	double pace;
	unsigned shift;          // 0 day, 1 evening, 2 night: where it goes around the clock
};

struct making {
	struct month *month;
	size_t room;
	uint64_t state;
	struct organisation_of organisations[ORGANISATIONS];
	struct person_of people[PEOPLE_MAX];
};

static const struct {
	const char *words;
	enum detection_kind rule;
} misuses[MISUSE_KINDS] = {
#define X(name, words, rule) {words, rule},
	MISUSE_TABLE(X)
#undef X
};

const char *misuse_words(enum misuse kind)
{
	return misuses[kind].words;
}

enum detection_kind misuse_rule(enum misuse kind)
{
	return misuses[kind].rule;
}

// ------------------------------------------------------------------ chance

static uint32_t below(struct making *making, uint32_t bound)
{
	making->state = making->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)((making->state >> 33) % bound);
}

static double share(struct making *making)
{
	return (below(making, 1u << 30) + 0.5) / (double)(1u << 30);
}

static bool chance(struct making *making, double probability)
{
	return share(making) < probability;
}

static double bell(struct making *making)
{
	return sqrt(-2 * log(share(making))) * cos(2 * acos(-1.0) * share(making));
}

static unsigned about(struct making *making, double middle, double spread)
{
	return (unsigned)(middle * exp(spread * bell(making)) + share(making));
}

// A child of the place's own catchment; their numbers have nothing to do with each other.
static uint32_t child_of(struct making *making, uint32_t organisation)
{
	uint64_t child = (uint64_t)organisation * CHILDREN_PER_ORGANISATION + below(making, CHILDREN_PER_ORGANISATION);
	return 999000000u + (uint32_t)((child * UINT64_C(2654435761) + 12345) % NUMBERS);
}

// ------------------------------------------------------------------ events

static struct detection_event *add(struct making *making, uint32_t person, uint64_t time_ms, int incident)
{
	struct month *month = making->month;
	const struct organisation_of *where = &making->organisations[making->people[person].organisation];
	if (month->count == making->room) {
		making->room = making->room == 0 ? 65536 : 2 * making->room;
		month->events = realloc(month->events, making->room * sizeof *month->events);
		if (month->events == NULL)
			abort();
	}
	struct month_event *made = &month->events[month->count++];
	*made = (struct month_event){.person = person, .organisation = making->people[person].organisation, .incident = incident};
	made->event = (struct detection_event){
		.time_ms = time_ms,
		.operation = CPIS__V1__OPERATION__FLAG,
		.allowed = true,
		.organisation = where->ods,
		.system_name = "main",
		.place = where->place,
		.has_person = true,
		.role_code = where->trade->role,
		.care_setting = where->trade->setting,
	};
	memcpy(made->event.person.bytes, &person, sizeof person);
	return &made->event;
}

static struct detection_event *add_look(struct making *making, uint32_t person, uint64_t time_ms, uint32_t number, int incident)
{
	struct detection_event *look = add(making, person, time_ms, incident);
	look->has_number = true;
	look->number = number;
	look->found = chance(making, 0.03);
	look->reason_stated = chance(making, making->organisations[making->people[person].organisation].reasons);
	return look;
}

static void add_sign_in(struct making *making, uint32_t person, uint64_t time_ms, uint64_t slept_ms, int incident)
{
	struct detection_event *made = add(making, person, time_ms, incident);
	made->operation = CPIS__V1__OPERATION__SESSION_OPEN;
	made->slept_ms = slept_ms;
}

// One child's visit, as one person sees it.
static void visit(struct making *making, uint32_t person, uint64_t time_ms)
{
	uint32_t organisation = making->people[person].organisation, number = child_of(making, organisation);
	unsigned siblings = chance(making, 0.08) ? 1 + below(making, 2) : 0;
	if (chance(making, 0.02)) {
		struct detection_event *mistyped = add_look(making, person, time_ms - 20000, 0, -1);
		mistyped->allowed = mistyped->has_number = false;
		mistyped->number_invalid = true;
	}
	if (chance(making, 0.006)) {
		for (unsigned i = chance(making, 0.1) ? 2 : 1; i > 0; i--) {
			struct detection_event *wrong = add_look(making, person, time_ms - i * 15000, number, -1);
			wrong->allowed = false;
			wrong->denied = true;
		}
	}
	bool found = add_look(making, person, time_ms, number, -1)->found;
	if (found || chance(making, 0.25)) {
		struct detection_event *details = add_look(making, person, time_ms + MINUTE_MS + below(making, 3600000), number, -1);
		details->operation = CPIS__V1__OPERATION__DETAILS;
		details->found = found;
		// Staff bring their own children, too; colleagues treat them, mostly.
		details->own_household = chance(making, 0.0001);
	}
	for (unsigned i = 0; i < siblings; i++) {
		// Twins may have neighbouring numbers.
		uint32_t other = chance(making, 0.1) ? number + 1 + below(making, 3) : child_of(making, organisation);
		(void)add_look(making, person, time_ms + (i + 1) * 40000, other, -1);
	}
}

static void work_shift(struct making *making, uint32_t person, uint64_t begins_ms, unsigned hours)
{
	const struct person_of *who = &making->people[person];
	const struct trade *trade = making->organisations[who->organisation].trade;
	uint64_t length_ms = hours * HOUR_MS;
	unsigned children = about(making, trade->children * who->pace, trade->spread);
	bool list = chance(making, trade->list_share);
	add_sign_in(making, person, begins_ms, chance(making, 0.0006) ? (91 + below(making, 200)) * DAY_MS : DAY_MS, -1);
	if (list)
		children = 20 + below(making, 25);
	for (unsigned i = 0; i < children; i++) {
		// Lists are worked off in a morning; else some come together.
		uint64_t at_ms = list ? i * 4 * MINUTE_MS + below(making, 120000) : (uint64_t)(share(making) * (double)(length_ms - HOUR_MS));
		visit(making, person, begins_ms + MINUTE_MS + at_ms);
	}
	// What was left over: seldom, from home in the evening.
	if (!trade->around_the_clock && chance(making, 0.002))
		visit(making, person, begins_ms + 15 * HOUR_MS);
}

static bool is_weekend(unsigned day)
{
	unsigned weekday = (4 + day) % 7; // the first is a Thursday
	return weekday == 0 || weekday == 6;
}

static uint64_t shift_start(struct making *making, uint32_t person, unsigned day)
{
	const struct person_of *who = &making->people[person];
	bool clock = making->organisations[who->organisation].trade->around_the_clock;
	static const unsigned begins[] = {7, 14, 21};
	// England is an hour ahead of UTC until the 25th; nobody here minds.
	return START_MS + day * DAY_MS + (clock ? begins[who->shift] : 8) * HOUR_MS + below(making, 1800000);
}

static void work_month(struct making *making, uint32_t person)
{
	bool clock = making->organisations[making->people[person].organisation].trade->around_the_clock;
	for (unsigned day = 0; day < MONTH_DAYS; day++)
		if (clock ? chance(making, 0.55) : !is_weekend(day) && chance(making, 0.85))
			work_shift(making, person, shift_start(making, person, day), clock ? 9 : 8);
}

static void found(struct making *making)
{
	uint32_t organisation = 0, person = 0;
	for (size_t t = 0; t < TRADES; t++) {
		for (unsigned p = 0; p < trades[t].places; p++, organisation++) {
			struct organisation_of *made = &making->organisations[organisation];
			snprintf(made->ods, sizeof made->ods, "R%03u", organisation);
			made->trade = &trades[t];
			made->place = (struct place){true, (float)(50.5 + 4.5 * share(making)), (float)(-4.0 + 5.0 * share(making))};
			made->reasons = chance(making, 0.5) ? 0.9 + 0.09 * share(making) : 0.3 * share(making);
			made->first_person = person;
			made->people = trades[t].people;
			for (unsigned i = 0; i < made->people; i++)
				making->people[person++] = (struct person_of){organisation, exp(0.25 * bell(making)), below(making, 3)};
		}
	}
	making->month->organisations = organisation;
	making->month->people = person;
}

// ------------------------------------------------------------------ misuse

static uint32_t somebody(struct making *making, bool (*fits)(const struct organisation_of *))
{
	for (;;) {
		uint32_t person = below(making, (uint32_t)making->month->people);
		if (fits == NULL || fits(&making->organisations[making->people[person].organisation]))
			return person;
	}
}

static bool states_reasons(const struct organisation_of *organisation)
{
	return organisation->reasons > 0.9 && organisation->trade->children > 3;
}

static bool has_hours(const struct organisation_of *organisation)
{
	return !organisation->trade->around_the_clock;
}

static bool is_emergency(const struct organisation_of *organisation)
{
	return organisation->trade->setting == CPIS__V1__CARE_SETTING__EMERGENCY_DEPARTMENT;
}

static void look_at_many(struct making *making, uint32_t person, uint64_t at_ms, unsigned count, uint64_t within_ms, int incident)
{
	for (unsigned i = 0; i < count; i++)
		(void)add_look(making, person, at_ms + within_ms * i / count, 999000000u + below(making, NUMBERS), incident);
}

static void look_far(struct making *making, uint32_t person, uint64_t at_ms, int incident)
{
	uint32_t other, number = child_of(making, making->people[person].organisation);
	const struct place *here = &making->organisations[making->people[person].organisation].place;
	do
		other = somebody(making, is_emergency);
	while (place_kilometres(here, &making->organisations[making->people[other].organisation].place) < 60);
	(void)add_look(making, other, at_ms - (2 + below(making, 14)) * MINUTE_MS, number, incident);
	(void)add_look(making, person, at_ms, number, incident);
}

static void be_denied(struct making *making, uint32_t person, uint64_t at_ms, int incident)
{
	uint32_t number = child_of(making, making->people[person].organisation);
	unsigned times = 2 + below(making, 4);
	for (unsigned i = 0; i < times; i++) {
		struct detection_event *look = add_look(making, person, at_ms - (times - i) * 4 * MINUTE_MS, number, incident);
		look->allowed = false;
		look->denied = true;
	}
	(void)add_look(making, person, at_ms, number, incident);
}

static void guess(struct making *making, uint32_t person, uint64_t at_ms, int incident)
{
	unsigned count = 12 + below(making, 30);
	for (unsigned i = 0; i < count; i++) {
		struct detection_event *look =
			add_look(making, person, at_ms + i * 40000, 999000000u + below(making, NUMBERS), incident);
		look->found = false;
		if (chance(making, 10.0 / 11)) {
			look->number_invalid = true;
			look->allowed = look->has_number = false;
		}
	}
}

// The look (or looks) themselves, at `at_ms`, which is within a shift unless the kind is about that.
static void misuse(struct making *making, enum misuse kind, uint32_t person, uint64_t at_ms, int incident)
{
	uint32_t number = child_of(making, making->people[person].organisation);
	unsigned count;
	switch (kind) {
	case MISUSE_BURST:
		look_at_many(making, person, at_ms, 35 + below(making, 50), 45 * MINUTE_MS, incident);
		break;
	case MISUSE_SLOW_COPY:
		look_at_many(making, person, at_ms, 90 + below(making, 60), 8 * HOUR_MS, incident);
		break;
	case MISUSE_RUN:
		count = 6 + below(making, 25);
		for (unsigned i = 0; i < count; i++)
			(void)add_look(making, person, at_ms + i * 30000, number + i * (1 + below(making, 2)), incident);
		break;
	case MISUSE_GUESS:
		guess(making, person, at_ms, incident);
		break;
	case MISUSE_NO_REASON:
		count = 4 + below(making, 8);
		for (unsigned i = 0; i < count; i++)
			add_look(making, person, at_ms + i * 20 * MINUTE_MS, child_of(making, making->people[person].organisation),
				 incident)->reason_stated = false;
		break;
	case MISUSE_NIGHT:
		count = 1 + below(making, 4);
		for (unsigned i = 0; i < count; i++)
			(void)add_look(making, person, at_ms + i * 5 * MINUTE_MS,
				       child_of(making, making->people[person].organisation), incident);
		break;
	case MISUSE_FAR:
		look_far(making, person, at_ms, incident);
		break;
	case MISUSE_DORMANT:
		add_sign_in(making, person, at_ms, (60 + below(making, 300)) * DAY_MS, incident);
		(void)add_look(making, person, at_ms + MINUTE_MS, number, incident);
		break;
	case MISUSE_HOUSEHOLD:
		add_look(making, person, at_ms, number, incident)->own_household = true;
		break;
	case MISUSE_DENIED:
		be_denied(making, person, at_ms, incident);
		break;
	case MISUSE_SYSTEM:
		count = 150 + below(making, 600);
		for (unsigned i = 0; i < count; i++)
			(void)add_look(making, person, at_ms + i * 500, 999000000u + below(making, NUMBERS), incident);
		break;
	default:
		(void)add_look(making, person, at_ms, number, incident);
		(void)add_look(making, person, at_ms + 2 * HOUR_MS, number, incident);
		break;
	}
}

static void plant(struct making *making, enum misuse kind)
{
	struct month *month = making->month;
	int incident = (int)month->incidents_count;
	uint32_t person = somebody(making, kind == MISUSE_NO_REASON ? states_reasons
					   : kind == MISUSE_NIGHT   ? has_hours
					   : kind == MISUSE_FAR     ? is_emergency
								    : NULL);
	// From the fifth day on: peers are known by then.
	unsigned day = 5 + below(making, MONTH_DAYS - 6);
	uint64_t at_ms = shift_start(making, person, day) + HOUR_MS;
	if (kind == MISUSE_NIGHT)
		at_ms = START_MS + day * DAY_MS + HOUR_MS + below(making, 3 * 3600000);
	size_t first = month->count;
	misuse(making, kind, person, at_ms, incident);
	struct month_incident *made = &month->incidents[month->incidents_count++];
	*made = (struct month_incident){kind, person, making->people[person].organisation, UINT64_MAX, 0};
	for (size_t i = first; i < month->count; i++) {
		uint64_t time_ms = month->events[i].event.time_ms;
		made->from_ms = time_ms < made->from_ms ? time_ms : made->from_ms;
		made->until_ms = time_ms > made->until_ms ? time_ms : made->until_ms;
	}
}

static int by_time(const void *left, const void *right)
{
	const struct month_event *a = left, *b = right;
	if (a->event.time_ms != b->event.time_ms)
		return a->event.time_ms < b->event.time_ms ? -1 : 1;
	return a->person < b->person ? -1 : a->person > b->person;
}

struct month *month_new(uint64_t seed)
{
	static struct making making; // its names are borrowed by the events: one month at a time
	memset(&making, 0, sizeof making);
	making.state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	making.month = calloc(1, sizeof *making.month);
	if (making.month == NULL)
		abort();
	found(&making);
	for (uint32_t person = 0; person < making.month->people; person++)
		work_month(&making, person);
	for (unsigned kind = 0; kind < MISUSE_KINDS; kind++)
		for (unsigned i = 0; i < MONTH_PER_MISUSE; i++)
			plant(&making, (enum misuse)kind);
	qsort(making.month->events, making.month->count, sizeof *making.month->events, by_time);
	for (size_t i = 0; i < making.month->count; i++)
		making.month->events[i].event.audit_index = i + 1;
	return making.month;
}

void month_free(struct month *month)
{
	free(month->events);
	free(month);
}
