// Who may read a file that a key is in.
#ifndef CPIS_CERTS_SECRET_FILE_H
#define CPIS_CERTS_SECRET_FILE_H

#include <stdbool.h>
#include <sys/stat.h>

// True when `info`, of the file at `path`, says that nobody but its owner may. Also for a credential that the service manager
// handed over, a file right in $CREDENTIALS_DIRECTORY: it may be root's and be opened to the service's user by an access control
// list, which shows as what the group may do (systemd.exec(5), acl(5)). The manager keeps that directory from everybody else; here
// it is looked that others have no way into it.
__attribute__((warn_unused_result)) bool secret_file_is_closed(const char *path, const struct stat *info);

#endif
