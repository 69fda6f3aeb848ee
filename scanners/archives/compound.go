package archives

import (
	"context"
	"encoding/binary"
	"io"
	"strings"
	"unicode/utf16"
)

// Compound files (OLE2), from [MS-CFB]: the containers of Word, Excel and
// PowerPoint before 2007, of Outlook messages and installers. Streams lie in
// sectors that chains in a table join, so that a value may be in two places.
const (
	compoundMagic  = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
	compoundHeader = 512
	compoundEntry  = 128
	difatInHeader  = 109
	sectorMost     = 0xfffffffa // from here on numbers have a meaning
	miniSector     = 64
	maxStorages    = 64 // in each other
)

// compound is a compound file being read.
type compound struct {
	e      *container
	sector int64
	count  uint32 // of sectors
	fat    []uint32
	mini   []uint32 // sectors of the table of small sectors
	small  []uint32 // sectors that hold the small sectors
	cutoff uint32
	read   int64
	used   numbers // sectors of streams
	usedIn numbers // small ones
	table  struct {
		sector uint32
		b      []byte
	}
}

// compoundFile is a file or folder of a compound file.
type compoundFile struct {
	name               string
	kind               byte
	left, right, child uint32
	start              uint32
	size               int64
	parent             uint32
}

// compound visits the streams of a compound file.
func (e *container) compound(ctx context.Context) error {
	c := &compound{e: e}
	files, whole := c.open()
	if !whole {
		e.w.skip(e.content.Path, errDamaged.Error())
	}
	e.packed = len(files) > 0
	for i, f := range files {
		if f.kind != 2 {
			continue
		}
		r := c.chain(f.start, f.size, f.size < int64(c.cutoff))
		m := file{name: compoundName(files, uint32(i)), r: r, in: &c.read}
		if strings.Contains("/"+m.name, "/VBA/") {
			m.as = kindMacro
		}
		goOn, err := e.member(ctx, m)
		if err != nil || !goOn {
			return err
		}
	}
	return nil
}

// open reads the header, the tables and the directory.
func (c *compound) open() (files []compoundFile, whole bool) {
	head := make([]byte, compoundHeader)
	le := binary.LittleEndian
	shift := 0
	if c.load(head, 0) {
		shift = int(le.Uint16(head[30:]))
	}
	if shift != 9 && shift != 12 || le.Uint16(head[32:]) != 6 {
		return nil, false
	}
	c.sector = 1 << shift
	c.count = uint32(min(max(c.e.size/c.sector, 0), sectorMost)) // the first stands before number 0
	c.cutoff = le.Uint32(head[56:])
	whole = c.readTable(head)
	directory := c.sectors(le.Uint32(head[48:]), -1)
	c.mini = c.sectors(le.Uint32(head[60:]), int64(le.Uint32(head[64:])))
	files, all := c.directory(directory)
	if len(files) > 0 {
		c.small = c.sectors(files[0].start, (files[0].size+c.sector-1)/c.sector)
	}
	c.used, c.usedIn = make(numbers, c.count/64+1), make(numbers, int64(len(c.small))*c.sector/miniSector/64+1)
	return files, whole && all
}

// load reads a sector. The last may be shorter, and is read as if it were not.
func (c *compound) load(b []byte, pos int64) bool {
	n, _ := c.e.at.ReadAt(b, pos)
	c.read += int64(n)
	clear(b[n:])
	return n > 0
}

func (c *compound) place(sector uint32) int64 { return (int64(sector) + 1) * c.sector }

// readTable lists the sectors that the table of chains lies in.
func (c *compound) readTable(head []byte) bool {
	le := binary.LittleEndian
	most := int(int64(c.count)*4/c.sector + 1)
	add := func(b []byte) bool {
		for i := 0; i+4 <= len(b) && len(c.fat) < most; i += 4 {
			if s := le.Uint32(b[i:]); s < c.count {
				c.fat = append(c.fat, s)
			} else if s < sectorMost {
				return false
			}
		}
		return true
	}
	whole := add(head[76:][:4*difatInHeader])
	b := make([]byte, c.sector)
	next := le.Uint32(head[68:])
	for n := 0; next < sectorMost; n++ {
		if n > most || next >= c.count || !c.load(b, c.place(next)) {
			return false
		}
		whole = add(b[:c.sector-4]) && whole
		next = le.Uint32(b[c.sector-4:])
	}
	return whole
}

// next is the sector behind another.
func (c *compound) next(sector uint32) uint32 {
	per := uint32(c.sector / 4)
	at := sector / per
	if int(at) >= len(c.fat) {
		return sectorMost
	}
	return c.number(c.fat[at], sector%per)
}

// number is an entry of a table's sector; the last sector is kept.
func (c *compound) number(sector, i uint32) uint32 {
	if c.table.b == nil || c.table.sector != sector {
		if c.table.b == nil {
			c.table.b = make([]byte, c.sector)
		}
		c.table.sector = sector
		c.load(c.table.b, c.place(sector))
	}
	return binary.LittleEndian.Uint32(c.table.b[4*i:])
}

// sectors lists a chain, up to a number of them; one that loops is as long as
// the file at most.
func (c *compound) sectors(start uint32, most int64) []uint32 {
	if most < 0 || most > int64(c.count) {
		most = int64(c.count)
	}
	var out []uint32
	seen := make(numbers, c.count/64+1)
	for s := start; s < c.count && int64(len(out)) < most && seen.add(s); s = c.next(s) {
		out = append(out, s)
	}
	return out
}

// directory reads the entries and whose children they are.
func (c *compound) directory(sectors []uint32) (files []compoundFile, whole bool) {
	b := make([]byte, c.sector)
	le := binary.LittleEndian
	whole = len(sectors) > 0
	for _, s := range sectors {
		whole = c.load(b, c.place(s)) && whole
		for e := b; len(e) >= compoundEntry && len(files) <= c.e.w.entries; e = e[compoundEntry:] {
			f := compoundFile{
				kind: e[66], left: le.Uint32(e[68:]), right: le.Uint32(e[72:]), child: le.Uint32(e[76:]),
				start: le.Uint32(e[116:]), size: int64(le.Uint32(e[120:])), parent: sectorMost,
			}
			if c.sector > 512 {
				f.size |= int64(le.Uint32(e[124:])&0x7fffffff) << 32
			}
			n := int(le.Uint16(e[64:]))
			units := make([]uint16, 0, 32)
			for i := 0; i+2 < min(n, 64); i += 2 {
				units = append(units, le.Uint16(e[i:]))
			}
			f.name = string(utf16.Decode(units))
			files = append(files, f)
		}
	}
	adopt(files)
	return files, whole
}

// adopt says whose child each entry is: a folder's children are a tree.
func adopt(files []compoundFile) {
	type step struct{ entry, parent uint32 }
	seen := make(numbers, len(files)/64+1)
	for i, f := range files {
		if f.kind != 1 && f.kind != 5 {
			continue
		}
		todo := []step{{f.child, uint32(i)}}
		for len(todo) > 0 {
			s := todo[len(todo)-1]
			todo = todo[:len(todo)-1]
			if int64(s.entry) >= int64(len(files)) || !seen.add(s.entry) {
				continue
			}
			files[s.entry].parent = s.parent
			todo = append(todo, step{files[s.entry].left, s.parent}, step{files[s.entry].right, s.parent})
		}
	}
}

// compoundName is an entry's name with those of its folders; without the
// control character that some begin with.
func compoundName(files []compoundFile, i uint32) string {
	var names []string
	for range maxStorages {
		if int64(i) >= int64(len(files)) || files[i].kind == 5 {
			break
		}
		names = append([]string{strings.TrimLeft(files[i].name, "\x00\x01\x02\x03\x04\x05\x06")}, names...)
		i = files[i].parent
	}
	return strings.Join(names, "/")
}

// chain reads a stream of a compound file.
type chain struct {
	c     *compound
	next  uint32
	left  int64
	small bool
	now   []byte
	buf   []byte
}

func (c *compound) chain(start uint32, size int64, small bool) io.Reader {
	unit := c.sector
	if small {
		unit = miniSector
	}
	return &chain{c: c, next: start, left: size, small: small, buf: make([]byte, unit)}
}

func (s *chain) Read(p []byte) (int, error) {
	if s.left <= 0 {
		return 0, io.EOF
	}
	if len(s.now) == 0 && !s.turn() {
		return 0, errDamaged
	}
	n := copy(p, s.now)
	s.now = s.now[n:]
	s.left -= int64(n)
	return n, nil
}

// turn reads the next sector, which no other stream has read.
func (s *chain) turn() bool {
	c := s.c
	if s.small {
		per := uint32(c.sector / miniSector)
		at := s.next / per
		if int64(at) >= int64(len(c.small)) || !c.usedIn.add(s.next) {
			return false
		}
		if !s.load(c.place(c.small[at]) + int64(s.next%per)*miniSector) {
			return false
		}
		entries := uint32(c.sector / 4)
		following := uint32(sectorMost)
		if i := s.next / entries; int64(i) < int64(len(c.mini)) {
			following = c.number(c.mini[i], s.next%entries)
		}
		s.next = following
	} else {
		if s.next >= c.count || !c.used.add(s.next) || !s.load(c.place(s.next)) {
			return false
		}
		s.next = c.next(s.next)
	}
	s.now = s.buf[:min(int64(len(s.buf)), s.left)]
	return true
}

// load reads what the stream has in a sector.
func (s *chain) load(pos int64) bool {
	part := s.buf[:min(int64(len(s.buf)), s.left)]
	n, _ := s.c.e.at.ReadAt(part, pos)
	s.c.read += int64(n)
	return n == len(part)
}
