// A ZMTP 3.1 CURVE client written by hand (ZeroMQ RFC 23 and 26), for what libzmq's own client would never
// send: metadata of any kind, a claimed routing id, another mechanism or version, half a handshake, any bytes
// afterwards. Blocking, with a deadline on every call; one thread.
#ifndef CPIS_TESTS_HARNESS_RAW_CURVE_H
#define CPIS_TESTS_HARNESS_RAW_CURVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RAW_CURVE_KEY_BYTES 32
#define RAW_CURVE_REASON_BYTES 64
#define RAW_CURVE_PROPERTIES_MAX 8

enum raw_curve_result {
	RAW_CURVE_OK,
	RAW_CURVE_STOPPED, // halfway, as asked
	RAW_CURVE_REFUSED, // the server sent ERROR; raw_curve_reason has its text
	RAW_CURVE_CLOSED, // the server closed the connection
	RAW_CURVE_TIMEOUT,
	RAW_CURVE_BROKEN, // the server's bytes make no sense, or no connection could be made
};

enum raw_curve_stop {
	RAW_CURVE_STOP_NEVER,
	RAW_CURVE_STOP_CONNECTED, // before the greeting
	RAW_CURVE_STOP_GREETING, // each of these: after sending it
	RAW_CURVE_STOP_HELLO,
	RAW_CURVE_STOP_INITIATE,
};

// A ZMTP metadata property, sent inside INITIATE as it is: "User-Id", "Identity" (the routing id), anything.
struct raw_curve_property {
	const char *name;
	const void *value;
	size_t bytes;
};

struct raw_curve_options {
	const char *endpoint; // tcp://127.0.0.1:PORT
	const char *source; // the address that it comes from; NULL: the kernel's choice
	int receive_bytes; // the socket's buffer for what it does not read; 0: the kernel's choice
	const uint8_t *server_public; // RAW_CURVE_KEY_BYTES each
	const uint8_t *public_key, *secret_key;
	struct raw_curve_property properties[RAW_CURVE_PROPERTIES_MAX]; // those with a name
	const char *mechanism; // in the greeting; NULL: "CURVE"
	uint8_t version; // major version in the greeting; 0: 3
	enum raw_curve_stop stop;
};

struct raw_curve;

// Connects and shakes hands. The client exists whatever the result is: `ret` is always written.
enum raw_curve_result raw_curve_open(const struct raw_curve_options *options, int timeout_ms,
				     struct raw_curve **ret);
void raw_curve_close(struct raw_curve *client); // accepts NULL
void raw_curve_reset(struct raw_curve *client); // the same, with a TCP reset
// The text of the server's ERROR; "" when there was none.
const char *raw_curve_reason(const struct raw_curve *client);

// The socket, for what is done to it besides: half of it shut down, single bytes read.
int raw_curve_socket(const struct raw_curve *client);

// One frame of a message; `more`: another one follows.
enum raw_curve_result raw_curve_send(struct raw_curve *client, const void *data, size_t bytes, bool more,
				     int timeout_ms);
// A command inside the encryption, e.g. "\4PING" with its time to live.
enum raw_curve_result raw_curve_send_command(struct raw_curve *client, const void *data, size_t bytes, int timeout_ms);
// Bytes as they are, outside the encryption.
enum raw_curve_result raw_curve_send_plain(struct raw_curve *client, const void *data, size_t bytes,
					   int timeout_ms);
// The next frame of a message (commands, such as PING, are skipped). BROKEN when it is larger than `size`.
enum raw_curve_result raw_curve_receive(struct raw_curve *client, void *out, size_t size, size_t *ret_bytes,
					int timeout_ms);
// Reads whatever comes until the server closes: CLOSED, or TIMEOUT.
enum raw_curve_result raw_curve_wait_closed(struct raw_curve *client, int timeout_ms);

#endif
