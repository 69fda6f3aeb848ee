package rest_test

import (
	"net/url"
	"testing"
	"time"

	"revenant/api/wire"
	"revenant/fingerprints"
)

// TestSearch finds by words and conditions, counts, and completes.
func TestSearch(t *testing.T) {
	k := newKit(t)
	value := k.text(32)
	rows := k.add("shop/db", value)
	old := k.found("dir:/srv", "notes.txt", k.text(32))
	k.now = k.now.Add(time.Hour)
	id := k.found("git:host/shop", "config/payments.env", value, rows...)
	var found struct {
		Findings []wire.FindingView
		Total    int
		Next     string
		Facets   map[string][]struct {
			Value string
			Count int
		}
	}
	k.must(200, "GET", "/api/v1/search?q=verdict%3Aleaked+payments&facets=verdict", nil, &found)
	if len(found.Findings) != 1 || found.Findings[0].ID != id || found.Total != 1 || found.Facets["verdict"][0].Value != string(fingerprints.VerdictLeaked) {
		t.Errorf("%+v", found)
	}
	k.must(200, "GET", "/api/v1/search?limit=1", nil, &found)
	if len(found.Findings) != 1 || found.Total != 2 || found.Next == "" {
		t.Errorf("%+v", found)
	}
	k.must(200, "GET", "/api/v1/search?order=oldest", nil, &found)
	if len(found.Findings) != 2 || found.Findings[0].ID != old {
		t.Errorf("the oldest first: %+v", found)
	}
	k.must(200, "GET", "/api/v1/search?order=oldest&limit=1", nil, &found)
	k.must(200, "GET", "/api/v1/search?order=oldest&limit=1&after="+url.QueryEscape(found.Next), nil, &found)
	if len(found.Findings) != 1 || found.Findings[0].ID != id {
		t.Errorf("behind the oldest: %+v", found)
	}
	for _, bad := range []string{"q=verdict%3A%28", "q=age%3Ebanana", "facets=colour", "after=x", "order=newest"} {
		k.must(422, "GET", "/api/v1/search?"+bad, nil, nil)
	}
	var next struct{ Suggestions []string }
	k.must(200, "GET", "/api/v1/search/suggestions?q=verd", nil, &next)
	if len(next.Suggestions) == 0 {
		t.Error("no field is suggested")
	}
}
