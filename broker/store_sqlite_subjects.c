// SQLite backend: which children may have a plan. Nineteen of twenty are asked about in vain, and each look into the index over
// random tags costs a walk through three pages and often a read of one. A Bloom filter says of most of them for certain that there is
// no plan. Whatever was ever put while this process runs is in it, also what was rolled back or deleted since: it may say
// "perhaps" too often, never "no" wrongly. The lock on the store keeps every other writer out.
//
// Filters are of a fixed size, so one that is full is followed by one twice as large.
#include <stdlib.h>
#include <string.h>

#include "broker/store_sqlite_priv.h"

#define BITS_PER_SUBJECT 16u // four of them set: one of some 360 strangers is looked for in vain
#define SUBJECTS_LEAST 65536u
#define LAYERS_MAX 16u
#define LINE_WORDS 8u             // of the processor's cache
#define LINE_BITS (64u * LINE_WORDS)

struct layer {
	uint64_t *words;
	uint64_t bits; // a power of two
	uint64_t left; // subjects that it has room for
};

struct subject_filter {
	struct layer layers[LAYERS_MAX];
	unsigned count;
	bool useless; // there was no memory for another layer: it says nothing any more
};

static bool add_layer(struct subject_filter *filter, uint64_t subjects)
{
	struct layer *layer = &filter->layers[filter->count];
	uint64_t bits = SUBJECTS_LEAST * BITS_PER_SUBJECT;
	if (filter->count == LAYERS_MAX)
		return false;
	while (bits / BITS_PER_SUBJECT < subjects && bits < UINT64_C(1) << 32)
		bits *= 2;
	layer->words = aligned_alloc(LINE_BITS / 8, bits / 8);
	if (layer->words == NULL)
		return false;
	memset(layer->words, 0, bits / 8);
	layer->bits = bits;
	layer->left = bits / BITS_PER_SUBJECT;
	filter->count++;
	return true;
}

// Tags are uniform already, so their bytes are the hashes. All of a subject's bits lie in one line of the processor's cache, whose
// number ascends with the tag: whoever adds subjects in their order goes through the filter once from its beginning to its end.
#define PLACES 4u
_Static_assert(TAG_BYTES >= 4 + PLACES * sizeof(uint16_t), "a tag has a hash for the line and one for each place in it");

static uint64_t *line_of(const struct layer *layer, const struct store_tag *subject)
{
	const uint8_t *b = subject->bytes;
	uint32_t hash = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
	uint64_t lines = layer->bits / LINE_BITS;
	return &layer->words[((uint64_t)hash * lines >> 32) * LINE_WORDS];
}

// The first bytes are used already, and are much the same in one line.
static unsigned place_of(const struct store_tag *subject, unsigned number)
{
	uint16_t hash;
	memcpy(&hash, subject->bytes + TAG_BYTES - (number + 1) * sizeof hash, sizeof hash);
	return hash % LINE_BITS;
}

static bool layer_has(const struct layer *layer, const struct store_tag *subject)
{
	const uint64_t *line = line_of(layer, subject);
	for (unsigned i = 0; i < PLACES; i++) {
		unsigned place = place_of(subject, i);
		if ((line[place / 64] >> place % 64 & 1) == 0)
			return false;
	}
	return true;
}

bool sqlite_subject_may_have_plan(const struct sqlite_store *store, const struct store_tag *subject)
{
	const struct subject_filter *filter = store->subjects;
	bool found = filter->useless;
	for (unsigned i = 0; i < filter->count && !found; i++)
		found = layer_has(&filter->layers[i], subject);
	return found;
}

void sqlite_subject_add(struct sqlite_store *store, const struct store_tag *subject)
{
	struct subject_filter *filter = store->subjects;
	if (sqlite_subject_may_have_plan(store, subject))
		return;
	struct layer *layer = &filter->layers[filter->count - 1];
	if (layer->left == 0) {
		filter->useless = !add_layer(filter, layer->bits / BITS_PER_SUBJECT * 2);
		if (filter->useless)
			return;
		layer++;
	}
	layer->left--;
	uint64_t *line = line_of(layer, subject);
	for (unsigned i = 0; i < PLACES; i++) {
		unsigned place = place_of(subject, i);
		line[place / 64] |= UINT64_C(1) << place % 64;
	}
}

// A sum over rows, the same in whatever order they are read. Against damage by chance, not by anybody.
static uint64_t row_hash(const struct store_tag *subject, sqlite3_int64 row)
{
	uint64_t halves[TAG_BYTES / sizeof(uint64_t)], hash = (uint64_t)row;
	memcpy(halves, subject->bytes, sizeof halves);
	for (size_t i = 0; i < sizeof halves / sizeof *halves; i++) {
		hash = (hash ^ halves[i]) * UINT64_C(0x9e3779b97f4a7c15);
		hash ^= hash >> 32;
	}
	return hash;
}

// The sum over what the statement finds: subject and row number. `add`: they are put into the filter.
static bool read_rows(struct sqlite_store *store, const char *sql, bool add, uint64_t *ret_sum)
{
	sqlite3_stmt *rows = NULL;
	struct store_tag subject;
	int step = sqlite3_prepare_v2(store->database, sql, -1, &rows, NULL);
	*ret_sum = 0;
	if (step == SQLITE_OK)
		while ((step = sqlite3_step(rows)) == SQLITE_ROW && sqlite_column_tag(rows, 0, &subject)) {
			*ret_sum += row_hash(&subject, sqlite3_column_int64(rows, 1));
			if (add)
				sqlite_subject_add(store, &subject);
		}
	sqlite3_finalize(rows);
	return step == SQLITE_DONE;
}

bool sqlite_subjects_load(struct sqlite_store *store, uint64_t plans, bool *ret_agree)
{
	uint64_t index_sum = 0, table_sum = 0;
	store->subjects = calloc(1, sizeof *store->subjects);
	// The index alone is read at first. A bit of it that flipped makes a known child an unknown one, which SQLite does not notice.
	bool loaded = store->subjects != NULL && add_layer(store->subjects, plans) &&
		      read_rows(store, "SELECT subject, rowid FROM plan INDEXED BY plan_by_subject", true, &index_sum) &&
		      read_rows(store, "SELECT subject, rowid FROM plan NOT INDEXED", false, &table_sum);
	*ret_agree = index_sum == table_sum;
	return loaded;
}

void sqlite_subjects_free(struct sqlite_store *store)
{
	if (store->subjects == NULL)
		return;
	for (unsigned i = 0; i < store->subjects->count; i++)
		free(store->subjects->layers[i].words);
	free(store->subjects);
}
