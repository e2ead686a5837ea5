// Who starts the broker's front (front.h): a process of its own, split off before any key is read, that can do nothing but
// start the program again as a front and end it. So the core can be forbidden to start programs, and no front is a copy of a
// process that has met a key.
#ifndef CPIS_BROKER_FRONT_KEEPER_H
#define CPIS_BROKER_FRONT_KEEPER_H

#include <stdbool.h>

#include "broker/log.h"

// Splits the keeper off: before any thread is made and any key is read. The descriptor by which it is told; -1: it could not be
// made, errno says why. When it is closed, by whatever end, keeper and front end.
int front_keeper_start(void);
// It becomes this user for good (privileges.h), and so is each front that it starts; when it cannot, it ends.
void front_keeper_become(int keeper, const char *user);
// Starts a front that has these as its descriptors from FRONT_DESCRIPTOR on: an end of a socket pair, an eventfd that it adds one
// to with each list of who is let in that has come into force, and an end of a pair for listening sockets (front_sockets.h). An earlier
// front is killed first. False: the keeper is gone.
#define FRONT_DESCRIPTORS 3
__attribute__((warn_unused_result)) bool front_keeper_start_front(int keeper, const int given[FRONT_DESCRIPTORS]);
#define METRICS_DESCRIPTORS 2
// Starts what serves metrics (metrics_process.h) with a socket that listens and a board, and again whenever it ends, until the keeper does.
// The caller may close its own. False: the keeper is gone.
__attribute__((warn_unused_result)) bool front_keeper_start_metrics(int keeper, const int given[METRICS_DESCRIPTORS]);
// How the keeper writes its own lines of the log.
void front_keeper_log_as(int keeper, enum log_format format);
// Kills the front, if there is one. Of a keeper that is gone there is none.
void front_keeper_kill_front(int keeper);
// How the last front ended, as of waitpid; 0 also when nobody knows yet. Waits at most `timeout_ms` for it.
int front_keeper_status(int keeper, int timeout_ms);

#define FRONT_DESCRIPTOR 3
#define FRONT_ARGUMENT "--front"

#endif
