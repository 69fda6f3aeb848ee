// Package lookup asks a server whether words of what is about to be looked at are
// registered values that are too weak for the packs of laptops.
//
// It promises: of a word only keyed hashes leave this machine, in batches of one size;
// what is asked is bounded, and waited for no longer than its owner says; what was not
// asked, for whatever reason, is a Skip. A word that is known is a hit as one of the
// pack is. It refuses: to read what is large or comes in a stream, to decode, and to
// keep what it learned.
package lookup

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/fingerprints/registration"
	"revenant/ingest/scan"
	"revenant/scanners"
)

// Options say whom to ask, and for how long.
type Options struct {
	// Keys make the tags that are asked about.
	Keys registration.AskingKeys
	// Ask asks the server about wire.LookUpBatch tags.
	Ask func(ctx context.Context, tags [][16]byte) (wire.LookedUp, error)
	// Most is how many batches are asked for at most, and Within how long that may take
	// in all.
	Most   int
	Within time.Duration
	// Rand fills batches up.
	Rand io.Reader
}

// What is read ahead at most, before anything of it is looked at.
const (
	largest = 1 << 20  // of one content
	ahead   = 32 << 20 // in all
)

// LookUp asks for one scan. Its matcher and labels are safe for concurrent use.
type LookUp struct {
	o      Options
	asking *registration.Asking
	found  atomic.Pointer[found]
	asked  atomic.Int64
}

// found are words that are registered values.
type found struct {
	words []word
	by    map[fingerprints.RowID]wire.KnownVersion
}

type word struct {
	text []byte
	rows []fingerprints.RowID
}

// New returns one that has asked nothing yet; keys.ErrNoKey where the holder's keys
// were made before there were look-ups.
func New(o Options) (*LookUp, error) {
	asking, err := registration.NewAsking(o.Keys)
	if err != nil {
		return nil, err
	}
	l := &LookUp{o: o, asking: asking}
	l.found.Store(&found{})
	return l, nil
}

// Asked is about how many words the server was asked.
func (l *LookUp) Asked() int { return int(l.asked.Load()) }

// Source is a source whose contents are asked about before they are given out: what of
// them is small, as far as memory goes.
func (l *LookUp) Source(src scanners.Source) scanners.Source { return &source{Source: src, l: l} }

type source struct {
	scanners.Source
	l      *LookUp
	read   bool // ahead, and asked
	kept   []scanners.Batch
	end    error
	unread int // contents that were not asked about
}

// Next implements scanners.Source.
func (s *source) Next(ctx context.Context) (scanners.Batch, error) {
	if !s.read {
		s.read = true
		if err := s.ahead(ctx); err != nil {
			return scanners.Batch{}, err
		}
	}
	if len(s.kept) == 0 {
		if s.end != nil {
			return scanners.Batch{}, s.end
		}
		return s.rest(ctx)
	}
	b := s.kept[0]
	s.kept = s.kept[1:]
	if len(s.kept) == 0 {
		return b, s.end
	}
	return b, nil
}

// rest gives out what comes behind what was asked about, and says so at the end.
func (s *source) rest(ctx context.Context) (scanners.Batch, error) {
	b, err := s.Source.Next(ctx)
	s.unread += len(b.Items)
	if errors.Is(err, io.EOF) && s.unread > 0 {
		b.Skipped = append(b.Skipped, notAsked(fmt.Sprintf("contents that came after the first %d MiB: %d", ahead>>20, s.unread)))
	}
	return b, err
}

// ahead reads batches, and asks about what is in them.
func (s *source) ahead(ctx context.Context) error {
	w, total, large := &words{ranks: map[string]rank{}}, int64(0), 0
	for s.end == nil && total < ahead {
		b, err := s.Source.Next(ctx)
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		s.end = err
		for i := range b.Items {
			it := &b.Items[i]
			if it.Size < 0 || it.Size > largest {
				large++
				continue
			}
			total += it.Size
			hold(ctx, it, w)
		}
		s.kept = append(s.kept, b)
	}
	skips := s.l.ask(ctx, w)
	if large > 0 {
		skips = append(skips, notAsked(fmt.Sprintf("contents that are larger than %d MiB: %d", largest>>20, large)))
	}
	if len(s.kept) > 0 {
		last := &s.kept[len(s.kept)-1]
		last.Skipped = append(last.Skipped, skips...)
	}
	return nil
}

// hold reads a content, and has it given out from memory. One that cannot be read is
// opened to the same error.
func hold(ctx context.Context, it *scanners.Item, w *words) {
	data, err := func() ([]byte, error) {
		rc, err := it.Open(ctx)
		if err != nil {
			return nil, err
		}
		defer rc.Close()
		return io.ReadAll(rc)
	}()
	it.Open = func(context.Context) (io.ReadCloser, error) {
		if err != nil {
			return nil, err
		}
		return io.NopCloser(bytes.NewReader(data)), nil
	}
	if err == nil {
		w.content(data, it.Fresh)
	}
}

func notAsked(detail string) fingerprints.Skip {
	return fingerprints.Skip{Reason: fingerprints.SkipNotAsked, Detail: detail, Size: -1}
}

// ask asks about words, the likeliest first. It returns what was not asked, and why.
func (l *LookUp) ask(ctx context.Context, w *words) []fingerprints.Skip {
	ctx, cancel := context.WithTimeout(ctx, l.o.Within)
	defer cancel()
	list, f := w.ranked(), &found{by: map[fingerprints.RowID]wire.KnownVersion{}}
	defer func() { l.found.Store(f) }()
	for range l.o.Most {
		if len(list) == 0 {
			return nil
		}
		n, more, err := l.batch(ctx, list, f)
		if err != nil {
			return []fingerprints.Skip{notAsked(fmt.Sprintf("words: %d, because %s", len(list), why(ctx, err)))}
		}
		l.asked.Add(int64(n))
		list = list[n:]
		if more > 0 {
			return []fingerprints.Skip{notAsked(fmt.Sprintf("words: %d, because the answer had no room for more", len(list)+more))}
		}
	}
	if len(list) == 0 {
		return nil
	}
	return []fingerprints.Skip{notAsked(fmt.Sprintf("words: %d, because more are not asked about at once", len(list)))}
}

func why(ctx context.Context, err error) string {
	if ctx.Err() != nil {
		return "the server did not answer in time"
	}
	return err.Error()
}

// batch asks about as many words as a batch has room for, and says how many.
func (l *LookUp) batch(ctx context.Context, list []string, f *found) (n, more int, err error) {
	var tags [][16]byte
	var of []string
	for _, text := range list {
		own := l.asking.Tags(fingerprints.NewValue([]byte(text)))
		if len(tags)+len(own) > wire.LookUpBatch {
			break
		}
		n++
		for _, tag := range own {
			tags, of = append(tags, tag), append(of, text)
		}
	}
	if n == 0 {
		return 0, 0, errors.New("the keys have more epochs than are asked about at once")
	}
	for len(tags) < wire.LookUpBatch {
		var random [16]byte
		if _, err := io.ReadFull(l.o.Rand, random[:]); err != nil {
			return 0, 0, fmt.Errorf("filling a look-up up: %w", err)
		}
		tags = append(tags, random)
	}
	a, err := l.o.Ask(ctx, tags)
	if err != nil {
		return 0, 0, err
	}
	for _, k := range a.Known {
		if k.Asked < 0 || k.Asked >= len(of) {
			continue // by chance, or by mistake
		}
		if err := f.add(of[k.Asked], k.Versions); err != nil {
			return 0, 0, err
		}
	}
	return n, a.More, nil
}

func (f *found) add(text string, versions []wire.KnownVersion) error {
	w := word{text: []byte(text)}
	for _, v := range versions {
		var row fingerprints.RowID
		b, err := hex.DecodeString(v.Row)
		if err != nil || len(b) != len(row) {
			return errors.New("the server's answer cannot be read")
		}
		copy(row[:], b)
		f.by[row] = v
		w.rows = append(w.rows, row)
	}
	f.words = append(f.words, w)
	return nil
}

// Matcher finds the words that are known.
func (l *LookUp) Matcher() scanners.Matcher { return matcher{l} }

type matcher struct{ l *LookUp }

// AppendHits implements scanners.Matcher. What is known is settled before the source
// gives the first content out.
func (m matcher) AppendHits(dst []scanners.Hit, c scanners.Chunk) []scanners.Hit {
	for _, w := range m.l.found.Load().words {
		for at := 0; ; {
			i := bytes.Index(c.Data[at:], w.text)
			if i < 0 {
				break
			}
			start := c.Base + int64(at+i)
			dst = append(dst, scanners.Hit{
				Span: scanners.Span{Start: start, End: start + int64(len(w.text))}, Form: fingerprints.FormRaw,
				Value: fingerprints.NewValue(bytes.Clone(w.text)), Rows: w.rows,
			})
			at += i + len(w.text)
		}
	}
	return dst
}

// Overlap implements scanners.Matcher.
func (matcher) Overlap() int { return longest }

// Labels name what was found by asking, and leave all else to those of the pack; nil:
// there is none.
func (l *LookUp) Labels(of scan.Labels) scan.Labels { return labels{of, l} }

type labels struct {
	of scan.Labels
	l  *LookUp
}

// Labels implements scan.Labels.
func (l labels) Labels(ctx context.Context, rows []fingerprints.RowID, v fingerprints.Value) ([]scan.Label, error) {
	var out []scan.Label
	var others []fingerprints.RowID
	by := l.l.found.Load().by
	for _, row := range rows {
		k, has := by[row]
		if !has {
			others = append(others, row)
			continue
		}
		one := scan.Label{Row: row, Secret: k.Secret, Version: k.Version, Field: k.Field, State: k.State, Class: k.Class, Compromised: k.Compromised}
		if k.WindowEnds != nil {
			one.WindowEnds = *k.WindowEnds
		}
		out = append(out, one)
	}
	if len(others) == 0 || l.of == nil {
		return out, nil
	}
	more, err := l.of.Labels(ctx, others, v)
	return append(out, more...), err
}

// Homes implements scan.Labels.
func (l labels) Homes(ctx context.Context, secret, sourceID, path string) ([]scan.Home, error) {
	if l.of == nil {
		return nil, nil
	}
	return l.of.Homes(ctx, secret, sourceID, path)
}
