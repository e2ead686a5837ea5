// A front as a real process, for the test_front programs: the program is started again as one, as the broker is. The test is the core.
#ifndef CPIS_TESTS_UNIT_REAL_FRONT_H
#define CPIS_TESTS_UNIT_REAL_FRONT_H

#include <check.h>
#include <stdbool.h>
#include <stdint.h>

#include "broker/front.h"
#include "broker/front_process.h"
#include "proto/arena.h"
#include "tests/harness/edge.h"

#define BATCH 16u // that the core is given ahead

extern struct enrolment *enrolment;
extern struct attempts *attempts;
extern struct front *front;
extern char directory[];          // where the endpoints' files are
extern char files[LISTENERS][64];
extern char detail[FRONT_DETAIL_BYTES];

// Around each test: with an open front or without.
void set_up(void);
void set_up_open(void);
void tear_down(void);

// NULL for the second: nobody can enrol. False with the reason in `detail`.
bool open_front(const char *endpoint, const char *enrolment_endpoint);

struct raw_curve *connect_as(enum enrolment_system system);
// One turn of the core's: what has come goes back as it was. How many came.
unsigned echo(int timeout_ms, struct front_request *ret_last);
void echo_until_restarts(unsigned restarts);
void assert_answers(struct raw_curve *client, const char *text);
void assert_works(void);
// A ping, whose request id begins with that number; and the answer to it, from the front itself.
void ask(struct raw_curve *client, uint8_t number);
void assert_refused_as(struct raw_curve *client, struct arena *arena, const char *word, uint8_t number);

// The program: as a front it runs `as_front`, else the suite of `make`.
int run_front_tests(int argc, char **argv, int (*as_front)(void), Suite *(*make)(void));

#endif
