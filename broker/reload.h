// Change without a restart: what SIGHUP makes a running broker read again. Whole or not at all: all of it is read and checked
// before any of it counts. README.md, "Changing without stopping", has what can change and what cannot.
#ifndef CPIS_BROKER_RELOAD_H
#define CPIS_BROKER_RELOAD_H

#include "broker/process.h"

// Between two batches only. Tells the operator in one line of the log what has changed, `reloaded`, or why nothing has,
// `reload_refused`. Reads files, and commits a record where another policy comes into force; handshakes are judged by the new lists
// when it returns.
void reload(struct broker *broker);

#endif
