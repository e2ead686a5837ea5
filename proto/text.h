// Checks on text from outside.
#ifndef CPIS_PROTO_TEXT_H
#define CPIS_PROTO_TEXT_H

#include <stdbool.h>
#include <stddef.h>

// Well-formed UTF-8 (no overlong forms, no surrogates, nothing past U+10FFFF) with no control
// characters: C0, DEL, C1, line and paragraph separators, bidirectional controls (U+200E/F,
// U+202A-E, U+2066-9), U+FEFF and non-characters. A NUL byte is a control character.
bool text_is_clean(const char *text, size_t text_bytes);

// 3 to 20 characters of digits, space, + ( ) and -, with at least three digits.
bool text_is_telephone(const char *text, size_t text_bytes);

// Exactly `digits` decimal digits.
bool text_is_digits(const char *text, size_t text_bytes, size_t digits);

// A role or activity code: one capital letter, then 3 to 11 digits.
bool text_is_role_code(const char *text, size_t text_bytes);

// A to Z as a to z, the rest as it is; cut to fit.
void text_lower_case(const char *text, char *out, size_t out_bytes);

#endif
