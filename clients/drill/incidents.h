// The exercises, one function each; drill_incidents (incidents.c) is their table.
#ifndef CPIS_DRILL_INCIDENTS_H
#define CPIS_DRILL_INCIDENTS_H

#include "clients/drill/drill.h"

bool incident_stolen_key(struct drill *drill, struct drill_times *times);
bool incident_rogue_staff(struct drill *drill, struct drill_times *times);
bool incident_worm(struct drill *drill, struct drill_times *times);
bool incident_expired_certificate(struct drill *drill, struct drill_times *times);
bool incident_lost_authority(struct drill *drill, struct drill_times *times);
bool incident_broker_lost(struct drill *drill, struct drill_times *times);
bool incident_disk_full(struct drill *drill, struct drill_times *times);
bool incident_bare_machine(struct drill *drill, struct drill_times *times);

#endif
