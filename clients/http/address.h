// Where a server listens, as its settings say it.
#ifndef CPIS_HTTP_ADDRESS_H
#define CPIS_HTTP_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

#define ADDRESS_BYTES 64

// "0.0.0.0:443", "::1:0": a numeric address and a port. False: it is none.
__attribute__((warn_unused_result)) bool address_parse(const char *text, char address[ADDRESS_BYTES], uint16_t *ret_port);
// Digits alone, so that "10k" is not 10.
__attribute__((warn_unused_result)) bool address_number(const char *text, unsigned least, unsigned most, unsigned *ret);

#endif
