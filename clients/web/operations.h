// How the service runs, for its operators: a page, and the same again as server-sent events.
#ifndef CPIS_WEB_OPERATIONS_H
#define CPIS_WEB_OPERATIONS_H

#include "clients/web/page.h"

void operations_show(struct page *page);    // GET /operations
// GET /operations/events: one event, with the part of the page that changes. The answer ends with it, so that nobody's connection has to
// be kept, and the browser asks again after what `retry` says.
void operations_tell(struct page *page);

#endif
