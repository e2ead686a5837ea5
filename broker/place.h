// Where an organisation is, and how far it is from another.
#ifndef CPIS_BROKER_PLACE_H
#define CPIS_BROKER_PLACE_H

#include <stdbool.h>

// In degrees.
struct place {
	bool known;
	float latitude, longitude;
};

// "53.80 -1.55": latitude -90 to 90, a space, longitude -180 to 180, each with at most four decimals.
__attribute__((warn_unused_result)) bool place_parse(const char *text, struct place *ret);

// Along a great circle, whole kilometres. Both known.
unsigned place_kilometres(const struct place *a, const struct place *b);

#endif
