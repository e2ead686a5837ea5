// Durations in log-linear buckets, as HdrHistogram keeps them: 64 to an octave, so that a percentile is off by less than 1.6 %.
// Debian has no C library of it.
#ifndef CPIS_TESTS_BENCH_HISTOGRAM_H
#define CPIS_TESTS_BENCH_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_PER_OCTAVE 64u
#define HISTOGRAM_OCTAVES 40u // nanoseconds, up to an hour

struct histogram {
	uint64_t count;
	uint64_t buckets[HISTOGRAM_OCTAVES * HISTOGRAM_PER_OCTAVE];
};

void histogram_add(struct histogram *histogram, uint64_t ns);
// The middle of the bucket that holds this share (0 to 1) of the durations; 0 of none.
double histogram_us(const struct histogram *histogram, double share);

#endif
