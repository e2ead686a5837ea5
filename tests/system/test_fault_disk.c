// The disk under the store: full, read-only, failing in each call, lying about a length. Nobody is answered whose record is not
// durable, each is told to try again, and nothing that was acknowledged is lost.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <check.h>

#include "tests/harness/drill.h"

#define DISK_KB 4096u
#define LOOKS_MAX 2000u // the log is brought back after some 100

// All that is left on the store's file system. Returns the path of what takes it.
static const char *fill(struct drill *drill)
{
	static char zeros[4096];
	const char *path = world_path(drill->world, "disk/ballast");
	int file = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	ck_assert_int_ge(file, 0);
	while (write(file, zeros, sizeof zeros) > 0)
		;
	ck_assert_int_eq(errno, ENOSPC);
	close(file);
	return path;
}

START_TEST(a_full_disk_refuses_and_goes_on_when_there_is_room)
{
	drill_unshare(false);
	struct drill *drill = drill_new(10, "disk full", "the store on a tmpfs of 4 MB, filled");
	drill_mount(drill, DRILL_TMPFS, DISK_KB);
	drill_start(drill);
	drill_fault(drill);
	const char *ballast = fill(drill);
	char what[100];
	// The write-ahead log may have room for a few more within its last page.
	while (drill_look(drill, what))
		;
	drill_refused(drill);
	ck_assert_int_eq(unlink(ballast), 0);
	drill_mended(drill);
	drill_recovers(drill, NULL);
	drill_end(drill);
}
END_TEST

START_TEST(a_broker_does_not_start_on_a_full_disk_and_says_so)
{
	drill_unshare(false);
	struct drill *drill = drill_new(11, "disk full at the start", "the same, and the broker started again");
	drill_mount(drill, DRILL_TMPFS, DISK_KB);
	drill_start(drill);
	ck_assert_int_eq(world_stop(drill->world), 0);
	drill_fault(drill);
	const char *ballast = fill(drill);
	drill_does_not_start(drill);
	ck_assert_int_eq(drill_query(drill, "1000"), 2);
	ck_assert_int_eq(unlink(ballast), 0);
	drill_mended(drill);
	drill_restart(drill);
	drill_recovers(drill, "room made, the broker started");
	drill_end(drill);
}
END_TEST

// What the kernel does when a disk fails: nothing of that file system can be written any more, through open files either.
START_TEST(a_file_system_that_became_read_only_refuses_until_it_is_mounted_anew)
{
	drill_unshare(false);
	struct drill *drill = drill_new(12, "file system read-only", "the store on ext4 on a loop device, `mount -o remount,abort`");
	drill_mount(drill, DRILL_EXT4, 8 * DISK_KB);
	drill_start(drill);
	drill_fault(drill);
	drill_ext4_abort(drill);
	drill_refused(drill);
	ck_assert_int_eq(world_stop(drill->world), 0);
	drill_does_not_start(drill);
	drill_mended(drill);
	drill_ext4_anew(drill);
	drill_restart(drill);
	drill_recovers(drill, "mounted anew, the broker started");
	drill_end(drill);
}
END_TEST

// ------------------------------------------------------------------ single calls

// All calls of one kind fail while somebody asks, and then they work again.
static void rehearse_calls(unsigned place, const char *fault, const char *made, enum store_faults_call call, int error, int half)
{
	struct drill *drill = drill_new(place, fault, made);
	drill_shim(drill);
	drill_start(drill);
	drill_fault(drill);
	struct store_faults_of *of = &drill->faults->calls[call];
	of->half = half;
	of->error = error;
	drill_refused(drill);
	ck_assert_uint_gt(of->seen, 0);
	of->error = of->half = 0;
	drill_mended(drill);
	drill_recovers(drill, NULL);
	drill_end(drill);
}

START_TEST(a_flush_that_fails_answers_nobody)
{
	rehearse_calls(20, "fsync fails", "`fdatasync` and `fsync` of the store return EIO", STORE_FAULTS_SYNC, EIO, 0);
}
END_TEST

// What the database was given is not written again by asking once more: the broker ends, and its start has it from the log.
START_TEST(a_database_that_cannot_be_flushed_ends_the_broker)
{
	struct drill *drill = drill_new(25, "fsync of the database fails", "`fdatasync` and `fsync` of the database return EIO, those of its log do not");
	char what[100];
	int status = 0;
	drill_shim(drill);
	drill_start(drill);
	drill_fault(drill);
	drill->faults->but_log = 1;
	drill->faults->calls[STORE_FAULTS_SYNC].error = EIO;
	for (unsigned i = 0; i < LOOKS_MAX && drill_look(drill, what); i++)
		;
	ck_assert(world_wait_exit(drill->world, WORLD_WAIT_MS, &status));
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	drill_silent(drill);
	drill->faults->calls[STORE_FAULTS_SYNC].error = 0;
	drill_mended(drill);
	drill_restart(drill);
	drill_recovers(drill, "the broker started anew");
	drill_end(drill);
}
END_TEST

START_TEST(a_write_that_fails_answers_nobody)
{
	rehearse_calls(21, "writes fail", "`pwrite` of the store returns EIO", STORE_FAULTS_WRITE, EIO, 0);
}
END_TEST

START_TEST(a_write_that_is_torn_is_not_taken_for_one_that_was_done)
{
	rehearse_calls(22, "writes are torn", "`pwrite` of the store writes half and returns ENOSPC", STORE_FAULTS_WRITE, ENOSPC, 1);
}
END_TEST

// SQLite writes the rest: nobody notices.
START_TEST(short_writes_and_reads_are_completed)
{
	struct drill *drill = drill_new(23, "short writes and reads", "`pwrite` and `pread` of the store do half of what they are asked");
	drill_shim(drill);
	drill_start(drill);
	drill_fault(drill);
	drill->faults->calls[STORE_FAULTS_WRITE].half = 1;
	drill->faults->calls[STORE_FAULTS_READ].half = 1;
	drill_work(drill);
	ck_assert_uint_gt(drill->faults->calls[STORE_FAULTS_WRITE].seen, 0);
	drill_unnoticed(drill);
	drill_end(drill);
}
END_TEST

// A broker that was just started has hardly a page in memory.
START_TEST(a_read_that_fails_answers_nobody)
{
	struct drill *drill = drill_new(24, "reads fail", "`pread` of the store returns EIO, after a start");
	drill_shim(drill);
	drill_start(drill);
	ck_assert_int_eq(world_stop(drill->world), 0);
	drill_restart(drill);
	drill_fault(drill);
	drill->faults->calls[STORE_FAULTS_READ].error = EIO;
	drill_refused(drill);
	ck_assert_uint_gt(drill->faults->calls[STORE_FAULTS_READ].seen, 0);
	drill->faults->calls[STORE_FAULTS_READ].error = 0;
	drill_mended(drill);
	drill_recovers(drill, NULL);
	drill_end(drill);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fault_disk");
	TCase *disk = tcase_create("disk"), *calls = tcase_create("calls");
	tcase_set_timeout(disk, 120);
	tcase_set_timeout(calls, 120);
	tcase_add_test(disk, a_full_disk_refuses_and_goes_on_when_there_is_room);
	tcase_add_test(disk, a_broker_does_not_start_on_a_full_disk_and_says_so);
	tcase_add_test(disk, a_file_system_that_became_read_only_refuses_until_it_is_mounted_anew);
	tcase_add_test(calls, a_flush_that_fails_answers_nobody);
	tcase_add_test(calls, a_database_that_cannot_be_flushed_ends_the_broker);
	tcase_add_test(calls, a_write_that_fails_answers_nobody);
	tcase_add_test(calls, a_write_that_is_torn_is_not_taken_for_one_that_was_done);
	tcase_add_test(calls, short_writes_and_reads_are_completed);
	tcase_add_test(calls, a_read_that_fails_answers_nobody);
	suite_add_tcase(suite, disk);
	suite_add_tcase(suite, calls);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
