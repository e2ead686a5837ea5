// Who the process is. Started as root it becomes the user that the configuration names, for good; its memory is kept out of
// the swap space while it still may ask for that.
#ifndef CPIS_BROKER_PRIVILEGES_H
#define CPIS_BROKER_PRIVILEGES_H

#include <stdbool.h>
#include <stddef.h>

#define PRIVILEGES_DETAIL_BYTES 512

// Locks all memory of the process, now and later, page by page as it is used (mlockall(2)). False when the limit does not allow
// it, and then nothing is locked: a limit that is reached later would refuse memory to a broker at work. Root's limit is
// raised first, and stays raised for `user`, whom it will become; NULL: nobody else.
bool privileges_lock_memory(const char *user);

// Becomes `user`, with its primary group and no other, and verifies that there is no way back: all six ids, no capability, and
// PR_SET_NO_NEW_PRIVS, so that no program gives any back. Before the first thread, as ids and capabilities belong to a
// thread. NULL: stays who it is, but sets PR_SET_NO_NEW_PRIVS. False with a sentence; the process must then end.
__attribute__((warn_unused_result)) bool privileges_become(const char *user, char detail[PRIVILEGES_DETAIL_BYTES]);

// Whether the process as it is now may do with a path what it will want to. False with a sentence that says what to do.
enum privileges_need {
	PRIVILEGES_READ,       // a file or directory
	PRIVILEGES_WRITE,      // a file
	PRIVILEGES_MAKE_FILES, // in a directory
};
__attribute__((warn_unused_result)) bool privileges_check(const char *path, enum privileges_need need, const char *user,
							   char detail[PRIVILEGES_DETAIL_BYTES]);

#endif
