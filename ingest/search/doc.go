// Package search keeps a full-text index of findings beside the store, and answers
// the queries of package query on it.
//
// The index is Bleve's (scorch), one document a finding. It is never the truth: it
// is built from the registry, follows the registry's feed of changes, and whatever
// is wrong with it - damaged, of another installation, of another format, of a
// store that was set back - it is built anew, which is logged. Where it stands in
// the feed is written in the same batch as the documents, so that a process that is
// killed at any moment resumes.
//
// Every finding that is shown is read from the store and held against the query
// once more, so that nothing is shown that does not match now. What the index
// cannot know - when something was last seen moves without a change - makes totals
// a range, and how far the index is behind stands in every result.
//
// It stores no text, only terms of texts that the registry has redacted. When a
// value is registered that stands in stored texts, the registry redacts them and
// says so; the index then rewrites its files, so that no term of the old text is
// left in them.
//
// One process writes a folder. Others read a copy of its directory of segments, or,
// where that cannot be had, the store itself.
package search

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"revenant/fingerprints"
	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
	"revenant/ingest/search/query"
)

// Registry is what the index is made from.
type Registry interface {
	Meta(ctx context.Context, a registry.Actor) (store.Meta, error)
	FeedEnd(ctx context.Context, a registry.Actor) (registry.FeedPosition, error)
	AuditAt(ctx context.Context, a registry.Actor, sequence uint64) (registry.AuditHead, error)
	Changes(ctx context.Context, a registry.Actor, after registry.FeedPosition, limit int) (registry.FeedPage, error)
	Redacted(ctx context.Context, a registry.Actor) (uint64, error)
	Findings(ctx context.Context, a registry.Actor, f store.FindingFilter) ([]registry.Finding, error)
	FindingsWithPlaces(ctx context.Context, a registry.Actor, f store.FindingFilter, places int) ([]registry.FindingDetail, error)
	FindingsByID(ctx context.Context, a registry.Actor, ids []fingerprints.FindingID, places int) ([]registry.FindingDetail, error)
}

// Options are what an index stands on. Dir, Registry, Actor, Now and Lock are
// required.
type Options struct {
	Dir      string // of the index alone; it is made
	Registry Registry
	Actor    registry.Actor // who reads the registry for the index
	Now      func() time.Time
	// Lock holds a file for this process, or fails at once where another has it.
	Lock func(name string) (unlock func(), err error)
	Log  *slog.Logger // nil: none
}

// Mode is how an index answers.
type Mode string

// The modes.
const (
	Writes Mode = "index"    // it is this process's
	Reads  Mode = "snapshot" // of an index that another process keeps
	Scans  Mode = "store"    // finding by finding: there is no index to read
)

// ErrKept says that another process keeps the index.
var ErrKept = errors.New("another process keeps the search index")

// Behind is what of the registry an index does not have yet; zero: nothing.
type Behind struct {
	Changes  uint64 `json:"changes"`            // of findings and of the registry, at most
	Building bool   `json:"building,omitempty"` // it is built for the first time, or anew
	Done     uint64 `json:"done,omitempty"`     // findings that it has, while it is built
}

// Current reports whether the index had everything when it was asked.
func (b Behind) Current() bool { return b == Behind{} }

// Page says which of the findings are wanted: the first Limit behind a cursor.
type Page struct {
	Limit int    // 0: DefaultLimit
	After string // Result.Next of the page before, in the same order; empty: from the beginning
	Order Order
	// Facets are counted where there are any.
	Facets []query.Field
	Top    int // values of each facet; 0: DefaultTop
}

// Order is what comes first.
type Order string

// The orders; findings that are equal in one are in order of id.
const (
	Worst  Order = ""       // by severity, then by verdict
	Oldest Order = "oldest" // by when it was first seen, to the minute
)

// Orders are the words for what comes first; the first is the usual one.
func Orders() []string { return []string{"worst", string(Oldest)} }

// OrderOf is the order of a word of Orders, or of none.
func OrderOf(word string) (Order, bool) {
	switch {
	case word == "" || word == Orders()[0]:
		return Worst, true
	case word == string(Oldest):
		return Oldest, true
	}
	return Worst, false
}

// Usual sizes.
const (
	DefaultLimit = 50
	MaxLimit     = 1000
	DefaultTop   = 10
)

// ErrCursor says that Page.After is not what a result gave.
var ErrCursor = errors.New("the cursor is not one of this version's: begin with the first page")

// Result is a page of findings in order. It does not repeat the query: people paste
// values.
type Result struct {
	Findings []Hit `json:"findings"`
	// Total is how many findings match at least, and Most at most. They differ where
	// the index is behind, or where it cannot know.
	Total  int                     `json:"total"`
	Most   int                     `json:"most"`
	Next   string                  `json:"next,omitempty"` // cursor of the next page; empty: there is none
	Facets map[query.Field][]Count `json:"facets,omitempty"`
	By     Mode                    `json:"by"`
	Behind Behind                  `json:"behind"`
	// Cut: the store was not read to its end, because that took too long. What it has
	// further, is in none of the numbers.
	Cut bool `json:"cut,omitempty"`
}

// Exact reports whether the total is certain.
func (r Result) Exact() bool { return r.Total == r.Most && r.Behind.Current() && !r.Cut }

// Hit is a finding with the contexts of its first places.
type Hit struct {
	registry.Finding
	Contexts []string `json:"contexts,omitempty"`
}

// Count is how many findings have a value.
type Count struct {
	Value string `json:"value"`
	Count int    `json:"count"`
}
