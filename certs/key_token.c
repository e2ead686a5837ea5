// Keys on PKCS#11 tokens, through p11-kit.
#include "certs/key_token.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <p11-kit/p11-kit.h>
#include <p11-kit/uri.h>

#include "certs/certificate_priv.h"
#include "certs/file_priv.h"
#include "certs/key_priv.h"

#define SLOTS_MAX 64u
#define PIN_BYTES_MAX 256u
#define ID_BYTES_MAX 64u

struct token {
	CK_FUNCTION_LIST **modules;    // all that p11-kit knows; or
	CK_FUNCTION_LIST *only_module; // the one that the URI names
	CK_FUNCTION_LIST *module;      // that holds the key
	CK_SESSION_HANDLE session;
	CK_OBJECT_HANDLE key;
	bool has_session;
};

bool signing_key_is_token(const char *where)
{
	return strncmp(where, "pkcs11:", 7) == 0;
}

static enum certs_status fail(char detail[CERTS_DETAIL_BYTES], const char *why)
{
	return certificate_refuse(detail, CERTS_TOKEN, "pkcs11", why);
}

static enum certs_status fail_with(char detail[CERTS_DETAIL_BYTES], CK_RV code)
{
	switch (code) {
	case CKR_PIN_INCORRECT:
	case CKR_PIN_INVALID:
	case CKR_PIN_LEN_RANGE:
		return fail(detail, "the PIN is wrong");
	case CKR_PIN_LOCKED:
		return fail(detail, "the PIN is locked after too many wrong ones");
	case CKR_TOKEN_NOT_PRESENT:
	case CKR_DEVICE_REMOVED:
		return fail(detail, "the token is not there any more");
	case CKR_MECHANISM_INVALID:
		return fail(detail, "the token cannot sign with Ed25519");
	default:
		return fail(detail, p11_kit_strerror(code));
	}
}

static void token_close(void *context)
{
	struct token *token = context;
	if (token->has_session)
		token->module->C_CloseSession(token->session);
	if (token->modules != NULL)
		p11_kit_modules_finalize_and_release(token->modules);
	if (token->only_module != NULL) {
		p11_kit_module_finalize(token->only_module);
		p11_kit_module_release(token->only_module);
	}
	free(token);
}

static enum certs_status token_sign(void *context, const uint8_t *message, size_t message_bytes,
				    uint8_t out[ED25519_SIGNATURE_BYTES])
{
	struct token *token = context;
	CK_MECHANISM mechanism = {CKM_EDDSA, NULL, 0};
	CK_ULONG bytes = ED25519_SIGNATURE_BYTES;
	CK_RV code = token->module->C_SignInit(token->session, &mechanism, token->key);
	if (code == CKR_OK)
		code = token->module->C_Sign(token->session, (CK_BYTE *)(uintptr_t)message, message_bytes, out, &bytes);
	return code == CKR_OK && bytes == ED25519_SIGNATURE_BYTES ? CERTS_OK : CERTS_TOKEN;
}

// ------------------------------------------------------------------ the token

static enum certs_status load_modules(struct token *token, P11KitUri *uri, char detail[CERTS_DETAIL_BYTES])
{
	const char *path = p11_kit_uri_get_module_path(uri);
	if (path == NULL) {
		token->modules = p11_kit_modules_load_and_initialize(0);
		return token->modules != NULL ? CERTS_OK : fail(detail, "p11-kit has no module that can be used");
	}
	token->only_module = p11_kit_module_load(path, 0);
	if (token->only_module == NULL)
		return fail(detail, "the module of module-path cannot be loaded");
	if (p11_kit_module_initialize(token->only_module) == CKR_OK)
		return CERTS_OK;
	p11_kit_module_release(token->only_module);
	token->only_module = NULL;
	return fail(detail, "the module of module-path does not start");
}

static unsigned match_slots(CK_FUNCTION_LIST *module, P11KitUri *uri, CK_SLOT_ID *ret_slot, CK_FLAGS *ret_flags)
{
	CK_SLOT_ID slots[SLOTS_MAX];
	CK_ULONG count = SLOTS_MAX;
	unsigned found = 0;
	if (module->C_GetSlotList(CK_TRUE, slots, &count) != CKR_OK)
		return 0;
	for (CK_ULONG i = 0; i < count; i++) {
		CK_TOKEN_INFO info;
		if (module->C_GetTokenInfo(slots[i], &info) != CKR_OK || (info.flags & CKF_TOKEN_INITIALIZED) == 0 ||
		    !p11_kit_uri_match_token_info(uri, &info))
			continue;
		*ret_slot = slots[i];
		*ret_flags = info.flags;
		found++;
	}
	return found;
}

// The one token that the URI describes.
static enum certs_status find_slot(struct token *token, P11KitUri *uri, CK_SLOT_ID *ret_slot, CK_FLAGS *ret_flags,
				   char detail[CERTS_DETAIL_BYTES])
{
	CK_FUNCTION_LIST *single[] = {token->only_module, NULL};
	CK_FUNCTION_LIST **modules = token->modules != NULL ? token->modules : single;
	unsigned found = 0;
	for (size_t i = 0; modules[i] != NULL; i++) {
		CK_SLOT_ID slot;
		CK_FLAGS flags;
		unsigned here = match_slots(modules[i], uri, &slot, &flags);
		found += here;
		if (here > 0) {
			token->module = modules[i];
			*ret_slot = slot;
			*ret_flags = flags;
		}
	}
	if (found == 1)
		return CERTS_OK;
	return fail(detail, found == 0 ? "no token that is present is the one described"
				       : "several tokens are as described: say more in the URI");
}

// ------------------------------------------------------------------ the PIN

// "file:/path" or a path.
static enum certs_status read_pin_file(const char *source, char pin[PIN_BYTES_MAX], char detail[CERTS_DETAIL_BYTES])
{
	uint8_t *data = NULL;
	size_t bytes = 0;
	const char *path = strncmp(source, "file://", 7) == 0  ? source + 7
			   : strncmp(source, "file:", 5) == 0 ? source + 5
							       : source;
	enum certs_status status = file_read(path, true, &data, &bytes);
	if (status != CERTS_OK)
		return certificate_refuse(detail, status, path, "pin-source");
	size_t length = strcspn((const char *)data, "\r\n");
	bool fits = length > 0 && length < PIN_BYTES_MAX;
	if (fits) {
		memcpy(pin, data, length);
		pin[length] = '\0';
	}
	file_free(data, bytes);
	return fits ? CERTS_OK : fail(detail, "the file of pin-source holds no PIN");
}

static enum certs_status find_pin(P11KitUri *uri, char pin[PIN_BYTES_MAX], char detail[CERTS_DETAIL_BYTES])
{
	const char *value = p11_kit_uri_get_pin_value(uri), *source = p11_kit_uri_get_pin_source(uri);
	if (source != NULL)
		return read_pin_file(source, pin, detail);
	if (value == NULL)
		return fail(detail, "the token wants a PIN: add pin-source=file:/path to the URI");
	if (strlen(value) >= PIN_BYTES_MAX)
		return fail(detail, "the PIN is too long");
	memcpy(pin, value, strlen(value) + 1);
	return CERTS_OK;
}

static enum certs_status log_in(struct token *token, P11KitUri *uri, char detail[CERTS_DETAIL_BYTES])
{
	char pin[PIN_BYTES_MAX];
	enum certs_status status = find_pin(uri, pin, detail);
	if (status != CERTS_OK)
		return status;
	CK_RV code = token->module->C_Login(token->session, CKU_USER, (CK_UTF8CHAR *)pin, strlen(pin));
	OPENSSL_cleanse(pin, sizeof pin);
	return code == CKR_OK || code == CKR_USER_ALREADY_LOGGED_IN ? CERTS_OK : fail_with(detail, code);
}

// ------------------------------------------------------------------ the key

// How many objects there are like this, up to two.
static CK_RV find_objects(struct token *token, CK_ATTRIBUTE *wanted, CK_ULONG wanted_count, CK_OBJECT_HANDLE ret[2],
			  CK_ULONG *ret_count)
{
	CK_RV code = token->module->C_FindObjectsInit(token->session, wanted, wanted_count);
	if (code != CKR_OK)
		return code;
	code = token->module->C_FindObjects(token->session, ret, 2, ret_count);
	token->module->C_FindObjectsFinal(token->session);
	return code;
}

static enum certs_status find_private_key(struct token *token, P11KitUri *uri, char detail[CERTS_DETAIL_BYTES])
{
	CK_OBJECT_CLASS private_key = CKO_PRIVATE_KEY;
	CK_ATTRIBUTE of_class = {CKA_CLASS, &private_key, sizeof private_key};
	CK_OBJECT_HANDLE found[2];
	CK_KEY_TYPE type = 0;
	CK_ATTRIBUTE its_type = {CKA_KEY_TYPE, &type, sizeof type};
	CK_ULONG count = 0, wanted_count;
	// Whatever class the URI says: it names the key by its label or id.
	if (p11_kit_uri_set_attribute(uri, &of_class) != P11_KIT_URI_OK)
		return fail(detail, "the URI cannot be used");
	CK_ATTRIBUTE *wanted = p11_kit_uri_get_attributes(uri, &wanted_count);
	CK_RV code = find_objects(token, wanted, wanted_count, found, &count);
	if (code != CKR_OK)
		return fail_with(detail, code);
	if (count != 1)
		return fail(detail, count == 0 ? "no private key on the token is the one described"
					       : "several private keys are as described: say more in the URI");
	code = token->module->C_GetAttributeValue(token->session, found[0], &its_type, 1);
	if (code != CKR_OK || type != CKK_EC_EDWARDS)
		return certificate_refuse(detail, CERTS_WRONG_KEY_TYPE, "pkcs11", "Ed25519 is");
	token->key = found[0];
	return CERTS_OK;
}

// The 32 bytes as they are, or in an OCTET STRING: modules differ.
static bool read_point(const uint8_t *point, CK_ULONG bytes, uint8_t out[KEY_BYTES])
{
	if (bytes == KEY_BYTES + 2 && point[0] == 0x04 && point[1] == KEY_BYTES)
		point += 2;
	else if (bytes != KEY_BYTES)
		return false;
	memcpy(out, point, KEY_BYTES);
	return true;
}

static enum certs_status find_public_key(struct token *token, uint8_t out[KEY_BYTES], char detail[CERTS_DETAIL_BYTES])
{
	uint8_t id[ID_BYTES_MAX], point[64];
	CK_OBJECT_CLASS public_key = CKO_PUBLIC_KEY;
	CK_ATTRIBUTE its_id = {CKA_ID, id, sizeof id}, its_point = {CKA_EC_POINT, point, sizeof point};
	CK_OBJECT_HANDLE found[2];
	CK_ULONG count = 0;
	if (token->module->C_GetAttributeValue(token->session, token->key, &its_id, 1) != CKR_OK || its_id.ulValueLen == 0)
		return fail(detail, "the private key has no id, by which its public key could be found");
	CK_ATTRIBUTE wanted[] = {{CKA_CLASS, &public_key, sizeof public_key}, its_id};
	CK_RV code = find_objects(token, wanted, 2, found, &count);
	if (code != CKR_OK)
		return fail_with(detail, code);
	if (count != 1)
		return fail(detail, "there is not exactly one public key with the private key's id");
	code = token->module->C_GetAttributeValue(token->session, found[0], &its_point, 1);
	if (code != CKR_OK || !read_point(point, its_point.ulValueLen, out))
		return fail(detail, "the public key is not one of Ed25519");
	return CERTS_OK;
}

static enum certs_status open_token(struct token *token, P11KitUri *uri, uint8_t public_key[KEY_BYTES],
				    char detail[CERTS_DETAIL_BYTES])
{
	CK_SLOT_ID slot = 0;
	CK_FLAGS flags = 0;
	enum certs_status status = load_modules(token, uri, detail);
	if (status == CERTS_OK)
		status = find_slot(token, uri, &slot, &flags, detail);
	if (status != CERTS_OK)
		return status;
	CK_RV code = token->module->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, &token->session);
	if (code != CKR_OK)
		return fail_with(detail, code);
	token->has_session = true;
	if ((flags & CKF_LOGIN_REQUIRED) != 0)
		status = log_in(token, uri, detail);
	if (status == CERTS_OK)
		status = find_private_key(token, uri, detail);
	if (status == CERTS_OK)
		status = find_public_key(token, public_key, detail);
	return status;
}

static const struct signing_token functions = {.sign = token_sign, .close = token_close};

static enum certs_status open_uri(const char *where, struct signing_key **ret, char detail[CERTS_DETAIL_BYTES])
{
	uint8_t public_key[KEY_BYTES];
	P11KitUri *uri = p11_kit_uri_new();
	struct token *token = calloc(1, sizeof *token);
	enum certs_status status = CERTS_OK;
	if (uri == NULL || token == NULL)
		status = fail(detail, "out of memory");
	else if (p11_kit_uri_parse(where, P11_KIT_URI_FOR_ANY, uri) != P11_KIT_URI_OK ||
		 p11_kit_uri_any_unrecognized(uri))
		status = fail(detail, "the URI is not one of RFC 7512");
	if (status == CERTS_OK)
		status = open_token(token, uri, public_key, detail);
	if (status == CERTS_OK && (*ret = signing_key_on_token(&functions, token, public_key)) == NULL)
		status = fail(detail, "out of memory");
	if (status != CERTS_OK && token != NULL)
		token_close(token);
	p11_kit_uri_free(uri);
	return status;
}

enum certs_status signing_key_open(const char *where, struct signing_key **ret, char detail[CERTS_DETAIL_BYTES])
{
	if (signing_key_is_token(where))
		return open_uri(where, ret, detail);
	enum certs_status status = signing_key_load(where, ret);
	return status == CERTS_OK ? status : certificate_refuse(detail, status, where, NULL);
}
