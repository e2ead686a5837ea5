// Reading an inbox item.
#include "clients/fhir/notify_item.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "certs/sha256.h"
#include "proto/date.h"

static bool refuse(char *detail, const char *why)
{
	snprintf(detail, NOTIFY_DETAIL_BYTES, "standard input: %s; nothing was sent", why);
	return false;
}

// One byte more than allowed, to notice what is longer.
static char *read_whole(int descriptor, size_t *ret_bytes)
{
	char *data = notify_secret_allocate(NOTIFY_ITEM_BYTES_MAX + 1u);
	size_t bytes = 0;
	while (data != NULL && bytes <= NOTIFY_ITEM_BYTES_MAX) {
		ssize_t got = read(descriptor, data + bytes, NOTIFY_ITEM_BYTES_MAX + 1u - bytes);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		bytes += (size_t)got;
	}
	*ret_bytes = bytes;
	return data;
}

// How far its delivery is, and to whom else: of the item, not of what it says, and another time perhaps something else.
static bool take_state(struct notify_item *item)
{
	static const char *const state[] = {"acknowledged", "acknowledged_by", "settlement", "leased_by", "lease_until", "escalated",
					    "expired", "id", "created", "notification_id", "kind"};
	json_int_t id = 0, notification_id = 0;
	uint64_t created_ms;
	if (json_unpack(item->whole, "{s:I,s:s,s:s,s?I}", "id", &id, "kind", &item->kind, "created", &item->created,
			"notification_id", &notification_id) != 0 ||
	    id <= 0 || notification_id < 0 || !instant_parse(item->created, strlen(item->created), &created_ms))
		return false;
	item->id = (uint64_t)id;
	item->notification_id = (uint64_t)notification_id;
	item->content = json_copy(item->whole);
	for (size_t i = 0; i < sizeof state / sizeof state[0]; i++)
		(void)json_object_del(item->content, state[i]);
	return item->content != NULL;
}

bool notify_item_read(int descriptor, struct notify_item *ret, char detail[NOTIFY_DETAIL_BYTES])
{
	struct notify_item item = {0};
	size_t bytes = 0;
	char *data = read_whole(descriptor, &bytes);
	bool done = false;
	if (data == NULL)
		(void)refuse(detail, "out of memory");
	else if (bytes > NOTIFY_ITEM_BYTES_MAX)
		(void)refuse(detail, "larger than 1 MiB");
	else if ((item.whole = json_loadb(data, bytes, JSON_REJECT_DUPLICATES, NULL)) == NULL)
		(void)refuse(detail, "not one JSON object, as `cpis inbox follow --exec` hands them over");
	else if (!take_state(&item))
		(void)refuse(detail, "not an inbox item: it needs id, kind and created");
	else
		done = true;
	notify_secret_free(data);
	if (done)
		*ret = item;
	else
		notify_item_free(&item);
	return done;
}

void notify_item_free(struct notify_item *item)
{
	json_decref(item->content);
	json_decref(item->whole);
	*item = (struct notify_item){0};
}

const char *notify_item_box(const struct notify_item *item)
{
	return item->notification_id != 0 ? "escalations" : "notifications";
}

// No NHS number goes in: who guesses one could see whether it was right.
void notify_item_uuid(const struct notify_item *item, const char *subscription, const char *what, unsigned part,
		      char out[NOTIFY_UUID_BYTES])
{
	char name[256];
	uint8_t hash[SHA256_BYTES];
	int bytes = snprintf(name, sizeof name, "cpis-fhir-notify\n%.36s\n%s\n%llu\n%.40s\n%.40s\n%u", subscription,
			     notify_item_box(item), (unsigned long long)item->id, item->created, what, part);
	sha256(name, (size_t)bytes, hash);
	hash[6] = (uint8_t)((hash[6] & 0x0f) | 0x80);
	hash[8] = (uint8_t)((hash[8] & 0x3f) | 0x80);
	size_t used = 0;
	for (size_t i = 0; i < 16; i++)
		used += (size_t)snprintf(out + used, NOTIFY_UUID_BYTES - used, "%s%02x",
					 i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", hash[i]);
}
