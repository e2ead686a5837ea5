// Datagrams to systemd's journal.
#include "broker/log_journal.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int journal = -1;

bool log_journal_open(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat status;
	if (journal >= 0)
		return true;
	if (stream == NULL || sscanf(stream, "%llu:%llu", &device, &inode) != 2 || fstat(STDERR_FILENO, &status) != 0 ||
	    status.st_dev != (dev_t)device || status.st_ino != (ino_t)inode)
		return false;
	journal = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return journal >= 0;
}

bool log_journal_send(const char *data, size_t bytes)
{
	// Not connected: a journal that was started again has another socket at the same place.
	static const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/run/systemd/journal/socket"};
	return journal >= 0 && sendto(journal, data, bytes, MSG_NOSIGNAL | MSG_DONTWAIT, (const struct sockaddr *)&address,
				      sizeof address) == (ssize_t)bytes;
}
