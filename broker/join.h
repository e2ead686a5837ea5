// The operator's commands that bring a new broker before a PostgreSQL that others write to: `cpis-broker --share` at one of those,
// `--join` at the new one. Each prints what it did, or one sentence that says what is wrong, and returns the process's exit status.
#ifndef CPIS_BROKER_JOIN_H
#define CPIS_BROKER_JOIN_H

// Writes the configuration's shared keys into the file `to` (0600, which must not be there), sealed for the broker that the certificate
// is of. Beside the broker at work.
int join_share(const char *config_path, const char *certificate, const char *to);

// Writes the keys of such a file where the configuration says, and opens the store with them. A key that is there already is left:
// another one than the file's is a refusal, before anything is written. Said again after it was interrupted it goes on.
int join_join(const char *config_path, const char *from);

#endif
