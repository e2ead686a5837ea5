// Questions as they come, answers as they come, in one thread that waits for both: NHS numbers on standard input, a line each. The
// loop's other work goes on while the broker is asked.
#define _GNU_SOURCE
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "sign_in.h"

struct loop {
	int epoll;
	struct cpis_client *client;
	char line[32];               // the question that is on its way: borrowed by the call
	Cpis__V1__FlagRequest flag;
	Cpis__V1__Request request;
	bool asking;
};

static void watch(struct loop *loop, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
	if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
		perror("epoll");
		exit(1);
	}
}

static void ask(struct loop *loop)
{
	cpis__v1__flag_request__init(&loop->flag);
	cpis__v1__request__init(&loop->request);
	loop->flag.nhs_number = loop->line;
	loop->flag.care_setting = CPIS__V1__CARE_SETTING__EMERGENCY_DEPARTMENT;
	loop->request.body_case = CPIS__V1__REQUEST__BODY_FLAG;
	loop->request.flag = &loop->flag;
	enum cpis_status status = cpis_call_begin(loop->client, &loop->request, 5000);
	if (status == CPIS_OK)
		loop->asking = true;
	else
		fprintf(stderr, "%s: %s\n", cpis_status_text(status), cpis_detail(loop->client));
}

// cpis_fd can be read.
static void go_on(struct loop *loop)
{
	const Cpis__V1__Reply *reply = NULL;
	enum cpis_status status = cpis_call_continue(loop->client, &reply);
	if (status == CPIS_PENDING)
		return;
	loop->asking = false;
	if (status != CPIS_OK)
		fprintf(stderr, "%s: %s\n", cpis_status_text(status), cpis_detail(loop->client));
	else if (reply->outcome != CPIS__V1__OUTCOME__OK)
		printf("refused: %s\n", reply->reason_code);
	else
		puts(reply->flag->flag ? "known" : "not known");
	cpis_reply_free(reply);
}

// The next question, a line of a pipe or a terminal; false at the end. One call at a time: a second client would take another.
static bool read_question(struct loop *loop)
{
	size_t bytes = 0;
	char letter;
	while (read(STDIN_FILENO, &letter, 1) == 1) {
		if (letter == '\n') {
			loop->line[bytes] = '\0';
			ask(loop);
			return true;
		}
		if (bytes < sizeof loop->line - 1)
			loop->line[bytes++] = letter;
	}
	return false;
}

int main(void)
{
	struct loop loop = {.epoll = epoll_create1(EPOLL_CLOEXEC), .client = sign_in()};
	bool more = true;
	watch(&loop, cpis_fd(loop.client));
	watch(&loop, STDIN_FILENO);
	while (more || loop.asking) {
		struct epoll_event event;
		if (epoll_wait(loop.epoll, &event, 1, -1) != 1)
			continue;
		if (event.data.fd == cpis_fd(loop.client)) {
			go_on(&loop);
			if (!loop.asking && more)
				watch(&loop, STDIN_FILENO);
			continue;
		}
		more = read_question(&loop);
		if (loop.asking || !more)
			(void)epoll_ctl(loop.epoll, EPOLL_CTL_DEL, STDIN_FILENO, NULL);
	}
	cpis_close(loop.client);
	close(loop.epoll);
	return 0;
}
