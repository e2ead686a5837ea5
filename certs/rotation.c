// Trust bundles with two generations of authorities.
#include "certs/rotation.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "certs/certificate_priv.h"
#include "certs/file_priv.h"
#include "certs/trust_priv.h"

#define PATH_BYTES 4096

static bool join(char out[PATH_BYTES], const char *directory, const char *name)
{
	return (size_t)snprintf(out, PATH_BYTES, "%s%s", directory, name) < PATH_BYTES;
}

static enum certs_status refuse_errno(char detail[CERTS_DETAIL_BYTES], const char *path)
{
	return certificate_refuse(detail, CERTS_CANNOT_WRITE, path, strerror(errno));
}

// Bundles are small and flat: files, and perhaps one folder of files.
static void remove_bundle(const char *path)
{
	DIR *directory = opendir(path);
	const struct dirent *entry;
	while (directory != NULL && (entry = readdir(directory)) != NULL) {
		char name[PATH_BYTES + 256];
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
		if (unlink(name) != 0 && strcmp(entry->d_name, TRUST_NEXT) == 0)
			remove_bundle(name);
	}
	if (directory != NULL)
		closedir(directory);
	rmdir(path);
}

static enum certs_status copy_file(const char *from_directory, const char *to_directory, const char *name,
				   char detail[CERTS_DETAIL_BYTES])
{
	char from[PATH_BYTES + 64], to[PATH_BYTES + 64];
	uint8_t *data = NULL;
	size_t bytes = 0;
	snprintf(from, sizeof from, "%s/%s", from_directory, name);
	snprintf(to, sizeof to, "%s/%s", to_directory, name);
	enum certs_status status = file_read(from, false, &data, &bytes);
	if (status != CERTS_OK)
		return certificate_refuse(detail, status, from, NULL);
	status = file_write(to, data, bytes, 0644, false);
	file_free(data, bytes);
	return status == CERTS_OK ? status : certificate_refuse(detail, status, to, NULL);
}

static enum certs_status copy_generation(const char *from, const char *to, char detail[CERTS_DETAIL_BYTES])
{
	enum certs_status status = CERTS_OK;
	for (size_t i = 0; i < trust_files_count && status == CERTS_OK; i++)
		status = copy_file(from, to, trust_files[i], detail);
	return status;
}

// What a bundle says of the audit log is not its authorities', and stays. Only the first is in every bundle.
static enum certs_status copy_log_files(const char *from, const char *to, char detail[CERTS_DETAIL_BYTES])
{
	static const char *const files[] = {"log.vkey", "log.policy", "log.previous", "log.succeeded"};
	enum certs_status status = CERTS_OK;
	for (size_t i = 0; i < sizeof files / sizeof files[0] && status == CERTS_OK; i++) {
		char path[PATH_BYTES + 64];
		snprintf(path, sizeof path, "%s/%s", from, files[i]);
		if (i == 0 || access(path, F_OK) == 0)
			status = copy_file(from, to, files[i], detail);
	}
	return status;
}

// `fresh` takes the place of `present` in one step, or comes to be there if there was nothing.
static enum certs_status put_in_place(const char *fresh, const char *present, char detail[CERTS_DETAIL_BYTES])
{
	bool exchanged = renameat2(AT_FDCWD, fresh, AT_FDCWD, present, RENAME_EXCHANGE) == 0;
	if (!exchanged && (errno != ENOENT || rename(fresh, present) != 0))
		return refuse_errno(detail, present);
	if (!file_sync_directory_of(present))
		return refuse_errno(detail, present);
	// What it held is now beside it.
	if (exchanged)
		remove_bundle(fresh);
	return CERTS_OK;
}

static enum certs_status check_fresh(const struct trust *trust, const char *place, uint64_t now_ms,
				     char detail[CERTS_DETAIL_BYTES])
{
	return now_ms < trust_crl_next_update_ms(trust)
		       ? CERTS_OK
		       : certificate_refuse(detail, CERTS_CRL, place, "refresh its lists first");
}

// A bundle without a generation to come.
static enum certs_status load_alone(const char *directory, uint64_t now_ms, char detail[CERTS_DETAIL_BYTES])
{
	struct trust *trust = NULL;
	enum certs_status status = trust_load(directory, &trust, detail);
	if (status == CERTS_OK)
		status = check_fresh(trust, directory, now_ms, detail);
	trust_free(trust);
	return status;
}

// Makes an empty directory beside the bundle; one that was left behind goes first.
static enum certs_status make_beside(const char *path, char detail[CERTS_DETAIL_BYTES])
{
	remove_bundle(path);
	return mkdir(path, 0755) == 0 ? CERTS_OK : refuse_errno(detail, path);
}

enum certs_status rotation_adopt(const char *trust, const char *next_trust, uint64_t now_ms,
				 char detail[CERTS_DETAIL_BYTES])
{
	char next[PATH_BYTES], beside[PATH_BYTES];
	if (!join(next, trust, "/" TRUST_NEXT) || !join(beside, trust, "/." TRUST_NEXT))
		return certificate_refuse(detail, CERTS_CANNOT_WRITE, trust, "its path is too long");
	enum certs_status status = load_alone(next_trust, now_ms, detail);
	if (status == CERTS_OK)
		status = trust_check_others(trust, next_trust, detail);
	if (status == CERTS_OK)
		status = make_beside(beside, detail);
	if (status != CERTS_OK)
		return status;
	status = copy_generation(next_trust, beside, detail);
	if (status == CERTS_OK)
		status = put_in_place(beside, next, detail);
	if (status != CERTS_OK)
		remove_bundle(beside);
	return status;
}

enum certs_status rotation_finish(const char *trust, uint64_t now_ms, char detail[CERTS_DETAIL_BYTES])
{
	char next[PATH_BYTES], beside[PATH_BYTES];
	size_t bytes = strlen(trust);
	while (bytes > 1 && trust[bytes - 1] == '/')
		bytes--;
	if (!join(next, trust, "/" TRUST_NEXT) ||
	    (size_t)snprintf(beside, sizeof beside, "%.*s.new", (int)bytes, trust) >= sizeof beside)
		return certificate_refuse(detail, CERTS_CANNOT_WRITE, trust, "its path is too long");
	if (access(next, F_OK) != 0)
		return certificate_refuse(detail, CERTS_CANNOT_READ, next, "nothing was adopted: cpis certs adopt");
	enum certs_status status = load_alone(next, now_ms, detail);
	if (status == CERTS_OK)
		status = make_beside(beside, detail);
	if (status != CERTS_OK)
		return status;
	status = copy_generation(next, beside, detail);
	if (status == CERTS_OK)
		status = copy_log_files(trust, beside, detail);
	if (status == CERTS_OK)
		status = put_in_place(beside, trust, detail);
	if (status != CERTS_OK)
		remove_bundle(beside);
	return status;
}
