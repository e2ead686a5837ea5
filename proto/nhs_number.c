// NHS numbers: the modulus-11 check.
#include "proto/nhs_number.h"

#include <stdbool.h>
#include <string.h>

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

// Weights 10 to 2 over the first nine digits; 11 minus the remainder, 11 standing for 0. A remainder that calls
// for 10 cannot be written in one digit, so such a number is never issued.
static bool check_digit_holds(const char digits[NHS_NUMBER_DIGITS])
{
	unsigned sum = 0;
	for (unsigned i = 0; i < NHS_NUMBER_DIGITS - 1; i++)
		sum += (unsigned)(digits[i] - '0') * (10 - i);
	unsigned check = (11 - sum % 11) % 11;
	return check != 10 && check == (unsigned)(digits[NHS_NUMBER_DIGITS - 1] - '0');
}

// All ten of these pass the checksum.
static bool is_repeated(const char digits[NHS_NUMBER_DIGITS])
{
	for (unsigned i = 1; i < NHS_NUMBER_DIGITS; i++)
		if (digits[i] != digits[0])
			return false;
	return true;
}

enum nhs_number_status nhs_number_parse(const char *text, size_t text_bytes, struct nhs_number *ret)
{
	for (size_t i = 0; i < text_bytes; i++)
		if (!is_digit(text[i]))
			return NHS_NUMBER_NOT_DIGITS;
	if (text_bytes != NHS_NUMBER_DIGITS)
		return NHS_NUMBER_LENGTH;
	if (is_repeated(text))
		return NHS_NUMBER_REPEATED;
	if (!check_digit_holds(text))
		return NHS_NUMBER_CHECK_DIGIT;
	memcpy(ret->digits, text, NHS_NUMBER_DIGITS);
	ret->digits[NHS_NUMBER_DIGITS] = '\0';
	return NHS_NUMBER_OK;
}

enum nhs_number_status nhs_number_parse_typed(const char *text, size_t text_bytes, struct nhs_number *ret)
{
	char digits[NHS_NUMBER_DIGITS + 1];
	size_t count = 0;
	for (size_t i = 0; i < text_bytes; i++) {
		if (text[i] == ' ' || text[i] == '-')
			continue;
		if (!is_digit(text[i]))
			return NHS_NUMBER_NOT_DIGITS;
		if (count == sizeof digits)
			return NHS_NUMBER_LENGTH;
		digits[count++] = text[i];
	}
	return nhs_number_parse(digits, count, ret);
}

void nhs_number_format(const struct nhs_number *number, char out[13])
{
	memcpy(out, number->digits, 3);
	out[3] = ' ';
	memcpy(out + 4, number->digits + 3, 3);
	out[7] = ' ';
	memcpy(out + 8, number->digits + 6, 4);
	out[12] = '\0';
}

const char *nhs_number_status_text(enum nhs_number_status status)
{
	switch (status) {
#define X(name, sentence)                                                                            \
	case name:                                                                                   \
		return sentence;
		NHS_NUMBER_STATUS_TABLE(X)
#undef X
	}
	return "?";
}
