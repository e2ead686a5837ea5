// YAML files: bounded reading, strict parsing, and complaints with file and line.
#include "proto/yaml_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/invariant.h"
#include "proto/text.h"

#define TEXT_BYTES 300

const cyaml_strval_t yaml_file_bool_words[2] = {{"false", 0}, {"true", 1}};

// ------------------------------------------------------------------ bytes

static bool read_whole(int descriptor, struct yaml_file *file)
{
	// One byte more than allowed, to notice a file that grew after it was measured.
	file->bytes = malloc(YAML_FILE_BYTES_MAX + 1u);
	if (file->bytes == NULL)
		return false;
	while (file->bytes_count <= YAML_FILE_BYTES_MAX) {
		ssize_t got = read(descriptor, file->bytes + file->bytes_count,
				   YAML_FILE_BYTES_MAX + 1u - file->bytes_count);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got == 0;
		file->bytes_count += (size_t)got;
	}
	return true;
}

bool yaml_file_open(const char *path, struct yaml_file *ret, char *detail, size_t detail_bytes)
{
	struct yaml_file file = {.path = path};
	const char *wrong = NULL;
	struct stat status;
	// Not blocking, because opening a pipe would wait for its writer.
	int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (descriptor < 0) {
		snprintf(detail, detail_bytes, "%s: cannot be opened: %s", path, strerror(errno));
		return false;
	}
	if (fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode))
		wrong = "not a regular file";
	else if (status.st_size > (off_t)YAML_FILE_BYTES_MAX)
		wrong = "larger than 4 MiB";
	else if (!read_whole(descriptor, &file))
		wrong = "cannot be read";
	else if (file.bytes_count > YAML_FILE_BYTES_MAX)
		wrong = "larger than 4 MiB";
	close(descriptor);
	if (wrong != NULL) {
		yaml_file_close(&file);
		snprintf(detail, detail_bytes, "%s: %s", path, wrong);
		return false;
	}
	*ret = file;
	return true;
}

void yaml_file_close(struct yaml_file *file)
{
	free(file->bytes);
	*file = (struct yaml_file){0};
}

// ------------------------------------------------------------------ what libcyaml says

// The first sentence, and the innermost line and key of the backtrace that follows it.
struct complaint {
	char text[TEXT_BYTES];
	char field[TEXT_BYTES];
	unsigned line;
	bool has_place;
};

__attribute__((format(printf, 3, 0))) static void collect(cyaml_log_t level, void *context,
							  const char *format, va_list arguments)
{
	static const char sentence_start[] = "Load: ", field_start[] = "  in mapping field '";
	struct complaint *complaint = context;
	char line[TEXT_BYTES];
	(void)level;
	vsnprintf(line, sizeof line, format, arguments);
	line[strcspn(line, "\n")] = '\0';
	if (strncmp(line, "  in ", 5) == 0) {
		const char *number = strstr(line, "(line: ");
		if (!complaint->has_place && number != NULL)
			complaint->line = (unsigned)strtoul(number + 7, NULL, 10);
		complaint->has_place = true;
		if (complaint->field[0] == '\0' && strncmp(line, field_start, sizeof field_start - 1) == 0) {
			const char *name = line + sizeof field_start - 1;
			snprintf(complaint->field, sizeof complaint->field, "%.*s", (int)strcspn(name, "'"),
				 name);
		}
	} else if (strcmp(line, "Load: Backtrace:") != 0 && complaint->text[0] == '\0') {
		size_t skip = strncmp(line, sentence_start, sizeof sentence_start - 1) == 0
				      ? sizeof sentence_start - 1
				      : 0;
		snprintf(complaint->text, sizeof complaint->text, "%s", line + skip);
	}
}

static cyaml_err_t parse(const struct yaml_file *file, const cyaml_schema_value_t *schema, void **ret,
			 struct complaint *complaint)
{
	*complaint = (struct complaint){0};
	const cyaml_config_t config = {
		.log_fn = collect,
		.log_ctx = complaint,
		.log_level = CYAML_LOG_WARNING,
		.mem_fn = cyaml_mem,
		.flags = CYAML_CFG_NO_ALIAS,
	};
	// libcyaml wants a pointer even for nothing.
	return cyaml_load_data(file->bytes, file->bytes_count, &config, schema, ret, NULL);
}

void yaml_file_free(const cyaml_schema_value_t *schema, void *data)
{
	const cyaml_config_t config = {.mem_fn = cyaml_mem};
	(void)cyaml_free(&config, schema, data, 0);
}

// ------------------------------------------------------------------ places

static bool is_word(uint8_t character)
{
	return character >= 0x80 || (character >= '0' && character <= '9') ||
	       (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
	       character == '_' || character == '-';
}

// How often the line, up to its comment, has `key` as a key; of the top level, when `top` is set.
static unsigned keys_in_line(const uint8_t *line, size_t line_bytes, const char *key, bool top)
{
	unsigned count = 0;
	size_t key_bytes = strlen(key), starts = top && line_bytes > 0 ? 1 : line_bytes;
	for (size_t i = 0; i < starts && !(line[i] == '#' && (i == 0 || line[i - 1] == ' ')); i++) {
		if (line_bytes - i < key_bytes || memcmp(line + i, key, key_bytes) != 0 ||
		    (i > 0 && is_word(line[i - 1])))
			continue;
		size_t after = i + key_bytes;
		while (after < line_bytes &&
		       (line[after] == ' ' || line[after] == '"' || line[after] == '\''))
			after++;
		count += after < line_bytes && line[after] == ':';
	}
	return count;
}

// The line where the key stands for the `nth` time, counted from the beginning of line `from`; `from` itself
// when there is none.
static unsigned line_of_key(const struct yaml_file *file, const char *key, unsigned from, unsigned nth,
			    bool top)
{
	const uint8_t *at = file->bytes, *end = file->bytes + file->bytes_count;
	for (unsigned number = 1; at < end && key[0] != '\0'; number++) {
		const uint8_t *stop = memchr(at, '\n', (size_t)(end - at));
		stop = stop == NULL ? end : stop;
		unsigned found = number < from ? 0 : keys_in_line(at, (size_t)(stop - at), key, top);
		if (found >= nth)
			return number;
		nth -= found;
		at = stop == end ? end : stop + 1;
	}
	return from;
}

// libcyaml keeps no lines, but names one where a sequence gets too long: so the file is parsed again with
// room for just the entries before the one asked for.
static unsigned line_of_entry(const struct yaml_place *place)
{
	const cyaml_schema_field_t *fields = place->schema->mapping.fields;
	size_t count = 0;
	while (fields[count].key != NULL)
		count++;
	cyaml_schema_field_t *shorter = calloc(count + 1, sizeof *shorter);
	if (shorter == NULL)
		return 0;
	memcpy(shorter, fields, count * sizeof *shorter);
	for (size_t i = 0; i < count; i++) {
		if (strcmp(shorter[i].key, place->key) == 0) {
			shorter[i].value.sequence.min = 0;
			shorter[i].value.sequence.max = place->index;
		}
	}
	cyaml_schema_value_t schema = *place->schema;
	schema.mapping.fields = shorter;
	struct complaint complaint;
	void *data = NULL;
	if (parse(place->file, &schema, &data, &complaint) == CYAML_OK)
		yaml_file_free(&schema, data);
	free(shorter);
	return complaint.line;
}

static unsigned line_of_place(const struct yaml_place *place)
{
	for (const cyaml_schema_field_t *field = place->schema->mapping.fields; field->key != NULL; field++) {
		if (strcmp(field->key, place->key) == 0 && field->value.type == CYAML_SEQUENCE)
			return line_of_entry(place);
	}
	return line_of_key(place->file, place->key, 0, 1, true);
}

// Details go to line-oriented logs and to terminals, and the file's words are in them: also such as would turn the line around, and a
// character that was cut in two.
static void make_printable(char *text)
{
	if (text_is_clean(text, strlen(text)))
		return;
	for (; *text != '\0'; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

static void write_detail(const struct yaml_file *file, unsigned line, char *detail, size_t detail_bytes,
			 const char *text)
{
	if (line > 0)
		snprintf(detail, detail_bytes, "%s:%u: %s", file->path, line, text);
	else
		snprintf(detail, detail_bytes, "%s: %s", file->path, text);
	make_printable(detail);
}

bool yaml_file_refuse(const struct yaml_place *place, const char *format, ...)
{
	char text[TEXT_BYTES];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	write_detail(place->file, line_of_place(place), place->detail, place->detail_bytes, text);
	return false;
}

// ------------------------------------------------------------------ loading

static const char *after(const char *text, const char *start)
{
	size_t bytes = strlen(start);
	return strncmp(text, start, bytes) == 0 ? text + bytes : NULL;
}

static void explain(const struct yaml_file *file, cyaml_err_t error, const struct complaint *complaint,
		    char *detail, size_t detail_bytes)
{
	char text[3 * TEXT_BYTES + 40];
	unsigned line = complaint->line;
	const char *rest;
	if ((rest = after(complaint->text, "Unexpected key: ")) != NULL) {
		// libcyaml names the line of what came before the key.
		line = line_of_key(file, rest, line, 1, false);
		snprintf(text, sizeof text, "unknown key '%s'", rest);
	} else if ((rest = after(complaint->text, "Mapping field already seen: ")) != NULL) {
		// The named line is the first one's, or one between the two.
		unsigned next = line_of_key(file, rest, line, 1, false);
		line = next == line ? line_of_key(file, rest, line, 2, false) : next;
		snprintf(text, sizeof text, "key '%s' stands twice", rest);
	} else if ((rest = after(complaint->text, "Missing required mapping field: ")) != NULL) {
		snprintf(text, sizeof text, "key '%s' is missing", rest);
	} else if ((rest = after(complaint->text, "Invalid ENUM value: ")) != NULL) {
		snprintf(text, sizeof text, "%s: '%s' is not one of the words for it", complaint->field,
			 rest);
	} else if ((rest = after(complaint->text, "libyaml: ")) != NULL) {
		snprintf(text, sizeof text, "not YAML: %s", rest);
	} else if (error == CYAML_ERR_ALIAS) {
		snprintf(text, sizeof text, "YAML aliases are not allowed");
	} else {
		const char *what = complaint->text[0] != '\0' ? complaint->text : cyaml_strerror(error);
		snprintf(text, sizeof text, "%s%s%s", complaint->field,
			 complaint->field[0] == '\0' ? "" : ": ", what);
	}
	write_detail(file, line, detail, detail_bytes, text);
}

bool yaml_file_load(const struct yaml_file *file, const cyaml_schema_value_t *schema, void **ret,
		    char *detail, size_t detail_bytes)
{
	INVARIANT(schema->type == CYAML_MAPPING);
	struct complaint complaint;
	void *data = NULL;
	cyaml_err_t error = parse(file, schema, &data, &complaint);
	if (error != CYAML_OK) {
		explain(file, error, &complaint, detail, detail_bytes);
		return false;
	}
	// An empty file is no error to libcyaml, and a second document only a warning.
	if (data == NULL || complaint.text[0] != '\0') {
		write_detail(file, 0, detail, detail_bytes,
			     data == NULL ? "empty" : "more than one YAML document");
		yaml_file_free(schema, data);
		return false;
	}
	*ret = data;
	return true;
}

bool yaml_file_resolve(const char *file_path, char **path)
{
	const char *slash = strrchr(file_path, '/');
	if (*path == NULL || (*path)[0] == '/' || slash == NULL)
		return true;
	char *whole = NULL;
	if (asprintf(&whole, "%.*s/%s", (int)(slash - file_path), file_path, *path) < 0)
		return false;
	free(*path);
	*path = whole;
	return true;
}

static const char credential[] = "credential:";

static const char *credential_name(const char *path)
{
	return path != NULL && strncmp(path, credential, sizeof credential - 1) == 0 ? path + sizeof credential - 1 : NULL;
}

bool yaml_file_secret_is_named(const char *path)
{
	const char *name = credential_name(path);
	return name == NULL || (name[0] != '\0' && name[0] != '.' && strchr(name, '/') == NULL);
}

bool yaml_file_resolve_secret(const char *file_path, char **path)
{
	const char *name = credential_name(*path), *directory = getenv("CREDENTIALS_DIRECTORY");
	char *whole = NULL;
	if (name == NULL)
		return yaml_file_resolve(file_path, path);
	if (asprintf(&whole, "%s/%s", directory == NULL ? "keys" : directory, name) < 0)
		return false;
	free(*path);
	*path = whole;
	return yaml_file_resolve(file_path, path);
}
