// How long a client waits before it asks a broker again that had no time for it. Internal to libcpis.
#ifndef CPIS_LIBCPIS_BACKOFF_H
#define CPIS_LIBCPIS_BACKOFF_H

#include <stdint.h>

// The broker's own figure is the least. What is added is drawn by `random` (uniform) from a span that begins as long as that figure and
// doubles with each further time, up to BACKOFF_SPAN_MS_MAX: all who were turned away together do not come back together, and the
// longer it lasts the further apart. `times` is how often it was told so before, for this request.
#define BACKOFF_SPAN_MS_MAX 5000u
uint32_t backoff_ms(uint32_t retry_after_ms, unsigned times, uint32_t random);

#endif
