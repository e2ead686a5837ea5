// A CURVE client over a plain TCP socket, with libsodium's boxes.
#include "tests/harness/raw_curve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#define GREETING_BYTES 64
#define COOKIE_BYTES 96
#define METADATA_BYTES_MAX 4096
#define FRAME_BYTES_MAX (1024u * 1024u)
#define MESSAGE_OVERHEAD_BYTES 33 // "\7MESSAGE", nonce, MAC, flags

enum { FLAG_MORE = 1, FLAG_LONG = 2, FLAG_COMMAND = 4 };
enum { INNER_MORE = 1, INNER_COMMAND = 2 }; // libzmq's flags inside a MESSAGE

struct raw_curve {
	int fd;
	uint64_t nonce; // of the last command sent
	uint8_t short_public[32], short_secret[32]; // C', c'
	uint8_t server_short[32]; // S'
	uint8_t cookie[COOKIE_BYTES];
	uint8_t precomputed[crypto_box_BEFORENMBYTES];
	char reason[RAW_CURVE_REASON_BYTES];
	uint8_t frame[FRAME_BYTES_MAX];
	size_t frame_bytes;
	uint8_t frame_flags;
};

// ------------------------------------------------------------------ bytes

static int64_t monotonic_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

// OK when the socket is ready for `events` before the deadline.
static enum raw_curve_result wait_ready(const struct raw_curve *client, short events, int64_t until_ms)
{
	for (;;) {
		int64_t left_ms = until_ms - monotonic_ms();
		struct pollfd item = {.fd = client->fd, .events = events};
		int ready = poll(&item, 1, left_ms > 0 ? (int)left_ms : 0);
		if (ready > 0)
			return RAW_CURVE_OK;
		if (ready == 0)
			return RAW_CURVE_TIMEOUT;
		if (errno != EINTR)
			return RAW_CURVE_BROKEN;
	}
}

static enum raw_curve_result write_all(struct raw_curve *client, const void *data, size_t bytes,
				       int64_t until_ms)
{
	const uint8_t *at = data;
	while (bytes > 0) {
		ssize_t written = send(client->fd, at, bytes, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (written > 0) {
			at += written;
			bytes -= (size_t)written;
		} else if (errno == EAGAIN || errno == EINTR) {
			enum raw_curve_result ready = wait_ready(client, POLLOUT, until_ms);
			if (ready != RAW_CURVE_OK)
				return ready;
		} else {
			return RAW_CURVE_CLOSED;
		}
	}
	return RAW_CURVE_OK;
}

static enum raw_curve_result read_all(struct raw_curve *client, void *out, size_t bytes, int64_t until_ms)
{
	uint8_t *at = out;
	while (bytes > 0) {
		ssize_t got = recv(client->fd, at, bytes, MSG_DONTWAIT);
		if (got > 0) {
			at += got;
			bytes -= (size_t)got;
		} else if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
			enum raw_curve_result ready = wait_ready(client, POLLIN, until_ms);
			if (ready != RAW_CURVE_OK)
				return ready;
		} else {
			return RAW_CURVE_CLOSED;
		}
	}
	return RAW_CURVE_OK;
}

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

// RFC 23: flags, a length of one byte or eight, the body.
static enum raw_curve_result write_frame(struct raw_curve *client, uint8_t flags, const void *body,
					 size_t bytes, int64_t until_ms)
{
	uint8_t head[9] = {flags, (uint8_t)bytes};
	size_t head_bytes = 2;
	if (bytes > 255) {
		head[0] |= FLAG_LONG;
		put_u64(head + 1, bytes);
		head_bytes = 9;
	}
	enum raw_curve_result result = write_all(client, head, head_bytes, until_ms);
	return result == RAW_CURVE_OK ? write_all(client, body, bytes, until_ms) : result;
}

static enum raw_curve_result read_frame(struct raw_curve *client, int64_t until_ms)
{
	uint8_t length[8];
	enum raw_curve_result result = read_all(client, &client->frame_flags, 1, until_ms);
	if (result != RAW_CURVE_OK)
		return result;
	bool is_long = (client->frame_flags & FLAG_LONG) != 0;
	result = read_all(client, length, is_long ? 8 : 1, until_ms);
	if (result != RAW_CURVE_OK)
		return result;
	uint64_t bytes = is_long ? get_u64(length) : length[0];
	if (bytes > FRAME_BYTES_MAX)
		return RAW_CURVE_BROKEN;
	client->frame_bytes = (size_t)bytes;
	return read_all(client, client->frame, client->frame_bytes, until_ms);
}

// ------------------------------------------------------------------ handshake (RFC 26)

static enum raw_curve_result connect_to(struct raw_curve *client, const struct raw_curve_options *options)
{
	unsigned port;
	struct sockaddr_in to = {.sin_family = AF_INET}, from = {.sin_family = AF_INET};
	int one = 1;
	if (sscanf(options->endpoint, "tcp://127.0.0.1:%5u", &port) != 1)
		return RAW_CURVE_BROKEN;
	to.sin_port = htons((uint16_t)port);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (options->receive_bytes != 0)
		setsockopt(client->fd, SOL_SOCKET, SO_RCVBUF, &options->receive_bytes, sizeof options->receive_bytes);
	if (options->source != NULL && (inet_pton(AF_INET, options->source, &from.sin_addr) != 1 ||
					bind(client->fd, (struct sockaddr *)&from, sizeof from) != 0))
		return RAW_CURVE_BROKEN;
	// A loopback connect is done by the kernel: it does not wait for the server.
	if (client->fd < 0 || connect(client->fd, (struct sockaddr *)&to, sizeof to) != 0)
		return RAW_CURVE_BROKEN;
	setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	return RAW_CURVE_OK;
}

static enum raw_curve_result send_greeting(struct raw_curve *client, const struct raw_curve_options *options,
					   int64_t until_ms)
{
	uint8_t greeting[GREETING_BYTES] = {0xff, [9] = 0x7f};
	const char *mechanism = options->mechanism == NULL ? "CURVE" : options->mechanism;
	greeting[10] = options->version == 0 ? 3 : options->version;
	greeting[11] = 1;
	memcpy(greeting + 12, mechanism, strnlen(mechanism, 20));
	return write_all(client, greeting, sizeof greeting, until_ms);
}

static void make_nonce(uint8_t out[crypto_box_NONCEBYTES], const char prefix[16], uint64_t number)
{
	memcpy(out, prefix, 16);
	put_u64(out + 16, number);
}

static enum raw_curve_result send_hello(struct raw_curve *client, const struct raw_curve_options *options,
					int64_t until_ms)
{
	static const uint8_t zeros[64];
	uint8_t hello[200] = "\5HELLO\1", nonce[crypto_box_NONCEBYTES];
	crypto_box_keypair(client->short_public, client->short_secret);
	memcpy(hello + 80, client->short_public, 32);
	make_nonce(nonce, "CurveZMQHELLO---", ++client->nonce);
	memcpy(hello + 112, nonce + 16, 8);
	if (crypto_box_easy(hello + 120, zeros, sizeof zeros, nonce, options->server_public,
			    client->short_secret) != 0)
		return RAW_CURVE_BROKEN;
	return write_frame(client, FLAG_COMMAND, hello, sizeof hello, until_ms);
}

// Reads a command; ERROR is a refusal whichever was expected.
static enum raw_curve_result read_command(struct raw_curve *client, const char *name, int64_t until_ms)
{
	enum raw_curve_result result = read_frame(client, until_ms);
	if (result != RAW_CURVE_OK)
		return result;
	if (client->frame_bytes >= 7 && memcmp(client->frame, "\5ERROR", 6) == 0) {
		size_t bytes = client->frame[6];
		if (bytes > client->frame_bytes - 7 || bytes >= sizeof client->reason)
			return RAW_CURVE_BROKEN;
		memcpy(client->reason, client->frame + 7, bytes);
		return RAW_CURVE_REFUSED;
	}
	size_t name_bytes = strlen(name);
	bool expected = (client->frame_flags & FLAG_COMMAND) != 0 && client->frame_bytes >= name_bytes &&
			memcmp(client->frame, name, name_bytes) == 0;
	return expected ? RAW_CURVE_OK : RAW_CURVE_BROKEN;
}

static enum raw_curve_result read_welcome(struct raw_curve *client, const struct raw_curve_options *options,
					  int64_t until_ms)
{
	uint8_t nonce[crypto_box_NONCEBYTES] = "WELCOME-", plain[32 + COOKIE_BYTES];
	enum raw_curve_result result = read_command(client, "\7WELCOME", until_ms);
	if (result != RAW_CURVE_OK)
		return result;
	if (client->frame_bytes != 168)
		return RAW_CURVE_BROKEN;
	memcpy(nonce + 8, client->frame + 8, 16);
	if (crypto_box_open_easy(plain, client->frame + 24, 144, nonce, options->server_public,
				 client->short_secret) != 0)
		return RAW_CURVE_BROKEN;
	memcpy(client->server_short, plain, 32);
	memcpy(client->cookie, plain + 32, COOKIE_BYTES);
	return crypto_box_beforenm(client->precomputed, client->server_short, client->short_secret) == 0
		       ? RAW_CURVE_OK
		       : RAW_CURVE_BROKEN;
}

// 0 when it does not fit.
static size_t put_property(uint8_t *out, size_t size, const struct raw_curve_property *property)
{
	size_t name_bytes = strlen(property->name), bytes = 1 + name_bytes + 4 + property->bytes;
	uint32_t value_bytes = htonl((uint32_t)property->bytes);
	if (name_bytes > 255 || bytes > size)
		return 0;
	out[0] = (uint8_t)name_bytes;
	memcpy(out + 1, property->name, name_bytes);
	memcpy(out + 1 + name_bytes, &value_bytes, 4);
	memcpy(out + 5 + name_bytes, property->value, property->bytes);
	return bytes;
}

static size_t put_metadata(uint8_t out[METADATA_BYTES_MAX], const struct raw_curve_options *options)
{
	const struct raw_curve_property type = {"Socket-Type", "DEALER", 6};
	size_t bytes = put_property(out, METADATA_BYTES_MAX, &type);
	for (size_t i = 0; i < RAW_CURVE_PROPERTIES_MAX; i++) {
		if (options->properties[i].name != NULL)
			bytes += put_property(out + bytes, METADATA_BYTES_MAX - bytes,
					      &options->properties[i]);
	}
	return bytes;
}

// Box[C',S](C->S') under a nonce of its own: proof that whoever made C' holds c.
static bool put_vouch(struct raw_curve *client, const struct raw_curve_options *options, uint8_t out[96])
{
	uint8_t nonce[crypto_box_NONCEBYTES] = "VOUCH---", plain[64];
	randombytes_buf(nonce + 8, 16);
	memcpy(plain, client->short_public, 32);
	memcpy(plain + 32, options->server_public, 32);
	memcpy(out, nonce + 8, 16);
	return crypto_box_easy(out + 16, plain, sizeof plain, nonce, client->server_short,
			       options->secret_key) == 0;
}

static enum raw_curve_result send_initiate(struct raw_curve *client, const struct raw_curve_options *options,
					   int64_t until_ms)
{
	uint8_t plain[128 + METADATA_BYTES_MAX], nonce[crypto_box_NONCEBYTES];
	uint8_t initiate[9 + COOKIE_BYTES + 8 + crypto_box_MACBYTES + sizeof plain] = "\10INITIATE";
	memcpy(plain, options->public_key, 32);
	if (!put_vouch(client, options, plain + 32))
		return RAW_CURVE_BROKEN;
	size_t bytes = 128 + put_metadata(plain + 128, options);
	memcpy(initiate + 9, client->cookie, COOKIE_BYTES);
	make_nonce(nonce, "CurveZMQINITIATE", ++client->nonce);
	memcpy(initiate + 9 + COOKIE_BYTES, nonce + 16, 8);
	uint8_t *box = initiate + 9 + COOKIE_BYTES + 8;
	if (crypto_box_easy_afternm(box, plain, bytes, nonce, client->precomputed) != 0)
		return RAW_CURVE_BROKEN;
	return write_frame(client, FLAG_COMMAND, initiate,
			   (size_t)(box - initiate) + crypto_box_MACBYTES + bytes, until_ms);
}

static enum raw_curve_result read_ready(struct raw_curve *client, int64_t until_ms)
{
	uint8_t nonce[crypto_box_NONCEBYTES], plain[METADATA_BYTES_MAX];
	enum raw_curve_result result = read_command(client, "\5READY", until_ms);
	if (result != RAW_CURVE_OK)
		return result;
	if (client->frame_bytes < 14 + crypto_box_MACBYTES || client->frame_bytes > 14 + sizeof plain)
		return RAW_CURVE_BROKEN;
	make_nonce(nonce, "CurveZMQREADY---", get_u64(client->frame + 6));
	return crypto_box_open_easy_afternm(plain, client->frame + 14, client->frame_bytes - 14, nonce,
					    client->precomputed) == 0
		       ? RAW_CURVE_OK
		       : RAW_CURVE_BROKEN;
}

// What a NULL (RFC 23) or PLAIN (RFC 24) client says next. OK when the server goes along.
static enum raw_curve_result shake_hands_uncovered(struct raw_curve *client,
						   const struct raw_curve_options *options, int64_t until_ms)
{
	static const uint8_t hello[] = "\5HELLO\4user\6secret";
	uint8_t ready[6 + METADATA_BYTES_MAX] = "\5READY";
	bool is_plain = strcmp(options->mechanism, "PLAIN") == 0;
	size_t ready_bytes = 6 + put_metadata(ready + 6, options);
	enum raw_curve_result result =
		is_plain ? write_frame(client, FLAG_COMMAND, hello, sizeof hello - 1, until_ms)
			 : write_frame(client, FLAG_COMMAND, ready, ready_bytes, until_ms);
	return result == RAW_CURVE_OK ? read_command(client, is_plain ? "\7WELCOME" : "\5READY", until_ms)
				      : result;
}

static enum raw_curve_result shake_hands(struct raw_curve *client, const struct raw_curve_options *options,
					 int64_t until_ms)
{
	uint8_t greeting[GREETING_BYTES];
	enum raw_curve_result result = connect_to(client, options);
	if (result != RAW_CURVE_OK)
		return result;
	if (options->stop == RAW_CURVE_STOP_CONNECTED)
		return RAW_CURVE_STOPPED;
	result = send_greeting(client, options, until_ms);
	if (result != RAW_CURVE_OK)
		return result;
	if (options->stop == RAW_CURVE_STOP_GREETING)
		return RAW_CURVE_STOPPED;
	result = read_all(client, greeting, sizeof greeting, until_ms);
	if (result == RAW_CURVE_OK && options->mechanism != NULL && strcmp(options->mechanism, "CURVE") != 0)
		return shake_hands_uncovered(client, options, until_ms);
	if (result == RAW_CURVE_OK)
		result = send_hello(client, options, until_ms);
	if (result != RAW_CURVE_OK)
		return result;
	if (options->stop == RAW_CURVE_STOP_HELLO)
		return RAW_CURVE_STOPPED;
	result = read_welcome(client, options, until_ms);
	if (result == RAW_CURVE_OK)
		result = send_initiate(client, options, until_ms);
	if (result != RAW_CURVE_OK)
		return result;
	return options->stop == RAW_CURVE_STOP_INITIATE ? RAW_CURVE_STOPPED : read_ready(client, until_ms);
}

enum raw_curve_result raw_curve_open(const struct raw_curve_options *options, int timeout_ms,
				     struct raw_curve **ret)
{
	struct raw_curve *client = calloc(1, sizeof *client);
	if (client == NULL || sodium_init() < 0)
		abort();
	client->fd = -1;
	*ret = client;
	return shake_hands(client, options, monotonic_ms() + timeout_ms);
}

void raw_curve_close(struct raw_curve *client)
{
	if (client == NULL)
		return;
	if (client->fd >= 0)
		close(client->fd);
	sodium_memzero(client, sizeof *client);
	free(client);
}

void raw_curve_reset(struct raw_curve *client)
{
	const struct linger at_once = {.l_onoff = 1};
	setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	raw_curve_close(client);
}

int raw_curve_socket(const struct raw_curve *client)
{
	return client->fd;
}

const char *raw_curve_reason(const struct raw_curve *client)
{
	return client->reason;
}

// ------------------------------------------------------------------ messages

static enum raw_curve_result send_message(struct raw_curve *client, const void *data, size_t bytes, uint8_t flags,
					  int timeout_ms)
{
	uint8_t nonce[crypto_box_NONCEBYTES];
	uint8_t *plain = malloc(1 + bytes), *body = malloc(bytes + MESSAGE_OVERHEAD_BYTES);
	if (plain == NULL || body == NULL)
		abort();
	plain[0] = flags;
	if (bytes > 0)
		memcpy(plain + 1, data, bytes);
	make_nonce(nonce, "CurveZMQMESSAGEC", ++client->nonce);
	memcpy(body, "\7MESSAGE", 8);
	memcpy(body + 8, nonce + 16, 8);
	// libzmq puts a MESSAGE into a message frame, not a command frame.
	enum raw_curve_result result = RAW_CURVE_BROKEN;
	if (crypto_box_easy_afternm(body + 16, plain, 1 + bytes, nonce, client->precomputed) == 0)
		result = write_frame(client, 0, body, bytes + MESSAGE_OVERHEAD_BYTES,
				     monotonic_ms() + timeout_ms);
	free(plain);
	free(body);
	return result;
}

enum raw_curve_result raw_curve_send(struct raw_curve *client, const void *data, size_t bytes, bool more,
				     int timeout_ms)
{
	return send_message(client, data, bytes, more ? INNER_MORE : 0, timeout_ms);
}

enum raw_curve_result raw_curve_send_command(struct raw_curve *client, const void *data, size_t bytes, int timeout_ms)
{
	return send_message(client, data, bytes, INNER_COMMAND, timeout_ms);
}

enum raw_curve_result raw_curve_send_plain(struct raw_curve *client, const void *data, size_t bytes,
					   int timeout_ms)
{
	return write_all(client, data, bytes, monotonic_ms() + timeout_ms);
}

enum raw_curve_result raw_curve_receive(struct raw_curve *client, void *out, size_t size, size_t *ret_bytes,
					int timeout_ms)
{
	int64_t until_ms = monotonic_ms() + timeout_ms;
	uint8_t nonce[crypto_box_NONCEBYTES];
	for (;;) {
		enum raw_curve_result result = read_frame(client, until_ms);
		if (result != RAW_CURVE_OK)
			return result;
		if (client->frame_bytes < MESSAGE_OVERHEAD_BYTES ||
		    memcmp(client->frame, "\7MESSAGE", 8) != 0)
			return RAW_CURVE_BROKEN;
		make_nonce(nonce, "CurveZMQMESSAGES", get_u64(client->frame + 8));
		// In place: libsodium allows it.
		if (crypto_box_open_easy_afternm(client->frame + 16, client->frame + 16,
						 client->frame_bytes - 16, nonce, client->precomputed) != 0)
			return RAW_CURVE_BROKEN;
		size_t bytes = client->frame_bytes - MESSAGE_OVERHEAD_BYTES;
		if ((client->frame[16] & INNER_COMMAND) != 0)
			continue;
		if (bytes > size)
			return RAW_CURVE_BROKEN;
		memcpy(out, client->frame + 17, bytes);
		*ret_bytes = bytes;
		return RAW_CURVE_OK;
	}
}

enum raw_curve_result raw_curve_wait_closed(struct raw_curve *client, int timeout_ms)
{
	int64_t until_ms = monotonic_ms() + timeout_ms;
	enum raw_curve_result result;
	do {
		result = read_all(client, client->frame, 1, until_ms);
	} while (result == RAW_CURVE_OK);
	return result;
}
