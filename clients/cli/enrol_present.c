// `cpis enrol present`: a new system shows its one-time code and is given its certificate.
#include "clients/cli/enrol_present.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clients/cli/commands.h"
#include "clients/cli/connection.h"
#include "clients/cli/enrolment_code.h"
#include "clients/cli/output.h"
#include "proto/ods_code.h"
#include "proto/text.h"

// Each look is a record in the audit log.
#define INTERVAL_MS_DEFAULT 60000u

struct newcomer {
	struct connection connection;
	uint8_t code[ENROLMENT_CODE_BYTES];
	const char *organisation, *name;
	char out[4096];                  // where the certificate goes
	bool wait;
	uint64_t interval_ms;
	bool said;                       // how it stands
};

int enrol_check_system(const struct command_line *line)
{
	const char *ods = command_value(line, "ods"), *name = command_value(line, "name");
	struct ods_code parsed;
	if (!ods_code_parse(ods, strlen(ods), &parsed))
		return command_usage_error(line, "--ods is 3 to 12 capital letters and digits");
	if (name[0] == '\0' || strlen(name) > SYSTEM_NAME_BYTES_MAX || !text_is_clean(name, strlen(name)))
		return command_usage_error(line, "--name is 1 to %u bytes without control characters", SYSTEM_NAME_BYTES_MAX);
	return EXIT_DONE;
}

// ------------------------------------------------------------------ what it was called with

// From a file or standard input: on the command line others could read it.
static int read_code(const struct command_line *line, uint8_t out[ENROLMENT_CODE_BYTES])
{
	const char *path = command_value(line, "code");
	bool standard = strcmp(path, "-") == 0;
	char text[200] = "";
	FILE *file = standard ? stdin : fopen(path, "re");
	if (file == NULL)
		return command_usage_error(line, "--code %s: cannot be read (give a file, or - for standard input)", path);
	bool read = fgets(text, sizeof text, file) != NULL;
	if (!standard)
		fclose(file);
	text[strcspn(text, "\r\n")] = '\0';
	unsigned wrong = read ? enrolment_code_parse(text, out) : ENROLMENT_CODE_GROUPS + 1;
	explicit_bzero(text, sizeof text);
	if (wrong == 0)
		return EXIT_DONE;
	if (wrong <= ENROLMENT_CODE_GROUPS)
		return command_usage_error(line, "the code's group number %u is mistyped: ask for it again", wrong);
	return command_usage_error(line, "the code is %u groups of 6 digits", ENROLMENT_CODE_GROUPS);
}

// Beside the key unless told otherwise: system.key and system.pem.
static int read_out(const struct command_line *line, char out[4096])
{
	const char *key = command_value(line, "key"), *path = command_value(line, "out");
	size_t bytes = strlen(key), ending = bytes > 4 && strcmp(key + bytes - 4, ".key") == 0 ? 4 : 0;
	int used = path != NULL ? snprintf(out, 4096, "%s", path)
				: snprintf(out, 4096, "%.*s.pem", (int)(bytes - ending), key);
	if (used < 0 || used >= 4096)
		return command_usage_error(line, "the path of the certificate is too long");
	// Before the code is used: a certificate that cannot be written is not worth asking for.
	if (access(out, F_OK) == 0)
		return command_usage_error(line, "%s is there already and is not overwritten", out);
	return EXIT_DONE;
}

static int read_newcomer(const struct command_line *line, struct newcomer *ret)
{
	const char *interval = command_value(line, "interval");
	ret->organisation = command_value(line, "ods");
	ret->name = command_value(line, "name");
	ret->wait = command_value(line, "wait") != NULL;
	ret->interval_ms = INTERVAL_MS_DEFAULT;
	int code = enrol_check_system(line);
	if (code == EXIT_DONE && interval != NULL && !command_number(interval, 100, 3600000, &ret->interval_ms))
		code = command_usage_error(line, "--interval is a number of milliseconds from 100 to 3600000");
	if (code == EXIT_DONE)
		code = read_out(line, ret->out);
	return code == EXIT_DONE ? read_code(line, ret->code) : code;
}

static int connect(const struct command_line *line, struct connection *ret)
{
	char why[CPIS_DETAIL_BYTES] = "";
	struct cpis_options options = {
		.endpoint = command_value(line, "endpoint"),
		.broker_name = command_value(line, "broker-name"),
		.broker_certificate = command_value(line, "broker-certificate"),
		.trust_directory = command_value(line, "trust"),
		.system_key = command_value(line, "key"),
	};
	ret->line = line;
	enum cpis_status status = cpis_connect_enrolling(&options, &ret->client, why);
	return status == CPIS_OK ? EXIT_DONE : connection_fail(ret, status, why);
}

// ------------------------------------------------------------------ what it says

static void print_json(const struct newcomer *newcomer, const Cpis__V1__Reply *reply)
{
	json_t *value = output_envelope(reply);
	bool issued = reply->enrol->state == CPIS__V1__ENROLMENT_STATE__ISSUED;
	json_object_set_new(value, "state", json_string(wire_enrolment_state_name(reply->enrol->state)));
	json_object_set_new(value, "fingerprint", json_string(reply->enrol->fingerprint));
	json_object_set_new(value, "until", output_instant(reply->enrol->until_ms));
	json_object_set_new(value, "certificate", issued ? json_string(newcomer->out) : json_null());
	output_json(value);
}

static void print_waiting(struct newcomer *newcomer, const Cpis__V1__Reply *reply)
{
	char until[17];
	if (newcomer->said)
		return;
	newcomer->said = true;
	if (newcomer->connection.line->json) {
		print_json(newcomer, reply);
	} else {
		output_english_time(reply->enrol->until_ms, until);
		printf("The code was taken. The certificate has not been issued yet.\n\n"
		       "  fingerprint of the key  %s\n\n"
		       "Read it to the registrar who invited this system, over the telephone. The invitation ends %s.\n",
		       reply->enrol->fingerprint, until);
		output_receipt(reply);
	}
	fflush(stdout);
}

static int take_certificate(struct newcomer *newcomer, const Cpis__V1__Reply *reply)
{
	struct cpis_client *client = newcomer->connection.client;
	enum cpis_status status = cpis_save_certificate(client, reply, newcomer->out);
	if (status != CPIS_OK)
		return connection_fail(&newcomer->connection, status, cpis_detail(client));
	if (newcomer->connection.line->json) {
		print_json(newcomer, reply);
	} else {
		printf("The certificate was issued: %s\n", newcomer->out);
		output_receipt(reply);
	}
	return EXIT_DONE;
}

// ------------------------------------------------------------------ the talk

// `ret_again`: it waits still, or nobody could answer.
static int ask_once(struct newcomer *newcomer, bool *ret_again)
{
	struct connection *connection = &newcomer->connection;
	const Cpis__V1__Reply *reply = NULL, *good = NULL;
	enum cpis_status status = cpis_enrol(connection->client, newcomer->code, newcomer->organisation, newcomer->name,
					     connection->line->timeout_ms, &reply);
	int code = connection_judge(connection, status, reply, &good);
	*ret_again = code == EXIT_RETRY;
	if (code != EXIT_DONE)
		return code;
	if (good->enrol->state == CPIS__V1__ENROLMENT_STATE__ISSUED) {
		code = take_certificate(newcomer, good);
	} else {
		print_waiting(newcomer, good);
		*ret_again = true;
	}
	cpis_reply_free(good);
	return code;
}

int enrol_present(const struct command_line *line)
{
	struct newcomer newcomer = {0};
	bool again = false;
	int code = read_newcomer(line, &newcomer);
	if (code == EXIT_DONE)
		code = connect(line, &newcomer.connection);
	while (code == EXIT_DONE) {
		code = ask_once(&newcomer, &again);
		if (!newcomer.wait || !again)
			break;
		code = EXIT_DONE;
		poll(NULL, 0, (int)newcomer.interval_ms);
	}
	connection_close(&newcomer.connection);
	explicit_bzero(&newcomer, sizeof newcomer);
	return code;
}

const struct command_option enrol_present_options[] = {
	{"endpoint", "TCP", "the broker's enrolment endpoint, tcp://host:port", OPTION_REQUIRED},
	{"broker-name", "NAME", "as in the broker's certificate", OPTION_REQUIRED},
	{"broker-certificate", "FILE", "the broker's certificate", OPTION_REQUIRED},
	{"trust", "DIR", "the trust bundle", OPTION_REQUIRED},
	{"key", "FILE", "this system's new key (X25519, mode 0600)", OPTION_REQUIRED},
	{"ods", "CODE", "the organisation's ODS code", OPTION_REQUIRED},
	{"name", "NAME", "of this system, as in the invitation", OPTION_REQUIRED},
	{"code", "FILE", "a file with the one-time code; - reads it from standard input", OPTION_REQUIRED},
	{"out", "FILE", "where the certificate is written (default: beside the key)", OPTION_OPTIONAL},
	{"wait", NULL, "ask again until the certificate is issued", OPTION_OPTIONAL},
	{"interval", "MS", "how often (default: 60000)", OPTION_OPTIONAL},
	{"timeout", "MS", "how long to wait for an answer, 1 to 60000 (default: 10000)", OPTION_OPTIONAL},
	{0},
};
