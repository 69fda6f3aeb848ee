package lookup_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/fingerprints/keys"
	"revenant/fingerprints/registration"
	"revenant/ingest/lookup"
	"revenant/scanners"
)

// registrar is what a server does with tags: it knows some values.
type registrar struct {
	t       *testing.T
	ring    *keys.Ring
	known   []string
	batches [][][16]byte
	err     error
	wait    bool // until nobody waits any more
}

func newRegistrar(t *testing.T, known ...string) *registrar {
	t.Helper()
	ring, err := keys.NewRing(rand.NewChaCha8([32]byte{1}), time.Unix(1e9, 0))
	if err != nil {
		t.Fatal(err)
	}
	return &registrar{t: t, ring: ring, known: known}
}

func (r *registrar) ask(ctx context.Context, tags [][16]byte) (wire.LookedUp, error) {
	if r.wait {
		<-ctx.Done()
		return wire.LookedUp{}, ctx.Err()
	}
	r.batches = append(r.batches, tags)
	out := wire.LookedUp{Known: []wire.KnownValue{}}
	asking, err := registration.NewAsking(r.ring)
	if err != nil {
		r.t.Fatal(err)
	}
	for i, value := range r.known {
		own := asking.Tags(fingerprints.NewValue([]byte(value)))
		for at, tag := range tags {
			if slices.Contains(own, registration.LookupTag(tag)) {
				out.Known = append(out.Known, wire.KnownValue{Asked: at, Versions: []wire.KnownVersion{
					{Row: fmt.Sprintf("%032x", i+1), Secret: "shop/" + value[:2], Version: 1, Field: "value", State: fingerprints.StateRetired},
				}})
			}
		}
	}
	return out, r.err
}

func (r *registrar) new(o lookup.Options) *lookup.LookUp {
	r.t.Helper()
	o.Keys, o.Ask, o.Rand, o.Within = r.ring.EdgeKeys(""), r.ask, rand.NewChaCha8([32]byte{2}), 50*time.Millisecond
	if o.Most == 0 {
		o.Most = 4
	}
	l, err := lookup.New(o)
	if err != nil {
		r.t.Fatal(err)
	}
	return l
}

// texts is a source of contents.
type texts struct {
	items []scanners.Item
	each  int // contents of a batch
}

func textsOf(list ...string) *texts {
	s := &texts{each: 1}
	for i, text := range list {
		s.items = append(s.items, scanners.Item{Path: string(rune('a' + i)), Size: int64(len(text)), Open: func(context.Context) (io.ReadCloser, error) {
			return io.NopCloser(strings.NewReader(text)), nil
		}})
	}
	return s
}

func (*texts) ID() string                    { return "git:x" }
func (*texts) Kind() fingerprints.SourceKind { return fingerprints.KindGit }
func (*texts) Close() error                  { return nil }

func (s *texts) Next(context.Context) (scanners.Batch, error) {
	n := min(s.each, len(s.items))
	b := scanners.Batch{Items: s.items[:n]}
	if s.items = s.items[n:]; len(s.items) == 0 {
		return b, io.EOF
	}
	return b, nil
}

// read drains a source as a scan does: what it gave out, what is found in that, and
// what it skipped.
func read(t *testing.T, l *lookup.LookUp, src scanners.Source) (contents, found []string, skips []fingerprints.Skip) {
	t.Helper()
	s := l.Source(src)
	for {
		b, err := s.Next(t.Context())
		if err != nil && !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
		skips = append(skips, b.Skipped...)
		for _, it := range b.Items {
			rc, err := it.Open(t.Context())
			if err != nil {
				contents = append(contents, err.Error())
				continue
			}
			data, _ := io.ReadAll(rc)
			contents = append(contents, string(data))
			for _, h := range l.Matcher().AppendHits(nil, scanners.Chunk{Data: data, Base: 100}) {
				labels, err := l.Labels(nil).Labels(t.Context(), h.Rows, h.Value)
				if err != nil || len(labels) != 1 {
					t.Fatal(labels, err)
				}
				found = append(found, fmt.Sprintf("%s %d-%d %s %s", it.Path, h.Span.Start, h.Span.End, labels[0].Secret, labels[0].State))
			}
		}
		if err != nil {
			return contents, found, skips
		}
	}
}

// TestFindsWords finds weak values where they stand as words, each way that people
// write them.
func TestFindsWords(t *testing.T) {
	const weak = "sword-fish7"
	for name, text := range map[string]string{
		"assigned": "password = " + weak, "quoted": `x = "` + weak + `"`, "yaml": "db:\n  password: " + weak + "\r\n", "json": `{"p":"` + weak + `","q":1}`,
		"shell": "DB_PASSWORD=" + weak, "flag": "psql --pw=" + weak + " shop", "flag and value": "psql -p " + weak, "url": "postgres://shop:" + weak + "@host/db",
		"alone": weak, "at the end of a sentence": "it is " + weak + ".", "in brackets": "f(" + weak + ", 2)", "xml": "<p>" + weak + "</p>",
		"header": "X-Key: " + weak,
	} {
		r := newRegistrar(t, weak)
		l := r.new(lookup.Options{})
		contents, found, skips := read(t, l, textsOf(text))
		if len(found) != 1 || len(skips) != 0 || contents[0] != text {
			t.Errorf("%s: found %v, skipped %v in %q", name, found, skips, contents)
		}
	}
	// What it is a part of is another word; once known, it is found wherever it stands.
	r := newRegistrar(t, weak)
	if _, found, _ := read(t, r.new(lookup.Options{}), textsOf("x"+weak+"y")); len(found) != 0 {
		t.Errorf("inside of another word: %v", found)
	}
	_, found, _ := read(t, r.new(lookup.Options{}), textsOf("p="+weak, "x"+weak+"y"+weak))
	if diff := cmp.Diff([]string{"a 102-113 shop/sw retired", "b 101-112 shop/sw retired", "b 113-124 shop/sw retired"}, found); diff != "" {
		t.Error(diff)
	}
}

// TestBatches: what is asked has one size, and nothing of it repeats but by chance;
// no word stands in it.
func TestBatches(t *testing.T) {
	r := newRegistrar(t)
	l := r.new(lookup.Options{})
	var lines []string
	for i := range 100 {
		lines = append(lines, fmt.Sprintf("k%d = word-number-%d", i, i))
	}
	if _, _, skips := read(t, l, textsOf(strings.Join(lines, "\n"))); len(skips) != 0 || l.Asked() != 100 {
		t.Errorf("asked about %d, skipped %v", l.Asked(), skips)
	}
	if len(r.batches) != 2 {
		t.Fatalf("%d batches", len(r.batches))
	}
	met := map[[16]byte]bool{}
	for _, b := range r.batches {
		if len(b) != wire.LookUpBatch {
			t.Errorf("a batch of %d", len(b))
		}
		for _, tag := range b {
			if met[tag] || bytes.Contains(tag[:], []byte("word")) {
				t.Errorf("%x", tag)
			}
			met[tag] = true
		}
	}
	// One word alone is asked about in a batch as large; without any nobody is asked.
	read(t, l, textsOf("password = another-word"))
	if len(r.batches) != 3 || len(r.batches[2]) != wire.LookUpBatch {
		t.Errorf("%d batches", len(r.batches))
	}
	read(t, l, textsOf("a b c"))
	if len(r.batches) != 3 {
		t.Errorf("%d batches, without a word", len(r.batches))
	}
}

// TestTheLikeliestFirst asks about what stands under the name of a secret, where not
// everything can be asked about.
func TestTheLikeliestFirst(t *testing.T) {
	const weak = "zzzzzzzzzz"
	r := newRegistrar(t, weak)
	var lines []string
	for i := range 500 {
		lines = append(lines, fmt.Sprintf("word-number-%d", i))
	}
	lines = append(lines, "db_password: "+weak)
	l := r.new(lookup.Options{Most: 1}) // the name is a word, too
	_, found, skips := read(t, l, textsOf(strings.Join(lines, "\n")))
	if len(found) != 1 || l.Asked() != 64 {
		t.Errorf("found %v, asked about %d", found, l.Asked())
	}
	want := []fingerprints.Skip{{Reason: fingerprints.SkipNotAsked, Detail: "words: 438, because more are not asked about at once", Size: -1}}
	if diff := cmp.Diff(want, skips); diff != "" {
		t.Error(diff)
	}
}

// TestOnlyFresh asks about lines that are new.
func TestOnlyFresh(t *testing.T) {
	r := newRegistrar(t)
	l := r.new(lookup.Options{})
	src := textsOf("old-word-1\nnew-word-2\nold-word-3\n")
	src.items[0].Fresh = []scanners.Span{{Start: 11, End: 22}}
	read(t, l, src)
	if l.Asked() != 1 {
		t.Errorf("asked about %d words", l.Asked())
	}
}

// TestWhatWasNotAsked: nothing that keeps it from asking ends the scan, and all of it
// is a skip.
func TestWhatWasNotAsked(t *testing.T) {
	const text = "password = sword-fish7"
	for name, c := range map[string]struct {
		change func(r *registrar)
		src    func() *texts
		want   string
	}{
		"an error":       {change: func(r *registrar) { r.err = errors.New("the server refuses") }, want: "words: 2, because the server refuses"},
		"no answer":      {change: func(r *registrar) { r.wait = true }, want: "words: 2, because the server did not answer in time"},
		"a large one":    {src: func() *texts { return textsOf(text, strings.Repeat("x\n", 1<<20)) }, want: "contents that are larger than 1 MiB: 1"},
		"one of no size": {src: func() *texts { s := textsOf("x", text); s.items[0].Size = -1; return s }, want: "contents that are larger than 1 MiB: 1"},
		"too many": {src: func() *texts {
			list := slices.Repeat([]string{strings.Repeat("a\n", 1<<19)}, 40)
			return textsOf(list...)
		}, want: "contents that came after the first 32 MiB: 8"},
	} {
		r := newRegistrar(t, "sword-fish7")
		if c.change != nil {
			c.change(r)
		}
		src := textsOf(text)
		if c.src != nil {
			src = c.src()
		}
		n := len(src.items)
		contents, _, skips := read(t, r.new(lookup.Options{}), src)
		if len(contents) != n || len(skips) != 1 || skips[0].Detail != c.want || skips[0].Reason != fingerprints.SkipNotAsked {
			t.Errorf("%s: %d of %d contents, skipped %v", name, len(contents), n, skips)
		}
	}
}

// TestUnreadable: what cannot be read is so for the scan, too.
func TestUnreadable(t *testing.T) {
	r := newRegistrar(t)
	src := textsOf("x", "password = sword-fish7")
	src.items[0].Open = func(context.Context) (io.ReadCloser, error) { return nil, errors.New("gone") }
	contents, _, _ := read(t, r.new(lookup.Options{}), src)
	if diff := cmp.Diff([]string{"gone", "password = sword-fish7"}, contents); diff != "" {
		t.Error(diff)
	}
}

// TestOlderKeys: files of keys that were written before look-ups are told apart.
func TestOlderKeys(t *testing.T) {
	r := newRegistrar(t)
	none := withoutLookUps{r.ring.EdgeKeys("")}
	if _, err := lookup.New(lookup.Options{Keys: none}); !errors.Is(err, keys.ErrNoKey) {
		t.Errorf("error %v", err)
	}
}

type withoutLookUps struct{ keys.EdgeKeys }

func (w withoutLookUps) Key(aud fingerprints.Audience, p keys.Purpose, gen uint32) (keys.Key, error) {
	if p == keys.PurposeLookup {
		return keys.Key{}, keys.ErrNoKey
	}
	return w.EdgeKeys.Key(aud, p, gen)
}
