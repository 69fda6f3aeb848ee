package gitrepo

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"

	"revenant/fingerprints"
	"revenant/scanners/gitrepo/objects"
)

// Memory keeps what a scan of a repository learnt for the next one, in named
// parts. It holds ids of objects and no content. What is opened may be old or
// damaged, and parts need not fit each other: then everything is read again.
type Memory interface {
	// Open opens a part; it stays readable when it is replaced or removed. The
	// error may be any where there is none.
	Open(part string) (Part, error)
	// Save replaces a part as a whole: after a kill it is the old or the new one.
	Save(part string, b []byte) error
	// Remove removes a part, if it is there.
	Remove(part string) error
}

// Part is a part of a memory that was opened.
type Part interface {
	io.ReaderAt
	io.Closer
	Size() int64
}

// statePart is the part that names the others.
const statePart = "memory"

// Knowledge says what a scan looks for, so that what was read for the same need
// not be read again.
type Knowledge struct {
	// Generic names everything but rules that decides what patterns find:
	// decoders, depths, the program's own version.
	Generic [sha256.Size]byte
	// Rules are the rules, each by a hash of all that it says, and Permits what
	// none of them reports.
	Rules, Permits []RuleMark
	// Fields is the revision of the registered values.
	Fields uint64
}

// RuleMark names a rule or an allowlist by what it says.
type RuleMark = [16]byte

// Change is what is looked for that was not when objects were read.
type Change struct {
	Fields bool // registered values
	Rules  []RuleMark
}

// since is what is looked for now and was not before. What is not looked for any
// more is no change, and neither is one more allowlist; one less could let
// anything through.
func (k Knowledge) since(before Knowledge) Change {
	c := Change{Fields: k.Fields != before.Fields}
	permitted := map[RuleMark]bool{}
	for _, m := range k.Permits {
		permitted[m] = true
	}
	if slices.ContainsFunc(before.Permits, func(m RuleMark) bool { return !permitted[m] }) {
		c.Rules = k.Rules
		return c
	}
	had := map[RuleMark]bool{}
	for _, m := range before.Rules {
		had[m] = true
	}
	for _, m := range k.Rules {
		if !had[m] {
			c.Rules = append(c.Rules, m)
		}
	}
	return c
}

func (c Change) any() bool { return c.Fields || len(c.Rules) > 0 }

func (k Knowledge) equal(o Knowledge) bool {
	return k.Generic == o.Generic && k.Fields == o.Fields && slices.Equal(k.Rules, o.Rules) && slices.Equal(k.Permits, o.Permits)
}

// memory is what the state says. The marks of most objects lie in a part of
// their own, which is replaced seldom; all else is written anew each time.
type memory struct {
	knows Knowledge
	salt  [16]byte
	read  keptMarks // objects that were
	// reached are the commits that tips reached once; of others it is not known
	// unless surely is set.
	reached keptMarks
	surely  bool
	// clean are keyed hashes of contents beside the objects in which nothing was
	// found, sorted.
	clean []uint64
	// packs are the checksums of packs of which every object was read.
	packs [][]byte
	// came reports that the scan came to its end: commits and all below say of
	// history what it was then.
	came    bool
	commits []tip // that refs are at, sorted
	tags    []peeled
	held    []remembered // blobs that may hold something
	written []remembered // commits and tags
	trees   []oid        // with names that may be something
	places  []remembered // blobs with the commits that brought them in
	// pointers are blobs that stand for content in LFS; links says that trees
	// have commits of other repositories.
	pointers []oid
	links    bool
	sets     [][]uint32 // places that trees of refs hold together
	spots    []stoodSpot
	was      []oid // see tips
}

// tip is what a ref leads to.
type tip struct {
	id  oid
	tip bool   // of a ref that is a tip
	is  bool   // it is a commit that can be read
	in  bool   // one of the packs has it
	set uint32 // of places in its tree, counted from 1; 0: not known
}

// peeled is a tag with what it leads to.
type peeled struct {
	tag, commit oid
	in          bool // one of the packs has it
}

// remembered is an object with what is known of it.
type remembered struct {
	id       oid
	kind     objects.Kind
	size     int64
	commit   oid
	presence fingerprints.Presence
	mark     uint64 // of the place
}

// stoodSpot is a place in trees: its path is kept as a keyed hash.
type stoodSpot struct {
	blob oid
	link bool // that is a commit of another repository
	mark uint64
	// route are the trees that lead to it, where nothing else does.
	route []oid
}

// errForgotten says that a memory is of another kind, or damaged.
var errForgotten = errors.New("not a memory of this version")

// recall reads a memory. ids are of that many bytes.
func recall(m Memory, size int) (*memory, error) {
	b, err := readPart(m, statePart)
	if err != nil {
		return nil, err
	}
	return decodeMemory(b, size)
}

// readPart reads a part wholly.
func readPart(m Memory, name string) ([]byte, error) {
	p, err := m.Open(name)
	if err != nil {
		return nil, fmt.Errorf("remembering: %w", err)
	}
	defer p.Close()
	b := make([]byte, p.Size())
	if _, err := io.ReadFull(io.NewSectionReader(p, 0, p.Size()), b); err != nil {
		return nil, fmt.Errorf("remembering: %w", err)
	}
	return b, nil
}

// tips are the commits that tips were at, sorted.
func (m *memory) tips() []oid {
	if m.was != nil {
		return m.was
	}
	out := make([]oid, 0, len(m.commits))
	for i := range m.commits {
		if m.commits[i].tip {
			out = append(out, m.commits[i].id)
		}
	}
	m.was = out
	return out
}
