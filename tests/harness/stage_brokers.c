// The server is found by the environment, because the programs are not ours to give arguments to.
#include "tests/harness/stage_brokers.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "broker/store_postgres.h"
#include "tests/harness/postgres.h"

static const struct postgres *server(void)
{
	static struct postgres found;
	const char *text = getenv(STAGE_BROKERS_VARIABLE);
	if (text == NULL || sscanf(text, "%39s %u", found.directory, &found.port) != 2) {
		fprintf(stderr, "stage: %s is to say where the server is\n", STAGE_BROKERS_VARIABLE);
		abort();
	}
	return &found;
}

bool stage_brokers_wanted(void)
{
	return getenv(STAGE_BROKERS_VARIABLE) != NULL;
}

void stage_brokers_make_database(char ret_name[40])
{
	static unsigned made;
	snprintf(ret_name, 40, "stage_%d_%u", (int)getpid(), made++);
	postgres_make_database(server(), ret_name);
}

struct store *stage_brokers_open(const char *name)
{
	struct store *opened = NULL;
	char conninfo[POSTGRES_CONNINFO_BYTES], detail[STORE_DETAIL_BYTES] = "";
	postgres_conninfo(server(), "broker1", name, conninfo);
	struct store_postgres_options options = {.conninfo = conninfo, .lone_server = true, .timeout_ms = 60000};
	if (store_postgres_open(&options, &opened, detail) != STORE_OK) {
		fprintf(stderr, "stage: %s\n", detail);
		abort();
	}
	return opened;
}

void stage_brokers_remove_database(const char *name)
{
	postgres_remove_database(server(), name);
}
