// TLS by OpenSSL: contexts, the choice by host, and the handshake's messages.
#include "clients/http/tls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "certs/tls_transcript.h"

struct tls {
	SSL_CTX *context;
	STACK_OF(X509_NAME) *staff_issuers;
	char web_host[256];
	unsigned connections;     // changed by whichever thread frees one
};

struct connection {
	struct tls *tls;
	char label[TLS_LABEL_BYTES + 1];
	struct tls_transcript *transcript;
	bool broken; // something was no handshake that can be proven
	uint8_t *certificate;
	int certificate_bytes;
};

static int connection_index = -1;

static struct connection *connection_of(const SSL *ssl)
{
	return SSL_get_ex_data(ssl, connection_index);
}

// ------------------------------------------------------------------ the handshake's messages

static void note_message(int written, int version, int content_type, const void *data, size_t bytes, SSL *ssl, void *context)
{
	struct connection *connection = connection_of(ssl);
	(void)written;
	(void)version;
	(void)context;
	if (content_type != SSL3_RT_HANDSHAKE || connection == NULL || connection->broken ||
	    tls_transcript_is_complete(connection->transcript))
		return;
	connection->broken = !tls_transcript_add(connection->transcript, data, bytes);
}

// ------------------------------------------------------------------ which host

static bool is_label(const char *text, size_t bytes)
{
	if (bytes != TLS_LABEL_BYTES)
		return false;
	for (size_t i = 0; i < bytes; i++)
		if (!((text[i] >= 'a' && text[i] <= 'z') || (text[i] >= '2' && text[i] <= '7')))
			return false;
	return true;
}

// The broker looks at the person's certificate, with its trust and its lists; here it is only passed on.
static int accept_any(X509_STORE_CTX *store, void *context)
{
	(void)store;
	(void)context;
	return 1;
}

static int choose_host(SSL *ssl, int *alert, void *context)
{
	struct tls *tls = context;
	struct connection *connection = connection_of(ssl);
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	*alert = SSL_AD_UNRECOGNIZED_NAME;
	if (name == NULL || connection == NULL)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	if (strcmp(name, tls->web_host) == 0)
		return SSL_TLSEXT_ERR_OK;
	const char *dot = strchr(name, '.');
	if (tls->staff_issuers == NULL || dot == NULL || strcmp(dot + 1, tls->web_host) != 0 || !is_label(name, (size_t)(dot - name)))
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	memcpy(connection->label, name, TLS_LABEL_BYTES);
	if (SSL_set_min_proto_version(ssl, TLS1_3_VERSION) != 1)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	// Asked for and not insisted on: who has none is told so on a page, and not by an alert.
	SSL_set_verify(ssl, SSL_VERIFY_PEER, NULL);
	STACK_OF(X509_NAME) *issuers = SSL_dup_CA_list(tls->staff_issuers);
	SSL_set_client_CA_list(ssl, issuers);
	return SSL_TLSEXT_ERR_OK;
}

// ------------------------------------------------------------------ connections

static void forget(void *parent, void *data, CRYPTO_EX_DATA *all, int index, long number, void *pointer)
{
	struct connection *connection = data;
	(void)parent;
	(void)all;
	(void)index;
	(void)number;
	(void)pointer;
	if (connection == NULL)
		return;
	__atomic_sub_fetch(&connection->tls->connections, 1, __ATOMIC_RELAXED);
	OPENSSL_free(connection->certificate);
	free(connection->transcript);
	free(connection);
}

SSL *tls_accept(struct tls *tls, unsigned connections_max)
{
	if (__atomic_load_n(&tls->connections, __ATOMIC_RELAXED) >= connections_max)
		return NULL;
	SSL *ssl = SSL_new(tls->context);
	struct connection *connection = ssl == NULL ? NULL : calloc(1, sizeof *connection);
	struct tls_transcript *transcript = connection == NULL ? NULL : calloc(1, sizeof *transcript);
	if (transcript == NULL || SSL_set_ex_data(ssl, connection_index, connection) != 1) {
		free(transcript);
		free(connection);
		SSL_free(ssl);
		return NULL;
	}
	connection->tls = tls;
	connection->transcript = transcript;
	__atomic_add_fetch(&tls->connections, 1, __ATOMIC_RELAXED);
	return ssl;
}

void tls_release(SSL *ssl)
{
	SSL_free(ssl);
}

void tls_peer(const SSL *ssl, struct tls_peer *ret)
{
	struct connection *connection = connection_of(ssl);
	memset(ret, 0, sizeof *ret);
	if (connection == NULL)
		return;
	memcpy(ret->label, connection->label, sizeof ret->label);
	if (connection->label[0] == '\0' || connection->broken || !tls_transcript_is_complete(connection->transcript))
		return;
	if (connection->certificate == NULL) {
		const X509 *certificate = SSL_get0_peer_certificate(ssl);
		connection->certificate_bytes = certificate == NULL ? 0 : i2d_X509(certificate, &connection->certificate);
	}
	ret->transcript = connection->transcript->data;
	ret->transcript_bytes = connection->transcript->bytes;
	ret->certificate = connection->certificate;
	ret->certificate_bytes = connection->certificate_bytes < 0 ? 0 : (size_t)connection->certificate_bytes;
}

// ------------------------------------------------------------------ setting up

static bool load(struct tls *tls, const char *certificate, const char *key, const char *staff_ca, char *detail)
{
	const char *what = NULL, *why = "";
	ERR_clear_error();
	if (SSL_CTX_use_certificate_chain_file(tls->context, certificate) != 1)
		what = certificate, why = "not a PEM certificate chain";
	else if (SSL_CTX_use_PrivateKey_file(tls->context, key, SSL_FILETYPE_PEM) != 1)
		what = key, why = "not the PEM private key of web_certificate";
	else if (staff_ca != NULL && (tls->staff_issuers = SSL_load_client_CA_file(staff_ca)) == NULL)
		what = staff_ca, why = "not the staff authority's certificate";
	if (what != NULL)
		snprintf(detail, TLS_DETAIL_BYTES, "%.200s: %s", what, why);
	return what == NULL;
}

static bool is_for(struct tls *tls, const char *certificate, char *detail)
{
	X509 *own = SSL_CTX_get0_certificate(tls->context);
	char proof_host[320];
	if (tls->staff_issuers == NULL) {
		if (X509_check_host(own, tls->web_host, 0, 0, NULL) == 1)
			return true;
		snprintf(detail, TLS_DETAIL_BYTES, "%.200s: not for %.80s", certificate, tls->web_host);
		return false;
	}
	snprintf(proof_host, sizeof proof_host, "%0*d.%s", TLS_LABEL_BYTES, 0, tls->web_host);
	if (X509_check_host(own, tls->web_host, 0, 0, NULL) == 1 && X509_check_host(own, proof_host, 0, 0, NULL) == 1)
		return true;
	snprintf(detail, TLS_DETAIL_BYTES, "%.120s: not for both %.80s, which the system's certificate names, and *. before it", certificate,
		 tls->web_host);
	return false;
}

static bool configure(struct tls *tls)
{
	SSL_CTX *context = tls->context;
	SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_cert_verify_callback(context, accept_any, NULL);
	SSL_CTX_set_tlsext_servername_callback(context, choose_host);
	SSL_CTX_set_tlsext_servername_arg(context, tls);
	SSL_CTX_set_msg_callback(context, note_message);
	// Suites whose hash is SHA-256: the broker reads no others.
	return SSL_CTX_set_num_tickets(context, 0) == 1 && SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
	       SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256") == 1 &&
	       SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1 &&
	       SSL_CTX_set1_client_sigalgs_list(context, "ECDSA+SHA256:rsa_pss_rsae_sha256:ed25519") == 1;
}

bool tls_new(const char *certificate, const char *key, const char *staff_ca, const char *web_host, struct tls **ret,
	     char detail[TLS_DETAIL_BYTES])
{
	struct tls *tls = calloc(1, sizeof *tls);
	snprintf(detail, TLS_DETAIL_BYTES, "OpenSSL cannot be used");
	if (tls == NULL)
		return false;
	snprintf(tls->web_host, sizeof tls->web_host, "%s", web_host);
	tls->context = SSL_CTX_new(TLS_server_method());
	if (connection_index < 0)
		connection_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, forget);
	if (tls->context == NULL || connection_index < 0 || !configure(tls) || !load(tls, certificate, key, staff_ca, detail) ||
	    !is_for(tls, certificate, detail)) {
		tls_free(tls);
		return false;
	}
	*ret = tls;
	return true;
}

void tls_free(struct tls *tls)
{
	if (tls == NULL)
		return;
	SSL_CTX_free(tls->context);
	sk_X509_NAME_pop_free(tls->staff_issuers, X509_NAME_free);
	free(tls);
}
