// ODS codes: alphabet and length.
#include "proto/ods_code.h"

#include <string.h>

bool ods_code_parse(const char *text, size_t text_bytes, struct ods_code *ret)
{
	if (text_bytes < ODS_CODE_BYTES_MIN || text_bytes > ODS_CODE_BYTES_MAX)
		return false;
	for (size_t i = 0; i < text_bytes; i++)
		if (!((text[i] >= 'A' && text[i] <= 'Z') || (text[i] >= '0' && text[i] <= '9')))
			return false;
	// The tail is zeroed too: codes are compared, hashed and bound into seals as whole structs.
	memset(ret, 0, sizeof *ret);
	memcpy(ret->text, text, text_bytes);
	return true;
}

bool ods_code_equal(const struct ods_code *a, const struct ods_code *b)
{
	return strcmp(a->text, b->text) == 0;
}
