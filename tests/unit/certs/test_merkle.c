// The hash tree against the published RFC 6962 vectors, and its proofs exhaustively for small trees.
#include "certs/merkle.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#define SIZE_MAX_TRIED 130

// The right edges' rows, kept as the audit log's table keeps them.
struct rows {
	size_t count;
	size_t node_count[SIZE_MAX_TRIED];
	struct merkle_hash nodes[SIZE_MAX_TRIED][MERKLE_HEIGHT_MAX + 1];
	struct merkle_hash leaves[SIZE_MAX_TRIED];
	struct merkle_hash roots[SIZE_MAX_TRIED + 1];
	size_t fetches_left; // a fetch that fails when this reaches 0
};

static struct rows rows;

static bool fetch(void *context, unsigned height, uint64_t number, struct merkle_hash *ret)
{
	struct rows *from = context;
	uint64_t row = ((number + 1) << height) - 1;
	if (from->fetches_left == 0 || row >= from->count || height >= from->node_count[row])
		return false;
	from->fetches_left--;
	*ret = from->nodes[row][height];
	return true;
}

static void fill_rows(void)
{
	struct merkle_tree tree = {.size = 0};
	rows.fetches_left = SIZE_MAX;
	rows.count = 0;
	merkle_root(&tree, &rows.roots[0]);
	for (size_t i = 0; i < SIZE_MAX_TRIED; i++) {
		uint8_t salt[MERKLE_SALT_BYTES] = {(uint8_t)i};
		merkle_leaf(salt, (const uint8_t *)"record", 6, &rows.leaves[i]);
		merkle_append(&tree, &rows.leaves[i], rows.nodes[i], &rows.node_count[i]);
		merkle_root(&tree, &rows.roots[i + 1]);
		rows.count = i + 1;
	}
}

static void expect_hex(const struct merkle_hash *hash, const char *hex)
{
	char text[2 * MERKLE_HASH_BYTES + 1];
	for (size_t i = 0; i < MERKLE_HASH_BYTES; i++)
		snprintf(text + 2 * i, 3, "%02x", hash->bytes[i]);
	ck_assert_str_eq(text, hex);
}

static bool same(const struct merkle_hash *a, const struct merkle_hash *b)
{
	return memcmp(a->bytes, b->bytes, MERKLE_HASH_BYTES) == 0;
}

// The eight-leaf tree of the certificate-transparency reference implementation. Its leaves are
// SHA-256(0x00 || data) over data of any length; merkle_leaf always hashes a commitment, so leaves are made here.
START_TEST(gives_the_published_roots_for_one_to_eight_leaves)
{
	static const struct {
		const char *leaf;
		size_t leaf_bytes;
		const char *root;
	} published[] = {
		{"", 0, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"},
		{"\x00", 1, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"},
		{"\x10", 1, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"},
		{"\x20\x21", 2, "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"},
		{"\x30\x31", 2, "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"},
		{"@ABC", 4, "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"},
		{"PQRSTUVW", 8, "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"},
		{"`abcdefghijklmno", 16, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"},
	};
	struct merkle_tree tree = {.size = 0};
	struct merkle_hash root;
	merkle_root(&tree, &root);
	expect_hex(&root, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	for (size_t i = 0; i < sizeof published / sizeof published[0]; i++) {
		uint8_t data[17] = {0x00};
		struct merkle_hash leaf, nodes[MERKLE_HEIGHT_MAX + 1];
		size_t count;
		memcpy(data + 1, published[i].leaf, published[i].leaf_bytes);
		ck_assert_int_eq(EVP_Digest(data, 1 + published[i].leaf_bytes, leaf.bytes, NULL, EVP_sha256(), NULL), 1);
		merkle_append(&tree, &leaf, nodes, &count);
		merkle_root(&tree, &root);
		expect_hex(&root, published[i].root);
	}
}
END_TEST

// python3: sha256(b"\0" + sha256(bytes(range(16)) + b"record").digest())
START_TEST(hashes_a_salted_commitment_into_the_leaf)
{
	uint8_t salt[MERKLE_SALT_BYTES];
	struct merkle_hash leaf;
	for (size_t i = 0; i < sizeof salt; i++)
		salt[i] = (uint8_t)i;
	merkle_leaf(salt, (const uint8_t *)"record", 6, &leaf);
	expect_hex(&leaf, "9c948e44faf3b2a94a3c685e1d4ed10631e41fc8b75a6fb38c23bb404d0577e2");
}
END_TEST

START_TEST(keeps_every_node_in_the_row_that_completes_it)
{
	fill_rows();
	size_t total = 0;
	for (size_t i = 0; i < SIZE_MAX_TRIED; i++) {
		ck_assert_uint_eq(rows.node_count[i], 1 + (size_t)__builtin_ctzll(i + 1));
		ck_assert(same(&rows.nodes[i][0], &rows.leaves[i]));
		total += rows.node_count[i];
	}
	ck_assert_uint_lt(total, 2 * SIZE_MAX_TRIED);
}
END_TEST

START_TEST(loads_the_same_tree_that_appending_left)
{
	fill_rows();
	for (uint64_t size = 0; size <= SIZE_MAX_TRIED; size++) {
		struct merkle_tree tree;
		struct merkle_hash root;
		ck_assert(merkle_tree_load(size, fetch, &rows, &tree));
		ck_assert_uint_eq(tree.size, size);
		merkle_root(&tree, &root);
		ck_assert(same(&root, &rows.roots[size]));
	}
}
END_TEST

START_TEST(loading_fails_and_writes_nothing_when_a_node_is_missing)
{
	fill_rows();
	struct merkle_tree tree = {.size = 77};
	rows.fetches_left = 1;
	ck_assert(!merkle_tree_load(3, fetch, &rows, &tree));
	ck_assert_uint_eq(tree.size, 77);
	rows.fetches_left = SIZE_MAX;
	ck_assert(!merkle_tree_load(UINT64_MAX, fetch, &rows, &tree));
	ck_assert_uint_eq(tree.size, 77);
}
END_TEST

static void expect_refused(uint64_t index, uint64_t size, const struct merkle_path *good)
{
	const struct merkle_hash *root = &rows.roots[size];
	struct merkle_hash leaf = rows.leaves[index];
	struct merkle_hash path[MERKLE_HEIGHT_MAX + 1];
	memcpy(path, good->hashes, good->count * sizeof path[0]);
	for (uint64_t other = 0; other < size; other++)
		// every other index in small trees; in larger ones, for time, those one bit away
		if (other != index && (size <= 64 || ((other ^ index) & ((other ^ index) - 1)) == 0))
			ck_assert(!merkle_verify(&leaf, other, size, path, good->count, root));
	ck_assert(!merkle_verify(&leaf, size, size, path, good->count, root));
	if (good->count > 0) {
		ck_assert(!merkle_verify(&leaf, index, size, path, good->count - 1, root));
		ck_assert(!merkle_verify(&leaf, index, size, path + 1, good->count - 1, root));
	}
	path[good->count] = rows.leaves[0];
	ck_assert(!merkle_verify(&leaf, index, size, path, good->count + 1, root));
	for (size_t element = 0; element < good->count; element++) {
		path[element].bytes[index % MERKLE_HASH_BYTES] ^= (uint8_t)(1u << size % 8);
		ck_assert(!merkle_verify(&leaf, index, size, path, good->count, root));
		path[element] = good->hashes[element];
	}
	leaf.bytes[31] ^= 1;
	ck_assert(!merkle_verify(&leaf, index, size, path, good->count, root));
}

START_TEST(proves_every_record_of_every_tree_and_nothing_else)
{
	fill_rows();
	for (uint64_t size = 1; size <= SIZE_MAX_TRIED; size++)
		for (uint64_t index = 0; index < size; index++) {
			struct merkle_path path;
			ck_assert(merkle_prove(index, size, fetch, &rows, &path));
			ck_assert(merkle_verify(&rows.leaves[index], index, size, path.hashes, path.count, &rows.roots[size]));
			expect_refused(index, size, &path);
		}
}
END_TEST

START_TEST(refuses_every_single_flipped_bit)
{
	fill_rows();
	enum { INDEX = 85, SIZE = 107 };
	struct merkle_path path;
	struct merkle_hash leaf = rows.leaves[INDEX], root = rows.roots[SIZE];
	ck_assert(merkle_prove(INDEX, SIZE, fetch, &rows, &path));
	for (size_t bit = 0; bit < 8 * MERKLE_HASH_BYTES; bit++) {
		uint8_t flip = (uint8_t)(1u << bit % 8);
		for (size_t element = 0; element < path.count; element++) {
			path.hashes[element].bytes[bit / 8] ^= flip;
			ck_assert(!merkle_verify(&leaf, INDEX, SIZE, path.hashes, path.count, &root));
			path.hashes[element].bytes[bit / 8] ^= flip;
		}
		leaf.bytes[bit / 8] ^= flip;
		ck_assert(!merkle_verify(&leaf, INDEX, SIZE, path.hashes, path.count, &root));
		leaf.bytes[bit / 8] ^= flip;
		root.bytes[bit / 8] ^= flip;
		ck_assert(!merkle_verify(&leaf, INDEX, SIZE, path.hashes, path.count, &root));
		root.bytes[bit / 8] ^= flip;
	}
	ck_assert(merkle_verify(&leaf, INDEX, SIZE, path.hashes, path.count, &root));
}
END_TEST

// A size can only be told apart where it changes the path's shape: that much is refused here by its length or
// sides, and the rest by the root, which always belongs to one size under a signed checkpoint.
START_TEST(refuses_another_trees_root)
{
	fill_rows();
	for (uint64_t size = 1; size <= SIZE_MAX_TRIED; size++)
		for (uint64_t other = 1; other <= SIZE_MAX_TRIED; other++) {
			struct merkle_path path;
			if (other == size)
				continue;
			ck_assert(merkle_prove(size - 1, size, fetch, &rows, &path));
			ck_assert(!merkle_verify(&rows.leaves[size - 1], size - 1, other, path.hashes, path.count,
						 &rows.roots[other]));
		}
}
END_TEST

START_TEST(proving_fails_outside_the_tree_or_without_its_nodes)
{
	fill_rows();
	struct merkle_path path = {.count = 99};
	ck_assert(!merkle_prove(5, 5, fetch, &rows, &path));
	ck_assert(!merkle_prove(0, 0, fetch, &rows, &path));
	ck_assert(!merkle_prove(0, UINT64_MAX, fetch, &rows, &path));
	for (size_t fetches = 0; fetches < 3; fetches++) {
		rows.fetches_left = fetches;
		ck_assert(!merkle_prove(0, 8, fetch, &rows, &path));
	}
	ck_assert_uint_eq(path.count, 99);
}
END_TEST

// Row numbers beyond what a test can store: a tree of 2^63 records is the largest, and its arithmetic must hold.
static bool fetch_any(void *context, unsigned height, uint64_t number, struct merkle_hash *ret)
{
	uint64_t *largest_row = context;
	uint64_t row = ((number + 1) << height) - 1;
	if (row > *largest_row)
		*largest_row = row;
	memset(ret->bytes, (int)height, sizeof ret->bytes);
	return true;
}

START_TEST(proves_in_the_largest_tree_within_the_path)
{
	struct merkle_path path;
	struct merkle_tree tree;
	struct merkle_hash root, leaf;
	uint64_t size = UINT64_C(1) << 63, largest_row = 0;
	memset(leaf.bytes, 0, sizeof leaf.bytes);
	ck_assert(merkle_prove(size - 1, size, fetch_any, &largest_row, &path));
	ck_assert_uint_eq(path.count, MERKLE_HEIGHT_MAX);
	ck_assert_uint_lt(largest_row, size);
	ck_assert(merkle_tree_load(size, fetch_any, &largest_row, &tree));
	ck_assert_uint_eq(largest_row, size - 1);
	merkle_root(&tree, &root);
	ck_assert(!merkle_verify(&leaf, size - 1, size, path.hashes, path.count, &root));
	ck_assert(merkle_prove(size - 2, size - 1, fetch_any, &largest_row, &path));
	ck_assert_uint_le(path.count, MERKLE_HEIGHT_MAX);
}
END_TEST

// 2^64 - 1 has 64 levels: one more than a path has room for.
START_TEST(nothing_is_proven_or_verified_in_a_larger_tree)
{
	static const uint64_t sizes[] = {MERKLE_SIZE_MAX + 1, UINT64_MAX};
	struct merkle_path path = {.count = 99};
	struct merkle_growth growth = {.count = 99};
	struct merkle_tree tree = {.size = 99};
	struct merkle_hash hash = {{0}};
	uint64_t largest_row = 0;
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		ck_assert(!merkle_prove(0, sizes[i], fetch_any, &largest_row, &path));
		ck_assert(!merkle_prove_growth(1, sizes[i], fetch_any, &largest_row, &growth));
		ck_assert(!merkle_prove_growth(sizes[i], sizes[i], fetch_any, &largest_row, &growth));
		ck_assert(!merkle_tree_load(sizes[i], fetch_any, &largest_row, &tree));
		ck_assert(!merkle_verify(&hash, 0, sizes[i], path.hashes, 0, &hash));
		ck_assert(!merkle_verify_growth(sizes[i], &hash, sizes[i], &hash, NULL, 0));
	}
	ck_assert_uint_eq(largest_row, 0);
	ck_assert(path.count == 99 && growth.count == 99 && tree.size == 99);
	ck_assert(merkle_prove_growth(MERKLE_SIZE_MAX - 1, MERKLE_SIZE_MAX, fetch_any, &largest_row, &growth));
	ck_assert(merkle_prove_growth(1, MERKLE_SIZE_MAX - 1, fetch_any, &largest_row, &growth));
	ck_assert_uint_le(growth.count, MERKLE_GROWTH_MAX);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("merkle");
	TCase *tests = tcase_create("merkle");
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, gives_the_published_roots_for_one_to_eight_leaves);
	tcase_add_test(tests, hashes_a_salted_commitment_into_the_leaf);
	tcase_add_test(tests, keeps_every_node_in_the_row_that_completes_it);
	tcase_add_test(tests, loads_the_same_tree_that_appending_left);
	tcase_add_test(tests, loading_fails_and_writes_nothing_when_a_node_is_missing);
	tcase_add_test(tests, proves_every_record_of_every_tree_and_nothing_else);
	tcase_add_test(tests, refuses_every_single_flipped_bit);
	tcase_add_test(tests, refuses_another_trees_root);
	tcase_add_test(tests, proving_fails_outside_the_tree_or_without_its_nodes);
	tcase_add_test(tests, proves_in_the_largest_tree_within_the_path);
	tcase_add_test(tests, nothing_is_proven_or_verified_in_a_larger_tree);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
