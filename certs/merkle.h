// The audit log's hash tree: RFC 6962 section 2.1 hashes, RFC 9162 section 2.1.3 inclusion and 2.1.4
// consistency proofs, over opaque records. No input or output here; who keeps the hashes is the caller's affair.
//
//	commitment = SHA-256(salt || record)           so that hashes tell nothing about a record
//	leaf       = SHA-256(0x00 || commitment)
//	node       = SHA-256(0x01 || left || right)
//
// Storage scheme: a record at index i completes the perfect subtrees of height 0..z, z = trailing zero bits
// of i + 1. Its row keeps their hashes, leaf first ("nodes"), two per row on average, and every node of the
// tree is in exactly one row: node (height h, number k) is hash h of row ((k + 1) << h) - 1. Appending needs
// the right edge only, a proof needs O(log n) rows.
#ifndef CPIS_CERTS_MERKLE_H
#define CPIS_CERTS_MERKLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MERKLE_HASH_BYTES 32
#define MERKLE_SALT_BYTES 16
#define MERKLE_HEIGHT_MAX 63
// The largest tree that a path fits, and that no shift here goes too far for. Nothing is proven or verified beyond it.
#define MERKLE_SIZE_MAX ((uint64_t)1 << MERKLE_HEIGHT_MAX)

struct merkle_hash {
	uint8_t bytes[MERKLE_HASH_BYTES];
};

// The right edge: one perfect subtree for each bit set in `size`.
struct merkle_tree {
	uint64_t size;
	struct merkle_hash edge[MERKLE_HEIGHT_MAX + 1]; // edge[h] is meaningful when bit h of size is set
};

struct merkle_path {
	size_t count;
	struct merkle_hash hashes[MERKLE_HEIGHT_MAX]; // leaf to root
};

// A consistency proof: that a smaller tree is the beginning of a larger one. From the old tree's end upwards.
#define MERKLE_GROWTH_MAX (MERKLE_HEIGHT_MAX + 2)
struct merkle_growth {
	size_t count;
	struct merkle_hash hashes[MERKLE_GROWTH_MAX];
};

void merkle_commitment(const uint8_t salt[MERKLE_SALT_BYTES], const uint8_t *record, size_t record_bytes,
		       struct merkle_hash *ret);
void merkle_leaf_of(const struct merkle_hash *commitment, struct merkle_hash *ret);
// Both in one.
void merkle_leaf(const uint8_t salt[MERKLE_SALT_BYTES], const uint8_t *record, size_t record_bytes,
		 struct merkle_hash *ret);

// Appends a leaf. `ret_nodes` receives the hashes its row keeps: *ret_count of them, 1 to 64. What the edge
// had stays in place, so that `size--` takes the leaf off again.
void merkle_append(struct merkle_tree *tree, const struct merkle_hash *leaf,
		   struct merkle_hash ret_nodes[MERKLE_HEIGHT_MAX + 1], size_t *ret_count);

// Appends a perfect subtree of 1 << height records, of which the tree's size must be a multiple, by its root. `ret_nodes` receives
// the hashes that its last record's row keeps, from `height` on.
void merkle_append_perfect(struct merkle_tree *tree, unsigned height, const struct merkle_hash *root,
			   struct merkle_hash ret_nodes[MERKLE_HEIGHT_MAX + 1], size_t *ret_count);

// Root of the tree; of the empty one SHA-256 of nothing (RFC 6962).
void merkle_root(const struct merkle_tree *tree, struct merkle_hash *ret);

// Fetches node (height, number), see "storage scheme". False when it cannot be had; the caller's call fails then.
typedef bool merkle_node_fetch(void *context, unsigned height, uint64_t number, struct merkle_hash *ret);

// The right edge of a tree of `size` records, from its stored rows.
__attribute__((warn_unused_result)) bool merkle_tree_load(uint64_t size, merkle_node_fetch *fetch, void *context,
							   struct merkle_tree *ret);

// Inclusion proof of `index` in the tree of the first `size` records (RFC 9162 2.1.3.1). index < size.
__attribute__((warn_unused_result)) bool merkle_prove(uint64_t index, uint64_t size, merkle_node_fetch *fetch,
						       void *context, struct merkle_path *ret);

// RFC 9162 2.1.3.2: does `path` lead from `leaf` at `index` to the root of a tree of `size`?
__attribute__((warn_unused_result)) bool merkle_verify(const struct merkle_hash *leaf, uint64_t index, uint64_t size,
							const struct merkle_hash *path, size_t path_count,
							const struct merkle_hash *root);

// Consistency proof between the trees of the first `old_size` and `size` records (RFC 9162 2.1.4.1); old_size <= size. Empty when
// they are equal, or the old one is. O(log size) fetches, also when the right edge is ragged.
__attribute__((warn_unused_result)) bool merkle_prove_growth(uint64_t old_size, uint64_t size, merkle_node_fetch *fetch,
							      void *context, struct merkle_growth *ret);

// RFC 9162 2.1.4.2: is the tree of `old_size` records with `old_root` the beginning of the one of `size` with `root`?
__attribute__((warn_unused_result)) bool merkle_verify_growth(uint64_t old_size, const struct merkle_hash *old_root,
							       uint64_t size, const struct merkle_hash *root,
							       const struct merkle_hash *proof, size_t proof_count);

#endif
