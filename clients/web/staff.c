// A folder of certificates, by the passkey that each is for.
#include "clients/web/staff.h"

#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "certs/identity.h"

struct member {
	char *credential;
	uint8_t *der;
	size_t der_bytes;
};

struct staff {
	pthread_mutex_t mutex;
	char directory[4096], trust_directory[4096];
	struct member *members;
	size_t count, room;
	struct timespec changed; // the folder, when it was last read
};

static void clear(struct staff *staff)
{
	for (size_t i = 0; i < staff->count; i++) {
		free(staff->members[i].credential);
		free(staff->members[i].der);
	}
	free(staff->members);
	staff->members = NULL;
	staff->count = staff->room = 0;
}

static bool grow(struct staff *staff)
{
	if (staff->count < staff->room)
		return true;
	size_t room = staff->room == 0 ? 64 : 2 * staff->room;
	struct member *members = room > STAFF_PEOPLE_MAX * 2u ? NULL : realloc(staff->members, room * sizeof *members);
	if (members == NULL)
		return false;
	staff->members = members;
	staff->room = room;
	return true;
}

// One that has expired or was revoked stays: the broker says so to whoever comes with it.
static void add(struct staff *staff, const struct trust *trust, const char *path, uint64_t now_ms)
{
	struct staff_identity identity;
	char detail[CERTS_DETAIL_BYTES];
	struct member member = {NULL, NULL, 0};
	enum certs_status status = trust_verify_staff_file(trust, path, now_ms, &identity, detail);
	bool known = status == CERTS_OK || status == CERTS_EXPIRED || status == CERTS_REVOKED || status == CERTS_NOT_YET_VALID;
	if (!known || identity.passkey[0] == '\0' || !grow(staff) ||
	    certificate_file_to_der(path, &member.der, &member.der_bytes) != CERTS_OK)
		return;
	member.credential = strdup(identity.passkey);
	if (member.credential == NULL)
		free(member.der);
	else
		staff->members[staff->count++] = member;
}

static struct timespec last_change(const struct staff *staff)
{
	struct stat about;
	return stat(staff->directory, &about) == 0 ? about.st_mtim : (struct timespec){0, 0};
}

static bool load(struct staff *staff, uint64_t now_ms, char *detail)
{
	struct timespec changed = last_change(staff);
	char why[CERTS_DETAIL_BYTES] = "";
	struct trust *trust = NULL;
	DIR *folder = opendir(staff->directory);
	if (folder == NULL || trust_load(staff->trust_directory, &trust, why) != CERTS_OK) {
		snprintf(detail, STAFF_DETAIL_BYTES, "%.120s: %s", folder == NULL ? staff->directory : staff->trust_directory,
			 folder == NULL ? "cannot be read as the folder of staff certificates" : why);
		if (folder != NULL)
			closedir(folder);
		return false;
	}
	clear(staff);
	staff->changed = changed;
	for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
		char path[4096 + 260];
		size_t length = strlen(entry->d_name);
		snprintf(path, sizeof path, "%s/%s", staff->directory, entry->d_name);
		if (length > 4 && strcmp(entry->d_name + length - 4, ".pem") == 0)
			add(staff, trust, path, now_ms);
	}
	closedir(folder);
	trust_free(trust);
	return true;
}

bool staff_load(const char *directory, const char *trust_directory, uint64_t now_ms, struct staff **ret, char detail[STAFF_DETAIL_BYTES])
{
	struct staff *staff = calloc(1, sizeof *staff);
	if (staff == NULL) {
		snprintf(detail, STAFF_DETAIL_BYTES, "out of memory");
		return false;
	}
	pthread_mutex_init(&staff->mutex, NULL);
	snprintf(staff->directory, sizeof staff->directory, "%s", directory);
	snprintf(staff->trust_directory, sizeof staff->trust_directory, "%s", trust_directory);
	if (!load(staff, now_ms, detail)) {
		staff_free(staff);
		return false;
	}
	*ret = staff;
	return true;
}

void staff_free(struct staff *staff)
{
	if (staff == NULL)
		return;
	clear(staff);
	pthread_mutex_destroy(&staff->mutex);
	free(staff);
}

size_t staff_count(const struct staff *staff)
{
	return staff->count;
}

static uint8_t *find(const struct staff *staff, const char *credential, size_t *ret_bytes)
{
	for (size_t i = 0; i < staff->count; i++) {
		const struct member *member = &staff->members[i];
		uint8_t *der = strcmp(member->credential, credential) == 0 ? malloc(member->der_bytes) : NULL;
		if (der == NULL)
			continue;
		memcpy(der, member->der, member->der_bytes);
		*ret_bytes = member->der_bytes;
		return der;
	}
	return NULL;
}

static bool has_changed(const struct staff *staff)
{
	struct timespec changed = last_change(staff);
	return changed.tv_sec != staff->changed.tv_sec || changed.tv_nsec != staff->changed.tv_nsec;
}

uint8_t *staff_certificate(struct staff *staff, const char *credential, uint64_t now_ms, size_t *ret_bytes)
{
	char detail[STAFF_DETAIL_BYTES];
	pthread_mutex_lock(&staff->mutex);
	uint8_t *der = find(staff, credential, ret_bytes);
	if (der == NULL && has_changed(staff) && load(staff, now_ms, detail))
		der = find(staff, credential, ret_bytes);
	pthread_mutex_unlock(&staff->mutex);
	return der;
}
