// `cpis certs request-...`, `adopt` and `finish-rotation`.
#include "clients/cli/certs_request.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "certs/key_token.h"
#include "certs/request.h"
#include "certs/rotation.h"
#include "clients/cli/certs_show.h"
#include "clients/cli/commands.h"

static int made(enum certs_status status, const struct request_files *files, const char *detail)
{
	if (status != CERTS_OK)
		return certs_failure(status, detail);
	printf("%s\n", files->request);
	if (files->key[0] != '\0')
		printf("%s\n", files->key);
	printf("fingerprint %s\n", files->fingerprint);
	return EXIT_DONE;
}

int certs_request_curve(const struct command_line *line)
{
	char detail[CERTS_DETAIL_BYTES];
	struct request_files files;
	enum certs_status status =
		request_make_curve(command_value(line, "out"), command_value(line, "file"), &files, detail);
	return made(status, &files, detail);
}

static bool read_kind(const char *text, enum staff_key_kind *ret)
{
	static const char *const kinds[] = {[STAFF_KEY_ED25519] = "ed25519", [STAFF_KEY_P256] = "p256", [STAFF_KEY_RSA] = "rsa"};
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		if (strcmp(text, kinds[i]) == 0) {
			*ret = (enum staff_key_kind)i;
			return true;
		}
	}
	return false;
}

int certs_request_staff(const struct command_line *line)
{
	char detail[CERTS_DETAIL_BYTES];
	struct request_files files;
	struct signing_key *key = NULL;
	const char *where = command_value(line, "key"), *uid = command_value(line, "uid"),
		   *file = command_value(line, "file");
	enum staff_key_kind kind = STAFF_KEY_ED25519;
	const char *type = command_value(line, "key-type");
	if (type != NULL && !read_kind(type, &kind))
		return command_usage_error(line, "--key-type is ed25519, p256 or rsa");
	if (where != NULL && kind != STAFF_KEY_ED25519)
		return command_usage_error(line, "--key is an Ed25519 key: leave --key-type out, or --key");
	if (kind != STAFF_KEY_ED25519) {
		enum certs_status made_status = request_make_browser(uid, command_value(line, "name"), kind, command_value(line, "out"),
								     file == NULL ? uid : file, &files, detail);
		return made(made_status, &files, detail);
	}
	enum certs_status status = where == NULL ? CERTS_OK : signing_key_open(where, &key, detail);
	if (status == CERTS_OK)
		status = request_make_staff(uid, command_value(line, "name"), key, command_value(line, "out"),
					    file == NULL ? uid : file, &files, detail);
	signing_key_free(key);
	return made(status, &files, detail);
}

static uint64_t now_ms(void)
{
	return (uint64_t)time(NULL) * 1000;
}

int certs_adopt(const struct command_line *line)
{
	char detail[CERTS_DETAIL_BYTES];
	enum certs_status status = rotation_adopt(command_value(line, "trust"), line->operands[0], now_ms(), detail);
	if (status != CERTS_OK)
		return certs_failure(status, detail);
	printf("%s: certificates of both hold\n", command_value(line, "trust"));
	return EXIT_DONE;
}

int certs_finish_rotation(const struct command_line *line)
{
	char detail[CERTS_DETAIL_BYTES];
	enum certs_status status = rotation_finish(command_value(line, "trust"), now_ms(), detail);
	if (status != CERTS_OK)
		return certs_failure(status, detail);
	printf("%s: certificates of the new authorities only hold\n", command_value(line, "trust"));
	return EXIT_DONE;
}
