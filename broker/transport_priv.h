// What the self-test needs of the network edge. Inside broker/transport*.c only.
#ifndef CPIS_BROKER_TRANSPORT_PRIV_H
#define CPIS_BROKER_TRANSPORT_PRIV_H

#include "broker/transport.h"

void *transport_socket(const struct transport *transport);

#endif
