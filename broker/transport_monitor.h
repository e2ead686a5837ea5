// What libzmq itself turns away at a socket's door, before ZAP is asked: other mechanisms than CURVE, older protocols, keys
// without their secret, half a handshake. Counted into `attempts` by a thread of its own.
//
// libzmq's I/O threads wait for whoever reads a monitor's events when its queue is full. So this one has no bound, is read by
// nobody but its thread, and is ended before its reader is: handshakes never wait for it, and what it holds is what came
// in the microseconds since the thread looked last. Nothing is decided by what it says.
//
// An event tells neither address nor, but for a connection's beginning and end, which connection. What is not ZMTP 3 ends
// without any other event, like a connection whose handshake was done. It is counted when no handshake of this
// socket was done between its beginning and its end, so that none is counted wrongly; one that hides among others' handshakes
// is not counted.
#ifndef CPIS_BROKER_TRANSPORT_MONITOR_H
#define CPIS_BROKER_TRANSPORT_MONITOR_H

#include <stdbool.h>
#include <stddef.h>

#include "broker/attempts.h"

struct transport_monitor;

// Before the socket is bound; it outlives the monitor. False when it cannot be had (errno).
__attribute__((warn_unused_result)) bool transport_monitor_attach(void *context, void *socket,
								   struct transport_monitor **ret);
// Once it is bound: `endpoint` is named in what is counted. `attempts` outlives the monitor. False when there is no thread.
__attribute__((warn_unused_result)) bool transport_monitor_run(struct transport_monitor *monitor, const char *endpoint,
								struct attempts *attempts);
// The descriptor that libzmq listens on, its own; -1: it has told of none. After transport_monitor_run.
int transport_monitor_listening(const struct transport_monitor *monitor);
// Connections that were accepted and have not ended, whether or not their handshake is done. Any thread.
size_t transport_monitor_live(const struct transport_monitor *monitor);
// Before the socket is closed, by the socket's thread. What has happened until then is counted. Accepts NULL.
void transport_monitor_stop(struct transport_monitor *monitor);

#endif
