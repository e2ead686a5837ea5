// Which of the lines that recur are told.
#include "broker/trouble.h"

static struct trouble_line *place_of(struct trouble *trouble, uint64_t key)
{
	struct trouble_line *oldest = &trouble->lines[0];
	for (unsigned i = 0; i < TROUBLE_LINES_MAX; i++) {
		struct trouble_line *line = &trouble->lines[i];
		if (line->told_ms != 0 && line->key == key)
			return line;
		if (line->told_ms < oldest->told_ms)
			oldest = line;
	}
	*oldest = (struct trouble_line){.key = key};
	return oldest;
}

bool trouble_tell(struct trouble *trouble, uint64_t key, bool passes, uint64_t now_ms, uint32_t *ret_untold)
{
	struct trouble_line *line = place_of(trouble, key);
	if (line->told_ms != 0 && now_ms - line->told_ms < TROUBLE_SILENT_MS) {
		line->untold++;
		return false;
	}
	*ret_untold = line->untold;
	line->untold = 0;
	line->told_ms = now_ms;
	if (passes && trouble->since_ms == 0)
		trouble->since_ms = now_ms;
	return true;
}

bool trouble_mended(struct trouble *trouble, uint64_t now_ms, uint64_t *ret_ms)
{
	if (trouble->since_ms == 0)
		return false;
	*ret_ms = now_ms - trouble->since_ms;
	trouble->since_ms = 0;
	return true;
}
