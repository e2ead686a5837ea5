// The contact sheet as pages of A4: laid out by Pango (names in any script), drawn by Cairo, with the organisations as its outline.
// It is not tagged: Cairo 1.16 puts the first run of a paragraph under its tag and leaves the rest out, which is worse for whoever has
// it read out than text in its order.
#ifndef CPIS_SHEET_SHEET_H
#define CPIS_SHEET_SHEET_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#define SHEET_DETAIL_BYTES 200

// Whether `sheet` is what `cpis contacts sheet` says: {broker, data_ms, organisations: [{organisation, name, authority, contacts,
// incident_telephone, escalation}]}. `detail` names the place that is wrong.
__attribute__((warn_unused_result)) bool sheet_check(const json_t *sheet, char detail[SHEET_DETAIL_BYTES]);

// Draws a checked sheet into `descriptor`, which the caller owns. `printed_ms`: when, UTC; `valid_days`: how long it may lie beside
// the telephone. False: `detail` says why, and what was written is worth nothing.
__attribute__((warn_unused_result)) bool sheet_draw(const json_t *sheet, uint64_t printed_ms, unsigned valid_days, int descriptor,
						    char detail[SHEET_DETAIL_BYTES]);

#endif
