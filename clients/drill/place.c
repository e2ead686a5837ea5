// Everything is made with the commands that operators use.
#include "clients/drill/place.h"

#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "clients/drill/asker.h"
#include "clients/drill/program.h"

#define HOSPITAL_CARE "care_setting: emergency_department\n"
#define AMBULANCE_CARE "care_setting: ambulance\n"

void place_path(const struct drill *drill, const char *name, char ret[DRILL_PATH_BYTES + 64])
{
	snprintf(ret, DRILL_PATH_BYTES + 64, "%s/%s", drill->folder, name);
}

bool place_write(struct drill *drill, const char *name, const char *format, ...)
{
	char path[DRILL_PATH_BYTES + 64];
	va_list arguments;
	place_path(drill, name, path);
	FILE *file = fopen(path, "we");
	if (file == NULL)
		return drill_fail(drill, "%s: %s", path, strerror(errno));
	va_start(arguments, format);
	bool good = vfprintf(file, format, arguments) >= 0;
	va_end(arguments);
	good = fclose(file) == 0 && good;
	return good || drill_fail(drill, "%s: %s", path, strerror(errno));
}

// ------------------------------------------------------------------ certificates and the register

static bool issue_staff(struct drill *drill, const char *uid, const char *name)
{
	return program_cpis(drill, "certs", "issue-staff", "--dir", "authority", "--uid", uid, "--name", name, "--out", "staff", NULL);
}

static bool issue_many(struct drill *drill, const char *first_digits, unsigned count, const char *name)
{
	bool good = true;
	for (unsigned i = 0; good && i < count; i++) {
		char uid[16], full[32];
		snprintf(uid, sizeof uid, "%s%02u", first_digits, i);
		snprintf(full, sizeof full, "%s %c", name, 'A' + (int)i);
		good = issue_staff(drill, uid, full);
	}
	return good;
}

static bool certify(struct drill *drill)
{
	static const char *const systems[][2] = {{"RXH", "hospital"}, {"RYD", "ambulance"}, {"383", "authority"}, {"X26", "national"}};
	bool good = program_cpis(drill, "certs", "init", "--dir", "authority", "--broker-name", "drill-broker", NULL);
	for (size_t i = 0; good && i < sizeof systems / sizeof systems[0]; i++)
		good = program_cpis(drill, "certs", "issue-system", "--dir", "authority", "--ods", systems[i][0], "--name", systems[i][1],
				    "--out", "systems", NULL);
	return good && issue_many(drill, "5550000010", PLACE_NURSES, "Nurse") &&
	       issue_many(drill, "5550000020", PLACE_PARAMEDICS, "Paramedic") && issue_staff(drill, "555000003001", "Privacy Officer") &&
	       issue_staff(drill, "555000003002", "Registrar") && issue_staff(drill, "555000003003", "Social Worker") &&
	       issue_staff(drill, "555000003004", "Caldicott Guardian") && issue_staff(drill, "555000003005", "National Registrar");
}

static bool write_register(struct drill *drill)
{
	char profiles[4096];
	size_t used = 0;
	for (unsigned i = 0; i < PLACE_NURSES; i++)
		used += (size_t)snprintf(profiles + used, sizeof profiles - used,
					 "  - {uid: \"5550000010%02u\", role: R8001, organisation: RXH, from: 2020-01-01}\n", i);
	for (unsigned i = 0; i < PLACE_PARAMEDICS; i++)
		used += (size_t)snprintf(profiles + used, sizeof profiles - used,
					 "  - {uid: \"5550000020%02u\", role: R1070, organisation: RYD, from: 2020-01-01}\n", i);
	return place_write(drill, "register.yaml",
			   "organisations:\n"
			   "  - {ods: RXH, name: The hospital, type: care_provider, care_settings: [emergency_department]}\n"
			   "  - {ods: RYD, name: The ambulance service, type: care_provider, care_settings: [ambulance]}\n"
			   "  - {ods: \"383\", name: The local authority, type: local_authority, care_settings: [social_care]}\n"
			   "  - {ods: X26, name: The national body, type: national_body}\n"
			   "role_profiles:\n%s"
			   "  - {uid: \"555000003001\", role: R0001, organisation: RXH, from: 2020-01-01}\n"
			   "  - {uid: \"555000003002\", role: R5090, organisation: RXH, from: 2020-01-01}\n"
			   "  - {uid: \"555000003003\", role: R9535, organisation: \"383\", from: 2020-01-01}\n"
			   "  - {uid: \"555000003004\", role: R5105, organisation: X26, from: 2020-01-01}\n"
			   "  - {uid: \"555000003005\", role: R5080, organisation: X26, from: 2020-01-01}\n",
			   profiles);
}

// ------------------------------------------------------------------ the broker

bool place_configure(struct drill *drill)
{
	return place_write(drill, "broker.yaml",
			   "broker_name: drill-broker\nendpoint: %s\nendpoint_file: endpoint\ncertificate: %s/broker/broker.pem\n"
			   "key: %s/broker/broker.key\nlog_key: authority/broker/log.key\ntrust_directory: authority/trust\n"
			   "enrolled_directory: authority/enrolled\nregister_file: register.yaml\npolicy_file: %s\nstore_file: %s/store.db\n"
			   "store_key: store.key\ndrill: yes\n",
			   drill->endpoint[0] == '\0' ? "tcp://127.0.0.1:*" : drill->endpoint, drill->authority, drill->authority,
			   drill->policy, drill->store);
}

static bool read_endpoint(struct drill *drill)
{
	char path[DRILL_PATH_BYTES + 64];
	place_path(drill, "endpoint", path);
	FILE *file = fopen(path, "re");
	bool read = file != NULL && fscanf(file, "%63s", drill->endpoint) == 1;
	if (file != NULL)
		fclose(file);
	return read;
}

bool place_start_broker(struct drill *drill)
{
	char path[DRILL_PATH_BYTES + 64];
	uint64_t end_ms = drill_now_ms() + DRILL_WAIT_MS;
	place_path(drill, "endpoint", path);
	unlink(path);
	drill->broker = program_start(drill, "cpis-broker", (const char *const[]){"broker.yaml", NULL}, "broker.log");
	if (drill->broker == 0)
		return false;
	while (!read_endpoint(drill)) {
		if (waitpid(drill->broker, NULL, WNOHANG) == drill->broker) {
			drill->broker = 0;
			return drill_fail(drill, "the broker did not start: see broker.log in the folder (--keep)");
		}
		if (drill_now_ms() > end_ms)
			return drill_fail(drill, "the broker did not serve within %u s", DRILL_WAIT_MS / 1000u);
		nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
	}
	return true;
}

void place_kill_broker(struct drill *drill, int signal)
{
	if (drill->broker != 0)
		program_end(drill->broker, signal);
	drill->broker = 0;
}

// ------------------------------------------------------------------ profiles

static bool write_profile(struct drill *drill, const char *name, const char *system, const char *staff, const char *role, const char *care)
{
	char file[64];
	snprintf(file, sizeof file, "%s.yaml", name);
	return place_write(drill, file,
			   "endpoint: %s\nbroker_name: drill-broker\nbroker_certificate: %s/broker/broker.pem\ntrust_directory: "
			   "%s\nsystem_certificate: systems/%s.pem\nsystem_key: systems/%s.key\nstaff_certificate: %s.pem\n"
			   "staff_key: %s.key\nrole: %s\ncheckpoint_file: %s.checkpoint\n%s",
			   drill->endpoint, drill->authority, drill->trust, system, system, staff, staff, role, name, care);
}

bool place_profile(struct drill *drill, const char *name, const char *system, const char *staff, const char *role)
{
	return write_profile(drill, name, system, staff, role,
			     strcmp(role, "R8001") == 0 ? HOSPITAL_CARE : strcmp(role, "R1070") == 0 ? AMBULANCE_CARE : "");
}

static bool many_profiles(struct drill *drill, const char *name, unsigned count, const char *system, const char *staff_folder,
			  const char *first_digits, const char *role)
{
	bool good = true;
	for (unsigned i = 0; good && i < count; i++) {
		char profile[32], staff[64];
		snprintf(profile, sizeof profile, "%s-%u", name, i);
		snprintf(staff, sizeof staff, "%s/%s%02u", staff_folder, first_digits, i);
		good = place_profile(drill, profile, system, staff, role);
	}
	return good;
}

static bool one_profile(struct drill *drill, const char *name, const char *system, const char *staff_folder, const char *uid, const char *role)
{
	char staff[64];
	snprintf(staff, sizeof staff, "%s/%s", staff_folder, uid);
	return place_profile(drill, name, system, staff, role);
}

bool place_hospital_profiles(struct drill *drill, const char *system, const char *staff_folder)
{
	return many_profiles(drill, "nurse", PLACE_NURSES, system, staff_folder, "5550000010", "R8001") &&
	       one_profile(drill, "officer", system, "staff", "555000003001", "R0001") &&
	       one_profile(drill, "registrar", system, "staff", "555000003002", "R5090");
}

bool place_ambulance_profiles(struct drill *drill, const char *system, const char *staff_folder)
{
	return many_profiles(drill, "paramedic", PLACE_PARAMEDICS, system, staff_folder, "5550000020", "R1070");
}

// ------------------------------------------------------------------ all of it

static bool publish(struct drill *drill)
{
	char start[16];
	time_t then = (time_t)(drill_clock_ms() / 1000u) - 90 * 86400;
	struct tm parts;
	strftime(start, sizeof start, "%Y-%m-%d", gmtime_r(&then, &parts));
	return place_write(drill, "plans.csv",
			   "nhs_number,plan_type,start_date,end_date,delete_date,local_id,family_name,given_names,birth_date\n"
			   PLACE_CHILD ",CPP,%s,,,LCS-1,EXAMPLE,ALEX,2020-02-01\n", start) &&
	       program_cpis(drill, "--profile", "worker.yaml", "contacts", "set", "--emergency-duty", "0113 496 0000", "--office-hours",
			    "0113 496 0100", NULL) &&
	       program_cpis(drill, "--profile", "worker.yaml", "publish", "--full", "plans.csv", NULL);
}

bool place_make(struct drill *drill, const char *parent)
{
	drill->folder[0] = drill->endpoint[0] = drill->detail[0] = '\0';
	drill->broker = 0;
	drill->authority = "authority";
	drill->trust = "authority/trust";
	drill->store = "store";
	snprintf(drill->folder, sizeof drill->folder, "%s/cpis-drill-XXXXXX", parent);
	if (mkdtemp(drill->folder) == NULL) {
		drill->folder[0] = '\0';
		return drill_fail(drill, "%s: no folder can be made there: %s", parent, strerror(errno));
	}
	char store[DRILL_PATH_BYTES + 64];
	place_path(drill, "store", store);
	if (mkdir(store, 0700) != 0)
		return drill_fail(drill, "%s: %s", store, strerror(errno));
	if (!certify(drill) || !write_register(drill) || !place_configure(drill))
		return false;
	if (program_run(drill, "cpis-broker", (const char *const[]){"--make-store-key", "store.key", NULL}) != 0)
		return drill_fail(drill, "no store key: %.300s", drill->output);
	// From now on where it is.
	return place_start_broker(drill) && place_configure(drill) && place_hospital_profiles(drill, "hospital", "staff") &&
	       place_ambulance_profiles(drill, "ambulance", "staff") &&
	       one_profile(drill, "worker", "authority", "staff", "555000003003", "R9535") &&
	       one_profile(drill, "guardian", "national", "staff", "555000003004", "R5105") &&
	       one_profile(drill, "national", "national", "staff", "555000003005", "R5080") && publish(drill);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
	(void)status, (void)kind, (void)walk;
	remove(path);
	return 0;
}

void place_remove(struct drill *drill)
{
	place_kill_broker(drill, SIGKILL);
	// Not into what is mounted there: the exercise that mounts takes it away itself.
	if (drill->folder[0] != '\0')
		nftw(drill->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	drill->folder[0] = '\0';
}
