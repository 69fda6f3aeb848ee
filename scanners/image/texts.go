package image

import "context"

// Behind the path of an entry.
const (
	attributesPart = "!@attributes" // what stands beside its name
	headerPart     = "!@header"     // what its headers hold beside what is meant
	paddingPart    = "!@padding"    // what stands between its content and the next header
)

// texts are what stands beside the contents of a layer: many, and short. They are screened
// together, and by themselves only where something is found.
type texts struct {
	v    *survey
	s    *surveyed
	all  []byte
	list []beneath
}

// beneath is a text of an entry.
type beneath struct {
	entry    int
	part     string
	from, to int
}

// longText is how long a text is that is looked at by itself: it may be packed.
const longText = 4 << 10

func (t *texts) add(ctx context.Context, entry int, part string, text []byte) {
	switch {
	case len(text) == 0:
	case len(text) >= longText:
		t.one(ctx, entry, part, text)
	default:
		t.list = append(t.list, beneath{entry, part, len(t.all), len(t.all) + len(text)})
		if t.all = append(append(t.all, text...), '\n'); len(t.all) >= namesAtOnce {
			t.look(ctx)
		}
	}
}

// look screens what was gathered.
func (t *texts) look(ctx context.Context) {
	if len(t.all) > 0 && t.v.screen(ctx, t.all) {
		for _, b := range t.list {
			t.one(ctx, b.entry, b.part, t.all[b.from:b.to])
		}
	}
	t.all, t.list = t.all[:0], t.list[:0]
}

func (t *texts) one(ctx context.Context, entry int, part string, text []byte) {
	if t.v.screen(ctx, text) {
		t.s.hold(t.v.keep(heldFile{Entry: entry, Part: part, Size: int64(len(text))}, text))
	}
}
