// All records of a log checked at the speed of hashing: the log is cut into spans, several threads hash one span each, and
// their roots are put together in order. What the records come from, a database or an export, is a log_source.
#ifndef CPIS_CLI_LOG_WALK_H
#define CPIS_CLI_LOG_WALK_H

#include <stdbool.h>
#include <stdint.h>

#include "certs/note.h"

#define LOG_DETAIL_BYTES 300

#define LOG_STATUS_TABLE(X)                                                                          \
	X(LOG_HOLDS, "the log holds")                                                                \
	X(LOG_BROKEN, "the log has been changed, cut or replaced")                                   \
	X(LOG_UNREADABLE, "it cannot be read as an audit log")

enum log_status {
#define X(name, sentence) name,
	LOG_STATUS_TABLE(X)
#undef X
};

// A checkpoint that somebody kept, already verified.
struct log_kept {
	const char *path;            // for the complaint
	struct checkpoint checkpoint;
};

struct log_result {
	uint64_t records;            // good ones, from 0 on
	struct merkle_hash root;     // of those
	bool has_bad_index;
	uint64_t bad_index;          // the first bad record
	char detail[LOG_DETAIL_BYTES]; // what is wrong, in words
};

// Called now and then with the number of records done; NULL: not wanted.
typedef void log_progress(uint64_t done, uint64_t of);

// ------------------------------------------------------------------ spans

// A span is a perfect subtree, but for the last one: 256 tiles of an export.
#define LOG_SPAN_HEIGHT 16
#define LOG_SPAN_RECORDS ((uint64_t)1 << LOG_SPAN_HEIGHT)

// Filled by a source's reader: merkle_append and log_span_accept for each good record; at the first bad one `wrong` says why, and
// it stops.
struct log_span {
	uint64_t begin, end;         // the records that it has to have
	struct merkle_tree tree;     // of its records alone
	const char *wrong;           // with record begin + tree.size; a sentence that outlives the walk
	struct merkle_hash upper[MERKLE_HEIGHT_MAX + 1 - LOG_SPAN_HEIGHT]; // what its last row keeps of heights beyond the span's;
	size_t upper_count;                                                // 0: the source keeps none
	bool unreadable;             // the source failed, `detail` says how
	bool broken;                 // something else than a record is wrong, `detail` says what
	char detail[LOG_DETAIL_BYTES]; // with `wrong`: where, if it is not ""
	// The tree wherever a checkpoint was kept; not for readers.
	const struct log_kept *const *kept;
	struct merkle_tree *kept_trees;
	unsigned kept_count, kept_done;
};

// The record that was just appended to the span's tree is good. One that is not is taken off again by `tree.size--`.
void log_span_accept(struct log_span *span);

struct log_source {
	void *context;
	uint64_t size;               // records that there should be
	// A reader for one thread; NULL: `detail` says why. Called, as are the others, from several threads at once.
	void *(*open)(void *context, char detail[LOG_DETAIL_BYTES]);
	void (*check)(void *reader, struct log_span *span);
	void (*close)(void *reader);
	// In order, from the caller's thread, for each whole span that is good: its number and root. NULL: not wanted.
	void (*passed)(void *context, uint64_t number, const struct merkle_hash *root);
};

// LOG_HOLDS: every record is good by itself, and the tree is that of all kept checkpoints that are not longer. `ret_tree` is the
// tree of the good records in any case. `threads` 0: as many as there are processors for us.
__attribute__((warn_unused_result)) enum log_status log_walk(const struct log_source *source, unsigned threads,
							      const struct log_kept *kept, unsigned kept_count,
							      log_progress *progress, struct merkle_tree *ret_tree,
							      struct log_result *ret);

// ------------------------------------------------------------------ what is found

enum log_status log_broken(struct log_result *result, const char *format, ...) __attribute__((format(printf, 2, 3)));
enum log_status log_bad_record(struct log_result *result, uint64_t index, const char *what);

// The tree against a checkpoint's text, as it is stored with the records. No text is right for no records.
__attribute__((warn_unused_result)) enum log_status log_check_note(const struct merkle_tree *tree, const char *note,
								    size_t note_bytes, const struct note_verifier *verifier,
								    struct log_result *result);
// What others saw must still be there, whatever is stored says of itself.
__attribute__((warn_unused_result)) enum log_status log_check_length(const struct merkle_tree *tree, const struct log_kept *kept,
								      unsigned kept_count, struct log_result *result);

#endif
