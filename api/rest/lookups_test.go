package rest_test

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"revenant/api/rest"
	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/fingerprints/registration"
	"revenant/fingerprints/registry"
)

// tagsOf are the tags of values, as a laptop makes them, filled up with others.
func (k *kit) tagsOf(values ...string) map[string]any {
	k.t.Helper()
	asking, err := registration.NewAsking(k.ring.EdgeKeys("laptops"))
	k.ok(err)
	tags := []string{}
	for _, v := range values {
		for _, tag := range asking.Tags(fingerprints.NewValue([]byte(v))) {
			tags = append(tags, hex.EncodeToString(tag[:]))
		}
	}
	for len(tags) < wire.LookUpBatch {
		var random [16]byte
		_, _ = k.rand.Read(random[:])
		tags = append(tags, hex.EncodeToString(random[:]))
	}
	return map[string]any{"tags": tags}
}

// TestLookUpAnswers: answers are of one length, and say no more than which of what was
// asked is known.
func TestLookUpAnswers(t *testing.T) {
	onBoth(t, lookUpAnswers)
}

func lookUpAnswers(t *testing.T, k *kit) {
	const weak, other = "sword-fish-and-chips", "another-weak-1"
	k.add("shop/db", weak)
	k.add(strings.Repeat("long/", 39)+"name", other)
	var many []string
	for i := range 60 {
		many = append(many, fmt.Sprintf("weak-value-%d-x", i))
		k.add(fmt.Sprintf("%s/%d", strings.Repeat("many", 40), i), many[i])
	}
	token := k.token(registry.ScopeLookup)
	length, versions := 0, map[string]int{}
	for name, values := range map[string][]string{
		"nothing": nil, "one": {weak}, "another": {"x", other}, "all": many, "a strong one": {k.text(40)}, "a part": {weak[:12]},
	} {
		began := time.Now()
		w := k.ask(token, "POST", "/api/v1/lookups", k.tagsOf(values...))
		took := time.Since(began)
		var a wire.LookedUp
		if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil || w.Code != http.StatusOK {
			t.Fatalf("%s: %d %s", name, w.Code, w.Body)
		}
		if length == 0 {
			length = w.Body.Len()
		}
		if w.Body.Len() != length {
			t.Errorf("%s: an answer of %d bytes, another had %d", name, w.Body.Len(), length)
		}
		if took < 50*time.Millisecond {
			t.Errorf("%s: answered after %s", name, took)
		}
		versions[name] = len(a.Known) + a.More
		for _, known := range a.Known {
			if known.Asked >= len(values) || len(known.Versions) != 1 || known.Versions[0].State != fingerprints.StateActive {
				t.Errorf("%s: %+v", name, known)
			}
		}
	}
	want := map[string]int{"nothing": 0, "one": 1, "another": 1, "all": 60, "a strong one": 0, "a part": 0}
	if fmt.Sprint(versions) != fmt.Sprint(want) {
		t.Errorf("known: %v, want %v", versions, want)
	}
	for _, bad := range []any{map[string]any{"tags": []string{"00"}}, map[string]any{"tags": append(k.tagsOf()["tags"].([]string)[:63], "no hex")}} {
		if w := k.ask(token, "POST", "/api/v1/lookups", bad); w.Code != http.StatusUnprocessableEntity {
			t.Errorf("%v: %d", bad, w.Code)
		}
	}
	for _, value := range append(many, weak, other) {
		if strings.Contains(k.said.String()+k.logs.String(), value) {
			t.Errorf("%s stands in an answer or a log", value)
		}
	}
}

// TestLookUpsEnd: who has taken the day's look-ups is told when the next ones begin; a
// server that is not configured for them answers none.
func TestLookUpsEnd(t *testing.T) {
	k := newKit(t)
	token := k.token(registry.ScopeLookup)
	for range lookUpsOfADay {
		if w := k.ask(token, "POST", "/api/v1/lookups", k.tagsOf()); w.Code != http.StatusOK {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	w := k.ask(token, "POST", "/api/v1/lookups", k.tagsOf())
	after, _ := strconv.Atoi(w.Header().Get("Retry-After"))
	if w.Code != http.StatusTooManyRequests || after != 12*3600 { // the kit's clock stands at noon
		t.Errorf("%d, Retry-After %q: %s", w.Code, w.Header().Get("Retry-After"), w.Body)
	}
	if w := k.ask(k.token(registry.ScopeLookup), "POST", "/api/v1/lookups", k.tagsOf()); w.Code != http.StatusOK {
		t.Errorf("another token: %d %s", w.Code, w.Body)
	}
	off := newKitAt(t, filepath.Join(t.TempDir(), "registry.db"), func(o *rest.Options) { o.LookUps = 0 })
	if w := off.ask(off.token(registry.ScopeLookup), "POST", "/api/v1/lookups", off.tagsOf()); w.Code != http.StatusConflict || !strings.Contains(w.Body.String(), "lookups.daily") {
		t.Errorf("switched off: %d %s", w.Code, w.Body)
	}
}
