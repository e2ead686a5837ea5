// The trust bundle, and brokers' certificates that hold by it or do not: the verdict is trust_verify_broker_file's.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "certs/authority.h"
#include "tests/interop/vectors.h"

#define BROKER_PURPOSE "2.25.185455635316991931809667461232443724531.2"
#define SYSTEM_PURPOSE "2.25.185455635316991931809667461232443724531.1"

static const char *const bundle_files[] = {
	"root.pem", "systems-ca.pem", "staff-ca.pem", "root.crl.pem", "systems.crl.pem", "staff.crl.pem", "log.vkey",
};

static const char *status_word(enum certs_status status)
{
	static const char *const words[] = {
#define X(name, sentence) #name,
		CERTS_STATUS_TABLE(X)
#undef X
	};
	return words[status] + strlen("CERTS_");
}

static json_t *bundle_json(const char *directory)
{
	json_t *bundle = json_object();
	for (size_t i = 0; i < sizeof bundle_files / sizeof bundle_files[0]; i++) {
		char path[512];
		snprintf(path, sizeof path, "%s/%s", directory, bundle_files[i]);
		json_object_set_new(bundle, bundle_files[i], vectors_file_text(path));
	}
	return bundle;
}

// ------------------------------------------------------------------ certificates off the profile

static EVP_PKEY *read_key(const char *path)
{
	FILE *file = fopen(path, "re");
	EVP_PKEY *key = file == NULL ? NULL : PEM_read_PrivateKey(file, NULL, NULL, NULL);
	vectors_must(key != NULL, path);
	fclose(file);
	return key;
}

static X509 *read_certificate(const char *path)
{
	FILE *file = fopen(path, "re");
	X509 *certificate = file == NULL ? NULL : PEM_read_X509(file, NULL, NULL, NULL);
	vectors_must(certificate != NULL, path);
	fclose(file);
	return certificate;
}

static void set_extension(X509 *certificate, int nid, const char *value)
{
	int at = X509_get_ext_by_NID(certificate, nid, -1);
	X509_EXTENSION *made = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	if (at >= 0)
		X509_EXTENSION_free(X509_delete_ext(certificate, at));
	vectors_must(made != NULL && X509_add_ext(certificate, made, -1) == 1, value);
	X509_EXTENSION_free(made);
}

static void add_name(X509 *certificate, int nid, const char *value)
{
	X509_NAME_add_entry_by_NID(X509_get_subject_name(certificate), nid, V_ASN1_UTF8STRING, (const unsigned char *)value, -1, -1, 0);
}

struct change {
	const char *name;
	void (*make)(X509 *certificate, int nid, const char *value);
	int nid;
	const char *value;
};

static const struct change changes[] = {
	{"two purposes", set_extension, NID_ext_key_usage, "critical," BROKER_PURPOSE "," SYSTEM_PURPOSE},
	{"the purpose of a system", set_extension, NID_ext_key_usage, "critical," SYSTEM_PURPOSE},
	{"another key usage", set_extension, NID_key_usage, "critical,digitalSignature"},
	{"an authority", set_extension, NID_basic_constraints, "critical,CA:TRUE"},
	{"the URI of another broker", set_extension, NID_subject_alt_name, "URI:urn:cpis:broker:cpis-2"},
	{"two alternative names", set_extension, NID_subject_alt_name, "URI:urn:cpis:broker:cpis-1,DNS:cpis.example"},
	{"an unknown critical extension", set_extension, NID_netscape_comment, "critical,what is this?"},
	{"an unknown extension that is not critical", set_extension, NID_netscape_comment, "passed over"},
	{"two names", add_name, NID_commonName, "cpis-2"},
	{"an organisation in the subject", add_name, NID_organizationName, "Example"},
};

static void write_changed(const struct vectors *vectors, const struct change *change, const char *authority_key, const char *path)
{
	X509 *certificate = read_certificate(vectors_path(vectors, "ra/broker/broker.pem"));
	EVP_PKEY *key = read_key(vectors_path(vectors, authority_key));
	if (change != NULL)
		change->make(certificate, change->nid, change->value);
	vectors_must(X509_sign(certificate, key, NULL) > 0, "cannot sign");
	FILE *file = fopen(path, "we");
	vectors_must(file != NULL && PEM_write_X509(file, certificate) == 1 && fclose(file) == 0, path);
	EVP_PKEY_free(key);
	X509_free(certificate);
}

// ------------------------------------------------------------------ cases

struct case_list {
	const struct vectors *vectors;
	json_t *cases;
};

static void add(struct case_list *list, const char *name, const char *bundle, const char *certificate, const char *broker_name,
		uint64_t now_ms)
{
	char detail[CERTS_DETAIL_BYTES] = "", directory[32];
	struct trust *trust = NULL;
	struct broker_identity broker;
	snprintf(directory, sizeof directory, "%s/trust", bundle);
	vectors_must(trust_load(vectors_path(list->vectors, directory), &trust, detail) == CERTS_OK, detail);
	enum certs_status status = trust_verify_broker_file(trust, certificate, broker_name, now_ms, &broker, detail);
	trust_free(trust);
	json_t *made = json_pack("{s:s,s:s,s:o,s:s,s:I,s:s}", "name", name, "bundle", bundle, "certificate",
				 vectors_file_hex_der(certificate), "broker_name", broker_name, "time_ms", (json_int_t)now_ms, "verdict",
				 status_word(status));
	if (status == CERTS_OK)
		json_object_set_new(made, "curve_key", vectors_hex(broker.curve_public, sizeof broker.curve_public));
	json_array_append_new(list->cases, made);
}

static void add_dates(struct case_list *list)
{
	const char *broker = vectors_path(list->vectors, "ra/broker/broker.pem");
	const uint64_t made_ms = VECTORS_NOW_MS - 10 * VECTORS_DAY_MS;
	add(list, "good", "ra", broker, VECTORS_BROKER, VECTORS_NOW_MS);
	add(list, "another name than the one that was asked for", "ra", broker, "cpis-2", VECTORS_NOW_MS);
	add(list, "its first second", "ra", broker, VECTORS_BROKER, made_ms);
	add(list, "before its first second", "ra", broker, VECTORS_BROKER, made_ms - 1000);
	add(list, "the lists' last second", "ra", broker, VECTORS_BROKER, made_ms + 30 * VECTORS_DAY_MS - 3601000);
	add(list, "lists past their next update", "ra", broker, VECTORS_BROKER, made_ms + 31 * VECTORS_DAY_MS);
}

static void add_others(struct case_list *list)
{
	const struct vectors *vectors = list->vectors;
	add(list, "a system's certificate", "ra", vectors_path(vectors, "systems/ed.pem"), VECTORS_SYSTEM, VECTORS_NOW_MS);
	add(list, "a person's certificate", "ra", vectors_path(vectors, "staff/grace.pem"), "Grace Okafor", VECTORS_NOW_MS);
	add(list, "another authority's broker of this name", "ra", vectors_path(vectors, "stranger/broker/broker.pem"), VECTORS_BROKER,
	    VECTORS_NOW_MS);
	for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
		const char *path = vectors_path(vectors, "changed.pem");
		write_changed(vectors, &changes[i], "ra/private/systems-ca.key", path);
		add(list, changes[i].name, "ra", path, VECTORS_BROKER, VECTORS_NOW_MS);
	}
	const char *path = vectors_path(vectors, "changed.pem");
	write_changed(vectors, NULL, "ra/private/staff-ca.key", path);
	add(list, "signed by the staff's authority in the name of the systems'", "ra", path, VECTORS_BROKER, VECTORS_NOW_MS);
	write_changed(vectors, NULL, "stranger/private/systems-ca.key", path);
	add(list, "signed by another authority's key in this one's name", "ra", path, VECTORS_BROKER, VECTORS_NOW_MS);
}

static void copy_authority(const struct vectors *vectors, const char *to)
{
	char command[512];
	snprintf(command, sizeof command, "cp -a '%s' '%s'", vectors_path(vectors, "ra"), vectors_path(vectors, to));
	vectors_must(system(command) == 0, command);
}

static void revoke(const struct vectors *vectors, const char *authority, const char *certificate)
{
	char detail[CERTS_DETAIL_BYTES] = "";
	vectors_must(authority_revoke(vectors_path(vectors, authority), vectors_path(vectors, certificate), VECTORS_NOW_MS - VECTORS_DAY_MS,
				      detail) == CERTS_OK, detail);
}

// The CURVE keys are the subject public keys of the certificates (RFC 8410), and what the key files hold.
static void write_curve_keys(const struct vectors *vectors)
{
	static const char *const files[][2] = {{"ra/broker/broker.pem", "ra/broker/broker.key"}, {"systems/ed.pem", "systems/ed.key"}};
	json_t *cases = json_array();
	for (size_t i = 0; i < 2; i++) {
		struct curve_key_pair pair;
		vectors_must(curve_key_load(vectors_path(vectors, files[i][1]), &pair) == CERTS_OK, files[i][1]);
		json_array_append_new(cases, json_pack("{s:o,s:o,s:o,s:o}", "certificate",
						       vectors_file_hex_der(vectors_path(vectors, files[i][0])), "key_file",
						       vectors_file_text(vectors_path(vectors, files[i][1])), "public_key",
						       vectors_hex(pair.public_key, KEY_BYTES), "secret_key",
						       vectors_hex(pair.secret_key, KEY_BYTES)));
	}
	vectors_write(vectors, "curve_keys.json",
		      "CURVE keys out of certificates (X25519, RFC 8410) and key files (PKCS#8). TEST KEYS: everybody has them.",
		      json_pack("{s:o}", "cases", cases));
}

void vectors_make_certificates(struct vectors *vectors)
{
	struct case_list list = {.vectors = vectors, .cases = json_array()};
	char detail[CERTS_DETAIL_BYTES] = "";
	vectors_must(authority_init(vectors_path(vectors, "stranger"), VECTORS_BROKER, VECTORS_ORIGIN, VECTORS_NOW_MS - 10 * VECTORS_DAY_MS,
				    detail) == CERTS_OK, detail);
	copy_authority(vectors, "revoked");
	revoke(vectors, "revoked", "ra/broker/broker.pem");
	copy_authority(vectors, "authority-revoked");
	revoke(vectors, "authority-revoked", "ra/trust/systems-ca.pem");
	copy_authority(vectors, "later");
	vectors_must(authority_refresh_lists(vectors_path(vectors, "later"), VECTORS_NOW_MS + 900 * VECTORS_DAY_MS, detail) == CERTS_OK, detail);
	add_dates(&list);
	add(&list, "expired", "later", vectors_path(vectors, "ra/broker/broker.pem"), VECTORS_BROKER, VECTORS_NOW_MS + 901 * VECTORS_DAY_MS);
	add(&list, "lists that are not in force yet", "later", vectors_path(vectors, "ra/broker/broker.pem"), VECTORS_BROKER, VECTORS_NOW_MS);
	add_others(&list);
	add(&list, "revoked", "revoked", vectors_path(vectors, "ra/broker/broker.pem"), VECTORS_BROKER, VECTORS_NOW_MS);
	add(&list, "its authority is revoked", "authority-revoked", vectors_path(vectors, "ra/broker/broker.pem"), VECTORS_BROKER,
	    VECTORS_NOW_MS);
	json_t *bundles = json_pack("{s:o,s:o,s:o,s:o}", "later", bundle_json(vectors_path(vectors, "later/trust")), "ra", bundle_json(vectors_path(vectors, "ra/trust")), "revoked",
				    bundle_json(vectors_path(vectors, "revoked/trust")), "authority-revoked",
				    bundle_json(vectors_path(vectors, "authority-revoked/trust")));
	vectors_write(vectors, "broker_certificates.json",
		      "A broker's certificate (DER) against a trust bundle, at a time, for a name. Only verdict OK may be connected to.",
		      json_pack("{s:o,s:o}", "bundles", bundles, "cases", list.cases));
	write_curve_keys(vectors);
}
