// Checks on text from outside.
#include "proto/text.h"

#include <stdint.h>

// Bytes of the sequence that starts at `text`, 0 if it is not well-formed (Unicode 15, table 3-7).
static size_t utf8_decode(const unsigned char *text, size_t left, uint32_t *ret)
{
	unsigned char first = text[0];
	if (first < 0x80) {
		*ret = first;
		return 1;
	}
	size_t count = first >= 0xC2 && first <= 0xDF ? 2 : (first & 0xF0) == 0xE0 ? 3 : first >= 0xF0 && first <= 0xF4 ? 4 : 0;
	if (count == 0 || count > left)
		return 0;
	uint32_t point = first & (0x7Fu >> count);
	for (size_t i = 1; i < count; i++) {
		if ((text[i] & 0xC0) != 0x80)
			return 0;
		point = point << 6 | (text[i] & 0x3Fu);
	}
	if ((count == 3 && point < 0x800) || (count == 4 && (point < 0x10000 || point > 0x10FFFF)) ||
	    (point >= 0xD800 && point <= 0xDFFF))
		return 0;
	*ret = point;
	return count;
}

// What would let text lie about itself on a screen or in a log line.
static bool is_control(uint32_t point)
{
	return point < 0x20 || (point >= 0x7F && point <= 0x9F) || point == 0x200E || point == 0x200F ||
	       (point >= 0x2028 && point <= 0x202E) || (point >= 0x2066 && point <= 0x2069) || point == 0xFEFF ||
	       (point >= 0xFDD0 && point <= 0xFDEF) || (point & 0xFFFE) == 0xFFFE;
}

bool text_is_clean(const char *text, size_t text_bytes)
{
	const unsigned char *at = (const unsigned char *)text;
	for (size_t done = 0; done < text_bytes;) {
		uint32_t point;
		if (at[done] >= 0x20 && at[done] < 0x7F) { // nearly all there is
			done++;
			continue;
		}
		size_t count = utf8_decode(at + done, text_bytes - done, &point);
		if (count == 0 || is_control(point))
			return false;
		done += count;
	}
	return true;
}

bool text_is_telephone(const char *text, size_t text_bytes)
{
	size_t digits = 0;
	if (text_bytes < 3 || text_bytes > 20)
		return false;
	for (size_t i = 0; i < text_bytes; i++) {
		char c = text[i];
		if (c >= '0' && c <= '9')
			digits++;
		else if (c != ' ' && c != '+' && c != '(' && c != ')' && c != '-')
			return false;
	}
	return digits >= 3;
}

bool text_is_digits(const char *text, size_t text_bytes, size_t digits)
{
	if (text_bytes != digits)
		return false;
	for (size_t i = 0; i < text_bytes; i++)
		if (text[i] < '0' || text[i] > '9')
			return false;
	return true;
}

bool text_is_role_code(const char *text, size_t text_bytes)
{
	return text_bytes >= 4 && text_bytes <= 12 && text[0] >= 'A' && text[0] <= 'Z' &&
	       text_is_digits(text + 1, text_bytes - 1, text_bytes - 1);
}

void text_lower_case(const char *text, char *out, size_t out_bytes)
{
	size_t i = 0;
	for (; text[i] != '\0' && i + 1 < out_bytes; i++)
		out[i] = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] - 'A' + 'a') : text[i];
	out[i] = '\0';
}
