// The ladder of names, on libunistring.
#include "clients/demographics/names.h"

#include <stdlib.h>
#include <string.h>

#include <unicase.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

// Letters and digits of the case-folded compatibility decomposition: what is dropped includes the combining marks.
static size_t keep_letters(const uint8_t *folded, size_t folded_bytes, char out[NAMES_FOLDED_BYTES])
{
	size_t used = 0;
	for (size_t at = 0; at < folded_bytes;) {
		ucs4_t character;
		int bytes = u8_mbtouc(&character, folded + at, folded_bytes - at);
		bool counts = uc_is_general_category(character, UC_CATEGORY_L) ||
			      uc_is_general_category(character, UC_CATEGORY_N);
		if (counts && used + (size_t)bytes < NAMES_FOLDED_BYTES) {
			memcpy(out + used, folded + at, (size_t)bytes);
			used += (size_t)bytes;
		} else if (counts) {
			return 0;
		}
		at += (size_t)bytes;
	}
	out[used] = '\0';
	return used;
}

bool names_fold(const char *text, size_t text_bytes, char out[NAMES_FOLDED_BYTES])
{
	size_t bytes = 0, used = 0;
	if (u8_check((const uint8_t *)text, text_bytes) != NULL)
		return false;
	uint8_t *folded = u8_casefold((const uint8_t *)text, text_bytes, NULL, UNINORM_NFKD, NULL, &bytes);
	if (folded != NULL)
		used = keep_letters(folded, bytes, out);
	free(folded);
	return used > 0;
}

static bool equal(const char *a, size_t a_bytes, const char *b, size_t b_bytes)
{
	char folded_a[NAMES_FOLDED_BYTES], folded_b[NAMES_FOLDED_BYTES];
	return names_fold(a, a_bytes, folded_a) && names_fold(b, b_bytes, folded_b) && strcmp(folded_a, folded_b) == 0;
}

static bool is_any(const char *first, size_t first_bytes, const char *names)
{
	for (const char *name = names; *name != '\0';) {
		size_t bytes = strcspn(name, " ");
		if (bytes > 0 && equal(first, first_bytes, name, bytes))
			return true;
		name += bytes + strspn(name + bytes, " ");
	}
	return false;
}

enum names_step names_match(const char *known_family, const char *known_given, const char *told_family,
			    const char *told_given)
{
	if (!equal(known_family, strlen(known_family), told_family, strlen(told_family)))
		return NAMES_DIFFER;
	if (equal(known_given, strlen(known_given), told_given, strlen(told_given)))
		return NAMES_GIVEN_EQUAL;
	known_given += strspn(known_given, " ");
	told_given += strspn(told_given, " ");
	size_t first_bytes = strcspn(told_given, " ");
	if (equal(known_given, strcspn(known_given, " "), told_given, first_bytes))
		return NAMES_FIRST_IS_FIRST;
	return is_any(told_given, first_bytes, known_given) ? NAMES_FIRST_IS_ANY : NAMES_DIFFER;
}
