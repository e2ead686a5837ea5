// What stands in the throw-away world: who is in it, their certificates, the register, the configuration, the profiles.
#include "tests/harness/world_priv.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEXT_BYTES 16384
// Below Linux's ephemeral ports, so that no connection takes a broker's port between its death and its restart.
#define WORLD_ORGANISATIONS 8u
#define PORT_FIRST 20000u
#define PORT_COUNT 12000u

const struct world_system world_systems[] = {
	{"hospital", "RXH", "hospital-record-system", WORLD_WEB_HOST},
	{"ambulance", "RYD", "ambulance-record-system", NULL},
	{"school", "RDR", "school-nursing-system", NULL},
	{"leeds", "383", "leeds-case-system", NULL},
	{"brighton", "846", "brighton-case-system", NULL},
	{"national", "X26", "national-audit-system", NULL},
	{"neighbour", "W00", "neighbouring-register", NULL},
	{"demographics", "X09", "demographics-service", NULL},
	{NULL, NULL, NULL, NULL},
};

const struct world_person world_people[] = {
	{"nurse", "555000000001", "Grace Okafor", "R8001", "hospital", "emergency_department", NULL},
	{"midwife", "555000000002", "Siân O'Neill", "R8016", "hospital", "maternity", NULL},
	{"receptionist", "555000000003", "Tom Archer", "R8009", "hospital", "emergency_department", NULL},
	{"privacy_officer", "555000000004", "Ines Duarte", "R0001", "hospital", "emergency_department", NULL},
	{"paramedic", "555000000005", "Kofi Mensah", "R1070", "ambulance", NULL, NULL},
	{"school_nurse", "555000000006", "Mary Whitlock", "R8001", "school", NULL, "B0170"},
	{"leeds", "555000000007", "Anjali Rao", "R9535", "leeds", NULL, NULL},
	{"leeds_duty", "555000000008", "Peter Holt", "R9605", "leeds", NULL, NULL},
	{"brighton", "555000000009", "Lucy Faulkner", "R9535", "brighton", NULL, NULL},
	{"guardian", "555000000010", "Helen Marsh", "R5105", "national", NULL, NULL},
	{"consultant", "555000000012", "Amara Nwosu", "R0050", "hospital", "emergency_department", NULL},
	{"registrar", "555000000011", "Owen Price", "R5080", "national", NULL, NULL},
	{"neighbour", "555000000013", "Carys Bevan", "R8015", "neighbour", NULL, "L0102, L0103"},
	{"demographics", "555000000014", "Joseph Adeyemi", "R8015", "demographics", NULL, NULL},
	{"leeds_reviewer", "555000000019", "Devika Nair", "R0001", "leeds", NULL, NULL},
	{NULL, NULL, NULL, NULL, NULL, NULL, NULL},
};

const struct world_person *world_person(const char *profile)
{
	const struct world_person *person = world_people;
	while (person->profile != NULL && strcmp(person->profile, profile) != 0)
		person++;
	if (person->profile == NULL)
		world_fail(NULL, "nobody here is called %s", profile);
	return person;
}

static const struct world_system *system_of(const struct world_person *person)
{
	const struct world_system *system = world_systems;
	while (system->file != NULL && strcmp(system->file, person->system) != 0)
		system++;
	if (system->file == NULL)
		world_fail(NULL, "%s has no system", person->profile);
	return system;
}

static void append(char text[TEXT_BYTES], const char *format, ...) __attribute__((format(printf, 2, 3)));
static void append(char text[TEXT_BYTES], const char *format, ...)
{
	size_t used = strlen(text);
	va_list arguments;
	va_start(arguments, format);
	int added = vsnprintf(text + used, TEXT_BYTES - used, format, arguments);
	va_end(arguments);
	if (added < 0 || (size_t)added >= TEXT_BYTES - used)
		world_fail(NULL, "a file of the world is too long");
}

static void must(struct world *world, int code, const char *what)
{
	if (code != 0)
		world_fail(world, "%s: exit %d", what, code);
}

static void make_certificates(struct world *world)
{
	const char *authority = world_path(world, "authority");
	must(world,
	     world_cpis(world, NULL, "certs", "init", "--dir", authority, "--broker-name", WORLD_BROKER_NAME,
			"--log-origin", "cpis.example/audit/test", NULL),
	     "cpis certs init");
	for (const struct world_system *system = world_systems; system->file != NULL; system++)
		must(world,
		     world_cpis(world, NULL, "certs", "issue-system", "--dir", authority, "--ods", system->ods, "--name",
				system->name, "--out", world_path(world, "systems"), "--file", system->file,
				system->web_host == NULL ? NULL : "--web-host", system->web_host, NULL),
		     "cpis certs issue-system");
	for (const struct world_person *person = world_people; person->profile != NULL; person++)
		must(world,
		     world_cpis(world, NULL, "certs", "issue-staff", "--dir", authority, "--uid", person->uid, "--name",
				person->name, "--out", world_path(world, "staff"), "--file", person->profile, NULL),
		     "cpis certs issue-staff");
}

void world_write_register(struct world *world)
{
	const struct {
		const char *ods, *rest;
	} organisations[WORLD_ORGANISATIONS] = {
		{"RXH", "name: University Hospitals Sussex, type: care_provider, "
			"care_settings: [emergency_department, maternity, paediatric_ward], incident: {telephone: 01632 960100, "
			"escalation: [{severity: 1, role: on-call director, telephone: 01632 960101}]}"},
		{"RYD", "name: South East Coast Ambulance Service, type: care_provider, care_settings: [ambulance]"},
		{"RDR", "name: Sussex Community, type: care_provider, care_settings: [school_nursing]"},
		{"383", "name: Leeds City Council, type: local_authority, care_settings: [social_care]"},
		{"846", "name: Brighton and Hove City Council, type: local_authority, care_settings: [social_care]"},
		{"X26", "name: NHS England, type: national_body"},
		{"W00", "name: Register of the Next Country, type: national_body, "
			"answers: {plans: [\"" WORLD_NEIGHBOUR_RANGE "\"]}"},
		{"X09", world->asks_demographics ? "name: Demographics Service, type: national_body, answers: {demographics: true}"
						 : "name: Demographics Service, type: national_body"},
	};
	char text[TEXT_BYTES] = "organisations:\n";
	unsigned number = 0;
	for (unsigned i = 0; i < WORLD_ORGANISATIONS; i++) {
		append(text, "  - {ods: \"%s\", %s", organisations[i].ods, organisations[i].rest);
		if (world->inbox_ods != NULL && strcmp(world->inbox_ods, organisations[i].ods) == 0)
			append(text, ", inbox: %s", world->inbox);
		append(text, "}\n");
	}
	append(text, "role_profiles:\n");
	for (const struct world_person *person = world_people; person->profile != NULL; person++, number++) {
		if ((world->dropped >> number & 1u) != 0)
			continue;
		append(text, "  - {uid: \"%s\", role: %s, organisation: \"%s\", from: 2020-01-01", person->uid, person->role,
		       system_of(person)->ods);
		if (person->activities != NULL)
			append(text, ", activities: [%s]", person->activities);
		append(text, "}\n");
	}
	world_write_file(world_path(world, "register.yaml"), text);
}

// The shipped policy without the rates that no person can reach: tests are faster. `cpis policy load` brings them back.
static void write_policy(struct world *world)
{
	char path[4200], line[1024];
	snprintf(path, sizeof path, "%s/broker/policy.yaml", world->root);
	FILE *from = fopen(path, "re"), *to = fopen(world_path(world, "policy.yaml"), "we");
	if (from == NULL || to == NULL)
		world_fail(world, "policy.yaml: %s", strerror(errno));
	while (fgets(line, sizeof line, from) != NULL)
		if (strstr(line, "person_per_minute:") == NULL)
			fputs(line, to);
	if (ferror(from) || fclose(to) != 0)
		world_fail(world, "policy.yaml: %s", strerror(errno));
	fclose(from);
}

static void write_config(struct world *world)
{
	char text[TEXT_BYTES] = "";
	append(text, "broker_name: %s\nendpoint: %s\nendpoint_file: endpoint\n", WORLD_BROKER_NAME, world->endpoint);
	append(text, "certificate: authority/broker/broker.pem\nkey: authority/broker/broker.key\n");
	append(text, "log_key: authority/broker/log.key\ntrust_directory: authority/trust\n");
	append(text, "enrolled_directory: authority/enrolled\nregister_file: register.yaml\n");
	append(text, "policy_file: policy.yaml\nstore_file: store.db\nstore_key: store.key\n");
	world_write_file(world_path(world, "broker.yaml"), text);
}

static void write_profiles(struct world *world)
{
	if (mkdir(world_path(world, "profiles"), 0700) != 0)
		world_fail(world, "profiles: %s", strerror(errno));
	for (const struct world_person *person = world_people; person->profile != NULL; person++) {
		char text[TEXT_BYTES] = "";
		append(text, "endpoint: %s\nbroker_name: %s\n", world->endpoint, WORLD_BROKER_NAME);
		append(text, "broker_certificate: ../authority/broker/broker.pem\ntrust_directory: ../authority/trust\n");
		append(text, "system_certificate: ../systems/%s.pem\nsystem_key: ../systems/%s.key\n", person->system,
		       person->system);
		append(text, "staff_certificate: ../staff/%s.pem\nstaff_key: ../staff/%s.key\n", person->profile,
		       person->profile);
		append(text, "role: %s\ncheckpoint_file: %s.checkpoint\n", person->role, person->profile);
		if (person->care_setting != NULL)
			append(text, "care_setting: %s\n", person->care_setting);
		world_write_file(world_path(world, "profiles/%s.yaml", person->profile), text);
	}
}

void world_choose_endpoint(char out[64])
{
	for (unsigned attempt = 0; attempt < 100; attempt++) {
		uint16_t port = (uint16_t)(PORT_FIRST + (world_random(PORT_COUNT) + (unsigned)getpid()) % PORT_COUNT);
		struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
		address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		bool free_port = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0;
		close(fd);
		if (free_port) {
			snprintf(out, 64, "tcp://127.0.0.1:%u", port);
			return;
		}
	}
	world_fail(NULL, "no free port");
}

void world_configure(struct world *world, const char *format, ...)
{
	char text[TEXT_BYTES] = "", line[1024];
	char *before = world_read_file(world_path(world, "broker.yaml"), NULL);
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(line, sizeof line, format, arguments);
	va_end(arguments);
	append(text, "%s%s", before, line);
	free(before);
	world_write_file(world_path(world, "broker.yaml"), text);
}

void world_use_postgres(struct world *world, const char *conninfo)
{
	static const char line[] = "store_file: store.db\n";
	char text[TEXT_BYTES] = "";
	char *before = world_read_file(world_path(world, "broker.yaml"), NULL), *found = strstr(before, line);
	if (found == NULL)
		world_fail(world, "broker.yaml has no line %s", line);
	append(text, "%.*sstore_postgres: %s\nstore_lone_server: yes\n%s", (int)(found - before), before, conninfo,
	       found + sizeof line - 1);
	free(before);
	world_write_file(world_path(world, "broker.yaml"), text);
}

void world_migrate(struct world *world, const char *conninfo)
{
	char program[PATH_MAX];
	const char *build = getenv("BUILD");
	snprintf(program, sizeof program, "%s/cpis-broker", build == NULL ? "build" : build);
	if (world_command(world, (const char *const[]){program, "--migrate", conninfo, NULL}) != 0)
		world_fail(world, "the database was not migrated: %s", world_err(world));
}

void world_furnish(struct world *world)
{
	char program[WORLD_PATH_BYTES];
	world_choose_endpoint(world->endpoint);
	make_certificates(world);
	world_write_register(world);
	write_policy(world);
	write_config(world);
	write_profiles(world);
	snprintf(program, sizeof program, "%s/cpis-broker", world->build);
	const char *arguments[] = {program, "--make-store-key", world_path(world, "store.key"), NULL};
	must(world, world_command(world, arguments), "cpis-broker --make-store-key");
}

// ------------------------------------------------------------------ changes

void world_revoke(struct world *world, const char *certificate_path)
{
	must(world,
	     world_cpis(world, NULL, "certs", "revoke", "--dir", world_path(world, "authority"), certificate_path, NULL),
	     "cpis certs revoke");
}

void world_set_inbox(struct world *world, const char *ods, const char *inbox)
{
	world->inbox_ods = ods;
	world->inbox = inbox;
	world_write_register(world);
}

void world_ask_demographics(struct world *world)
{
	world->asks_demographics = true;
	world_write_register(world);
}

void world_end_role(struct world *world, const char *profile)
{
	world->dropped |= 1u << (world_person(profile) - world_people);
	world_write_register(world);
}
