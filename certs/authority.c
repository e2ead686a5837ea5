// Issuing, revoking and renewing lists from a registration authority's directory.
#include "certs/authority.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "certs/authority_priv.h"
#include "certs/certificate_priv.h"
#include "certs/file_priv.h"
#include "certs/issue_priv.h"
#include "certs/key_priv.h"

// One writer at a time: two revocations at once must not lose one. Blocks; let go of with close.
static enum certs_status lock(const char *directory, int *ret_fd, char detail[CERTS_DETAIL_BYTES])
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
	enum certs_status status = lock(directory, &fd, detail);
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
	status = lock(directory, &fd, detail);
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
};

static bool file_name_is_safe(const char *file)
{
	size_t bytes = strlen(file);
	return bytes > 0 && bytes <= 64 && file[0] != '.' && file[0] != '-' &&
	       strspn(file, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == bytes;
}

// Makes the key of the kind and saves it; only its public half comes back.
static enum certs_status make_key(enum certificate_kind kind, const char *path, uint8_t public_key[KEY_BYTES])
{
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
	return status;
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

static enum certs_status make_pair(const struct order *order, const struct issuer *by,
				   const struct authority_paths *paths, char detail[CERTS_DETAIL_BYTES])
{
	uint8_t public_key[KEY_BYTES];
	uint64_t issuer_until_ms = 0;
	struct issue_dates dates = {order->now_ms, order->now_ms + order->days * AUTHORITY_DAY_MS};
	if (!certificate_time_ms(X509_get0_notAfter(by->certificate), &issuer_until_ms) ||
	    issuer_until_ms <= order->now_ms)
		return certificate_refuse(detail, CERTS_EXPIRED, "the authority that would issue", NULL);
	// Longer than its authority it would be good for nothing.
	if (dates.until_ms > issuer_until_ms)
		dates.until_ms = issuer_until_ms;
	if (access(paths->certificate, F_OK) == 0)
		return certificate_refuse(detail, CERTS_EXISTS, paths->certificate, NULL);
	enum certs_status status = make_key(order->kind, paths->key, public_key);
	if (status != CERTS_OK)
		return certificate_refuse(detail, status, paths->key, NULL);
	X509 *certificate = NULL;
	status = issue_certificate(order->kind, &order->subject, public_key, by, dates, &certificate);
	if (status != CERTS_OK)
		certificate_refuse(detail, status, paths->certificate, NULL);
	else
		status = hand_out(order, certificate, paths->certificate, detail);
	X509_free(certificate);
	if (status != CERTS_OK)
		unlink(paths->key);
	return status;
}

static enum certs_status issue(const struct order *order, struct authority_paths *ret_paths,
			       char detail[CERTS_DETAIL_BYTES])
{
	struct authority_paths paths;
	struct issuer by = {0};
	int fd = -1;
	if (order->days < 1 || order->days > AUTHORITY_END_DAYS_MAX)
		return certificate_refuse(detail, CERTS_VALUE, "days", "1 to 825");
	if (!file_name_is_safe(order->file))
		return certificate_refuse(
			detail, CERTS_VALUE, "file",
			"1 to 64 letters, digits, '.', '_' and '-', beginning with a letter or digit");
	if (mkdir(order->out_directory, 0755) != 0 && errno != EEXIST)
		return certificate_refuse(detail, CERTS_CANNOT_WRITE, order->out_directory, strerror(errno));
	if ((size_t)snprintf(paths.certificate, sizeof paths.certificate, "%s/%s.pem", order->out_directory,
			     order->file) >= sizeof paths.certificate ||
	    (size_t)snprintf(paths.key, sizeof paths.key, "%s/%s.key", order->out_directory, order->file) >=
		    sizeof paths.key)
		return certificate_refuse(detail, CERTS_CANNOT_WRITE, order->out_directory,
					  "its path is too long");
	enum certs_status status = lock(order->directory, &fd, detail);
	if (status != CERTS_OK)
		return status;
	status = load_issuer(order->directory,
			     order->kind == CERTIFICATE_STAFF ? AUTHORITY_STAFF : AUTHORITY_SYSTEMS, &by,
			     detail);
	if (status == CERTS_OK)
		status = make_pair(order, &by, &paths, detail);
	authority_issuer_done(&by);
	close(fd);
	if (status == CERTS_OK)
		*ret_paths = paths;
	return status;
}

enum certs_status authority_issue_system(const char *directory, const char *organisation, const char *name,
					 const char *out_directory, const char *file, unsigned days,
					 uint64_t now_ms, struct authority_paths *ret_paths,
					 char detail[CERTS_DETAIL_BYTES])
{
	const char *why = NULL;
	struct order order = {
		CERTIFICATE_SYSTEM, {{0}, {0}, {0}}, directory, out_directory, file, days, now_ms};
	enum certs_status status =
		profile_subject_make(order.kind, organisation, NULL, name, &order.subject, &why);
	if (status != CERTS_OK)
		return certificate_refuse(detail, status, "system", why);
	return issue(&order, ret_paths, detail);
}

enum certs_status authority_issue_staff(const char *directory, const char *uid, const char *name,
					const char *out_directory, const char *file, unsigned days,
					uint64_t now_ms, struct authority_paths *ret_paths,
					char detail[CERTS_DETAIL_BYTES])
{
	const char *why = NULL;
	struct order order = {
		CERTIFICATE_STAFF, {{0}, {0}, {0}}, directory, out_directory, file, days, now_ms};
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
	struct order order = {
		CERTIFICATE_BROKER, {{0}, {0}, {0}}, directory, out_directory, file, days, now_ms};
	enum certs_status status = profile_subject_make(order.kind, NULL, NULL, name, &order.subject, &why);
	if (status != CERTS_OK)
		return certificate_refuse(detail, status, "broker", why);
	return issue(&order, ret_paths, detail);
}
