// Whether two people's names are one person's: the ladder by which a local authority's record is matched with the demographics
// service.
//
// Names are compared folded: NFKD, combining marks dropped, full case folding (so "ß" is "ss"), and of that only letters and
// digits: apostrophes, hyphens and spaces do not count. Letters that are no accented others stay what they are ("ø" is not "o").
//
// The family names must be equal. Then, the first that holds: the given names are equal; the first given name is the first; the
// first given name is any. No initials, no nicknames, no sounds.
#ifndef CPIS_DEMOGRAPHICS_NAMES_H
#define CPIS_DEMOGRAPHICS_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "proto/limits.h"

// Folding may lengthen a text: a ligature is several letters.
#define NAMES_FOLDED_BYTES (4u * TEXT_BYTES_MAX + 1u)

enum names_step {
	NAMES_DIFFER,
	NAMES_GIVEN_EQUAL,           // (1)
	NAMES_FIRST_IS_FIRST,        // (2)
	NAMES_FIRST_IS_ANY,          // (3)
};

// False: not UTF-8, or nothing is left of it, or it does not fit: then it is nobody's name.
bool names_fold(const char *text, size_t text_bytes, char out[NAMES_FOLDED_BYTES]);

// `known` is the service's, `told` the authority's; given names are separated by spaces.
enum names_step names_match(const char *known_family, const char *known_given, const char *told_family,
			    const char *told_given);

#endif
