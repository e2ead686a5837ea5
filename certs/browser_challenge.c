// The label of a challenge, and which hosts it can stand before.
#include "certs/browser_challenge.h"

#include <stddef.h>
#include <string.h>

#define DNS_LABEL_BYTES_MAX 63

void browser_challenge_label(const uint8_t challenge[BROWSER_CHALLENGE_BYTES], char out[BROWSER_CHALLENGE_LABEL_BYTES])
{
	static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";
	size_t at = 0;
	uint32_t bits = 0;
	unsigned count = 0;
	for (size_t i = 0; i < BROWSER_CHALLENGE_BYTES; i++) {
		bits = (bits << 8 | challenge[i]) & 0xFFF; // at most four are left of the byte before
		for (count += 8; count >= 5; count -= 5)
			out[at++] = alphabet[bits >> (count - 5) & 31];
	}
	out[at++] = alphabet[bits << (5 - count) & 31];
	out[at] = '\0';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool label_is_good(const char *label, size_t bytes)
{
	if (bytes == 0 || bytes > DNS_LABEL_BYTES_MAX || label[0] == '-' || label[bytes - 1] == '-')
		return false;
	for (size_t i = 0; i < bytes; i++)
		if (!is_digit(label[i]) && !(label[i] >= 'a' && label[i] <= 'z') && label[i] != '-')
			return false;
	return true;
}

bool web_host_is_good(const char *host)
{
	if (strnlen(host, WEB_HOST_BYTES_MAX + 1) > WEB_HOST_BYTES_MAX)
		return false;
	for (;;) {
		size_t bytes = strcspn(host, ".");
		if (!label_is_good(host, bytes))
			return false;
		if (host[bytes] == '\0')
			return !is_digit(host[0]); // as an address's last part does; no name ends in a label that does
		host += bytes + 1;
	}
}
