// Incidents of certificates: one that was allowed to expire, and the authorities' own keys lost.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certs/authority.h"
#include "clients/drill/asker.h"
#include "clients/drill/incidents.h"
#include "clients/drill/place.h"
#include "clients/drill/program.h"
#include "clients/drill/steady.h"
#include "clients/drill/watch.h"

#define DAY_MS (24ull * 3600u * 1000u)
#define VALID_MS 6000u // for which the certificate that expires still is good

// ------------------------------------------------------------------ expired

// The command's certificates are good for a day at least: this one was issued almost a day ago.
static bool issue_short(struct drill *drill, uint64_t *ret_end_ms)
{
	char authority[DRILL_PATH_BYTES + 64], systems[DRILL_PATH_BYTES + 64], detail[CERTS_DETAIL_BYTES] = "";
	struct authority_paths paths;
	place_path(drill, "authority", authority);
	place_path(drill, "systems", systems);
	uint64_t issued_ms = drill_clock_ms() - DAY_MS + VALID_MS;
	*ret_end_ms = drill_now_ms() + VALID_MS - issued_ms % 1000u; // certificates know seconds
	if (authority_issue_system(authority, "RXH", "hospital-old", systems, "hospital-old", 1, issued_ms, &paths, detail) != CERTS_OK)
		return drill_fail(drill, "%s", detail);
	return place_hospital_profiles(drill, "hospital-old", "staff");
}

static bool expired(struct drill *drill, struct drill_times *times, struct steady *nurses, uint64_t end_ms)
{
	uint64_t began_ms = drill_now_ms();
	uint64_t detected_ms = steady_wait_failed(drill, nurses, began_ms);
	if (detected_ms == DRILL_NONE || !place_hospital_profiles(drill, "hospital", "staff"))
		return false;
	uint64_t renewed_ms = drill_now_ms();
	steady_renew(nurses);
	uint64_t recovered_ms = steady_wait_answered(drill, nurses, renewed_ms);
	if (recovered_ms == DRILL_NONE)
		return false;
	struct steady_count own = steady_read(nurses);
	times->detected_ms = detected_ms > end_ms ? detected_ms - end_ms : 0;
	times->contained_ms = DRILL_NONE;
	times->recovered_ms = recovered_ms - end_ms;
	snprintf(times->note, sizeof times->note, "%llu of the hospital's own %llu requests failed; nothing was let in that had expired",
		 (unsigned long long)own.failed, (unsigned long long)own.asked);
	return true;
}

bool incident_expired_certificate(struct drill *drill, struct drill_times *times)
{
	uint64_t end_ms = 0;
	if (!issue_short(drill, &end_ms))
		return false;
	struct steady *nurses = steady_start(drill, "nurse", PLACE_NURSES);
	struct steady *others = nurses == NULL ? NULL : steady_start(drill, "paramedic", PLACE_PARAMEDICS);
	bool good = others != NULL && expired(drill, times, nurses, end_ms) && steady_tally(drill, others, times);
	steady_stop(others);
	steady_stop(nurses);
	return good;
}

// ------------------------------------------------------------------ the authorities' keys

// Our own library would not send what our trust bundle no longer believes; the forger's bundle is what it was.
static bool equip_forger(struct drill *drill)
{
	drill->trust = "forger-trust";
	bool good = place_profile(drill, "forger", "hospital-new", "forged/555000001000", "R8001");
	drill->trust = "authority/trust";
	return good;
}

// By whoever copied the authority's folder: a nurse's certificate, used through the hospital's real system.
static struct asker *forge(struct drill *drill)
{
	if (!program_cpis(drill, "certs", "issue-staff", "--dir", "authority", "--uid", "555000001000", "--name", "Nurse A", "--out", "forged",
			  NULL) ||
	    !place_profile(drill, "forger", "hospital", "forged/555000001000", "R8001"))
		return NULL;
	return asker_new(drill, "forger");
}

static bool issue_system_anew(struct drill *drill, const char *ods, const char *name)
{
	char file[32];
	snprintf(file, sizeof file, "%s-new", name);
	// Systems are admitted by their certificates: those of the new authority are brought to the broker.
	return program_cpis(drill, "certs", "issue-system", "--dir", "authority-2", "--ods", ods, "--name", name, "--out", "systems", "--file",
			    file, NULL);
}

static bool issue_staff_anew(struct drill *drill, const char *digits, unsigned count, const char *name)
{
	bool good = true;
	for (unsigned i = 0; good && i < count; i++) {
		char uid[16];
		snprintf(uid, sizeof uid, "%s%02u", digits, i);
		good = program_cpis(drill, "certs", "issue-staff", "--dir", "authority-2", "--uid", uid, "--name", name, "--out", "staff-2", NULL);
	}
	return good;
}

// The shell is the operator's here; the folder's name is ours.
static bool copy(struct drill *drill, const char *from, const char *to)
{
	char command[2 * DRILL_PATH_BYTES + 128];
	snprintf(command, sizeof command, "cd '%s' && cp -R %s %s", drill->folder, from, to);
	return system(command) == 0 || drill_fail(drill, "%s could not be copied to %s", from, to);
}

// A new authority beside the old one, everybody certified by it, the broker too. Its certificates hold beside the old ones.
static bool certify_anew(struct drill *drill)
{
	return program_cpis(drill, "certs", "init", "--dir", "authority-2", "--broker-name", "drill-broker", NULL) &&
	       program_cpis(drill, "certs", "adopt", "--trust", "authority/trust", "authority-2/trust", NULL) &&
	       issue_system_anew(drill, "RXH", "hospital") && issue_system_anew(drill, "RYD", "ambulance") &&
	       issue_staff_anew(drill, "5550000010", PLACE_NURSES, "Nurse") && issue_staff_anew(drill, "5550000020", PLACE_PARAMEDICS, "Paramedic") &&
	       copy(drill, "authority-2/enrolled/*.pem", "authority/enrolled/") && copy(drill, "authority/trust", "forger-trust");
}

// The broker begins to serve with its new certificate, and everybody uses theirs.
static bool change_over(struct drill *drill, struct steady *nurses, struct steady *others)
{
	drill->authority = "authority-2";
	place_kill_broker(drill, SIGTERM);
	if (!place_configure(drill) || !place_start_broker(drill) || !place_hospital_profiles(drill, "hospital-new", "staff-2") ||
	    !place_ambulance_profiles(drill, "ambulance-new", "staff-2"))
		return false;
	steady_renew(nurses);
	steady_renew(others);
	return true;
}

static bool lost_authority(struct drill *drill, struct drill_times *times, struct asker *forger, struct steady *nurses, struct steady *others)
{
	uint64_t began_ms = drill_now_ms();
	struct asker_answer answer = asker_flag(forger, PLACE_CHILD, STEADY_DEADLINE_MS);
	if (!answer.told)
		return drill_fail(drill, "the forged certificate should hold until something is done: %s", answer.reason);
	if (!program_cpis(drill, "--profile", "national.yaml", "quarantine", "set", "--certificate", "forged/555000001000.pem", "--reason",
			  "drill: not issued by us", NULL))
		return false;
	uint64_t contained_ms = watch_asker(drill, forger, "person_quarantined");
	if (contained_ms == DRILL_NONE || !certify_anew(drill) || !change_over(drill, nurses, others))
		return false;
	uint64_t renewed_ms = drill_now_ms();
	if (steady_wait_answered(drill, nurses, renewed_ms) == DRILL_NONE || steady_wait_answered(drill, others, renewed_ms) == DRILL_NONE ||
	    !program_cpis(drill, "certs", "finish-rotation", "--trust", "authority/trust", NULL) ||
	    !equip_forger(drill))
		return false;
	asker_renew(forger);
	uint64_t recovered_ms = watch_asker(drill, forger, "staff_certificate");
	if (recovered_ms == DRILL_NONE || steady_wait_answered(drill, nurses, recovered_ms) == DRILL_NONE)
		return false;
	times->detected_ms = DRILL_NONE;
	times->contained_ms = contained_ms - began_ms;
	times->recovered_ms = recovered_ms - began_ms;
	snprintf(times->note, sizeof times->note,
		 "a forged certificate cannot be told from a real one until somebody misses it; recovered: %u people and 2 systems have new "
		 "certificates, and what the stolen keys sign is not believed", PLACE_NURSES + PLACE_PARAMEDICS);
	return true;
}

bool incident_lost_authority(struct drill *drill, struct drill_times *times)
{
	struct asker *forger = forge(drill);
	struct steady *nurses = forger == NULL ? NULL : steady_start(drill, "nurse", PLACE_NURSES);
	struct steady *others = nurses == NULL ? NULL : steady_start(drill, "paramedic", PLACE_PARAMEDICS);
	bool good = others != NULL && lost_authority(drill, times, forger, nurses, others) && steady_tally(drill, others, times) &&
		    steady_tally(drill, nurses, times);
	steady_stop(others);
	steady_stop(nurses);
	asker_free(forger);
	return good;
}
