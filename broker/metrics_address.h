// Where metrics are served: an address of this machine's own, and never another.
#ifndef CPIS_BROKER_METRICS_ADDRESS_H
#define CPIS_BROKER_METRICS_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

#define METRICS_ADDRESS_BYTES 64

struct metrics_address {
	struct sockaddr_storage address;
	socklen_t bytes;
};

// "127.x.y.z:port" or "[::1]:port"; port * is 0. False: anything else, names too.
__attribute__((warn_unused_result)) bool metrics_address_parse(const char *text, struct metrics_address *ret);
// As it is parsed, with the number of the port.
void metrics_address_format(const struct metrics_address *address, char out[METRICS_ADDRESS_BYTES]);

#endif
