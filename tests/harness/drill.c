// One rehearsed fault from beginning to end.
#include "tests/harness/drill.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/rand.h>

#include "tests/harness/world_priv.h"

#define LOOKS 8u
#define EMERGENCY CPIS__V1__CARE_SETTING__EMERGENCY_DEPARTMENT

// ------------------------------------------------------------------ scenery

void drill_unshare(bool network_too)
{
	const char *up[] = {"ip", "link", "set", "lo", "up", NULL};
	if (unshare(CLONE_NEWNS | (network_too ? CLONE_NEWNET : 0)) != 0 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		world_fail(NULL, "a namespace for mounts: %s; this test must be run by root", strerror(errno));
	struct world nowhere = {0};
	int status;
	if (network_too && (!world_reap(&nowhere, world_launch(&nowhere, up, NULL, NULL), WORLD_WAIT_MS, &status) || status != 0))
		world_fail(NULL, "ip link set lo up failed: is the package iproute2 there?");
}

struct drill *drill_new(unsigned place, const char *fault, const char *made)
{
	struct drill *drill = calloc(1, sizeof *drill);
	if (drill == NULL)
		world_fail(NULL, "out of memory");
	drill->world = world_new();
	drill->row.place = place;
	drill_row_add(drill->row.fault, "%s", fault);
	drill_row_add(drill->row.made, "%s", made);
	world_set_inbox(drill->world, "383", "{same_look_minutes: 0}"); // each look is told
	world_nhs_number(0, drill->child);
	snprintf(drill->store, sizeof drill->store, "%s", world_path(drill->world, "store.db"));
	return drill;
}

static void must(struct drill *drill, const char *const *command)
{
	int code = world_command(drill->world, command);
	if (code != 0)
		world_fail(drill->world, "%s %s: exit %d", command[0], command[1], code);
}

static void make_ext4(struct drill *drill, unsigned kb)
{
	const char *image = world_path(drill->world, "disk.img");
	const char *format[] = {"mkfs.ext4", "-q", image, NULL};
	const char *attach[] = {"mount", "-o", "loop", image, drill->mounted, NULL};
	int file = open(image, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	if (file < 0 || ftruncate(file, (off_t)kb * 1024) != 0)
		world_fail(drill->world, "%s: %s", image, strerror(errno));
	close(file);
	must(drill, format);
	must(drill, attach);
}

void drill_ext4_abort(struct drill *drill)
{
	const char *abort_it[] = {"mount", "-o", "remount,abort", drill->mounted, NULL};
	must(drill, abort_it);
}

void drill_ext4_anew(struct drill *drill)
{
	const char *image = world_path(drill->world, "disk.img");
	const char *detach[] = {"umount", drill->mounted, NULL};
	const char *check[] = {"e2fsck", "-p", image, NULL};
	const char *attach[] = {"mount", "-o", "loop", image, drill->mounted, NULL};
	must(drill, detach);
	// 1: something was put right.
	if (world_command(drill->world, check) > 1)
		world_fail(drill->world, "e2fsck: %s", world_out(drill->world));
	must(drill, attach);
}

void drill_mount(struct drill *drill, enum drill_mount kind, unsigned kb)
{
	struct world *world = drill->world;
	char options[64], *config = world_read_file(world_path(world, "broker.yaml"), NULL), text[8192];
	const char *line = "store_file: store.db\n", *found = strstr(config, line);
	snprintf(drill->mounted, sizeof drill->mounted, "%s", world_path(world, "disk"));
	snprintf(options, sizeof options, "size=%uk,mode=700", kb);
	if (mkdir(drill->mounted, 0700) != 0)
		world_fail(world, "%s: %s", drill->mounted, strerror(errno));
	if (kind == DRILL_EXT4)
		make_ext4(drill, kb);
	else if (mount("none", drill->mounted, "tmpfs", 0, options) != 0)
		world_fail(world, "a tmpfs on %s: %s", drill->mounted, strerror(errno));
	if (found == NULL)
		world_fail(world, "broker.yaml has no line %s", line);
	snprintf(text, sizeof text, "%.*sstore_file: disk/store.db\n%s", (int)(found - config), config, found + strlen(line));
	world_write_file(world_path(world, "broker.yaml"), text);
	free(config);
	snprintf(drill->store, sizeof drill->store, "%s", world_path(world, "disk/store.db"));
}

void drill_under(struct drill *drill, const char *format, ...)
{
	size_t count = 0;
	while (drill->prefix[count] != NULL)
		count++;
	if (count + 1 >= DRILL_PREFIX_MAX)
		world_fail(drill->world, "a command of too many words");
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(drill->texts[count], sizeof drill->texts[count], format, arguments);
	va_end(arguments);
	drill->prefix[count] = drill->texts[count];
}

void drill_clock(struct drill *drill)
{
	world_set_clock(drill->world, "+0");
	drill_under(drill, "env");
	drill_under(drill, "LD_PRELOAD=/usr/$LIB/faketime/libfaketime.so.1");
	drill_under(drill, "FAKETIME_TIMESTAMP_FILE=%s", world_path(drill->world, "clock"));
	drill_under(drill, "FAKETIME_NO_CACHE=1");
	drill_under(drill, "FAKETIME_DONT_FAKE_MONOTONIC=1");
	drill_under(drill, "ASAN_OPTIONS=verify_asan_link_order=0");
}

void drill_shim(struct drill *drill)
{
	struct world *world = drill->world;
	const char *path = world_path(world, "faults");
	int file = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	void *page = MAP_FAILED;
	if (file >= 0 && ftruncate(file, sizeof *drill->faults) == 0)
		page = mmap(NULL, sizeof *drill->faults, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	if (page == MAP_FAILED)
		world_fail(world, "%s: %s", path, strerror(errno));
	close(file);
	drill->faults = page;
	drill_under(drill, "env");
	drill_under(drill, "LD_PRELOAD=%s/tests/shim/store_faults.so", world->build);
	drill_under(drill, "ASAN_OPTIONS=verify_asan_link_order=0");
	drill_under(drill, STORE_FAULTS_VARIABLE "=%s", path);
}

// ------------------------------------------------------------------ work

static void fresh_id(struct drill *drill, struct cpis_client *client, uint8_t id[REQUEST_ID_BYTES])
{
	if (RAND_bytes(id, REQUEST_ID_BYTES) != 1)
		world_fail(drill->world, "random request id");
	cpis_set_request_id(client, id);
}

static bool look(struct drill *drill, unsigned timeout_ms, char ret[100])
{
	Cpis__V1__DetailsRequest details = CPIS__V1__DETAILS_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	const Cpis__V1__Reply *reply = NULL;
	uint8_t id[REQUEST_ID_BYTES];
	details.nhs_number = drill->child;
	details.care_setting = EMERGENCY;
	details.access_type = CPIS__V1__ACCESS_TYPE__UNSCHEDULED;
	request.body_case = CPIS__V1__REQUEST__BODY_DETAILS;
	request.details = &details;
	fresh_id(drill, drill->nurse, id);
	enum cpis_status status = cpis_call(drill->nurse, &request, timeout_ms, &reply);
	if (status != CPIS_OK) {
		snprintf(ret, 100, "%s", cpis_status_text(status));
		return false;
	}
	bool done = reply->outcome == CPIS__V1__OUTCOME__OK;
	snprintf(ret, 100, "%s %s", wire_outcome_name(reply->outcome), reply->reason_code);
	if (done && reply->details->n_plans != 1)
		world_fail(drill->world, "a child with a plan is shown %zu", reply->details->n_plans);
	if (done)
		ledger_add(&drill->ledger, id, reply, CPIS__V1__OPERATION__DETAILS);
	cpis_reply_free(reply);
	return done;
}

bool drill_look(struct drill *drill, char ret[100])
{
	return look(drill, DRILL_FAULT_MS, ret);
}

// Another child each time.
static void publish(struct drill *drill)
{
	static char authority[] = "383";
	Cpis__V1__PlanRecord record, *records[] = {&record};
	Cpis__V1__PublishRequest publish = CPIS__V1__PUBLISH_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	uint8_t id[REQUEST_ID_BYTES];
	char number[11];
	world_nhs_number(drill->published++, number);
	world_plan(&record, number, CPIS__V1__PLAN_TYPE__CPP, "2026-01-01");
	publish.authority = authority;
	publish.n_records = 1;
	publish.records = records;
	request.body_case = CPIS__V1__REQUEST__BODY_PUBLISH;
	request.publish = &publish;
	fresh_id(drill, drill->leeds, id);
	const Cpis__V1__Reply *reply = world_act(drill->world, drill->leeds, "leeds", &request);
	if (reply->outcome != CPIS__V1__OUTCOME__OK || reply->publish->stored != 1)
		world_fail(drill->world, "a publication: %s", reply->reason_code);
	ledger_add(&drill->ledger, id, reply, CPIS__V1__OPERATION__PUBLISH);
	cpis_reply_free(reply);
}

void drill_work(struct drill *drill)
{
	char what[100];
	publish(drill);
	for (unsigned i = 0; i < LOOKS; i++)
		if (!look(drill, WORLD_CALL_MS, what))
			world_fail(drill->world, "a look: %s", what);
}

void drill_restart(struct drill *drill)
{
	world_start_under(drill->world, drill->prefix);
}

void drill_sign_in_again(struct drill *drill)
{
	cpis_close(drill->nurse);
	cpis_close(drill->leeds);
	drill->nurse = world_sign_in(drill->world, "nurse");
	drill->leeds = world_sign_in(drill->world, "leeds");
}

void drill_start(struct drill *drill)
{
	drill_restart(drill);
	drill_sign_in_again(drill);
	world_set_contacts(drill->world, drill->leeds, "leeds");
	drill_work(drill);
}

// ------------------------------------------------------------------ the fault

void drill_fault(struct drill *drill)
{
	drill->mark = world_log_mark(drill->world);
}

int drill_query(struct drill *drill, const char *timeout_ms)
{
	int code = world_cpis(drill->world, "nurse", "--timeout", timeout_ms, "query", "--details", drill->child, NULL);
	const char *said = world_err(drill->world), *endpoint = strstr(said, world_endpoint(drill->world));
	char cell[600];
	int bytes = (int)strcspn(said, "\n"), before = endpoint == NULL ? bytes : (int)(endpoint - said);
	if (before > bytes)
		before = bytes;
	const char *after = said + before + (before < bytes ? strlen(world_endpoint(drill->world)) : 0);
	snprintf(cell, sizeof cell, "`%.*s%s%.*s` (exit %d)", before, said, before < bytes ? "ENDPOINT" : "",
		 (int)strcspn(after, "\n"), after, code);
	if (code != 0 && strstr(drill->row.peer, cell) == NULL)
		drill_row_add(drill->row.peer, "%s", cell);
	return code;
}

// A busy machine may not answer in time even with a refusal: it is asked again.
void drill_refused_as(struct drill *drill, const char *outcome, const char *reason_code, int exit_code)
{
	uint64_t deadline = world_monotonic_ms() + WORLD_WAIT_MS;
	char what[100] = "", wanted[100];
	snprintf(wanted, sizeof wanted, "%s %s", outcome, reason_code);
	while (strcmp(what, wanted) != 0)
		if (drill_look(drill, what))
			world_fail(drill->world, "a look was acknowledged during the fault");
		else if (world_monotonic_ms() > deadline)
			world_fail(drill->world, "a look: %s", what);
	drill_row_add(drill->row.peer, "%s", what);
	do {
		if (world_monotonic_ms() > deadline)
			world_fail(drill->world, "cpis query did not say %s", reason_code);
		drill->row.peer[strlen(what)] = '\0';
	} while (drill_query(drill, "600") != exit_code || strstr(drill->row.peer + strlen(what), reason_code) == NULL);
}

void drill_refused(struct drill *drill)
{
	drill_refused_as(drill, "SERVICE_UNAVAILABLE", "store_unavailable", 2);
}

void drill_silent(struct drill *drill)
{
	char what[100];
	if (drill_look(drill, what))
		world_fail(drill->world, "a look was acknowledged during the fault");
	drill_row_add(drill->row.peer, "%s", what);
	if (drill_query(drill, "600") != 2)
		world_fail(drill->world, "cpis query did not say 'try again'");
}

void drill_unnoticed(struct drill *drill)
{
	drill_work(drill);
	if (drill_query(drill, DRILL_ANSWER_MS) != 0)
		world_fail(drill->world, "cpis query during the fault");
	drill_row_add(drill->row.peer, "nothing: answered as ever");
	drill_row_add(drill->row.recovery, "not needed");
}

void drill_does_not_start(struct drill *drill)
{
	int status;
	long mark = world_log_mark(drill->world);
	world_spawn(drill->world);
	if (!world_wait_exit(drill->world, WORLD_WAIT_MS, &status))
		world_fail(drill->world, "the broker started");
	if (status != 2 << 8 || strstr(world_log(drill->world) + mark, " error cannot_start ") == NULL)
		world_fail(drill->world, "the broker ended with %d and does not say why", status);
}

void drill_operator(struct drill *drill, const char *log)
{
	drill_row_add_log(&drill->row, log, drill->world->directory);
}

static void add_log(struct drill *drill)
{
	const char *log = world_log(drill->world);
	unsigned lines = 0;
	// What a start and an end have to tell is not the fault's.
	for (const char *at = log + drill->mark, *end; (end = strchr(at, '\n')) != NULL; at = end + 1)
		lines += memmem(at, (size_t)(end - at), " info ", 6) == NULL;
	if (lines > DRILL_LOG_LINES_MAX)
		world_fail(drill->world, "%u lines in the broker's log for one fault", lines);
	drill_operator(drill, log + drill->mark);
}

void drill_mended(struct drill *drill)
{
	drill->mended_ms = world_monotonic_ms();
}

void drill_recovers(struct drill *drill, const char *words)
{
	uint64_t deadline = drill->mended_ms + WORLD_WAIT_MS;
	char what[100] = "";
	while (!drill_look(drill, what))
		if (world_monotonic_ms() > deadline)
			world_fail(drill->world, "no recovery: %s", what);
	uint64_t ms = world_monotonic_ms() - drill->mended_ms;
	drill_row_add(drill->row.recovery, "%s, %s %llu.%llu s", words == NULL ? "by itself" : words, ms < 100 ? "within" : "after",
		      (unsigned long long)(ms < 100 ? 0 : ms / 1000), (unsigned long long)(ms < 100 ? 1 : ms % 1000 / 100));
	drill_work(drill);
	if (drill_query(drill, DRILL_ANSWER_MS) != 0)
		world_fail(drill->world, "cpis query after the fault");
}

// ------------------------------------------------------------------ the end

void drill_end(struct drill *drill)
{
	struct world *world = drill->world;
	const struct ledger *ledgers[] = {&drill->ledger};
	add_log(drill);
	struct ledger_found found = ledger_check(world, drill->store, ledgers, 1, drill->leeds);
	char *checkpoint = strdup(cpis_checkpoint(drill->leeds));
	if (checkpoint == NULL)
		world_fail(world, "out of memory");
	int status = world_stop(world);
	if (status != 0)
		world_fail(world, "the broker ended with status %d", status);
	ledger_verify(world, drill->store, checkpoint);
	free(checkpoint);
	drill_row_add(drill->row.lost, "nothing: %zu acknowledged, %zu accesses notified, log verifies", found.acknowledged, found.accesses);
	drill_row_write(&drill->row);
	printf("%s: peer: %s\n  operator: %s\n  recovery: %s\n  lost: %s\n", drill->row.fault, drill->row.peer, drill->row.operator,
	       drill->row.recovery, drill->row.lost);
	cpis_close(drill->nurse);
	cpis_close(drill->leeds);
	ledger_done(&drill->ledger);
	if (drill->faults != NULL)
		munmap(drill->faults, sizeof *drill->faults);
	if (drill->mounted[0] != '\0' && umount2(drill->mounted, MNT_DETACH) != 0)
		world_fail(world, "%s: %s", drill->mounted, strerror(errno));
	world_free(world);
	free(drill);
}
