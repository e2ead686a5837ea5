// Malware in one organisation: its systems and its staff's sessions ask as fast as they can. One command cuts the organisation off.
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "clients/drill/asker.h"
#include "clients/drill/incidents.h"
#include "clients/drill/place.h"
#include "clients/drill/program.h"
#include "clients/drill/steady.h"
#include "clients/drill/watch.h"

#define INFECTED PLACE_PARAMEDICS
#define ROUNDS_MAX 200000u // it ends by itself

struct infected {
	struct asker *asker;
	pthread_t thread;
	bool runs;
	atomic_bool *stop;
	atomic_ullong *asked, *refused;
	atomic_uint *cut_off; // how many of them were told that the organisation is quarantined
};

static void *flood(void *context)
{
	struct infected *one = context;
	bool cut_off = false;
	for (unsigned i = 0; i < ROUNDS_MAX && !atomic_load(one->stop); i++) {
		struct asker_answer answer = asker_flag(one->asker, PLACE_CHILD, 1000);
		atomic_fetch_add(one->asked, 1);
		if (!answer.told)
			atomic_fetch_add(one->refused, 1);
		if (!cut_off && strcmp(answer.reason, "system_quarantined") == 0) {
			cut_off = true;
			atomic_fetch_add(one->cut_off, 1);
		}
	}
	return NULL;
}

struct worm {
	struct infected infected[INFECTED];
	atomic_bool stop;
	atomic_ullong asked, refused;
	atomic_uint cut_off;
};

static bool begin(struct drill *drill, struct worm *worm)
{
	for (unsigned i = 0; i < INFECTED; i++) {
		char profile[32];
		struct infected *one = &worm->infected[i];
		snprintf(profile, sizeof profile, "paramedic-%u", i);
		*one = (struct infected){.asker = asker_new(drill, profile), .stop = &worm->stop, .asked = &worm->asked,
					 .refused = &worm->refused, .cut_off = &worm->cut_off};
		if (one->asker == NULL || pthread_create(&one->thread, NULL, flood, one) != 0)
			return drill_fail(drill, "the flood could not be started");
		one->runs = true;
	}
	return true;
}

static void end(struct worm *worm)
{
	atomic_store(&worm->stop, true);
	for (unsigned i = 0; i < INFECTED; i++) {
		if (worm->infected[i].runs)
			pthread_join(worm->infected[i].thread, NULL);
		asker_free(worm->infected[i].asker);
	}
}

static uint64_t wait_cut_off(struct drill *drill, struct worm *worm)
{
	// The last of the infected says when: their own questions are what tells.
	uint64_t end_ms = drill_now_ms() + DRILL_WAIT_MS;
	while (atomic_load(&worm->cut_off) < INFECTED) {
		if (drill_now_ms() > end_ms) {
			drill_fail(drill, "%u of %u infected systems were cut off", atomic_load(&worm->cut_off), INFECTED);
			return DRILL_NONE;
		}
		nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
	}
	return drill_now_ms();
}

static bool clean(struct drill *drill)
{
	return program_cpis(drill, "certs", "revoke", "--dir", "authority", "systems/ambulance.pem", NULL) &&
	       program_cpis(drill, "certs", "issue-system", "--dir", "authority", "--ods", "RYD", "--name", "ambulance-2", "--out", "systems", NULL) &&
	       place_ambulance_profiles(drill, "ambulance-2", "staff") &&
	       program_cpis(drill, "--profile", "national.yaml", "quarantine", "lift", "--organisation", "RYD", "--reason", "drill: cleaned", NULL);
}

static bool fight(struct drill *drill, struct drill_times *times, struct worm *worm, struct steady *others)
{
	uint64_t began_ms = drill_now_ms();
	if (!begin(drill, worm))
		return false;
	uint64_t detected_ms = watch_cpis(drill, "person_rate", (const char *const[]){"--profile", "guardian.yaml", "audit", "search",
					  "--organisation", "RYD", "--refused", "--limit", "1", NULL});
	if (detected_ms == DRILL_NONE ||
	    !program_cpis(drill, "--profile", "national.yaml", "quarantine", "set", "--organisation", "RYD", "--reason", "drill: malware there",
			  NULL))
		return false;
	// It goes on, and is refused, while the others go on asking.
	uint64_t contained_ms = wait_cut_off(drill, worm);
	bool good = contained_ms != DRILL_NONE && steady_wait_answered(drill, others, contained_ms) != DRILL_NONE;
	atomic_store(&worm->stop, true);
	if (!good || !clean(drill))
		return false;
	struct asker *cleaned = asker_new(drill, "paramedic-0");
	// The flood used up what its person may ask in a minute: another one asks.
	uint64_t recovered_ms = cleaned == NULL ? DRILL_NONE : watch_asker(drill, cleaned, "person_rate");
	asker_free(cleaned);
	if (recovered_ms == DRILL_NONE)
		return false;
	times->detected_ms = detected_ms - began_ms;
	times->contained_ms = contained_ms - began_ms;
	times->recovered_ms = recovered_ms - began_ms;
	snprintf(times->note, sizeof times->note,
		 "%llu requests of the flood, %llu of them refused; one command; recovered: its cleaned systems are let in again",
		 (unsigned long long)atomic_load(&worm->asked), (unsigned long long)atomic_load(&worm->refused));
	return true;
}

bool incident_worm(struct drill *drill, struct drill_times *times)
{
	struct worm worm = {0};
	struct steady *others = steady_start(drill, "nurse", PLACE_NURSES);
	bool good = others != NULL && fight(drill, times, &worm, others) && steady_tally(drill, others, times);
	end(&worm);
	steady_stop(others);
	return good;
}
