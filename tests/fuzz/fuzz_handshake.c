// Handshakes that somebody hands over as proof: one that holds, with bytes of its messages changed and then signed again or not; any
// bytes as one; messages as they are collected; names as web hosts.
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/x509.h>

#include "certs/staff_key_priv.h"
#include "certs/tls_handshake.h"
#include "certs/tls_transcript.h"
#include "tests/fuzz/fuzz.h"

#define HOST "cpis.example"
#define LABEL "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define NAME LABEL "." HOST // 65 bytes, 0x41
#define MESSAGES_MAX 11
#define MESSAGE_BYTES_MAX 2048
#define ZEROS_16 "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define LITERAL(text) text, sizeof text - 1

static EVP_PKEY *key;
static struct staff_key public_key, other_key;
static uint8_t *certificate;
static size_t certificate_bytes;
static const uint8_t challenge[BROWSER_CHALLENGE_BYTES];

struct message {
	uint8_t type;
	size_t bytes;
	uint8_t body[MESSAGE_BYTES_MAX];
};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const uint8_t secret[32] = {7}; // worth nothing: an input has to be the same handshake each time
	(void)argc, (void)argv;
	key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret, sizeof secret);
	EVP_PKEY *another = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	X509 *made = X509_new();
	FUZZ_MUST(key != NULL && another != NULL && made != NULL && staff_key_from_evp(key, &public_key) == CERTS_OK &&
		  staff_key_from_evp(another, &other_key) == CERTS_OK);
	ASN1_INTEGER_set(X509_get_serialNumber(made), 1);
	ASN1_TIME_set(X509_getm_notBefore(made), 1792488600);
	ASN1_TIME_set(X509_getm_notAfter(made), 1792489600);
	FUZZ_MUST(X509_set_pubkey(made, key) == 1 && X509_sign(made, key, NULL) > 0);
	int bytes = i2d_X509(made, &certificate);
	FUZZ_MUST(bytes > 0);
	certificate_bytes = (size_t)bytes;
	X509_free(made);
	EVP_PKEY_free(another);
	return 0;
}

static void set(struct message *message, uint8_t type, const void *body, size_t bytes)
{
	message->type = type;
	message->bytes = bytes;
	memcpy(message->body, body, bytes);
}

// A handshake as short as one can be. The last message is added where it is signed.
static unsigned make_messages(bool retried, struct message messages[MESSAGES_MAX])
{
	static const uint8_t retry[] = {0x03, 0x03, 0xCF, 0x21, 0xAD, 0x74, 0xE5, 0x9A, 0x61, 0x11, 0xBE, 0x1D, 0x8C, 0x02, 0x1E, 0x65, 0xB8, 0x91, 0xC2,
					0xA2, 0x11, 0x16, 0x7A, 0xBB, 0x8C, 0x5E, 0x07, 0x9E, 0x09, 0xE2, 0xC8, 0xA8, 0x33, 0x9C, 0x00, 0x13, 0x01, 0x00,
					0x00, 0x06, 0x00, 0x2B, 0x00, 0x02, 0x03, 0x04};
	unsigned count = 0;
	if (retried) {
		set(&messages[count++], 254, LITERAL(ZEROS_16 ZEROS_16));
		set(&messages[count++], 2, retry, sizeof retry);
	}
	set(&messages[count++], 1, LITERAL("\x03\x03" ZEROS_16 ZEROS_16 "\0\0\2\x13\1\1\0\0\x4F\x0A\x0A\0\1\0\0\0\0\x46\0\x44\0\0\x41" NAME));
	set(&messages[count++], 2, LITERAL("\x03\x03" ZEROS_16 ZEROS_16 "\0\x13\1\0\0\x0B\0\x2B\0\2\3\4\x0A\x0A\0\1\0"));
	set(&messages[count++], 8, LITERAL("\0\0"));
	set(&messages[count++], 13, LITERAL("\0\0\0"));
	set(&messages[count++], 11, LITERAL("\0\0\0\0"));
	set(&messages[count++], 15, LITERAL("\4\3\0\0"));
	set(&messages[count++], 20, LITERAL(ZEROS_16 ZEROS_16));
	struct message *own = &messages[count++];
	size_t list = certificate_bytes + 5;
	const uint8_t head[] = {0, 0, (uint8_t)(list >> 8), (uint8_t)list, 0, (uint8_t)(certificate_bytes >> 8), (uint8_t)certificate_bytes};
	set(own, 11, head, sizeof head);
	memcpy(own->body + sizeof head, certificate, certificate_bytes);
	memset(own->body + sizeof head + certificate_bytes, 0, 2);
	own->bytes = sizeof head + certificate_bytes + 2;
	return count;
}

// Until the input says 0: bytes of a message replaced, taken out or put in, its type another, or itself left out.
static void change(struct fuzz_input *input, struct message *messages, unsigned *count)
{
	for (uint8_t how; (how = fuzz_byte(input)) != 0 && *count > 1;) {
		struct message *message = &messages[(how >> 4) % *count];
		if ((how & 15) == 15) {
			memmove(message, message + 1, (size_t)(messages + *count - message - 1) * sizeof *message);
			(*count)--;
			continue;
		}
		if ((how & 15) == 14) {
			message->type = fuzz_byte(input);
			continue;
		}
		size_t at = fuzz_number(input, 2) % (message->bytes + 1), removed = how & 7, put_bytes;
		const uint8_t *put = fuzz_take(input, (how & 8) != 0 ? fuzz_byte(input) : 0, &put_bytes);
		removed = removed > message->bytes - at ? message->bytes - at : removed;
		if (message->bytes + put_bytes > MESSAGE_BYTES_MAX)
			continue;
		memmove(message->body + at + put_bytes, message->body + at + removed, message->bytes - at - removed);
		memcpy(message->body + at, put, put_bytes);
		message->bytes += put_bytes - removed;
	}
}

static void append(struct tls_transcript *to, const struct message *message)
{
	const uint8_t head[] = {message->type, (uint8_t)(message->bytes >> 16), (uint8_t)(message->bytes >> 8), (uint8_t)message->bytes};
	FUZZ_MUST(to->bytes + sizeof head + message->bytes <= sizeof to->data);
	memcpy(to->data + to->bytes, head, sizeof head);
	memcpy(to->data + to->bytes + sizeof head, message->body, message->bytes);
	to->bytes += sizeof head + message->bytes;
}

static void sign(const struct tls_transcript *transcript, struct message *ret)
{
	uint8_t text[64 + 34 + 64], signature[64];
	size_t bytes = sizeof signature;
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	memset(text, ' ', 64);
	memcpy(text + 64, "TLS 1.3, client CertificateVerify", 34);
	FUZZ_MUST(EVP_Digest(transcript->data, transcript->bytes, text + 98, NULL, EVP_sha256(), NULL) == 1 &&
		  EVP_DigestSignInit(context, NULL, NULL, NULL, key) == 1 && EVP_DigestSign(context, signature, &bytes, text, 130) == 1);
	EVP_MD_CTX_free(context);
	set(ret, 15, LITERAL("\x08\x07\0\x40"));
	memcpy(ret->body + 4, signature, 64);
	ret->bytes = 68;
}

// What was accepted names the host; for another one, another challenge and another person it is worth nothing.
static void check(const uint8_t *transcript, size_t bytes)
{
	static const uint8_t other[BROWSER_CHALLENGE_BYTES] = {1};
	enum certs_status status = tls_handshake_verify(&public_key, transcript, bytes, HOST, challenge);
	FUZZ_MUST(certs_status_text(status)[0] != '\0');
	FUZZ_MUST(tls_handshake_verify(&public_key, transcript, bytes, "", challenge) == CERTS_PROOF_ORIGIN);
	FUZZ_MUST(tls_handshake_verify(&other_key, transcript, bytes, HOST, challenge) != CERTS_OK);
	if (status != CERTS_OK)
		return;
	FUZZ_MUST(memmem(transcript, bytes, NAME, strlen(NAME)) != NULL);
	FUZZ_MUST(tls_handshake_verify(&public_key, transcript, bytes, HOST, other) == CERTS_PROOF_CHALLENGE);
	FUZZ_MUST(tls_handshake_verify(&public_key, transcript, bytes, "cpis.exampld", challenge) == CERTS_PROOF_ORIGIN);
	FUZZ_MUST(tls_handshake_verify(&public_key, transcript, bytes - 1, HOST, challenge) != CERTS_OK);
}

static void check_changed(struct fuzz_input *input, uint8_t how)
{
	static struct message messages[MESSAGES_MAX], last;
	static struct tls_transcript transcript;
	bool retried = (how & 4) != 0;
	unsigned count = make_messages(retried, messages);
	change(input, messages, &count);
	transcript = (struct tls_transcript){0};
	for (unsigned i = 0; i < count; i++)
		append(&transcript, &messages[i]);
	sign(&transcript, &last);
	if ((how & 8) != 0) {
		static struct message both[2]; // the other is empty: one of them may be left out
		unsigned both_count = 2;
		both[0] = last;
		change(input, both, &both_count);
		last = both[0];
	}
	append(&transcript, &last);
	check(transcript.data, transcript.bytes);
}

// As whoever terminates the connection sees them, one after the other.
static void check_collecting(struct fuzz_input *input)
{
	static struct tls_transcript transcript;
	static struct message messages[MESSAGES_MAX];
	static uint8_t bytes[4 + MESSAGE_BYTES_MAX];
	unsigned count = make_messages(true, messages);
	messages[0] = messages[2]; // there is no hash before the request for another hello
	change(input, messages, &count);
	transcript = (struct tls_transcript){0};
	for (unsigned i = 0; i < count; i++) {
		const uint8_t head[] = {messages[i].type, 0, (uint8_t)(messages[i].bytes >> 8), (uint8_t)messages[i].bytes};
		memcpy(bytes, head, 4);
		memcpy(bytes + 4, messages[i].body, messages[i].bytes);
		size_t before = transcript.bytes, cut = fuzz_byte(input);
		if (!tls_transcript_add(&transcript, bytes, messages[i].bytes + 4 - (cut > 250 ? 1 : 0)))
			FUZZ_MUST(transcript.bytes == before);
	}
	FUZZ_MUST(transcript.bytes <= sizeof transcript.data);
	check(transcript.data, transcript.bytes);
}

static void check_host(struct fuzz_input *input)
{
	char host[256], label[BROWSER_CHALLENGE_LABEL_BYTES];
	size_t bytes;
	const uint8_t *text = fuzz_take(input, 255, &bytes);
	memcpy(host, text, bytes);
	host[bytes] = '\0';
	if (web_host_is_good(host))
		FUZZ_MUST(strlen(host) <= WEB_HOST_BYTES_MAX && strpbrk(host, "/:@ ,*%ABC") == NULL);
	uint8_t digest[BROWSER_CHALLENGE_BYTES] = {0};
	memcpy(digest, text, bytes < sizeof digest ? bytes : sizeof digest);
	browser_challenge_label(digest, label);
	FUZZ_MUST(strlen(label) == 52 && web_host_is_good(label) == (label[0] >= 'a'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct fuzz_input input = fuzz_input(data, bytes);
	uint8_t how = fuzz_byte(&input);
	switch (how % 4) {
	case 0:
		check_changed(&input, how);
		break;
	case 1:
		check(input.at, fuzz_left(&input));
		break;
	case 2:
		check_collecting(&input);
		break;
	default:
		check_host(&input);
		break;
	}
	return 0;
}
