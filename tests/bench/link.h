// A client's connection to a server under load, whatever it speaks. One thread drives thousands of them by epoll, so nothing here
// blocks but what says so. Replies come in the order of their requests. What fails ends the benchmark with a sentence.
#ifndef CPIS_TESTS_BENCH_LINK_H
#define CPIS_TESTS_BENCH_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct link;

typedef void link_take(void *context, const uint8_t *reply, size_t bytes); // the bytes are borrowed for the call

struct link_ops {
	// Starts connection `number` of those to this target; a server that is not there is a failure.
	struct link *(*open)(const void *target, unsigned number);
	bool (*is_ready)(const struct link *); // connected, hands shaken: requests may be sent
	int (*fd)(const struct link *);
	void (*send)(struct link *, const uint8_t *request, size_t bytes); // into its buffer
	bool (*flush)(struct link *);          // false: the socket is full, go on when it can be written
	// Reads what has arrived, also of the handshake, and hands on what is complete.
	void (*receive)(struct link *, link_take *take, void *context);
	void (*close)(struct link *);
};

// CURVE as a DEALER (RFC 23 and 26) over a plain socket. libzmq's own would take a thread and several system calls a message of
// the two processors that the server is measured on.
struct link_curve_target {
	const char *endpoint;                 // tcp://127.0.0.1:PORT
	const uint8_t *server_key;            // KEY_BYTES
	const struct curve_key_pair *keys;    // connection n is of system n modulo their count
	unsigned keys_count;
};
extern const struct link_ops link_curve;

// The peers: a port of 127.0.0.1 and the certificates in their directory (tests/bench/peers.sh).
struct link_peer_target {
	unsigned port;
	const char *directory;
	size_t reply_bytes;
};
extern const struct link_ops link_nats;     // PUB with a reply subject
extern const struct link_ops link_http;     // requests are whole HTTP/1.1 requests
extern const struct link_ops link_postgres; // requests are a child's key

void link_must(bool good, const char *what);
// A non-blocking TCP connection to 127.0.0.1.
int link_connect(unsigned port);

#endif
