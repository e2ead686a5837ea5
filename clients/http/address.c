// Reading addresses and numbers.
#include "clients/http/address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/text.h"

bool address_number(const char *text, unsigned least, unsigned most, unsigned *ret)
{
	unsigned long value = 0;
	if (!text_is_digits(text, strlen(text), strlen(text)) || (value = strtoul(text, NULL, 10)) < least || value > most)
		return false;
	*ret = (unsigned)value;
	return true;
}

bool address_parse(const char *text, char address[ADDRESS_BYTES], uint16_t *ret_port)
{
	const char *colon = strrchr(text, ':');
	struct in_addr address4;
	struct in6_addr address6;
	unsigned port = 0;
	if (colon == NULL || colon - text >= ADDRESS_BYTES || !address_number(colon + 1, 0, 65535, &port))
		return false;
	snprintf(address, ADDRESS_BYTES, "%.*s", (int)(colon - text), text);
	*ret_port = (uint16_t)port;
	return inet_pton(AF_INET, address, &address4) == 1 || inet_pton(AF_INET6, address, &address6) == 1;
}
