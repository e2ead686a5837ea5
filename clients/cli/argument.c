// Arguments that standard input may bring.
#include "clients/cli/argument.h"

#include <stdio.h>
#include <string.h>

#include "clients/cli/commands.h"
#include "proto/text.h"

enum nhs_number_status argument_nhs_number(const char *word, struct nhs_number *ret)
{
	char text[64] = "";
	if (strcmp(word, "-") != 0)
		return nhs_number_parse_typed(word, strlen(word), ret);
	if (fgets(text, sizeof text, stdin) == NULL)
		return NHS_NUMBER_LENGTH;
	enum nhs_number_status status = nhs_number_parse_typed(text, strcspn(text, "\r\n"), ret);
	explicit_bzero(text, sizeof text);
	return status;
}

unsigned argument_characters(const char *text)
{
	unsigned count = 0;
	for (; *text != '\0'; text++)
		count += ((unsigned char)*text & 0xc0) != 0x80;
	return count;
}

static size_t without_line_end(const char *text, size_t bytes)
{
	while (bytes > 0 && (text[bytes - 1] == '\n' || text[bytes - 1] == '\r'))
		bytes--;
	return bytes;
}

int argument_text(const struct command_line *line, unsigned characters_min, char ret[MESSAGE_TEXT_BYTES_MAX + 1])
{
	const char *given = command_value(line, "text");
	char text[MESSAGE_TEXT_BYTES_MAX + 8] = "";
	size_t bytes = 0;
	if (given != NULL && strcmp(given, "-") == 0) {
		bytes = fread(text, 1, sizeof text - 1, stdin);
		if (ferror(stdin))
			return command_usage_error(line, "--text -: standard input cannot be read");
		bytes = without_line_end(text, bytes);
	} else if (given != NULL) {
		bytes = strlen(given);
		memcpy(text, given, bytes < sizeof text ? bytes : sizeof text - 1);
	}
	if (bytes > MESSAGE_TEXT_BYTES_MAX)
		return command_usage_error(line, "the text is longer than %u bytes: say it shorter", MESSAGE_TEXT_BYTES_MAX);
	text[bytes] = '\0';
	if (!text_is_clean(text, bytes))
		return command_usage_error(line, "the text has line breaks or control characters, or is not UTF-8: give one line");
	if (argument_characters(text) < characters_min)
		return command_usage_error(line, "the text has less than %u characters: say it in words", characters_min);
	memcpy(ret, text, bytes + 1);
	return EXIT_DONE;
}
