// From root to a user, for good (setresuid(2), capabilities(7)).
#include "broker/privileges.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/capability.h>

static bool refuse(char detail[PRIVILEGES_DETAIL_BYTES], const char *user, const char *what)
{
	snprintf(detail, PRIVILEGES_DETAIL_BYTES, "user %.64s: %.200s", user, what);
	return false;
}

static bool read_capabilities(struct __user_cap_data_struct ret[_LINUX_CAPABILITY_U32S_3])
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	return syscall(SYS_capget, &header, ret) == 0;
}

static bool has_no_capability(void)
{
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {0};
	if (!read_capabilities(sets))
		return false;
	for (unsigned i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
		if ((sets[i].effective | sets[i].permitted) != 0)
			return false;
	return true;
}

// Who has it is not held to the limit.
static bool may_lock_anything(void)
{
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {0};
	return read_capabilities(sets) && (sets[CAP_TO_INDEX(CAP_IPC_LOCK)].effective & CAP_TO_MASK(CAP_IPC_LOCK)) != 0;
}

bool privileges_lock_memory(const char *user)
{
	struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
	if (geteuid() == 0)
		(void)setrlimit(RLIMIT_MEMLOCK, &limit); // it is read back
	bool without_limit = getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur == RLIM_INFINITY;
	if (!without_limit && (user != NULL || !may_lock_anything()))
		return false;
	return mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) == 0;
}

static bool is_only(uid_t uid, gid_t gid)
{
	uid_t users[3];
	gid_t groups[3];
	if (getresuid(&users[0], &users[1], &users[2]) != 0 || getresgid(&groups[0], &groups[1], &groups[2]) != 0)
		return false;
	for (unsigned i = 0; i < 3; i++)
		if (users[i] != uid || groups[i] != gid)
			return false;
	return true;
}

static bool leave_root(const struct passwd *entry, const char *user, char detail[PRIVILEGES_DETAIL_BYTES])
{
	uid_t uid = entry->pw_uid;
	gid_t gid = entry->pw_gid;
	if (uid == 0 || gid == 0)
		return refuse(detail, user, "has root's user or group id; name one that has neither");
	if (setgroups(1, &gid) != 0 || setresgid(gid, gid, gid) != 0 || setresuid(uid, uid, uid) != 0)
		return refuse(detail, user, strerror(errno));
	// The kernel sets these back when ids change.
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return refuse(detail, user, strerror(errno));
	if (!is_only(uid, gid) || setresuid((uid_t)-1, 0, (uid_t)-1) == 0 || setresgid((gid_t)-1, 0, (gid_t)-1) == 0 ||
	    !has_no_capability())
		return refuse(detail, user, "root's rights are not gone");
	return true;
}

static bool become(const char *user, char detail[PRIVILEGES_DETAIL_BYTES])
{
	errno = 0;
	const struct passwd *entry = getpwnam(user);
	if (entry == NULL)
		return refuse(detail, user, errno != 0 ? strerror(errno) : "this machine has no such user: useradd --system");
	if (geteuid() == 0)
		return leave_root(entry, user, detail);
	return is_only(entry->pw_uid, getgid()) ||
	       refuse(detail, user, "only root can become somebody else: start as root or as this user");
}

bool privileges_become(const char *user, char detail[PRIVILEGES_DETAIL_BYTES])
{
	if (user != NULL && !become(user, detail))
		return false;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
		return true;
	snprintf(detail, PRIVILEGES_DETAIL_BYTES, "PR_SET_NO_NEW_PRIVS: %s", strerror(errno));
	return false;
}

bool privileges_check(const char *path, enum privileges_need need, const char *user, char detail[PRIVILEGES_DETAIL_BYTES])
{
	static const int modes[] = {
		[PRIVILEGES_READ] = R_OK,
		[PRIVILEGES_WRITE] = R_OK | W_OK,
		[PRIVILEGES_MAKE_FILES] = R_OK | W_OK | X_OK,
	};
	static const char *const verbs[] = {
		[PRIVILEGES_READ] = "read",
		[PRIVILEGES_WRITE] = "written",
		[PRIVILEGES_MAKE_FILES] = "written (files are made and removed in it)",
	};
	if (faccessat(AT_FDCWD, path, modes[need], AT_EACCESS) == 0)
		return true;
	snprintf(detail, PRIVILEGES_DETAIL_BYTES, "%.200s: cannot be %s by the user %.64s (%s): chown it, or let its group", path,
		 verbs[need], user, strerror(errno));
	return false;
}
