// The text is one buffer that changes in place.
#include "tests/fuzz/edit.h"

#include <string.h>

#define TEXT_BYTES_MAX 131072u

struct text {
	char *data; // TEXT_BYTES_MAX and a NUL
	size_t bytes;
};

struct part {
	size_t at, bytes;
};

// In anybody's file.
static const char *const common[] = {"",   "0",  "1",	 "-1", "65536", "99999999999", "18446744073709551616", "true",   "false",   "~", "[]",
				     "{}", "\"", "[a]", "*a", "&a a",  "--- ",	"x: y",		       "required", "allowed", "all",
				     "\x07", "\xc3", "\xe2\x80\xae", "2026-01-01", "2026-13-01"};
#define COMMON (sizeof common / sizeof common[0])

static void splice(struct text *text, struct part part, const char *with, size_t bytes)
{
	if (text->bytes - part.bytes + bytes > TEXT_BYTES_MAX)
		return;
	memmove(text->data + part.at + bytes, text->data + part.at + part.bytes, text->bytes - part.at - part.bytes);
	memcpy(text->data + part.at, with, bytes);
	text->bytes = text->bytes - part.bytes + bytes;
}

// With its newline. Lines count from the beginning again behind the last one.
static struct part line_of(const struct text *text, uint64_t number)
{
	size_t count = 1;
	for (size_t i = 0; i + 1 < text->bytes; i++)
		count += text->data[i] == '\n';
	struct part line = {0, 0};
	for (number %= count; number > 0; number--)
		line.at = (size_t)((char *)memchr(text->data + line.at, '\n', text->bytes - line.at) - text->data) + 1;
	const char *end = text->bytes == 0 ? NULL : memchr(text->data + line.at, '\n', text->bytes - line.at);
	line.bytes = end == NULL ? text->bytes - line.at : (size_t)(end + 1 - text->data) - line.at;
	return line;
}

static bool ends_word(char c)
{
	return strchr(" \t\n,:[]{}\"|", c) != NULL;
}

static struct part word_of(const struct text *text, struct part line, unsigned number)
{
	struct part word = {line.at, 0};
	size_t end = line.at + line.bytes;
	for (size_t at = line.at; at < end;) {
		while (at < end && ends_word(text->data[at]))
			at++;
		size_t start = at;
		while (at < end && !ends_word(text->data[at]))
			at++;
		if (at > start)
			word = (struct part){start, at - start};
		if (at > start && number-- == 0)
			break;
	}
	return word;
}

static void replace_word(struct fuzz_input *input, struct text *text, struct part line, const char *const words[])
{
	char copy[256];
	size_t count = 0, bytes;
	uint8_t where = fuzz_byte(input), what = fuzz_byte(input);
	struct part word = word_of(text, line, where % 32), other;
	while (words != NULL && words[count] != NULL)
		count++;
	switch (where / 32 % 4) {
	case 0: // one of those
		what = (uint8_t)(what % (COMMON + count));
		strcpy(copy, what < COMMON ? common[what] : words[what - COMMON]);
		splice(text, word, copy, strlen(copy));
		break;
	case 1: // one from elsewhere in the text
		other = word_of(text, line_of(text, fuzz_number(input, 2)), what);
		bytes = other.bytes < sizeof copy ? other.bytes : sizeof copy;
		memcpy(copy, text->data + other.at, bytes);
		splice(text, word, copy, bytes);
		break;
	case 2: // a long one
		memset(copy, 'A', sizeof copy);
		splice(text, word, copy, what);
		break;
	default: {
		const uint8_t *raw = fuzz_take(input, what % 32, &bytes);
		splice(text, word, (const char *)raw, bytes);
	}
	}
}

static void change(struct fuzz_input *input, struct text *text, uint8_t what, const char *const words[])
{
	struct part line = line_of(text, fuzz_number(input, what >= 128 ? 2 : 1));
	char *copy = malloc(line.bytes + 1);
	size_t bytes;
	FUZZ_MUST(copy != NULL);
	memcpy(copy, text->data + line.at, line.bytes);
	switch (what % 6) {
	case 0:
		splice(text, line, "", 0);
		break;
	case 1:
		replace_word(input, text, line, words);
		break;
	case 2: // doubled as often as it says, for what there may be too much of
		for (unsigned i = 1u << (fuzz_byte(input) % 10); i > 0; i--)
			splice(text, (struct part){line.at, 0}, copy, line.bytes);
		break;
	case 3: // to another place
		splice(text, line, "", 0);
		splice(text, (struct part){line_of(text, fuzz_number(input, 1)).at, 0}, copy, line.bytes);
		break;
	case 4: { // in front of it
		const uint8_t *raw = fuzz_take_until(input, '\n', &bytes);
		splice(text, (struct part){line.at, 0}, "\n", 1);
		splice(text, (struct part){line.at, 0}, (const char *)raw, bytes);
		break;
	}
	default: // the rest of the text
		splice(text, (struct part){line.at, text->bytes - line.at}, "", 0);
		break;
	}
	free(copy);
}

char *edit_text(struct fuzz_input *input, const char *from, size_t bytes, const char *const words[], size_t *ret_bytes)
{
	struct text text = {malloc(TEXT_BYTES_MAX + 1), bytes};
	FUZZ_MUST(text.data != NULL && bytes <= TEXT_BYTES_MAX);
	memcpy(text.data, from, bytes);
	for (uint8_t what; (what = fuzz_byte(input)) != 0;)
		change(input, &text, what, words);
	text.data[text.bytes] = '\0';
	*ret_bytes = text.bytes;
	return text.data;
}

const char *edit_source(const char *path, size_t *ret_bytes)
{
	char *data = malloc(TEXT_BYTES_MAX);
	FILE *file = fopen(path, "re");
	FUZZ_MUST(data != NULL && file != NULL);
	*ret_bytes = fread(data, 1, TEXT_BYTES_MAX, file);
	FUZZ_MUST(!ferror(file) && *ret_bytes < TEXT_BYTES_MAX);
	fclose(file);
	return data;
}
