// Which address is whose. One table says for each: how it is asked, who must be there, and what they must be allowed.
#ifndef CPIS_WEB_ROUTE_H
#define CPIS_WEB_ROUTE_H

#include "clients/web/page.h"

// Answers one visit: a server_handler, with the gateway as its context.
void route_visit(void *gateway, unsigned worker, struct visit *visit);

// Compares the log that this worker was shown with what others were, when that is due: a server_afterwards.
void route_afterwards(void *gateway, unsigned worker);

#endif
