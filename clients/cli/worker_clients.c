// One client for each worker thread.
#include "clients/cli/worker_clients.h"

#include <stdio.h>
#include <stdlib.h>

#define PATH_BYTES 4352

static bool connect_one(const struct profile *profile, unsigned number, struct cpis_client **ret, char detail[CPIS_DETAIL_BYTES])
{
	struct cpis_broker further[PROFILE_BROKERS_MAX];
	struct cpis_options options;
	char checkpoint[PATH_BYTES];
	profile_connect_options(profile, 0, &options);
	options.further_count = profile_further(profile, further);
	options.further = further;
	if (options.checkpoint_file != NULL) {
		snprintf(checkpoint, sizeof checkpoint, "%.4095s-%u", options.checkpoint_file, number);
		options.checkpoint_file = checkpoint;
	}
	return cpis_connect(&options, ret, detail) == CPIS_OK;
}

struct cpis_client **worker_clients_connect(const struct profile *profile, const char *path, unsigned count, char detail[CPIS_DETAIL_BYTES])
{
	if (profile->witness != NULL) {
		snprintf(detail, CPIS_DETAIL_BYTES, "%.250s: `witness` is for the command cpis; leave it out", path);
		return NULL;
	}
	struct cpis_client **clients = calloc(count, sizeof *clients);
	bool connected = clients != NULL;
	if (!connected)
		snprintf(detail, CPIS_DETAIL_BYTES, "out of memory");
	for (unsigned i = 0; connected && i < count; i++)
		connected = connect_one(profile, i, &clients[i], detail);
	if (connected)
		return clients;
	worker_clients_close(clients, count);
	return NULL;
}

void worker_clients_close(struct cpis_client **clients, unsigned count)
{
	for (unsigned i = 0; clients != NULL && i < count; i++)
		cpis_close(clients[i]);
	free(clients);
}
