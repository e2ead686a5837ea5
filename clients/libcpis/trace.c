// The traceparent header of W3C Trace Context (www.w3.org/TR/trace-context, 3.2): version, trace, span and flags, in lower-case
// hexadecimal digits. Of a later version what the first one has is taken (3.2.4).
#include <string.h>

#include "clients/libcpis/client_priv.h"

#define HEADER_BYTES 55u // "00-", 32 digits, "-", 16 digits, "-01"

// False: other characters, or nothing but zeros.
static bool read_digits(const char *text, uint8_t *out, size_t bytes)
{
	uint8_t any = 0;
	for (size_t i = 0; i < 2 * bytes; i++) {
		const char *place = text[i] == '\0' ? NULL : strchr("0123456789abcdef", text[i]);
		if (place == NULL)
			return false;
		unsigned value = (unsigned)(place - "0123456789abcdef");
		out[i / 2] = (uint8_t)(i % 2 == 0 ? value << 4 : out[i / 2] | value);
		any |= out[i / 2];
	}
	return any != 0;
}

static bool is_hexadecimal(const char *text)
{
	return strspn(text, "0123456789abcdef") >= 2;
}

bool cpis_set_trace(struct cpis_client *client, const char *traceparent)
{
	uint8_t trace_id[TRACE_ID_BYTES], parent_id[TRACE_PARENT_ID_BYTES];
	if (client_must_be_idle(client) != CPIS_OK)
		return false;
	if (traceparent == NULL) {
		client->has_trace = false;
		return true;
	}
	size_t bytes = strlen(traceparent);
	bool first = strncmp(traceparent, "00-", 3) == 0;
	if (bytes < HEADER_BYTES || !is_hexadecimal(traceparent) || strncmp(traceparent, "ff", 2) == 0 || traceparent[2] != '-' ||
	    traceparent[35] != '-' || traceparent[52] != '-' || !is_hexadecimal(traceparent + 53) ||
	    (first ? bytes != HEADER_BYTES : bytes > HEADER_BYTES && traceparent[HEADER_BYTES] != '-') ||
	    !read_digits(traceparent + 3, trace_id, sizeof trace_id) || !read_digits(traceparent + 36, parent_id, sizeof parent_id))
		return false;
	memcpy(client->trace_id, trace_id, sizeof trace_id);
	memcpy(client->trace_parent_id, parent_id, sizeof parent_id);
	client->has_trace = true;
	return true;
}
