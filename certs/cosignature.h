// Witnesses' cosignatures of checkpoints: C2SP tlog-cosignature, Ed25519 (cosignature/v1, signature type 0x04), and the policy
// that says whose are wanted: C2SP tlog-policy.
//
//	— <name> <base64(4-byte key id || 8-byte time || Ed25519 signature)>\n
//
// The signature is over "cosignature/v1\ntime <seconds>\n" and the note's text.
#ifndef CPIS_CERTS_COSIGNATURE_H
#define CPIS_CERTS_COSIGNATURE_H

#include <stdbool.h>
#include <stdint.h>

#include "certs/note.h"

#define WITNESSES_MAX NOTE_WITNESSES_MAX
#define WITNESS_GROUPS_MAX 16
#define WITNESS_NAME_BYTES_MAX 64
#define WITNESS_DETAIL_BYTES 300

// Adds the signature line of the witness `name` to a note that the caller has verified, in place of any that bears this name and
// key. CERTS_VALUE: the name is not good, or the result would be longer than a note may be; `out` is then no note. `out` may not be
// `note`.
__attribute__((warn_unused_result)) enum certs_status cosignature_add(const char *note, const char *name,
								      const struct signing_key *key, uint64_t time_s,
								      char out[NOTE_BYTES_MAX + 1]);
// CERTS_OK and when this witness cosigned; CERTS_NAME: it did not; CERTS_SIGNATURE: a line bears its name and key id and does not
// verify; CERTS_MALFORMED.
__attribute__((warn_unused_result)) enum certs_status
cosignature_check(const char *note, const struct note_verifier *witness, uint64_t *ret_time_s);
// Puts this witness's line of `from` into `note`, in place of an older one of its own. Both are of the same text.
__attribute__((warn_unused_result)) enum certs_status
cosignature_take(const char *note, const char *from, const struct note_verifier *witness, char out[NOTE_BYTES_MAX + 1]);

// One line, for the policy.
__attribute__((warn_unused_result)) enum certs_status witness_key_format(const struct note_verifier *witness, char *out,
									 size_t out_bytes);

// Which cosignatures make a quorum: witnesses, and groups of so many out of them and of groups before.
struct witness_policy {
	unsigned count;
	struct {
		char name[WITNESS_NAME_BYTES_MAX + 1];
		struct note_verifier key;
	} witnesses[WITNESSES_MAX];
	unsigned group_count;
	struct {
		char name[WITNESS_NAME_BYTES_MAX + 1];
		unsigned threshold;
		uint32_t witnesses, groups; // members, a bit each
	} groups[WITNESS_GROUPS_MAX];
	bool required;                      // false: "quorum none", or no policy
	bool quorum_is_group;
	unsigned quorum;                    // number of the group or witness
};

// A file that is not there is a policy without witnesses. A bad line is refused with its number in `detail`.
__attribute__((warn_unused_result)) bool witness_policy_load(const char *path, struct witness_policy *ret,
							     char detail[WITNESS_DETAIL_BYTES]);
// Since when the note has been witnessed by a quorum: the oldest time of the newest cosignatures that make one. False: there is no
// quorum. Cosignatures from later than `now_s` and a minute do not count. Without a requirement: true, and 0.
__attribute__((warn_unused_result)) bool witness_policy_holds(const struct witness_policy *policy, const char *note,
							      uint64_t now_s, uint64_t *ret_time_s);
// How many of the policy's witnesses have cosigned the note, and how few can make a quorum.
unsigned witness_policy_count(const struct witness_policy *policy, const char *note);
unsigned witness_policy_least(const struct witness_policy *policy);

#endif
