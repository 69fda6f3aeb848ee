package scanners

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"revenant/fingerprints"
)

// kin are hits that may tell of the same copy: of one registered value, or of
// one rule.
type kin struct {
	row  fingerprints.RowID
	rule string
}

func (h Hit) kin() kin {
	if h.Registered() {
		return kin{row: h.Rows[0]}
	}
	return kin{rule: h.Rule}
}

// together are the direct hits and those in views, each copy told of once.
func together(direct, views []Hit) []Hit {
	direct = placed(unrepeated(direct), views)
	views = unseenViews(direct, views)
	whole := map[kin]*spans{}
	for _, h := range views {
		if h.alike > 0 && !h.Registered() {
			whole[h.kin()] = whole[h.kin()].add(h)
		}
	}
	if len(whole) > 0 {
		direct = slices.DeleteFunc(direct, func(o Hit) bool {
			return !o.Registered() && whole[o.kin()].any(o, func(h Hit) bool { return cutShort(o, h) })
		})
	}
	return Halves(append(direct, views...))
}

// Halves drops parts of registered values that stand where another hit tells more:
// of the whole value, or of a longer part.
func Halves(hits []Hit) []Hit {
	half := func(h Hit) bool { return h.Rule == RuleHalfMasked && !h.Registered() }
	if !slices.ContainsFunc(hits, half) {
		return hits
	}
	kept := slices.DeleteFunc(slices.Clone(hits), half)
	whole := &spans{byBucket: map[int64][]Hit{}}
	for _, h := range kept {
		if h.Registered() {
			whole.add(h)
		}
	}
	halves := slices.DeleteFunc(slices.Clone(hits), func(h Hit) bool { return !half(h) })
	slices.SortStableFunc(halves, func(a, b Hit) int {
		return cmp.Or(cmp.Compare(a.depth, b.depth), cmp.Compare(b.Span.Len(), a.Span.Len()), compareHits(a, b))
	})
	for _, h := range halves {
		if !whole.any(h, func(Hit) bool { return true }) {
			whole.add(h)
			kept = append(kept, h)
		}
	}
	return kept
}

// placed drops what a rule that decodes by itself found somewhere in a stretch, as in
// that from the first percent sign of a line to the last, where a view tells which part
// of the stretch that is.
func placed(direct, views []Hit) []Hit {
	decoded := func(h Hit) bool {
		return !h.Registered() && !h.PathOnly && h.Form != fingerprints.FormRaw
	}
	if !slices.ContainsFunc(direct, decoded) {
		return direct
	}
	exact := map[kin]*spans{}
	for _, h := range views {
		if decoded(h) {
			exact[h.kin()] = exact[h.kin()].add(h)
		}
	}
	return slices.DeleteFunc(direct, func(o Hit) bool {
		return decoded(o) && exact[o.kin()].any(o, func(h Hit) bool {
			least := h.Span.Len() // else they differ by what characters of base64 share
			if strings.Contains(string(o.Form), string(fingerprints.FormPercent)) {
				least = 0
			}
			return h.Value.Equal(o.Value) && o.Span.Contains(h.Span) && h.Span.Len()+least < o.Span.Len()
		})
	})
}

// unrepeated drops what a rule that decodes by itself found again in what it
// decoded, where it reads as it stands.
func unrepeated(direct []Hit) []Hit {
	raw, decoded := map[kin]*spans{}, map[kin]bool{}
	for _, h := range direct {
		if !h.Registered() && !h.PathOnly && h.Form != fingerprints.FormRaw {
			decoded[h.kin()] = true
		}
	}
	if len(decoded) == 0 {
		return direct
	}
	for _, h := range direct {
		if k := h.kin(); h.Form == fingerprints.FormRaw && decoded[k] {
			raw[k] = raw[k].add(h)
		}
	}
	return slices.DeleteFunc(direct, func(h Hit) bool {
		return !h.Registered() && !h.PathOnly && h.Form != fingerprints.FormRaw &&
			raw[h.kin()].any(h, func(o Hit) bool { return o.Value.Equal(h.Value) })
	})
}

// cutShort reports whether o is the beginning of what h is, as far as an escape,
// a soft line break or the end of a literal let a rule see.
func cutShort(o, h Hit) bool {
	return o.Span.Start == h.Span.Start && o.Span.End < h.Span.End && !o.Value.Equal(h.Value) &&
		bytes.HasPrefix(h.Value.Reveal(), bytes.TrimSuffix(o.Value.Reveal(), []byte("="))) && !strings.Contains(string(h.Form), string(fingerprints.FormMarkup))
}

// unseenViews are the hits in views that tell of a copy that neither a direct
// hit tells of nor an earlier one of them.
func unseenViews(direct, views []Hit) []Hit {
	if len(views) == 0 {
		return nil
	}
	// The shallowest first, then the shortest: the plainest telling is kept.
	slices.SortStableFunc(views, func(a, b Hit) int {
		return cmp.Or(cmp.Compare(a.depth, b.depth), cmp.Compare(a.Span.Len(), b.Span.Len()), compareHits(a, b))
	})
	told := map[kin]*spans{}
	wanted := map[kin]bool{}
	for _, h := range views {
		wanted[h.kin()] = true
	}
	for _, h := range direct {
		if k := h.kin(); wanted[k] && !h.PathOnly {
			told[k] = told[k].add(h)
		}
	}
	kept := views[:0]
	for _, h := range views {
		k := h.kin()
		if told[k].tells(h) {
			continue
		}
		told[k] = told[k].add(h)
		kept = append(kept, h)
	}
	return kept
}

// unworn drops hits of rules whose value has the beginning of an escape at its
// end, where a hit in a view tells of the same secret without: many patterns
// take a backslash for a character of the secret, as in "a\" of {"k":"\"a\""}.
func unworn(direct, views []Hit) (unwornDirect, unwornViews []Hit) {
	bare := map[kin]*spans{}
	for _, h := range views {
		if h.alike > 0 && !h.Registered() {
			bare[h.kin()] = bare[h.kin()].add(h)
		}
	}
	if len(bare) == 0 {
		return direct, views
	}
	worn := func(o Hit) bool {
		v := o.Value.Reveal()
		if o.PathOnly || o.Registered() || bytes.IndexByte(v, '\\') < 0 {
			return false
		}
		return bare[o.kin()].any(o, func(h Hit) bool {
			rest, ok := bytes.CutPrefix(v, h.Value.Reveal())
			return ok && o.depth < h.depth && len(rest) > 0 && rest[0] == '\\'
		})
	}
	return slices.DeleteFunc(direct, worn), slices.DeleteFunc(views, worn)
}

// spans are hits of one kin, in buckets by where they are, so that many cost
// what few do.
type spans struct {
	byBucket map[int64][]Hit
	long     []Hit // in more buckets than it pays to list
}

const (
	spanBucket = 4 << 10
	longSpan   = 64 // buckets
	maxLong    = 64 // long hits that are compared one by one
	maxNear    = 64 // and hits of one bucket
)

func (s *spans) add(h Hit) *spans {
	if s == nil {
		s = &spans{byBucket: map[int64][]Hit{}}
	}
	from, to := h.Span.Start/spanBucket, h.Span.End/spanBucket
	if to-from > longSpan {
		if len(s.long) < maxLong {
			s.long = append(s.long, h)
		}
		return s
	}
	for b := from; b <= to; b++ {
		s.byBucket[b] = append(s.byBucket[b], h)
	}
	return s
}

// tells reports whether one of the hits tells of the same copy.
func (s *spans) tells(h Hit) bool {
	return s.any(h, func(o Hit) bool { return sameCopy(o, h) })
}

// any reports whether one of the hits that overlap h is like it.
func (s *spans) any(h Hit, like func(o Hit) bool) bool {
	if s == nil {
		return false
	}
	same := func(o Hit) bool { return o.Span.Overlaps(h.Span) && like(o) }
	if slices.ContainsFunc(s.long, same) {
		return true
	}
	from, to := h.Span.Start/spanBucket, h.Span.End/spanBucket
	if to-from > longSpan {
		to = from + longSpan
	}
	for b := from; b <= to; b++ {
		near := s.byBucket[b]
		if slices.ContainsFunc(near[max(0, len(near)-maxNear):], same) {
			return true
		}
	}
	return false
}

// sameCopy reports whether two overlapping hits of one kin are one copy. A
// rule finds different secrets in one encoded stretch; but where the stretch
// reads as its text does, it found one secret twice.
func sameCopy(o, h Hit) bool {
	if h.Registered() || o.Value.Equal(h.Value) {
		return true
	}
	layers := o.layers()
	return h.depth-h.alike <= layers && layers < h.layers() && o.depth < h.depth && !cutShort(o, h) && o.Span.Len() <= 4*h.Span.Len()+16
}

// layers is how many encodings a hit was found behind, with what the matcher
// decoded by itself.
func (h Hit) layers() int {
	switch {
	case h.inner:
		return h.depth + 1
	case h.depth == 0 && h.Form != "" && h.Form != fingerprints.FormRaw:
		return 1 + strings.Count(string(h.Form), "+")
	}
	return h.depth
}
