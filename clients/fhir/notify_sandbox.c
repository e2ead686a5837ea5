// Landlock (landlock(7)) by its system calls. What later versions of it brought than Debian 12's headers know is named here.
#include "clients/fhir/notify_sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/landlock.h>

#define FS_TRUNCATE (UINT64_C(1) << 14)   // from version 3
#define FS_IOCTL_DEV (UINT64_C(1) << 15)  // 5
#define SCOPE_SIGNAL (UINT64_C(1) << 1)   // 6
#define FS_FROM_1 ((LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1)
#define FS_READS (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)

struct ruleset_attributes {
	uint64_t handled_files, handled_network, scoped;
};

// getaddrinfo(3) and the modules of nsswitch.conf(5) that it loads. What is not there needs no leave.
static const char *const readable[] = {
	"/etc/gai.conf", "/etc/host.conf", "/etc/hosts", "/etc/ld.so.cache", "/etc/nsswitch.conf", "/etc/protocols", "/etc/resolv.conf",
	"/etc/services", "/lib", "/lib64", "/usr/lib",
};

static long version_of_kernel(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
}

bool notify_sandbox_is_there(void)
{
	return version_of_kernel() >= 1;
}

#ifndef CPIS_SANITIZED
static int make_ruleset(long version)
{
	struct ruleset_attributes attributes = {.handled_files = FS_FROM_1};
	if (version >= 2)
		attributes.handled_files |= LANDLOCK_ACCESS_FS_REFER;
	if (version >= 3)
		attributes.handled_files |= FS_TRUNCATE;
	if (version >= 5)
		attributes.handled_files |= FS_IOCTL_DEV;
	if (version >= 6)
		attributes.scoped = SCOPE_SIGNAL;
	return (int)syscall(SYS_landlock_create_ruleset, &attributes, version >= 6 ? sizeof attributes : sizeof attributes.handled_files, 0);
}

static bool allow(int ruleset, const char *path)
{
	struct stat status;
	struct landlock_path_beneath_attr rule = {.parent_fd = open(path, O_PATH | O_CLOEXEC)};
	if (rule.parent_fd < 0)
		return true;
	bool good = fstat(rule.parent_fd, &status) == 0;
	rule.allowed_access = S_ISDIR(status.st_mode) ? FS_READS : LANDLOCK_ACCESS_FS_READ_FILE;
	good = good && syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
	close(rule.parent_fd);
	return good;
}

bool notify_sandbox_enter(char detail[NOTIFY_DETAIL_BYTES])
{
	long version = version_of_kernel();
	if (version < 1)
		return true;
	int ruleset = make_ruleset(version);
	bool good = ruleset >= 0;
	for (size_t i = 0; good && i < sizeof readable / sizeof readable[0]; i++)
		good = allow(ruleset, readable[i]);
	good = good && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
	if (!good)
		snprintf(detail, NOTIFY_DETAIL_BYTES, "Landlock: %s; nothing was sent", strerror(errno));
	if (ruleset >= 0)
		close(ruleset);
	return good;
}
#else
bool notify_sandbox_enter(char detail[NOTIFY_DETAIL_BYTES])
{
	(void)detail;
	return true; // sanitizers read /proc and start a symbolizer
}
#endif
