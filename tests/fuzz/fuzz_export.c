// An export's files as `cpis audit verify --export` and `import` read them, changed as somebody who keeps them for us might: cut, put
// in, taken away, exchanged, and signed again by who has the log's key.
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clients/cli/log_export.h"
#include "clients/cli/log_export_check.h"
#include "clients/cli/log_import.h"
#include "clients/cli/tile.h"
#include "tests/fuzz/log_base.h"

#define FILES_MAX 16u
#define CONTENT_BYTES_MAX 131072u

// All that an export of this size has.
struct content {
	const char *name;
	uint8_t *data;
	size_t bytes;
	bool is_directory;
};

struct good {
	struct log_base base;
	struct content files[FILES_MAX];
	unsigned count;
};

static const char *const small_names[] = {"checkpoint", "checkpoints/3", "checkpoints/5", "tile/0/000.p/5", "tile/entries/000.p/5",
					  "record/000.p/5", "tile/0/000.p/3", "tile/entries/000.p/3", "record/000.p/3", NULL};
static const char *const large_names[] = {"checkpoint", "checkpoints/260", "tile/0/000", "tile/1/000.p/1", "tile/entries/000", "record/000",
					  "tile/0/001.p/4", "tile/entries/001.p/4", "record/001.p/4", NULL};
static struct good goods[2];
static char out[96], imported[112];

static const char *path_of(const char *name)
{
	static char path[256];
	snprintf(path, sizeof path, "%s/%s", out, name);
	return path;
}

static void export_all(const struct log_base *base)
{
	char detail[LOG_DETAIL_BYTES];
	struct log_exported exported;
	struct log_result result;
	struct log_database *database = log_database_open(base->path, detail);
	FUZZ_MUST(database != NULL);
	enum log_status status = log_export(database, log_base_verifier(), out, &exported, &result);
	if (status != LOG_HOLDS)
		fprintf(stderr, "%s\n", result.detail);
	FUZZ_MUST(status == LOG_HOLDS);
	log_database_close(database);
}

static void keep(struct good *good, const char *const names[])
{
	for (unsigned i = 0; names[i] != NULL; i++) {
		FILE *file = fopen(path_of(names[i]), "re");
		uint8_t *data = malloc(CONTENT_BYTES_MAX);
		FUZZ_MUST(data != NULL && good->count < FILES_MAX);
		// The small one grew from three records; those files are not left everywhere.
		size_t bytes = file == NULL ? 0 : fread(data, 1, CONTENT_BYTES_MAX, file);
		if (file != NULL)
			fclose(file);
		good->files[good->count++] = (struct content){file == NULL ? NULL : names[i], data, bytes, false};
	}
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static struct log_base three;
	(void)argc, (void)argv;
	snprintf(out, sizeof out, "%.64s/export", fuzz_directory());
	snprintf(imported, sizeof imported, "%.64s/imported.db", fuzz_directory());
	log_base_make(&three, "three.db", 3);
	log_base_make(&goods[0].base, "small.db", 5);
	log_base_make(&goods[1].base, "large.db", 260);
	export_all(&three);
	export_all(&goods[0].base);
	keep(&goods[0], small_names);
	fuzz_empty(out);
	export_all(&goods[1].base);
	keep(&goods[1], large_names);
	fuzz_empty(out);
	return 0;
}

// ------------------------------------------------------------------ changes

static void splice(struct content *file, size_t at, size_t taken, const uint8_t *with, size_t bytes)
{
	at %= file->bytes + 1;
	taken = taken < file->bytes - at ? taken : file->bytes - at;
	if (file->bytes - taken + bytes > CONTENT_BYTES_MAX)
		return;
	memmove(file->data + at + bytes, file->data + at + taken, file->bytes - at - taken);
	memcpy(file->data + at, with, bytes);
	file->bytes += bytes - taken;
}

// A checkpoint of any size and root.
static void sign(struct fuzz_input *input, struct content *file)
{
	struct merkle_hash root;
	char note[NOTE_BYTES_MAX + 1];
	uint8_t how = fuzz_byte(input);
	memset(&root, how, sizeof root);
	uint64_t size = fuzz_number(input, (how & 1) != 0 ? 8 : 2);
	log_base_sign(size > CHECKPOINT_SIZE_MAX ? 0 : size, &root, note);
	splice(file, 0, file->bytes, (const uint8_t *)note, strlen(note));
}

// The records of a bundle as one wants them, with entries and hashes that follow from them.
static void forge(struct fuzz_input *input, struct content files[])
{
	static uint8_t records[8192], entries[8192], hashes[8192];
	uint8_t *at = records, *entry = entries, packed[MERKLE_SALT_BYTES + 512] = {0};
	struct merkle_tree tree = {0};
	struct merkle_hash commitment, leaf, nodes[MERKLE_HEIGHT_MAX + 1], root;
	char note[NOTE_BYTES_MAX + 1];
	size_t count;
	uint8_t how = fuzz_byte(input);
	for (unsigned i = 0; i < 5; i++) {
		uint8_t variant = (how >> i & 1) != 0 ? fuzz_byte(input) : 0;
		size_t bytes = log_base_record(variant % 8 == 7 ? i + 1 : i, variant, packed + MERKLE_SALT_BYTES);
		bytes = variant % 8 == 6 ? bytes - 1 : bytes;
		merkle_commitment(packed, packed + MERKLE_SALT_BYTES, bytes, &commitment);
		merkle_leaf_of(&commitment, &leaf);
		merkle_append(&tree, &leaf, nodes, &count);
		at = tile_put_item(at, packed, variant % 8 == 5 ? 7 : MERKLE_SALT_BYTES + bytes);
		entry = tile_put_item(entry, commitment.bytes, sizeof commitment);
		memcpy(hashes + i * sizeof leaf, &leaf, sizeof leaf);
	}
	merkle_root(&tree, &root);
	log_base_sign(5, &root, note);
	const struct content with[] = {{"", hashes, 5 * sizeof leaf, false},
				       {"", entries, (size_t)(entry - entries), false},
				       {"", records, (size_t)(at - records), false}};
	for (unsigned i = 0; i < 3; i++)
		splice(&files[3 + i], 0, files[3 + i].bytes, with[i].data, with[i].bytes);
	splice(&files[0], 0, files[0].bytes, (const uint8_t *)note, strlen(note));
	splice(&files[2], 0, files[2].bytes, (const uint8_t *)note, strlen(note));
}

static void change(struct fuzz_input *input, struct content files[], unsigned count, bool small)
{
	for (uint8_t what; (what = fuzz_byte(input)) != 0;) {
		struct content *file = &files[what % 16 % count], *other = &files[fuzz_byte(input) % count];
		size_t at = (size_t)fuzz_number(input, 2), bytes;
		const uint8_t *raw;
		switch (what / 16 % 8) {
		case 0: // one byte
			if (file->bytes > 0)
				file->data[at % file->bytes] ^= fuzz_byte(input);
			break;
		case 1: // cut
			file->bytes = at % (file->bytes + 1);
			break;
		case 2:
			raw = fuzz_take(input, fuzz_byte(input), &bytes);
			splice(file, at, fuzz_byte(input), raw, bytes);
			break;
		case 3: // taken away, or something else stands there
			if ((at & 1) == 0)
				file->name = NULL;
			else
				file->is_directory = file->name != NULL;
			break;
		case 4: // another's content
			if (file != other)
				splice(file, 0, file->bytes, other->data, other->bytes);
			break;
		case 5:
			sign(input, file);
			break;
		case 6: // one thing twice
			bytes = file->bytes - at % (file->bytes + 1);
			if (bytes <= 4096) {
				uint8_t copy[4096];
				memcpy(copy, file->data + file->bytes - bytes, bytes);
				splice(file, file->bytes, 0, copy, bytes);
			}
			break;
		default:
			if (small)
				forge(input, files);
			break;
		}
	}
}

static void make_directory(const char *path)
{
	fuzz_write(path, "", 0); // for the folders above it
	FUZZ_MUST(unlink(path) == 0 && mkdir(path, 0700) == 0);
}

// ------------------------------------------------------------------ reading

static void check(const struct note_verifier *verifier)
{
	struct log_result result, again;
	struct export_checkpoints checkpoints;
	struct log_kept kept = {.path = "kept", .checkpoint = {.origin = LOG_BASE_ORIGIN, .size = 2}};
	enum log_status status = log_export_verify(out, verifier, NULL, 0, NULL, &result);
	FUZZ_MUST(status == LOG_HOLDS || result.detail[0] != '\0');
	FUZZ_MUST(log_export_verify(out, verifier, &kept, 1, NULL, &again) != LOG_HOLDS);
	if (export_checkpoints_load(out, verifier, &checkpoints, &again) == LOG_HOLDS) {
		for (unsigned i = 1; i < checkpoints.count; i++)
			FUZZ_MUST(checkpoints.kept[i - 1].checkpoint.size < checkpoints.kept[i].checkpoint.size);
		export_checkpoints_free(&checkpoints);
	}
	unlink(imported);
	enum log_status made = log_import(out, verifier, imported, NULL, &again);
	FUZZ_MUST((made == LOG_HOLDS) == (status == LOG_HOLDS));
	FUZZ_MUST((access(imported, F_OK) == 0) == (made == LOG_HOLDS));
	// What was made of a good export is a good log.
	if (made == LOG_HOLDS)
		FUZZ_MUST(log_file_verify(imported, verifier, NULL, 0, NULL, &again) == LOG_HOLDS && again.records == result.records);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct fuzz_input input = fuzz_input(data, bytes);
	struct content files[FILES_MAX];
	uint8_t how = fuzz_byte(&input);
	const struct good *good = &goods[how % 8 == 7 ? 1 : 0];
	for (unsigned i = 0; i < good->count; i++) {
		files[i] = (struct content){good->files[i].name, malloc(CONTENT_BYTES_MAX), good->files[i].bytes, false};
		FUZZ_MUST(files[i].data != NULL);
		memcpy(files[i].data, good->files[i].data, files[i].bytes);
	}
	change(&input, files, good->count, good == &goods[0]);
	for (unsigned i = 0; i < good->count; i++)
		if (files[i].is_directory)
			make_directory(path_of(files[i].name));
		else if (files[i].name != NULL)
			fuzz_write(path_of(files[i].name), files[i].data, files[i].bytes);
	check(log_base_verifier());
	// A broken export is not added to.
	if ((how & 8) != 0) {
		char detail[LOG_DETAIL_BYTES];
		struct log_exported exported;
		struct log_result result;
		struct log_database *database = log_database_open(good->base.path, detail);
		FUZZ_MUST(database != NULL);
		if (log_export(database, log_base_verifier(), out, &exported, &result) == LOG_HOLDS)
			FUZZ_MUST(exported.size == good->base.records);
		else
			FUZZ_MUST(result.detail[0] != '\0');
		log_database_close(database);
	}
	fuzz_empty(out);
	for (unsigned i = 0; i < good->count; i++)
		free(files[i].data);
	return 0;
}
