// Enrolling a new system: its key, its one-time code, and which certificate it accepts.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/rand.h>

#include "certs/public_key.h"
#include "clients/libcpis/client_priv.h"

_Static_assert(CPIS_FINGERPRINT_BYTES == PUBLIC_KEY_FINGERPRINT_BYTES, "one fingerprint");

#define PEM_BEGIN "-----BEGIN CERTIFICATE-----\n"
#define PEM_END "-----END CERTIFICATE-----\n"
#define PEM_LINE_DER_BYTES 48u // 64 characters
#define PEM_BYTES_MAX (sizeof PEM_BEGIN + sizeof PEM_END + SYSTEM_CERTIFICATE_BYTES_MAX / PEM_LINE_DER_BYTES * 65u + 66u)

enum cpis_status cpis_connect_enrolling(const struct cpis_options *options, struct cpis_client **ret,
					char detail[CPIS_DETAIL_BYTES])
{
	struct curve_key_pair key = {0};
	struct cpis_client *client = client_new(detail);
	if (client == NULL)
		return CPIS_NO_MEMORY;
	client->enrolling = true;
	enum cpis_status status = client_copy_options(client, options);
	if (status == CPIS_OK && options->further_count > 0)
		status = client_fail(client, CPIS_USAGE, "a system enrols at one broker");
	if (status == CPIS_OK)
		status = client_load_trust(client, options);
	if (status == CPIS_OK) {
		enum certs_status loaded = curve_key_load(options->system_key, &key);
		if (loaded != CERTS_OK)
			status = client_fail(client, CPIS_CREDENTIALS, "%.200s: %s", options->system_key,
					     certs_status_text(loaded));
	}
	memcpy(client->system.curve_public, key.public_key, KEY_BYTES);
	if (status == CPIS_OK)
		status = client_load_checkpoint(client);
	if (status == CPIS_OK)
		status = client_open_sockets(client, &key);
	curve_key_wipe(&key);
	return client_hand_over(client, status, ret, detail);
}

bool cpis_fingerprint(const struct cpis_client *client, char out[CPIS_FINGERPRINT_BYTES])
{
	return public_key_fingerprint(client->system.curve_public, out);
}

bool cpis_make_code(uint8_t ret_code[16], uint8_t ret_sha256[32])
{
	return RAND_bytes(ret_code, ENROLMENT_CODE_BYTES) == 1 &&
	       EVP_Digest(ret_code, ENROLMENT_CODE_BYTES, ret_sha256, NULL, EVP_sha256(), NULL) == 1;
}

// ------------------------------------------------------------------ what is believed

static enum cpis_status check_certificate(struct cpis_client *client, const Cpis__V1__EnrolReply *reply,
					  const char *organisation, const char *system_name)
{
	char detail[CERTS_DETAIL_BYTES] = "";
	struct system_identity system;
	if (trust_verify_system(client->trust, reply->certificate.data, reply->certificate.len, client_now_ms(), &system,
				detail) != CERTS_OK)
		return client_fail(client, CPIS_CREDENTIALS, "what the broker sent: %s", detail);
	if (memcmp(system.curve_public, client->system.curve_public, KEY_BYTES) != 0)
		return client_fail(client, CPIS_CREDENTIALS, "the broker sent a certificate of another key");
	if (strcmp(system.organisation, organisation) != 0 || strcmp(system.name, system_name) != 0)
		return client_fail(client, CPIS_CREDENTIALS, "the broker sent a certificate of %s, %s", system.organisation,
				   system.name);
	return CPIS_OK;
}

static enum cpis_status check_reply(struct cpis_client *client, const Cpis__V1__EnrolReply *reply,
				    const char *organisation, const char *system_name)
{
	char own[CPIS_FINGERPRINT_BYTES];
	if (!cpis_fingerprint(client, own))
		return client_fail(client, CPIS_NO_MEMORY, "the cryptographic library failed");
	if (strcmp(own, reply->fingerprint) != 0)
		return client_fail(client, CPIS_PROTOCOL, "the broker speaks of another key");
	switch (reply->state) {
	case CPIS__V1__ENROLMENT_STATE__WAITING:
		return CPIS_OK;
	case CPIS__V1__ENROLMENT_STATE__ISSUED:
		return check_certificate(client, reply, organisation, system_name);
	default:
		return client_fail(client, CPIS_PROTOCOL, "the reply says neither that it waits nor that it is issued");
	}
}

enum cpis_status cpis_enrol(struct cpis_client *client, const uint8_t code[16], const char *organisation,
			    const char *system_name, uint32_t deadline_ms, const Cpis__V1__Reply **ret)
{
	Cpis__V1__EnrolRequest body = CPIS__V1__ENROL_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	const Cpis__V1__Reply *reply = NULL;
	if (!client->enrolling)
		return client_fail(client, CPIS_USAGE, "this client was not made by cpis_connect_enrolling");
	body.code = (ProtobufCBinaryData){ENROLMENT_CODE_BYTES, (uint8_t *)(uintptr_t)code};
	body.organisation = (char *)(uintptr_t)organisation;
	body.system_name = (char *)(uintptr_t)system_name;
	request.body_case = CPIS__V1__REQUEST__BODY_ENROL;
	request.enrol = &body;
	enum cpis_status status = cpis_call(client, &request, deadline_ms, &reply);
	if (status == CPIS_OK && reply->outcome == CPIS__V1__OUTCOME__OK)
		status = check_reply(client, reply->enrol, organisation, system_name);
	if (status != CPIS_OK) {
		cpis_reply_free(reply);
		return status;
	}
	*ret = reply;
	return CPIS_OK;
}

// ------------------------------------------------------------------ the file

static size_t write_pem(ProtobufCBinaryData der, char out[PEM_BYTES_MAX])
{
	size_t at = sizeof PEM_BEGIN - 1;
	memcpy(out, PEM_BEGIN, at);
	for (size_t i = 0; i < der.len; i += PEM_LINE_DER_BYTES) {
		size_t bytes = der.len - i < PEM_LINE_DER_BYTES ? der.len - i : PEM_LINE_DER_BYTES;
		at += (size_t)EVP_EncodeBlock((unsigned char *)out + at, der.data + i, (int)bytes);
		out[at++] = '\n';
	}
	memcpy(out + at, PEM_END, sizeof PEM_END - 1);
	return at + sizeof PEM_END - 1;
}

static bool write_beside(const char *path, const char *text, size_t bytes)
{
	int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (file < 0)
		return false;
	bool written = write(file, text, bytes) == (ssize_t)bytes && fsync(file) == 0;
	return close(file) == 0 && written;
}

enum cpis_status cpis_save_certificate(struct cpis_client *client, const Cpis__V1__Reply *reply, const char *path)
{
	char pem[PEM_BYTES_MAX], beside[CLIENT_PATH_BYTES + 32];
	if (reply->body_case != CPIS__V1__REPLY__BODY_ENROL ||
	    reply->enrol->state != CPIS__V1__ENROLMENT_STATE__ISSUED ||
	    reply->enrol->certificate.len > SYSTEM_CERTIFICATE_BYTES_MAX || strlen(path) >= CLIENT_PATH_BYTES)
		return client_fail(client, CPIS_USAGE, "there is no certificate in this reply, or the path is too long");
	size_t bytes = write_pem(reply->enrol->certificate, pem);
	snprintf(beside, sizeof beside, "%s.%ld.new", path, (long)getpid());
	// A link, and not a rename, refuses to take the place of a file that is there.
	bool saved = write_beside(beside, pem, bytes) && link(beside, path) == 0;
	int error = errno;
	unlink(beside);
	if (!saved)
		return client_fail(client, CPIS_FILE, "%.200s: %s", path,
				   error == EEXIST ? "is there already and is not overwritten" : strerror(error));
	return CPIS_OK;
}
