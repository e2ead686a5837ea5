// Handshake messages of TLS 1.3 as bytes.
#include "certs/tls_message_priv.h"

#include <string.h>

bool tls_take_number(struct tls_bytes *from, unsigned number_bytes, uint32_t *ret)
{
	struct tls_bytes number;
	if (!tls_take(from, number_bytes, &number))
		return false;
	*ret = 0;
	for (unsigned i = 0; i < number_bytes; i++)
		*ret = *ret << 8 | number.at[i];
	return true;
}

bool tls_take(struct tls_bytes *from, size_t bytes, struct tls_bytes *ret)
{
	if (bytes > from->left)
		return false;
	*ret = (struct tls_bytes){from->at, bytes};
	from->at += bytes;
	from->left -= bytes;
	return true;
}

bool tls_take_vector(struct tls_bytes *from, unsigned length_bytes, struct tls_bytes *ret)
{
	uint32_t bytes;
	return tls_take_number(from, length_bytes, &bytes) && tls_take(from, bytes, ret);
}

bool tls_take_message(struct tls_bytes *from, uint8_t *ret_type, struct tls_bytes *ret_body)
{
	uint32_t type;
	if (!tls_take_number(from, 1, &type) || !tls_take_vector(from, 3, ret_body))
		return false;
	*ret_type = (uint8_t)type;
	return true;
}

bool tls_is_retry_request(struct tls_bytes server_hello)
{
	// SHA-256 of "HelloRetryRequest".
	static const uint8_t random[32] = {0xCF, 0x21, 0xAD, 0x74, 0xE5, 0x9A, 0x61, 0x11, 0xBE, 0x1D, 0x8C, 0x02, 0x1E, 0x65, 0xB8, 0x91,
					   0xC2, 0xA2, 0x11, 0x16, 0x7A, 0xBB, 0x8C, 0x5E, 0x07, 0x9E, 0x09, 0xE2, 0xC8, 0xA8, 0x33, 0x9C};
	struct tls_bytes version, read;
	return tls_take(&server_hello, 2, &version) && tls_take(&server_hello, sizeof random, &read) &&
	       memcmp(read.at, random, sizeof random) == 0;
}
