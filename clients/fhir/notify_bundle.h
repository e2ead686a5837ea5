// Notifications in the form of HL7's Subscriptions R5 Backport, for R4: a Bundle of type history whose first entry is a
// Parameters that says which subscription it is for, and of which event.
#ifndef CPIS_FHIR_NOTIFY_BUNDLE_H
#define CPIS_FHIR_NOTIFY_BUNDLE_H

#include "clients/fhir/notify_item.h"
#include "clients/fhir/notify_settings.h"

struct notify_bundle {
	json_t *bundle;                // owned
	char id[NOTIFY_UUID_BYTES];    // of the bundle: of the same item always the same
};

// False: `detail` says why the item cannot be told, and nothing that it says.
__attribute__((warn_unused_result)) bool notify_bundle_of_item(const struct notify_settings *settings,
							       const struct notify_item *item,
							       struct notify_bundle *ret, char detail[NOTIFY_DETAIL_BYTES]);
// "handshake", which tries an endpoint, or "heartbeat": of no item and no child.
__attribute__((warn_unused_result)) bool notify_bundle_bare(const struct notify_settings *settings, const char *type,
							    struct notify_bundle *ret, char detail[NOTIFY_DETAIL_BYTES]);
void notify_bundle_free(struct notify_bundle *bundle);

#endif
