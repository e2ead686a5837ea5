// Handshake messages of TLS 1.3 as bytes (RFC 8446, section 4). Inside certs/ only.
#ifndef CPIS_CERTS_TLS_MESSAGE_PRIV_H
#define CPIS_CERTS_TLS_MESSAGE_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tls_message_type {
	TLS_CLIENT_HELLO = 1,
	TLS_SERVER_HELLO = 2, // a HelloRetryRequest too
	TLS_ENCRYPTED_EXTENSIONS = 8,
	TLS_CERTIFICATE = 11,
	TLS_CERTIFICATE_REQUEST = 13,
	TLS_CERTIFICATE_VERIFY = 15,
	TLS_FINISHED = 20,
	TLS_MESSAGE_HASH = 254, // stands for the first of two ClientHellos (4.4.1)
};

// Bytes that are read from the front.
struct tls_bytes {
	const uint8_t *at;
	size_t left;
};

// A number of 1 to 3 bytes, big-endian.
__attribute__((warn_unused_result)) bool tls_take_number(struct tls_bytes *from, unsigned number_bytes, uint32_t *ret);
__attribute__((warn_unused_result)) bool tls_take(struct tls_bytes *from, size_t bytes, struct tls_bytes *ret);
// A vector: its length in so many bytes, and then that many.
__attribute__((warn_unused_result)) bool tls_take_vector(struct tls_bytes *from, unsigned length_bytes, struct tls_bytes *ret);
// A message's type and its body.
__attribute__((warn_unused_result)) bool tls_take_message(struct tls_bytes *from, uint8_t *ret_type, struct tls_bytes *ret_body);

// Of the body of a message of type TLS_SERVER_HELLO (4.1.3).
bool tls_is_retry_request(struct tls_bytes server_hello);

#endif
