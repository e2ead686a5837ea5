// ROLE_LIST: the role profiles of the own organisation, and when each was last used.
#include <string.h>

#include "broker/op.h"

#define DAY_MS (24u * 60u * 60u * 1000u)

static bool is_after(const struct role_profile *profile, const Cpis__V1__RoleListRequest *request)
{
	int order = strcmp(profile->uid, request->after_uid);
	return order > 0 || (order == 0 && strcmp(profile->role_code, request->after_role_code) > 0);
}

// One that was never used counts from when it began to hold.
static bool is_unused(const struct op_context *context, const struct role_profile *profile, uint64_t last_used_ms,
		      uint32_t days)
{
	uint64_t since_ms = last_used_ms > profile->from_ms ? last_used_ms : profile->from_ms;
	return context->now_ms > since_ms && context->now_ms - since_ms >= (uint64_t)days * DAY_MS;
}

static Cpis__V1__RoleProfile *show(struct op_context *context, const struct roles_entry *entry, uint64_t last_used_ms)
{
	const struct role_profile *from = entry->profile;
	const char *codes[ACTIVITIES_PER_ROLE_MAX];
	Cpis__V1__RoleProfile *profile = OP_NEW(context, Cpis__V1__RoleProfile, cpis__v1__role_profile__init);
	if (profile == NULL)
		return NULL;
	size_t count = policy_activity_codes(context->policy, &from->additional, codes);
	profile->activities = arena_alloc(context->arena, (count + 1) * sizeof *profile->activities);
	if (profile->activities == NULL)
		return NULL;
	for (size_t i = 0; i < count; i++)
		profile->activities[profile->n_activities++] = op_text(codes[i]);
	const char *role_name = policy_role_name(context->policy, from->role_code);
	profile->uid = arena_copy_text(context->arena, from->uid, strlen(from->uid));
	profile->role_code = arena_copy_text(context->arena, from->role_code, strlen(from->role_code));
	profile->granted_by = arena_copy_text(context->arena, entry->granted_by, strlen(entry->granted_by));
	if (profile->uid == NULL || profile->role_code == NULL || profile->granted_by == NULL)
		return NULL;
	profile->role_name = op_text(role_name == NULL ? "" : role_name);
	profile->from_ms = from->from_ms;
	profile->until_ms = from->until_ms;
	profile->last_used_ms = last_used_ms;
	profile->trained_ms = from->trained_ms;
	profile->audit_index = entry->audit_index;
	return profile;
}

static enum reason last_used(struct op_context *context, const struct role_profile *profile, uint64_t *ret_ms)
{
	struct store_tag tag;
	*ret_ms = 0;
	vault_tag_role(context->vault, profile->uid, profile->role_code, &profile->organisation, &tag);
	enum store_status status = context->store->ops->role_use_get(context->store, &tag, ret_ms);
	return status == STORE_OK || status == STORE_NOT_FOUND ? REASON_NONE : REASON_STORE;
}

enum reason op_role_list(struct op_context *context)
{
	const Cpis__V1__RoleListRequest *request = context->request->role_list;
	struct roles_entry *entries = NULL;
	size_t count = 0, body_bytes = 0;
	Cpis__V1__RoleListReply *reply = OP_NEW(context, Cpis__V1__RoleListReply, cpis__v1__role_list_reply__init);
	if (reply == NULL || !roles_of(context->roles, context->snapshot, &context->session->organisation, context->now_ms,
				       context->arena, &entries, &count))
		return REASON_INTERNAL;
	reply->profiles = arena_alloc(context->arena, PAGE_ITEMS_MAX * sizeof *reply->profiles);
	if (reply->profiles == NULL)
		return REASON_INTERNAL;
	for (size_t i = 0; i < count; i++) {
		uint64_t used_ms;
		if (!is_after(entries[i].profile, request))
			continue;
		enum reason reason = last_used(context, entries[i].profile, &used_ms);
		if (reason != REASON_NONE)
			return reason;
		if (request->unused_days != 0 && !is_unused(context, entries[i].profile, used_ms, request->unused_days))
			continue;
		Cpis__V1__RoleProfile *profile = show(context, &entries[i], used_ms);
		if (profile == NULL)
			return REASON_INTERNAL;
		body_bytes += protobuf_c_message_get_packed_size(&profile->base) + 4;
		if (reply->n_profiles == PAGE_ITEMS_MAX || body_bytes > OP_BODY_BYTES_MAX) {
			reply->more = true;
			break;
		}
		reply->profiles[reply->n_profiles++] = profile;
	}
	context->detail->count = (uint32_t)reply->n_profiles;
	context->reply->role_list = reply;
	context->reply->body_case = CPIS__V1__REPLY__BODY_ROLE_LIST;
	return REASON_NONE;
}
