// systemd's journal, by its native protocol: datagrams to /run/systemd/journal/socket. Not by libsystemd: when the kernel has no buffer for
// a datagram its sd_journal_sendv makes a file with memfd_create, for which our sandbox kills the process; it waits for a journal that
// hangs; and it would bring libgcrypt, liblzma, liblz4 and libzstd into the process that holds the keys. Debian's sshd has left it for
// the last of these.
#ifndef CPIS_BROKER_LOG_JOURNAL_H
#define CPIS_BROKER_LOG_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>

// Whether standard error leads into the journal (JOURNAL_STREAM, systemd.exec(5)), and there is a descriptor to write to it. Before
// the sandbox, which lets nobody make sockets.
bool log_journal_open(void);
// One datagram; never waits. False: it was not taken.
bool log_journal_send(const char *data, size_t bytes);

#endif
