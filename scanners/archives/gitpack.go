package archives

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/sha1" //nolint:gosec // git names its objects so
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"strconv"

	"revenant/scanners/inflate"
)

// A git pack holds objects, compressed one by one, and differences to others of
// them; gitformat-pack of git's documentation. Its index is not needed.

// Magics of the two versions.
const (
	packMagic2 = "PACK\x00\x00\x00\x02"
	packMagic3 = "PACK\x00\x00\x00\x03"
)

// Bounds of a pack.
const (
	packHead     = 12
	packWhole    = 32 << 20 // an object that others are made from
	packUnder    = 64 << 20 // objects that the one at hand is made from, together
	packDeepest  = 5000     // differences in a row: git makes 4095 at most
	packHeadMost = 10 + 10 + sha256.Size + 2
)

var errPackLarge = errors.New("an object is too large to be put together")

// packEntry is an object in a pack, or how to make one.
type packEntry struct {
	at, data, end int64 // header, compressed stream, the coming entry
	kind          byte
	size          int64
	id            string // of a whole object, raw
	base          string // id that it is made from
	back          int64  // or where that stands
	children      []int
	told          bool // it was visited or listed
}

// Kinds of entry.
const (
	packCommit   = 1
	packTag      = 4
	packByOffset = 6
	packByID     = 7
)

// gitPack is a pack that is being read.
type gitPack struct {
	e       *container
	newHash func() hash.Hash
	idSize  int
	z       inflate.Zlib
	list    []packEntry
	under   int64            // bytes of what is being made from
	byID    map[string][]int // what is made from objects whose ids are not known yet
}

// gitPack visits the objects of a pack as members, named by kind and id.
func (e *container) gitPack(ctx context.Context) error {
	p := &gitPack{e: e, newHash: sha1.New, idSize: sha1.Size}
	err := p.read(ctx)
	if err != nil || p.ends() != e.size-sha1.Size {
		other := &gitPack{e: e, newHash: sha256.New, idSize: sha256.Size}
		if otherErr := other.read(ctx); otherErr == nil && other.ends() == e.size-sha256.Size {
			p, err = other, nil
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil || p.ends() != e.size-int64(p.idSize) {
		e.w.skip(e.content.Path, cmp.Or(err, errDamaged).Error())
	}
	e.packed = len(p.list) > 0
	for _, i := range p.roots() {
		if goOn, err := p.visit(ctx, i, nil, p.list[i].kind, 0); err != nil || !goOn {
			return err
		}
	}
	for i := range p.list { // made from what is not there, or could not be made
		p.lost(i, errDamaged)
	}
	return nil
}

func (p *gitPack) ends() int64 {
	if len(p.list) == 0 {
		return packHead
	}
	return p.list[len(p.list)-1].end
}

// read learns where entries stand: each is decompressed to find where it ends.
func (p *gitPack) read(ctx context.Context) error {
	head := make([]byte, packHead)
	if _, err := p.e.at.ReadAt(head, 0); err != nil {
		return errDamaged
	}
	left := p.e.w.left
	for n := binary.BigEndian.Uint32(head[8:]); n > 0 && ctx.Err() == nil; n-- {
		if len(p.list) > p.e.w.entries {
			return errEntries
		}
		k, err := p.entry(p.ends(), &left)
		if err != nil {
			return err
		}
		p.list = append(p.list, k)
	}
	return ctx.Err()
}

// entry reads the header and the length of one.
func (p *gitPack) entry(at int64, left *int64) (packEntry, error) {
	k := packEntry{at: at}
	head := make([]byte, packHeadMost)
	n, _ := p.e.at.ReadAt(head, at)
	used := k.header(head[:n], p.idSize)
	if used == 0 || k.size < 0 {
		return k, errDamaged
	}
	k.data = at + int64(used)
	sum := p.newHash()
	if k.kind <= packTag {
		sum.Write([]byte(packKind(k.kind) + " " + strconv.FormatInt(k.size, 10) + "\x00"))
	}
	z, b, in, err := p.inflate(k.data)
	if err != nil {
		return k, errDamaged
	}
	got, err := io.Copy(sum, io.LimitReader(z, min(k.size, *left)+1))
	if *left -= got; *left < 0 {
		return k, errBytes
	}
	if err == nil && got == k.size {
		_, err = io.Copy(io.Discard, z) // its checksum
	}
	if err != nil || got != k.size {
		return k, errDamaged
	}
	k.end = k.data + in.n - int64(b.Buffered())
	if k.kind <= packTag {
		k.id = string(sum.Sum(nil))
	}
	return k, nil
}

// header reads an entry's header, and says how long it is; 0: it is none.
func (k *packEntry) header(b []byte, idSize int) int {
	if len(b) == 0 {
		return 0
	}
	k.kind, k.size = b[0]>>4&7, int64(b[0]&15)
	i, shift := 1, 4
	for more := b[0]&0x80 != 0; more; i++ {
		if i >= len(b) || shift > 60 {
			return 0
		}
		k.size |= int64(b[i]&0x7f) << shift
		shift += 7
		more = b[i]&0x80 != 0
	}
	switch {
	case k.kind >= packCommit && k.kind <= packTag:
		return i
	case k.kind == packByID && i+idSize <= len(b):
		k.base = string(b[i : i+idSize])
		return i + idSize
	case k.kind == packByOffset:
		for n := 0; i < len(b) && n < 9; n++ {
			c := b[i]
			k.back = k.back<<7 | int64(c&0x7f)
			if i++; c&0x80 == 0 {
				return i
			}
			k.back++
		}
	}
	return 0
}

func packKind(kind byte) string {
	return [...]string{1: "commit", 2: "tree", 3: "blob", 4: "tag"}[kind]
}

// inflate opens a stream, with the readers below it that tell how much it took.
func (p *gitPack) inflate(at int64) (io.Reader, *bufio.Reader, *counted, error) {
	in := &counted{r: io.NewSectionReader(p.e.at, at, p.e.size-at)}
	b := bufio.NewReaderSize(in, 4<<10)
	return &p.z, b, in, p.z.Reset(b)
}

// roots are the whole objects; they know afterwards what is made from them.
func (p *gitPack) roots() (roots []int) {
	byPlace, byID := map[int64]int{}, map[string]int{}
	for i, k := range p.list {
		byPlace[k.at] = i
		if k.id != "" {
			byID[k.id] = i
		}
	}
	p.byID = map[string][]int{}
	for i, k := range p.list {
		switch k.kind {
		case packByOffset:
			if base, has := byPlace[k.at-k.back]; has && k.back > 0 {
				p.list[base].children = append(p.list[base].children, i)
			}
		case packByID:
			if base, has := byID[k.base]; has {
				p.list[base].children = append(p.list[base].children, i)
			} else { // it may be the id of what is made itself
				p.byID[k.base] = append(p.byID[k.base], i)
			}
		default:
			roots = append(roots, i)
		}
	}
	return roots
}

func (p *gitPack) lost(i int, err error) {
	if k := &p.list[i]; !k.told {
		k.told = true
		p.e.w.skip(p.e.content.Path+"!entry-"+strconv.FormatInt(k.at, 10), err.Error())
	}
}

// visit visits an object, and then what is made from it.
func (p *gitPack) visit(ctx context.Context, i int, base []byte, kind byte, deep int) (goOn bool, err error) {
	k := &p.list[i]
	if len(k.children) == 0 && k.kind <= packTag {
		z, _, in, err := p.inflate(k.data)
		if err != nil {
			p.lost(i, errDamaged)
			return true, nil
		}
		return p.member(ctx, k, kind, k.id, io.LimitReader(z, k.size), &in.n)
	}
	data, why := p.whole(k, base)
	if why == nil && (deep > packDeepest || p.under+int64(len(data)) > packUnder) {
		why = errPackLarge
	}
	if why != nil {
		p.lost(i, why)
		return true, nil
	}
	id := k.id
	if id == "" {
		sum := p.newHash()
		sum.Write([]byte(packKind(kind) + " " + strconv.Itoa(len(data)) + "\x00"))
		sum.Write(data)
		id = string(sum.Sum(nil))
		k.children = append(k.children, p.byID[id]...)
		delete(p.byID, id)
	}
	if goOn, err = p.member(ctx, k, kind, id, bytes.NewReader(data), nil); err != nil || !goOn {
		return goOn, err
	}
	p.under += int64(len(data))
	defer func() { p.under -= int64(len(data)) }()
	for _, c := range k.children {
		if goOn, err = p.visit(ctx, c, data, kind, deep+1); err != nil || !goOn {
			return goOn, err
		}
	}
	return true, nil
}

func (p *gitPack) member(ctx context.Context, k *packEntry, kind byte, id string, r io.Reader, in *int64) (bool, error) {
	k.told = true
	name := packKind(kind) + "/" + hex.EncodeToString([]byte(id))
	return p.e.member(ctx, file{name: name, r: r, in: in, from: func() []extent { return []extent{{k.data, k.end}} }})
}

// whole is an object's content, made from its base if it has one.
func (p *gitPack) whole(k *packEntry, base []byte) ([]byte, error) {
	if k.size > packWhole {
		return nil, errPackLarge
	}
	z, _, _, err := p.inflate(k.data)
	if err != nil {
		return nil, errDamaged
	}
	data := make([]byte, k.size)
	if _, err := io.ReadFull(z, data); err != nil {
		return nil, errDamaged
	}
	if k.kind <= packTag {
		return data, nil
	}
	return patched(base, data)
}

// patched follows the instructions of a difference.
func patched(base, delta []byte) ([]byte, error) {
	from, n := binary.Uvarint(delta)
	size, m := binary.Uvarint(delta[max(n, 0):])
	switch {
	case n <= 0 || m <= 0 || from != uint64(len(base)):
		return nil, errDamaged
	case size > packWhole:
		return nil, errPackLarge
	}
	out := make([]byte, 0, size)
	for delta = delta[n+m:]; len(delta) > 0; {
		piece, used := instructed(base, delta)
		if piece == nil || uint64(len(out)+len(piece)) > size {
			return nil, errDamaged
		}
		out, delta = append(out, piece...), delta[used:]
	}
	if uint64(len(out)) != size {
		return nil, errDamaged
	}
	return out, nil
}

// instructed is what the first instruction adds, and its length; nil: it is none.
func instructed(base, delta []byte) ([]byte, int) {
	op, used := delta[0], 1
	if op&0x80 == 0 {
		if n := int(op); n > 0 && n < len(delta) {
			return delta[1 : 1+n], 1 + n
		}
		return nil, 0
	}
	var operands [7]byte // of an offset and a length, the low bytes first
	for i := range operands {
		if op>>i&1 != 0 {
			if used == len(delta) {
				return nil, 0
			}
			operands[i] = delta[used]
			used++
		}
	}
	at := int(binary.LittleEndian.Uint32(operands[:]))
	n := int(operands[4]) | int(operands[5])<<8 | int(operands[6])<<16
	if n == 0 {
		n = 0x10000
	}
	if at > len(base) || n > len(base)-at {
		return nil, 0
	}
	return base[at : at+n], used
}
