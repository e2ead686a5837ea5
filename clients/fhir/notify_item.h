// An inbox item as `cpis` writes it (clients/cli/inbox_item.c): one JSON object.
#ifndef CPIS_FHIR_NOTIFY_ITEM_H
#define CPIS_FHIR_NOTIFY_ITEM_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "clients/fhir/notify_secret.h"

#define NOTIFY_ITEM_BYTES_MAX (1024u * 1024u)
#define NOTIFY_UUID_BYTES 37

// Read by notify_item_read, freed by notify_item_free. Texts live as long as it.
struct notify_item {
	uint64_t id;
	uint64_t notification_id;    // 0: it is in the box of notifications; else of escalations, and this was its number there
	const char *kind;            // ACCESS, ...
	const char *created;         // RFC 3339
	json_t *content;             // what the kind says, without what only tells how far the item's delivery is
	json_t *whole;
};

// From a descriptor to its end. False: `detail` says what is wrong with it and nothing that is in it.
__attribute__((warn_unused_result)) bool notify_item_read(int descriptor, struct notify_item *ret,
							  char detail[NOTIFY_DETAIL_BYTES]);
void notify_item_free(struct notify_item *item); // harmless when zeroed

// "notifications" or "escalations".
const char *notify_item_box(const struct notify_item *item);

// A UUID that is the same whenever the same item is told to the same subscription, and otherwise another one: RFC 9562, version
// 8, out of SHA-256. `part` is which of the item's resources, from 0.
void notify_item_uuid(const struct notify_item *item, const char *subscription, const char *what, unsigned part,
		      char out[NOTIFY_UUID_BYTES]);

#endif
