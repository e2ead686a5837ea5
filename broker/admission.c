// The list of keys that are let in, sorted by key.
#include "broker/admission.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

// As it stands in memory and on the link between two processes of one program. No holes: compared and copied as bytes.
struct entry {
	uint8_t key[KEY_BYTES];
	uint64_t not_before_ms, not_after_ms;
	uint64_t status; // enum certs_status at loading
};
_Static_assert(sizeof(struct entry) == KEY_BYTES + 3 * sizeof(uint64_t), "an entry has no holes");

struct admission {
	atomic_uint references;
	size_t count;
	struct entry entries[];
};

static int by_key(const void *left, const void *right)
{
	return memcmp(((const struct entry *)left)->key, ((const struct entry *)right)->key, KEY_BYTES);
}

static struct admission *new_list(size_t count)
{
	struct admission *admission = calloc(1, sizeof *admission + count * sizeof admission->entries[0]);
	if (admission != NULL)
		atomic_init(&admission->references, 1);
	return admission;
}

struct filling {
	const struct register_snapshot *snapshot;
	struct admission *admission;
};

static bool add(const struct system_identity *identity, const void *context)
{
	const struct filling *filling = context;
	// Of several certificates with one key the register says which one counts.
	const struct enrolled_system *system = register_system(filling->snapshot, identity->curve_public);
	if (system == NULL)
		return false;
	struct entry *entry = &filling->admission->entries[filling->admission->count++];
	memcpy(entry->key, identity->curve_public, KEY_BYTES);
	entry->not_before_ms = system->identity.not_before_ms;
	entry->not_after_ms = system->identity.not_after_ms;
	entry->status = system->status;
	return false;
}

struct admission *admission_of_register(const struct register_snapshot *snapshot)
{
	struct filling filling = {snapshot, new_list(REGISTER_SYSTEMS_MAX)};
	if (filling.admission == NULL)
		return NULL;
	(void)register_find_system(snapshot, add, &filling);
	qsort(filling.admission->entries, filling.admission->count, sizeof(struct entry), by_key);
	struct admission *shorter =
		realloc(filling.admission, sizeof *shorter + filling.admission->count * sizeof(struct entry));
	return shorter == NULL ? filling.admission : shorter;
}

struct admission *admission_of_bytes(const uint8_t *data, size_t bytes)
{
	size_t count = bytes / sizeof(struct entry);
	if (bytes % sizeof(struct entry) != 0 || count > REGISTER_SYSTEMS_MAX)
		return NULL;
	struct admission *admission = new_list(count);
	if (admission == NULL)
		return NULL;
	admission->count = count;
	if (count > 0)
		memcpy(admission->entries, data, bytes);
	return admission;
}

const uint8_t *admission_bytes(const struct admission *admission, size_t *ret_bytes)
{
	*ret_bytes = admission->count * sizeof(struct entry);
	return (const uint8_t *)admission->entries;
}

struct admission *admission_retain(struct admission *admission)
{
	atomic_fetch_add(&admission->references, 1);
	return admission;
}

void admission_release(struct admission *admission)
{
	if (admission != NULL && atomic_fetch_sub(&admission->references, 1) == 1)
		free(admission);
}

bool admission_find(const struct admission *admission, const uint8_t key[KEY_BYTES], uint64_t now_ms, enum certs_status *ret)
{
	struct entry wanted;
	memcpy(wanted.key, key, KEY_BYTES);
	const struct entry *entry =
		bsearch(&wanted, admission->entries, admission->count, sizeof wanted, by_key);
	if (entry == NULL)
		return false;
	struct enrolled_system system = {
		.identity = {.not_before_ms = entry->not_before_ms, .not_after_ms = entry->not_after_ms},
		.status = (enum certs_status)entry->status,
	};
	*ret = register_system_status(&system, now_ms);
	return true;
}
