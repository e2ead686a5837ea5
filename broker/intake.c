// Fair queues in front of the core.
#include "broker/intake.h"

#include <stdlib.h>
#include <string.h>

// A system that cannot be remembered for want of memory is refused: uthash must not call exit().
#define HASH_NONFATAL_OOM 1
#include <uthash.h>
#include <utlist.h>

#include "broker/limits.h"
#include "proto/wire.h"

#define RETRY_AFTER_MS_MIN 50u
// Over how long the pace is a mean: far longer than a commit that a disk is slow with, or each would turn people away.
#define PACE_OVER_US 500000.0
// What it is taken for while it is not known.
#define PACE_FIRST_US 100.0
// Of so many turns one is everyday's and one bulk's, if they have something waiting.
#define TURNS 16u
#define EVERYDAY_TURNS 4u

// What one system has waiting in one class.
struct intake_queue {
	struct intake_queue *prev, *next; // those with something waiting, in turn
	struct intake_system *system;
	enum intake_class intake_class;
	struct intake_item *items;        // oldest first
	unsigned count;
};
struct intake_system {
	uint8_t key[KEY_BYTES];
	struct intake_queue queues[INTAKE_CLASSES];
	unsigned count;
	UT_hash_handle hh;
};

struct intake {
	struct intake_limits limits;
	struct intake_system *systems;    // with something waiting
	struct intake_queue *turn[INTAKE_CLASSES];
	size_t waiting;
	unsigned turns;
	double busy_us, carried_out;      // of late: how long something waited, and how much was carried out meanwhile
	uint64_t measured_us;             // up to when; 0: nothing waited
};

enum intake_class intake_class_of(const uint8_t *data, size_t bytes)
{
	static const uint8_t classes[] = {
#define URGENT(field) [field] = 1 + INTAKE_URGENT
#define BULK(field) [field] = 1 + INTAKE_BULK
		URGENT(CPIS__V1__REQUEST__BODY_SESSION_OPEN), URGENT(CPIS__V1__REQUEST__BODY_FLAG),
		URGENT(CPIS__V1__REQUEST__BODY_DETAILS), URGENT(CPIS__V1__REQUEST__BODY_QUARANTINE_SET),
		URGENT(CPIS__V1__REQUEST__BODY_ROLE_END), URGENT(CPIS__V1__REQUEST__BODY_CONTACTS_SHOW),
		URGENT(CPIS__V1__REQUEST__BODY_RESPONDER_ANSWER), URGENT(CPIS__V1__REQUEST__BODY_RESPONDER_TAKE),
		BULK(CPIS__V1__REQUEST__BODY_PUBLICATION_OPEN), BULK(CPIS__V1__REQUEST__BODY_PUBLICATION_RECORDS),
		BULK(CPIS__V1__REQUEST__BODY_PUBLICATION_COMMIT), BULK(CPIS__V1__REQUEST__BODY_PUBLICATION_SHOW),
		BULK(CPIS__V1__REQUEST__BODY_PUBLISH), BULK(CPIS__V1__REQUEST__BODY_AUDIT_SEARCH),
		BULK(CPIS__V1__REQUEST__BODY_AUDIT_SHOW), BULK(CPIS__V1__REQUEST__BODY_DATA_QUALITY),
		BULK(CPIS__V1__REQUEST__BODY_EXTRACT_READ),
		BULK(CPIS__V1__REQUEST__BODY_RESPONDER_ANNOUNCE), BULK(CPIS__V1__REQUEST__BODY_CHECKPOINT_EXCHANGE),
#undef URGENT
#undef BULK
	};
	struct wire_peeked peeked;
	wire_peek(data, bytes, &peeked);
	if (peeked.body < sizeof classes && classes[peeked.body] != 0)
		return (enum intake_class)(classes[peeked.body] - 1);
	return INTAKE_EVERYDAY;
}

void intake_item_free(struct intake_item *item)
{
	if (item == NULL)
		return;
	transport_message_done(&item->message.message);
	free(item);
}

struct intake *intake_new(const struct intake_limits *limits)
{
	struct intake *intake = calloc(1, sizeof *intake);
	if (intake != NULL)
		intake->limits = *limits;
	return intake;
}

void intake_set_limits(struct intake *intake, const struct intake_limits *limits)
{
	intake->limits = *limits;
}

void intake_free(struct intake *intake)
{
	struct intake_item *item;
	if (intake == NULL)
		return;
	while ((item = intake_take(intake)) != NULL)
		intake_item_free(item);
	free(intake);
}

size_t intake_waiting(const struct intake *intake)
{
	return intake->waiting;
}

// ------------------------------------------------------------------ queues

static struct intake_system *find_or_add(struct intake *intake, const uint8_t key[KEY_BYTES])
{
	struct intake_system *system;
	HASH_FIND(hh, intake->systems, key, KEY_BYTES, system);
	if (system != NULL)
		return system;
	system = calloc(1, sizeof *system);
	if (system == NULL)
		return NULL;
	memcpy(system->key, key, KEY_BYTES);
	for (enum intake_class i = 0; i < INTAKE_CLASSES; i++)
		system->queues[i] = (struct intake_queue){.system = system, .intake_class = i};
	HASH_ADD(hh, intake->systems, key, KEY_BYTES, system);
	if (system->hh.tbl == NULL) {
		free(system);
		return NULL;
	}
	return system;
}

static void append(struct intake *intake, struct intake_system *system, struct intake_item *item)
{
	struct intake_queue *queue = &system->queues[item->intake_class];
	item->queue = queue;
	DL_APPEND2(queue->items, item, previous, next);
	system->count++;
	intake->waiting++;
	if (queue->count++ == 0)
		DL_APPEND(intake->turn[item->intake_class], queue);
}

static struct intake_item *take_out(struct intake *intake, struct intake_item *item)
{
	struct intake_queue *queue = item->queue;
	struct intake_system *system = queue->system;
	DL_DELETE2(queue->items, item, previous, next);
	intake->waiting--;
	if (--queue->count == 0)
		DL_DELETE(intake->turn[queue->intake_class], queue);
	if (--system->count == 0) {
		HASH_DEL(intake->systems, system);
		free(system);
	}
	item->queue = NULL;
	return item;
}

// ------------------------------------------------------------------ too much

// For one request.
static double pace_us(const struct intake *intake)
{
	return intake->carried_out > 0 ? intake->busy_us / intake->carried_out : PACE_FIRST_US;
}

// How many may wait so that the last of them waits no longer than is promised.
static size_t bound(const struct intake *intake)
{
	double many = intake->limits.busy_after_ms * 1000.0 / pace_us(intake);
	return many < INTAKE_QUEUED_MIN            ? INTAKE_QUEUED_MIN
	       : many > intake->limits.queued_max ? intake->limits.queued_max
						     : (size_t)many;
}

static struct intake_queue *longest(const struct intake *intake, enum intake_class intake_class)
{
	struct intake_queue *found = NULL, *queue;
	DL_FOREACH(intake->turn[intake_class], queue)
		if (found == NULL || queue->count > found->count)
			found = queue;
	return found;
}

// Who goes so that the new one, which is in its queue already, may stay: perhaps itself.
static struct intake_item *choose(const struct intake *intake)
{
	enum intake_class least = INTAKE_CLASSES - 1;
	while (intake->turn[least] == NULL)
		least--;
	const struct intake_queue *queue = longest(intake, least);
	return queue->items->previous; // the newest: the head's previous is the tail
}

struct intake_item *intake_put(struct intake *intake, struct intake_item *item)
{
	struct intake_system *system = find_or_add(intake, item->key);
	if (system == NULL || system->count >= intake->limits.per_system_max)
		return item;
	append(intake, system, item);
	return intake->waiting > bound(intake) ? take_out(intake, choose(intake)) : NULL;
}

// ------------------------------------------------------------------ whose turn it is

static enum intake_class whose_turn(struct intake *intake)
{
	unsigned turn = intake->turns++ % TURNS;
	if (turn == TURNS - 1 && intake->turn[INTAKE_BULK] != NULL)
		return INTAKE_BULK;
	if (turn % (TURNS / EVERYDAY_TURNS) == 0 && intake->turn[INTAKE_EVERYDAY] != NULL)
		return INTAKE_EVERYDAY;
	return intake->turn[INTAKE_URGENT] != NULL     ? INTAKE_URGENT
	       : intake->turn[INTAKE_EVERYDAY] != NULL ? INTAKE_EVERYDAY
						       : INTAKE_BULK;
}

struct intake_item *intake_take(struct intake *intake)
{
	if (intake->waiting == 0)
		return NULL;
	enum intake_class intake_class = whose_turn(intake);
	struct intake_queue *queue = intake->turn[intake_class];
	struct intake_item *item = queue->items;
	// To the end of the line, if it has more.
	if (queue->count > 1) {
		DL_DELETE(intake->turn[intake_class], queue);
		DL_APPEND(intake->turn[intake_class], queue);
	}
	return take_out(intake, item);
}

// ------------------------------------------------------------------ pace

void intake_carried_out(struct intake *intake, unsigned count, uint64_t now_us)
{
	if (intake->waiting == 0) {
		intake->measured_us = 0;
		return;
	}
	if (intake->measured_us != 0) {
		double took_us = (double)(now_us - intake->measured_us);
		double kept = took_us < PACE_OVER_US ? 1 - took_us / PACE_OVER_US : 0;
		intake->busy_us = intake->busy_us * kept + took_us;
		intake->carried_out = intake->carried_out * kept + count;
	}
	intake->measured_us = now_us;
}

uint32_t intake_retry_after_ms(const struct intake *intake)
{
	double ms = (double)intake->waiting * pace_us(intake) / 1000;
	return ms < RETRY_AFTER_MS_MIN   ? RETRY_AFTER_MS_MIN
	       : ms > INTAKE_RETRY_AFTER_MS_MAX ? INTAKE_RETRY_AFTER_MS_MAX
					 : (uint32_t)ms;
}
