// Degrees and distances.
#include "broker/place.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define EARTH_KM 6371.0
#define DECIMALS_MAX 4u

// Digits with at most one point; strtod takes far more than that. NULL: it is none. Else what follows it.
static const char *read_degrees(const char *text, double max, float *ret)
{
	const char *at = text + (*text == '-');
	size_t whole = strspn(at, "0123456789");
	if (whole == 0 || whole > 3)
		return NULL;
	at += whole;
	if (*at == '.') {
		size_t decimals = strspn(at + 1, "0123456789");
		if (decimals == 0 || decimals > DECIMALS_MAX)
			return NULL;
		at += 1 + decimals;
	}
	double value = strtod(text, NULL);
	*ret = (float)value;
	return fabs(value) <= max ? at : NULL;
}

bool place_parse(const char *text, struct place *ret)
{
	struct place place = {.known = true};
	const char *at = read_degrees(text, 90.0, &place.latitude);
	if (at == NULL || *at != ' ' || (at = read_degrees(at + 1, 180.0, &place.longitude)) == NULL || *at != '\0')
		return false;
	*ret = place;
	return true;
}

// The haversine.
unsigned place_kilometres(const struct place *a, const struct place *b)
{
	double degree = acos(-1.0) / 180.0;
	double north = sin(((double)b->latitude - (double)a->latitude) * degree / 2);
	double east = sin(((double)b->longitude - (double)a->longitude) * degree / 2);
	double chord = north * north + cos((double)a->latitude * degree) * cos((double)b->latitude * degree) * east * east;
	return (unsigned)(2 * EARTH_KM * asin(sqrt(fmin(chord, 1.0))));
}
