// NHS numbers: ten digits, the last one a modulus-11 check digit (NHS Data Dictionary, "NHS number").
#ifndef CPIS_PROTO_NHS_NUMBER_H
#define CPIS_PROTO_NHS_NUMBER_H

#include <stddef.h>

#define NHS_NUMBER_DIGITS 10

struct nhs_number {
	char digits[NHS_NUMBER_DIGITS + 1]; // NUL-terminated
};

#define NHS_NUMBER_STATUS_TABLE(X)                                                                  \
	X(NHS_NUMBER_OK, "a valid NHS number")                                                      \
	X(NHS_NUMBER_LENGTH, "an NHS number has exactly ten digits")                                \
	X(NHS_NUMBER_NOT_DIGITS, "an NHS number consists of digits only")                           \
	X(NHS_NUMBER_CHECK_DIGIT, "the check digit is wrong: look for a mistyped digit")            \
	X(NHS_NUMBER_REPEATED, "one digit repeated ten times is not an NHS number")

enum nhs_number_status {
#define X(name, sentence) name,
	NHS_NUMBER_STATUS_TABLE(X)
#undef X
};

// The wire form: exactly ten digits and nothing else. `text` need not be NUL-terminated.
// `ret` is written on success only.
__attribute__((warn_unused_result)) enum nhs_number_status
nhs_number_parse(const char *text, size_t text_bytes, struct nhs_number *ret);

// As people write it: also with spaces or hyphens between the digits (999 000 0018).
__attribute__((warn_unused_result)) enum nhs_number_status
nhs_number_parse_typed(const char *text, size_t text_bytes, struct nhs_number *ret);

// "999 000 0018". `out` is NUL-terminated.
void nhs_number_format(const struct nhs_number *number, char out[13]);

// A sentence for people; never NULL.
const char *nhs_number_status_text(enum nhs_number_status status);

#endif
