package archives

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"path"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/therootcompany/xz"
	"github.com/ulikunitz/xz/lzma"

	"revenant/scanners/bunzip2"
	"revenant/scanners/inflate"
	"revenant/scanners/zstdframes"
)

// maxWindow is the largest history that a compressed stream may ask for.
const maxWindow = 128 << 20

// stream visits the one content of a compressed stream.
func (e *container) stream(ctx context.Context, k kind) error {
	in := &counted{r: io.NewSectionReader(e.at, 0, e.size)}
	var from func() []extent
	r, done, err := e.w.x.decompress(k, in)
	if err != nil {
		e.w.skip(e.content.Path, detail(err))
		return nil
	}
	defer done()
	if g, ok := r.(*gunzip); ok {
		from = func() []extent { return g.parts }
	}
	goOn, err := e.member(ctx, file{name: innerName(e.content.Path), r: r, in: &in.n, from: from})
	if err == nil && goOn && k == kindZstd {
		err = e.frames(ctx)
	}
	return err
}

// frames visits what stands packed in frames of zstd that decoders skip, as tables of
// contents do; what else they hold is found in the container.
func (e *container) frames(ctx context.Context) (err error) {
	room := make([]byte, headSize)
	zstdframes.Skippable(e.at, e.size, func(start, end int64) bool {
		n, _ := e.at.ReadAt(room[:min(headSize, end-start)], start)
		if detect(room[:n]) == kindNone {
			return true
		}
		var goOn bool
		goOn, err = e.member(ctx, file{name: "@frame", r: io.NewSectionReader(e.at, start, end-start), at: extent{start, end}})
		return goOn && err == nil
	})
	return err
}

// streamBuffer is how much is read of a stream at once.
const streamBuffer = 16 << 10

// decompress opens a stream of one of the formats that hold one content.
func (x *Expander) decompress(k kind, r *counted) (io.Reader, func(), error) {
	if k == kindGzip { // most are
		g, err := x.gunzip(r)
		return g, func() { x.leave(g) }, err
	}
	nothing := func() {}
	b := bufio.NewReaderSize(r, streamBuffer)
	switch k { //nolint:exhaustive // the others hold more than one content
	case kindBzip2:
		return &tail{r: bunzip2.NewReader(b), end: bunzip2.ErrTrailing}, nothing, nil
	case kindXz:
		return x.unxz(b)
	case kindZstd:
		z, err := zstd.NewReader(b, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, nil, err
		}
		return &tail{r: z, end: zstd.ErrMagicMismatch}, z.Close, nil
	case kindLz4:
		return &frames{b: b, z: lz4.NewReader(b)}, nothing, nil
	case kindSnappy:
		return &tail{r: s2.NewReader(b), end: s2.ErrCorrupt}, nothing, nil
	case kindLzma:
		return lzmaAlone(b), nothing, nil
	case kindBrotli:
		return brotli.NewReader(b), nothing, nil
	case kindMozLz4:
		return newMozLz4(b), nothing, nil
	case kindZlib:
		z, err := inflate.NewZlib(b)
		return z, nothing, err
	}
	return nil, nil, errUnsupported
}

// unxz begins to read a stream, with the dictionary of another: they are up to
// maxWindow, as the header says, for however little there is to come.
func (x *Expander) unxz(r io.Reader) (*xz.Reader, func(), error) {
	z, _ := x.xzs.Get().(*xz.Reader)
	var err error
	if z == nil {
		z, err = xz.NewReader(r, maxWindow)
	} else {
		err = z.Reset(r)
	}
	done := func() {
		_ = z.Reset(bytes.NewReader(nil)) // so that it holds on to nobody's reader
		x.xzs.Put(z)
	}
	if err != nil {
		done()
		return nil, nil, err //nolint:wrapcheck // detail says what went wrong
	}
	return z, done, nil
}

// tail forgives what follows the last member: padding, and what was appended.
// The container's own bytes show it.
type tail struct {
	r    io.Reader
	end  error
	some bool
}

func (t *tail) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	t.some = t.some || n > 0
	if err != nil && t.some && errors.Is(err, t.end) {
		err = io.EOF
	}
	return n, err
}

// frames reads lz4 frames that follow each other.
type frames struct {
	b *bufio.Reader
	z *lz4.Reader
}

func (f *frames) Read(p []byte) (int, error) {
	for {
		n, err := f.z.Read(p)
		if n > 0 && errors.Is(err, io.EOF) {
			return n, nil
		}
		if n > 0 || !errors.Is(err, io.EOF) {
			return n, err
		}
		head, _ := f.b.Peek(4)
		if !bytes.Equal(head, []byte("\x04\x22\x4d\x18")) && !bytes.Equal(head, []byte("\x02\x21\x4c\x18")) {
			return 0, io.EOF
		}
		f.z.Reset(f.b)
	}
}

// innerName is what a compressed stream's content is called: as its container
// without the suffix, where it has one of the usual. The name that a gzip
// header may hold depends on who compressed it.
func innerName(container string) string {
	name := path.Base(container[strings.LastIndexByte(container, '!')+1:])
	ext := path.Ext(name)
	stem := strings.TrimSuffix(name, ext)
	switch strings.ToLower(ext) {
	case ".gz", ".bz2", ".xz", ".zst", ".lz4", ".z", ".gzip", ".bzip2", ".lzma", ".sz", ".s2", ".zstd", ".zlib", ".br":
		if stem != "" {
			return stem
		}
	case ".tgz", ".tbz", ".tbz2", ".txz", ".tzst", ".tlz4", ".tlz":
		if stem != "" {
			return stem + ".tar"
		}
	case ".svgz":
		return stem + ".svg"
	case ".jsonlz4", ".baklz4":
		return stem + ".json"
	}
	return "content"
}

// lzmaAlone opens a stream of the format before xz.
func lzmaAlone(b *bufio.Reader) io.Reader {
	head, err := b.Peek(13)
	if err != nil {
		return failing{errDamaged}
	}
	// No more history is needed than there is content.
	window := min(uint64(binary.LittleEndian.Uint32(head[1:])), max(binary.LittleEndian.Uint64(head[5:]), lzma.MinDictCap))
	if window > maxWindow {
		return failing{errUnsupported}
	}
	head = withDictionary(head, uint32(window))
	_, _ = b.Discard(len(head))
	z, err := lzma.ReaderConfig{DictCap: lzma.MinDictCap}.NewReader(behind(head, b))
	if err != nil {
		return failing{errDamaged}
	}
	return z
}

// behind is a reader with bytes before it.
func behind(head []byte, r io.Reader) io.Reader { return io.MultiReader(bytes.NewReader(head), r) }
