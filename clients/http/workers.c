// Worker threads and their two queues.
#include "clients/http/workers.h"

#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

struct queue {
	struct visit *first, **last;
};

struct worker {
	struct workers *workers;
	unsigned number;
	pthread_t thread;
};

struct workers {
	pthread_mutex_t mutex;
	pthread_cond_t something;
	struct queue waiting, done;
	unsigned waiting_count, waiting_max;
	bool ending;
	int done_fd;
	struct server_options options;
	unsigned count;
	struct worker *threads;
};

static void put(struct queue *queue, struct visit *visit)
{
	visit->next = NULL;
	*queue->last = visit;
	queue->last = &visit->next;
}

static struct visit *get(struct queue *queue)
{
	struct visit *visit = queue->first;
	if (visit == NULL)
		return NULL;
	queue->first = visit->next;
	if (queue->first == NULL)
		queue->last = &queue->first;
	return visit;
}

static struct visit *wait_for_visit(struct workers *workers)
{
	struct visit *visit;
	pthread_mutex_lock(&workers->mutex);
	while ((visit = get(&workers->waiting)) == NULL && !workers->ending)
		pthread_cond_wait(&workers->something, &workers->mutex);
	workers->waiting_count -= visit != NULL;
	pthread_mutex_unlock(&workers->mutex);
	return visit;
}

static void *work(void *own)
{
	struct worker *worker = own;
	struct workers *workers = worker->workers;
	for (struct visit *visit; (visit = wait_for_visit(workers)) != NULL;) {
		const uint64_t one = 1;
		workers->options.handler(workers->options.context, worker->number, visit);
		pthread_mutex_lock(&workers->mutex);
		put(&workers->done, visit);
		pthread_mutex_unlock(&workers->mutex);
		if (write(workers->done_fd, &one, sizeof one) < 0) {
			// Full: then it says already that something is there.
		}
		if (workers->options.afterwards != NULL)
			workers->options.afterwards(workers->options.context, worker->number);
	}
	return NULL;
}

// Signals are the server's thread's.
static bool start(struct workers *workers, unsigned count)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	for (unsigned i = 0; i < count; i++) {
		workers->threads[i] = (struct worker){.workers = workers, .number = i};
		if (pthread_create(&workers->threads[i].thread, NULL, work, &workers->threads[i]) != 0)
			break;
		workers->count++;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return workers->count == count;
}

bool workers_new(const struct server_options *options, unsigned queue_max, int done_fd, struct workers **ret)
{
	const unsigned count = options->workers;
	struct workers *workers = calloc(1, sizeof *workers);
	if (workers == NULL)
		return false;
	workers->waiting_max = queue_max;
	workers->done_fd = done_fd;
	workers->options = *options;
	workers->waiting.last = &workers->waiting.first;
	workers->done.last = &workers->done.first;
	pthread_mutex_init(&workers->mutex, NULL);
	pthread_cond_init(&workers->something, NULL);
	workers->threads = calloc(count, sizeof *workers->threads);
	if (workers->threads == NULL || !start(workers, count)) {
		workers_free(workers);
		return false;
	}
	*ret = workers;
	return true;
}

bool workers_give(struct workers *workers, struct visit *visit)
{
	pthread_mutex_lock(&workers->mutex);
	bool taken = workers->waiting_count < workers->waiting_max;
	if (taken) {
		put(&workers->waiting, visit);
		workers->waiting_count++;
		pthread_cond_signal(&workers->something);
	}
	pthread_mutex_unlock(&workers->mutex);
	return taken;
}

struct visit *workers_done(struct workers *workers)
{
	pthread_mutex_lock(&workers->mutex);
	struct visit *visit = get(&workers->done);
	pthread_mutex_unlock(&workers->mutex);
	return visit;
}

void workers_free(struct workers *workers)
{
	if (workers == NULL)
		return;
	pthread_mutex_lock(&workers->mutex);
	workers->ending = true;
	pthread_cond_broadcast(&workers->something);
	pthread_mutex_unlock(&workers->mutex);
	for (unsigned i = 0; i < workers->count; i++)
		pthread_join(workers->threads[i].thread, NULL);
	pthread_cond_destroy(&workers->something);
	pthread_mutex_destroy(&workers->mutex);
	free(workers->threads);
	free(workers);
}
