// What a process inside the sandbox can and cannot do, tried for real: each attempt in a process of its own.
#include "broker/sandbox.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <seccomp.h>

#include "tests/harness/edge.h"

#define CANNOT_ENTER 200
#define WORKED 0 // else an attempt returns its errno

static char home[] = "/tmp/cpis-sandbox-XXXXXX";
static char store[64], config[64], beside[64], kept[96], other[96];

static void write_text(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");
	ck_assert_ptr_nonnull(file);
	ck_assert(fputs(text, file) >= 0 && fclose(file) == 0);
}

static void make_files(void)
{
	ck_assert_ptr_nonnull(mkdtemp(home));
	snprintf(store, sizeof store, "%s/store", home);
	snprintf(config, sizeof config, "%s/config", home);
	snprintf(beside, sizeof beside, "%s/beside", home);
	snprintf(kept, sizeof kept, "%s/kept", config);
	snprintf(other, sizeof other, "%s/other", beside);
	ck_assert(mkdir(store, 0700) == 0 && mkdir(config, 0700) == 0 && mkdir(beside, 0700) == 0);
	write_text(kept, "register\n");
	write_text(other, "somebody's\n");
}

static void remove_files(void)
{
	char command[128];
	snprintf(command, sizeof command, "rm -rf %s", home);
	ck_assert_int_eq(system(command), 0);
}

static struct sandbox_options core_options(void)
{
	return (struct sandbox_options){
		.mode = SANDBOX_REQUIRED,
		.profile = SANDBOX_CORE,
		.network = SANDBOX_LISTENS,
		.paths = {{store, true}, {config, false}},
		.path_count = 2,
		.ports = {0},
		.port_count = 1,
	};
}

static int open_to(const char *path, int flags)
{
	int file = open(path, flags | O_CLOEXEC, 0600);
	return file >= 0 ? WORKED : errno;
}

static int read_passwd(void)
{
	return open_to("/etc/passwd", O_RDONLY);
}

#ifndef CPIS_SANITIZED

// ------------------------------------------------------------------ attempts

typedef int attempt(void);

static void enter(bool files, bool calls)
{
	struct sandbox_options options = core_options();
	char detail[SANDBOX_DETAIL_BYTES] = "";
	if ((files && sandbox_limit_files(&options, detail) != SANDBOX_DONE) ||
	    (calls && sandbox_limit_calls(&options, detail) != SANDBOX_DONE)) {
		fprintf(stderr, "%s\n", detail);
		_exit(CANNOT_ENTER);
	}
}

// The exit status of a process that tries it inside.
static int status_of(attempt *function, bool files, bool calls)
{
	int status = 0;
	fflush(NULL);
	pid_t child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		enter(files, calls);
		_exit(function());
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	return status;
}

static void answers(attempt *function, int expected)
{
	int status = status_of(function, true, true);
	ck_assert_msg(WIFEXITED(status), "killed by signal %d", WTERMSIG(status));
	ck_assert_int_eq(WEXITSTATUS(status), expected);
}

static void is_killed(attempt *function)
{
	int status = status_of(function, true, true);
	ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS, "status %x", (unsigned)status);
}

static int read_register(void)
{
	return open_to(kept, O_RDONLY);
}

static int write_register(void)
{
	return open_to(kept, O_WRONLY);
}

static int cut_register(void)
{
	return open_to(kept, O_RDWR | O_TRUNC);
}

static int remove_register(void)
{
	return unlink(kept) == 0 ? WORKED : errno;
}

static int read_beside(void)
{
	return open_to(other, O_RDONLY);
}

static int make_beside(void)
{
	char path[96];
	snprintf(path, sizeof path, "%s/new", beside);
	return open_to(path, O_WRONLY | O_CREAT);
}

static int make_above(void)
{
	char path[96];
	snprintf(path, sizeof path, "%s/new", home);
	return open_to(path, O_WRONLY | O_CREAT);
}

static int carry_out_of_store(void)
{
	char from[96], to[96];
	snprintf(from, sizeof from, "%s/carried", store);
	snprintf(to, sizeof to, "%s/carried", beside);
	int made = open_to(from, O_WRONLY | O_CREAT);
	return made != WORKED ? made : rename(from, to) == 0 ? WORKED : errno;
}

// All that SQLite and the endpoint files need.
static int use_store(void)
{
	char path[96], aside[96];
	snprintf(path, sizeof path, "%s/cpis.db", store);
	snprintf(aside, sizeof aside, "%s/cpis.db.new", store);
	int file = open(aside, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	struct flock lock = {.l_type = F_WRLCK};
	if (file < 0 || fcntl(file, F_SETLK, &lock) != 0 || pwrite(file, "bytes", 5, 100) != 5 || ftruncate(file, 50) != 0 ||
	    fsync(file) != 0 || fdatasync(file) != 0 || mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0) == MAP_FAILED)
		return errno;
	return close(file) == 0 && rename(aside, path) == 0 && open_to(path, O_RDWR | O_TRUNC) == WORKED && unlink(path) == 0
		       ? WORKED
		       : errno;
}

static int start_program(void)
{
	execl("/bin/true", "true", NULL);
	return errno;
}

static int start_process(void)
{
	pid_t child = fork();
	if (child == 0)
		_exit(0);
	return child > 0 ? WORKED : errno;
}

static int trace_parent(void)
{
	return ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) == 0 ? WORKED : errno;
}

static int become_root_again(void)
{
	return setresuid(0, 0, 0) == 0 ? WORKED : errno;
}

static int signal_parent(void)
{
	return kill(getppid(), 0) == 0 ? WORKED : errno;
}

static int run_written_memory(void)
{
	void *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return memory == MAP_FAILED ? CANNOT_ENTER : mprotect(memory, 4096, PROT_READ | PROT_EXEC) == 0 ? WORKED : errno;
}

// RFC 5737: an address that is nobody's.
static int connect_outside(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(80)};
	inet_pton(AF_INET, "192.0.2.1", &address.sin_addr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	return fd < 0 ? CANNOT_ENTER : connect(fd, (struct sockaddr *)&address, sizeof address) == 0 ? WORKED : errno;
}

static int open_unix_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) >= 0 ? WORKED : errno;
}

static int open_datagram_socket(void)
{
	return socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0) >= 0 ? WORKED : errno;
}

static int bind_to(uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return fd < 0 ? CANNOT_ENTER : bind(fd, (struct sockaddr *)&address, sizeof address) == 0 ? WORKED : errno;
}

static int bind_free_port(void)
{
	return bind_to(0);
}

static int bind_other_port(void)
{
	return bind_to(4420);
}

// A database's port, and another one. Nobody listens at either.
#define DATABASE_PORT 5433u

static int open_multipath_socket(void)
{
	return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_MPTCP) >= 0 ? WORKED : errno;
}

// Connects without connect(2).
static int send_with_first_packet(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(DATABASE_PORT + 1)};
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return fd < 0 ? CANNOT_ENTER
		      : sendto(fd, "x", 1, MSG_FASTOPEN | MSG_NOSIGNAL, (struct sockaddr *)&address, sizeof address) >= 0 ? WORKED : errno;
}

static int send_message_with_first_packet(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(DATABASE_PORT + 1)};
	struct iovec data = {"x", 1};
	struct msghdr message = {.msg_name = &address, .msg_namelen = sizeof address, .msg_iov = &data, .msg_iovlen = 1};
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return fd < 0 ? CANNOT_ENTER : sendmsg(fd, &message, MSG_FASTOPEN | MSG_NOSIGNAL) >= 0 ? WORKED : errno;
}

static void *do_nothing(void *context)
{
	return context;
}

static int start_thread(void)
{
	pthread_t thread;
	int error = pthread_create(&thread, NULL, do_nothing, NULL);
	return error == 0 ? pthread_join(thread, NULL) : error;
}

START_TEST(files_that_the_broker_needs_and_no_others)
{
	answers(use_store, WORKED);
	answers(read_register, WORKED);
	answers(write_register, EACCES);
	answers(cut_register, EACCES);
	answers(remove_register, EACCES);
	answers(read_passwd, EACCES);
	answers(read_beside, EACCES);
	answers(make_beside, EACCES);
	answers(make_above, EACCES);
	// EXDEV is Landlock's word for a move that would change what may be done with a file.
	int status = status_of(carry_out_of_store, true, true);
	ck_assert(WIFEXITED(status) && (WEXITSTATUS(status) == EACCES || WEXITSTATUS(status) == EXDEV));
}
END_TEST

START_TEST(no_program_no_process_no_tracing_no_rights)
{
	is_killed(start_program);
	is_killed(start_process);
	is_killed(trace_parent);
	is_killed(become_root_again);
	answers(signal_parent, ENOSYS);
	answers(run_written_memory, ENOSYS);
	answers(start_thread, WORKED);
}
END_TEST

START_TEST(no_connection_to_anywhere)
{
	answers(connect_outside, EPERM);
	answers(open_unix_socket, EOPNOTSUPP);
	answers(open_datagram_socket, ENOSYS);
	answers(open_multipath_socket, ENOSYS);
	answers(send_with_first_packet, ENOSYS);
	answers(send_message_with_first_packet, ENOSYS);
	answers(bind_free_port, WORKED);
	// Either way holds without the other.
	int status = status_of(connect_outside, true, false);
	ck_assert(WIFEXITED(status) && (WEXITSTATUS(status) == EACCES || syscall(SYS_landlock_create_ruleset, NULL, 0, 1) < 4));
	status = status_of(bind_other_port, true, false);
	ck_assert(WIFEXITED(status) && (WEXITSTATUS(status) == EACCES || syscall(SYS_landlock_create_ruleset, NULL, 0, 1) < 4));
	status = status_of(read_passwd, false, true);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == WORKED);
}
END_TEST

static int connect_to(uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return fd < 0 ? CANNOT_ENTER : connect(fd, (struct sockaddr *)&address, sizeof address) == 0 ? WORKED : errno;
}

static int connect_to_database(void)
{
	return connect_to(DATABASE_PORT);
}

static int connect_beside_database(void)
{
	return connect_to(DATABASE_PORT + 1);
}

static int open_netlink_socket(void)
{
	return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0) >= 0 ? WORKED : errno;
}

static int bind_as_database_client(void)
{
	return bind_to(0);
}

static bool database_is_local, database_by_name;

static void answers_with_database(attempt *function, int expected)
{
	struct sandbox_options options = core_options();
	char detail[SANDBOX_DETAIL_BYTES] = "";
	int status = 0;
	options.network = SANDBOX_NO_NETWORK;
	options.database = true;
	options.database_ports[0] = DATABASE_PORT;
	options.database_port_count = 1;
	options.database_is_local = database_is_local;
	options.database_by_name = database_by_name;
	fflush(NULL);
	pid_t child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0)
		_exit(sandbox_limit_files(&options, detail) == SANDBOX_DONE && sandbox_limit_calls(&options, detail) == SANDBOX_DONE
			      ? function()
			      : CANNOT_ENTER);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == expected, "status %x, not exit %d", (unsigned)status, expected);
}

START_TEST(a_core_with_a_database_connects_to_it_and_to_nothing_else)
{
	bool has_ports = syscall(SYS_landlock_create_ruleset, NULL, 0, 1) >= 4;
	answers_with_database(connect_to_database, ECONNREFUSED);
	answers_with_database(connect_beside_database, has_ports ? EACCES : ECONNREFUSED);
	answers_with_database(open_unix_socket, EOPNOTSUPP);
	answers_with_database(open_datagram_socket, ENOSYS);
	answers_with_database(open_multipath_socket, ENOSYS);
	answers_with_database(send_with_first_packet, ENOSYS);
	answers_with_database(send_message_with_first_packet, ENOSYS);
	// What it needs for a Unix socket, or for a name, it has only then.
	database_is_local = database_by_name = true;
	answers_with_database(open_unix_socket, WORKED);
	answers_with_database(open_datagram_socket, WORKED);
	answers_with_database(open_multipath_socket, ENOSYS);
	answers_with_database(send_with_first_packet, ENOSYS);
	answers_with_database(open_netlink_socket, EOPNOTSUPP);
	answers_with_database(bind_as_database_client, ENOSYS);
	answers_with_database(read_passwd, EACCES);
}
END_TEST

// A thread that was there before, as libzmq's are.
static pthread_barrier_t barrier;

static void *start_program_when_told(void *context)
{
	pthread_barrier_wait(&barrier);
	start_program();
	return context;
}

START_TEST(threads_that_were_there_before_are_limited_too)
{
	int status = 0;
	fflush(NULL);
	pid_t child = fork();
	if (child == 0) {
		pthread_t thread;
		if (pthread_barrier_init(&barrier, NULL, 2) != 0 ||
		    pthread_create(&thread, NULL, start_program_when_told, NULL) != 0)
			_exit(CANNOT_ENTER);
		enter(false, true);
		pthread_barrier_wait(&barrier);
		_exit(pthread_join(thread, NULL));
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
}
END_TEST

// ------------------------------------------------------------------ a kernel that has neither

static int answer_without(int call, bool files, enum sandbox_mode mode)
{
	struct sandbox_options options = core_options();
	char detail[SANDBOX_DETAIL_BYTES] = "";
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	if (filter == NULL || seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), call, 0) != 0 || seccomp_load(filter) != 0)
		return CANNOT_ENTER;
	options.mode = mode;
	enum sandbox_outcome outcome = files ? sandbox_limit_files(&options, detail) : sandbox_limit_calls(&options, detail);
	return detail[0] == '\0' ? CANNOT_ENTER : (int)outcome;
}

static void lacks(int call, bool files, enum sandbox_mode mode, enum sandbox_outcome expected)
{
	int status = 0;
	fflush(NULL);
	pid_t child = fork();
	if (child == 0)
		_exit(answer_without(call, files, mode));
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), (int)expected);
}

START_TEST(a_kernel_that_cannot_is_told_or_refused)
{
	lacks(SCMP_SYS(landlock_create_ruleset), true, SANDBOX_BEST_EFFORT, SANDBOX_WITHOUT);
	lacks(SCMP_SYS(landlock_create_ruleset), true, SANDBOX_REQUIRED, SANDBOX_FAILED);
	lacks(SCMP_SYS(seccomp), false, SANDBOX_BEST_EFFORT, SANDBOX_WITHOUT);
	lacks(SCMP_SYS(seccomp), false, SANDBOX_REQUIRED, SANDBOX_FAILED);
}
END_TEST

START_TEST(a_directory_that_is_not_there_is_named)
{
	struct sandbox_options options = core_options();
	char detail[SANDBOX_DETAIL_BYTES] = "";
	options.mode = SANDBOX_BEST_EFFORT;
	options.paths[1].path = "/tmp/cpis-sandbox-is-not-there";
	ck_assert_int_eq(sandbox_limit_files(&options, detail), SANDBOX_FAILED);
	ck_assert_str_eq(detail, "Landlock: /tmp/cpis-sandbox-is-not-there: No such file or directory");
}
END_TEST

// ------------------------------------------------------------------ the front

// Everything real and inside: ROUTER over CURVE with its ZAP handler. Tells its endpoint, and answers with what it is told until
// it is told to stop.
static int serve_front(struct edge *edge, int tell_fd, int stop_fd)
{
	struct sandbox_options options = {.mode = SANDBOX_REQUIRED,
					  .profile = SANDBOX_FRONT,
					  .network = SANDBOX_LISTENS,
					  .port_count = 1}; // 0: any that is free
	char detail[SANDBOX_DETAIL_BYTES] = "";
	if (sandbox_limit_files(&options, detail) != SANDBOX_DONE)
		return 5;
	edge_start_context(edge);
	edge_start_handler(edge);
	edge_open_transport(edge);
	const char *endpoint = transport_endpoint(edge->transport);
	if (sandbox_limit_calls(&options, detail) != SANDBOX_DONE || write(tell_fd, endpoint, strlen(endpoint)) < 0)
		return 1;
	if (read_passwd() != EACCES || read_register() != EACCES || use_store() != EACCES || connect_outside() != EPERM)
		return 2;
	for (char byte;;) {
		struct transport_message message;
		transport_wait(&edge->transport, 1, stop_fd, POLLIN, -1);
		if (transport_receive(edge->transport, &message)) {
			if (!transport_send(edge->transport, &message.peer, message.data, message.bytes))
				return 3;
			transport_message_done(&message);
		} else if (read(stop_fd, &byte, 1) == 0) {
			break;
		}
	}
	// As when strangers have taken up too much: another socket, in the place of the one that is closed.
	struct transport *again = NULL;
	struct transport_options enrolling = edge_transport_options(edge, ZAP_ENROLLING);
	if (!transport_open(&enrolling, &again, edge->detail))
		return 4;
	transport_close(again);
	transport_close(edge->transport);
	zap_stop(edge->zap);
	transport_context_free(edge->context);
	return 0;
}

START_TEST(the_front_serves_without_a_file_system)
{
	struct edge *edge = edge_new();
	int tell[2], stop[2], status = 0;
	char endpoint[TRANSPORT_ENDPOINT_BYTES] = "";
	ck_assert(pipe2(tell, O_CLOEXEC) == 0 && pipe2(stop, O_CLOEXEC) == 0);
	fflush(NULL);
	pid_t child = fork();
	if (child == 0) {
		close(stop[1]);
		_exit(serve_front(edge, tell[1], stop[0]));
	}
	close(tell[1]);
	close(stop[0]);
	ck_assert_int_gt(read(tell[0], endpoint, sizeof endpoint - 1), 0);
	const struct curve_key_pair *key = &edge->enrolment->keys[ENROLMENT_HOSPITAL];
	struct raw_curve_options options = {
		.endpoint = endpoint,
		.server_public = edge->enrolment->broker.public_key,
		.public_key = key->public_key,
		.secret_key = key->secret_key,
	};
	for (unsigned i = 0; i < 10; i++) {
		struct raw_curve *client = edge_connect_with(&options);
		edge_say(client, "is the child known?");
		edge_assert_hears(client, "is the child known?");
		raw_curve_close(client);
	}
	close(stop[1]);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %x", (unsigned)status);
	close(tell[0]);
	edge_free(edge);
}
END_TEST

#else

START_TEST(a_sanitized_build_says_that_it_is_not_limited)
{
	struct sandbox_options options = core_options();
	char detail[SANDBOX_DETAIL_BYTES] = "";
	ck_assert_int_eq(sandbox_limit_calls(&options, detail), SANDBOX_FAILED);
	options.mode = SANDBOX_BEST_EFFORT;
	ck_assert_int_eq(sandbox_limit_files(&options, detail), SANDBOX_WITHOUT);
	ck_assert_ptr_nonnull(strstr(detail, "sanitizer"));
}
END_TEST

#endif

START_TEST(switched_off_it_says_so)
{
	struct sandbox_options options = core_options();
	char detail[SANDBOX_DETAIL_BYTES] = "";
	options.mode = SANDBOX_OFF;
	ck_assert_int_eq(sandbox_limit_files(&options, detail), SANDBOX_WITHOUT);
	ck_assert_ptr_nonnull(strstr(detail, "switched off"));
	ck_assert_int_eq(sandbox_limit_calls(&options, detail), SANDBOX_WITHOUT);
	ck_assert_int_eq(read_passwd(), WORKED);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sandbox");
	TCase *tests = tcase_create("sandbox");
	tcase_set_timeout(tests, 60);
	tcase_add_unchecked_fixture(tests, make_files, remove_files);
	tcase_add_test(tests, switched_off_it_says_so);
#ifndef CPIS_SANITIZED
	tcase_add_test(tests, files_that_the_broker_needs_and_no_others);
	tcase_add_test(tests, no_program_no_process_no_tracing_no_rights);
	tcase_add_test(tests, no_connection_to_anywhere);
	tcase_add_test(tests, a_core_with_a_database_connects_to_it_and_to_nothing_else);
	tcase_add_test(tests, threads_that_were_there_before_are_limited_too);
	tcase_add_test(tests, a_kernel_that_cannot_is_told_or_refused);
	tcase_add_test(tests, a_directory_that_is_not_there_is_named);
	tcase_add_test(tests, the_front_serves_without_a_file_system);
#else
	tcase_add_test(tests, a_sanitized_build_says_that_it_is_not_limited);
#endif
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
