// One rehearsed fault, in a throw-away world with the real broker: work that is acknowledged before, a fault, what the clinician and
// the operator are told meanwhile, recovery, work after it; and the proof that nothing acknowledged was lost. What is not so aborts.
//
// The order of calls: drill_new, what the fault needs (drill_mount_..., drill_shim), drill_start, drill_fault, the fault itself, what
// is expected of it, its end, drill_recovers, drill_end.
#ifndef CPIS_TESTS_DRILL_H
#define CPIS_TESTS_DRILL_H

#include "tests/harness/drill_row.h"
#include "tests/harness/ledger.h"
#include "tests/harness/world.h"
#include "tests/harness/world_client.h"
#include "tests/shim/store_faults.h"

#define DRILL_PREFIX_MAX 8
// How long a client asks again before it gives up, during a fault.
#define DRILL_FAULT_MS 400u
// And when it must be answered, on however busy a machine.
#define DRILL_ANSWER_MS "30000"
// What may be said of one fault in the broker's log, however often it strikes: a full disk must not be filled by the log.
#define DRILL_LOG_LINES_MAX 12u

enum drill_mount { DRILL_TMPFS, DRILL_EXT4 };

struct drill {
	struct world *world;
	const char *prefix[DRILL_PREFIX_MAX]; // what the broker is started under, NULL: the end
	char texts[DRILL_PREFIX_MAX][512];
	char store[512];                      // path of the database
	struct store_faults *faults;          // after drill_shim
	struct cpis_client *nurse, *leeds;
	struct ledger ledger;
	struct drill_row row;
	char child[11];                       // has a plan of Leeds
	char mounted[512];                    // "": nothing
	unsigned published;
	long mark;                            // in the log
	uint64_t mended_ms;
};

// A namespace of mounts, or of mounts and network with a loopback that is up, of the calling process's own: nothing that a test does
// there is seen outside, and all of it ends with its last process. Aborts where that cannot be had: it takes root.
void drill_unshare(bool network_too);

// `place` in the table; the two texts are its first columns.
struct drill *drill_new(unsigned place, const char *fault, const char *made);
// A file system of this size for the store alone; drill_unshare first. EXT4 is a file on a loop device.
void drill_mount(struct drill *drill, enum drill_mount kind, unsigned kb);
// The broker runs with tests/shim/store_faults.c.
void drill_shim(struct drill *drill);
// The broker runs under a clock of its own: world_set_clock.
void drill_clock(struct drill *drill);
// A word of the command that the broker is run under, e.g. "prlimit"; it must become the broker.
void drill_under(struct drill *drill, const char *format, ...) __attribute__((format(printf, 2, 3)));
// Starts the broker, signs in, publishes, works.
void drill_start(struct drill *drill);
// Starts it again, after it has ended; clients stay.
void drill_restart(struct drill *drill);
// New sessions for both, where a clock ended theirs.
void drill_sign_in_again(struct drill *drill);

// Looks at details and publications, each acknowledged.
void drill_work(struct drill *drill);
// One look with libcpis. True: acknowledged, and in the ledger. Else `ret` is what happened: "SERVICE_UNAVAILABLE store_unavailable".
bool drill_look(struct drill *drill, char ret[100]);
// `cpis query --details` as the nurse; what it says goes into the row. Returns its exit code.
int drill_query(struct drill *drill, const char *timeout_ms);

// From here on the log's lines are the fault's.
void drill_fault(struct drill *drill);
// A look and a query, neither acknowledged.
void drill_refused(struct drill *drill);
// The same, with this outcome, reason code and exit code of `cpis query`; drill_refused is SERVICE_UNAVAILABLE store_unavailable, and 2.
void drill_refused_as(struct drill *drill, const char *outcome, const char *reason_code, int exit_code);
// The same of a broker that says nothing at all.
void drill_silent(struct drill *drill);
// What another process said goes into the operator's column.
void drill_operator(struct drill *drill, const char *log);
// The fault that nobody notices: work goes on, and the row says so.
void drill_unnoticed(struct drill *drill);
// DRILL_EXT4 fails as the kernel lets it fail: read-only at once, for open files too. Anew: checked and mounted again; no broker runs.
void drill_ext4_abort(struct drill *drill);
void drill_ext4_anew(struct drill *drill);
// A start that must fail: its line in the log goes into the row.
void drill_does_not_start(struct drill *drill);
// The fault is over, with no call of a human to the broker: looks until one is acknowledged, and works. `words`: NULL, or what a human
// had to do for it.
void drill_mended(struct drill *drill);
void drill_recovers(struct drill *drill, const char *words);
// Stops the broker, compares, writes the row, removes everything. `broker_stops`: its exit status must be 0.
void drill_end(struct drill *drill);

#endif
