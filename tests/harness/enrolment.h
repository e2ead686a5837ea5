// A throw-away registration authority with a few enrolled systems, and the register loaded from it: what
// tests of the network edge need to know somebody. In a directory of its own under /tmp; real certificates,
// made at run time. Nothing here returns an error: without it there is no test, so it says what failed and
// aborts.
#ifndef CPIS_TESTS_HARNESS_ENROLMENT_H
#define CPIS_TESTS_HARNESS_ENROLMENT_H

#include "broker/admission.h"
#include "certs/key.h"

enum enrolment_system {
	ENROLMENT_HOSPITAL, // RXH
	ENROLMENT_LEEDS, // 383
	ENROLMENT_BRIGHTON, // 846
	ENROLMENT_EXPIRED, // RXH; was good when the register was loaded, is not now
	ENROLMENT_SYSTEMS
};

struct enrolment {
	char directory[64];
	struct curve_key_pair broker;
	struct curve_key_pair stranger; // enrolled nowhere
	struct curve_key_pair keys[ENROLMENT_SYSTEMS];
	char certificates[ENROLMENT_SYSTEMS][4096];
	struct policy *policy;
	struct register_snapshot *snapshot; // as loaded at the start
	struct admission *admission; // of it
};

// Reads broker/policy.yaml: run from the top of the tree.
struct enrolment *enrolment_new(void);
// Removes the directory. Accepts NULL.
void enrolment_free(struct enrolment *enrolment);
// Revokes the certificate and loads the register anew: who is let in from then on. The caller releases it.
struct admission *enrolment_revoke(struct enrolment *enrolment, enum enrolment_system system);

#endif
