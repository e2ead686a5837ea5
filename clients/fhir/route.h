// Which address is whose.
#ifndef CPIS_FHIR_ROUTE_H
#define CPIS_FHIR_ROUTE_H

#include "clients/fhir/call.h"

// Of server.h: `context` is the facade.
void route_call(void *context, unsigned worker, struct visit *visit);
void route_afterwards(void *context, unsigned worker);

#endif
