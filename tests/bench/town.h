// The world that benchmarks run in: the throw-away world of the system tests with a register of plans, and with many systems and
// members of staff. Certificates are made in memory, thousands a second, and only what the broker reads is written.
#ifndef CPIS_TESTS_BENCH_TOWN_H
#define CPIS_TESTS_BENCH_TOWN_H

#include "broker/store.h"
#include "certs/note.h"
#include "proto/cpis.pb-c.h"
#include "proto/limits.h"
#include "tests/bench/load.h"
#include "tests/harness/world.h"

#define TOWN_PLANS 250000u
#define TOWN_MISSES 100000u        // numbers that nobody holds anything about
#define TOWN_NURSES 64u            // at systems of their own of hospital RXH
#define TOWN_AUTHORITIES_MAX 153u  // in England
#define TOWN_SEATS_MAX (TOWN_NURSES + TOWN_AUTHORITIES_MAX + 1)
#define TOWN_VERIFIED 1024u        // of so many replies one is decoded whole and its receipt verified

// A member of staff signed in at a system of their own.
struct town_seat {
	char ods[4], uid[UID_DIGITS + 1];
	const char *role;
	uint8_t token[SESSION_TOKEN_BYTES_MAX];
	size_t token_bytes;
	uint64_t last_request;     // number of the last one that was made
};

struct town_options {
	unsigned plans;
	unsigned authorities;      // with a worker each, who hold the plans; 0: Leeds holds all of them, and has none here
	unsigned staff;            // more of them, without a system
	const char *configuration; // lines for the broker; NULL: none
	bool turns_away;                 // whether what may wait is bounded as shipped; otherwise hardly
	// Before the plans: puts so much of something else into the store. NULL: nothing.
	void (*fill)(struct world *world, uint64_t filler);
	uint64_t filler;
	// Tells the broker's configuration of another store than its file, and opens that for the plans. NULL: the file.
	struct store *(*store)(struct world *world, void *context);
	void *store_context;
};

// A member of staff who can sign in anywhere at RXH.
struct town_person;

struct town {
	struct world *world;
	struct curve_key_pair broker;
	struct note_verifier log;
	// Nurses, then workers, then a reviewer of the national body.
	unsigned authorities, seats_count;
	struct town_seat seats[TOWN_SEATS_MAX];
	struct curve_key_pair keys[TOWN_SEATS_MAX]; // of their systems
	unsigned plans;
	char (*numbers)[11];       // those with a plan, then the misses
	const char *broker_name;   // of the one that statements are made for
	uint64_t next_request;     // request ids are never used twice
	uint64_t hits;             // children with a plan who were asked about
	uint64_t looks_beside;     // of current.c
	uint64_t replies;
	unsigned staff;
	struct town_person **people;
};

// Made, started and everybody signed in. What cannot be had ends the process with a sentence.
struct town *town_new(const struct town_options *options);
// The broker's exit status.
int town_free(struct town *town);
// Of a broker that was stopped already.
void town_free_stopped(struct town *town);

// Connections to it as nurse n modulo TOWN_NURSES, as worker n, or as the reviewer.
struct link_curve_target town_nurses(const struct town *town);
struct link_curve_target town_workers(const struct town *town);
struct link_curve_target town_reviewer(const struct town *town);
const struct town_person *town_staff(const struct town *town, unsigned number); // of those without a system
unsigned town_first_worker(void);
unsigned town_reviewer_seat(const struct town *town);

// All of them sign in anew, over these connections of theirs, at the brokers of these names: connection n at that of name n modulo
// `count`.
void town_sign_in(struct town *town, const struct link_ops *ops, const void *target, const char *const *names, unsigned count);

void town_request_id(uint64_t number, uint8_t out[REQUEST_ID_BYTES]);
// Fills what all requests of this seat have in common and packs it. `request` has its body.
size_t town_pack(struct town *town, unsigned seat, Cpis__V1__Request *request, uint8_t out[LOAD_REQUEST_BYTES_MAX]);
// Ends the process unless the reply says OK. The first and each TOWN_VERIFIED'th is decoded whole and its receipt verified.
void town_check(struct town *town, const uint8_t *reply, size_t bytes);
// A statement of this person, signed now, to open a session at the system with this key.
size_t town_pack_sign_in(struct town *town, const struct town_person *person, const struct curve_key_pair *system, const char *ods,
			 const char *role, uint8_t out[LOAD_REQUEST_BYTES_MAX]);

#endif
