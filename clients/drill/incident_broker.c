// Incidents of the machine: the broker's process, its disk, all of it.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clients/drill/asker.h"
#include "clients/drill/incidents.h"
#include "clients/drill/place.h"
#include "clients/drill/program.h"
#include "clients/drill/steady.h"
#include "clients/drill/watch.h"

#define SMALL_DISK "size=12m,mode=0700"
#define FILL_BYTES 65536

// ------------------------------------------------------------------ the process

static bool broker_lost(struct drill *drill, struct drill_times *times, struct steady *nurses)
{
	uint64_t began_ms = drill_now_ms();
	place_kill_broker(drill, SIGKILL);
	uint64_t detected_ms = drill_now_ms();
	if (!place_start_broker(drill))
		return false;
	uint64_t recovered_ms = steady_wait_answered(drill, nurses, began_ms);
	if (recovered_ms == DRILL_NONE)
		return false;
	times->detected_ms = detected_ms - began_ms;
	times->contained_ms = DRILL_NONE;
	times->recovered_ms = recovered_ms - began_ms;
	snprintf(times->note, sizeof times->note, "questions that were put meanwhile were answered after the start, within their deadline");
	return true;
}

bool incident_broker_lost(struct drill *drill, struct drill_times *times)
{
	struct steady *nurses = steady_start(drill, "nurse", PLACE_NURSES);
	bool good = nurses != NULL && broker_lost(drill, times, nurses) && steady_tally(drill, nurses, times);
	steady_stop(nurses);
	return good;
}

// ------------------------------------------------------------------ the disk

// The broker moves to a store on a small file system of its own, which only this process and what it starts can see.
static bool move_to_small_disk(struct drill *drill, char disk[DRILL_PATH_BYTES + 64])
{
	place_path(drill, "disk", disk);
	place_kill_broker(drill, SIGTERM);
	if (mkdir(disk, 0700) != 0 || mount("cpis-drill", disk, "tmpfs", 0, SMALL_DISK) != 0)
		return drill_fail(drill, "%s: no small file system could be mounted: %s", disk, strerror(errno));
	drill->store = "disk";
	return place_configure(drill) && place_start_broker(drill);
}

// Until nothing fits any more.
static bool fill(struct drill *drill, const char *path)
{
	static const char zeros[FILL_BYTES];
	int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (file < 0)
		return drill_fail(drill, "%s: %s", path, strerror(errno));
	size_t bytes = sizeof zeros;
	while (bytes > 0) {
		ssize_t written = write(file, zeros, bytes);
		if (written <= 0)
			bytes /= 2;
	}
	close(file);
	return true;
}

static bool disk_full(struct drill *drill, struct drill_times *times, struct steady *nurses, const char *disk)
{
	char filler[DRILL_PATH_BYTES + 96];
	snprintf(filler, sizeof filler, "%s/filler", disk);
	long mark = watch_log_length(drill);
	uint64_t began_ms = drill_now_ms();
	if (!fill(drill, filler))
		return false;
	uint64_t detected_ms = watch_log(drill, "commit_failed", mark);
	uint64_t refused_ms = detected_ms == DRILL_NONE ? DRILL_NONE : steady_wait_failed(drill, nurses, began_ms);
	if (refused_ms == DRILL_NONE)
		return false;
	if (unlink(filler) != 0)
		return drill_fail(drill, "%s: %s", filler, strerror(errno));
	uint64_t freed_ms = drill_now_ms();
	uint64_t recovered_ms = steady_wait_answered(drill, nurses, freed_ms);
	if (recovered_ms == DRILL_NONE || 
	    !program_cpis(drill, "audit", "verify", "--database", "disk/store.db", "--log-key", "authority/trust/log.vkey", NULL))
		return false;
	times->detected_ms = detected_ms - began_ms;
	times->contained_ms = 0;
	times->recovered_ms = recovered_ms - began_ms;
	snprintf(times->note, sizeof times->note,
		 "from the first failed commit on nobody was answered; by itself again %llu ms after there was room; the log verifies",
		 (unsigned long long)(recovered_ms - freed_ms));
	return true;
}

bool incident_disk_full(struct drill *drill, struct drill_times *times)
{
	char disk[DRILL_PATH_BYTES + 64];
	bool good = move_to_small_disk(drill, disk);
	struct steady *nurses = good ? steady_start(drill, "nurse", PLACE_NURSES) : NULL;
	good = nurses != NULL && disk_full(drill, times, nurses, disk) && steady_tally(drill, nurses, times);
	steady_stop(nurses);
	place_kill_broker(drill, SIGKILL);
	umount2(disk, MNT_DETACH);
	return good;
}

// ------------------------------------------------------------------ the machine

static bool back_up(struct drill *drill)
{
	return program_run(drill, "cpis-broker", (const char *const[]){"--backup", "broker.yaml", "last.backup", NULL}) == 0 ||
	       drill_fail(drill, "no backup: %.300s", drill->output);
}

// On what is left: the backup, the keys that are kept apart, and the authority.
static bool put_back(struct drill *drill)
{
	char lost[DRILL_PATH_BYTES + 64], fresh[DRILL_PATH_BYTES + 64];
	place_path(drill, "store", lost);
	place_path(drill, "machine-2", fresh);
	if (rename(lost, fresh) != 0 || mkdir(lost, 0700) != 0)
		return drill_fail(drill, "%s: %s", lost, strerror(errno));
	if (!program_cpis(drill, "certs", "new-log", "--dir", "authority", "--log-origin", "drill-broker/audit-2", NULL))
		return false;
	if (program_run(drill, "cpis-broker", (const char *const[]){"--restore", "broker.yaml", "last.backup", "--successor-of",
						     "authority/trust/log.previous", NULL}) != 0)
		return drill_fail(drill, "the backup could not be put back: %.500s", drill->output);
	char from[DRILL_PATH_BYTES + 96], to[DRILL_PATH_BYTES + 96];
	snprintf(from, sizeof from, "%s/store.db.succeeded", lost);
	place_path(drill, "authority/trust/log.succeeded", to);
	if (rename(from, to) != 0)
		return drill_fail(drill, "%s: %s", from, strerror(errno));
	return true;
}

static bool bare_machine(struct drill *drill, struct drill_times *times, struct steady *nurses)
{
	uint64_t began_ms = drill_now_ms();
	place_kill_broker(drill, SIGKILL);
	uint64_t detected_ms = steady_wait_failed(drill, nurses, began_ms);
	if (detected_ms == DRILL_NONE || !put_back(drill) || !place_start_broker(drill))
		return false;
	uint64_t served_ms = drill_now_ms();
	steady_renew(nurses);
	uint64_t recovered_ms = steady_wait_answered(drill, nurses, served_ms);
	if (recovered_ms == DRILL_NONE || !program_cpis(drill, "--profile", "worker.yaml", "publish", "--full", "plans.csv", NULL) ||
	    program_run(drill, "cpis-broker", (const char *const[]){"--missing", "broker.yaml", NULL}) < 0)
		return false;
	times->detected_ms = detected_ms - began_ms;
	times->contained_ms = DRILL_NONE;
	times->recovered_ms = recovered_ms - began_ms;
	snprintf(times->note, sizeof times->note,
		 "what was recorded after the backup is lost, and said to be (cpis-broker --missing); the authority published its file again");
	return true;
}

bool incident_bare_machine(struct drill *drill, struct drill_times *times)
{
	struct steady *nurses = back_up(drill) ? steady_start(drill, "nurse", PLACE_NURSES) : NULL;
	bool good = nurses != NULL && bare_machine(drill, times, nurses) && steady_tally(drill, nurses, times);
	steady_stop(nurses);
	return good;
}
