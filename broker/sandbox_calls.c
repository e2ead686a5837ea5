// System calls, by libseccomp. Three kinds:
//
//	allowed    what the broker, libzmq, SQLite, OpenSSL and the C library do once everything is open
//	deadly     what none of them ever does, and what is tried first by whoever runs code of their own in a process: starting
//	           a program, reading another process, getting rights. The process is killed, and the kernel logs it
//	the rest   ENOSYS, which the kernel logs. Another kernel or C library may have a newer call for an old purpose, and falls
//	           back on the older one at ENOSYS and on nothing at EPERM; ending a service for that, at night, is no defence
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <seccomp.h>

#include "broker/sandbox_priv.h"

// A number below zero is a call that this architecture has not: libseccomp passes over it.

// Memory, threads, waiting, the clock, descriptors that are open, and the way out (abort(3) is a signal to itself).
static const int common_calls[] = {
	SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(readv), SCMP_SYS(writev), SCMP_SYS(close), SCMP_SYS(fstat),
	SCMP_SYS(lseek), SCMP_SYS(fcntl), SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise),
	SCMP_SYS(mlock), SCMP_SYS(munlock), // libsodium, for the keys of each connection
	SCMP_SYS(futex), SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(exit), SCMP_SYS(exit_group),
	SCMP_SYS(sched_yield), SCMP_SYS(sched_getaffinity), SCMP_SYS(sched_getparam), SCMP_SYS(sched_getscheduler),
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack),
	SCMP_SYS(restart_syscall), SCMP_SYS(nanosleep), SCMP_SYS(clock_nanosleep), SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_getres), SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(getrandom), SCMP_SYS(getpid),
	SCMP_SYS(gettid), SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getegid), SCMP_SYS(sysinfo),
	SCMP_SYS(uname), SCMP_SYS(getrlimit), SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait),
	SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_pwait2), SCMP_SYS(eventfd2), SCMP_SYS(poll), SCMP_SYS(ppoll),
	SCMP_SYS(select), SCMP_SYS(pselect6),
	// On connections and socket pairs.
	SCMP_SYS(recvfrom), SCMP_SYS(recvmsg), SCMP_SYS(shutdown),
	SCMP_SYS(getsockopt), SCMP_SYS(setsockopt), SCMP_SYS(getsockname), SCMP_SYS(getpeername),
};

static const int accepting_calls[] = {SCMP_SYS(accept), SCMP_SYS(accept4)};
static const int listening_calls[] = {SCMP_SYS(bind), SCMP_SYS(listen)};

// SQLite, the register's files, endpoint files. Which files, Landlock says.
static const int file_calls[] = {
	SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(newfstatat), SCMP_SYS(statx),
	SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(readlink), SCMP_SYS(readlinkat),
	SCMP_SYS(getcwd), SCMP_SYS(getdents64), SCMP_SYS(pread64), SCMP_SYS(pwrite64), SCMP_SYS(ftruncate),
	SCMP_SYS(fallocate), SCMP_SYS(fsync), SCMP_SYS(fdatasync), SCMP_SYS(flock), SCMP_SYS(unlink), SCMP_SYS(unlinkat),
	SCMP_SYS(rename), SCMP_SYS(renameat), SCMP_SYS(renameat2), SCMP_SYS(fchmod), SCMP_SYS(fchown),
};

// Tried by libraries where they can do without: an error that they know, in place of ENOSYS.
static const int missing_file_calls[] = {SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(stat), SCMP_SYS(access),
					 SCMP_SYS(faccessat), SCMP_SYS(readlink), SCMP_SYS(readlinkat)};
static const int forbidden_calls[] = {SCMP_SYS(ioctl)};

static const int deadly_calls[] = {
	SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(fork), SCMP_SYS(vfork), SCMP_SYS(ptrace),
	SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev), SCMP_SYS(kcmp), SCMP_SYS(pidfd_getfd),
	SCMP_SYS(setuid), SCMP_SYS(setgid), SCMP_SYS(setreuid), SCMP_SYS(setregid), SCMP_SYS(setresuid),
	SCMP_SYS(setresgid), SCMP_SYS(setgroups), SCMP_SYS(setfsuid), SCMP_SYS(setfsgid), SCMP_SYS(capset),
	SCMP_SYS(unshare), SCMP_SYS(setns), SCMP_SYS(chroot), SCMP_SYS(pivot_root), SCMP_SYS(mount), SCMP_SYS(umount2),
	SCMP_SYS(bpf), SCMP_SYS(perf_event_open), SCMP_SYS(userfaultfd), SCMP_SYS(io_uring_setup),
	SCMP_SYS(io_uring_enter), SCMP_SYS(io_uring_register), SCMP_SYS(add_key), SCMP_SYS(request_key),
	SCMP_SYS(keyctl), SCMP_SYS(init_module), SCMP_SYS(finit_module), SCMP_SYS(delete_module),
	SCMP_SYS(kexec_load), SCMP_SYS(kexec_file_load), SCMP_SYS(open_by_handle_at), SCMP_SYS(personality),
	SCMP_SYS(memfd_create), SCMP_SYS(memfd_secret), SCMP_SYS(mknod), SCMP_SYS(mknodat),
};

// The second operand of a comparison that has none is 0: clang asks for it.

// 0, or the negative error of libseccomp.
static int add(scmp_filter_ctx filter, uint32_t action, const int *calls, size_t count)
{
	int status = 0;
	for (size_t i = 0; i < count && status == 0; i++)
		status = seccomp_rule_add(filter, action, calls[i], 0);
	return status;
}
#define ADD(filter, action, calls) add(filter, action, calls, sizeof(calls) / sizeof((calls)[0]))

// Memory that is written cannot be run, and no program is mapped any more.
static int add_memory(scmp_filter_ctx filter)
{
	int status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	if (status == 0)
		status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
					  SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	return status;
}

// Threads, not processes. The C library begins with clone3, whose flags a filter cannot see, and falls back at ENOSYS.
static int add_threads(scmp_filter_ctx filter)
{
	int status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
				      SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
	if (status == 0)
		status = seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, SCMP_SYS(clone), 1,
					  SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));
	if (status == 0)
		status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1, SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME, 0));
	// libzmq sets each new thread's policy to what it is, and aborts when it may not.
	if (status == 0)
		status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(sched_setscheduler), 1,
					  SCMP_A1(SCMP_CMP_EQ, SCHED_OTHER, 0));
	// Signals to itself, by abort(3) and raise(3), and a look at its own limits.
	if (status == 0)
		status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
					  SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0));
	if (status == 0)
		status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 1, SCMP_A2(SCMP_CMP_EQ, 0, 0));
	return status;
}

// With MSG_FASTOPEN they connect, past connect(2) and past Landlock, which looks at that.
static int add_sending(scmp_filter_ctx filter)
{
	int status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(sendto), 1, SCMP_A3(SCMP_CMP_MASKED_EQ, MSG_FASTOPEN, 0));
	if (status == 0)
		status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(sendmsg), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, MSG_FASTOPEN, 0));
	return status;
}

// TCP and nothing beside it: Landlock knows no other protocol's ports, such as multipath TCP's.
static int add_tcp(scmp_filter_ctx filter)
{
	static const int families[] = {AF_INET, AF_INET6}, protocols[] = {0, IPPROTO_TCP};
	int status = 0;
	for (unsigned i = 0; i < 4 && status == 0; i++)
		status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 3,
					  SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[i / 2], 0),
					  SCMP_A1(SCMP_CMP_MASKED_EQ, 0xf, SOCK_STREAM),
					  SCMP_A2(SCMP_CMP_EQ, (scmp_datum_t)protocols[i % 2], 0));
	return status;
}

// The families that libzmq binds. Of the C library's look-ups of interfaces (netlink) and names (nscd) both know this error as
// "there are none": libzmq aborts at any other.
static int add_network(scmp_filter_ctx filter, enum sandbox_network network)
{
	int status = network >= SANDBOX_ACCEPTS ? ADD(filter, SCMP_ACT_ALLOW, accepting_calls) : 0;
	if (status != 0 || network < SANDBOX_LISTENS)
		return status;
	status = add_tcp(filter);
	for (scmp_datum_t family = 0; family < AF_MAX && status == 0; family++)
		if (family != AF_INET && family != AF_INET6)
			status = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EOPNOTSUPP), SCMP_SYS(socket), 1,
						  SCMP_A0(SCMP_CMP_EQ, family, 0));
	return status != 0 ? status : ADD(filter, SCMP_ACT_ALLOW, listening_calls);
}

// A name server is asked by datagrams, two at a time.
static int add_names(scmp_filter_ctx filter)
{
	static const int families[] = {AF_INET, AF_INET6};
	int status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(sendmmsg), 1, SCMP_A3(SCMP_CMP_MASKED_EQ, MSG_FASTOPEN, 0));
	for (unsigned i = 0; i < 2 && status == 0; i++)
		status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2,
					  SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[i], 0),
					  SCMP_A1(SCMP_CMP_MASKED_EQ, 0xf, SOCK_DGRAM));
	return status;
}

static int add_database(scmp_filter_ctx filter, const struct sandbox_options *options)
{
	int status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(connect), 0);
	if (status == 0)
		status = add_tcp(filter);
	if (status == 0 && options->database_by_name)
		status = add_names(filter);
	if (status == 0 && options->database_is_local)
		status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_EQ, AF_UNIX, 0));
	// As in add_network.
	for (scmp_datum_t family = 0; family < AF_MAX && status == 0; family++)
		if (family != AF_INET && family != AF_INET6 && (family != AF_UNIX || !options->database_is_local))
			status = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EOPNOTSUPP), SCMP_SYS(socket), 1,
						  SCMP_A0(SCMP_CMP_EQ, family, 0));
	return status;
}

static int fill(scmp_filter_ctx filter, const struct sandbox_options *options)
{
	int status = ADD(filter, SCMP_ACT_ALLOW, common_calls);
	if (status == 0)
		status = options->profile == SANDBOX_CORE ? ADD(filter, SCMP_ACT_ALLOW, file_calls)
							   : ADD(filter, SCMP_ACT_ERRNO(EACCES), missing_file_calls);
	if (status == 0 && options->profile == SANDBOX_CORE)
		status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socketpair), 1, SCMP_A0(SCMP_CMP_EQ, AF_UNIX, 0));
	if (status == 0)
		status = add_memory(filter);
	if (status == 0)
		status = add_threads(filter);
	if (status == 0)
		status = add_sending(filter);
	if (status == 0)
		status = add_network(filter, options->network);
	if (status == 0)
		status = options->database ? add_database(filter, options) : seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(connect), 0);
	if (status == 0)
		status = ADD(filter, SCMP_ACT_ERRNO(EPERM), forbidden_calls);
	if (status == 0)
		status = ADD(filter, SCMP_ACT_KILL_PROCESS, deadly_calls);
	return status;
}

enum sandbox_outcome sandbox_seccomp(const struct sandbox_options *options, char detail[SANDBOX_DETAIL_BYTES])
{
	// No thread is left out, and what is refused is told in the kernel's log where it can be.
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
	int status = filter == NULL ? -ENOMEM : fill(filter, options);
	if (status == 0)
		status = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	if (status == 0) {
		(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_LOG, 1);
		// Looked up in a tree, and not in the order above.
		(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	}
	bool filled = status == 0;
	if (filled)
		status = seccomp_load(filter);
	seccomp_release(filter);
	if (status == 0) {
		snprintf(detail, SANDBOX_DETAIL_BYTES, "seccomp: %s",
			 options->profile == SANDBOX_CORE ? "the core's calls" : "the front's calls");
		return SANDBOX_DONE;
	}
	snprintf(detail, SANDBOX_DETAIL_BYTES, "seccomp: %s: the process can make every system call", strerror(-status));
	return filled && (status == -EINVAL || status == -ENOSYS || status == -ECANCELED) ? SANDBOX_WITHOUT : SANDBOX_FAILED;
}
