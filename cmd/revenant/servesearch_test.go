package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// searchedFor is what a server's search says.
type searchedFor struct {
	Findings []struct{ ID, Path string }
	Total    int
	Most     int
	By       string
	Behind   struct{ Building bool }
}

func (s *serving) search(query string) (out searchedFor) {
	s.t.Helper()
	code, _, body := s.ask(http.MethodGet, "/api/v1/search?limit=1000&q="+query, "")
	if err := json.Unmarshal([]byte(body), &out); err != nil || code != http.StatusOK {
		s.t.Fatalf("%d %s", code, body)
	}
	return out
}

// indexed waits until the index of a server answers with all findings that there are,
// and holds it against the store.
func (s *serving) indexed(b *box) {
	s.t.Helper()
	var want []string
	for _, f := range b.findingFacts() {
		want = append(want, f.ID)
	}
	slices.Sort(want)
	last := ""
	s.until("the index has what the store has", func() bool {
		r := s.search("")
		var got []string
		for _, f := range r.Findings {
			got = append(got, f.ID)
		}
		slices.Sort(got)
		last = fmt.Sprintf("by %s, %d to %d, %s", r.By, r.Total, r.Most, cmp.Diff(want, got))
		return r.By == "index" && r.Total == r.Most && slices.Equal(got, want)
	})
	if s.t.Failed() {
		s.t.Log(last)
	}
}

// metric is a number that the server tells of itself.
func (s *serving) metric(name string) string {
	s.t.Helper()
	_, _, body := s.ask(http.MethodGet, "/metrics", "")
	for line := range strings.Lines(body) {
		if n, is := strings.CutPrefix(line, name+" "); is {
			return strings.TrimSpace(n)
		}
	}
	s.t.Fatalf("there is no metric %s", name)
	return ""
}

// TestServedSearchKilled kills a server again and again while findings come and go. The
// next one answers with what the store has, and nothing else.
func TestServedSearchKilled(t *testing.T) {
	b := newBox(t)
	b.must(0, "", "init")
	rng := rand.New(rand.NewPCG(11, 13))
	for i := range 8 {
		b.write(fmt.Sprintf("app/%d.env", i), "password = "+generated(uint64(700+i))+"\n")
	}
	b.must(0, generated(700), "secret", "add", "shop/key0", "--owner", "payments")
	for round := range 4 {
		s := b.serve("--no-workers")
		died := make(chan struct{})
		go func() {
			defer close(died)
			time.Sleep(time.Duration(rng.IntN(400)) * time.Millisecond) // at any moment
			_ = s.cmd.Process.Kill()
		}()
		b.must(1, "", "dir", b.work)
		b.must(0, generated(uint64(701+round)), "secret", "add", fmt.Sprintf("shop/key%d", 1+round), "--owner", "payments")
		if err := os.Remove(filepath.Join(b.work, fmt.Sprintf("app/%d.env", 7-round))); err != nil {
			t.Fatal(err)
		}
		b.write(fmt.Sprintf("app/new%d.env", round), "password = "+generated(uint64(720+round))+"\n")
		<-died
		_ = s.cmd.Wait()
		if round%2 == 1 { // what was done while nobody served
			b.must(1, "", "dir", b.work)
		}
	}
	s := b.serve("--no-workers")
	s.indexed(b)
	b.must(1, "", "dir", b.work)
	s.indexed(b) // it follows what comes, too
	if n := s.search("owner:payments").Total; n == 0 {
		t.Error("no finding of an owner")
	}
	if code, _ := s.end(); code != 0 {
		t.Errorf("it ended with code %d", code)
	}
}

// TestRebuildWhileServing: a command does not take the index from a server that keeps
// it, and the server answers on.
func TestRebuildWhileServing(t *testing.T) {
	b := newBox(t)
	b.must(0, "", "init")
	b.write("a.env", "password = "+generated(740)+"\n")
	b.must(1, "", "dir", b.work)
	s := b.serve("--no-workers")
	s.indexed(b)
	if r := b.run("", "search", "rebuild"); r.code == 0 || !strings.Contains(r.stderr, "stop it first") {
		t.Errorf("%d %s%s", r.code, r.stdout, r.stderr)
	}
	s.indexed(b)
	if code, _ := s.end(); code != 0 {
		t.Errorf("it ended with code %d", code)
	}
	b.must(0, "", "search", "rebuild")
	s = b.serve("--no-workers")
	s.indexed(b)
	if n := s.metric("revenant_search_built"); n != "0" {
		t.Errorf("an index that is there was built %s times", n)
	}
}

// TestServedStoreSetBack: a backup is brought back under an index that has seen more.
// The server notices, and shows nothing that is no more; also where the store went
// another way since, past where the index was.
func TestServedStoreSetBack(t *testing.T) {
	for name, others := range map[string]int{"at once": 0, "past where it was": 12} {
		t.Run(name, func(t *testing.T) { storeSetBack(t, others) })
	}
}

func storeSetBack(t *testing.T, others int) {
	b := newBox(t)
	b.must(0, "", "init")
	b.write("kept.env", "password = "+generated(750)+"\n")
	b.must(1, "", "dir", b.work)
	backup := b.out("backup.db")
	b.must(0, "", "store", "backup", "--out", backup)
	s := b.serve("--no-workers")
	s.indexed(b)
	for i := range 3 {
		b.write(fmt.Sprintf("later%d.env", i), "password = "+generated(uint64(751+i))+"\n")
		b.must(1, "", "dir", b.work)
	}
	s.indexed(b)
	if n := s.search("").Total; n != 4 {
		t.Fatalf("%d findings: what came later is not found, so the test proves nothing", n)
	}
	if code, _ := s.end(); code != 0 {
		t.Errorf("it ended with code %d", code)
	}
	for _, name := range []string{"", "-wal", "-shm"} {
		_ = os.Remove(storeFile(b.registry()) + name)
	}
	b.must(0, "", "store", "restore", backup)
	for i := range 3 {
		if err := os.Remove(filepath.Join(b.work, fmt.Sprintf("later%d.env", i))); err != nil {
			t.Fatal(err)
		}
	}
	for i := range others {
		b.write(fmt.Sprintf("other%d.env", i), "password = "+generated(uint64(760+i))+"\n")
		b.must(1, "", "dir", b.work)
	}
	s = b.serve("--no-workers")
	s.indexed(b)
	if n := s.search("").Total; n != 1+others {
		t.Errorf("%d findings", n)
	}
	if n := s.metric("revenant_search_built"); n != "1" {
		t.Errorf("the index was built %s times", n)
	}
}
