// `cpis certs show`: what certificates say, and whether they hold now.
#include "clients/cli/certs_show.h"

#include <stdio.h>
#include <time.h>

#include "certs/identity.h"
#include "clients/cli/commands.h"
#include "clients/cli/output.h"

const char *certs_kind_text(enum certificate_kind kind)
{
	switch (kind) {
	case CERTIFICATE_SYSTEM:
		return "system";
	case CERTIFICATE_BROKER:
		return "broker";
	case CERTIFICATE_STAFF:
		return "staff";
	case CERTIFICATE_AUTHORITY:
		return "authority";
	}
	return "?";
}

static void format_time(uint64_t ms, char out[32])
{
	time_t seconds = (time_t)(ms / 1000);
	struct tm parts;
	if (gmtime_r(&seconds, &parts) == NULL || strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
		snprintf(out, 32, "?");
}

// Not for an authority's: those of a bundle are checked as it is loaded, and no others are anybody's business.
enum certs_status certs_judge(const struct trust *trust, const char *path,
			      const struct certificate_description *description, uint64_t now_ms,
			      char detail[CERTS_DETAIL_BYTES])
{
	struct system_identity system;
	struct broker_identity broker;
	struct staff_identity staff;
	switch (description->kind) {
	case CERTIFICATE_SYSTEM:
		return trust_verify_system_file(trust, path, now_ms, &system, detail);
	case CERTIFICATE_BROKER:
		return trust_verify_broker_file(trust, path, description->name, now_ms, &broker, detail);
	case CERTIFICATE_STAFF:
		return trust_verify_staff_file(trust, path, now_ms, &staff, detail);
	case CERTIFICATE_AUTHORITY:
		break;
	}
	return CERTS_OK;
}

static void format_hexadecimal(const uint8_t *bytes, size_t count, char *out)
{
	for (size_t i = 0; i < count; i++)
		snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

struct shown {
	const char *path;
	struct certificate_description description;
	char serial[2 * SERIAL_BYTES_MAX + 1], key[65], from[32], until[32];
	bool judged;
	enum certs_status verdict;
	char detail[CERTS_DETAIL_BYTES];
};

static void print_shown(const struct shown *shown)
{
	printf("%s\n  kind         %s\n", shown->path, certs_kind_text(shown->description.kind));
	printf("  name         %s\n", shown->description.name);
	if (shown->description.kind == CERTIFICATE_SYSTEM)
		printf("  organisation %s\n", shown->description.organisation);
	if (shown->description.kind == CERTIFICATE_STAFF)
		printf("  uid          %s\n  key type     %s\n", shown->description.uid,
		       staff_key_kind_text(shown->description.key_kind));
	if (shown->description.web_host[0] != '\0')
		printf("  web host     %s\n", shown->description.web_host);
	if (shown->description.passkey[0] != '\0')
		printf("  passkey      %s\n", shown->description.passkey);
	printf("  key          SHA-256 %s\n  serial       %s\n  valid        %s until %s\n", shown->key,
	       shown->serial, shown->from, shown->until);
	if (shown->judged)
		printf("  holds now    %s%s\n", shown->verdict == CERTS_OK ? "yes" : "no: ",
		       shown->verdict == CERTS_OK ? "" : certs_status_text(shown->verdict));
}

static json_t *json_of(const struct shown *shown)
{
	json_t *object = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "file", shown->path, "kind",
				   certs_kind_text(shown->description.kind), "name", shown->description.name,
				   "key_sha256", shown->key, "serial", shown->serial, "not_before",
				   shown->from, "not_after", shown->until);
	if (object == NULL)
		return NULL;
	if (shown->description.kind == CERTIFICATE_SYSTEM)
		json_object_set_new(object, "organisation", json_string(shown->description.organisation));
	if (shown->description.kind == CERTIFICATE_STAFF)
		json_object_set_new(object, "uid", json_string(shown->description.uid));
	if (shown->description.kind == CERTIFICATE_STAFF)
		json_object_set_new(object, "key_type", json_string(staff_key_kind_text(shown->description.key_kind)));
	if (shown->description.web_host[0] != '\0')
		json_object_set_new(object, "web_host", json_string(shown->description.web_host));
	if (shown->description.passkey[0] != '\0')
		json_object_set_new(object, "passkey", json_string(shown->description.passkey));
	if (shown->judged) {
		json_object_set_new(object, "holds", json_boolean(shown->verdict == CERTS_OK));
		if (shown->verdict != CERTS_OK)
			json_object_set_new(object, "why", json_string(shown->detail));
	}
	return object;
}

static enum certs_status look_at(const struct trust *trust, const char *path, uint64_t now_ms,
				 struct shown *ret)
{
	*ret = (struct shown){.path = path};
	enum certs_status status = certificate_describe_file(path, &ret->description, ret->detail);
	if (status != CERTS_OK)
		return status;
	certificate_serial_format(&ret->description.serial, ret->serial);
	format_hexadecimal(ret->description.key_sha256, sizeof ret->description.key_sha256, ret->key);
	format_time(ret->description.not_before_ms, ret->from);
	format_time(ret->description.not_after_ms, ret->until);
	ret->judged = trust != NULL && ret->description.kind != CERTIFICATE_AUTHORITY;
	if (ret->judged)
		ret->verdict = certs_judge(trust, path, &ret->description, now_ms, ret->detail);
	return CERTS_OK;
}

int certs_show(const struct command_line *line)
{
	uint64_t now_ms = (uint64_t)time(NULL) * 1000;
	const char *bundle = command_value(line, "trust");
	char detail[CERTS_DETAIL_BYTES];
	struct trust *trust = NULL;
	int code = EXIT_DONE;
	if (bundle != NULL) {
		enum certs_status status = trust_load(bundle, &trust, detail);
		if (status != CERTS_OK)
			return certs_failure(status, detail);
	}
	json_t *list = line->json ? json_array() : NULL;
	for (int i = 0; i < line->operand_count; i++) {
		struct shown shown;
		enum certs_status status = look_at(trust, line->operands[i], now_ms, &shown);
		if (status != CERTS_OK) {
			code = certs_failure(status, shown.detail);
			continue;
		}
		if (list != NULL)
			json_array_append_new(list, json_of(&shown));
		else
			print_shown(&shown);
		if (shown.judged && shown.verdict != CERTS_OK) {
			fprintf(stderr, "cpis certs: %s\n", shown.detail);
			code = code == EXIT_DONE ? EXIT_REFUSED : code;
		}
	}
	if (list != NULL)
		output_json(list);
	trust_free(trust);
	return code;
}
