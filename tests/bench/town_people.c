// The registration authority at speed: the same certificates, without a flush for each.
#include "tests/bench/town_people.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/pem.h>

#include "certs/issue_priv.h"
#include "tests/bench/link.h"

struct town_registry {
	struct world *world;
	struct issuer systems, staff;
	struct issue_dates dates;
	unsigned enrolled;
};

static void load(struct town_registry *registry, const char *name, struct issuer *ret)
{
	FILE *file = fopen(world_path(registry->world, "authority/trust/%s.pem", name), "re");
	ret->certificate = file == NULL ? NULL : PEM_read_X509(file, NULL, NULL, NULL);
	link_must(ret->certificate != NULL, name);
	fclose(file);
	link_must(signing_key_load(world_path(registry->world, "authority/private/%s.key", name), &ret->key) == CERTS_OK, name);
}

struct town_registry *town_registry_open(struct world *world)
{
	struct town_registry *registry = calloc(1, sizeof *registry);
	link_must(registry != NULL, "memory");
	registry->world = world;
	load(registry, "systems-ca", &registry->systems);
	load(registry, "staff-ca", &registry->staff);
	registry->dates.from_ms = world_now_ms();
	registry->dates.until_ms = registry->dates.from_ms + UINT64_C(24) * 3600 * 1000;
	return registry;
}

void town_registry_close(struct town_registry *registry)
{
	X509_free(registry->systems.certificate);
	X509_free(registry->staff.certificate);
	signing_key_free(registry->systems.key);
	signing_key_free(registry->staff.key);
	free(registry);
}

void town_enrol(struct town_registry *registry, const char *ods, const char *name, struct curve_key_pair *ret)
{
	struct profile_subject subject = {0};
	X509 *certificate = NULL;
	const char *why = NULL;
	link_must(curve_key_generate(ret) == CERTS_OK &&
			  profile_subject_make(CERTIFICATE_SYSTEM, ods, NULL, name, &subject, &why) == CERTS_OK &&
			  issue_certificate(CERTIFICATE_SYSTEM, &subject, ret->public_key, &registry->systems, registry->dates,
					    &certificate) == CERTS_OK, "a system's certificate");
	FILE *file = fopen(world_path(registry->world, "authority/enrolled/bench-%u.pem", registry->enrolled++), "we");
	link_must(file != NULL && PEM_write_X509(file, certificate) == 1 && fclose(file) == 0, "authority/enrolled");
	X509_free(certificate);
}

struct town_person *town_person_new(struct town_registry *registry, const char *uid)
{
	struct town_person *person = calloc(1, sizeof *person);
	struct profile_subject subject = {0};
	X509 *certificate = NULL;
	const char *why = NULL;
	uint8_t public_key[KEY_BYTES];
	link_must(person != NULL && signing_key_generate(&person->key) == CERTS_OK, "a key");
	snprintf(person->uid, sizeof person->uid, "%s", uid);
	signing_key_public(person->key, public_key);
	link_must(profile_subject_make(CERTIFICATE_STAFF, NULL, uid, "Jo Example", &subject, &why) == CERTS_OK &&
			  issue_certificate(CERTIFICATE_STAFF, &subject, public_key, &registry->staff, registry->dates,
					    &certificate) == CERTS_OK, "a certificate of staff");
	int bytes = i2d_X509(certificate, &person->certificate);
	link_must(bytes > 0, "a certificate of staff");
	person->certificate_bytes = (size_t)bytes;
	X509_free(certificate);
	return person;
}

void town_person_free(struct town_person *person)
{
	signing_key_free(person->key);
	OPENSSL_free(person->certificate);
	free(person);
}
