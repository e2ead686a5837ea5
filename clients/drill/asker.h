// One person who asks, through libcpis: of the staff who keep working during an incident, or of those who cause it.
#ifndef CPIS_DRILL_ASKER_H
#define CPIS_DRILL_ASKER_H

#include "clients/drill/drill.h"
#include "clients/libcpis/cpis.h"

struct asker;

// The profile's file is read when a connection is made: now, and after asker_renew. NULL with drill_fail: the profile cannot be read.
struct asker *asker_new(struct drill *drill, const char *profile);
void asker_free(struct asker *asker); // accepts NULL
// The next question is asked by a new connection and session, with what the profile's file then says.
void asker_renew(struct asker *asker);

struct asker_answer {
	bool answered;               // there was a reply
	bool told;                   // what was asked
	enum cpis_status status;
	char reason[40];             // its reason code, "" when told
};
// Is this child known? Signs in first where there is no session. `deadline_ms` for each of the two.
struct asker_answer asker_flag(struct asker *asker, const char *nhs_number, uint32_t deadline_ms);

#endif
