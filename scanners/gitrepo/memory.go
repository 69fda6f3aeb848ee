package gitrepo

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/gob"
	"errors"
	"fmt"
	"slices"

	"revenant/fingerprints"
	"revenant/scanners/gitrepo/objects"
)

// Memory keeps what a scan of a repository learnt for the next one. It holds
// ids of objects and no content. What Load returns may be old or damaged: then
// everything is read again.
type Memory interface {
	Load() ([]byte, error)
	Save([]byte) error
}

// Knowledge says what a scan looks for, so that what was read for the same need
// not be read again.
type Knowledge struct {
	// Generic names everything that decides what patterns find: rules, decoders,
	// depths, the program's own version.
	Generic [sha256.Size]byte
	// Fields is the revision of the registered values.
	Fields uint64
}

// memoryV2 is what Memory holds: a gob behind a line that names the format.
type memoryV2 struct {
	Knows Knowledge
	Salt  [16]byte
	// Packs are the checksums of packs of which every object was read; Seen is
	// a keyed hash of each object that was, sorted.
	Packs [][]byte
	Seen  []byte
	// Tips are the commits that were reached from; nil when the scan did not
	// come that far.
	Tips    [][]byte
	Held    []remembered // blobs that may hold something
	Written []remembered // commits and tags
	Trees   [][]byte     // with names that may be something
	Places  []remembered // blobs with the commits that brought them in
	// Pointers are blobs that stand for content in LFS; Links says that trees
	// have commits of other repositories.
	Pointers [][]byte
	Links    bool
	Stood    stoodV2
}

// remembered is an object with what is known of it.
type remembered struct {
	ID       []byte
	Kind     objects.Kind
	Size     int64
	Commit   []byte
	Presence fingerprints.Presence
}

const memoryHead = "revenant.git-memory/2\n"

// errForgotten says that a memory is of another kind, or damaged.
var errForgotten = errors.New("not a memory of this version")

// recall reads a memory.
func recall(m Memory) (memoryV2, error) {
	var out memoryV2
	b, err := m.Load()
	if err != nil {
		return out, fmt.Errorf("remembering: %w", err)
	}
	body, ok := bytes.CutPrefix(b, []byte(memoryHead))
	if !ok || len(body) < sha256.Size {
		return out, errForgotten
	}
	sum := sha256.Sum256(body[sha256.Size:])
	if !bytes.Equal(sum[:], body[:sha256.Size]) || gob.NewDecoder(bytes.NewReader(body[sha256.Size:])).Decode(&out) != nil {
		return memoryV2{}, errForgotten
	}
	return out, nil
}

// keep writes a memory.
func (m *memoryV2) keep(to Memory) error {
	var body bytes.Buffer
	if err := gob.NewEncoder(&body).Encode(m); err != nil {
		return fmt.Errorf("remembering: %w", err)
	}
	sum := sha256.Sum256(body.Bytes())
	if err := to.Save(slices.Concat([]byte(memoryHead), sum[:], body.Bytes())); err != nil {
		return fmt.Errorf("remembering: %w", err)
	}
	return nil
}

// packed are numbers as bytes, which are read sooner than a list.
func packed(list []uint64) []byte {
	b := make([]byte, 0, 8*len(list))
	for _, n := range list {
		b = binary.LittleEndian.AppendUint64(b, n)
	}
	return b
}

func unpacked(b []byte) []uint64 {
	list := make([]uint64, 0, len(b)/8)
	for ; len(b) >= 8; b = b[8:] {
		list = append(list, binary.LittleEndian.Uint64(b))
	}
	return list
}

// known is what was read before, as the walk asks for it.
type known struct {
	salt  [16]byte
	packs map[string]bool
	seen  []uint64 // sorted
	fresh []uint64 // since
	gone  []uint64 // that may come back and are to be read again then
}

func newKnown() (*known, error) {
	k := &known{packs: map[string]bool{}}
	if _, err := rand.Read(k.salt[:]); err != nil {
		return nil, fmt.Errorf("remembering: %w", err)
	}
	return k, nil
}

// mark is a keyed hash of an id: nobody can make an object that is taken for
// another one.
func (k *known) mark(id oid) uint64 {
	var b [48]byte
	copy(b[:], k.salt[:])
	n := copy(b[16:], id.Bytes())
	sum := sha256.Sum256(b[:16+n])
	return binary.LittleEndian.Uint64(sum[:])
}

func (k *known) has(id oid) bool {
	_, found := slices.BinarySearch(k.seen, k.mark(id))
	return found
}

// forget takes back that an object was read: it is not in the store any more,
// and what was found in it is kept no longer. Another clone of the same remote
// may have it, or a fetch may bring it back.
func (k *known) forget(id oid) { k.gone = append(k.gone, k.mark(id)) }

// reader tells what was read, before and since.
func (k *known) reader() func(oid) bool {
	var all []uint64
	return func(id oid) bool {
		if all == nil {
			all = k.all()
		}
		_, found := slices.BinarySearch(all, k.mark(id))
		return found
	}
}

// all are the marks of everything that was read.
func (k *known) all() []uint64 {
	if len(k.fresh)+len(k.gone) == 0 {
		return k.seen
	}
	out := slices.Concat(k.seen, k.fresh)
	slices.Sort(out)
	out = slices.Compact(out)
	if len(k.gone) == 0 {
		return out
	}
	slices.Sort(k.gone)
	return slices.DeleteFunc(out, func(mark uint64) bool {
		_, gone := slices.BinarySearch(k.gone, mark)
		return gone
	})
}

// brought are the places that a commit brought wanted blobs to: where its tree
// has one and no parent's tree has the same at the path.
func (t *trees) brought(ctx context.Context, id oid, wanted map[oid]bool) []place {
	data, err := t.store.get(ctx, id, objects.Commit)
	if err != nil {
		return nil
	}
	root, parents := shape(data)
	var before []oid
	for _, p := range parents {
		if data, err := t.store.get(ctx, p, objects.Commit); err == nil {
			tree, _ := shape(data)
			before = append(before, tree)
		}
	}
	return t.differing(ctx, root, before, wanted, 0)
}

// differing are the wanted blobs in a tree that none of the others has there.
func (t *trees) differing(ctx context.Context, tree oid, others []oid, wanted map[oid]bool, depth int) []place {
	if slices.Contains(others, tree) || depth > maxTreeDepth || ctx.Err() != nil {
		return nil
	}
	var below []map[string]oid
	for _, o := range others {
		names := map[string]oid{}
		for e := range t.entries(ctx, o) {
			names[string(e.name)] = e.id
		}
		below = append(below, names)
	}
	var out []place
	for e := range t.entries(ctx, tree) {
		var same []oid
		for _, names := range below {
			if id, has := names[string(e.name)]; has {
				same = append(same, id)
			}
		}
		switch {
		case slices.Contains(same, e.id):
		case e.tree():
			for _, p := range t.differing(ctx, e.id, same, wanted, depth+1) {
				out = append(out, place{blob: p.blob, path: string(e.name) + "/" + p.path})
			}
		case wanted[e.id]:
			out = append(out, place{blob: e.id, path: string(e.name)})
		}
	}
	return out
}

// entries are the lines of a tree, as far as it can be read.
func (t *trees) entries(ctx context.Context, id oid) func(yield func(entry) bool) {
	return func(yield func(entry) bool) {
		data, err := t.store.get(ctx, id, objects.Tree)
		if err != nil {
			return
		}
		for len(data) > 0 {
			e, rest, ok := nextEntry(data, len(id.Bytes()))
			if !ok || !yield(e) {
				return
			}
			data = rest
		}
	}
}

// shape is the tree and the parents of a commit.
func shape(commit []byte) (tree oid, parents []oid) {
	head, _, _ := bytes.Cut(commit, []byte("\n\n"))
	for line := range bytes.SplitSeq(head, []byte{'\n'}) {
		if id, has := bytes.CutPrefix(line, []byte("parent ")); has {
			if p, ok := parseOID(id); ok {
				parents = append(parents, p)
			}
		}
		if id, has := bytes.CutPrefix(line, []byte("tree ")); has {
			tree, _ = parseOID(id)
		}
	}
	return tree, parents
}
