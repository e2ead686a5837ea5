// Incidents that people cause: a stolen key, a member of staff who looks for what is not theirs.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/drill/asker.h"
#include "clients/drill/incidents.h"
#include "clients/drill/place.h"
#include "clients/drill/program.h"
#include "clients/drill/steady.h"
#include "clients/drill/watch.h"
#include "proto/nhs_number.h"

// ------------------------------------------------------------------ a stolen key

// Somebody of elsewhere, whose certificate is real, and who holds no role at the hospital.
static struct asker *make_thief(struct drill *drill)
{
	return place_profile(drill, "thief", "hospital", "staff/555000002000", "R8001") ? asker_new(drill, "thief") : NULL;
}

static bool give_new_key(struct drill *drill, struct steady *nurses)
{
	if (!program_cpis(drill, "certs", "issue-system", "--dir", "authority", "--ods", "RXH", "--name", "hospital-2", "--out", "systems", NULL) ||
	    !place_hospital_profiles(drill, "hospital-2", "staff") ||
	    !program_cpis(drill, "certs", "revoke", "--dir", "authority", "systems/hospital.pem", NULL))
		return false;
	steady_renew(nurses);
	return true;
}

static bool stolen_key(struct drill *drill, struct drill_times *times, struct asker *thief, struct steady *nurses)
{
	uint64_t began_ms = drill_now_ms();
	struct asker_answer answer = asker_flag(thief, PLACE_CHILD, STEADY_DEADLINE_MS);
	if (!answer.answered || answer.told)
		return drill_fail(drill, "the thief should have been refused: %s", cpis_status_text(answer.status));
	uint64_t detected_ms = watch_cpis(drill, answer.reason, (const char *const[]){"--profile", "officer.yaml", "audit", "search",
					  "--refused", "--operation", "session_open", "--limit", "1", NULL});
	if (detected_ms == DRILL_NONE ||
	    !program_cpis(drill, "--profile", "national.yaml", "quarantine", "set", "--certificate", "systems/hospital.pem", "--reason",
			  "drill: the key was stolen", NULL))
		return false;
	uint64_t contained_ms = watch_asker(drill, thief, "system_quarantined");
	uint64_t renewed_ms = drill_now_ms();
	if (contained_ms == DRILL_NONE || !give_new_key(drill, nurses))
		return false;
	uint64_t recovered_ms = steady_wait_answered(drill, nurses, renewed_ms);
	asker_renew(thief);
	if (recovered_ms == DRILL_NONE || watch_asker(drill, thief, "no answer") == DRILL_NONE)
		return false;
	times->detected_ms = detected_ms - began_ms;
	times->contained_ms = contained_ms - began_ms;
	times->recovered_ms = recovered_ms - began_ms;
	struct steady_count own = steady_read(nurses);
	snprintf(times->note, sizeof times->note,
		 "the thief was refused from the first request on (%s); the hospital's own %llu of %llu requests failed until it had its new "
		 "key", answer.reason, (unsigned long long)own.failed, (unsigned long long)own.asked);
	return true;
}

bool incident_stolen_key(struct drill *drill, struct drill_times *times)
{
	struct asker *thief = make_thief(drill);
	struct steady *nurses = thief == NULL ? NULL : steady_start(drill, "nurse", PLACE_NURSES);
	struct steady *others = nurses == NULL ? NULL : steady_start(drill, "paramedic", PLACE_PARAMEDICS);
	bool good = others != NULL && stolen_key(drill, times, thief, nurses) && steady_tally(drill, others, times);
	steady_stop(others);
	steady_stop(nurses);
	asker_free(thief);
	return good;
}

// ------------------------------------------------------------------ a member of staff

#define NUMBERS 8u

// Asks for so many numbers in a row. False: refused before.
static bool go_through_numbers(struct drill *drill, struct asker *rogue)
{
	unsigned asked = 0;
	for (unsigned long number = 9990001000ul; asked < NUMBERS; number++) {
		char text[16];
		struct nhs_number valid;
		snprintf(text, sizeof text, "%lu", number);
		if (nhs_number_parse(text, strlen(text), &valid) != NHS_NUMBER_OK)
			continue;
		struct asker_answer answer = asker_flag(rogue, text, STEADY_DEADLINE_MS);
		if (!answer.told)
			return drill_fail(drill, "the nurse's question was not answered: %s %s", cpis_status_text(answer.status), answer.reason);
		asked++;
	}
	return true;
}

// The one that `cpis --json alert list` has just printed.
static bool decide_case(struct drill *drill)
{
	static const char field[] = "\"id\": ";
	const char *listed = strstr(drill->output, field);
	char id[24];
	if (listed == NULL)
		return drill_fail(drill, "the list of alerts has no number: %.300s", drill->output);
	snprintf(id, sizeof id, "%lu", strtoul(listed + sizeof field - 1, NULL, 10));
	return program_cpis(drill, "--profile", "registrar.yaml", "role", "end", "--uid", "555000001000", "--role", "R8001", "--reason",
			    "drill: looked for what was not theirs", NULL) &&
	       program_cpis(drill, "--profile", "officer.yaml", "alert", "review", id, "--finding", "breach", "--words",
			    "drill: numbers one after the other", NULL);
}

static bool rogue_staff(struct drill *drill, struct drill_times *times, struct asker *rogue)
{
	uint64_t began_ms = drill_now_ms();
	if (!go_through_numbers(drill, rogue))
		return false;
	uint64_t detected_ms =
		watch_cpis(drill, "enumeration", (const char *const[]){"--profile", "officer.yaml", "--json", "alert", "list", NULL});
	if (detected_ms == DRILL_NONE ||
	    !program_cpis(drill, "--profile", "registrar.yaml", "quarantine", "set", "--person", "555000001000", "--reason",
			  "drill: goes through NHS numbers", NULL))
		return false;
	uint64_t contained_ms = watch_asker(drill, rogue, "person_quarantined");
	if (contained_ms == DRILL_NONE ||
	    watch_cpis(drill, "enumeration", (const char *const[]){"--profile", "officer.yaml", "--json", "alert", "list", NULL}) == DRILL_NONE)
		return false;
	if (!decide_case(drill))
		return false;
	times->detected_ms = detected_ms - began_ms;
	times->contained_ms = contained_ms - began_ms;
	times->recovered_ms = drill_now_ms() - began_ms;
	snprintf(times->note, sizeof times->note, "%u numbers were asked for before the finding; recovered: the role is ended and the case decided",
		 NUMBERS);
	return true;
}

bool incident_rogue_staff(struct drill *drill, struct drill_times *times)
{
	struct asker *rogue = asker_new(drill, "nurse-0");
	struct steady *others = rogue == NULL ? NULL : steady_start(drill, "paramedic", PLACE_PARAMEDICS);
	bool good = others != NULL && rogue_staff(drill, times, rogue) && steady_tally(drill, others, times);
	steady_stop(others);
	asker_free(rogue);
	return good;
}
