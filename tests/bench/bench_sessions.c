// Shift change: 20,000 people in ten minutes, compressed into as long as the broker takes. Each signs in once, with a certificate of
// their own, so that nothing about them is known yet; from 64 systems, four at a time from each. Statements are signed before the
// clock starts.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/report.h"
#include "tests/bench/town.h"

#define PEOPLE 20000u
#define WINDOW 4u
#define SHIFT_CHANGE_S 600.0
// A statement is good for a minute: they are signed in rounds.
#define ROUNDS 4u
#define PER_ROUND (PEOPLE / ROUNDS)
#define ROUND_MS 50000u

struct sign_in {
	uint8_t *packed;
	size_t bytes;
};

struct shift {
	struct town *town;
	unsigned next[TOWN_NURSES]; // of each system's people the next: person n is at system n modulo TOWN_NURSES
	struct sign_in sign_ins[PER_ROUND];
};

static size_t make(void *context, unsigned connection, uint8_t out[LOAD_REQUEST_BYTES_MAX])
{
	struct shift *shift = context;
	unsigned which = connection + TOWN_NURSES * shift->next[connection]++;
	if (which >= PER_ROUND)
		return 0;
	const struct sign_in *sign_in = &shift->sign_ins[which];
	memcpy(out, sign_in->packed, sign_in->bytes);
	return sign_in->bytes;
}

static void check(void *context, unsigned connection, const uint8_t *reply, size_t bytes)
{
	const struct shift *shift = context;
	(void)connection;
	town_check(shift->town, reply, bytes);
}

static void sign(struct shift *shift, unsigned first)
{
	struct town *town = shift->town;
	uint8_t packed[LOAD_REQUEST_BYTES_MAX];
	memset(shift->next, 0, sizeof shift->next);
	for (unsigned i = 0; i < PER_ROUND; i++) {
		struct sign_in *sign_in = &shift->sign_ins[i];
		const struct curve_key_pair *system = &town->keys[i % TOWN_NURSES];
		free(sign_in->packed);
		sign_in->bytes = town_pack_sign_in(town, town_staff(town, first + i), system, "RXH", "R8001", packed);
		sign_in->packed = malloc(sign_in->bytes);
		link_must(sign_in->packed != NULL, "memory");
		memcpy(sign_in->packed, packed, sign_in->bytes);
	}
}

int main(int argc, char **argv)
{
	static struct shift shift;
	struct report_samples samples = {0};
	if (argc != 2) {
		fprintf(stderr, "usage: bench_sessions REPORT.json\n");
		return 1;
	}
	json_t *rows = json_array();
	shift.town = town_new(&(struct town_options){.plans = 1000, .staff = PEOPLE});
	pid_t broker = world_broker_pid(shift.town->world);
	const struct link_curve_target target = town_nurses(shift.town);
	const struct load_options options = {&link_curve, &target, TOWN_NURSES, make, check, &shift};
	const struct load_run run = {.window = WINDOW, .duration_ms = ROUND_MS};
	double seconds = 0;
	for (unsigned i = 0; i < ROUNDS; i++) {
		sign(&shift, i * PER_ROUND);
		struct load *load = load_open(&options);
		report_measure(&samples, load, &run, &broker, 1);
		load_close(load);
		link_must(samples.of[i].load.requests == PER_ROUND, "somebody did not sign in");
		seconds += samples.of[i].load.seconds;
	}
	json_t *row = report_row("session_open_20000", &samples);
	printf("; all in %.1f s, %.0f times a shift change", seconds, SHIFT_CHANGE_S / seconds);
	report_end_line();
	json_object_set_new(row, "seconds", json_real(seconds));
	json_array_append_new(rows, row);
	for (unsigned i = 0; i < PER_ROUND; i++)
		free(shift.sign_ins[i].packed);
	report_write(rows, argv[1]);
	return town_free(shift.town) != 0;
}
