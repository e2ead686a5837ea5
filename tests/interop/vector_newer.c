// Messages of a broker that knows more fields than this version: which of them are believed. By libcpis's codec.
#include <string.h>

#include "tests/interop/vectors.h"

// In hexadecimal. A reply up to its body; one field more, number 1000, with the value 1; a body whose length comes first.
#define REPLY "0801" "121000112233445566778899aabbccddeeff" "1801"
#define FLAG "9201"
#define DETAILS "9a01"
#define KNOWN "0801" // first field of a FlagReply, a Plan, an AuditRecord
#define MORE "c03e01"
#define FOUR(text) text text text text
#define SIXTEEN(text) FOUR(FOUR(text))
#define FLAGGED REPLY FLAG "02" KNOWN

struct newer_case {
	const char *name, *type, *bytes;
};

static const struct newer_case believed[] = {
	{"a number", "Reply", FLAGGED MORE},
	{"a number that is 0", "Reply", FLAGGED "c03e00"},
	{"a number of 64 bits", "Reply", FLAGGED "c03e" "ffffffffffffffffff01"},
	{"bytes that are no text", "Reply", FLAGGED "c23e" "03" "0aff00"},
	{"no bytes", "Reply", FLAGGED "c23e" "00"},
	{"one number, twice", "Reply", FLAGGED MORE MORE},
	{"two numbers", "Reply", FLAGGED MORE "ca3e" "0161"},
	{"sixteen", "Reply", FLAGGED SIXTEEN(MORE)},
	{"the greatest number that there is", "Reply", FLAGGED "f8ffffff0f" "01"},
	{"the next number of a body", "Reply", REPLY FLAG "04" KNOWN "2001"},
	{"sixteen in a body, and sixteen after it", "Reply", REPLY FLAG "32" KNOWN SIXTEEN(MORE) SIXTEEN(MORE)},
	{"in a body that has nothing else", "Reply", REPLY FLAG "03" MORE},
	{"in a body that had nothing so far", "Reply", REPLY "8204" "02" "0801"},
	{"three messages down", "Reply", REPLY DETAILS "0b" "0a09" KNOWN "1001" "2a03" MORE},
	{"sixteen in each of two", "Reply", REPLY DETAILS "68" "0a32" KNOWN SIXTEEN(MORE) "0a32" KNOWN SIXTEEN(MORE)},
	{"in a record", "AuditRecord", KNOWN "1029" MORE},
};

static const struct newer_case refused[] = {
	{"seventeen", "Reply", FLAGGED MORE SIXTEEN(MORE)},
	{"seventeen in a body", "Reply", REPLY FLAG "35" KNOWN MORE SIXTEEN(MORE)},
	{"seventeen in the second of two", "Reply", REPLY DETAILS "6b" "0a32" KNOWN SIXTEEN(MORE) "0a35" KNOWN SIXTEEN(MORE) MORE},
	{"a number that is not used, below one that is", "Reply", REPLY "5001" FLAG "02" KNOWN},
	{"the same without what is above", "Reply", REPLY "5001"},
	{"the number 0", "Reply", FLAGGED "0001"},
	{"the number 0 in a body that had nothing so far", "Reply", REPLY "8204" "02" "0001"},
	{"a number past the greatest", "Reply", FLAGGED "8080808010" "01"},
	{"a tag of 64 bits", "Reply", FLAGGED "f8ffffffffffffffff01" "01"},
	{"not in ascending order", "Reply", FLAGGED "c83e01" MORE},
	{"before one that is known", "Reply", REPLY MORE FLAG "02" KNOWN},
	{"before one that is known, in a body", "Reply", REPLY FLAG "05" MORE KNOWN},
	{"a value longer than it need be", "Reply", FLAGGED "c03e" "8100"},
	{"a tag longer than it need be", "Reply", FLAGGED "c0be00" "01"},
	{"a length longer than it need be", "Reply", FLAGGED "c23e" "8100" "61"},
	{"the length of what has it longer than it need be", "Reply", REPLY FLAG "8500" KNOWN MORE},
	{"a value of more than 64 bits", "Reply", FLAGGED "c03e" "ffffffffffffffffff02"},
	{"four bytes", "Reply", FLAGGED "c53e" "01010101"},
	{"eight bytes", "Reply", FLAGGED "c13e" "0101010101010101"},
	{"a group", "Reply", FLAGGED "c33e" "c43e"},
	{"cut short: a tag", "Reply", FLAGGED "c0"},
	{"cut short: a value", "Reply", FLAGGED "c03e"},
	{"cut short: bytes", "Reply", FLAGGED "c23e" "02" "61"},
	{"cut short within a body", "Reply", REPLY FLAG "06" KNOWN "c23e" "02" "61" MORE},
	{"a known field in another form", "Reply", FLAGGED "9004" "01"},
	{"and what is known as it should not be: a default", "Reply", REPLY "2000" FLAG "02" KNOWN MORE},
	{"seventeen in a record", "AuditRecord", KNOWN "1029" MORE SIXTEEN(MORE)},
	{"out of order in a record", "AuditRecord", KNOWN MORE "1029"},
	{"in a request", "Request", "0801" "121000112233445566778899aabbccddeeff" "188827" "820100" MORE},
	{"in a request's body", "Request", "0801" "121000112233445566778899aabbccddeeff" "188827" "820103" MORE},
	{"in what is signed of a session", "SessionStatement", "0a0161" MORE},
};

static bool is_good(struct vectors *vectors, const char *type, const uint8_t *bytes, size_t count)
{
	struct wire_error error;
	ProtobufCMessage *read = NULL;
	if (strcmp(type, "Request") == 0)
		return wire_unpack(&vectors->arena, &cpis__v1__request__descriptor, bytes, count, &read, &error) == WIRE_OK;
	if (strcmp(type, "SessionStatement") == 0)
		return wire_unpack(&vectors->arena, &cpis__v1__session_statement__descriptor, bytes, count, &read, &error) == WIRE_OK;
	if (strcmp(type, "Reply") == 0)
		return wire_unpack_newer(&vectors->arena, &cpis__v1__reply__descriptor, bytes, count, &read, &error) == WIRE_OK;
	return wire_unpack_newer(&vectors->arena, &cpis__v1__audit_record__descriptor, bytes, count, &read, &error) == WIRE_OK;
}

static void add_cases(struct vectors *vectors, json_t *list, const struct newer_case *cases, size_t cases_count, bool good)
{
	for (size_t i = 0; i < cases_count; i++) {
		uint8_t bytes[256];
		size_t count = vectors_unhex(cases[i].bytes, bytes, sizeof bytes);
		vectors_must(is_good(vectors, cases[i].type, bytes, count) == good, cases[i].name);
		json_array_append_new(list, json_pack("{s:s,s:s,s:o,s:b}", "name", cases[i].name, "type", cases[i].type, "bytes",
						      vectors_hex(bytes, count), "good", good));
	}
}

void vectors_make_newer(struct vectors *vectors)
{
	json_t *list = json_array();
	add_cases(vectors, list, believed, sizeof believed / sizeof believed[0], true);
	add_cases(vectors, list, refused, sizeof refused / sizeof refused[0], false);
	vectors_write(vectors, "newer.json",
		      "Messages with fields that a later version of the broker may have added, and what only looks like it: which are of the form "
		      "that messages have.",
		      json_pack("{s:o}", "cases", list));
}
