// Files that pages need and that are the same for everybody: style, script, icons. Read into memory at start. A file's address has a
// digest of its content, so that a browser may keep it for good.
#ifndef CPIS_HTTP_ASSETS_H
#define CPIS_HTTP_ASSETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ASSETS_DETAIL_BYTES 300

struct asset {
	char name[64];            // web.css
	char version[17];         // hexadecimal
	const char *content_type;
	uint8_t *bytes;           // as it is
	size_t bytes_count;
	uint8_t *packed;          // by gzip, where there was a NAME.gz beside it; NULL: none
	size_t packed_bytes;
};

struct assets;
__attribute__((warn_unused_result)) bool assets_load(const char *directory, struct assets **ret, char detail[ASSETS_DETAIL_BYTES]);
void assets_free(struct assets *assets); // accepts NULL
// NULL: there is none.
const struct asset *assets_find(const struct assets *assets, const char *name);

#endif
