// What is recorded of a request, and room for what becomes of it when the batch ends.
#include "broker/core_priv.h"

#include "broker/browser_proof.h"
#include "broker/finding.h"

static void fill_person(struct core *core, struct op_context *context)
{
	const struct session *session = context->session;
	Cpis__V1__AuditDetail *detail = context->detail;
	if (session->uid[0] == '\0')
		return;
	const char *role_name = policy_role_name(core_policy(core), session->role_code);
	detail->uid = op_text(session->uid);
	detail->name = op_text(session->name);
	detail->role_code = op_text(session->role_code);
	detail->role_name = op_text(role_name == NULL ? "" : role_name);
	detail->session_id.len = sizeof session->id;
	detail->session_id.data = (uint8_t *)(uintptr_t)session->id;
	detail->staff_certificate_serial.len = session->staff_serial.bytes_count;
	detail->staff_certificate_serial.data = (uint8_t *)(uintptr_t)session->staff_serial.bytes;
}

// For what the batch's end makes of this reply and its record.
static bool make_room(struct core *core, const struct op_context *context, const struct slot *slot)
{
	size_t reply_bytes = protobuf_c_message_get_packed_size(&slot->reply.base);
	if (!browser_proof_fit(&core->arena, reply_bytes, context->detail))
		return false;
	core->closing_bytes += reply_bytes + 2 * RECEIPT_ROOM_BYTES;
	if (context->detail->act_browser_proof != NULL)
		core->closing_bytes += protobuf_c_message_get_packed_size(&context->detail->act_browser_proof->base);
	// The record that is shown is read once more, and stands in the reply twice.
	if (slot->wants_proof)
		core->closing_bytes += 2 * reply_bytes;
	return true;
}

bool core_record(struct core *core, struct op_context *context, const struct enrolled_system *system, enum reason reason,
		 const uint8_t *request_id, struct slot *slot)
{
	struct store_tag person;
	fill_person(core, context);
	if (context->detail->uid[0] != '\0')
		vault_tag_person(core->options.vault, context->detail->uid, &person);
	if (system != NULL) {
		context->detail->system_certificate_serial.len = system->identity.serial.bytes_count;
		context->detail->system_certificate_serial.data = (uint8_t *)(uintptr_t)system->identity.serial.bytes;
	}
	if (context->organisation != NULL)
		context->detail->organisation_name = op_text(context->organisation->name);
	struct audit_event event = {
		.time_ms = context->now_ms,
		.request_id = request_id,
		.operation = context->request == NULL ? CPIS__V1__OPERATION__OPERATION_UNSPECIFIED
						      : wire_operation(context->request),
		.reason = reason,
		.organisation = system == NULL ? "" : system->identity.organisation,
		.system_name = system == NULL ? "" : system->identity.name,
		.subject = context->has_subject ? &context->subject : NULL,
		.person = context->detail->uid[0] != '\0' ? &person : NULL,
		.policy_version = policy_version(core_policy(core)),
		.detail = context->detail,
	};
	if (!make_room(core, context, slot))
		return false;
	return finding_look(context, core->detection, system, reason) &&
	       audit_append(core->audit, &core->arena, &event, &slot->audit_index) == STORE_OK;
}
