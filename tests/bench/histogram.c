// Log-linear buckets.
#include "tests/bench/histogram.h"

#define LINEAR_BITS 6u // 2^6 buckets to an octave

static unsigned bucket_of(uint64_t ns)
{
	if (ns < HISTOGRAM_PER_OCTAVE)
		return (unsigned)ns;
	unsigned octave = 63u - (unsigned)__builtin_clzll(ns) - LINEAR_BITS;
	unsigned bucket = (octave + 1) * HISTOGRAM_PER_OCTAVE + (unsigned)((ns >> octave) & (HISTOGRAM_PER_OCTAVE - 1));
	unsigned last = HISTOGRAM_OCTAVES * HISTOGRAM_PER_OCTAVE - 1;
	return bucket < last ? bucket : last;
}

static double middle_of(unsigned bucket)
{
	if (bucket < HISTOGRAM_PER_OCTAVE)
		return bucket;
	unsigned octave = bucket / HISTOGRAM_PER_OCTAVE - 1;
	uint64_t first = (uint64_t)(HISTOGRAM_PER_OCTAVE + bucket % HISTOGRAM_PER_OCTAVE) << octave;
	return (double)first + (double)(UINT64_C(1) << octave) / 2;
}

void histogram_add(struct histogram *histogram, uint64_t ns)
{
	histogram->buckets[bucket_of(ns)]++;
	histogram->count++;
}

double histogram_us(const struct histogram *histogram, double share)
{
	uint64_t wanted = (uint64_t)((double)histogram->count * share), seen = 0;
	for (unsigned i = 0; i < HISTOGRAM_OCTAVES * HISTOGRAM_PER_OCTAVE; i++) {
		seen += histogram->buckets[i];
		if (seen > wanted)
			return middle_of(i) / 1e3;
	}
	return 0;
}
