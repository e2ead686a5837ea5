// Rates and percentiles out of pgbench's log.
#include "tests/bench/pgbench_log.h"

#include <stdlib.h>

static int by_value(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;
	return a < b ? -1 : a > b;
}

struct client {
	unsigned transactions;
	double first_s, last_s;
};

static bool add(double **took, size_t *count, double us)
{
	// Twice the room at each power of two.
	if ((*count & (*count - 1)) == 0) {
		double *more = realloc(*took, (*count == 0 ? 1 : *count * 2) * sizeof **took);
		if (more == NULL)
			return false;
		*took = more;
	}
	(*took)[(*count)++] = us;
	return true;
}

static bool read_lines(FILE *file, unsigned clients, struct client *of, double **took, size_t *count)
{
	char line[200];
	while (fgets(line, sizeof line, file) != NULL) {
		unsigned client;
		double us, seconds, fraction_us;
		if (sscanf(line, "%u %*u %lf %*u %lf %lf", &client, &us, &seconds, &fraction_us) != 4 || client >= clients)
			return false;
		double end_s = seconds + fraction_us / 1e6;
		of[client].last_s = end_s;
		if (of[client].transactions++ == 0)
			of[client].first_s = end_s;
		else if (!add(took, count, us))
			return false;
	}
	return true;
}

bool pgbench_log_read(FILE *file, unsigned clients, struct pgbench_log *ret)
{
	struct client of[PGBENCH_LOG_CLIENTS_MAX] = {0};
	double *took = NULL, per_s = 0;
	size_t count = 0;
	bool good = clients > 0 && clients <= PGBENCH_LOG_CLIENTS_MAX && read_lines(file, clients, of, &took, &count);
	for (unsigned i = 0; good && i < clients; i++) {
		good = of[i].transactions > 1 && of[i].last_s > of[i].first_s;
		per_s += (of[i].transactions - 1) / (of[i].last_s - of[i].first_s);
	}
	if (good) {
		qsort(took, count, sizeof *took, by_value);
		*ret = (struct pgbench_log){(unsigned)count, per_s, took[count / 2], took[(count - 1) * 99 / 100]};
	}
	free(took);
	return good;
}
