// A throw-away world for system tests: certificates, register, configuration and client profiles in a directory of
// its own under /tmp, and the real programs run on them. Everything is made at run time by `cpis certs` and
// `cpis-broker --make-store-key` from $BUILD (default "build").
//
// One world belongs to one thread. Nothing here returns an error: a world that cannot be had is a failed test, so
// what went wrong is printed with the broker's log and the process aborts. The broker dies with the thread that
// started it. The directory is removed by world_free, and left for inspection after a failure.
//
// The cast (all people synthetic). Profiles are clients' YAML files, "nurse" is profiles/nurse.yaml:
//	nurse, midwife, receptionist, consultant,
//	privacy_officer                                 RXH, hospitals: emergency department and maternity
//	paramedic                                       RYD, ambulance service
//	school_nurse                                    RDR, school nursing; may look silently (B0170)
//	leeds, leeds_duty, leeds_reviewer               383, Leeds City Council
//	brighton                                        846, Brighton and Hove City Council
//	guardian, registrar                             X26, NHS England
//	neighbour                                       W00, Register of the Next Country: answers WORLD_NEIGHBOUR_RANGE
//	demographics                                    X09, Demographics Service, after world_ask_demographics
#ifndef CPIS_TESTS_WORLD_H
#define CPIS_TESTS_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define WORLD_BROKER_NAME "cpis-test-broker"
// The hospitals' pages for staff. Browsers and curl take every name in .localhost to be this machine.
#define WORLD_WEB_HOST "cpis.localhost"
#define WORLD_NEIGHBOUR_RANGE "9995000000-9995999999"
#define WORLD_WAIT_MS 30000  // for anything that should take milliseconds; generous for valgrind and busy machines

struct world;

struct world_system {
	const char *file;         // certificate and key are systems/<file>.pem and .key
	const char *ods, *name;
	const char *web_host;     // NULL: none
};
struct world_person {
	const char *profile;      // certificate and key are staff/<profile>.pem and .key
	const char *uid, *name, *role;
	const char *system;       // world_system.file
	const char *care_setting; // NULL: the organisation has one
	const char *activities;   // additional ones, NULL: none
};
// By name; the end of the list has a NULL name.
extern const struct world_system world_systems[];
extern const struct world_person world_people[];
const struct world_person *world_person(const char *profile);

// Everything but the broker's process.
struct world *world_new(void);
// Kills what runs and removes the directory. Accepts NULL.
void world_free(struct world *world);

// Starts cpis-broker and waits until it is ready. `prefix` is a command to run it under, NULL: none.
void world_start(struct world *world);
void world_start_under(struct world *world, const char *const *prefix);
// Under a clock of its own (libfaketime), `offset` from the real one: "+0", "-1h", "+40m", "-2d". Only the time of day is
// changed; it can be changed again while the broker runs, and counts from the next time it is read.
void world_start_with_clock(struct world *world, const char *offset);
void world_set_clock(struct world *world, const char *offset);
// Starts it and does not wait.
void world_spawn(struct world *world);
// SIGTERM; waits for the end and returns the exit status (as of waitpid).
int world_stop(struct world *world);
// SIGKILL and the end.
void world_kill(struct world *world);
// True when the broker ended within `timeout_ms`; `ret_status` then is its exit status, and it counts as stopped.
bool world_wait_exit(struct world *world, int timeout_ms, int *ret_status);
pid_t world_broker_pid(const struct world *world);

// Where the broker's log ends now, and a wait until a line after that place holds `event`.
long world_log_mark(const struct world *world);
void world_wait_log(struct world *world, long mark, const char *event);
// The whole log so far; valid until the next call.
const char *world_log(struct world *world);

// A path in the world's directory, made as by printf. Valid for the next 31 calls.
const char *world_path(struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));
// tcp://127.0.0.1:PORT, the same over restarts.
const char *world_endpoint(const struct world *world);

// Another free one, for a broker with several.
void world_choose_endpoint(char out[64]);
// From the next start on the broker may do what it likes: for what runs inside its process and reads files or asks the kernel for
// other things than it does (libfaketime, valgrind). world_start_with_clock says so itself.
void world_end_sandbox(struct world *world);
// Lines added to the broker's configuration, as by printf; counts from the next start on.
void world_configure(struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));

// From the next start on the broker's store is a PostgreSQL, a lone server, and not the file it was.
void world_use_postgres(struct world *world, const char *conninfo);
// `cpis-broker --migrate`, which must not fail; `conninfo` is of the database's owner.
void world_migrate(struct world *world, const char *conninfo);

void world_write_file(const char *path, const char *text);
// malloc'd and NUL-terminated; the length is written when asked for.
char *world_read_file(const char *path, size_t *ret_bytes);

// Runs `cpis [--profile ...] ARGUMENTS... NULL` to its end and returns its exit code. `profile` NULL: none.
int world_cpis(struct world *world, const char *profile, ...) __attribute__((sentinel));
// Any command, found in PATH; arguments end with NULL.
int world_command(struct world *world, const char *const *arguments);
// What the last command printed; "" when nothing. Valid until the next command.
const char *world_out(const struct world *world);
const char *world_err(const struct world *world);
// Whether that stands in it.
bool world_said(const struct world *world, const char *text);
bool world_complained(const struct world *world, const char *text);

// `cpis certs revoke` and nothing else: the broker sees it by itself.
void world_revoke(struct world *world, const char *certificate_path);
// What the register says of one organisation's inbox, e.g. "{same_look_minutes: 0}". Counts from the next start on, or when the
// broker has seen it. Both texts are borrowed.
void world_set_inbox(struct world *world, const char *ods, const char *inbox);
// Takes a person's role profile out of the register and returns at once.
void world_end_role(struct world *world, const char *profile);
// From now on the register says that X09 answers demographics: nothing is published without it. Returns at once.
void world_ask_demographics(struct world *world);

// The number'th valid NHS number of the range kept for tests: 0 is 9990000018.
void world_nhs_number(unsigned number, char out[11]);
// "2026-11-23", `days` from today in UTC, and `months` before that.
void world_date(int days, int months_back, char out[11]);
uint64_t world_now_ms(void);
uint64_t world_monotonic_ms(void);
// Uniform enough for tests; seeded from $CPIS_TEST_SEED or at random, and the seed is printed at first use.
uint32_t world_random(uint32_t below);

void world_fail(const struct world *world, const char *format, ...)
	__attribute__((format(printf, 2, 3), noreturn));

#endif
