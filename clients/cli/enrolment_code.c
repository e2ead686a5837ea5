// The one-time code in groups of digits.
#include "clients/cli/enrolment_code.h"

#include <stdio.h>
#include <string.h>

#define GROUP_DIGITS 6u
#define CHECK 11u

void enrolment_code_format(const uint8_t code[ENROLMENT_CODE_BYTES], char out[ENROLMENT_CODE_TEXT_BYTES])
{
	for (unsigned i = 0; i < ENROLMENT_CODE_GROUPS; i++) {
		unsigned value = ((unsigned)code[2 * i] << 8 | code[2 * i + 1]) * CHECK;
		snprintf(out + i * (GROUP_DIGITS + 1), GROUP_DIGITS + 2, "%06u%s", value % 1000000u,
			 i + 1 < ENROLMENT_CODE_GROUPS ? "-" : "");
	}
}

unsigned enrolment_code_parse(const char *text, uint8_t ret[ENROLMENT_CODE_BYTES])
{
	unsigned values[ENROLMENT_CODE_GROUPS] = {0}, digits = 0;
	for (const char *c = text; *c != '\0'; c++) {
		if (*c == ' ' || *c == '-')
			continue;
		if (*c < '0' || *c > '9' || digits == ENROLMENT_CODE_GROUPS * GROUP_DIGITS)
			return ENROLMENT_CODE_GROUPS + 1;
		unsigned *value = &values[digits++ / GROUP_DIGITS];
		*value = *value * 10 + (unsigned)(*c - '0');
	}
	if (digits != ENROLMENT_CODE_GROUPS * GROUP_DIGITS)
		return ENROLMENT_CODE_GROUPS + 1;
	uint8_t code[ENROLMENT_CODE_BYTES];
	for (unsigned i = 0; i < ENROLMENT_CODE_GROUPS; i++) {
		if (values[i] % CHECK != 0 || values[i] / CHECK > UINT16_MAX)
			return i + 1;
		code[2 * i] = (uint8_t)(values[i] / CHECK >> 8);
		code[2 * i + 1] = (uint8_t)(values[i] / CHECK);
	}
	memcpy(ret, code, sizeof code);
	explicit_bzero(code, sizeof code);
	explicit_bzero(values, sizeof values);
	return 0;
}
