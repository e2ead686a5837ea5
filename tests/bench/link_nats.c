// NATS's text protocol over mutual TLS: the server speaks first, in clear; then TLS, CONNECT and our subscription.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "tests/bench/link.h"
#include "tests/bench/link_tls.h"
#include "tests/bench/servers.h"

#define LINE_BYTES 256

enum state { INFO, SUBSCRIBING, OPEN };

struct link {
	struct link_tls tls;
	enum state state;
	const char *directory, *name;
	char subject[32], inbox[32]; // we publish to the one and listen on the other
};

static struct link *start(const struct link_peer_target *target, const char *name)
{
	struct link *link = calloc(1, sizeof *link);
	link_must(link != NULL, "memory");
	link->directory = target->directory;
	link->name = name;
	link->tls.fd = link_connect(target->port);
	return link;
}

static struct link *open_link(const void *to, unsigned number)
{
	struct link *link = start(to, "client");
	snprintf(link->subject, sizeof link->subject, "cpis.query");
	snprintf(link->inbox, sizeof link->inbox, "_INBOX.%u", number);
	return link;
}

static bool is_ready(const struct link *link)
{
	return link->state == OPEN;
}

static int fd_of(const struct link *link)
{
	return link->tls.fd;
}

static void publish(struct link *link, const char *subject, const char *reply_to, const uint8_t *data, size_t bytes)
{
	char head[LINE_BYTES];
	int head_bytes = snprintf(head, sizeof head, "PUB %s %s%s%zu\r\n", subject, reply_to, reply_to[0] == '\0' ? "" : " ", bytes);
	buffer_append(&link->tls.out, head, (size_t)head_bytes);
	buffer_append(&link->tls.out, data, bytes);
	buffer_append(&link->tls.out, "\r\n", 2);
}

static void send_request(struct link *link, const uint8_t *request, size_t bytes)
{
	publish(link, link->subject, link->inbox, request, bytes);
}

static bool flush(struct link *link)
{
	return link->state == INFO ? true : link_tls_flush(&link->tls);
}

// The server's first line, which is in clear, to its end and not a byte more.
static void take_info(struct link *link)
{
	char byte = '\0', greeting[LINE_BYTES * 2];
	while (byte != '\n') {
		ssize_t got = recv(link->tls.fd, &byte, 1, MSG_DONTWAIT);
		if (got < 0 && errno == EAGAIN)
			return;
		link_must(got == 1, "NATS closed the connection");
	}
	link_tls_start(&link->tls, link->tls.fd, link->directory, link->name);
	int bytes = snprintf(greeting, sizeof greeting,
			     "CONNECT {\"verbose\":false,\"pedantic\":false,\"tls_required\":true,\"name\":\"%s\",\"lang\":\"c\","
			     "\"version\":\"1\",\"protocol\":1}\r\nSUB %s 1\r\nPING\r\n", link->name, link->inbox);
	buffer_append(&link->tls.out, greeting, (size_t)bytes);
	link->state = SUBSCRIBING;
}

// `MSG subject sid [reply-to] bytes`. `ret_reply_to` is empty when there is none.
static size_t read_msg(const char *line, char ret_reply_to[32])
{
	char third[32] = "", fourth[32] = "";
	int fields = sscanf(line, "MSG %*31s %*31s %31s %31s", third, fourth);
	link_must(fields >= 1, "NATS says something else than a message");
	snprintf(ret_reply_to, 32, "%s", fields == 2 ? third : "");
	return strtoul(fields == 2 ? fourth : third, NULL, 10);
}

typedef void take_message(void *context, const char *reply_to, const uint8_t *data, size_t bytes);

// False: not all of the next protocol message is there.
static bool take_next(struct link *link, take_message *take, void *context)
{
	struct buffer *in = &link->tls.in;
	const char *at = (const char *)in->data + in->from;
	size_t waiting = buffer_waiting(in), bytes = 0;
	const char *end = waiting > 0 ? memmem(at, waiting, "\r\n", 2) : NULL;
	char line[LINE_BYTES], reply_to[32];
	if (end == NULL)
		return false;
	size_t line_bytes = (size_t)(end - at);
	snprintf(line, sizeof line, "%.*s", (int)(line_bytes < sizeof line ? line_bytes : sizeof line - 1), at);
	if (strncmp(line, "MSG ", 4) == 0) {
		bytes = read_msg(line, reply_to) + 2;
		if (waiting < line_bytes + 2 + bytes)
			return false;
		take(context, reply_to, (const uint8_t *)end + 2, bytes - 2);
	} else if (strcmp(line, "PING") == 0) {
		buffer_append(&link->tls.out, "PONG\r\n", 6);
	} else if (strcmp(line, "PONG") == 0) {
		link->state = OPEN;
	} else {
		link_must(strncmp(line, "INFO ", 5) == 0 || strcmp(line, "+OK") == 0, line);
	}
	buffer_take(in, line_bytes + 2 + bytes);
	return true;
}

static void pump(struct link *link, take_message *take, void *context)
{
	if (link->state == INFO) {
		take_info(link);
		return;
	}
	link_tls_receive(&link->tls);
	while (take_next(link, take, context))
		;
}

struct taking {
	link_take *take;
	void *context;
};

static void take_reply(void *context, const char *reply_to, const uint8_t *data, size_t bytes)
{
	const struct taking *taking = context;
	(void)reply_to;
	taking->take(taking->context, data, bytes);
}

static void receive(struct link *link, link_take *take, void *context)
{
	struct taking taking = {take, context};
	pump(link, take_reply, &taking);
}

static void close_link(struct link *link)
{
	link_tls_done(&link->tls);
	free(link);
}

const struct link_ops link_nats = {open_link, is_ready, fd_of, send_request, flush, receive, close_link};

// ------------------------------------------------------------------ the responder

struct responder {
	struct link *link;
	uint8_t *reply;
	size_t reply_bytes;
};

static void answer(void *context, const char *reply_to, const uint8_t *data, size_t bytes)
{
	struct responder *responder = context;
	(void)data, (void)bytes;
	publish(responder->link, reply_to, "", responder->reply, responder->reply_bytes);
}

static void respond(const struct link_peer_target *target, int tell)
{
	struct responder responder = {start(target, "responder"), calloc(1, target->reply_bytes), target->reply_bytes};
	struct link *link = responder.link;
	bool is_told = false;
	snprintf(link->inbox, sizeof link->inbox, "cpis.query");
	for (;;) {
		bool is_full = !flush(link);
		struct pollfd item = {.fd = link->tls.fd, .events = (short)(POLLIN | (is_full ? POLLOUT : 0))};
		if (poll(&item, 1, -1) < 0 && errno != EINTR)
			_exit(1);
		if ((item.revents & ~POLLOUT) != 0)
			pump(link, answer, &responder);
		if (link->state == OPEN && !is_told) {
			if (write(tell, "", 1) != 1)
				_exit(1);
			is_told = true;
		}
	}
}

pid_t servers_start_nats_responder(const void *target)
{
	int ends[2];
	char told;
	link_must(pipe(ends) == 0, "a pipe");
	fflush(NULL);
	pid_t child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(ends[0]);
		respond(target, ends[1]);
	}
	close(ends[1]);
	link_must(child > 0 && read(ends[0], &told, 1) == 1, "the responder behind NATS did not start");
	close(ends[0]);
	return child;
}
