// The shared keys of brokers, sealed and signed.
#include "broker/share.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "certs/identity.h"
#include "certs/key_memory.h"
#include "proto/invariant.h"
#include "proto/limits.h"

#define MAGIC_BYTES (sizeof SHARE_MAGIC - 1)
#define BODY_AT (MAGIC_BYTES + ED25519_SIGNATURE_BYTES)
#define PLAIN_BYTES (SHARE_FILES * (2u + SHARE_KEY_BYTES_MAX))
_Static_assert(BODY_AT + 8 + KEY_BYTES + 2 + IDENTITY_NAME_BYTES_MAX + 2 + NOTE_ORIGIN_BYTES_MAX + 2 + PLAIN_BYTES + crypto_box_SEALBYTES <=
		       SHARE_BYTES_MAX, "what is made can be read");
_Static_assert(crypto_box_PUBLICKEYBYTES == KEY_BYTES && crypto_box_SECRETKEYBYTES == KEY_BYTES, "X25519");

struct shared_keys *shared_keys_new(void)
{
	return key_memory_new(sizeof(struct shared_keys));
}

void shared_keys_free(struct shared_keys *keys)
{
	key_memory_free(keys, sizeof *keys);
}

// ------------------------------------------------------------------ fields

// Writes into what has room for all of it.
struct writer {
	uint8_t *at;
};

static void put(struct writer *writer, const void *data, size_t bytes)
{
	memcpy(writer->at, data, bytes);
	writer->at += bytes;
}

static void put_field(struct writer *writer, const void *data, size_t bytes)
{
	const uint8_t length[] = {(uint8_t)(bytes >> 8), (uint8_t)bytes};
	put(writer, length, sizeof length);
	put(writer, data, bytes);
}

struct reader {
	const uint8_t *at, *end;
};

// NULL when so many are not there.
static const uint8_t *take(struct reader *reader, size_t bytes)
{
	const uint8_t *at = reader->at;
	if ((size_t)(reader->end - at) < bytes)
		return NULL;
	reader->at += bytes;
	return at;
}

static bool take_field(struct reader *reader, size_t bytes_max, const uint8_t **ret, size_t *ret_bytes)
{
	const uint8_t *length = take(reader, 2);
	if (length == NULL)
		return false;
	*ret_bytes = (size_t)length[0] << 8 | length[1];
	*ret = *ret_bytes <= bytes_max ? take(reader, *ret_bytes) : NULL;
	return *ret != NULL;
}

static bool field_is(const uint8_t *data, size_t bytes, const char *text)
{
	return bytes == strlen(text) && memcmp(data, text, bytes) == 0;
}

// ------------------------------------------------------------------ the signature

// What is signed: never the bytes of the file alone.
static size_t signed_text(const uint8_t *body, size_t body_bytes, uint8_t out[sizeof SHARE_CONTEXT + SHARE_BYTES_MAX])
{
	struct writer writer = {out};
	put(&writer, SHARE_CONTEXT, sizeof SHARE_CONTEXT);
	put(&writer, body, body_bytes);
	return (size_t)(writer.at - out);
}

// ------------------------------------------------------------------ sealing

static bool seal(const struct shared_keys *keys, const uint8_t public_key[KEY_BYTES], struct writer *writer)
{
	uint8_t *plain = key_memory_new(PLAIN_BYTES);
	if (plain == NULL || sodium_init() < 0) {
		key_memory_free(plain, PLAIN_BYTES);
		return false;
	}
	struct writer inner = {plain};
	for (int i = 0; i < SHARE_FILES; i++)
		put_field(&inner, keys->data[i], keys->bytes[i]);
	size_t plain_bytes = (size_t)(inner.at - plain), sealed_bytes = plain_bytes + crypto_box_SEALBYTES;
	const uint8_t length[] = {(uint8_t)(sealed_bytes >> 8), (uint8_t)sealed_bytes};
	put(writer, length, sizeof length);
	bool sealed = crypto_box_seal(writer->at, plain, plain_bytes, public_key) == 0;
	writer->at += sealed_bytes;
	key_memory_free(plain, PLAIN_BYTES);
	return sealed;
}

static bool read_keys(struct reader reader, struct shared_keys *ret)
{
	for (int i = 0; i < SHARE_FILES; i++) {
		const uint8_t *data;
		if (!take_field(&reader, SHARE_KEY_BYTES_MAX, &data, &ret->bytes[i]))
			return false;
		memcpy(ret->data[i], data, ret->bytes[i]);
	}
	return reader.at == reader.end && ret->bytes[SHARE_STORE_KEY] != 0 && ret->bytes[SHARE_LOG_KEY] != 0;
}

static bool unseal(const uint8_t *sealed, size_t sealed_bytes, const struct curve_key_pair *key, struct shared_keys *ret)
{
	if (sealed_bytes < crypto_box_SEALBYTES || sealed_bytes > PLAIN_BYTES + crypto_box_SEALBYTES)
		return false;
	uint8_t *plain = key_memory_new(PLAIN_BYTES);
	size_t plain_bytes = sealed_bytes - crypto_box_SEALBYTES;
	bool opened = plain != NULL && sodium_init() >= 0 &&
		      crypto_box_seal_open(plain, sealed, sealed_bytes, key->public_key, key->secret_key) == 0 &&
		      read_keys((struct reader){plain, plain + plain_bytes}, ret);
	key_memory_free(plain, PLAIN_BYTES);
	return opened;
}

// ------------------------------------------------------------------ whole files

bool share_make(const struct shared_keys *keys, const struct share_recipient *recipient, const char *log_origin,
		const struct signing_key *log_key, uint64_t now_ms, uint8_t out[SHARE_BYTES_MAX], size_t *ret_bytes)
{
	uint8_t text[sizeof SHARE_CONTEXT + SHARE_BYTES_MAX], made[8];
	struct writer writer = {out + BODY_AT};
	INVARIANT(strlen(recipient->broker_name) <= IDENTITY_NAME_BYTES_MAX && strlen(log_origin) <= NOTE_ORIGIN_BYTES_MAX);
	for (int i = 0; i < SHARE_FILES; i++)
		INVARIANT(keys->bytes[i] <= SHARE_KEY_BYTES_MAX);
	for (size_t i = 0; i < sizeof made; i++)
		made[i] = (uint8_t)(now_ms >> (56 - 8 * i));
	memcpy(out, SHARE_MAGIC, MAGIC_BYTES);
	put(&writer, made, sizeof made);
	put(&writer, recipient->public_key, KEY_BYTES);
	put_field(&writer, recipient->broker_name, strlen(recipient->broker_name));
	put_field(&writer, log_origin, strlen(log_origin));
	if (!seal(keys, recipient->public_key, &writer))
		return false;
	*ret_bytes = (size_t)(writer.at - out);
	return signing_key_sign(log_key, text, signed_text(out + BODY_AT, *ret_bytes - BODY_AT, text), out + MAGIC_BYTES) == CERTS_OK;
}

struct share {
	uint64_t made_ms;
	const uint8_t *public_key, *name, *origin, *sealed;
	size_t name_bytes, origin_bytes, sealed_bytes;
};

static bool parse(const uint8_t *body, size_t bytes, struct share *ret)
{
	struct reader reader = {body, body + bytes};
	const uint8_t *made = take(&reader, 8);
	ret->public_key = take(&reader, KEY_BYTES);
	if (made == NULL || ret->public_key == NULL)
		return false;
	ret->made_ms = 0;
	for (size_t i = 0; i < 8; i++)
		ret->made_ms = ret->made_ms << 8 | made[i];
	return take_field(&reader, IDENTITY_NAME_BYTES_MAX, &ret->name, &ret->name_bytes) &&
	       take_field(&reader, NOTE_ORIGIN_BYTES_MAX, &ret->origin, &ret->origin_bytes) &&
	       take_field(&reader, PLAIN_BYTES + crypto_box_SEALBYTES, &ret->sealed, &ret->sealed_bytes) && reader.at == reader.end;
}

static bool refuse(char detail[SHARE_DETAIL_BYTES], const char *what)
{
	snprintf(detail, SHARE_DETAIL_BYTES, "%s", what);
	return false;
}

// Signed by the log's key: an existing broker made it. Whether it is for this one, and now.
static bool is_for(const struct share *share, const struct share_reader *reader, char detail[SHARE_DETAIL_BYTES])
{
	if (!field_is(share->origin, share->origin_bytes, reader->log->origin))
		snprintf(detail, SHARE_DETAIL_BYTES, "is of the log %.*s, and this trust bundle's is %s", (int)share->origin_bytes,
			 (const char *)share->origin, reader->log->origin);
	else if (!field_is(share->name, share->name_bytes, reader->broker_name))
		snprintf(detail, SHARE_DETAIL_BYTES, "is for the broker %.*s, and this is %s", (int)share->name_bytes,
			 (const char *)share->name, reader->broker_name);
	else if (memcmp(share->public_key, reader->key->public_key, KEY_BYTES) != 0)
		refuse(detail, "is for another certificate of this broker's: make it again with the one that it has now");
	else if (share->made_ms > reader->now_ms && share->made_ms - reader->now_ms > CLOCK_SKEW_MS_MAX)
		refuse(detail, "was made in the future: are the clocks of both machines right?");
	else if (share->made_ms < reader->now_ms && reader->now_ms - share->made_ms > SHARE_AGE_MS_MAX)
		refuse(detail, "was made more than 7 days ago: make it again");
	else
		return true;
	return false;
}

bool share_open(const uint8_t *data, size_t bytes, const struct share_reader *reader, struct shared_keys *ret,
		char detail[SHARE_DETAIL_BYTES])
{
	uint8_t text[sizeof SHARE_CONTEXT + SHARE_BYTES_MAX];
	struct share share = {0};
	if (bytes > SHARE_BYTES_MAX || bytes < BODY_AT || memcmp(data, SHARE_MAGIC, MAGIC_BYTES) != 0)
		return refuse(detail, "is not a file that --share made");
	const uint8_t *body = data + BODY_AT;
	// Nobody's word but the log's is read.
	if (ed25519_verify(reader->log->public_key, text, signed_text(body, bytes - BODY_AT, text), data + MAGIC_BYTES) != CERTS_OK)
		return refuse(detail, "is not signed with the key of the log in this trust bundle (log.vkey), or was changed or cut");
	if (!parse(body, bytes - BODY_AT, &share))
		return refuse(detail, "is signed by the log and not well-formed: was it made by another version?");
	if (!is_for(&share, reader, detail))
		return false;
	memset(ret, 0, sizeof *ret);
	if (unseal(share.sealed, share.sealed_bytes, reader->key, ret))
		return true;
	sodium_memzero(ret, sizeof *ret);
	return refuse(detail, "does not open with this broker's key: make it again");
}
