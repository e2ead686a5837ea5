// Metrics in Prometheus' text format (prometheus.io/docs/instrumenting/exposition_formats), from one table of families that is the
// manual too: `cpis-broker --describe metrics`.
#ifndef CPIS_BROKER_METRICS_TEXT_H
#define CPIS_BROKER_METRICS_TEXT_H

#include <stdio.h>

#include "broker/metrics.h"

// `alive`: whether the core shows signs of life; METRICS_CAUSE_STALLED otherwise. `metrics` is NULL where there are none: then there
// are cpis_alive and cpis_ready alone.
void metrics_text_write(const struct metrics *metrics, bool alive, FILE *out);
// "ready\n", or one line for each cause: its word and what it means. Returns whether it is.
bool metrics_text_ready(const struct metrics *metrics, bool alive, FILE *out);
// The families as a Markdown table.
void metrics_text_describe(FILE *out);

#endif
