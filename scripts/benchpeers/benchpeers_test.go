package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestLogIsTheSameEachTimeAndHoldsThePlants(t *testing.T) {
	dir := t.TempDir()
	p := newPlants(100)
	var made [2][]byte
	for i := range made {
		c, err := makeLog(filepath.Join(dir, "log"), 1<<20, p)
		if err != nil {
			t.Fatal(err)
		}
		if made[i], err = os.ReadFile(c.path); err != nil || int64(len(made[i])) != c.bytes || c.bytes < 1<<20 {
			t.Fatalf("%d bytes, said to be %d, %v", len(made[i]), c.bytes, err)
		}
	}
	if !bytes.Equal(made[0], made[1]) {
		t.Error("two logs from one seed differ")
	}
	for _, plant := range p.all() {
		if !bytes.Contains(made[0], []byte(plant.text)) {
			t.Errorf("a plant is missing")
		}
	}
	if len(p.generic) != 40 || len(p.registered) != 30 || strings.Count(p.jsonl(), "\n") != 100 {
		t.Errorf("%d generic plants, %d registered ones", len(p.generic), len(p.registered))
	}
}

func TestTreeHoldsThePlants(t *testing.T) {
	p := newPlants(100)
	c, err := makeTree(filepath.Join(t.TempDir(), "tree"), 4<<20, p)
	if err != nil {
		t.Fatal(err)
	}
	var all []byte
	files := 0
	err = filepath.WalkDir(c.path, func(name string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		files++
		b, err := os.ReadFile(name)
		all = append(all, b...)
		return err
	})
	if err != nil || files != c.files || int64(len(all)) != c.bytes {
		t.Errorf("%d files of %d bytes, said to be %d of %d, %v", files, len(all), c.files, c.bytes, err)
	}
	for _, plant := range p.all() {
		if !bytes.Contains(all, []byte(plant.text)) {
			t.Error("a plant is missing")
		}
	}
}

func TestRecall(t *testing.T) {
	f, err := parseGitleaks([]byte(`[{"Secret":"aaa"},{"Secret":"xbbbx"},{"Secret":"aaa"}]`))
	if err != nil || f.count != 3 {
		t.Fatalf("%d findings, %v", f.count, err)
	}
	if n := f.recall([]plant{{value: "aaa"}, {value: "bbb"}, {value: "ccc"}}); n != 2 {
		t.Errorf("recall %d, want 2", n)
	}
	if _, err := parseGitleaks([]byte("no report")); err == nil {
		t.Error("no report is taken for one")
	}
	f, err = parseTrufflehog([]byte("{\"Raw\":\"aaa\"}\n{\"level\":\"info\"}\n{\"Raw\":\"b\",\"RawV2\":\"bbb\"}\n"))
	if err != nil || f.count != 2 || f.recall([]plant{{value: "aaa"}, {value: "bbb"}}) != 2 {
		t.Errorf("%d findings, %v", f.count, err)
	}
}

func TestRows(t *testing.T) {
	w := work{name: "stream", stream: true, whole: corpus{bytes: 100}, part: corpus{bytes: 10}}
	ran := func(name string, c corpus, seconds ...int) result {
		r := result{work: w, tool: &tool{name: name}, corpus: c}
		for _, s := range seconds {
			r.samples = append(r.samples, sample{wall: time.Duration(s) * time.Second, cpu: time.Second, peak: 5 << 20})
		}
		return r
	}
	results := []result{ran(ours, w.whole, 4, 2, 9), ran(release, w.whole, 80), ran(plainGo, w.part, 10), ran(both, w.whole, 8)}
	var got []string
	for _, target := range targets() {
		if row, ok := target.row(results); ok {
			got = append(got, row)
		}
	}
	want := []string{
		"| stream: times as fast as gitleaks' release build | 20.0 (missed) | 1.0 | 25.0 |\n",
		"| stream: times as fast as gitleaks by `go install` | 25.0 | 10.0 | - |\n",
		"| stream: times the time with registered values in the same pass | 2.0 (missed) | 1.0 | at most 1.4 |\n",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestBetween(t *testing.T) {
	got, err := between("a\n"+beginMark+"old\n"+endMark+"b\n", "new")
	if err != nil || got != "a\n"+beginMark+"\nnew\n\n"+endMark+"b\n" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := between("a\nb\n", "new"); !errors.Is(err, errNoMarks) {
		t.Errorf("without marks: %v", err)
	}
}
