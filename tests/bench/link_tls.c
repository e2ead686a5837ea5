// TLS 1.3 with certificates both ways, through OpenSSL.
#include "tests/bench/link_tls.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/link.h"

#define READ_BYTES 65536

// One context for all connections under a name: certificates are read once.
static SSL_CTX *context_of(const char *directory, const char *name)
{
	static SSL_CTX *context;
	static char made_for[512];
	char wanted[512], ca[600], certificate[600], key[600];
	snprintf(wanted, sizeof wanted, "%s/%s", directory, name);
	if (context != NULL && strcmp(made_for, wanted) == 0)
		return context;
	SSL_CTX_free(context);
	snprintf(made_for, sizeof made_for, "%s", wanted);
	snprintf(ca, sizeof ca, "%s/ca.pem", directory);
	snprintf(certificate, sizeof certificate, "%s.pem", wanted);
	snprintf(key, sizeof key, "%s.key", wanted);
	context = SSL_CTX_new(TLS_client_method());
	link_must(context != NULL && SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) == 1 &&
			  SSL_CTX_load_verify_locations(context, ca, NULL) == 1 &&
			  SSL_CTX_use_certificate_chain_file(context, certificate) == 1 &&
			  SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) == 1, certificate);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	return context;
}

void link_tls_start(struct link_tls *tls, int fd, const char *directory, const char *name)
{
	tls->fd = fd;
	tls->ssl = SSL_new(context_of(directory, name));
	link_must(tls->ssl != NULL && SSL_set_fd(tls->ssl, fd) == 1 && SSL_set1_host(tls->ssl, "localhost") == 1, "TLS");
	SSL_set_connect_state(tls->ssl);
}

bool link_tls_is_shaken(const struct link_tls *tls)
{
	return tls->ssl != NULL && SSL_is_init_finished(tls->ssl) == 1;
}

static bool wants_more(const struct link_tls *tls, int result, const char *what)
{
	int error = SSL_get_error(tls->ssl, result);
	link_must(error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE, what);
	return error == SSL_ERROR_WANT_WRITE;
}

bool link_tls_flush(struct link_tls *tls)
{
	if (!link_tls_is_shaken(tls)) {
		int result = SSL_do_handshake(tls->ssl);
		if (result != 1)
			return !wants_more(tls, result, "the server does not shake hands");
	}
	while (buffer_waiting(&tls->out) > 0) {
		int written = SSL_write(tls->ssl, tls->out.data + tls->out.from, (int)buffer_waiting(&tls->out));
		if (written <= 0)
			return !wants_more(tls, written, "the server takes nothing");
		buffer_take(&tls->out, (size_t)written);
	}
	return true;
}

void link_tls_receive(struct link_tls *tls)
{
	for (;;) {
		int got = SSL_read(tls->ssl, buffer_room(&tls->in, READ_BYTES), READ_BYTES);
		if (got <= 0) {
			(void)wants_more(tls, got, "the server closed the connection");
			return;
		}
		tls->in.to += (size_t)got;
	}
}

void link_tls_done(struct link_tls *tls)
{
	SSL_free(tls->ssl);
	close(tls->fd);
	buffer_done(&tls->in);
	buffer_done(&tls->out);
}
