// ODS codes: the NHS's identifiers of organisations. Shapes vary (RR8, 706, A9A5A), so only the
// alphabet and the length are checked; whether an organisation exists is for the register to say.
#ifndef CPIS_PROTO_ODS_CODE_H
#define CPIS_PROTO_ODS_CODE_H

#include <stdbool.h>
#include <stddef.h>

#define ODS_CODE_BYTES_MIN 3
#define ODS_CODE_BYTES_MAX 12

struct ods_code {
	char text[ODS_CODE_BYTES_MAX + 1]; // NUL-terminated, A-Z and 0-9
};

// False, and `ret` untouched, unless `text` is 3 to 12 characters of A-Z and 0-9. Lower case is
// refused: whoever reads from people folds it first.
__attribute__((warn_unused_result)) bool ods_code_parse(const char *text, size_t text_bytes,
							struct ods_code *ret);

bool ods_code_equal(const struct ods_code *a, const struct ods_code *b);

#endif
