// Who started whom, from /proc: a broker's keeper is its child, and its front the keeper's.
#ifndef CPIS_TESTS_HARNESS_PROCESS_TREE_H
#define CPIS_TESTS_HARNESS_PROCESS_TREE_H

#include <sys/types.h>

pid_t process_parent(pid_t process); // 0: there is no such process
// Aborts when it has none.
pid_t process_child(pid_t parent);

#endif
