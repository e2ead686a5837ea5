// The register: the register file's tables and the certificates of the enrolled systems, for looking up.
#include "broker/register_priv.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/invariant.h"

// ------------------------------------------------------------------ enrolled systems

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int is_certificate(const struct dirent *entry)
{
	size_t bytes = strlen(entry->d_name);
	return is_visible(entry) && bytes > 4 && strcmp(entry->d_name + bytes - 4, ".pem") == 0;
}

// Not alphasort, whose order is the locale's.
static int compare_names(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void free_names(struct dirent **names, int count)
{
	for (int i = 0; i < count; i++)
		free(names[i]);
	free(names);
}

// Of certificates with one key, the one that speaks for it comes first: a revoked one, because a key that was
// taken back stays so, then a good one, then the rest.
static int rank(const struct enrolled_system *system)
{
	return system->status == CERTS_REVOKED ? 0 : system->status == CERTS_OK ? 1 : 2;
}

static int compare_systems(const void *a, const void *b)
{
	const struct enrolled_system *x = a, *y = b;
	int order = memcmp(x->identity.curve_public, y->identity.curve_public, KEY_BYTES);
	return order == 0 ? rank(x) - rank(y) : order;
}

static bool same_key(const struct enrolled_system *a, const struct enrolled_system *b)
{
	return memcmp(a->identity.curve_public, b->identity.curve_public, KEY_BYTES) == 0;
}

static void drop_certificate(struct enrolled_system *system)
{
	free(system->certificate);
	system->certificate = NULL;
	system->certificate_bytes = 0;
}

// One that there is no memory for is counted with those that are not kept.
static void note(struct register_snapshot *to, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void note(struct register_snapshot *to, const char *format, ...)
{
	char *sentence = NULL;
	va_list arguments;
	if (to->remarks_count < REGISTER_REMARKS_MAX) {
		va_start(arguments, format);
		if (vasprintf(&sentence, format, arguments) < 0)
			sentence = NULL;
		va_end(arguments);
		to->remarks[to->remarks_count] = sentence;
	}
	to->remarks_count++;
}

void register_remarks(const struct register_snapshot *snapshot, void (*remark)(void *context, const char *sentence),
		      void *context)
{
	size_t told = 0;
	for (size_t i = 0; i < snapshot->remarks_count && i < REGISTER_REMARKS_MAX; i++) {
		if (snapshot->remarks[i] == NULL)
			continue;
		remark(context, snapshot->remarks[i]);
		told++;
	}
	if (told < snapshot->remarks_count) {
		char rest[64];
		snprintf(rest, sizeof rest, "and %zu more enrolled certificates", snapshot->remarks_count - told);
		remark(context, rest);
	}
}

// Leaves one certificate for each key.
static void settle_keys(struct register_snapshot *to)
{
	size_t kept = 0;
	if (to->systems_count > 0)
		qsort(to->systems, to->systems_count, sizeof to->systems[0], compare_systems);
	for (size_t i = 0, next; i < to->systems_count; i = next) {
		struct enrolled_system first = to->systems[i];
		bool good = first.status == CERTS_OK;
		for (next = i + 1; next < to->systems_count && same_key(&first, &to->systems[next]); next++) {
			struct enrolled_system *other = &to->systems[next];
			// Who of the two is connecting cannot be told, so nobody is. A copy of the file is no
			// second one.
			if (good && other->status == CERTS_OK &&
			    !certificate_serial_equal(&first.identity.serial, &other->identity.serial)) {
				first.status = CERTS_PROFILE;
				note(to, "%s/%s and %s/%s have certificates for one key: neither is admitted",
				       first.identity.organisation, first.identity.name, other->identity.organisation,
				       other->identity.name);
			}
			drop_certificate(other);
		}
		if (first.status != CERTS_OK)
			drop_certificate(&first);
		to->systems[kept++] = first;
	}
	to->systems_count = kept;
}

static bool read_system(const struct register_paths *paths, const char *name, uint64_t now_ms,
			struct register_snapshot *to, char detail[REGISTER_DETAIL_BYTES])
{
	static const struct enrolled_system nobody = {0};
	struct enrolled_system *system = &to->systems[to->systems_count];
	char *path = NULL, why[CERTS_DETAIL_BYTES] = "it cannot be read, or is no certificate";
	enum certs_status status = CERTS_MALFORMED;
	if (asprintf(&path, "%s/%s", paths->enrolled_directory, name) < 0) {
		snprintf(detail, REGISTER_DETAIL_BYTES, "%s: out of memory", paths->enrolled_directory);
		return false;
	}
	// Read once: what is kept is what was checked.
	bool read = certificate_file_to_der(path, &system->certificate, &system->certificate_bytes) == CERTS_OK;
	if (read)
		status = system->status = trust_verify_system(to->trust, system->certificate, system->certificate_bytes, now_ms,
							      &system->identity, why);
	if (status != CERTS_OK && status != CERTS_REVOKED && status != CERTS_EXPIRED && status != CERTS_NOT_YET_VALID)
		note(to, "%s is not admitted: %s", path, why);
	free(path);
	// What could not be read at all has no key to be found by.
	if (memcmp(system->identity.curve_public, nobody.identity.curve_public, KEY_BYTES) != 0)
		to->systems_count++;
	else
		drop_certificate(system);
	return true;
}

static bool read_systems(const struct register_paths *paths, uint64_t now_ms, struct register_snapshot *to,
			 char detail[REGISTER_DETAIL_BYTES])
{
	struct dirent **names = NULL;
	int count = scandir(paths->enrolled_directory, &names, is_certificate, compare_names);
	if (count < 0) {
		snprintf(detail, REGISTER_DETAIL_BYTES, "%s: cannot be read: %s", paths->enrolled_directory,
			 strerror(errno));
		return false;
	}
	bool good = (unsigned)count <= REGISTER_SYSTEMS_MAX;
	if (!good)
		snprintf(detail, REGISTER_DETAIL_BYTES, "%s: more than %u certificates",
			 paths->enrolled_directory, REGISTER_SYSTEMS_MAX);
	if (good && (to->systems = calloc((size_t)count + 1, sizeof *to->systems)) == NULL) {
		snprintf(detail, REGISTER_DETAIL_BYTES, "%s: out of memory", paths->enrolled_directory);
		good = false;
	}
	for (int i = 0; good && i < count; i++)
		good = read_system(paths, names[i]->d_name, now_ms, to, detail);
	free_names(names, count);
	if (good)
		settle_keys(to);
	return good;
}

// ------------------------------------------------------------------ snapshots

bool register_load(const struct register_paths *paths, const struct policy *policy, uint64_t now_ms,
		   struct register_snapshot **ret, char detail[REGISTER_DETAIL_BYTES])
{
	char why[CERTS_DETAIL_BYTES] = "";
	struct register_snapshot *snapshot = calloc(1, sizeof *snapshot);
	if (snapshot == NULL) {
		snprintf(detail, REGISTER_DETAIL_BYTES, "%s: out of memory", paths->register_file);
		return false;
	}
	atomic_init(&snapshot->references, 1);
	bool good = register_read_file(paths->register_file, policy, snapshot, detail);
	if (good && trust_load(paths->trust_directory, &snapshot->trust, why) != CERTS_OK) {
		snprintf(detail, REGISTER_DETAIL_BYTES, "%s: %s", paths->trust_directory, why);
		good = false;
	}
	good = good && (paths->identity_directory == NULL ||
			identity_providers_load(paths->identity_directory, &snapshot->identity, detail, REGISTER_DETAIL_BYTES));
	if (!good || !read_systems(paths, now_ms, snapshot, detail)) {
		register_release(snapshot);
		return false;
	}
	*ret = snapshot;
	return true;
}

struct register_snapshot *register_retain(struct register_snapshot *snapshot)
{
	unsigned before = atomic_fetch_add_explicit(&snapshot->references, 1, memory_order_relaxed);
	INVARIANT(before > 0);
	return snapshot;
}

void register_release(struct register_snapshot *snapshot)
{
	if (snapshot == NULL || atomic_fetch_sub_explicit(&snapshot->references, 1, memory_order_acq_rel) > 1)
		return;
	trust_free(snapshot->trust);
	identity_providers_free(snapshot->identity);
	for (size_t i = 0; i < snapshot->organisations_count; i++)
		free(snapshot->organisations[i].incident);
	free(snapshot->organisations);
	free(snapshot->ranges);
	HASH_CLEAR(hh, snapshot->holdings);
	free(snapshot->holding_entries);
	free(snapshot->profiles);
	for (size_t i = 0; i < snapshot->systems_count; i++)
		drop_certificate(&snapshot->systems[i]);
	free(snapshot->systems);
	for (size_t i = 0; i < snapshot->remarks_count && i < REGISTER_REMARKS_MAX; i++)
		free(snapshot->remarks[i]);
	free(snapshot);
}

// ------------------------------------------------------------------ fingerprint

// FNV-1a: it tells versions of the operator's own files apart, and nobody gains by a collision.
static void mix(uint64_t *state, const void *data, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		*state = (*state ^ ((const uint8_t *)data)[i]) * UINT64_C(0x100000001b3);
}

static bool mix_file(uint64_t *state, int directory, const char *name)
{
	struct stat status;
	mix(state, name, strlen(name) + 1);
	if (fstatat(directory, name, &status, 0) != 0)
		return false;
	const int64_t facts[] = {
		(int64_t)status.st_ino,		(int64_t)status.st_size,
		(int64_t)status.st_mtim.tv_sec, (int64_t)status.st_mtim.tv_nsec,
		(int64_t)status.st_ctim.tv_sec, (int64_t)status.st_ctim.tv_nsec,
	};
	mix(state, facts, sizeof facts);
	return true;
}

static bool mix_directory(uint64_t *state, const char *path, int (*filter)(const struct dirent *))
{
	struct dirent **names = NULL;
	int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0)
		return false;
	int count = scandirat(directory, ".", &names, filter, compare_names);
	// A name that leads nowhere counts by its name alone, so that it does not hide what happens to the
	// others.
	for (int i = 0; i < count; i++)
		(void)mix_file(state, directory, names[i]->d_name);
	if (count >= 0)
		free_names(names, count);
	close(directory);
	return count >= 0;
}

uint64_t register_fingerprint(const struct register_paths *paths)
{
	uint64_t state = UINT64_C(0xcbf29ce484222325);
	char next[4200];
	snprintf(next, sizeof next, "%s/next", paths->trust_directory);
	// Most of the time there is none.
	(void)!mix_directory(&state, next, is_visible);
	if (!mix_directory(&state, paths->trust_directory, is_visible) ||
	    !mix_directory(&state, paths->enrolled_directory, is_certificate) ||
	    !mix_file(&state, AT_FDCWD, paths->register_file) ||
	    (paths->identity_directory != NULL && !mix_directory(&state, paths->identity_directory, is_visible)))
		return 0;
	return state == 0 ? 1 : state;
}

// ------------------------------------------------------------------ looking up

const struct identity_providers *register_identity(const struct register_snapshot *snapshot)
{
	return snapshot->identity;
}

const struct trust *register_trust(const struct register_snapshot *snapshot)
{
	return snapshot->trust;
}

static int compare_key(const void *key, const void *system)
{
	return memcmp(key, ((const struct enrolled_system *)system)->identity.curve_public, KEY_BYTES);
}

const struct enrolled_system *register_system(const struct register_snapshot *snapshot,
					      const uint8_t curve_public[KEY_BYTES])
{
	return bsearch(curve_public, snapshot->systems, snapshot->systems_count, sizeof snapshot->systems[0],
		       compare_key);
}

enum certs_status register_system_status(const struct enrolled_system *system, uint64_t now_ms)
{
	if (system->status != CERTS_OK)
		return system->status;
	if (now_ms < system->identity.not_before_ms)
		return CERTS_NOT_YET_VALID;
	// As OpenSSL judges the last second.
	return now_ms >= system->identity.not_after_ms ? CERTS_EXPIRED : CERTS_OK;
}

int register_compare_holdings(const struct role_profile *a, const struct role_profile *b)
{
	int order = strcmp(a->uid, b->uid);
	if (order == 0)
		order = strcmp(a->role_code, b->role_code);
	return order == 0 ? strcmp(a->organisation.text, b->organisation.text) : order;
}

static int compare_ods(const void *ods, const void *organisation)
{
	return strcmp(((const struct ods_code *)ods)->text,
		      ((const struct organisation *)organisation)->ods.text);
}

const struct organisation *register_organisation(const struct register_snapshot *snapshot,
						 const struct ods_code *ods)
{
	return bsearch(ods, snapshot->organisations, snapshot->organisations_count,
		       sizeof snapshot->organisations[0], compare_ods);
}

const struct organisation *register_organisations(const struct register_snapshot *snapshot, size_t *ret_count)
{
	*ret_count = snapshot->organisations_count;
	return snapshot->organisations;
}

const struct role_profile *register_profile(const struct register_snapshot *snapshot, const char *uid,
					    const char *role_code, const struct ods_code *organisation,
					    uint64_t now_ms)
{
	struct role_key key;
	struct holding *holding = NULL;
	if (!role_key_make(uid, role_code, organisation, &key))
		return NULL;
	HASH_FIND(hh, snapshot->holdings, &key, sizeof key, holding);
	for (size_t i = 0; holding != NULL && i < holding->count; i++) {
		const struct role_profile *profile = &snapshot->profiles[holding->first + i];
		if (now_ms >= profile->from_ms && (profile->until_ms == 0 || now_ms < profile->until_ms))
			return profile;
	}
	return NULL;
}

bool register_has_person(const struct register_snapshot *snapshot, const char *uid, const struct ods_code *organisation)
{
	size_t low = 0, high = snapshot->profiles_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strcmp(snapshot->profiles[middle].uid, uid) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < snapshot->profiles_count && strcmp(snapshot->profiles[low].uid, uid) == 0; low++)
		if (organisation == NULL || ods_code_equal(&snapshot->profiles[low].organisation, organisation))
			return true;
	return false;
}

bool register_find_system(const struct register_snapshot *snapshot,
			  bool (*matches)(const struct system_identity *, const void *context), const void *context)
{
	for (size_t i = 0; i < snapshot->systems_count; i++)
		if (matches(&snapshot->systems[i].identity, context))
			return true;
	return false;
}

const struct role_profile *register_profiles(const struct register_snapshot *snapshot, size_t *ret_count)
{
	*ret_count = snapshot->profiles_count;
	return snapshot->profiles;
}

struct publishing_rules register_publishing(const struct register_snapshot *snapshot)
{
	return snapshot->publishing;
}

size_t register_systems_count(const struct register_snapshot *snapshot)
{
	size_t count = 0;
	for (size_t i = 0; i < snapshot->systems_count; i++)
		count += snapshot->systems[i].status == CERTS_OK;
	return count;
}
