// Making a registration authority's directory: all of it, or none.
#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "certs/authority.h"
#include "certs/authority_priv.h"
#include "certs/certificate_priv.h"
#include "certs/file_priv.h"
#include "certs/issue_priv.h"
#include "certs/note.h"

static enum certs_status make_authority(const char *directory, int which, const struct issuer *by,
					uint64_t now_ms, struct issuer *ret, char detail[CERTS_DETAIL_BYTES])
{
	char path[AUTHORITY_PATH_BYTES];
	struct issue_dates dates = {now_ms - AUTHORITY_BACKDATE_MS,
				    now_ms + authority_layout[which].days * AUTHORITY_DAY_MS};
	authority_join(path, directory, authority_layout[which].key);
	enum certs_status status = signing_key_generate(&ret->key);
	if (status == CERTS_OK)
		status = signing_key_save(ret->key, path);
	if (status == CERTS_OK)
		status = issue_authority(authority_layout[which].name, ret->key,
					 authority_layout[which].path_length, by, dates, &ret->certificate);
	if (status != CERTS_OK)
		return certificate_refuse(detail, status, path, NULL);
	authority_join(path, directory, authority_layout[which].certificate);
	status = authority_write_certificate(ret->certificate, path, detail);
	if (status == CERTS_OK)
		status = authority_record(ret->certificate, directory, "private/issued", detail);
	return status == CERTS_OK ? authority_renew_list(directory, which, ret, NULL, NULL, now_ms, detail)
				  : status;
}

static enum certs_status make_broker(const char *directory, const char *name, const struct issuer *by,
				     uint64_t now_ms, char detail[CERTS_DETAIL_BYTES])
{
	char path[AUTHORITY_PATH_BYTES];
	const char *why = NULL;
	struct profile_subject subject;
	struct curve_key_pair pair = {0};
	X509 *certificate = NULL;
	struct issue_dates dates = {now_ms, now_ms + AUTHORITY_END_DAYS_MAX * AUTHORITY_DAY_MS};
	enum certs_status status = profile_subject_make(CERTIFICATE_BROKER, NULL, NULL, name, &subject, &why);
	if (status != CERTS_OK)
		return certificate_refuse(detail, status, "broker name", why);
	authority_join(path, directory, "broker/broker.key");
	status = curve_key_generate(&pair);
	if (status == CERTS_OK)
		status = curve_key_save(&pair, path);
	if (status == CERTS_OK)
		status = issue_certificate(CERTIFICATE_BROKER, &subject, pair.public_key, by, dates,
					   &certificate);
	curve_key_wipe(&pair);
	if (status != CERTS_OK)
		return certificate_refuse(detail, status, path, NULL);
	authority_join(path, directory, "broker/broker.pem");
	status = authority_write_certificate(certificate, path, detail);
	if (status == CERTS_OK)
		status = authority_record(certificate, directory, "private/issued", detail);
	X509_free(certificate);
	return status;
}

static enum certs_status make_log_key(const char *directory, const char *origin,
				      char detail[CERTS_DETAIL_BYTES])
{
	char path[AUTHORITY_PATH_BYTES], line[512];
	struct note_verifier verifier = {0};
	struct signing_key *key = NULL;
	if (strlen(origin) > NOTE_ORIGIN_BYTES_MAX)
		return certificate_refuse(detail, CERTS_VALUE, "log origin", "at most 128 bytes");
	memcpy(verifier.origin, origin, strlen(origin));
	authority_join(path, directory, "broker/log.key");
	enum certs_status status = signing_key_generate(&key);
	if (status == CERTS_OK)
		status = signing_key_save(key, path);
	if (status == CERTS_OK) {
		signing_key_public(key, verifier.public_key);
		status = note_verifier_format(&verifier, line, sizeof line - 1);
		if (status == CERTS_VALUE)
			snprintf(path, sizeof path, "log origin");
	}
	signing_key_free(key);
	if (status == CERTS_OK) {
		strcat(line, "\n");
		authority_join(path, directory, "trust/log.vkey");
		status = file_write(path, line, strlen(line), 0644, false);
	}
	if (status == CERTS_OK)
		return CERTS_OK;
	return certificate_refuse(detail, status, path,
				  status == CERTS_VALUE ? "no spaces, no plus, not empty" : NULL);
}

static enum certs_status make_directories(const char *directory, char detail[CERTS_DETAIL_BYTES])
{
	static const struct {
		const char *name;
		mode_t mode;
	} directories[] = {
		{"private", 0700}, {"private/issued", 0700}, {"trust", 0755},
		{"broker", 0755},  {"enrolled", 0755},
	};
	for (size_t i = 0; i < sizeof directories / sizeof directories[0]; i++) {
		char path[AUTHORITY_PATH_BYTES];
		authority_join(path, directory, directories[i].name);
		if (mkdir(path, directories[i].mode) != 0)
			return certificate_refuse(detail, CERTS_CANNOT_WRITE, path, strerror(errno));
	}
	return CERTS_OK;
}

// Everything, in `aside`. Read back as a broker would before anybody sees it.
static enum certs_status make_all(const char *aside, const char *broker_name, const char *log_origin,
				  uint64_t now_ms, char detail[CERTS_DETAIL_BYTES])
{
	struct issuer made[AUTHORITIES] = {{0}};
	struct trust *trust = NULL;
	struct broker_identity broker;
	char path[AUTHORITY_PATH_BYTES];
	enum certs_status status = make_directories(aside, detail);
	for (int i = 0; i < AUTHORITIES && status == CERTS_OK; i++)
		status = make_authority(aside, i, i == AUTHORITY_ROOT ? NULL : &made[AUTHORITY_ROOT], now_ms,
					&made[i], detail);
	if (status == CERTS_OK)
		status = make_broker(aside, broker_name, &made[AUTHORITY_SYSTEMS], now_ms, detail);
	if (status == CERTS_OK)
		status = make_log_key(aside, log_origin, detail);
	for (int i = 0; i < AUTHORITIES; i++)
		authority_issuer_done(&made[i]);
	if (status != CERTS_OK)
		return status;
	authority_join(path, aside, "trust");
	status = trust_load(path, &trust, detail);
	if (status == CERTS_OK) {
		authority_join(path, aside, "broker/broker.pem");
		status = trust_verify_broker_file(trust, path, broker_name, now_ms, &broker, detail);
	}
	trust_free(trust);
	return status;
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *walk)
{
	(void)info;
	(void)type;
	(void)walk;
	return remove(path);
}

static bool is_taken(const char *directory)
{
	DIR *open_directory = opendir(directory);
	if (open_directory == NULL)
		return errno != ENOENT;
	int entries = 0;
	while (entries < 3 && readdir(open_directory) != NULL)
		entries++;
	closedir(open_directory);
	return entries >= 3; // more than . and ..
}

enum certs_status authority_init(const char *directory, const char *broker_name, const char *log_origin,
				 uint64_t now_ms, char detail[CERTS_DETAIL_BYTES])
{
	char aside[AUTHORITY_PATH_BYTES], target[AUTHORITY_PATH_BYTES - 16];
	if ((size_t)snprintf(target, sizeof target, "%s", directory) >= sizeof target || target[0] == '\0')
		return certificate_refuse(detail, CERTS_CANNOT_WRITE, "directory",
					  "its path is empty or too long");
	for (size_t end = strlen(target); end > 1 && target[end - 1] == '/'; end--)
		target[end - 1] = '\0';
	if (is_taken(target))
		return certificate_refuse(detail, CERTS_EXISTS, directory, "not an empty directory");
	// Made beside and moved into place whole: a directory with half an authority never has its name.
	snprintf(aside, sizeof aside, "%s.new.XXXXXX", target);
	if (mkdtemp(aside) == NULL)
		return certificate_refuse(detail, CERTS_CANNOT_WRITE, directory, strerror(errno));
	enum certs_status status = make_all(aside, broker_name, log_origin, now_ms, detail);
	if (status == CERTS_OK && (chmod(aside, 0755) != 0 || rename(aside, target) != 0))
		status = certificate_refuse(
			detail, errno == ENOTEMPTY || errno == EEXIST ? CERTS_EXISTS : CERTS_CANNOT_WRITE,
			directory, strerror(errno));
	else if (status == CERTS_OK && !file_sync_directory_of(target))
		status = certificate_refuse(detail, CERTS_CANNOT_WRITE, directory,
					    "made, but perhaps not on disk yet");
	if (status != CERTS_OK)
		nftw(aside, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return status;
}
