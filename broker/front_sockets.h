// The listening sockets of the network's front, which outlive it: the core keeps them, gives them to each front that it starts, and
// to the broker that takes over. Whoever connects meanwhile waits in the kernel's queue and is not refused. Not the enrolment
// endpoint's, which is closed and opened anew when strangers take up too much.
#ifndef CPIS_BROKER_FRONT_SOCKETS_H
#define CPIS_BROKER_FRONT_SOCKETS_H

#include <stdbool.h>

#include "broker/listeners.h"

// Owned; 0: there is none.
struct front_sockets {
	int listening[LISTENERS];
};

// Over one end of a pair (SOCK_SEQPACKET), from the core to a front that starts and from a front that serves to the core. They stay the
// sender's too. False: the other end is gone.
__attribute__((warn_unused_result)) bool front_sockets_give(const struct front_sockets *sockets, int pair);
// Takes those that the other end has given, where there is none yet, and closes what is no listening socket of TCP: it is not
// believed. False: it has not given all within `timeout_ms`; what it gave is taken.
bool front_sockets_take(struct front_sockets *sockets, int pair, int timeout_ms);
void front_sockets_close(struct front_sockets *sockets);

#endif
