// Inbox items in plain words and as JSON: one place for each kind.
#ifndef CPIS_CLI_INBOX_ITEM_H
#define CPIS_CLI_INBOX_ITEM_H

#include <jansson.h>

#include "proto/cpis.pb-c.h"

void inbox_item_print(const Cpis__V1__InboxItem *item);
json_t *inbox_item_value(const Cpis__V1__InboxItem *item);

#endif
