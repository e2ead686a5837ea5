// `cpis drill`: rehearses incidents, times them, and keeps the report.
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "clients/cli/command_line.h"
#include "clients/cli/commands.h"
#include "clients/drill/drill.h"
#include "clients/drill/place.h"
#include "clients/drill/report.h"

// ------------------------------------------------------------------ where things are

static bool is_executable(const char *folder, const char *name)
{
	char path[DRILL_PATH_BYTES + 32];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	return access(path, X_OK) == 0;
}

// Both programs beside this one, or the broker in the sbin of the same prefix.
static bool find_programs(struct drill *drill)
{
	char self[DRILL_PATH_BYTES];
	ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
	char *slash;
	if (length <= 0)
		return drill_fail(drill, "/proc/self/exe cannot be read: %s", strerror(errno));
	self[length] = '\0';
	if ((slash = strrchr(self, '/')) != NULL)
		*slash = '\0';
	snprintf(drill->programs, sizeof drill->programs, "%s", self);
	return is_executable(self, "cpis-broker") || is_executable(self, "../sbin/cpis-broker") ||
	       drill_fail(drill, "cpis-broker is neither in %s nor in the sbin beside it: install it", self);
}

static bool find_policy(struct drill *drill, const char *given)
{
	char path[DRILL_PATH_BYTES + 64], *real;
	if (given != NULL)
		snprintf(path, sizeof path, "%s", given);
	else
		snprintf(path, sizeof path, "%s/../share/cpis/policy.yaml", drill->programs);
	real = realpath(path, NULL);
	if (real == NULL || strlen(real) >= sizeof drill->policy) {
		free(real);
		return drill_fail(drill, "%s: %s; name the policy with --policy", path, strerror(errno));
	}
	snprintf(drill->policy, sizeof drill->policy, "%s", real);
	free(real);
	return true;
}

// ------------------------------------------------------------------ which ones

static bool is_wanted(const struct command_line *line, const char *name)
{
	const char *one;
	if (command_value(line, "only") == NULL)
		return true;
	for (unsigned i = 0; (one = command_value_at(line, "only", i)) != NULL; i++)
		if (strcmp(one, name) == 0)
			return true;
	return false;
}

static int check_names(const struct command_line *line)
{
	const char *one;
	for (unsigned i = 0; (one = command_value_at(line, "only", i)) != NULL; i++) {
		const struct drill_incident *incident = drill_incidents;
		while (incident->name != NULL && strcmp(incident->name, one) != 0)
			incident++;
		if (incident->name == NULL)
			return command_usage_error(line, "there is no exercise %s: see `cpis drill --list`", one);
	}
	return EXIT_DONE;
}

static int list(void)
{
	for (const struct drill_incident *incident = drill_incidents; incident->name != NULL; incident++)
		printf("%-20s severity %u  %s: %s%s\n", incident->name, incident->severity, incident->title, incident->steps,
		       incident->needs_root ? " (needs root)" : "");
	return EXIT_DONE;
}

// ------------------------------------------------------------------ rehearsing

// Each in a service of its own: none has to do with what another left.
static enum drill_outcome rehearse(struct drill *drill, const struct drill_incident *incident, const char *parent, bool keeps,
				   struct drill_times *times)
{
	*times = (struct drill_times){.detected_ms = DRILL_NONE, .contained_ms = DRILL_NONE, .recovered_ms = DRILL_NONE};
	drill->detail[0] = '\0';
	if (incident->needs_root && geteuid() != 0) {
		drill_fail(drill, "a small file system has to be mounted, which needs root");
		return DRILL_NOT_REHEARSED;
	}
	bool good = place_make(drill, parent) && incident->run(drill, times);
	if (!good && keeps) {
		fprintf(stderr, "cpis drill: %s is kept\n", drill->folder);
		place_kill_broker(drill, SIGKILL);
		drill->folder[0] = '\0';
	}
	place_remove(drill);
	return good ? DRILL_PASSED : DRILL_FAILED;
}

static int rehearse_all(const struct command_line *line, struct drill *drill, struct drill_report *report)
{
	const char *parent = command_value(line, "directory");
	bool keeps = command_value(line, "keep") != NULL;
	int code = EXIT_DONE;
	if (parent == NULL && (parent = getenv("TMPDIR")) == NULL)
		parent = "/tmp";
	for (const struct drill_incident *incident = drill_incidents; incident->name != NULL; incident++) {
		struct drill_times times;
		if (!is_wanted(line, incident->name))
			continue;
		fprintf(stderr, "%s ...\n", incident->title);
		uint64_t started_ms = drill_clock_ms();
		enum drill_outcome outcome = rehearse(drill, incident, parent, keeps, &times);
		drill_report_add(report, incident, started_ms, outcome, &times, drill->detail);
		if (outcome == DRILL_FAILED)
			code = EXIT_FAILED;
		else if (outcome == DRILL_NOT_REHEARSED && code == EXIT_DONE)
			code = EXIT_PARTIAL;
	}
	return code;
}

// What is mounted for an exercise is seen by nobody else, and goes with this process.
static bool take_mounts_aside(struct drill *drill)
{
	return geteuid() != 0 || (unshare(CLONE_NEWNS) == 0 && mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) == 0) ||
	       drill_fail(drill, "no mount namespace of its own: %s", strerror(errno));
}

static bool add_others(const struct command_line *line, struct drill_report *report)
{
	char detail[DRILL_REPORT_DETAIL_BYTES];
	const char *path;
	for (unsigned i = 0; (path = command_value_at(line, "also", i)) != NULL; i++) {
		if (!drill_report_add_file(report, path, detail)) {
			fprintf(stderr, "cpis drill: %s\n", detail);
			return false;
		}
	}
	return true;
}

static int run(const struct command_line *line)
{
	const char *path = command_value(line, "report");
	int code = check_names(line);
	if (code != EXIT_DONE || command_value(line, "list") != NULL)
		return code != EXIT_DONE ? code : list();
	struct drill *drill = calloc(1, sizeof *drill);
	if (drill == NULL)
		abort();
	unsetenv("CPIS_PROFILE");
	if (!find_programs(drill) || !find_policy(drill, command_value(line, "policy")) || !take_mounts_aside(drill)) {
		fprintf(stderr, "cpis drill: %s\n", drill->detail);
		free(drill);
		return EXIT_USAGE;
	}
	struct drill_report *report = drill_report_new();
	if (!add_others(line, report)) {
		drill_report_free(report);
		free(drill);
		return EXIT_USAGE;
	}
	code = rehearse_all(line, drill, report);
	drill_report_print(report, stdout);
	if (path != NULL && !drill_report_write(report, path)) {
		fprintf(stderr, "cpis drill: %s: the report could not be written: %s\n", path, strerror(errno));
		code = EXIT_FAILED;
	}
	drill_report_free(report);
	free(drill);
	return code;
}

static const struct command_option options[] = {
	{"only", "NAME", "this exercise (again for more; default: all)", OPTION_REPEATABLE},
	{"list", NULL, "say which exercises there are, and rehearse none", OPTION_OPTIONAL},
	{"report", "FILE", "keep the report there, as JSON: `cpis assurance` reads it", OPTION_OPTIONAL},
	{"also", "FILE", "put the exercises of this report into it: of another machine, or written by hand", OPTION_REPEATABLE},
	{"policy", "FILE", "the access policy to rehearse with (default: the installed one)", OPTION_OPTIONAL},
	{"directory", "DIR", "where the service that is rehearsed with is made (default: $TMPDIR or /tmp)", OPTION_OPTIONAL},
	{"keep", NULL, "keep the folder of an exercise that failed", OPTION_OPTIONAL},
	{0},
};

static const struct command command = {
	.name = "drill",
	.operands = "",
	.help = "Rehearses incidents in a service made for it beside the live one: synthetic data, loopback, a folder that is removed. Prints\n"
		"how long it took until each was detected, contained and over, and how many requests of others failed.\n"
		"Exit code 5 when one could not be rehearsed here, 6 when one failed.",
	.options = options,
	.offline = true,
	.text_only = true,
	.run = run,
};

int command_drill(int argc, char **argv)
{
	return command_dispatch(&command, argc, argv);
}
