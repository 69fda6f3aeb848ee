package web_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

// A message that was given up is sent again by who may, once.
func TestRetry(t *testing.T) {
	s := newSite(t)
	s.estate()
	if body := s.page("viewer", "/notifications"); strings.Contains(body, "Send again") || !strings.Contains(body, "the receiver answered 503") {
		t.Error("a viewer is offered to send again, or does not see why it was given up")
	}
	const retry = "/notifications/msg_lost/retry"
	a := s.ask("root", http.MethodPost, retry, nil)
	if body := s.page("root", a.Header().Get("Location")); !strings.Contains(body, "It is sent again now") || !strings.Contains(body, "Next attempt") || strings.Contains(body, "Send again") {
		t.Errorf("sending again: %d to %s", a.Code, a.Header().Get("Location"))
	}
	for _, path := range []string{retry, "/notifications/msg_sent/retry", "/notifications/none/retry"} {
		if a := s.ask("root", http.MethodPost, path, nil); a.Code != http.StatusNotFound {
			t.Errorf("%s of what was not given up: %d, want 404", path, a.Code)
		}
	}
}

// The list of messages has all of them, a page at a time, the newest first.
func TestPagesOfMessages(t *testing.T) {
	s := newSite(t)
	s.estate()
	s.messages(120)
	var got []string
	for path := "/notifications?state=waiting&receiver=many"; path != ""; {
		body := s.page("viewer", path)
		for _, m := range regexp.MustCompile(`href="/notifications/(msg_many[^"]+)"`).FindAllStringSubmatch(body, -1) {
			got = append(got, m[1])
		}
		path = ""
		if m := regexp.MustCompile(`<a rel="next" href="([^"]+)"`).FindStringSubmatch(body); m != nil {
			path = strings.ReplaceAll(m[1], "&amp;", "&")
		}
	}
	if len(got) != 120 || got[0] != "msg_many119" || got[119] != "msg_many000" {
		t.Errorf("%d messages from %q", len(got), got)
	}
}

// A decision leads to the findings that have their status by it, and they are open
// when it is taken back.
func TestDecisions(t *testing.T) {
	s := newSite(t)
	ids := s.estate()
	body := s.page("viewer", "/decisions")
	for _, want := range []string{"examples of the handbook", "all rules", "generic-api-key", "0, not in use", `href="/decisions/1">1</a>`, "no end", ">docs<"} {
		if !strings.Contains(body, want) {
			t.Errorf("%q is not there", want)
		}
	}
	of := findingPath(ids[fingerprints.VerdictUnregistered])
	if body := s.page("viewer", "/decisions/1"); strings.Count(body, "<tr data-row>") != 1 || !strings.Contains(body, of) {
		t.Error("the decision does not lead to its finding")
	}
	if body := s.page("viewer", of); !strings.Contains(body, `href="/decisions/1"`) {
		t.Error("the finding does not lead to its decision")
	}
	a := s.ask("triage", http.MethodPost, "/decisions/1/revoke", nil)
	if body := s.page("triage", a.Header().Get("Location")); a.Code != http.StatusSeeOther || !strings.Contains(body, "The decision was taken back") || strings.Contains(body, "handbook") {
		t.Errorf("taking it back: %d to %s", a.Code, a.Header().Get("Location"))
	}
	if f, err := s.reg.Finding(t.Context(), me(), string(ids[fingerprints.VerdictUnregistered])); err != nil || f.Status != fingerprints.StatusOpen {
		t.Errorf("afterwards it is %s (%v)", f.Status, err)
	}
	if a := s.ask("triage", http.MethodPost, "/decisions/1/revoke", url.Values{}); a.Code != http.StatusNotFound {
		t.Errorf("again: %d, want 404", a.Code)
	}
}

// An allowed place leads to as many findings as it says that it covers.
func TestPlaceCovers(t *testing.T) {
	s := newSite(t)
	s.estate()
	if body := s.page("viewer", "/places"); !strings.Contains(body, `<a href="/places/1">1 finding</a>`) {
		t.Error("the number is no link")
	}
	if body := s.page("viewer", "/places/1"); strings.Count(body, "<tr data-row>") != 1 || !strings.Contains(body, "vault/backup") || strings.Contains(body, "config/pay.yaml") {
		t.Error("the place does not lead to what it covers")
	}
}

// messages makes messages to one receiver that wait, a minute apart.
func (s *site) messages(n int) {
	s.t.Helper()
	err := s.store.Update(s.t.Context(), func(tx store.Tx) error {
		for i := range n {
			at := s.clock().Add(time.Duration(i) * time.Minute)
			if err := tx.AddDelivery(s.t.Context(), store.Delivery{ID: fmt.Sprintf("msg_many%03d", i), Receiver: "many", Kind: "events", CreatedAt: at, NextAt: at, Deadline: at.Add(time.Hour)}, nil); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
}
