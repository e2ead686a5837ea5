// Reads an export as any software for c2sp.org/tlog-tiles would, with golang.org/x/mod's note and tlog, which share no code
// with ours: at each size that it has a checkpoint of, every tile that is needed is checked against the signed root, records against
// entries, entries against leaves, inclusion, and consistency with all sizes before. Then a proof (c2sp.org/tlog-proof) by itself.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"runtime"
	"sort"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const sample = 64 // records of a tree that is too large to prove them all

type tiles struct{ directory string }

func (tiles) Height() int                                { return 8 }
func (tiles) SaveTiles(tiles []tlog.Tile, data [][]byte) {}

// tlog names the height too: tile/8/<L>/<N>.
func (t tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var out [][]byte
	for _, tile := range wanted {
		data, err := os.ReadFile(filepath.Join(t.directory, strings.Replace(tile.Path(), "tile/8/", "tile/", 1)))
		if err != nil {
			return nil, err
		}
		out = append(out, data)
	}
	return out, nil
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func read(parts ...string) []byte {
	data, err := os.ReadFile(filepath.Join(parts...))
	must(err)
	return data
}

func openTree(text []byte, verifier note.Verifier) tlog.Tree {
	opened, err := note.Open(text, note.VerifierList(verifier))
	must(err)
	lines := strings.SplitN(opened.Text, "\n", 2)
	if lines[0] != verifier.Name() {
		log.Fatalf("origin %q", lines[0])
	}
	// x/mod's own checkpoints begin with another first line; the rest of the body is the same.
	tree, err := tlog.ParseTree([]byte("go.sum database tree\n" + lines[1]))
	must(err)
	return tree
}

func items(data []byte) [][]byte {
	var out [][]byte
	for len(data) > 0 {
		length := int(data[0])<<8 | int(data[1])
		out = append(out, data[2:2+length])
		data = data[2+length:]
	}
	return out
}

// The leaves of a tree, out of its bundles of entries, which must be those of the records.
func leaves(directory string, size int64) []tlog.Hash {
	var out []tlog.Hash
	for n := int64(0); n*256 < size; n++ {
		tile := tlog.Tile{H: 8, L: 0, N: n, W: 256}
		if size-n*256 < 256 {
			tile.W = int(size - n*256)
		}
		name := strings.TrimPrefix(tile.Path(), "tile/8/0/")
		entries, records := items(read(directory, "tile/entries", name)), items(read(directory, "record", name))
		if len(entries) != tile.W || len(records) != tile.W {
			log.Fatalf("%s: %d entries, %d records", name, len(entries), len(records))
		}
		for i, entry := range entries {
			commitment := sha256.Sum256(records[i])
			if !bytes.Equal(commitment[:], entry) {
				log.Fatalf("%s: record %d is not that of its entry", name, i)
			}
			out = append(out, tlog.RecordHash(entry))
		}
	}
	return out
}

func proofText(text []byte, verifier note.Verifier) {
	parts := strings.SplitN(string(text), "\n\n", 2)
	lines := strings.Split(parts[0], "\n")
	if lines[0] != "c2sp.org/tlog-proof@v1" || !strings.HasPrefix(lines[1], "extra ") || !strings.HasPrefix(lines[2], "index ") {
		log.Fatal("not a tlog-proof")
	}
	extra, err := base64.StdEncoding.DecodeString(lines[1][len("extra "):])
	must(err)
	index, err := strconv.ParseInt(lines[2][len("index "):], 10, 64)
	must(err)
	var proof tlog.RecordProof
	for _, line := range lines[3:] {
		hash, err := tlog.ParseHash(line)
		must(err)
		proof = append(proof, hash)
	}
	tree := openTree([]byte(parts[1]), verifier)
	commitment := sha256.Sum256(extra)
	must(tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(commitment[:])))
	extra[20] ^= 1
	commitment = sha256.Sum256(extra)
	if tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(commitment[:])) == nil {
		log.Fatal("a changed record is proven as well")
	}
}

func main() {
	log.SetFlags(0)
	directory := os.Args[1]
	verifier, err := note.NewVerifier(strings.TrimSpace(string(read(os.Args[2]))))
	must(err)
	names, err := os.ReadDir(filepath.Join(directory, "checkpoints"))
	must(err)
	var trees []tlog.Tree
	for _, name := range names {
		tree := openTree(read(directory, "checkpoints", name.Name()), verifier)
		if name.Name() != fmt.Sprint(tree.N) {
			log.Fatalf("checkpoints/%s is of %d records", name.Name(), tree.N)
		}
		trees = append(trees, tree)
	}
	sort.Slice(trees, func(i, j int) bool { return trees[i].N < trees[j].N })
	if newest := openTree(read(directory, "checkpoint"), verifier); newest != trees[len(trees)-1] {
		log.Fatal("checkpoint is not the newest")
	}
	inclusions, consistencies := 0, 0
	for i, tree := range trees {
		reader := tlog.TileHashReader(tree, tiles{directory})
		hashes := leaves(directory, tree.N)
		step := tree.N/sample + 1
		if tree.N <= 513 {
			step = 1
		}
		for index := tree.N - 1; index >= 0; index -= step {
			proof, err := tlog.ProveRecord(tree.N, index, reader)
			must(err)
			must(tlog.CheckRecord(proof, tree.N, tree.Hash, index, hashes[index]))
			inclusions++
		}
		for _, old := range trees[:i] {
			proof, err := tlog.ProveTree(tree.N, old.N, reader)
			must(err)
			must(tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash))
			consistencies++
		}
	}
	for _, path := range os.Args[3:] {
		proofText(read(path), verifier)
	}
	fmt.Printf("%s, golang.org/x/mod: %d exports up to %d records, %d inclusion proofs, %d consistency proofs, %d proofs kept\n",
		runtime.Version(), len(trees), trees[len(trees)-1].N, inclusions, consistencies, len(os.Args[3:]))
}
