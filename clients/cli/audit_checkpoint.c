// `cpis audit checkpoint`: prints the newest checkpoint, for comparing it with others over any other way: email, a meeting.
#include <stdio.h>

#include "clients/cli/audit_compare.h"
#include "clients/cli/commands.h"
#include "clients/cli/connection.h"

const struct command_option audit_checkpoint_options[] = {
	{"witnessed", NULL, "the newest one that a quorum of the trust bundle's witnesses has cosigned", OPTION_OPTIONAL},
	{0},
};

// What is remembered is enough for the newest; of the witnessed ones the broker may have a newer one.
static int ask(struct connection *connection)
{
	bool compared = false;
	enum cpis_status status = cpis_exchange_checkpoints(connection->client, NULL, connection->line->timeout_ms, &compared);
	if (status != CPIS_OK)
		return connection_fail(connection, status, cpis_detail(connection->client));
	if (!compared)
		fprintf(stderr, "cpis audit checkpoint: not compared with what others hold: %s\n", cpis_detail(connection->client));
	return EXIT_DONE;
}

int audit_checkpoint(const struct command_line *line)
{
	struct connection connection = {0};
	bool witnessed = command_value(line, "witnessed") != NULL;
	int code = connection_open(line, &connection);
	if (code == EXIT_DONE && (witnessed || cpis_checkpoint(connection.client)[0] == '\0'))
		code = ask(&connection);
	if (code == EXIT_DONE) {
		const char *note = witnessed ? cpis_witnessed_checkpoint(connection.client) : cpis_checkpoint(connection.client);
		fputs(note, stdout);
		if (note[0] == '\0') {
			fprintf(stderr, "cpis audit checkpoint: no checkpoint has the cosignatures that the trust bundle's log.policy asks "
				"for, or it asks for none\n");
			code = EXIT_PROOF;
		}
	}
	connection_close(&connection);
	return code;
}
