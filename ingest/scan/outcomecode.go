package scan

import (
	"encoding/binary"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"revenant/api/wire"
	"revenant/fingerprints"
)

// An outcome is the length of the content, what stood in for registered hits,
// skips and sightings, one behind another: numbers as varints, texts behind
// their length, lists behind how many there are. Texts of sightings that came
// before are numbers.

// outcomeWriter writes fields.
type outcomeWriter struct {
	b     []byte
	known map[string]int // texts, numbered from 1
}

func (w *outcomeWriter) count(n int)    { w.b = binary.AppendUvarint(w.b, uint64(n)) }
func (w *outcomeWriter) number(n int64) { w.b = binary.AppendVarint(w.b, n) }
func (w *outcomeWriter) bytes(b []byte) { w.b = append(w.b, b...) }

func (w *outcomeWriter) text(s string) {
	w.count(len(s))
	w.b = append(w.b, s...)
}

// again writes a text that may have come before.
func (w *outcomeWriter) again(s string) {
	n, has := w.known[s]
	w.count(n)
	if !has {
		w.known[s] = len(w.known) + 1
		w.text(s)
	}
}

func (w *outcomeWriter) texts(list []string) {
	w.count(len(list))
	for _, s := range list {
		w.again(s)
	}
}

func (w *outcomeWriter) rows(list []fingerprints.RowID) {
	w.count(len(list))
	for i := range list {
		w.bytes(list[i][:])
	}
}

func (w *outcomeWriter) region(r wire.Region) {
	for _, n := range []int64{r.Start, r.End, int64(r.Line), int64(r.Column), int64(r.EndLine), int64(r.EndColumn)} {
		w.number(n)
	}
}

// time writes a moment, to the nanosecond; that of a log begins after 1970.
func (w *outcomeWriter) time(t time.Time) {
	if t.IsZero() {
		w.number(0)
		return
	}
	w.number(t.UnixNano())
}

// Flags of a sighting.
const (
	flagWithin = 1 << iota
	flagPathOnly
	flagCore
	flagLow
	flagLocated
	flagsEnd
)

// sighting writes one.
func (r *recording) sighting(s *sighting) {
	w, sg := &r.found, &s.obs.Sighting
	var flags byte
	for _, f := range []struct {
		bit byte
		set bool
	}{
		{flagWithin, sg.Within},
		{flagPathOnly, s.hit.PathOnly},
		{flagCore, s.ident.key == r.core},
		{flagLow, s.hit.Low},
		{flagLocated, s.ident.located},
	} {
		if f.set {
			flags |= f.bit
		}
	}
	w.bytes([]byte{flags})
	rest, is := strings.CutPrefix(s.path, r.path)
	r.unfit = r.unfit || !is
	w.again(rest)
	w.number(s.hit.Span.Start)
	w.number(s.hit.Span.End)
	w.again(string(s.hit.Form))
	w.again(s.hit.Rule)
	w.again(s.hit.Description)
	w.texts(s.hit.Tags)
	w.bytes(binary.LittleEndian.AppendUint32(nil, math.Float32bits(s.hit.Entropy)))
	w.rows(s.hit.Rows)
	w.texts(s.rules)
	w.bytes(s.ident.id[:])
	if !s.hit.Registered() {
		w.bytes(binary.LittleEndian.AppendUint64(nil, r.core.SameID(s.hit.Value.Reveal())))
	}
	w.again(sg.Context)
	w.again(s.mark)
	w.number(s.obs.Overflow)
	w.region(s.span)
	w.region(s.whole)
	w.time(s.at)
	w.again(s.section)
}

// outcome is all that was taken down.
func (r *recording) outcome(size int64) []byte {
	w := &outcomeWriter{}
	w.number(size)
	w.count(len(r.marks))
	for _, rows := range slices.Sorted(maps.Keys(r.marks)) {
		w.text(rows)
		w.text(r.marks[rows])
	}
	w.count(len(r.skips))
	for _, s := range r.skips {
		w.text(s.Path)
		w.text(string(s.Reason))
		w.text(s.Detail)
		w.number(s.Size)
	}
	w.count(r.count)
	return append(w.b, r.found.b...)
}

// outcome is one that was read.
type outcome struct {
	bytes int64
	marks []namedRows
	skips []fingerprints.Skip
	found []kept
}

// namedRows are the rows of a hit with what stood in for it.
type namedRows struct {
	rows []fingerprints.RowID
	mark string
}

// outcomeReader reads fields. After one that is not there all others are empty,
// and bad is set.
type outcomeReader struct {
	b     []byte
	known []string
	bad   bool
}

func (r *outcomeReader) fail() { r.b, r.bad = nil, true }

func (r *outcomeReader) bytes(n int) []byte {
	if n < 0 || n > len(r.b) {
		r.fail()
		return nil
	}
	out := r.b[:n:n]
	r.b = r.b[n:]
	return out
}

func (r *outcomeReader) count() int {
	n, used := binary.Uvarint(r.b)
	if used <= 0 || n > math.MaxInt32 {
		r.fail()
		return 0
	}
	r.b = r.b[used:]
	return int(n)
}

// length reads that of a list whose entries have at least so many bytes.
func (r *outcomeReader) length(least int) int {
	n := r.count()
	if n > len(r.b)/least {
		r.fail()
		return 0
	}
	return n
}

func (r *outcomeReader) number() int64 {
	n, used := binary.Varint(r.b)
	if used <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[used:]
	return n
}

func (r *outcomeReader) text() string { return string(r.bytes(r.count())) }

func (r *outcomeReader) again() string {
	n := r.count()
	switch {
	case n > len(r.known):
		r.fail()
		return ""
	case n > 0:
		return r.known[n-1]
	}
	s := r.text()
	if !r.bad {
		r.known = append(r.known, s)
	}
	return s
}

func (r *outcomeReader) texts() []string {
	n := r.length(1)
	if n == 0 {
		return nil
	}
	out := make([]string, n)
	for i := range out {
		out[i] = r.again()
	}
	return out
}

// rowsText are rows as one text.
func rowsText(rows []fingerprints.RowID) string {
	var b strings.Builder
	for i := range rows {
		b.Write(rows[i][:])
	}
	return b.String()
}

// rowsOf are the rows in a text.
func (r *outcomeReader) rowsOf(b []byte) []fingerprints.RowID {
	const size = len(fingerprints.RowID{})
	if len(b)%size != 0 {
		r.fail()
		return nil
	}
	var out []fingerprints.RowID
	for c := range slices.Chunk(b, size) {
		out = append(out, fingerprints.RowID(c))
	}
	return out
}

func (r *outcomeReader) rows() []fingerprints.RowID {
	const size = len(fingerprints.RowID{})
	return r.rowsOf(r.bytes(r.length(size) * size))
}

func (r *outcomeReader) region() (out wire.Region) {
	out.Start, out.End = r.number(), r.number()
	for _, n := range []*int{&out.Line, &out.Column, &out.EndLine, &out.EndColumn} {
		*n = int(r.number())
	}
	return out
}

func (r *outcomeReader) time() time.Time {
	n := r.number()
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}

func (r *outcomeReader) sighting() (k kept) {
	flags := r.bytes(1)
	if r.bad || flags[0] >= flagsEnd {
		r.fail()
		return k
	}
	k.within, k.pathOnly, k.core, k.low = flags[0]&flagWithin != 0, flags[0]&flagPathOnly != 0, flags[0]&flagCore != 0, flags[0]&flagLow != 0
	k.located = flags[0]&flagLocated != 0
	k.path, k.start, k.end = r.again(), r.number(), r.number()
	k.form, k.rule, k.description, k.tags = fingerprints.Form(r.again()), r.again(), r.again(), r.texts()
	if b := r.bytes(4); b != nil {
		k.entropy = math.Float32frombits(binary.LittleEndian.Uint32(b))
	}
	k.rows, k.rules = r.rows(), r.texts()
	copy(k.id[:], r.bytes(len(k.id)))
	if len(k.rows) == 0 {
		if b := r.bytes(8); b != nil {
			k.same = binary.LittleEndian.Uint64(b)
		}
	}
	k.context, k.mark, k.overflow = r.again(), r.again(), r.number()
	k.span, k.whole, k.at, k.section = r.region(), r.region(), r.time(), r.again()
	return k
}

// decodeOutcome reads an outcome; false where it is none.
func decodeOutcome(b []byte) (o outcome, ok bool) {
	r := &outcomeReader{b: b}
	o.bytes = r.number()
	for range r.length(2) {
		rows := r.rowsOf(r.bytes(r.count()))
		o.marks = append(o.marks, namedRows{rows, r.text()})
	}
	for range r.length(4) {
		s := fingerprints.Skip{Path: r.text(), Reason: fingerprints.SkipReason(r.text()), Detail: r.text()}
		s.Size = r.number()
		o.skips = append(o.skips, s)
	}
	for range r.length(1) {
		if o.found = append(o.found, r.sighting()); r.bad {
			break
		}
	}
	return o, !r.bad && len(r.b) == 0
}
