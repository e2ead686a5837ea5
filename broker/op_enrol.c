// ENROL: a system that nobody knows yet shows the one-time code it was invited with. What it proves by being connected is that
// it holds its key; the code ties that key to an invitation; and the certificate, once the registration authority has issued
// one for that very key, is handed out here.
//
// A stranger learns nothing from a refusal: whatever does not hold, it is one and the same. The audit record says which.
#include "broker/op_enrol.h"

#include <string.h>

#include "broker/digest.h"

bool op_enrol_in_scope(const struct op_context *context, const struct ods_code *organisation)
{
	return context->organisation->type == ORGANISATION_NATIONAL_BODY
		       ? register_organisation(context->snapshot, organisation) != NULL
		       : ods_code_equal(organisation, &context->organisation->ods);
}

const struct enrolled_system *op_enrol_issued(const struct op_context *context, const uint8_t public_key[KEY_BYTES],
					      const char *organisation, const char *system_name)
{
	const struct enrolled_system *system = register_system(context->snapshot, public_key);
	if (system == NULL || strcmp(system->identity.organisation, organisation) != 0 ||
	    strcmp(system->identity.name, system_name) != 0 ||
	    register_system_status(system, context->now_ms) != CERTS_OK ||
	    context->now_ms >= trust_crl_next_update_ms(register_trust(context->snapshot)) ||
	    system->certificate_bytes > SYSTEM_CERTIFICATE_BYTES_MAX)
		return NULL;
	return system;
}

bool op_enrol_note(struct op_context *context, const char *organisation, const char *system_name, const char *fingerprint)
{
	char *text = arena_printf(context->arena, "%s/%s%s%s", organisation, system_name,
				  fingerprint[0] == '\0' ? "" : " ", fingerprint);
	if (text == NULL)
		return false;
	context->detail->target = text;
	return true;
}

static enum reason refuse(struct op_context *context, const char *why)
{
	context->recorded_reason = why;
	return REASON_ENROLMENT_CODE;
}

static bool is_held_back(const struct op_context *context, const Cpis__V1__EnrolRequest *request)
{
	const struct enrolled_system *enrolled = register_system(context->snapshot, context->channel_key);
	struct system_identity system = {0};
	// Until there is a certificate, whoever it would be for.
	strncpy(system.organisation, request->organisation, sizeof system.organisation - 1);
	strncpy(system.name, request->system_name, sizeof system.name - 1);
	return quarantine_holds_system(context->quarantine, &system, context->now_ms) ||
	       (enrolled != NULL && quarantine_holds_system(context->quarantine, &enrolled->identity, context->now_ms));
}

// What the register knows of the key already. A certificate whose time has not come, or lists that are out of date, mend
// themselves; all else does not.
static const char *objection_to_key(const struct op_context *context, const Cpis__V1__EnrolRequest *request)
{
	const struct enrolled_system *system = register_system(context->snapshot, context->channel_key);
	if (system == NULL)
		return NULL;
	if (strcmp(system->identity.organisation, request->organisation) != 0 ||
	    strcmp(system->identity.name, request->system_name) != 0)
		return "The key is enrolled for another organisation or name.";
	switch (register_system_status(system, context->now_ms)) {
	case CERTS_OK:
	case CERTS_NOT_YET_VALID:
	case CERTS_CRL:
		return NULL;
	default:
		return "The key has a certificate that does not hold: expired, revoked or not the only one.";
	}
}

static const char *objection(const struct op_context *context, const Cpis__V1__EnrolRequest *request,
			     const struct enrolments_entry *entry)
{
	if (entry == NULL)
		return "There is no invitation with this code.";
	if (entry->withdrawn_ms != 0)
		return "The invitation was withdrawn.";
	if (!enrolments_is_open(entry, context->now_ms))
		return "The invitation has ended.";
	if (strcmp(entry->organisation.text, request->organisation) != 0 ||
	    strcmp(entry->system_name, request->system_name) != 0)
		return "The invitation is for another organisation or name.";
	if (entry->presented_ms != 0 && memcmp(entry->public_key, context->channel_key, KEY_BYTES) != 0)
		return "The code was used with another key.";
	const struct enrolments_entry *other =
		enrolments_by_key(context->enrolments, context->channel_key, context->now_ms);
	if (other != NULL && other != entry)
		return "The key was presented with another invitation.";
	if (is_held_back(context, request))
		return "The organisation, the system or its certificate is quarantined.";
	return objection_to_key(context, request);
}

static enum reason present(struct op_context *context, const struct enrolments_entry *entry)
{
	struct enrolments_entry presented = *entry;
	if (entry->presented_ms != 0)
		return REASON_NONE;
	presented.presented_ms = context->now_ms;
	memcpy(presented.public_key, context->channel_key, sizeof presented.public_key);
	enum store_status status = enrolments_put(context->enrolments, context->arena, &presented, context->now_ms);
	return status == STORE_OK ? REASON_NONE : status == STORE_NO_MEMORY ? REASON_INTERNAL : REASON_STORE;
}

enum reason op_enrol(struct op_context *context)
{
	const Cpis__V1__EnrolRequest *request = context->request->enrol;
	uint8_t digest[HASH_BYTES];
	struct store_tag code;
	Cpis__V1__EnrolReply *reply = OP_NEW(context, Cpis__V1__EnrolReply, cpis__v1__enrol_reply__init);
	char *fingerprint = arena_alloc(context->arena, PUBLIC_KEY_FINGERPRINT_BYTES);
	if (reply == NULL || fingerprint == NULL || !public_key_fingerprint(context->channel_key, fingerprint) ||
	    !op_enrol_note(context, request->organisation, request->system_name, fingerprint))
		return REASON_INTERNAL;
	digest_sha256(request->code.data, request->code.len, digest);
	vault_tag_enrolment_code(context->vault, digest, &code);
	const struct enrolments_entry *entry = enrolments_by_code(context->enrolments, &code);
	const char *why = objection(context, request, entry);
	if (why != NULL)
		return refuse(context, why);
	enum reason reason = present(context, entry);
	if (reason != REASON_NONE)
		return reason;
	const struct enrolled_system *system =
		op_enrol_issued(context, context->channel_key, request->organisation, request->system_name);
	reply->fingerprint = fingerprint;
	if (system != NULL) {
		reply->state = CPIS__V1__ENROLMENT_STATE__ISSUED;
		reply->certificate = (ProtobufCBinaryData){system->certificate_bytes, system->certificate};
	} else {
		reply->state = CPIS__V1__ENROLMENT_STATE__WAITING;
		reply->until_ms = entry->until_ms;
	}
	context->reply->enrol = reply;
	context->reply->body_case = CPIS__V1__REPLY__BODY_ENROL;
	return REASON_NONE;
}
