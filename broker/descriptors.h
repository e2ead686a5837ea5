// Descriptors sent from process to process over a Unix socket that keeps messages apart (SOCK_SEQPACKET; unix(7), SCM_RIGHTS).
#ifndef CPIS_BROKER_DESCRIPTORS_H
#define CPIS_BROKER_DESCRIPTORS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define DESCRIPTORS_AT_ONCE 4 // in one message, at most

// One message of `bytes` (at least 1) with `count` descriptors, which stay the caller's too. Waits for room as the socket does. False: errno
// says why.
__attribute__((warn_unused_result)) bool descriptors_send(int socket, const void *data, size_t bytes, const int *descriptors, size_t count);
// The next message, waiting for it unless `flags` (MSG_DONTWAIT) says not to, and what came with it: `ret_count` descriptors, close-on-exec,
// the caller's. As recvmsg(2): 0 when the other end is gone, -1 with errno.
ssize_t descriptors_receive(int socket, void *data, size_t bytes, int flags, int ret_descriptors[DESCRIPTORS_AT_ONCE], size_t *ret_count);

#endif
