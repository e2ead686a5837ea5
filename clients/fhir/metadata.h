// The CapabilityStatement: what this server can be asked, which anybody may know.
#ifndef CPIS_FHIR_METADATA_H
#define CPIS_FHIR_METADATA_H

#include "clients/fhir/call.h"

void metadata_show(struct call *call);

#endif
