// Issuing, revoking and renewing lists from a registration authority's directory.
#include "certs/authority.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "certs/authority_priv.h"
#include "certs/certificate_priv.h"
#include "certs/file_priv.h"
#include "certs/issue_priv.h"
#include "certs/key_priv.h"
#include "certs/passkey_request_priv.h"
#include "certs/request_priv.h"
#include "certs/staff_key_priv.h"

enum certs_status authority_lock(const char *directory, int *ret_fd, char detail[CERTS_DETAIL_BYTES])
{
	char path[AUTHORITY_PATH_BYTES];
	authority_join(path, directory, "private");
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return certificate_refuse(detail, CERTS_CANNOT_READ, path, "not an authority's directory");
	while (flock(fd, LOCK_EX) != 0) {
		if (errno == EINTR)
			continue;
		close(fd);
		return certificate_refuse(detail, CERTS_CANNOT_READ, path, "cannot be locked");
	}
	*ret_fd = fd;
	return CERTS_OK;
}

static enum certs_status load_issuer(const char *directory, int which, struct issuer *ret,
				     char detail[CERTS_DETAIL_BYTES])
{
	char path[AUTHORITY_PATH_BYTES];
	const char *why = NULL;
	struct issuer issuer = {0};
	authority_join(path, directory, authority_layout[which].certificate);
	enum certs_status status = certificate_from_file(path, &issuer.certificate);
	if (status == CERTS_OK)
		status = profile_check_authority(issuer.certificate, authority_layout[which].path_length,
						 &why);
	if (status == CERTS_OK) {
		authority_join(path, directory, authority_layout[which].key);
		status = signing_key_load(path, &issuer.key);
	}
	if (status == CERTS_OK &&
	    EVP_PKEY_eq(X509_get0_pubkey(issuer.certificate), signing_key_evp(issuer.key)) != 1)
		status = CERTS_KEY_MISMATCH;
	if (status != CERTS_OK) {
		authority_issuer_done(&issuer);
		return certificate_refuse(detail, status, path, why);
	}
	*ret = issuer;
	return CERTS_OK;
}

static enum certs_status load_list(const char *directory, int which, const struct issuer *by, X509_CRL **ret,
				   char detail[CERTS_DETAIL_BYTES])
{
	char path[AUTHORITY_PATH_BYTES];
	authority_join(path, directory, authority_layout[which].list);
	// What is lost or changed is not replaced by an empty list: that would bring the revoked back.
	if (certificate_list_from_file(path, ret) != CERTS_OK)
		return certificate_refuse(detail, CERTS_CRL, path,
					  "restore it from a copy of the trust bundle");
	if (X509_CRL_verify(*ret, X509_get0_pubkey(by->certificate)) == 1)
		return CERTS_OK;
	X509_CRL_free(*ret);
	*ret = NULL;
	return certificate_refuse(detail, CERTS_CRL, path, "not signed by its authority");
}

static enum certs_status rewrite_list(const char *directory, int which, X509 *revoked, uint64_t now_ms,
				      char detail[CERTS_DETAIL_BYTES])
{
	struct issuer by = {0};
	X509_CRL *previous = NULL;
	enum certs_status status = load_issuer(directory, which, &by, detail);
	if (status == CERTS_OK)
		status = load_list(directory, which, &by, &previous, detail);
	if (status == CERTS_OK)
		status = authority_renew_list(directory, which, &by, previous, revoked, now_ms, detail);
	X509_CRL_free(previous);
	authority_issuer_done(&by);
	return status;
}

enum certs_status authority_refresh_lists(const char *directory, uint64_t now_ms,
					  char detail[CERTS_DETAIL_BYTES])
{
	int fd = -1;
	enum certs_status status = authority_lock(directory, &fd, detail);
	if (status != CERTS_OK)
		return status;
	for (int i = 0; i < AUTHORITIES && status == CERTS_OK; i++)
		status = rewrite_list(directory, i, NULL, now_ms, detail);
	close(fd);
	return status;
}

// Which of the three signed it. False when none did, and for the root itself.
static bool find_issuer(const char *directory, X509 *certificate, int *ret)
{
	if (X509_NAME_cmp(X509_get_subject_name(certificate), X509_get_issuer_name(certificate)) == 0)
		return false;
	for (int i = 0; i < AUTHORITIES; i++) {
		char path[AUTHORITY_PATH_BYTES];
		X509 *authority = NULL;
		authority_join(path, directory, authority_layout[i].certificate);
		bool signed_by = certificate_from_file(path, &authority) == CERTS_OK &&
				 X509_check_issued(authority, certificate) == X509_V_OK &&
				 X509_verify(certificate, X509_get0_pubkey(authority)) == 1;
		X509_free(authority);
		if (signed_by) {
			*ret = i;
			return true;
		}
	}
	return false;
}

enum certs_status authority_revoke(const char *directory, const char *certificate_path, uint64_t now_ms,
				   char detail[CERTS_DETAIL_BYTES])
{
	int fd = -1, which = AUTHORITY_ROOT;
	X509 *certificate = NULL;
	enum certs_status status = certificate_from_file(certificate_path, &certificate);
	if (status != CERTS_OK)
		return certificate_refuse(detail, status, certificate_path, NULL);
	status = authority_lock(directory, &fd, detail);
	if (status == CERTS_OK) {
		if (!find_issuer(directory, certificate, &which))
			status = certificate_refuse(detail, CERTS_CHAIN, certificate_path,
						    "not issued from this directory");
		else
			status = rewrite_list(directory, which, certificate, now_ms, detail);
		close(fd);
	}
	X509_free(certificate);
	return status;
}

// ------------------------------------------------------------------ issuing

struct order {
	enum certificate_kind kind;
	struct profile_subject subject;
	const char *directory, *out_directory, *file;
	unsigned days;
	uint64_t now_ms;
	EVP_PKEY *key; // the public half, of somebody who keeps the private one; NULL: make a pair for them
};

// Makes the key of the kind and saves it; only its public half comes back.
static enum certs_status make_key(enum certificate_kind kind, const char *path, EVP_PKEY **ret)
{
	uint8_t public_key[KEY_BYTES] = {0};
	enum certs_status status;
	if (profile_rules_of(kind)->key_type == EVP_PKEY_X25519) {
		struct curve_key_pair pair = {0};
		status = curve_key_generate(&pair);
		if (status == CERTS_OK)
			status = curve_key_save(&pair, path);
		memcpy(public_key, pair.public_key, KEY_BYTES);
		curve_key_wipe(&pair);
	} else {
		struct signing_key *key = NULL;
		status = signing_key_generate(&key);
		if (status == CERTS_OK) {
			signing_key_public(key, public_key);
			status = signing_key_save(key, path);
		}
		signing_key_free(key);
	}
	if (status != CERTS_OK)
		return status;
	*ret = EVP_PKEY_new_raw_public_key(profile_rules_of(kind)->key_type, NULL, public_key, KEY_BYTES);
	if (*ret != NULL)
		return CERTS_OK;
	unlink(path);
	return CERTS_LIBRARY;
}

// The record comes first: nothing leaves the authority that it could not revoke from its own files.
static enum certs_status hand_out(const struct order *order, X509 *certificate, const char *path,
				  char detail[CERTS_DETAIL_BYTES])
{
	enum certs_status status = authority_record(certificate, order->directory, "private/issued", detail);
	if (status == CERTS_OK && order->kind == CERTIFICATE_SYSTEM)
		status = authority_record(certificate, order->directory, "enrolled", detail);
	if (status == CERTS_OK)
		status = authority_write_certificate(certificate, path, detail);
	if (status != CERTS_OK && order->kind == CERTIFICATE_SYSTEM) {
		char enrolled[AUTHORITY_PATH_BYTES];
		authority_serial_path(enrolled, order->directory, "enrolled", certificate);
		unlink(enrolled);
	}
	return status;
}

// A certificate speaks for its key. With two of them, one revoked and the other not, or one for each of two names, it would
// depend on the reader what it says; so a key is certified once and a renewal brings a new one.
static enum certs_status check_key_is_new(const struct order *order, char detail[CERTS_DETAIL_BYTES])
{
	char folder[AUTHORITY_PATH_BYTES], path[AUTHORITY_PATH_BYTES + 256];
	authority_join(folder, order->directory, "private/issued");
	DIR *issued = opendir(folder);
	enum certs_status status = issued == NULL ? CERTS_CANNOT_READ : CERTS_OK;
	const struct dirent *entry;
	while (status == CERTS_OK && (entry = readdir(issued)) != NULL) {
		X509 *certificate = NULL;
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
		status = certificate_from_file(path, &certificate);
		if (status == CERTS_OK && EVP_PKEY_eq(X509_get0_pubkey(certificate), order->key) == 1)
			status = CERTS_KEY_IN_USE;
		X509_free(certificate);
	}
	if (issued != NULL)
		closedir(issued);
	return status == CERTS_OK ? status
				  : certificate_refuse(detail, status, status == CERTS_KEY_IN_USE ? "request" : folder, NULL);
}

static enum certs_status find_dates(const struct order *order, const struct issuer *by, struct issue_dates *ret,
				    char detail[CERTS_DETAIL_BYTES])
{
	uint64_t issuer_until_ms = 0;
	*ret = (struct issue_dates){order->now_ms, order->now_ms + order->days * AUTHORITY_DAY_MS};
	if (!certificate_time_ms(X509_get0_notAfter(by->certificate), &issuer_until_ms) ||
	    issuer_until_ms <= order->now_ms)
		return certificate_refuse(detail, CERTS_EXPIRED, "the authority that would issue", NULL);
	// Longer than its authority it would be good for nothing.
	if (ret->until_ms > issuer_until_ms)
		ret->until_ms = issuer_until_ms;
	return CERTS_OK;
}

static enum certs_status find_key(const struct order *order, const struct authority_paths *paths,
				  EVP_PKEY **ret, char detail[CERTS_DETAIL_BYTES])
{
	if (order->key != NULL) {
		enum certs_status status = check_key_is_new(order, detail);
		if (status == CERTS_OK && EVP_PKEY_up_ref(order->key) == 1)
			*ret = order->key;
		return status == CERTS_OK && *ret == NULL ? certificate_refuse(detail, CERTS_LIBRARY, "request", NULL) : status;
	}
	enum certs_status status = make_key(order->kind, paths->key, ret);
	return status == CERTS_OK ? status : certificate_refuse(detail, status, paths->key, NULL);
}

static enum certs_status certify(const struct order *order, const struct issuer *by,
				 const struct authority_paths *paths, char detail[CERTS_DETAIL_BYTES])
{
	EVP_PKEY *key = NULL;
	struct issue_dates dates;
	X509 *certificate = NULL;
	enum certs_status status = find_dates(order, by, &dates, detail);
	if (status != CERTS_OK)
		return status;
	if (access(paths->certificate, F_OK) == 0)
		return certificate_refuse(detail, CERTS_EXISTS, paths->certificate, NULL);
	status = find_key(order, paths, &key, detail);
	if (status != CERTS_OK)
		return status;
	status = issue_certificate_for(order->kind, &order->subject, key, by, dates, &certificate);
	EVP_PKEY_free(key);
	if (status != CERTS_OK)
		certificate_refuse(detail, status, paths->certificate, NULL);
	else
		status = hand_out(order, certificate, paths->certificate, detail);
	X509_free(certificate);
	if (status != CERTS_OK && order->key == NULL)
		unlink(paths->key);
	return status;
}

static enum certs_status find_paths(const struct order *order, struct authority_paths *paths,
				    char detail[CERTS_DETAIL_BYTES])
{
	enum certs_status status =
		request_path(order->out_directory, order->file, ".pem", paths->certificate, detail);
	if (status == CERTS_OK && order->key == NULL)
		status = request_path(order->out_directory, order->file, ".key", paths->key, detail);
	return status;
}

static enum certs_status issue(const struct order *order, struct authority_paths *ret_paths,
			       char detail[CERTS_DETAIL_BYTES])
{
	struct authority_paths paths = {0};
	struct issuer by = {0};
	int fd = -1;
	if (order->days < 1 || order->days > AUTHORITY_END_DAYS_MAX)
		return certificate_refuse(detail, CERTS_VALUE, "days", "1 to 825");
	enum certs_status status = find_paths(order, &paths, detail);
	if (status == CERTS_OK)
		status = authority_lock(order->directory, &fd, detail);
	if (status != CERTS_OK)
		return status;
	status = load_issuer(order->directory,
			     order->kind == CERTIFICATE_STAFF ? AUTHORITY_STAFF : AUTHORITY_SYSTEMS, &by,
			     detail);
	if (status == CERTS_OK)
		status = certify(order, &by, &paths, detail);
	authority_issuer_done(&by);
	close(fd);
	if (status == CERTS_OK)
		*ret_paths = paths;
	return status;
}

// ------------------------------------------------------------------ for somebody else's key

// What was typed must be what the request says, where it says anything.
static enum certs_status check_typed(const struct authority_request *request, const struct profile_subject *subject,
				     char detail[CERTS_DETAIL_BYTES])
{
	if (request->uid != NULL && strcmp(request->uid, subject->uid) != 0)
		return certificate_refuse(detail, CERTS_NAME, request->file, "it is of another uid");
	if (request->name != NULL && strcmp(request->name, subject->name) != 0)
		return certificate_refuse(detail, CERTS_NAME, request->file, "it is of another name");
	return CERTS_OK;
}

// A member of staff's: what they say about themselves, and their key.
static enum certs_status read_staff(const struct authority_request *request, struct profile_subject *subject, EVP_PKEY **ret,
				    char fingerprint[PUBLIC_KEY_FINGERPRINT_BYTES], char detail[CERTS_DETAIL_BYTES])
{
	struct staff_key key;
	enum certs_status status = request->passkey ? passkey_request_read(request->file, subject, &key, detail)
						    : request_read_staff(request->file, subject, &key, detail);
	if (status == CERTS_OK)
		status = check_typed(request, subject, detail);
	if (status != CERTS_OK)
		return status;
	*ret = staff_key_evp(&key);
	return *ret != NULL && public_key_staff_fingerprint(&key, fingerprint)
		       ? CERTS_OK
		       : certificate_refuse(detail, CERTS_LIBRARY, request->file, NULL);
}

static enum certs_status read_curve(const struct authority_request *request, struct profile_subject *subject, EVP_PKEY **ret,
				    char fingerprint[PUBLIC_KEY_FINGERPRINT_BYTES], char detail[CERTS_DETAIL_BYTES])
{
	uint8_t public_key[KEY_BYTES];
	const char *why = NULL;
	enum certs_status status =
		profile_subject_make(request->kind, request->organisation, NULL, request->name, subject, &why);
	if (status == CERTS_OK && request->web_host != NULL)
		status = profile_set_web_host(subject, request->web_host, &why);
	if (status != CERTS_OK)
		return certificate_refuse(detail, status, "certificate", why);
	status = request_read_curve(request->file, public_key, detail);
	if (status != CERTS_OK)
		return status;
	*ret = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, public_key, KEY_BYTES);
	return *ret != NULL && public_key_fingerprint(public_key, fingerprint)
		       ? CERTS_OK
		       : certificate_refuse(detail, CERTS_LIBRARY, request->file, NULL);
}

enum certs_status authority_issue_requested(const char *directory, const struct authority_request *request,
					    const char *out_directory, const char *file, unsigned days, uint64_t now_ms,
					    struct authority_paths *ret_paths, char detail[CERTS_DETAIL_BYTES])
{
	char fingerprint[PUBLIC_KEY_FINGERPRINT_BYTES] = "";
	struct order order = {.kind = request->kind, .directory = directory, .out_directory = out_directory, .file = file,
			      .days = days, .now_ms = now_ms};
	enum certs_status status = request->kind == CERTIFICATE_STAFF
					   ? read_staff(request, &order.subject, &order.key, fingerprint, detail)
					   : read_curve(request, &order.subject, &order.key, fingerprint, detail);
	if (status == CERTS_OK && !public_key_fingerprint_is(fingerprint, request->fingerprint))
		status = certificate_refuse(detail, CERTS_FINGERPRINT, request->file, NULL);
	if (status == CERTS_OK)
		status = issue(&order, ret_paths, detail);
	EVP_PKEY_free(order.key);
	return status;
}

// ------------------------------------------------------------------ with a key made for them

enum certs_status authority_issue_web_system(const char *directory, const char *organisation, const char *name,
					     const char *web_host, const char *out_directory, const char *file, unsigned days,
					 uint64_t now_ms, struct authority_paths *ret_paths,
					 char detail[CERTS_DETAIL_BYTES])
{
	const char *why = NULL;
	struct order order = {.kind = CERTIFICATE_SYSTEM, .directory = directory, .out_directory = out_directory, .file = file, .days = days,
			      .now_ms = now_ms};
	enum certs_status status =
		profile_subject_make(order.kind, organisation, NULL, name, &order.subject, &why);
	if (status == CERTS_OK && web_host != NULL)
		status = profile_set_web_host(&order.subject, web_host, &why);
	if (status != CERTS_OK)
		return certificate_refuse(detail, status, "system", why);
	return issue(&order, ret_paths, detail);
}

enum certs_status authority_issue_system(const char *directory, const char *organisation, const char *name,
					 const char *out_directory, const char *file, unsigned days, uint64_t now_ms,
					 struct authority_paths *ret_paths, char detail[CERTS_DETAIL_BYTES])
{
	return authority_issue_web_system(directory, organisation, name, NULL, out_directory, file, days, now_ms, ret_paths,
					  detail);
}

enum certs_status authority_issue_staff(const char *directory, const char *uid, const char *name,
					const char *out_directory, const char *file, unsigned days,
					uint64_t now_ms, struct authority_paths *ret_paths,
					char detail[CERTS_DETAIL_BYTES])
{
	const char *why = NULL;
	struct order order = {.kind = CERTIFICATE_STAFF, .directory = directory, .out_directory = out_directory, .file = file, .days = days,
			      .now_ms = now_ms};
	enum certs_status status = profile_subject_make(order.kind, NULL, uid, name, &order.subject, &why);
	if (status != CERTS_OK)
		return certificate_refuse(detail, status, "member of staff", why);
	return issue(&order, ret_paths, detail);
}

enum certs_status authority_issue_broker(const char *directory, const char *name, const char *out_directory,
					 const char *file, unsigned days, uint64_t now_ms,
					 struct authority_paths *ret_paths, char detail[CERTS_DETAIL_BYTES])
{
	const char *why = NULL;
	struct order order = {.kind = CERTIFICATE_BROKER, .directory = directory, .out_directory = out_directory, .file = file, .days = days,
			      .now_ms = now_ms};
	enum certs_status status = profile_subject_make(order.kind, NULL, NULL, name, &order.subject, &why);
	if (status != CERTS_OK)
		return certificate_refuse(detail, status, "broker", why);
	return issue(&order, ret_paths, detail);
}
