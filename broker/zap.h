// Admission at the CURVE handshake (ZeroMQ RFC 27, ZAP): a key of an enrolled, valid, unrevoked system is let
// in, everybody else is not. Runs one thread of its own, answers from a list in memory (admission.h), never blocks on
// a disk. Each connection admitted gets a random 128-bit handle as its User-Id: a client can put words of its own
// into that place where a ZAP handler is silent, so a handle that is not in this table is nobody.
//
// A socket belongs to one class by the ZAP domain that it was opened with. On the enrolment endpoint every key is let in, to
// show the one-time code of an invitation. Each class has a table of its own: a handle of one is nobody in the other.
#ifndef CPIS_BROKER_ZAP_H
#define CPIS_BROKER_ZAP_H

#include <stdbool.h>
#include <stdint.h>

#include "broker/admission.h"
#include "broker/attempts.h"

enum zap_class {
	ZAP_SYSTEMS,   // domain "cpis": enrolled systems
	ZAP_ENROLLING, // domain "cpis-enrol": whoever holds a key, any key
	ZAP_CLASSES
};
const char *zap_domain(enum zap_class zap_class);

#define ZAP_HANDLE_BYTES 33 // 32 hex digits and NUL

struct zap;

struct zap_limits {
	unsigned connections_max;            // handles kept; the one unused for longest goes first
	unsigned connections_per_system_max; // handles kept for one key; likewise
	// Handles given out on the enrolment endpoint until zap_forget_enrolling; then everybody there is told to come later.
	// 0: there is no such endpoint, its domain is malformed.
	unsigned enrolling_connections_max;
};

// Binds inproc://zeromq.zap.01 in `zmq_context` and starts the thread. Must come before any server socket.
// False when the endpoint is taken or a thread cannot be had. Takes its own reference to the list; while there is
// none (NULL) everybody is told to come later. Stop it before the context ends: a handler that dies takes the process
// with it.
__attribute__((warn_unused_result)) bool zap_start(void *zmq_context, struct admission *admission,
						    const struct zap_limits *limits, struct zap **ret);
// Stops the thread. Accepts NULL.
void zap_stop(struct zap *zap);

// From now on handshakes are decided by this list. Any thread.
void zap_set_admission(struct zap *zap, struct admission *admission);
// From now on systems' handles are kept within these: each that is given out pushes out what is too many. Any thread.
void zap_set_limits(struct zap *zap, const struct zap_limits *limits);
// The key behind a handle of this class. False: not ours, or of the other one. Any thread.
__attribute__((warn_unused_result)) bool zap_lookup(struct zap *zap, enum zap_class zap_class, const char *handle,
						    uint8_t ret_curve_public[KEY_BYTES]);
// Whether the enrolment endpoint has let in as many as it may. Any thread.
bool zap_enrolling_is_full(struct zap *zap);
// Every handle of that class is nobody's from now on. For when its socket was closed.
void zap_forget_enrolling(struct zap *zap);
// From now on whoever is refused is counted there too, with address and first bytes of the key. Borrowed until zap_stop.
void zap_set_attempts(struct zap *zap, struct attempts *attempts);
// Admits one more key, for the start-up self-test only; NULL ends that.
void zap_set_self_test_key(struct zap *zap, const uint8_t *curve_public);

struct zap_counters {
	uint64_t admitted, refused_unknown, refused_invalid, malformed;
	uint64_t enrolling_admitted, enrolling_refused;
};
struct zap_counters zap_read_counters(struct zap *zap);

#endif
