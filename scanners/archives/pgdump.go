package archives

import (
	"bufio"
	"context"
	"errors"
	"io"
	"strconv"
)

// Archives that pg_dump writes with -Fc, from PostgreSQL's pg_backup_archiver.c and
// pg_backup_custom.c: a header, a table of contents, and blocks of data in chunks, each
// behind its length, that are one compressed stream together.
const pgMagic = "PGDMP"

// Formats of an archive; the others have their data in other files.
const pgCustom = 1

// Blocks.
const (
	pgData  = 1
	pgBlobs = 3
)

// pgDump reads one.
type pgDump struct {
	in      counted
	b       *bufio.Reader
	version int // major, minor: 1.14 is 114
	intSize int
	offSize int
	packing kind
	names   map[int]string // of tables, by the id of their data
	err     error
}

// errTables are contents that nobody who writes archives has.
var errTables = errors.New("no table of contents")

// pgDump visits the data of an archive's tables, and its large objects.
func (e *container) pgDump(ctx context.Context) error {
	d := &pgDump{in: counted{r: io.NewSectionReader(e.at, int64(len(pgMagic)), e.size)}, names: map[int]string{}}
	d.b = bufio.NewReaderSize(&d.in, streamBuffer)
	format := d.header()
	if d.err == nil && format != pgCustom {
		return nil
	}
	if d.err == nil {
		d.contents()
	}
	switch {
	case errors.Is(d.err, errUnsupported):
		e.w.skip(e.content.Path, refusal(kindUnsupported, 1))
		return nil
	case d.err != nil:
		e.w.skip(e.content.Path, errDamaged.Error())
		return nil
	}
	for ctx.Err() == nil {
		block := d.byte()
		if errors.Is(d.err, io.EOF) {
			return nil
		}
		id := d.int()
		var goOn bool
		var err error
		switch {
		case d.err != nil || block != pgData && block != pgBlobs:
			e.w.skip(e.content.Path, errDamaged.Error())
			return nil
		case block == pgData:
			name := d.names[id]
			if name == "" {
				name = "data-" + strconv.Itoa(id)
			}
			goOn, err = e.pgMember(ctx, d, name)
		default:
			goOn, err = e.pgBlobs(ctx, d)
		}
		if err != nil || !goOn {
			return err
		}
	}
	return ctx.Err()
}

// pgBlobs visits large objects.
func (e *container) pgBlobs(ctx context.Context, d *pgDump) (goOn bool, err error) {
	for {
		id := d.int()
		if d.err != nil {
			e.w.skip(e.content.Path, errDamaged.Error())
			return false, nil
		}
		if id == 0 {
			return true, nil
		}
		if goOn, err = e.pgMember(ctx, d, "blob-"+strconv.Itoa(id)); err != nil || !goOn {
			return goOn, err
		}
	}
}

// pgMember visits what stands in the chunks that follow.
func (e *container) pgMember(ctx context.Context, d *pgDump, name string) (goOn bool, err error) {
	c := &pgChunks{d: d}
	from := d.place()
	in := &counted{r: c}
	r, done := io.Reader(in), func() {}
	if d.packing != kindNone {
		if r, done, err = e.w.x.decompress(d.packing, in); err != nil {
			if in.n > 0 || !c.ended { // an empty table has no stream
				e.w.skip(e.content.Path+"!"+e.shortName(name), detail(err))
			}
			return e.pastChunks(c), nil
		}
	}
	goOn, err = e.member(ctx, file{
		name: name, r: r, in: &in.n,
		from: func() []extent { return []extent{{from, d.place()}} },
	})
	done()
	return err == nil && goOn && e.pastChunks(c), err
}

// pastChunks goes to behind the chunks, and reports whether it came there: what follows is
// not read where they are damaged.
func (e *container) pastChunks(c *pgChunks) bool {
	_, err := io.Copy(io.Discard, c)
	if err != nil {
		e.w.skip(e.content.Path, errDamaged.Error())
	}
	return err == nil
}

// header reads what stands before the table of contents.
func (d *pgDump) header() (format int) {
	major, minor := d.byte(), d.byte()
	d.version = 100*major + minor
	_ = d.byte() // the revision
	d.intSize, d.offSize = d.byte(), d.byte()
	format = d.byte()
	const oldest, newest = 107, 116
	if d.err == nil && (d.version < oldest || d.version > newest || d.intSize < 1 || d.intSize > 8 || d.offSize < 1 || d.offSize > 8) {
		d.err = errUnsupported
	}
	switch {
	case d.version >= 115:
		d.packing = d.algorithm(d.byte())
	case d.int() != 0:
		d.packing = kindZlib
	}
	for range 7 { // when it was made
		d.int()
	}
	d.text(0) // of what database
	if d.version >= 110 {
		d.text(0)
		d.text(0)
	}
	return format
}

// algorithm is how the data is compressed.
func (d *pgDump) algorithm(n int) kind {
	switch n {
	case 0:
		return kindNone
	case 1:
		return kindZlib
	case 2:
		return kindLz4
	case 3:
		return kindZstd
	}
	if d.err == nil {
		d.err = errUnsupported
	}
	return kindNone
}

// contents reads the table of contents.
func (d *pgDump) contents() {
	for left := d.int(); left > 0 && d.err == nil; left-- {
		id := d.int()
		d.int() // whether it has data
		if d.version >= 108 {
			d.text(0)
		}
		d.text(0)
		tag, what := d.text(maxName), d.text(maxName)
		if d.version >= 111 {
			d.int()
		}
		for range 3 { // statements: to make it, to drop it, to copy it
			d.text(0)
		}
		schema := d.text(maxName)
		for _, since := range []int{110, 114} { // tablespace, access method
			if d.version >= since {
				d.text(0)
			}
		}
		if d.version >= 116 {
			d.int()
		}
		d.text(0) // whose it is
		if d.version >= 109 {
			d.text(0)
		}
		for d.err == nil && d.dependency() {
		}
		d.skip(1 + int64(d.offSize))
		if what == "TABLE DATA" && id > 0 && len(d.names) < maxTables {
			d.names[id] = tag
			if schema != "" {
				d.names[id] = schema + "." + tag
			}
		}
	}
}

// maxTables is how many tables are called by their names.
const maxTables = 100_000

// dependency reads what an entry depends on, and reports whether it was the last.
func (d *pgDump) dependency() bool {
	n := d.int()
	if n >= 0 {
		d.skip(int64(n))
	}
	return n >= 0
}

// place is how much of the archive was read.
func (d *pgDump) place() int64 { return int64(len(pgMagic)) + d.in.n - int64(d.b.Buffered()) }

func (d *pgDump) byte() int {
	if d.err != nil {
		return 0
	}
	var c byte
	c, d.err = d.b.ReadByte()
	return int(c)
}

// int reads a number: its sign, and its bytes, the lowest first.
func (d *pgDump) int() int {
	sign, n := d.byte(), 0
	for i := range d.intSize {
		n |= d.byte() << (8 * i)
	}
	if d.err != nil {
		return 0
	}
	if sign != 0 {
		return -n
	}
	return n
}

// text reads a text, of which at most so many bytes are kept; empty where it is longer.
func (d *pgDump) text(most int) string {
	n := d.int()
	if n <= 0 || d.err != nil {
		return ""
	}
	if n > most {
		d.skip(int64(n))
		return ""
	}
	b := make([]byte, n)
	_, d.err = io.ReadFull(d.b, b)
	return string(b)
}

func (d *pgDump) skip(n int64) {
	if d.err == nil {
		if got, err := io.CopyN(io.Discard, d.b, n); err != nil || got < n {
			d.err = errTables
		}
	}
}

// pgChunks reads the chunks of a block as one.
type pgChunks struct {
	d     *pgDump
	left  int
	ended bool
}

func (c *pgChunks) Read(p []byte) (int, error) {
	for c.left == 0 && !c.ended {
		c.left = c.d.int()
		switch {
		case c.d.err != nil || c.left < 0:
			c.left = 0
			return 0, errDamaged
		case c.left == 0:
			c.ended = true
		}
	}
	if c.ended {
		return 0, io.EOF
	}
	n, err := c.d.b.Read(p[:min(len(p), c.left)])
	if c.left -= n; errors.Is(err, io.EOF) {
		err = errDamaged
	}
	return n, err //nolint:wrapcheck // detail says what went wrong
}
