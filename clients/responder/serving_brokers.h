// A responder at every broker of its profile at once: each sends its questions only to whom has registered at it.
#ifndef CPIS_RESPONDER_SERVING_BROKERS_H
#define CPIS_RESPONDER_SERVING_BROKERS_H

#include "clients/responder/serving.h"

// With one broker serving_run_at, here. With several a process for each, with a connection, a session and a registration of its own; what
// `job` holds is copied with the process. All end with this one, however it ends, and on SIGTERM or SIGINT.
//
// One that is refused for good is said and ends alone, the others go on: EXIT_DONE after a stop when none was, else the first one's code,
// at once when no other is left. An audit log that does not hold (EXIT_PROOF) ends all of them.
int serving_run(const struct serving_job *job);

#endif
