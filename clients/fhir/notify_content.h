// What an inbox item says, as FHIR R4 resources: a look as an AuditEvent; everything else as a Communication, with an AuditEvent
// for each look that it is about. Every value of the item is in them, or the item is refused: a value that is not known here
// refuses it too.
#ifndef CPIS_FHIR_NOTIFY_CONTENT_H
#define CPIS_FHIR_NOTIFY_CONTENT_H

#include "clients/fhir/notify_item.h"

// A new array of resources, each with its id; the first is the one that the item is about. NULL: `detail` says why, and nothing
// that the item says.
json_t *notify_content(const struct notify_item *item, const char *subscription, char detail[NOTIFY_DETAIL_BYTES]);

#endif
