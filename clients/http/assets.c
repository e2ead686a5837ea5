// Assets read into memory.
#include "clients/http/assets.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "certs/sha256.h"

#define ASSETS_MAX 32u
#define ASSET_BYTES_MAX (1024u * 1024u)

struct assets {
	struct asset assets[ASSETS_MAX];
	size_t count;
};

static const char *type_of(const char *name)
{
	static const struct {
		const char *ending, *type;
	} types[] = {{".css", "text/css; charset=utf-8"}, {".js", "text/javascript; charset=utf-8"}, {".svg", "image/svg+xml"},
		     {".ico", "image/x-icon"}, {".png", "image/png"}};
	const char *dot = strrchr(name, '.');
	for (size_t i = 0; dot != NULL && i < sizeof types / sizeof *types; i++)
		if (strcmp(dot, types[i].ending) == 0)
			return types[i].type;
	return NULL;
}

static uint8_t *read_file(const char *path, size_t *ret_bytes)
{
	struct stat about;
	FILE *file = fopen(path, "re");
	uint8_t *bytes = NULL;
	if (file != NULL && fstat(fileno(file), &about) == 0 && S_ISREG(about.st_mode) && about.st_size <= (off_t)ASSET_BYTES_MAX)
		bytes = malloc((size_t)about.st_size + 1);
	if (bytes != NULL && fread(bytes, 1, (size_t)about.st_size, file) != (size_t)about.st_size) {
		free(bytes);
		bytes = NULL;
	}
	if (bytes != NULL)
		*ret_bytes = (size_t)about.st_size;
	if (file != NULL)
		fclose(file);
	return bytes;
}

static bool load_one(struct assets *assets, const char *directory, const char *name, char *detail)
{
	char path[4352];
	uint8_t digest[SHA256_BYTES];
	struct asset *asset = &assets->assets[assets->count];
	if (assets->count == ASSETS_MAX || strlen(name) >= sizeof asset->name) {
		snprintf(detail, ASSETS_DETAIL_BYTES, "%.200s: more than %u files, or a long name", directory, ASSETS_MAX);
		return false;
	}
	snprintf(path, sizeof path, "%.4095s/%s", directory, name);
	asset->bytes = read_file(path, &asset->bytes_count);
	if (asset->bytes == NULL) {
		snprintf(detail, ASSETS_DETAIL_BYTES, "%.280s: cannot be read", path);
		return false;
	}
	sha256(asset->bytes, asset->bytes_count, digest);
	for (size_t i = 0; i < 8; i++)
		snprintf(asset->version + 2 * i, 3, "%02x", digest[i]);
	snprintf(asset->name, sizeof asset->name, "%s", name);
	asset->content_type = type_of(name);
	snprintf(path, sizeof path, "%.4095s/%s.gz", directory, name);
	asset->packed = read_file(path, &asset->packed_bytes);
	assets->count++;
	return true;
}

bool assets_load(const char *directory, struct assets **ret, char detail[ASSETS_DETAIL_BYTES])
{
	DIR *folder = opendir(directory);
	struct assets *assets = calloc(1, sizeof *assets);
	bool loaded = folder != NULL && assets != NULL;
	if (!loaded)
		snprintf(detail, ASSETS_DETAIL_BYTES, "%.200s: cannot be read as the folder of assets", directory);
	for (const struct dirent *entry; loaded && (entry = readdir(folder)) != NULL;)
		if (type_of(entry->d_name) != NULL)
			loaded = load_one(assets, directory, entry->d_name, detail);
	if (folder != NULL)
		closedir(folder);
	if (!loaded) {
		assets_free(assets);
		return false;
	}
	*ret = assets;
	return true;
}

void assets_free(struct assets *assets)
{
	if (assets == NULL)
		return;
	for (size_t i = 0; i < ASSETS_MAX; i++) {
		free(assets->assets[i].bytes);
		free(assets->assets[i].packed);
	}
	free(assets);
}

const struct asset *assets_find(const struct assets *assets, const char *name)
{
	for (size_t i = 0; i < assets->count; i++)
		if (strcmp(assets->assets[i].name, name) == 0)
			return &assets->assets[i];
	return NULL;
}
