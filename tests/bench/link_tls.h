// Mutual TLS 1.3 without blocking, as the peers' clients speak it.
#ifndef CPIS_TESTS_BENCH_LINK_TLS_H
#define CPIS_TESTS_BENCH_LINK_TLS_H

#include <stdbool.h>

#include <openssl/ssl.h>

#include "tests/bench/buffer.h"

struct link_tls {
	int fd;
	SSL *ssl;
	struct buffer in, out; // in clear
};

// Over a connected socket, which it owns from now on. Trusts <directory>/ca.pem, and is <directory>/<name>.pem and .key.
void link_tls_start(struct link_tls *tls, int fd, const char *directory, const char *name);
bool link_tls_is_shaken(const struct link_tls *tls);
// Goes on with the handshake and with what waits in `out`. False: the socket is full.
bool link_tls_flush(struct link_tls *tls);
// Appends to `in` what has arrived.
void link_tls_receive(struct link_tls *tls);
void link_tls_done(struct link_tls *tls);

#endif
