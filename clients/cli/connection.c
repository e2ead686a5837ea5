// Profile, connection, session and calls of a command.
#include "clients/cli/connection.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "clients/cli/commands.h"
#include "clients/cli/output.h"
#include "proto/wire.h"

static int exit_of_status(enum cpis_status status)
{
	switch (status) {
	case CPIS_USAGE:
		return EXIT_USAGE;
	case CPIS_CREDENTIALS:
	case CPIS_REFUSED_AT_HANDSHAKE:
		return EXIT_REFUSED;
	case CPIS_UNREACHABLE:
	case CPIS_TIMEOUT:
	case CPIS_INTERRUPTED:
		return EXIT_RETRY;
	case CPIS_RECEIPT:
	case CPIS_LOG_SHORTENED:
	case CPIS_LOG_FORKED:
	case CPIS_LOG_UNWITNESSED:
		return EXIT_PROOF;
	default:
		return EXIT_FAILED;
	}
}

static int exit_of_outcome(Cpis__V1__Outcome outcome)
{
	switch (outcome) {
	case CPIS__V1__OUTCOME__OK:
		return EXIT_DONE;
	case CPIS__V1__OUTCOME__MESSAGE_NOT_WELL_FORMED:
	case CPIS__V1__OUTCOME__INVALID_NHS_NUMBER:
	case CPIS__V1__OUTCOME__INVALID_VALUE:
		return EXIT_USAGE;
	case CPIS__V1__OUTCOME__ASID_CHECK_FAILED:
	case CPIS__V1__OUTCOME__AUTHOR_CREDENTIALS_ERROR:
	case CPIS__V1__OUTCOME__SESSION_EXPIRED:
	case CPIS__V1__OUTCOME__ACCESS_DENIED:
	case CPIS__V1__OUTCOME__NO_RECORD_FOUND:
	case CPIS__V1__OUTCOME__INVALID_REQUEST_STATE:
		return EXIT_REFUSED;
	case CPIS__V1__OUTCOME__DEADLINE_EXPIRED:
	case CPIS__V1__OUTCOME__TOO_MANY_REQUESTS:
	case CPIS__V1__OUTCOME__SERVICE_UNAVAILABLE:
		return EXIT_RETRY;
	default:
		return EXIT_FAILED;
	}
}

int connection_fail(const struct connection *connection, enum cpis_status status, const char *detail)
{
	int code = exit_of_status(status);
	fprintf(stderr, "cpis %s: %s%s%s\n", connection->line->command->name, cpis_status_text(status),
		detail[0] == '\0' ? "" : ": ", detail);
	if (connection->line->json)
		output_json(json_pack("{s:s, s:s, s:s}", "outcome", "FAILED", "reason", cpis_status_text(status), "detail",
				      detail));
	return code;
}

static int report_refusal(const struct connection *connection, const Cpis__V1__Reply *reply)
{
	fprintf(stderr, "cpis %s: %s %s (%s)\n", connection->line->command->name, wire_outcome_name(reply->outcome),
		reply->reason, reply->reason_code);
	if (reply->rule[0] != '\0')
		fprintf(stderr, "Decided by the policy's rule: %s\n", reply->rule);
	if (reply->receipt != NULL)
		fprintf(stderr, "Recorded as no. %llu in the audit log; proof checked.\n",
			(unsigned long long)reply->receipt->index);
	if (connection->line->json)
		output_json(output_envelope(reply));
	return exit_of_outcome(reply->outcome);
}

int connection_load(const struct command_line *line, struct connection *ret)
{
	struct connection connection = {.line = line};
	char detail[PROFILE_DETAIL_BYTES] = "";
	if (line->profile == NULL)
		return command_usage_error(line, "no profile: give --profile FILE or set CPIS_PROFILE");
	if (!profile_load(line->profile, &connection.profile, detail)) {
		fprintf(stderr, "cpis %s: %s\n", line->command->name, detail);
		return EXIT_USAGE;
	}
	*ret = connection;
	return EXIT_DONE;
}

// No question waits long for the comparison, and none is lost because it was not answered.
#define GOSSIP_MS_MAX 3000u

int connection_gossip(struct connection *connection)
{
	bool compared;
	uint32_t deadline_ms = connection->line->timeout_ms < GOSSIP_MS_MAX ? connection->line->timeout_ms : GOSSIP_MS_MAX;
	if (!cpis_exchange_is_due(connection->client))
		return EXIT_DONE;
	enum cpis_status status = cpis_exchange_checkpoints(connection->client, NULL, deadline_ms, &compared);
	if (status != CPIS_OK && status != CPIS_TIMEOUT)
		return connection_fail(connection, status, cpis_detail(connection->client));
	if (!compared)
		fprintf(stderr, "cpis %s: WARNING: the audit log was not compared with what others were shown of it, and is the next time: "
			"%s\n", connection->line->command->name,
			status == CPIS_OK ? cpis_detail(connection->client) : cpis_status_text(status));
	return EXIT_DONE;
}

// Where the profile wants it, no question is asked of a log that witnesses have not seen lately.
static int ask_for_witnesses(const struct connection *connection)
{
	const struct profile *profile = connection->profile;
	if (profile->witness == NULL || connection->line->command->unwitnessed)
		return EXIT_DONE;
	enum cpis_status status =
		cpis_require_witnessed(connection->client, profile->witness_age_max_s, connection->line->timeout_ms);
	if ((status == CPIS_LOG_UNWITNESSED || status == CPIS_TIMEOUT) && strcmp(profile->witness, "warn") == 0) {
		fprintf(stderr, "cpis %s: WARNING: %s: %s\n", connection->line->command->name, cpis_status_text(status),
			cpis_detail(connection->client));
		return EXIT_DONE;
	}
	return status == CPIS_OK ? EXIT_DONE : connection_fail(connection, status, cpis_detail(connection->client));
}

// A trace of the environment that is not well formed is somebody else's mistake, and passed over as the standard wants it.
static int take_trace(struct connection *connection)
{
	const char *given = command_value(connection->line, "traceparent"), *around = getenv("TRACEPARENT");
	if (given != NULL && !cpis_set_trace(connection->client, given))
		return command_usage_error(connection->line, "--traceparent is a traceparent header of W3C Trace Context, version 00");
	if (given == NULL && around != NULL)
		(void)!cpis_set_trace(connection->client, around);
	return EXIT_DONE;
}

static int connect_with(struct connection *connection, struct cpis_options *options)
{
	char why[CPIS_DETAIL_BYTES] = "";
	options->key_lock = connection->key_lock;
	enum cpis_status status = cpis_connect(options, &connection->client, why);
	int code = status == CPIS_OK ? take_trace(connection) : connection_fail(connection, status, why);
	if (code == EXIT_DONE)
		code = connection_gossip(connection);
	return code == EXIT_DONE ? ask_for_witnesses(connection) : code;
}

// To the first broker, and where the others have the same log, to whichever answers.
static int connect_any(struct connection *connection)
{
	struct cpis_broker further[PROFILE_BROKERS_MAX];
	struct cpis_options options;
	profile_connect_options(connection->profile, 0, &options);
	options.further = further;
	options.further_count = profile_further(connection->profile, further);
	return connect_with(connection, &options);
}

int connection_open(const struct command_line *line, struct connection *ret)
{
	struct connection connection = {0};
	int code = connection_load(line, &connection);
	if (code == EXIT_DONE)
		code = connect_any(&connection);
	if (code != EXIT_DONE) {
		connection_close(&connection);
		return code;
	}
	*ret = connection;
	return EXIT_DONE;
}

static int open_session(struct connection *connection)
{
	const struct profile *profile = connection->profile;
	const Cpis__V1__Reply *reply = NULL;
	if (profile->role == NULL)
		return command_usage_error(connection->line, "the profile %s names no member of staff",
					   connection->line->profile);
	enum cpis_status status = cpis_session_open(connection->client, profile->staff_certificate, profile->staff_key,
						    profile->role, connection->line->timeout_ms, &reply);
	if (status != CPIS_OK)
		return connection_fail(connection, status, cpis_detail(connection->client));
	int code = reply->outcome == CPIS__V1__OUTCOME__OK ? EXIT_DONE : report_refusal(connection, reply);
	cpis_reply_free(reply);
	return code;
}

int connection_sign_in_at(struct connection *connection, size_t broker)
{
	struct cpis_options options;
	profile_connect_options(connection->profile, broker, &options);
	int code = connect_with(connection, &options);
	return code == EXIT_DONE ? open_session(connection) : code;
}

int connection_sign_in_loaded(struct connection *connection)
{
	int code = connect_any(connection);
	return code == EXIT_DONE ? open_session(connection) : code;
}

int connection_sign_in(const struct command_line *line, struct connection *ret)
{
	struct connection connection = {0};
	int code = connection_load(line, &connection);
	if (code == EXIT_DONE)
		code = connection_sign_in_loaded(&connection);
	if (code != EXIT_DONE) {
		connection_close(&connection);
		return code;
	}
	*ret = connection;
	return EXIT_DONE;
}

int connection_renew(struct connection *connection)
{
	return open_session(connection);
}

void connection_close(struct connection *connection)
{
	cpis_close(connection->client);
	profile_free(connection->profile);
	*connection = (struct connection){0};
}

int connection_judge(const struct connection *connection, enum cpis_status status, const Cpis__V1__Reply *reply,
		     const Cpis__V1__Reply **ret)
{
	if (status != CPIS_OK)
		return connection_fail(connection, status, cpis_detail(connection->client));
	if (reply->outcome != CPIS__V1__OUTCOME__OK) {
		int code = report_refusal(connection, reply);
		cpis_reply_free(reply);
		return code;
	}
	*ret = reply;
	return EXIT_DONE;
}

int connection_call_within(struct connection *connection, Cpis__V1__Request *request, uint32_t deadline_ms,
			   const Cpis__V1__Reply **ret)
{
	const Cpis__V1__Reply *reply = NULL;
	enum cpis_status status = cpis_call(connection->client, request, deadline_ms, &reply);
	return connection_judge(connection, status, reply, ret);
}

int connection_call(struct connection *connection, Cpis__V1__Request *request, const Cpis__V1__Reply **ret)
{
	return connection_call_within(connection, request, connection->line->timeout_ms, ret);
}

int connection_call_signed(struct connection *connection, Cpis__V1__Request *request, const Cpis__V1__Reply **ret)
{
	const Cpis__V1__Reply *reply = NULL;
	enum cpis_status status = cpis_call_signed(connection->client, request, connection->profile->staff_key,
						   connection->line->timeout_ms, &reply);
	return connection_judge(connection, status, reply, ret);
}
