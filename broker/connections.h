// This process's TCP connections, as the kernel knows them: libzmq neither counts nor ends single ones. For when there are too
// many, and to say who has sent most. Listening sockets are never touched. A descriptor may have become another connection's
// meanwhile: that one is cut off then, and connects again by itself.
#ifndef CPIS_BROKER_CONNECTIONS_H
#define CPIS_BROKER_CONNECTIONS_H

#include <stddef.h>
#include <stdint.h>

#include "broker/attempts.h"

// What nobody needs who has shaken hands: a greeting of 64 bytes, a HELLO of 200 and an INITIATE of more than 257, each with a
// head.
#define CONNECTIONS_HANDSHAKE_BYTES 520u

// Cuts off `count` of them: first those that have not sent a handshake yet, then those that have been silent for longest. How many
// it were.
size_t connections_cut_off(size_t count);

// The peer that has sent most, as "10.0.0.1:4000, 120 MB"; "" when there is none.
void connections_name_largest(char ret[ATTEMPT_EXAMPLE_BYTES]);

#endif
