// ZMTP 3.1 with CURVE, the client's side, without blocking: libsodium's boxes over a socket.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sodium.h>

#include "certs/key.h"
#include "tests/bench/buffer.h"
#include "tests/bench/link.h"

#define GREETING_BYTES 64u
#define COOKIE_BYTES 96u
#define HELLO_BYTES 200u
#define WELCOME_BYTES 168u
#define MESSAGE_HEAD_BYTES 16u // "\7MESSAGE" and the nonce
#define READ_BYTES 65536u

enum { FLAG_LONG = 2, FLAG_COMMAND = 4 };
enum { INNER_COMMAND = 2 };
enum state { GREETING, WELCOME, READY, OPEN };

struct link {
	int fd;
	enum state state;
	const uint8_t *server_key;
	const struct curve_key_pair *own;
	uint64_t nonce; // of the last command sent
	uint8_t short_public[32], short_secret[32], shared[crypto_box_BEFORENMBYTES];
	struct buffer in, out;
};

static void put_u64(uint8_t out[8], uint64_t value)
{
	for (int i = 7; i >= 0; i--, value >>= 8)
		out[i] = (uint8_t)value;
}

static uint64_t get_u64(const uint8_t in[8])
{
	uint64_t value = 0;
	for (int i = 0; i < 8; i++)
		value = value << 8 | in[i];
	return value;
}

static void make_nonce(uint8_t out[crypto_box_NONCEBYTES], const char prefix[17], uint64_t number)
{
	memcpy(out, prefix, 16);
	put_u64(out + 16, number);
}

// The head of a frame; its body goes to where the result points.
static uint8_t *begin_frame(struct link *link, uint8_t flags, size_t bytes)
{
	uint8_t *head = buffer_room(&link->out, 9 + bytes);
	bool is_long = bytes > 255;
	head[0] = (uint8_t)(flags | (is_long ? FLAG_LONG : 0));
	if (is_long)
		put_u64(head + 1, bytes);
	else
		head[1] = (uint8_t)bytes;
	size_t head_bytes = is_long ? 9 : 2;
	link->out.to += head_bytes + bytes;
	return head + head_bytes;
}

static void send_inner(struct link *link, uint8_t flags, const uint8_t *data, size_t bytes)
{
	uint8_t nonce[crypto_box_NONCEBYTES];
	uint8_t *body = begin_frame(link, 0, MESSAGE_HEAD_BYTES + crypto_box_MACBYTES + 1 + bytes);
	uint8_t *plain = body + MESSAGE_HEAD_BYTES + crypto_box_MACBYTES;
	make_nonce(nonce, "CurveZMQMESSAGEC", ++link->nonce);
	memcpy(body, "\7MESSAGE", 8);
	memcpy(body + 8, nonce + 16, 8);
	plain[0] = flags;
	memcpy(plain + 1, data, bytes);
	// In place: the tag stands before the text.
	link_must(crypto_box_detached_afternm(plain, plain - crypto_box_MACBYTES, plain, 1 + bytes, nonce, link->shared) == 0, "box");
}

static void send_request(struct link *link, const uint8_t *request, size_t bytes)
{
	send_inner(link, 0, request, bytes);
}

// ------------------------------------------------------------------ handshake

static void send_hello(struct link *link)
{
	static const uint8_t zeros[64];
	uint8_t nonce[crypto_box_NONCEBYTES], *hello = begin_frame(link, FLAG_COMMAND, HELLO_BYTES);
	memset(hello, 0, HELLO_BYTES);
	memcpy(hello, "\5HELLO\1", 7);
	crypto_box_keypair(link->short_public, link->short_secret);
	memcpy(hello + 80, link->short_public, 32);
	make_nonce(nonce, "CurveZMQHELLO---", ++link->nonce);
	memcpy(hello + 112, nonce + 16, 8);
	link_must(crypto_box_easy(hello + 120, zeros, sizeof zeros, nonce, link->server_key, link->short_secret) == 0, "HELLO");
}

static void take_welcome(struct link *link, const uint8_t *body, size_t bytes)
{
	static const char type[] = "\13Socket-Type\0\0\0\6DEALER";
	uint8_t nonce[crypto_box_NONCEBYTES] = "WELCOME-", welcome[32 + COOKIE_BYTES], vouch[64];
	uint8_t plain[128 + sizeof type - 1];
	link_must(bytes == WELCOME_BYTES && memcmp(body, "\7WELCOME", 8) == 0, "the server does not welcome us");
	memcpy(nonce + 8, body + 8, 16);
	link_must(crypto_box_open_easy(welcome, body + 24, 144, nonce, link->server_key, link->short_secret) == 0 &&
			  crypto_box_beforenm(link->shared, welcome, link->short_secret) == 0, "WELCOME");
	memcpy(plain, link->own->public_key, 32);
	memcpy(nonce, "VOUCH---", 8);
	randombytes_buf(nonce + 8, 16);
	memcpy(plain + 32, nonce + 8, 16);
	memcpy(vouch, link->short_public, 32);
	memcpy(vouch + 32, link->server_key, 32);
	link_must(crypto_box_easy(plain + 48, vouch, sizeof vouch, nonce, welcome, link->own->secret_key) == 0, "vouch");
	memcpy(plain + 128, type, sizeof type - 1);
	uint8_t *initiate = begin_frame(link, FLAG_COMMAND, 9 + COOKIE_BYTES + 8 + crypto_box_MACBYTES + sizeof plain);
	make_nonce(nonce, "CurveZMQINITIATE", ++link->nonce);
	memcpy(initiate, "\10INITIATE", 9);
	memcpy(initiate + 9, welcome + 32, COOKIE_BYTES);
	memcpy(initiate + 9 + COOKIE_BYTES, nonce + 16, 8);
	link_must(crypto_box_easy_afternm(initiate + 9 + COOKIE_BYTES + 8, plain, sizeof plain, nonce, link->shared) == 0, "INITIATE");
}

// ------------------------------------------------------------------ what arrives

static void take_message(struct link *link, uint8_t *body, size_t bytes, link_take *take, void *context)
{
	uint8_t nonce[crypto_box_NONCEBYTES], *box = body + MESSAGE_HEAD_BYTES, *plain = box + crypto_box_MACBYTES;
	link_must(bytes > MESSAGE_HEAD_BYTES + crypto_box_MACBYTES && memcmp(body, "\7MESSAGE", 8) == 0, "not a MESSAGE");
	size_t plain_bytes = bytes - MESSAGE_HEAD_BYTES - crypto_box_MACBYTES;
	make_nonce(nonce, "CurveZMQMESSAGES", get_u64(body + 8));
	link_must(crypto_box_open_detached_afternm(plain, plain, box, plain_bytes, nonce, link->shared) == 0, "a reply does not open");
	if ((plain[0] & INNER_COMMAND) == 0) {
		take(context, plain + 1, plain_bytes - 1);
	} else if (plain_bytes >= 8 && memcmp(plain + 1, "\4PING", 5) == 0) {
		// Time to live, and a context that goes back.
		uint8_t pong[5 + 16] = "\4PONG";
		size_t echoed = plain_bytes - 8 < 16 ? plain_bytes - 8 : 16;
		memcpy(pong + 5, plain + 8, echoed);
		send_inner(link, INNER_COMMAND, pong, 5 + echoed);
	}
}

static void take_frame(struct link *link, uint8_t *body, size_t bytes, link_take *take, void *context)
{
	switch (link->state) {
	case GREETING:
		return;
	case WELCOME:
		take_welcome(link, body, bytes);
		link->state = READY;
		return;
	case READY:
		link_must(bytes > 6 && memcmp(body, "\5READY", 6) == 0, "the server does not admit us");
		link->state = OPEN;
		return;
	case OPEN:
		take_message(link, body, bytes, take, context);
		return;
	}
}

// False: not all of the next frame is there.
static bool take_next(struct link *link, link_take *take, void *context)
{
	uint8_t *at = link->in.data + link->in.from;
	size_t waiting = buffer_waiting(&link->in);
	if (link->state == GREETING) {
		if (waiting < GREETING_BYTES)
			return false;
		buffer_take(&link->in, GREETING_BYTES);
		send_hello(link);
		link->state = WELCOME;
		return true;
	}
	size_t head = waiting > 0 && (at[0] & FLAG_LONG) != 0 ? 9 : 2;
	if (waiting < head)
		return false;
	uint64_t bytes = head == 9 ? get_u64(at + 1) : at[1];
	link_must(bytes <= 1u << 20, "the server's frame is too long");
	if (waiting < head + bytes)
		return false;
	take_frame(link, at + head, (size_t)bytes, take, context);
	buffer_take(&link->in, head + (size_t)bytes);
	return true;
}

static void receive(struct link *link, link_take *take, void *context)
{
	uint8_t *room = buffer_room(&link->in, READ_BYTES);
	ssize_t got = recv(link->fd, room, READ_BYTES, MSG_DONTWAIT);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	link_must(got > 0, "the server closed the connection");
	link->in.to += (size_t)got;
	while (take_next(link, take, context))
		;
}

static bool flush(struct link *link)
{
	while (buffer_waiting(&link->out) > 0) {
		ssize_t sent = send(link->fd, link->out.data + link->out.from, buffer_waiting(&link->out),
				    MSG_DONTWAIT | MSG_NOSIGNAL);
		if (sent < 0 && (errno == EAGAIN || errno == EINTR))
			return false;
		link_must(sent > 0, "send");
		buffer_take(&link->out, (size_t)sent);
	}
	return true;
}

static struct link *open_link(const void *to, unsigned number)
{
	static const uint8_t greeting[GREETING_BYTES] = {0xff, [9] = 0x7f, 3, 1, 'C', 'U', 'R', 'V', 'E'};
	const struct link_curve_target *target = to;
	unsigned port = 0;
	struct link *link = calloc(1, sizeof *link);
	link_must(link != NULL && sodium_init() >= 0 && sscanf(target->endpoint, "tcp://127.0.0.1:%5u", &port) == 1, "endpoint");
	link->server_key = target->server_key;
	link->own = &target->keys[number % target->keys_count];
	link->fd = link_connect(port);
	buffer_append(&link->out, greeting, sizeof greeting);
	return link;
}

static bool is_ready(const struct link *link)
{
	return link->state == OPEN;
}

static int fd_of(const struct link *link)
{
	return link->fd;
}

static void close_link(struct link *link)
{
	close(link->fd);
	buffer_done(&link->in);
	buffer_done(&link->out);
	sodium_memzero(link, sizeof *link);
	free(link);
}

const struct link_ops link_curve = {open_link, is_ready, fd_of, send_request, flush, receive, close_link};
