package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const sumsFile = "SHA256SUMS"

type sum struct{ digest, name string }

// writeSums writes the digests of all files of a folder, sorted by name, as
// sha256sum -c reads them.
func writeSums(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var b strings.Builder
	for _, e := range entries {
		if e.Name() == sumsFile {
			continue
		}
		content, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "%s  %s\n", digest(content), e.Name())
	}
	return os.WriteFile(filepath.Join(dir, sumsFile), []byte(b.String()), 0o644)
}

func readSums(dir string) ([]sum, error) {
	f, err := os.Open(filepath.Join(dir, sumsFile))
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	var out []sum
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		d, name, ok := strings.Cut(lines.Text(), "  ")
		if !ok || len(d) != hex.EncodedLen(sha256.Size) || name != filepath.Base(name) {
			return nil, fmt.Errorf("%s: a line that is no checksum", sumsFile)
		}
		out = append(out, sum{d, name})
	}
	return out, lines.Err()
}

// verifySums holds every file of a folder against its digest; a file without
// one is an error, too.
func verifySums(dir string) error {
	sums, err := readSums(dir)
	if err != nil {
		return err
	}
	known := map[string]string{sumsFile: ""}
	for _, s := range sums {
		known[s.name] = s.digest
		content, err := os.ReadFile(filepath.Join(dir, s.name))
		if err != nil {
			return err
		}
		if digest(content) != s.digest {
			return fmt.Errorf("%s does not have the digest that %s says", s.name, sumsFile)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if _, ok := known[e.Name()]; !ok {
			return fmt.Errorf("%s has no digest in %s", e.Name(), sumsFile)
		}
	}
	if len(sums) == 0 {
		return errors.New("nothing was built")
	}
	return nil
}

func digest(b []byte) string {
	d := sha256.Sum256(b)
	return hex.EncodeToString(d[:])
}
