// The requests that wait in the front until the core takes them: who is next, and who is told to come later when more comes than
// is carried out.
//
// Urgent ones (a clinician's look, a session for it) go before everyday ones and these before bulk (files of plans, searches of
// the log), which all the same get a share. Within a class systems take turns, so that one with a thousand waiting keeps
// nobody else from being heard. When the last that waits would have to wait longer than `busy_after_ms`, as long as the core's pace
// stays what it was, somebody is refused at once: of the least urgent class the newest of the system with most waiting.
//
// No sockets, no clock: time is a parameter. One thread.
#ifndef CPIS_BROKER_INTAKE_H
#define CPIS_BROKER_INTAKE_H

#include "broker/listeners.h"

struct intake_limits {
	unsigned queued_max;      // that wait, of all systems
	unsigned per_system_max;  // that wait, of one
	unsigned busy_after_ms;   // longest wait in here that is promised to anybody
};
// However slow the core is, so many may wait.
#define INTAKE_QUEUED_MIN 64u

enum intake_class {
	INTAKE_URGENT,
	INTAKE_EVERYDAY,
	INTAKE_BULK,
	INTAKE_CLASSES
};
// By what the message asks for, as far as it can be read; what cannot is everyday.
enum intake_class intake_class_of(const uint8_t *data, size_t bytes);

struct intake_queue;
struct intake_item {
	struct intake_item *previous, *next;
	struct intake_queue *queue;
	struct listeners_message message;
	uint64_t arrived_us;      // monotonic
	enum intake_class intake_class;
	bool has_key;
	uint8_t key[KEY_BYTES];   // zeroes when there is none: all of those are one system
};
// Ends the message too. Accepts NULL.
void intake_item_free(struct intake_item *item);

struct intake;
// NULL when there is no memory.
struct intake *intake_new(const struct intake_limits *limits);
// From now on these hold; of those that wait nobody is refused for it.
void intake_set_limits(struct intake *intake, const struct intake_limits *limits);
void intake_free(struct intake *intake); // accepts NULL; with all that waits

// Takes the item, and gives back the one that is to be refused now: this one, another that waited, or NULL, none.
struct intake_item *intake_put(struct intake *intake, struct intake_item *item);
// The next one, the caller's; NULL: nothing waits.
struct intake_item *intake_take(struct intake *intake);
size_t intake_waiting(const struct intake *intake);

// So many have been carried out since the last call: the core's pace, as long as something waits.
void intake_carried_out(struct intake *intake, unsigned count, uint64_t now_us);
// When whoever is refused now may try again, milliseconds: when what waits will have been carried out, at least 50.
uint32_t intake_retry_after_ms(const struct intake *intake);

#endif
