package search

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/blevesearch/bleve/v2/analysis"
	"github.com/blevesearch/bleve/v2/document"
	index "github.com/blevesearch/bleve_index_api"

	"revenant/fingerprints"
	"revenant/ingest/search/query"
)

// Fields of documents beside those that queries name.
const (
	fieldText  = "text"
	fieldAlias = "alias"
	fieldHas   = "has"
	fieldRank  = "rank" // severity and verdict, the worst first
	fieldNear  = "near" // the first digits of the id, so that ids are listed in order
	fieldFirst = "first"
	fieldDue   = "due"
)

const (
	word = index.IndexField | index.SkipFreqNorm
	text = index.IndexField | index.IncludeTermVectors
)

// tokens gives a text's words to the index.
type tokens struct{}

func (tokens) Analyze(b []byte) analysis.TokenStream {
	list := query.Tokens(string(b))
	out := make(analysis.TokenStream, len(list))
	for i, t := range list {
		out[i] = &analysis.Token{Term: []byte(t.Text), Position: t.Place}
	}
	return out
}

// documentOf is what of a finding is indexed: terms, and no text.
func documentOf(f query.Facts) *document.Document {
	d := document.NewDocument(string(f.ID))
	add := func(field string, terms ...string) {
		for _, t := range terms {
			d.AddField(document.NewTextFieldCustom(field, nil, []byte(t), word, nil))
		}
	}
	for field, values := range f.Values {
		add(string(field), values...)
	}
	for _, a := range f.Aliases {
		add(fieldAlias, string(a))
	}
	for _, field := range query.FieldHas.Words() {
		if len(f.Values[query.Field(field)]) > 0 || query.Field(field) == query.FieldDue && !f.Times[query.Due].IsZero() {
			add(fieldHas, field)
		}
	}
	add(fieldRank, rankOf(f))
	add(fieldNear, nearOf(string(f.ID)))
	add(fieldFirst, momentTerms(f.Times[query.First])...)
	add(fieldDue, momentTerms(f.Times[query.Due])...)
	d.AddField(document.NewTextFieldCustom(string(query.FieldPath), []uint64{0}, []byte(f.Path), text, tokens{}))
	for i, t := range f.Texts {
		d.AddField(document.NewTextFieldCustom(fieldText, []uint64{uint64(i)}, []byte(t), text, tokens{}))
	}
	return d
}

// rankOf orders findings as people want them: the most severe first, then by
// verdict.
func rankOf(f query.Facts) string {
	of := func(words []string, values []string) byte {
		return 'a' + byte(max(slices.Index(words, values[0]), 0))
	}
	return string([]byte{
		of(query.FieldSeverity.Words(), f.Values[query.FieldSeverity]), of(query.FieldVerdict.Words(), f.Values[query.FieldVerdict]),
	})
}

// nearDigits make 4,096 neighbourhoods of ids.
const nearDigits = 3

// nearOf is an id's neighbourhood; they are in order as ids are.
func nearOf(id string) string {
	id = strings.TrimPrefix(id, "rv1:")
	return id[:min(nearDigits, len(id))]
}

// A moment is indexed by its day and by its minute, so that few terms make a range.

const (
	secondsOfDay    = 24 * 60 * 60
	secondsOfMinute = 60
)

func momentTerms(t time.Time) []string {
	if t.IsZero() {
		return nil
	}
	return []string{dayTerm(t), minuteTerm(t)}
}

func dayTerm(t time.Time) string { return stampTerm('d', t.Unix()/secondsOfDay) }

func minuteTerm(t time.Time) string { return stampTerm('m', t.Unix()/secondsOfMinute) }

// stampTerm is sorted as the number is, which is not negative for anything that
// was ever seen.
func stampTerm(unit byte, n int64) string {
	return string(unit) + fmt.Sprintf("%012s", strconv.FormatInt(max(n, 0), 10))
}

// stampOf is the number of such a term; 0 for any other.
func stampOf(term string) int64 {
	n, err := strconv.ParseInt(term[1:], 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// write applies a batch together with the state, and waits for the disk where it
// shall.
func (x *Index) write(b *index.Batch, s state, wait bool) (err error) {
	defer caught(&err)
	kept, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("writing to the search index: %w", err)
	}
	b.SetInternal([]byte(stateKey), kept)
	done := make(chan error, 1)
	if wait {
		b.SetPersistedCallback(func(err error) { done <- err })
	}
	if err := x.kept.Batch(b); err != nil {
		return fmt.Errorf("writing to the search index: %w", err)
	}
	if wait {
		if err := <-done; err != nil {
			return fmt.Errorf("writing to the search index: %w", err)
		}
	}
	x.state = s
	return nil
}

// ids are findings' ids as the registry takes them.
func ids(list []string) []fingerprints.FindingID {
	out := make([]fingerprints.FindingID, len(list))
	for i, id := range list {
		out[i] = fingerprints.FindingID(id)
	}
	return out
}
