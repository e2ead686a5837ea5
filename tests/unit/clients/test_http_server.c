// The gateways' HTTP server, before anybody speaks TLS to it: what its connections are like, and what it does not listen on.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clients/http/server.h"
#include "tests/harness/suite.h"

static void answer(void *context, unsigned worker, struct visit *visit)
{
	(void)context;
	(void)worker;
	(void)visit;
}

static bool open_at(uint16_t port, struct server **ret, char detail[SERVER_DETAIL_BYTES])
{
	const struct server_options options = {
		.address = "127.0.0.1",
		.port = port,
		.web_host = "localhost",
		.name = "test",
		.workers = 1,
		.handler = answer,
	};
	return server_new(&options, ret, detail);
}

// This process's descriptor that listens on the port.
static int listening_on(uint16_t port)
{
	for (int fd = 3; fd < 64; fd++) {
		struct sockaddr_in address;
		socklen_t bytes = sizeof address, listens_bytes = sizeof(int);
		int listens = 0;
		if (getsockname(fd, (struct sockaddr *)&address, &bytes) == 0 && address.sin_family == AF_INET && ntohs(address.sin_port) == port &&
		    getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &listens_bytes) == 0 && listens)
			return fd;
	}
	return -1;
}

START_TEST(an_answer_does_not_wait_for_the_callers_acknowledgement)
{
	char detail[SERVER_DETAIL_BYTES] = "";
	struct server *server = NULL;
	ck_assert_msg(open_at(0, &server, detail), "%s", detail);
	struct sockaddr_in there = {.sin_family = AF_INET, .sin_port = htons(server_port(server)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int listening = listening_on(server_port(server)), caller = socket(AF_INET, SOCK_STREAM, 0), at_once = 0;
	socklen_t bytes = sizeof at_once;
	ck_assert_int_ge(listening, 0);
	ck_assert_int_eq(connect(caller, (struct sockaddr *)&there, sizeof there), 0);
	int accepted = accept(listening, NULL, NULL);
	ck_assert_int_ge(accepted, 0);
	ck_assert_int_eq(getsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &at_once, &bytes), 0);
	ck_assert_int_ne(at_once, 0);
	close(accepted);
	close(caller);
	server_free(server);
}
END_TEST

START_TEST(an_address_that_is_taken_is_named)
{
	char detail[SERVER_DETAIL_BYTES] = "";
	struct server *first = NULL, *second = NULL;
	ck_assert(open_at(0, &first, detail));
	ck_assert(!open_at(server_port(first), &second, detail));
	ck_assert_ptr_null(second);
	ck_assert_msg(strstr(detail, "127.0.0.1:") == detail && strstr(detail, "cannot be listened on") != NULL, "%s", detail);
	server_free(first);
}
END_TEST

static void add(TCase *tests)
{
	tcase_add_test(tests, an_answer_does_not_wait_for_the_callers_acknowledgement);
	tcase_add_test(tests, an_address_that_is_taken_is_named);
}

int main(void)
{
	return suite_run_group("http server", NULL, NULL, 0, add);
}
