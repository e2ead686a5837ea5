// Loopback addresses.
#include "broker/metrics_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool parse_port(const char *text, in_port_t *ret)
{
	size_t digits = strspn(text, "0123456789");
	unsigned long number = strtoul(text, NULL, 10);
	bool any = strcmp(text, "*") == 0;
	if (!any && (digits == 0 || digits > 5 || text[digits] != '\0' || number < 1 || number > 65535))
		return false;
	*ret = any ? 0 : htons((uint16_t)number);
	return true;
}

bool metrics_address_parse(const char *text, struct metrics_address *ret)
{
	struct sockaddr_in *four = (struct sockaddr_in *)&ret->address;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)&ret->address;
	char host[METRICS_ADDRESS_BYTES];
	const char *colon = strrchr(text, ':');
	if (colon == NULL || (size_t)(colon - text) >= sizeof host)
		return false;
	memcpy(host, text, (size_t)(colon - text));
	host[colon - text] = '\0';
	memset(ret, 0, sizeof *ret);
	if (strcmp(host, "[::1]") == 0) {
		six->sin6_family = AF_INET6;
		six->sin6_addr = in6addr_loopback;
		ret->bytes = sizeof *six;
		return parse_port(colon + 1, &six->sin6_port);
	}
	four->sin_family = AF_INET;
	ret->bytes = sizeof *four;
	return inet_pton(AF_INET, host, &four->sin_addr) == 1 && (ntohl(four->sin_addr.s_addr) >> 24) == IN_LOOPBACKNET &&
	       parse_port(colon + 1, &four->sin_port);
}

void metrics_address_format(const struct metrics_address *address, char out[METRICS_ADDRESS_BYTES])
{
	const struct sockaddr_in *four = (const struct sockaddr_in *)&address->address;
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)&address->address;
	char host[INET_ADDRSTRLEN] = "";
	if (address->address.ss_family == AF_INET6)
		snprintf(out, METRICS_ADDRESS_BYTES, "[::1]:%u", ntohs(six->sin6_port));
	else
		snprintf(out, METRICS_ADDRESS_BYTES, "%s:%u", inet_ntop(AF_INET, &four->sin_addr, host, sizeof host), ntohs(four->sin_port));
}
