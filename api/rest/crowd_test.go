package rest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
)

// TestCrowd has many ask at once while findings are recorded: everybody is answered,
// and nobody is told less than was there when they asked.
func TestCrowd(t *testing.T) {
	onBoth(t, crowd)
}

func crowd(t *testing.T, k *kit) {
	const readers, each, writes = 100, 4, 40
	value := k.text(32)
	rows := k.add("shop/db", value)
	id := k.found("git:host/shop", "0.env", value, rows...)
	recorded := atomic.Int64{}
	recorded.Store(1)
	var all sync.WaitGroup
	for reader := range readers {
		all.Go(func() {
			for n := range each {
				least := recorded.Load()
				what := crowded(string(id))[(reader+n)%len(crowded(""))]
				r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/v1"+what.path, nil)
				r.Header.Set("Authorization", "Bearer "+master)
				w := httptest.NewRecorder()
				k.h.ServeHTTP(w, r)
				if w.Code != http.StatusOK {
					t.Errorf("%s: %d %s", what.path, w.Code, w.Body)
					return
				}
				if got := what.count(w.Body.Bytes()); got >= 0 && (got < least || got > writes+1) {
					t.Errorf("%s tells of %d findings, and %d were there", what.path, got, least)
				}
			}
		})
	}
	for n := range writes {
		k.found("git:host/shop", fmt.Sprintf("%d.env", n+1), value, rows...)
		recorded.Add(1)
	}
	all.Wait()
}

type question struct {
	path  string
	count func([]byte) int64 // how many findings an answer tells of; negative: it does not
}

func crowded(id string) []question {
	sum := func(counts map[string]int64) (n int64) {
		for _, c := range counts {
			n += c
		}
		return n
	}
	read := func(b []byte, into any) {
		if err := json.Unmarshal(b, into); err != nil {
			panic(err)
		}
	}
	counts := func(b []byte) int64 {
		var a struct{ Verdicts map[string]int64 }
		read(b, &a)
		return sum(a.Verdicts)
	}
	status := func(b []byte) int64 {
		var a struct {
			Registry struct{ Findings map[string]int64 }
		}
		read(b, &a)
		return sum(a.Registry.Findings)
	}
	sources := func(b []byte) int64 {
		var a struct {
			Sources []struct{ Findings map[string]int64 }
		}
		read(b, &a)
		return sum(a.Sources[0].Findings)
	}
	list := func(b []byte) int64 {
		var a struct{ Findings []struct{ ID string } }
		read(b, &a)
		return int64(len(a.Findings))
	}
	one := func([]byte) int64 { return -1 }
	return []question{
		{"/findings/counts", counts},
		{"/findings/counts?status=open", counts},
		{"/status", status},
		{"/sources", sources},
		{"/findings?limit=100", list},
		{"/findings?limit=100&verdict=leaked", list},
		{"/search?limit=100", one}, // without an index it says what it did not read in time
		{"/findings/" + id, one},
		{"/secrets/shop%2Fdb", one},
	}
}
