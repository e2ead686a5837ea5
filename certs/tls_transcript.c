// Collecting a handshake's messages.
#include "certs/tls_transcript.h"

#include <string.h>

#include <openssl/evp.h>

#include "certs/tls_message_priv.h"

#define HASH_BYTES 32

// RFC 8446, section 4.4.1.
static bool replace_by_hash(struct tls_transcript *transcript)
{
	uint8_t hash[EVP_MAX_MD_SIZE];
	if (EVP_Digest(transcript->data, transcript->bytes, hash, NULL, EVP_sha256(), NULL) != 1)
		return false;
	memcpy(transcript->data, (const uint8_t[]){TLS_MESSAGE_HASH, 0, 0, HASH_BYTES}, 4);
	memcpy(transcript->data + 4, hash, HASH_BYTES);
	transcript->bytes = 4 + HASH_BYTES;
	return true;
}

bool tls_transcript_add(struct tls_transcript *transcript, const uint8_t *message, size_t message_bytes)
{
	struct tls_bytes left = {message, message_bytes}, body;
	uint8_t type;
	if (tls_transcript_is_complete(transcript) || !tls_take_message(&left, &type, &body) || left.left != 0 ||
	    message_bytes > sizeof transcript->data - transcript->bytes)
		return false;
	// The hash is not longer than a ClientHello.
	if (type == TLS_SERVER_HELLO && transcript->messages == 1 && transcript->bytes > 4 + HASH_BYTES && tls_is_retry_request(body) &&
	    !replace_by_hash(transcript))
		return false;
	memcpy(transcript->data + transcript->bytes, message, message_bytes);
	transcript->bytes += message_bytes;
	transcript->messages++;
	if (type == TLS_CERTIFICATE_VERIFY)
		transcript->certificate_verifies++;
	return true;
}

bool tls_transcript_is_complete(const struct tls_transcript *transcript)
{
	return transcript->certificate_verifies == 2;
}
