// `cpis ping`: is the broker there, is it the right one, does it know this system.
#include <stdio.h>

#include "clients/cli/commands.h"
#include "clients/cli/connection.h"
#include "clients/cli/output.h"

static int run(const struct command_line *line)
{
	struct connection connection = {0};
	Cpis__V1__PingRequest ping = CPIS__V1__PING_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	const Cpis__V1__Reply *reply = NULL;
	request.body_case = CPIS__V1__REQUEST__BODY_PING;
	request.ping = &ping;
	int code = connection_open(line, &connection);
	if (code != EXIT_DONE)
		return code;
	code = connection_call(&connection, &request, &reply);
	if (code == EXIT_DONE && line->json) {
		json_t *value = output_envelope(reply);
		json_object_set_new(value, "broker_name", json_string(reply->ping->broker_name));
		json_object_set_new(value, "version", json_string(reply->ping->version));
		json_object_set_new(value, "time", output_instant(reply->ping->time_ms));
		output_json(value);
	} else if (code == EXIT_DONE) {
		printf("%s %s answers %s of %s.\n", reply->ping->broker_name, reply->ping->version,
		       cpis_system_name(connection.client), cpis_system_organisation(connection.client));
		output_receipt(reply);
	}
	cpis_reply_free(reply);
	connection_close(&connection);
	return code;
}

static const struct command command = {
	.name = "ping",
	.operands = "",
	.help = "Connects as this system, checks the broker's certificate, and asks for a sign of life.\n"
		"Needs no member of staff.",
	.unwitnessed = true,
	.run = run,
};

int command_ping(int argc, char **argv)
{
	return command_dispatch(&command, argc, argv);
}
