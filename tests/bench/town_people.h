// Certificates of systems and members of staff, made in memory. For town.c.
#ifndef CPIS_TESTS_BENCH_TOWN_PEOPLE_H
#define CPIS_TESTS_BENCH_TOWN_PEOPLE_H

#include "tests/bench/town.h"

struct town_person {
	char uid[UID_DIGITS + 1];
	struct signing_key *key;
	uint8_t *certificate; // DER
	size_t certificate_bytes;
};

struct town_registry;
struct town_registry *town_registry_open(struct world *world);
void town_registry_close(struct town_registry *registry);
// A system with a key of its own, enrolled from the broker's next start on.
void town_enrol(struct town_registry *registry, const char *ods, const char *name, struct curve_key_pair *ret);
struct town_person *town_person_new(struct town_registry *registry, const char *uid);
void town_person_free(struct town_person *person);

#endif
