// Consistency proofs, exhaustively for pairs of small trees and around 2^20 records.
#include "certs/merkle.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define SMALL 70u
#define LARGE ((1u << 20) + 3)
// More than one fetch for each level would be more than O(log n).
#define FETCHES_MAX 44u

// Rows 0..i-1 keep 2i - popcount(i) hashes, so all of them fit one array.
struct log {
	struct merkle_hash *nodes;
	size_t fetches, fetches_max;
};

static struct log big;

static size_t place_of(uint64_t row)
{
	return 2 * (size_t)row - (size_t)__builtin_popcountll(row);
}

static bool fetch(void *context, unsigned height, uint64_t number, struct merkle_hash *ret)
{
	struct log *log = context;
	if (log->fetches++ >= log->fetches_max)
		return false;
	*ret = log->nodes[place_of(((number + 1) << height) - 1) + height];
	return true;
}

static void setup(void)
{
	struct merkle_tree tree = {.size = 0};
	big = (struct log){.nodes = calloc(2 * LARGE, sizeof *big.nodes), .fetches_max = FETCHES_MAX};
	ck_assert_ptr_nonnull(big.nodes);
	for (uint64_t i = 0; i < LARGE; i++) {
		struct merkle_hash leaf = {{0}}, nodes[MERKLE_HEIGHT_MAX + 1];
		size_t count;
		memcpy(leaf.bytes, &i, sizeof i);
		merkle_append(&tree, &leaf, nodes, &count);
		memcpy(big.nodes + place_of(i), nodes, count * sizeof nodes[0]);
	}
}

static void teardown(void)
{
	free(big.nodes);
}

static struct merkle_hash root_of(uint64_t size)
{
	struct merkle_tree tree;
	struct merkle_hash root;
	big.fetches = 0;
	ck_assert(merkle_tree_load(size, fetch, &big, &tree));
	merkle_root(&tree, &root);
	return root;
}

static struct merkle_growth prove(uint64_t old_size, uint64_t size)
{
	struct merkle_growth proof;
	big.fetches = 0;
	ck_assert(merkle_prove_growth(old_size, size, fetch, &big, &proof));
	return proof;
}

// Nothing but this proof, these sizes and these roots.
static void assert_only(uint64_t old_size, uint64_t size, const struct merkle_growth *good)
{
	struct merkle_hash old_root = root_of(old_size), root = root_of(size), other = {{7}};
	struct merkle_hash proof[MERKLE_GROWTH_MAX + 1];
	memcpy(proof, good->hashes, good->count * sizeof proof[0]);
	proof[good->count] = other;
	ck_assert_msg(merkle_verify_growth(old_size, &old_root, size, &root, proof, good->count), "%llu to %llu",
		      (unsigned long long)old_size, (unsigned long long)size);
	ck_assert(!merkle_verify_growth(old_size, &other, size, &root, proof, good->count));
	ck_assert(!merkle_verify_growth(old_size, &old_root, size, &root, proof, good->count + 1));
	if (good->count > 0)
		ck_assert(!merkle_verify_growth(old_size, &old_root, size, &root, proof, good->count - 1));
	if (old_size > 0)
		ck_assert(!merkle_verify_growth(old_size, &old_root, size, &other, proof, good->count));
	for (size_t i = 0; i < good->count; i++) {
		proof[i].bytes[i % MERKLE_HASH_BYTES] ^= 0x10;
		ck_assert(!merkle_verify_growth(old_size, &old_root, size, &root, proof, good->count));
		proof[i] = good->hashes[i];
	}
}

START_TEST(proves_every_pair_of_small_sizes_and_nothing_else)
{
	for (uint64_t size = 0; size <= SMALL; size++)
		for (uint64_t old_size = 0; old_size <= size; old_size++) {
			struct merkle_growth proof = prove(old_size, size);
			assert_only(old_size, size, &proof);
		}
}
END_TEST

START_TEST(proves_around_a_power_of_two_with_a_fetch_for_each_level)
{
	static const uint64_t old_sizes[] = {0, 1, 2, 3, 70, 4095, 65537, (1u << 19) - 1, 1u << 19, (1u << 19) + 1};
	for (uint64_t size = (1u << 20) - 3; size <= LARGE; size++) {
		for (size_t i = 0; i < sizeof old_sizes / sizeof old_sizes[0]; i++) {
			struct merkle_growth proof = prove(old_sizes[i], size);
			assert_only(old_sizes[i], size, &proof);
		}
		for (uint64_t old_size = (1u << 20) - 3; old_size <= size; old_size++) {
			struct merkle_growth proof = prove(old_size, size);
			assert_only(old_size, size, &proof);
		}
	}
}
END_TEST

// A proof of one old size says nothing of another one: the roots differ.
START_TEST(refuses_another_sizes_root)
{
	for (uint64_t old_size = 1; old_size < SMALL; old_size++) {
		struct merkle_growth proof = prove(old_size, SMALL);
		struct merkle_hash root = root_of(SMALL);
		for (uint64_t other = 1; other < SMALL; other++) {
			struct merkle_hash other_root = root_of(other);
			if (other != old_size)
				ck_assert(!merkle_verify_growth(old_size, &other_root, SMALL, &root, proof.hashes, proof.count));
		}
	}
}
END_TEST

START_TEST(refuses_a_shrinking_log_and_a_proof_that_is_too_long)
{
	struct merkle_growth proof = {.count = 99};
	struct merkle_hash many[MERKLE_GROWTH_MAX + 1] = {{{0}}}, root = root_of(5), old_root = root_of(6);
	ck_assert(!merkle_prove_growth(6, 5, fetch, &big, &proof));
	ck_assert(!merkle_verify_growth(6, &old_root, 5, &root, many, 0));
	ck_assert(!merkle_verify_growth(5, &root, 6, &old_root, many, MERKLE_GROWTH_MAX + 1));
	ck_assert(!merkle_verify_growth(5, &root, 6, &old_root, many, 0));
	ck_assert(!merkle_verify_growth(5, &root, 5, &old_root, many, 0));
	ck_assert_uint_eq(proof.count, 99);
}
END_TEST

START_TEST(writes_nothing_when_a_node_is_missing)
{
	for (size_t fetches = 0; fetches < 4; fetches++) {
		struct merkle_growth proof = {.count = 99};
		big.fetches = 0;
		big.fetches_max = fetches;
		ck_assert(!merkle_prove_growth(5, 13, fetch, &big, &proof));
		ck_assert_uint_eq(proof.count, 99);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("merkle_growth");
	TCase *tests = tcase_create("merkle_growth");
	tcase_set_timeout(tests, 60);
	tcase_add_unchecked_fixture(tests, setup, teardown);
	tcase_add_test(tests, proves_every_pair_of_small_sizes_and_nothing_else);
	tcase_add_test(tests, proves_around_a_power_of_two_with_a_fetch_for_each_level);
	tcase_add_test(tests, refuses_another_sizes_root);
	tcase_add_test(tests, refuses_a_shrinking_log_and_a_proof_that_is_too_long);
	tcase_add_test(tests, writes_nothing_when_a_node_is_missing);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
