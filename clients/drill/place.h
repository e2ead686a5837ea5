// The service that is rehearsed with: a registration authority, a hospital, an ambulance service, a local authority, a national body,
// their staff, and one broker.
#ifndef CPIS_DRILL_PLACE_H
#define CPIS_DRILL_PLACE_H

#include "clients/drill/drill.h"

#define PLACE_CHILD "9990000018" // on a plan of the local authority; synthetic, as all here

// People, by the name of their profile: nurses "nurse-0" and on, "officer" (privacy officer) and "registrar" at the hospital; paramedics
// "paramedic-0" and on at the ambulance service; "worker" at the authority; "guardian" and "national" (its registrar) at the national body.
#define PLACE_NURSES 6u
#define PLACE_PARAMEDICS 6u

// Makes the folder under `parent` and all that is in it, and starts the broker. Whatever the result, place_remove afterwards.
bool place_make(struct drill *drill, const char *parent);
void place_remove(struct drill *drill);

void place_path(const struct drill *drill, const char *name, char ret[DRILL_PATH_BYTES + 64]);
bool place_write(struct drill *drill, const char *name, const char *format, ...) __attribute__((format(printf, 3, 4)));

// Writes broker.yaml, with drill->store and drill->authority. Its endpoint is the one of the first start.
bool place_configure(struct drill *drill);
// Starts it and waits until it serves.
bool place_start_broker(struct drill *drill);
void place_kill_broker(struct drill *drill, int signal);

// A profile file: this person through this system, with the certificate of this folder.
bool place_profile(struct drill *drill, const char *name, const char *system, const char *staff, const char *role);
// The profiles of all at the hospital, through this system, the nurses with the certificates of this folder.
bool place_hospital_profiles(struct drill *drill, const char *system, const char *staff_folder);
bool place_ambulance_profiles(struct drill *drill, const char *system, const char *staff_folder);

#endif
