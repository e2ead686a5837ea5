// Threads that make answers, so that one slow broker does not keep the server's thread. Visits go in and come out through two queues;
// the descriptor says that something came out.
#ifndef CPIS_HTTP_WORKERS_H
#define CPIS_HTTP_WORKERS_H

#include <stdbool.h>
#include <stddef.h>

#include "clients/http/server.h"

struct workers;
// As many as the options say, with their handlers. `done_fd` is an eventfd that outlives the workers. False: no threads.
__attribute__((warn_unused_result)) bool workers_new(const struct server_options *options, unsigned queue_max, int done_fd,
						      struct workers **ret);
// Takes the visit, or false: too many wait already.
__attribute__((warn_unused_result)) bool workers_give(struct workers *workers, struct visit *visit);
// A visit that has its answer; NULL: none at present.
struct visit *workers_done(struct workers *workers);
// Waits for what was begun. Visits that nobody took back are not freed: there are none when the server has counted to zero. Accepts NULL.
void workers_free(struct workers *workers);

#endif
