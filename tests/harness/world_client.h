// The world's people with libcpis in hand.
#ifndef CPIS_TESTS_WORLD_CLIENT_H
#define CPIS_TESTS_WORLD_CLIENT_H

#include "clients/libcpis/cpis.h"
#include "tests/harness/world.h"

#define WORLD_CALL_MS 20000

// Where a person's client finds its files; the texts are the world's paths (world_path). No checkpoint file.
struct cpis_options world_options(struct world *world, const char *profile);
// Connected; aborts if that fails.
struct cpis_client *world_connect(struct world *world, const char *profile);
// Connected and with a session. Aborts if the broker says no.
struct cpis_client *world_sign_in(struct world *world, const char *profile);

// One call that must be answered (whatever the outcome); aborts otherwise. Free with cpis_reply_free.
const Cpis__V1__Reply *world_call(struct cpis_client *client, Cpis__V1__Request *request);
const Cpis__V1__Reply *world_flag(struct cpis_client *client, const char *nhs_number, Cpis__V1__CareSetting setting);
const Cpis__V1__Reply *world_details(struct cpis_client *client, const char *nhs_number, Cpis__V1__CareSetting setting,
				     Cpis__V1__AccessType type);
const Cpis__V1__Reply *world_inbox(struct cpis_client *client, uint64_t after_id, bool include_acknowledged);
// A signed act; `profile` is whose session it is.
const Cpis__V1__Reply *world_act(struct world *world, struct cpis_client *client, const char *profile,
				 Cpis__V1__Request *request);
// Telephones from today on.
void world_set_contacts(struct world *world, struct cpis_client *client, const char *profile);
// A good plan of a child of ten, open, from `start_date` on; its texts are borrowed.
void world_plan(Cpis__V1__PlanRecord *plan, const char *nhs_number, Cpis__V1__PlanType type, const char *start_date);
// One such plan, published by the authority's worker (leeds, brighton). Contacts are set first where there are none.
const Cpis__V1__Reply *world_publish(struct world *world, struct cpis_client *client, const char *authority, const char *nhs_number,
				     Cpis__V1__PlanType type, const char *start_date);

// What a record must say for a reviewer to see what was tried; NULL and 0: anything.
struct world_trace {
	const char *reason_code, *organisation, *system_name, *uid, *nhs_number, *target;
	Cpis__V1__Operation operation;
};
// Finds the record as the national reviewer would, by person, child or organisation, and aborts unless it is among what is
// found and says all this, and of a person the name too.
void world_assert_recorded(struct world *world, uint64_t index, const struct world_trace *trace);

// The broker's own records of failed handshakes with this reason, as the national reviewer finds them among the newest hundred.
struct world_handshakes {
	unsigned records;
	uint64_t count;           // of handshakes, over all of them
	char target[201];         // of the newest
};
struct world_handshakes world_handshakes(struct world *world, const char *reason_code);

#endif
