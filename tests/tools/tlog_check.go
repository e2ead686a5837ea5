// Checks what tests/tools/tlog_proofs.c wrote, with golang.org/x/mod's note and tlog, which share no code with ours.
// Every tree is built anew from the commitments; every proof must be accepted, be the very one that tlog makes,
// and be refused with one bit changed.
package main

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type checker struct {
	hashes   []tlog.Hash
	verifier note.Verifier
	roots    map[int64]tlog.Hash
	checks   map[string]int
}

func (c *checker) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		out[i] = c.hashes[index]
	}
	return out, nil
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func read(directory, name string) []byte {
	data, err := os.ReadFile(filepath.Join(directory, name))
	must(err)
	return data
}

func (c *checker) build(commitments []byte) {
	for i := 0; i < len(commitments); i += tlog.HashSize {
		stored, err := tlog.StoredHashes(int64(i/tlog.HashSize), commitments[i:i+tlog.HashSize], c)
		must(err)
		c.hashes = append(c.hashes, stored...)
	}
}

func (c *checker) leaf(index int64) tlog.Hash {
	return c.hashes[tlog.StoredHashIndex(0, index)]
}

func (c *checker) tree(size int64, text []byte) {
	opened, err := note.Open(text, note.VerifierList(c.verifier))
	must(err)
	// x/mod's own checkpoints begin with another first line; the rest of the body is the same.
	lines := strings.SplitN(opened.Text, "\n", 2)
	if lines[0] != c.verifier.Name() {
		log.Fatalf("tree %d: origin %q", size, lines[0])
	}
	tree, err := tlog.ParseTree([]byte("go.sum database tree\n" + lines[1]))
	must(err)
	root, err := tlog.TreeHash(size, c)
	must(err)
	if tree.N != size || (size > 0 && tree.Hash != root) {
		log.Fatalf("tree %d: another size or root", size)
	}
	c.roots[size] = tree.Hash
	for at := range text {
		if size != 3 {
			break // one note is enough for every single byte of it
		}
		text[at] ^= 1
		if again, err := note.Open(text, note.VerifierList(c.verifier)); err == nil && again.Text != opened.Text {
			log.Fatalf("tree %d: byte %d can be changed", size, at)
		}
		text[at] ^= 1
	}
}

func same(a, b []tlog.Hash) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func (c *checker) record(size, index int64, proof []tlog.Hash) {
	must(tlog.CheckRecord(proof, size, c.roots[size], index, c.leaf(index)))
	theirs, err := tlog.ProveRecord(size, index, c)
	must(err)
	if !same(proof, theirs) {
		log.Fatalf("record %d of %d: another proof than tlog's", index, size)
	}
	for i := range proof {
		proof[i][i] ^= 4
		if tlog.CheckRecord(proof, size, c.roots[size], index, c.leaf(index)) == nil {
			log.Fatalf("record %d of %d: hash %d can be changed", index, size, i)
		}
		proof[i][i] ^= 4
	}
}

func (c *checker) growth(old, size int64, proof []tlog.Hash) {
	oldRoot, err := tlog.TreeHash(old, c)
	must(err)
	must(tlog.CheckTree(proof, size, c.roots[size], old, oldRoot))
	theirs, err := tlog.ProveTree(size, old, c)
	must(err)
	if !same(proof, theirs) {
		log.Fatalf("growth %d to %d: another proof than tlog's", old, size)
	}
	for i := range proof {
		proof[i][i] ^= 4
		if tlog.CheckTree(proof, size, c.roots[size], old, oldRoot) == nil {
			log.Fatalf("growth %d to %d: hash %d can be changed", old, size, i)
		}
		proof[i][i] ^= 4
	}
}

func parse(text string) []tlog.Hash {
	if text == "-" {
		return nil
	}
	data, err := hex.DecodeString(text)
	must(err)
	var hashes []tlog.Hash
	for ; len(data) > 0; data = data[tlog.HashSize:] {
		var hash tlog.Hash
		copy(hash[:], data[:tlog.HashSize])
		hashes = append(hashes, hash)
	}
	return hashes
}

func (c *checker) line(text string) {
	var kind, rest string
	var a, b int64
	if strings.HasPrefix(text, "tree ") {
		_, err := fmt.Sscan(text, &kind, &a, &rest)
		must(err)
		data, err := hex.DecodeString(rest)
		must(err)
		c.tree(a, data)
	} else {
		_, err := fmt.Sscan(text, &kind, &a, &b, &rest)
		must(err)
		if kind == "record" {
			c.record(a, b, parse(rest))
		} else {
			c.growth(a, b, parse(rest))
		}
	}
	c.checks[kind]++
}

func main() {
	log.SetFlags(0)
	directory := os.Args[1]
	verifier, err := note.NewVerifier(strings.TrimSpace(string(read(directory, "log.vkey"))))
	must(err)
	c := &checker{verifier: verifier, roots: map[int64]tlog.Hash{}, checks: map[string]int{}}
	c.build(read(directory, "commitments"))
	file, err := os.Open(filepath.Join(directory, "proofs"))
	must(err)
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		c.line(lines.Text())
	}
	must(lines.Err())
	fmt.Printf("%s, golang.org/x/mod: %d checkpoints, %d inclusion proofs, %d consistency proofs, %d records\n", runtime.Version(),
		c.checks["tree"], c.checks["record"], c.checks["growth"], len(read(directory, "commitments"))/tlog.HashSize)
}
