// Parents and children of processes.
#include "tests/harness/process_tree.h"

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
	for (const struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;)
		if (isdigit((unsigned char)entry->d_name[0]) && process_parent((pid_t)atoi(entry->d_name)) == parent)
			found = (pid_t)atoi(entry->d_name);
	if (folder != NULL)
		closedir(folder);
	if (found == 0) {
		fprintf(stderr, "process %d has no child\n", (int)parent);
		abort();
	}
	return found;
}
