// The mode of a key file, and where the group's bits mean something else.
#include "certs/secret_file.h"

#include <stdlib.h>
#include <string.h>

static bool is_credential(const char *path)
{
	const char *directory = getenv("CREDENTIALS_DIRECTORY");
	struct stat info;
	size_t bytes = directory == NULL ? 0 : strlen(directory);
	return bytes > 0 && strncmp(path, directory, bytes) == 0 && path[bytes] == '/' && strchr(path + bytes + 1, '/') == NULL &&
	       stat(directory, &info) == 0 && S_ISDIR(info.st_mode) && (info.st_mode & (S_IRWXO | S_IWGRP)) == 0;
}

bool secret_file_is_closed(const char *path, const struct stat *info)
{
	mode_t open_to = info->st_mode & (S_IRWXG | S_IRWXO);
	return open_to == 0 || (open_to == S_IRGRP && is_credential(path));
}
