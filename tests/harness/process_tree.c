// Parents and children of processes.
#include "tests/harness/process_tree.h"

#include <check.h>
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

pid_t process_parent(pid_t process)
{
	char path[64], line[512];
	int parent = 0;
	snprintf(path, sizeof path, "/proc/%d/stat", (int)process);
	FILE *file = fopen(path, "re");
	// The name in brackets may hold anything.
	const char *rest = file != NULL && fgets(line, sizeof line, file) != NULL ? strrchr(line, ')') : NULL;
	if (file != NULL)
		fclose(file);
	return rest != NULL && sscanf(rest + 1, " %*c %d", &parent) == 1 ? parent : 0;
}

pid_t process_child(pid_t parent)
{
	DIR *folder = opendir("/proc");
	pid_t found = 0;
	ck_assert_ptr_nonnull(folder);
	for (const struct dirent *entry; (entry = readdir(folder)) != NULL;)
		if (isdigit((unsigned char)entry->d_name[0]) && process_parent((pid_t)atoi(entry->d_name)) == parent)
			found = (pid_t)atoi(entry->d_name);
	closedir(folder);
	ck_assert_msg(found != 0, "process %d has no child", (int)parent);
	return found;
}
