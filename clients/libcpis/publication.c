// Digest and id of a file of plans.
#include <stdlib.h>
#include <string.h>

#include <openssl/sha.h>

#include "clients/libcpis/client_priv.h"
#include "proto/ods_code.h"

bool cpis_publication_add(uint8_t digest[32], const Cpis__V1__PlanRecord *record)
{
	uint8_t small[HASH_BYTES + 1024], *link = small;
	size_t bytes = HASH_BYTES + cpis__v1__plan_record__get_packed_size(record);
	if (bytes > sizeof small && (link = malloc(bytes)) == NULL)
		return false;
	memcpy(link, digest, HASH_BYTES);
	cpis__v1__plan_record__pack(record, link + HASH_BYTES);
	SHA256(link, bytes, digest);
	explicit_bzero(link, bytes);
	if (link != small)
		free(link);
	return true;
}

static uint8_t *add(uint8_t *at, uint64_t value)
{
	for (size_t i = 0; i < 8; i++)
		*at++ = (uint8_t)(value >> (56 - 8 * i));
	return at;
}

void cpis_publication_id(const struct cpis_client *client, const uint8_t digest[32],
			 const Cpis__V1__PublicationOpenRequest *open, uint8_t ret[16])
{
	static const char domain[] = "cpis-publication-id-v1\n";
	uint8_t bytes[sizeof domain + ODS_CODE_BYTES_MAX + HASH_BYTES + 6 * 8] = {0}, hash[HASH_BYTES], *at = bytes;
	const char *ods = client->system.organisation;
	memcpy(at, domain, sizeof domain - 1);
	at += sizeof domain - 1;
	memcpy(at, ods, strnlen(ods, ODS_CODE_BYTES_MAX));
	at += ODS_CODE_BYTES_MAX;
	memcpy(at, digest, HASH_BYTES);
	at += HASH_BYTES;
	at = add(at, (uint64_t)open->kind);
	at = add(at, open->sequence);
	at = add(at, open->records);
	at = add(at, open->created_ms);
	at = add(at, open->dry_run != 0);
	SHA256(bytes, (size_t)(at - bytes), hash);
	memcpy(ret, hash, PUBLICATION_ID_BYTES);
}
