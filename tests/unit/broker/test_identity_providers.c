// The files of identity providers: what is refused, with the place, and that bounds are kept.
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "broker/identity_providers.h"
#include "tests/harness/id_provider.h"

static struct id_provider provider;
static char detail[400];

static void set_up(void)
{
	strcpy(provider.directory, "/tmp/cpis-identity-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(provider.directory));
	id_provider_add_key(&provider, "one", "ES256");
	id_provider_publish(&provider);
	id_provider_configure(&provider, "RXH/hospital");
}

static void tear_down(void)
{
	char command[300];
	id_provider_done(&provider);
	snprintf(command, sizeof command, "rm -rf %s", provider.directory);
	ck_assert_int_eq(system(command), 0);
}

static bool loads(void)
{
	struct identity_providers *providers = NULL;
	detail[0] = '\0';
	bool loaded = identity_providers_load(provider.directory, &providers, detail, sizeof detail);
	identity_providers_free(providers);
	return loaded;
}

static void refused(const char *why)
{
	ck_assert_msg(!loads(), "taken, and should not be: %s", why);
	ck_assert_msg(strstr(detail, why) != NULL, "'%s' does not say '%s'", detail, why);
}

static void configure(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void configure(const char *format, ...)
{
	static char text[1 << 20];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	id_provider_write(&provider, "cis2.yaml", text);
}

#define REST "jwks_file: cis2.jwks\nassurance_level: \"3\"\nalgorithms: [ES256]\naudiences: [{system: RXH/fhir, audience: a}]\n"

START_TEST(a_good_provider_is_found_with_its_systems)
{
	struct identity_providers *providers = NULL;
	struct ods_code here, there;
	ck_assert(ods_code_parse("RXH", 3, &here) && ods_code_parse("RXJ", 3, &there));
	ck_assert_msg(identity_providers_load(provider.directory, &providers, detail, sizeof detail), "%s", detail);
	const struct identity_provider *found = identity_providers_find(providers, ID_PROVIDER_ISSUER);
	ck_assert_ptr_nonnull(found);
	ck_assert_uint_eq(identity_keys_count(found->keys), 1);
	ck_assert_str_eq(identity_provider_audience(found, &here, "hospital")->audience, ID_PROVIDER_AUDIENCE);
	ck_assert_ptr_null(identity_provider_audience(found, &here, "fhir"));
	ck_assert_ptr_null(identity_provider_audience(found, &there, "hospital"));
	ck_assert_ptr_null(identity_providers_find(providers, ID_PROVIDER_ISSUER "/"));
	ck_assert_ptr_null(identity_providers_find(NULL, ID_PROVIDER_ISSUER));
	identity_providers_free(providers);
}
END_TEST

START_TEST(settings_that_are_wrong_are_refused_with_the_line)
{
	configure("issuer: x\n" REST);
	ck_assert_msg(loads(), "%s", detail);
	configure("issuer: x\nalgorithm: ES256\n" REST);
	refused("cis2.yaml:2");
	configure("issuer: x\njwks_file: cis2.jwks\nassurance_level: \"3\"\nalgorithms: [none]\naudiences: [{system: RXH/fhir, audience: a}]\n");
	refused("cis2.yaml:4: 'none' is none of RS256, PS256, ES256, EdDSA");
	configure("issuer: x\njwks_file: cis2.jwks\nassurance_level: \"3\"\nalgorithms: [HS256]\naudiences: [{system: RXH/fhir, audience: a}]\n");
	refused("'HS256' is none of");
	configure("issuer: x\njwks_file: cis2.jwks\nassurance_level: \"0\"\nalgorithms: [ES256]\naudiences: [{system: RXH/fhir, audience: a}]\n");
	refused("cis2.yaml:3: assurance_level must be 1, 2 or 3");
	configure("issuer: x\njwks_file: ../keys\nassurance_level: \"3\"\nalgorithms: [ES256]\naudiences: [{system: RXH/fhir, audience: a}]\n");
	refused("jwks_file is the name of a file in the same directory");
	configure("issuer: x\njwks_file: cis2.jwks\nassurance_level: \"3\"\nalgorithms: [ES256]\naudiences: [{system: fhir, audience: a}]\n");
	refused("an audience needs a system");
	configure("issuer: x\njwks_file: cis2.jwks\nassurance_level: \"3\"\nalgorithms: [ES256]\n"
		  "audiences: [{system: RXH/fhir, audience: a}, {system: RXJ/fhir, audience: a}]\n");
	refused("stands twice");
	configure("issuer: x\njwks_file: cis2.jwks\nassurance_level: \"3\"\nalgorithms: [ES256]\n"
		  "audiences: [{system: RXH/fhir, audience: a}, {system: RXH/fhir, audience: b}]\n");
	refused("stands twice");
	configure("issuer: x\n" REST);
	id_provider_write(&provider, "other.yaml", "issuer: x\n" REST);
	refused("another file has this issuer");
}
END_TEST

// A key set, and what is said of it.
static const struct {
	const char *set, *why;
} sets[] = {
	{"{", "is no JSON"}, {"[]", "is no JWK Set"}, {"{\"keys\":[]}", "has no key that signs"}, {"{\"keys\":[7]}", "is no JWK Set"},
	{"{\"keys\":[],\"keys\":[]}", "or has a name twice"},
	{"{\"keys\":[{\"kty\":\"oct\",\"kid\":\"a\",\"k\":\"AAAA\"}]}", "private or shared key"},
	{"{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"a\",\"x\":\"AAAA\",\"d\":\"AAAA\"}]}", "private or shared key"},
	{"{\"keys\":[{\"kty\":\"oct\",\"kid\":\"a\"}]}", "unknown kind"},
	{"{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"a\",\"n\":\"AAAA\",\"e\":\"AQAB\"}]}", "not of 2,048 to 4,096 bits"},
	{"{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"a\"}]}", "not of 2,048 to 4,096 bits"},
	{"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-521\",\"kid\":\"a\"}]}", "another curve"},
	{"{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"X25519\",\"kid\":\"a\",\"x\":\"AAAA\"}]}", "another curve"},
	{"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\"}]}", "without a kid"},
	{"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"a\"},{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"a\"}]}", "two keys with one kid"},
	{"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-384\",\"kid\":\"a\",\"use\":\"enc\"}]}", "has no key that signs"},
};

START_TEST(key_files_that_are_wrong_are_refused_whole)
{
	for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
		id_provider_write(&provider, "cis2.jwks", sets[i].set);
		refused(sets[i].why);
	}
	char path[300];
	snprintf(path, sizeof path, "%s/cis2.jwks", provider.directory);
	ck_assert_int_eq(remove(path), 0);
	refused("cannot be read");
}
END_TEST

static char *repeated(char letter, size_t count)
{
	static char text[400];
	memset(text, letter, count);
	text[count] = '\0';
	return text;
}

static void write_keys(size_t count, size_t kid_bytes)
{
	static char text[16384];
	size_t used = (size_t)snprintf(text, sizeof text, "{\"keys\":[");
	for (size_t i = 0; i < count; i++)
		used += (size_t)snprintf(text + used, sizeof text - used, "%s{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"%.*s%02zu\"}",
					 i == 0 ? "" : ",", (int)kid_bytes - 2, repeated('k', kid_bytes), i);
	strcpy(text + used, "]}");
	id_provider_write(&provider, "cis2.jwks", text);
}

static void write_audiences(size_t count)
{
	static char text[100000];
	size_t used = 0;
	for (size_t i = 0; i < count; i++)
		used += (size_t)snprintf(text + used, sizeof text - used, "  - {system: RXH/s%zu, audience: a%zu}\n", i, i);
	configure("issuer: x\njwks_file: cis2.jwks\nassurance_level: \"3\"\nalgorithms: [ES256]\naudiences:\n%s", text);
}

START_TEST(bounds_are_kept)
{
	write_keys(IDENTITY_KEYS_MAX, IDENTITY_KID_BYTES_MAX);
	ck_assert_msg(loads(), "%s", detail);
	write_keys(IDENTITY_KEYS_MAX + 1, 10);
	refused("at most 32 keys");
	write_keys(1, IDENTITY_KID_BYTES_MAX + 1);
	refused("with a long one");
	static char padded[IDENTITY_FILE_BYTES_MAX + 2];
	static const char small[] = "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"a\"}]}";
	memset(padded, ' ', sizeof padded - 1);
	memcpy(padded, small, sizeof small - 1);
	id_provider_write(&provider, "cis2.jwks", padded);
	refused("longer than 64 KiB");
	padded[IDENTITY_FILE_BYTES_MAX] = '\0';
	id_provider_write(&provider, "cis2.jwks", padded);
	ck_assert_msg(loads(), "%s", detail);

	configure("issuer: %s\n" REST, repeated('i', IDENTITY_ISSUER_BYTES_MAX));
	ck_assert_msg(loads(), "%s", detail);
	configure("issuer: %s\n" REST, repeated('i', IDENTITY_ISSUER_BYTES_MAX + 1));
	refused("cis2.yaml:1");
	for (unsigned more = 0; more <= 1; more++) {
		configure("issuer: x\njwks_file: cis2.jwks\nassurance_level: \"3\"\nalgorithms: [ES256]\naudiences: [{system: RXH/fhir, audience: %s}]\n",
			  repeated('a', IDENTITY_AUDIENCE_BYTES_MAX + more));
		ck_assert_int_eq(loads(), more == 0);
	}
	write_audiences(IDENTITY_AUDIENCES_MAX);
	ck_assert_msg(loads(), "%s", detail);
	write_audiences(IDENTITY_AUDIENCES_MAX + 1);
	ck_assert(!loads());
	configure("issuer: x\n" REST);
	for (unsigned i = 1; i <= IDENTITY_PROVIDERS_MAX; i++) {
		char name[20], text[300];
		ck_assert_msg(loads(), "%s", detail);
		snprintf(name, sizeof name, "p%u.yaml", i);
		snprintf(text, sizeof text, "issuer: x%u\n" REST, i);
		id_provider_write(&provider, name, text);
	}
	refused("more than 16 identity providers");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("identity providers");
	TCase *tcase = tcase_create("files");
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, a_good_provider_is_found_with_its_systems);
	tcase_add_test(tcase, settings_that_are_wrong_are_refused_with_the_line);
	tcase_add_test(tcase, key_files_that_are_wrong_are_refused_whole);
	tcase_add_test(tcase, bounds_are_kept);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
