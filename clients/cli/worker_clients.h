// The clients of a gateway: one for each of its worker threads, because a client is one thread's at a time.
#ifndef CPIS_CLI_WORKER_CLIENTS_H
#define CPIS_CLI_WORKER_CLIENTS_H

#include <stdbool.h>

#include "clients/cli/profile.h"

// Connects `count` clients by the profile, each with a memory of the log of its own: <checkpoint_file>-0, -1 and so on. They are freed
// with worker_clients_close. NULL: not all came about, none is left, and `detail` says why. A profile with `witness` is refused by its
// `path`: what it asks for is done by the command cpis alone. Any thread.
__attribute__((warn_unused_result)) struct cpis_client **worker_clients_connect(const struct profile *profile, const char *path, unsigned count,
										char detail[CPIS_DETAIL_BYTES]);
void worker_clients_close(struct cpis_client **clients, unsigned count); // accepts NULL

#endif
