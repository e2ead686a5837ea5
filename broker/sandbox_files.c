// Landlock (landlock(7), Documentation/userspace-api/landlock.rst) by its system calls: Debian 12 has no library for it, and its
// headers end at the second version of the interface. What later ones brought is named here and asked for where the kernel has it.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/landlock.h>

#include "broker/sandbox_priv.h"

#define FS_TRUNCATE (UINT64_C(1) << 14)         // from version 3
#define NET_BIND_TCP (UINT64_C(1) << 0)         // 4
#define NET_CONNECT_TCP (UINT64_C(1) << 1)      // 4
#define FS_IOCTL_DEV (UINT64_C(1) << 15)        // 5
#define SCOPE_ABSTRACT_UNIX (UINT64_C(1) << 0)  // 6
#define SCOPE_SIGNAL (UINT64_C(1) << 1)         // 6
#define RULE_NET_PORT 2

struct ruleset_attributes {
	uint64_t handled_files, handled_network, scoped;
};
struct port_attributes {
	uint64_t allowed, port;
};

#define FS_ALL_FROM_1                                                                                                \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE |                  \
	 LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |               \
	 LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |                   \
	 LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |                \
	 LANDLOCK_ACCESS_FS_MAKE_SYM)
#define FS_READS (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define FS_WRITES                                                                                           \
	(FS_READS | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |   \
	 LANDLOCK_ACCESS_FS_REMOVE_FILE | FS_TRUNCATE)

static void list_handled(const struct sandbox_options *options, long version, struct ruleset_attributes *ret)
{
	*ret = (struct ruleset_attributes){.handled_files = FS_ALL_FROM_1};
	if (version >= 2)
		ret->handled_files |= LANDLOCK_ACCESS_FS_REFER;
	if (version >= 3)
		ret->handled_files |= FS_TRUNCATE;
	if (version >= 5)
		ret->handled_files |= FS_IOCTL_DEV;
	if (version >= 4)
		ret->handled_network = (options->any_port ? 0 : NET_BIND_TCP) | (options->connects ? 0 : NET_CONNECT_TCP);
	if (version >= 6)
		ret->scoped = SCOPE_ABSTRACT_UNIX | SCOPE_SIGNAL;
}

static size_t attributes_bytes(long version)
{
	return version >= 6 ? sizeof(struct ruleset_attributes) : version >= 4 ? 2 * sizeof(uint64_t) : sizeof(uint64_t);
}

static bool allow_path(int ruleset, const struct sandbox_path *path, uint64_t handled, char detail[SANDBOX_DETAIL_BYTES])
{
	struct landlock_path_beneath_attr rule = {
		.allowed_access = (path->writes ? FS_WRITES : FS_READS) & handled,
		.parent_fd = open(path->path, O_PATH | O_CLOEXEC | O_DIRECTORY),
	};
	// What this user cannot enter it needs no leave for, and gets none: a file that SIGHUP would read again may lie there.
	if (rule.parent_fd < 0 && errno == EACCES && !path->writes)
		return true;
	bool good = rule.parent_fd >= 0 && syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
	if (!good)
		snprintf(detail, SANDBOX_DETAIL_BYTES, "Landlock: %.300s: %s", path->path, strerror(errno));
	if (rule.parent_fd >= 0)
		close(rule.parent_fd);
	return good;
}

static bool allow_port(int ruleset, uint64_t what, uint16_t port, char detail[SANDBOX_DETAIL_BYTES])
{
	struct port_attributes rule = {.allowed = what, .port = port};
	if (syscall(SYS_landlock_add_rule, ruleset, RULE_NET_PORT, &rule, 0) == 0)
		return true;
	snprintf(detail, SANDBOX_DETAIL_BYTES, "Landlock: TCP port %u: %s", port, strerror(errno));
	return false;
}

static bool allow_all(int ruleset, const struct sandbox_options *options, const struct ruleset_attributes *handled,
		      char detail[SANDBOX_DETAIL_BYTES])
{
	for (size_t i = 0; i < options->path_count; i++)
		if (!allow_path(ruleset, &options->paths[i], handled->handled_files, detail))
			return false;
	for (size_t i = 0; i < options->port_count && (handled->handled_network & NET_BIND_TCP) != 0; i++)
		if (!allow_port(ruleset, NET_BIND_TCP, options->ports[i], detail))
			return false;
	for (size_t i = 0; i < options->database_port_count && (handled->handled_network & NET_CONNECT_TCP) != 0; i++)
		if (!allow_port(ruleset, NET_CONNECT_TCP, options->database_ports[i], detail))
			return false;
	return true;
}

enum sandbox_outcome sandbox_landlock(const struct sandbox_options *options, char detail[SANDBOX_DETAIL_BYTES])
{
	struct ruleset_attributes handled;
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	if (version < 1) {
		snprintf(detail, SANDBOX_DETAIL_BYTES,
			 "this kernel has no Landlock (%s): the process can reach every file that its user can", strerror(errno));
		return SANDBOX_WITHOUT;
	}
	list_handled(options, version, &handled);
	int ruleset = (int)syscall(SYS_landlock_create_ruleset, &handled, attributes_bytes(version), 0);
	if (ruleset < 0) {
		snprintf(detail, SANDBOX_DETAIL_BYTES, "Landlock: %s", strerror(errno));
		return SANDBOX_FAILED;
	}
	enum sandbox_outcome outcome = SANDBOX_FAILED;
	if (!allow_all(ruleset, options, &handled, detail))
		;
	else if (syscall(SYS_landlock_restrict_self, ruleset, 0) != 0)
		snprintf(detail, SANDBOX_DETAIL_BYTES, "Landlock: %s", strerror(errno));
	else
		outcome = SANDBOX_DONE;
	close(ruleset);
	if (outcome == SANDBOX_DONE)
		snprintf(detail, SANDBOX_DETAIL_BYTES, "Landlock %ld: %zu directories%s", version, options->path_count,
			 version < 3 ? ", where files can be cut short that cannot be written" : "");
	return outcome;
}
