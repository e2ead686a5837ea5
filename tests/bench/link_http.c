// HTTP/1.1 over mutual TLS, connections kept.
#include <stdlib.h>
#include <string.h>

#include "tests/bench/link.h"
#include "tests/bench/link_tls.h"

struct link {
	struct link_tls tls;
};

static struct link *open_link(const void *to, unsigned number)
{
	const struct link_peer_target *target = to;
	struct link *link = calloc(1, sizeof *link);
	(void)number;
	link_must(link != NULL, "memory");
	link_tls_start(&link->tls, link_connect(target->port), target->directory, "client");
	return link;
}

static bool is_ready(const struct link *link)
{
	return link_tls_is_shaken(&link->tls);
}

static int fd_of(const struct link *link)
{
	return link->tls.fd;
}

static void send_request(struct link *link, const uint8_t *request, size_t bytes)
{
	buffer_append(&link->tls.out, request, bytes);
}

static bool flush(struct link *link)
{
	return link_tls_flush(&link->tls);
}

// False: not all of the next answer is there.
static bool take_next(struct link *link, link_take *take, void *context)
{
	static const char length[] = "\r\nContent-Length: ", ok[] = "HTTP/1.1 200 ";
	struct buffer *in = &link->tls.in;
	const char *at = (const char *)in->data + in->from;
	size_t waiting = buffer_waiting(in);
	const char *end = waiting > 0 ? memmem(at, waiting, "\r\n\r\n", 4) : NULL;
	if (end == NULL)
		return false;
	const char *found = memmem(at, (size_t)(end - at), length, sizeof length - 1);
	link_must(memcmp(at, ok, sizeof ok - 1) == 0 && found != NULL, "nginx does not answer 200");
	size_t head = (size_t)(end - at) + 4, body = strtoul(found + sizeof length - 1, NULL, 10);
	if (waiting < head + body)
		return false;
	take(context, (const uint8_t *)at + head, body);
	buffer_take(in, head + body);
	return true;
}

static void receive(struct link *link, link_take *take, void *context)
{
	link_tls_receive(&link->tls);
	while (take_next(link, take, context))
		;
}

static void close_link(struct link *link)
{
	link_tls_done(&link->tls);
	free(link);
}

const struct link_ops link_http = {open_link, is_ready, fd_of, send_request, flush, receive, close_link};
