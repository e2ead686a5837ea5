// The disk under the store: full, read-only, failing in each call, lying about a length. Nobody is answered whose record is not
// durable, each is told to try again, and nothing that was acknowledged is lost.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <check.h>

#include "tests/harness/drill.h"

#define DISK_KB 4096u

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

int main(void)
{
	Suite *suite = suite_create("fault_disk");
	TCase *disk = tcase_create("disk");
	tcase_set_timeout(disk, 120);
	tcase_add_test(disk, a_full_disk_refuses_and_goes_on_when_there_is_room);
	suite_add_tcase(suite, disk);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
