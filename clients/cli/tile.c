// Names and form of an export's files.
#include "clients/cli/tile.h"

#include <stdio.h>
#include <string.h>

// 1234067 is x001/x234/067: three digits for each folder, all but the last with an x.
static void write_number(uint64_t number, char out[48])
{
	uint64_t groups[7];
	unsigned count = 0;
	do
		groups[count++] = number % 1000;
	while ((number /= 1000) != 0);
	char *at = out;
	while (count-- > 0)
		at += sprintf(at, count > 0 ? "x%03u/" : "%03u", (unsigned)groups[count]);
}

bool tile_path(const char *directory, const struct tile_name *name, char out[PATH_MAX])
{
	char number[48], folder[24] = "record", partial[16] = "";
	write_number(name->number, number);
	if (name->kind == TILE_HASHES)
		snprintf(folder, sizeof folder, "tile/%u", name->level);
	else if (name->kind == TILE_ENTRIES)
		strcpy(folder, "tile/entries");
	if (name->width < TILE_WIDTH)
		snprintf(partial, sizeof partial, ".p/%u", name->width);
	return snprintf(out, PATH_MAX, "%s/%s/%s%s", directory, folder, number, partial) < PATH_MAX;
}

unsigned tile_width(uint64_t size, unsigned level, uint64_t number)
{
	uint64_t hashes = size >> (TILE_HEIGHT * level), before = number * TILE_WIDTH;
	if (hashes <= before)
		return 0;
	return hashes - before < TILE_WIDTH ? (unsigned)(hashes - before) : TILE_WIDTH;
}

uint8_t *tile_put_item(uint8_t *out, const void *data, size_t bytes)
{
	*out++ = (uint8_t)(bytes >> 8);
	*out++ = (uint8_t)bytes;
	return (uint8_t *)memcpy(out, data, bytes) + bytes;
}

bool tile_take_item(struct log_bytes *bundle, struct log_bytes *ret)
{
	if (bundle->bytes < 2)
		return false;
	size_t bytes = (size_t)bundle->data[0] << 8 | bundle->data[1];
	if (bundle->bytes - 2 < bytes)
		return false;
	*ret = (struct log_bytes){bundle->data + 2, bytes};
	bundle->data += 2 + bytes;
	bundle->bytes -= 2 + bytes;
	return true;
}
