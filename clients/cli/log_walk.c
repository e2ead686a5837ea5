// The walk: threads take spans by number, the caller's thread takes the results in order.
#include "clients/cli/log_walk.h"

#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define THREADS_MAX 64u
// How far threads may be ahead of the span that is waited for.
#define SLOTS_PER_THREAD 2u

struct slot {
	struct log_span span;
	bool ready;
};

struct walk {
	const struct log_source *source;
	const struct log_kept **kept;     // by size
	struct merkle_tree *kept_trees;   // what each one's records within its span give
	unsigned kept_count;
	struct slot *slots;
	unsigned slot_count;
	uint64_t span_count;
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	uint64_t next, passed;            // spans handed out, and taken in
	bool stopped;
};

// ------------------------------------------------------------------ what is found

enum log_status log_broken(struct log_result *result, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(result->detail, sizeof result->detail, format, arguments);
	va_end(arguments);
	return LOG_BROKEN;
}

enum log_status log_bad_record(struct log_result *result, uint64_t index, const char *what)
{
	result->has_bad_index = true;
	result->bad_index = index;
	return log_broken(result, "record %llu: %s", (unsigned long long)index, what);
}

enum log_status log_check_note(const struct merkle_tree *tree, const char *note, size_t note_bytes,
			       const struct note_verifier *verifier, struct log_result *result)
{
	struct checkpoint checkpoint;
	struct merkle_hash root;
	if (note_bytes == 0)
		return tree->size == 0 ? LOG_HOLDS : log_broken(result, "there are records and no checkpoint");
	if (checkpoint_verify(note, note_bytes, verifier, &checkpoint) != CERTS_OK)
		return log_broken(result, "the stored checkpoint was not signed with this log's key: log or key is another one");
	if (checkpoint.size > tree->size)
		return log_bad_record(result, tree->size, "it is missing: the log has been cut there");
	if (checkpoint.size < tree->size)
		return log_bad_record(result, checkpoint.size, "it was added without being signed for");
	merkle_root(tree, &root);
	if (memcmp(&root, &checkpoint.root, sizeof root) != 0)
		return log_broken(result,
				  "the %llu records agree with each other and not with the signed checkpoint: some of them were "
				  "changed together with their hashes; an earlier checkpoint narrows down which",
				  (unsigned long long)tree->size);
	return LOG_HOLDS;
}

enum log_status log_check_length(const struct merkle_tree *tree, const struct log_kept *kept, unsigned kept_count,
				 struct log_result *result)
{
	for (unsigned i = 0; i < kept_count; i++) {
		if (kept[i].checkpoint.size <= tree->size)
			continue;
		result->has_bad_index = true;
		result->bad_index = tree->size;
		return log_broken(result, "record %llu is missing: the log has been cut below the %llu records of checkpoint %.120s",
				  (unsigned long long)tree->size, (unsigned long long)kept[i].checkpoint.size, kept[i].path);
	}
	return LOG_HOLDS;
}

// ------------------------------------------------------------------ spans

void log_span_accept(struct log_span *span)
{
	while (span->kept_done < span->kept_count &&
	       span->kept[span->kept_done]->checkpoint.size <= span->begin + span->tree.size)
		span->kept_trees[span->kept_done++] = span->tree;
}

// Checkpoints that end in the span: after its first record, up to its last.
static void give_span(struct walk *walk, uint64_t number, struct log_span *span)
{
	uint64_t begin = number << LOG_SPAN_HEIGHT, left = walk->source->size - begin;
	unsigned first = 0;
	*span = (struct log_span){.begin = begin, .end = begin + (left < LOG_SPAN_RECORDS ? left : LOG_SPAN_RECORDS)};
	while (first < walk->kept_count && walk->kept[first]->checkpoint.size <= begin)
		first++;
	span->kept = walk->kept + first;
	span->kept_trees = walk->kept_trees + first;
	while (first + span->kept_count < walk->kept_count &&
	       span->kept[span->kept_count]->checkpoint.size <= span->end)
		span->kept_count++;
}

static void *work(void *context)
{
	struct walk *walk = context;
	char detail[LOG_DETAIL_BYTES] = "";
	void *reader = walk->source->open(walk->source->context, detail);
	pthread_mutex_lock(&walk->mutex);
	while (!walk->stopped && walk->next < walk->span_count) {
		if (walk->next >= walk->passed + walk->slot_count) {
			pthread_cond_wait(&walk->changed, &walk->mutex);
			continue;
		}
		uint64_t number = walk->next++;
		struct slot *slot = &walk->slots[number % walk->slot_count];
		pthread_mutex_unlock(&walk->mutex);
		give_span(walk, number, &slot->span);
		if (reader != NULL) {
			walk->source->check(reader, &slot->span);
		} else {
			slot->span.unreadable = true;
			memcpy(slot->span.detail, detail, sizeof detail);
		}
		pthread_mutex_lock(&walk->mutex);
		slot->ready = true;
		pthread_cond_broadcast(&walk->changed);
	}
	pthread_mutex_unlock(&walk->mutex);
	if (reader != NULL)
		walk->source->close(reader);
	return NULL;
}

// ------------------------------------------------------------------ together

// The span's records behind those of `tree`. `ret_nodes` is what its last record's row keeps from the largest subtree on.
static void join(struct merkle_tree *tree, const struct merkle_tree *span, struct merkle_hash ret_nodes[MERKLE_HEIGHT_MAX + 1],
		 size_t *ret_count)
{
	for (int height = LOG_SPAN_HEIGHT; height >= 0; height--)
		if ((span->size >> height & 1) != 0)
			merkle_append_perfect(tree, (unsigned)height, &span->edge[height], ret_nodes, ret_count);
}

static enum log_status check_kept(const struct merkle_tree *before, const struct log_span *span, struct log_result *result)
{
	for (unsigned i = 0; i < span->kept_done; i++) {
		const struct log_kept *kept = span->kept[i];
		struct merkle_tree tree = *before;
		struct merkle_hash root, nodes[MERKLE_HEIGHT_MAX + 1];
		size_t count;
		join(&tree, &span->kept_trees[i], nodes, &count);
		merkle_root(&tree, &root);
		if (memcmp(&root, &kept->checkpoint.root, sizeof root) != 0)
			return log_broken(result, "the first %llu records are not those that the checkpoint %.150s was signed for",
					  (unsigned long long)kept->checkpoint.size, kept->path);
	}
	return LOG_HOLDS;
}

static enum log_status take_span(struct merkle_tree *tree, const struct log_span *span, struct log_result *result)
{
	struct merkle_tree before = *tree;
	struct merkle_hash nodes[MERKLE_HEIGHT_MAX + 1];
	size_t count = 0;
	join(tree, &span->tree, nodes, &count);
	enum log_status status = check_kept(&before, span, result);
	if (status != LOG_HOLDS)
		return status;
	if (span->unreadable || span->broken) {
		memcpy(result->detail, span->detail, sizeof result->detail);
		return span->unreadable ? LOG_UNREADABLE : LOG_BROKEN;
	}
	if (span->wrong != NULL) {
		log_bad_record(result, tree->size, span->wrong);
		size_t used = strlen(result->detail);
		if (span->detail[0] != '\0')
			snprintf(result->detail + used, sizeof result->detail - used, " (%.180s)", span->detail);
		return LOG_BROKEN;
	}
	// A whole span: its last row keeps hashes of larger subtrees too, which only now can be told.
	if (span->upper_count > 0 && (span->upper_count != count - 1 ||
				      memcmp(span->upper, nodes + 1, span->upper_count * sizeof nodes[0]) != 0)) {
		struct merkle_tree shorter = span->tree;
		shorter.size--; // certs/merkle.h: this takes the last record off
		*tree = before;
		join(tree, &shorter, nodes, &count);
		return log_bad_record(result, span->end - 1, "its inner hashes do not follow from the records before it");
	}
	return LOG_HOLDS;
}

static enum log_status take_all(struct walk *walk, log_progress *progress, struct merkle_tree *tree, struct log_result *result)
{
	enum log_status status = LOG_HOLDS;
	pthread_mutex_lock(&walk->mutex);
	while (status == LOG_HOLDS && walk->passed < walk->span_count) {
		struct slot *slot = &walk->slots[walk->passed % walk->slot_count];
		if (!slot->ready) {
			pthread_cond_wait(&walk->changed, &walk->mutex);
			continue;
		}
		pthread_mutex_unlock(&walk->mutex);
		status = take_span(tree, &slot->span, result);
		if (status == LOG_HOLDS && walk->source->passed != NULL && slot->span.tree.size == LOG_SPAN_RECORDS)
			walk->source->passed(walk->source->context, walk->passed, &slot->span.tree.edge[LOG_SPAN_HEIGHT]);
		if (progress != NULL)
			progress(tree->size, walk->source->size);
		pthread_mutex_lock(&walk->mutex);
		slot->ready = false;
		walk->passed++;
		pthread_cond_broadcast(&walk->changed);
	}
	walk->stopped = true;
	pthread_cond_broadcast(&walk->changed);
	pthread_mutex_unlock(&walk->mutex);
	return status;
}

static unsigned thread_count(unsigned wanted, uint64_t spans)
{
	cpu_set_t ours;
	if (wanted == 0)
		wanted = sched_getaffinity(0, sizeof ours, &ours) == 0 ? (unsigned)CPU_COUNT(&ours) : 1;
	if (wanted > THREADS_MAX)
		wanted = THREADS_MAX;
	return spans < wanted ? (unsigned)spans : wanted;
}

static enum log_status run(struct walk *walk, unsigned threads, log_progress *progress, struct merkle_tree *tree,
			   struct log_result *result)
{
	pthread_t ids[THREADS_MAX];
	unsigned started = 0;
	enum log_status status = LOG_HOLDS;
	pthread_mutex_init(&walk->mutex, NULL);
	pthread_cond_init(&walk->changed, NULL);
	while (started < threads && pthread_create(&ids[started], NULL, work, walk) == 0)
		started++;
	if (started > 0 || threads == 0) {
		status = take_all(walk, progress, tree, result);
	} else {
		snprintf(result->detail, sizeof result->detail, "no thread can be started");
		status = LOG_UNREADABLE;
	}
	for (unsigned i = 0; i < started; i++)
		pthread_join(ids[i], NULL);
	pthread_cond_destroy(&walk->changed);
	pthread_mutex_destroy(&walk->mutex);
	return status;
}

static int by_size(const void *left, const void *right)
{
	const struct log_kept *a = *(const struct log_kept *const *)left, *b = *(const struct log_kept *const *)right;
	return a->checkpoint.size < b->checkpoint.size ? -1 : a->checkpoint.size > b->checkpoint.size;
}

// A checkpoint of an empty log is true of every log, if its root is that of nothing.
static enum log_status check_kept_empty(const struct walk *walk, struct log_result *result)
{
	struct merkle_hash empty;
	merkle_root(&(struct merkle_tree){.size = 0}, &empty);
	for (unsigned i = 0; i < walk->kept_count && walk->kept[i]->checkpoint.size == 0; i++)
		if (memcmp(&walk->kept[i]->checkpoint.root, &empty, sizeof empty) != 0)
			return log_broken(result, "the first 0 records are not those that the checkpoint %.150s was signed for",
					  walk->kept[i]->path);
	return LOG_HOLDS;
}

enum log_status log_walk(const struct log_source *source, unsigned threads, const struct log_kept *kept, unsigned kept_count,
			 log_progress *progress, struct merkle_tree *ret_tree, struct log_result *ret)
{
	struct walk walk = {.source = source, .kept_count = kept_count,
			    .span_count = (source->size + LOG_SPAN_RECORDS - 1) >> LOG_SPAN_HEIGHT};
	threads = thread_count(threads, walk.span_count);
	walk.slot_count = (threads + 1) * SLOTS_PER_THREAD;
	walk.slots = calloc(walk.slot_count, sizeof *walk.slots);
	walk.kept = calloc(kept_count + 1, sizeof *walk.kept);
	walk.kept_trees = calloc(kept_count + 1, sizeof *walk.kept_trees);
	*ret = (struct log_result){0};
	*ret_tree = (struct merkle_tree){0};
	enum log_status status = LOG_UNREADABLE;
	if (walk.slots == NULL || walk.kept == NULL || walk.kept_trees == NULL) {
		snprintf(ret->detail, sizeof ret->detail, "out of memory");
	} else {
		for (unsigned i = 0; i < kept_count; i++)
			walk.kept[i] = &kept[i];
		qsort(walk.kept, kept_count, sizeof *walk.kept, by_size);
		status = check_kept_empty(&walk, ret);
		if (status == LOG_HOLDS)
			status = run(&walk, threads, progress, ret_tree, ret);
	}
	ret->records = ret_tree->size;
	merkle_root(ret_tree, &ret->root);
	free(walk.slots);
	free(walk.kept);
	free(walk.kept_trees);
	return status;
}
