// Reading proofs.
#include "clients/web/proof.h"

#include <string.h>

#include "certs/browser_challenge.h"
#include "proto/wire.h"

static bool field_bytes(const struct page *page, const char *name, ProtobufCBinaryData *ret)
{
	const char *text = page_field(page, name);
	size_t bytes = 0;
	uint8_t *data = text[0] == '\0' ? NULL : sealed_from_base64(page->arena, text, &bytes);
	*ret = (ProtobufCBinaryData){bytes, data};
	return data != NULL && bytes > 0;
}

bool proof_of_passkey(const struct page *page, struct proof *ret)
{
	memset(ret, 0, sizeof *ret);
	cpis__v1__browser_proof__init(&ret->message);
	cpis__v1__passkey_assertion__init(&ret->passkey);
	ret->credential = page_field(page, "credential");
	ret->message.kind_case = CPIS__V1__BROWSER_PROOF__KIND_PASSKEY;
	ret->message.passkey = &ret->passkey;
	return ret->credential[0] != '\0' && field_bytes(page, "authenticator_data", &ret->passkey.authenticator_data) &&
	       field_bytes(page, "client_data", &ret->passkey.client_data_json) &&
	       field_bytes(page, "signature", &ret->passkey.signature) &&
	       ret->passkey.authenticator_data.len <= AUTHENTICATOR_DATA_BYTES_MAX &&
	       ret->passkey.client_data_json.len <= CLIENT_DATA_BYTES_MAX &&
	       ret->passkey.signature.len <= ASSERTION_SIGNATURE_BYTES_MAX;
}

bool proof_of_handshake(const struct page *page, struct proof *ret)
{
	const struct visit *visit = page->visit;
	memset(ret, 0, sizeof *ret);
	cpis__v1__browser_proof__init(&ret->message);
	cpis__v1__tls_handshake__init(&ret->handshake);
	ret->message.kind_case = CPIS__V1__BROWSER_PROOF__KIND_HANDSHAKE;
	ret->message.handshake = &ret->handshake;
	ret->handshake.transcript = (ProtobufCBinaryData){visit->transcript_bytes, visit->transcript};
	ret->certificate = visit->certificate;
	ret->certificate_bytes = visit->certificate_bytes;
	return visit->label[0] != '\0' && visit->transcript_bytes > 0 && visit->certificate_bytes > 0 &&
	       visit->certificate_bytes <= STAFF_CERTIFICATE_BYTES_MAX;
}

const char *proof_address(const struct page *page, const uint8_t challenge[PROOF_CHALLENGE_BYTES], const char *path)
{
	char label[TLS_LABEL_BYTES + 1];
	browser_challenge_label(challenge, label);
	return arena_printf(page->arena, "https://%s.%s%s", label, page->gateway->host_and_port, path);
}

bool proof_is_at(const struct page *page, const ProtobufCBinaryData *challenge)
{
	char label[TLS_LABEL_BYTES + 1];
	if (challenge->len != PROOF_CHALLENGE_BYTES)
		return false;
	browser_challenge_label(challenge->data, label);
	return strcmp(label, page->visit->label) == 0;
}
