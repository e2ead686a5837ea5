// Frames in a stream between two processes.
#include "broker/front_link.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEAD_BYTES 8u // length of the payload, type
// Room for the longest frame and for reading on beside it.
#define IN_BYTES (2u * FRONT_LINK_FRAME_BYTES_MAX)
#define OUT_BYTES_FIRST (256u * 1024u)

struct front_link {
	int fd;
	bool ended; // the other end is gone; what it sent before is still given out
	uint8_t *in;
	size_t in_start, in_end;
	uint8_t *out;
	size_t out_start, out_end, out_room;
};

struct front_link *front_link_new(int fd)
{
	struct front_link *link = calloc(1, sizeof *link);
	uint8_t *in = malloc(IN_BYTES), *out = malloc(OUT_BYTES_FIRST);
	if (link == NULL || in == NULL || out == NULL || fcntl(fd, F_SETFL, O_NONBLOCK) != 0) {
		free(link);
		free(in);
		free(out);
		close(fd);
		return NULL;
	}
	*link = (struct front_link){.fd = fd, .in = in, .out = out, .out_room = OUT_BYTES_FIRST};
	return link;
}

void front_link_free(struct front_link *link)
{
	if (link == NULL)
		return;
	explicit_bzero(link->in, IN_BYTES);
	explicit_bzero(link->out, link->out_room);
	free(link->in);
	free(link->out);
	close(link->fd);
	free(link);
}

int front_link_fd(const struct front_link *link)
{
	return link->fd;
}

// ------------------------------------------------------------------ out

static bool make_room(struct front_link *link, size_t bytes)
{
	size_t unsent = link->out_end - link->out_start;
	if (link->out_room - link->out_end >= bytes)
		return true;
	if (unsent + bytes > FRONT_LINK_UNSENT_BYTES_MAX)
		return false;
	if (unsent + bytes <= link->out_room / 2) {
		memmove(link->out, link->out + link->out_start, unsent);
	} else {
		size_t room = link->out_room;
		while (room < unsent + bytes)
			room *= 2;
		uint8_t *larger = malloc(room);
		if (larger == NULL)
			return false;
		memcpy(larger, link->out + link->out_start, unsent);
		explicit_bzero(link->out, link->out_room);
		free(link->out);
		link->out = larger;
		link->out_room = room;
	}
	link->out_start = 0;
	link->out_end = unsent;
	return true;
}

bool front_link_put(struct front_link *link, enum front_frame_type type, const struct front_part *parts, size_t count)
{
	size_t bytes = 0;
	for (size_t i = 0; i < count; i++)
		bytes += parts[i].bytes;
	if (bytes > FRONT_LINK_FRAME_BYTES_MAX || !make_room(link, HEAD_BYTES + bytes))
		return false;
	const uint32_t head[2] = {(uint32_t)bytes, (uint32_t)type};
	memcpy(link->out + link->out_end, head, HEAD_BYTES);
	link->out_end += HEAD_BYTES;
	for (size_t i = 0; i < count; i++) {
		if (parts[i].bytes > 0)
			memcpy(link->out + link->out_end, parts[i].data, parts[i].bytes);
		link->out_end += parts[i].bytes;
	}
	return true;
}

bool front_link_flush(struct front_link *link)
{
	while (link->out_start < link->out_end) {
		ssize_t sent = send(link->fd, link->out + link->out_start, link->out_end - link->out_start, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return errno == EAGAIN;
		link->out_start += (size_t)sent;
	}
	// It held children's data.
	explicit_bzero(link->out, link->out_end);
	link->out_start = link->out_end = 0;
	return true;
}

bool front_link_has_unsent(const struct front_link *link)
{
	return link->out_end > link->out_start;
}

// ------------------------------------------------------------------ in

bool front_link_fill(struct front_link *link)
{
	// What was given out is over.
	explicit_bzero(link->in, link->in_start);
	if (link->in_start > 0)
		memmove(link->in, link->in + link->in_start, link->in_end - link->in_start);
	link->in_end -= link->in_start;
	link->in_start = 0;
	if (link->ended)
		return false;
	while (link->in_end < IN_BYTES) {
		ssize_t received = recv(link->fd, link->in + link->in_end, IN_BYTES - link->in_end, 0);
		if (received < 0 && errno == EINTR)
			continue;
		if (received < 0 && errno == EAGAIN)
			return true;
		if (received <= 0) {
			link->ended = true;
			return link->in_end > 0;
		}
		link->in_end += (size_t)received;
	}
	return true;
}

enum front_link_next front_link_next(struct front_link *link, struct front_frame *ret)
{
	uint32_t head[2];
	size_t there = link->in_end - link->in_start;
	if (there < HEAD_BYTES)
		return FRONT_LINK_NOTHING;
	memcpy(head, link->in + link->in_start, HEAD_BYTES);
	if (head[0] > FRONT_LINK_FRAME_BYTES_MAX || head[1] == 0 || head[1] >= FRONT_FRAME_TYPES)
		return FRONT_LINK_BROKEN;
	if (there - HEAD_BYTES < head[0])
		return FRONT_LINK_NOTHING;
	*ret = (struct front_frame){(enum front_frame_type)head[1], link->in + link->in_start + HEAD_BYTES, head[0]};
	link->in_start += HEAD_BYTES + head[0];
	return FRONT_LINK_FRAME;
}
