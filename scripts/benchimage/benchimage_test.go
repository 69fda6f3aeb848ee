package main

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"revenant/scripts/benchkit"
)

// TestLayers: each kind of layer is an archive under its digest, with files in
// it, and the same when it is made again.
func TestLayers(t *testing.T) {
	for _, k := range kinds(options{mb: 4, bin: t.TempDir()}) {
		t.Run(k.name, func(t *testing.T) {
			dir := t.TempDir()
			l, err := writeImage(dir, k)
			if err != nil {
				t.Fatal(err)
			}
			packed, err := os.ReadFile(l.path)
			if err != nil {
				t.Fatal(err)
			}
			if sum := sha256.Sum256(packed); hex.EncodeToString(sum[:]) != filepath.Base(l.path) || int64(len(packed)) != l.packed {
				t.Errorf("the layer of %d bytes is not what its name says", len(packed))
			}
			files, size := read(t, l.path)
			if files != l.files || files == 0 || size == 0 || size > 8e6 {
				t.Errorf("%d files of %d bytes, said were %d", files, size, l.files)
			}
			if again, err := writeImage(t.TempDir(), k); err != nil || filepath.Base(again.path) != filepath.Base(l.path) {
				t.Errorf("made again it is another one: %v", err)
			}
		})
	}
}

func read(t *testing.T, path string) (files int, size int64) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(z); ; files++ {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files, size
		}
		if err != nil {
			t.Fatal(err)
		}
		size += h.Size
	}
}

// TestTable: what misses the aim is said to, and stands between the marks.
func TestTable(t *testing.T) {
	at := func(wall, cpu int) (out []benchkit.Sample) {
		for _, more := range []time.Duration{0, -1, 1} { // the least is not the median
			out = append(out, benchkit.Sample{Wall: time.Duration(wall)*time.Second + more*time.Second/2, CPU: time.Duration(cpu) * time.Second, Peak: 1e6})
		}
		return out
	}
	text := table(options{runs: 1}, []row{
		{kind: kind{name: "fast"}, inflate: at(7, 7), rules: at(8, 8), search: at(10, 14)},
		{kind: kind{name: "slow"}, inflate: at(6, 6), rules: at(9, 9), search: at(10, 18)},
		{kind: kind{name: "nested"}, inflate: at(1, 1), every: at(8, 9), rules: at(9, 9), search: at(10, 18)},
	})
	for _, want := range []string{"| 88 % [87 %] |", "| 67 % [65 %] (missed) |", "| 70 % [68 %] | 2.0 |", "| 60 % [58 %] (missed) | 3.0 |", "| 80 % [79 %] | 2.0 |", "| 10 % [5 %] (missed) | 18.0 |"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	doc := filepath.Join(t.TempDir(), "doc.md")
	if err := os.WriteFile(doc, []byte("a\n"+beginMark+"old\n"+endMark+"z\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := benchkit.ReplaceBetween(doc, beginMark, endMark, text); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(doc); err != nil || string(got) != "a\n"+beginMark+"\n"+text+endMark+"z\n" {
		t.Errorf("%v\n%s", err, got)
	}
}
