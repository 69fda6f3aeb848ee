package image

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"

	"revenant/fingerprints"
)

const planted = "PLANTED"

func seesPlanted(_ context.Context, data []byte) bool { return bytes.Contains(data, []byte(planted)) }

func streamsPlanted(_ context.Context, r io.Reader) bool {
	var tail []byte
	for {
		buf := make([]byte, 1<<20)
		n, err := r.Read(buf)
		if tail = append(tail, buf[:n]...); bytes.Contains(tail, []byte(planted)) {
			return true
		}
		if tail = slices.Clone(tail[max(0, len(tail)-len(planted)):]); err != nil {
			return !errors.Is(err, io.EOF)
		}
	}
}

// block is a header as old programs and hostile ones write it.
type block struct {
	name   string
	kind   byte
	size   string // octal, or base 256
	link   string
	magic  string
	prefix string
}

func (h block) bytes() []byte {
	b := make([]byte, 512)
	copy(b, h.name)
	copy(b[100:], "0000644\x000000000\x000000000\x00")
	copy(b[124:136], h.size)
	copy(b[136:], "00000000000\x00        ")
	b[156] = h.kind
	copy(b[157:257], h.link)
	copy(b[257:], h.magic)
	copy(b[345:500], h.prefix)
	sum := 0
	for _, c := range b {
		sum += int(c)
	}
	copy(b[148:], fmt.Sprintf("%06o\x00 ", sum))
	return b
}

const magicPOSIX = magicUstar

// entryBytes is a header and its content, padded.
func entryBytes(h block, content string) []byte {
	if h.size == "" {
		h.size = fmt.Sprintf("%011o\x00", len(content))
	}
	out := append(h.bytes(), content...)
	return append(out, make([]byte, (512-len(content)%512)%512)...)
}

func base256(n uint64) string {
	b := make([]byte, 12)
	binary.BigEndian.PutUint64(b[4:], n)
	b[0] = 0x80
	return string(b)
}

func pax(records ...string) string {
	var b strings.Builder
	for _, r := range records {
		n := len(r) + 2
		for len(fmt.Sprint(n))+1+len(r)+1 != n {
			n = len(fmt.Sprint(n)) + 1 + len(r) + 1
		}
		fmt.Fprintf(&b, "%d %s\n", n, r)
	}
	return b.String()
}

// surveyOf reads a layer, and what it holds, as a line for each.
func surveyOf(t testing.TB, raw []byte) (s *surveyed, held []string) {
	t.Helper()
	b := blob{digest: "d", size: int64(len(raw)), open: func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(raw)), nil }}
	v := &survey{screening: newScreening(Options{Screen: seesPlanted, Stream: streamsPlanted})}
	s, err := v.layer(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	var sh shelf
	defer sh.close()
	for _, h := range s.Held {
		h.data = nil // as a later scan has it
		if h.Size == 0 {
			continue // for its name
		}
		name := "@layer"
		if h.Entry >= 0 {
			name = s.Entries[h.Entry].path() + h.Part
		}
		data, err := readHeld(t.Context(), &sh, b, h)
		if len(data) > 60 {
			data = fmt.Sprintf("%d bytes, %v", len(data), strings.Contains(data, planted))
		}
		if data = name + "=" + strings.TrimRight(data, "\x00"); err != nil {
			data += " then " + err.Error()
		}
		held = append(held, data)
	}
	return s, held
}

func TestKindsOfArchive(t *testing.T) {
	long := strings.Repeat("d/", 400) + "f"
	posix := func(h block, content string) []byte {
		h.magic = magicPOSIX
		return entryBytes(h, content)
	}
	file := posix(block{name: "f", kind: '0'}, planted)
	end := make([]byte, 1024)
	for _, c := range []struct {
		name  string
		parts [][]byte
		want  []string
		skip  string // part of what is listed
	}{
		{"v7", [][]byte{entryBytes(block{name: "f"}, planted), end}, []string{"f=" + planted}, ""},
		{"ustar with a prefix", [][]byte{posix(block{name: "f", prefix: "a/b", kind: '0'}, planted), end}, []string{"a/b/f=" + planted}, ""},
		{"GNU long name", [][]byte{entryBytes(block{name: "././@LongLink", kind: 'L', magic: magicGNU}, long+"\x00"), entryBytes(block{name: "short", kind: '0', magic: magicGNU}, planted), end}, []string{long + "=" + planted}, ""},
		{"GNU long link", [][]byte{entryBytes(block{name: "././@LongLink", kind: 'K', magic: magicGNU}, long+planted+"\x00"), entryBytes(block{name: "l", kind: '2', magic: magicGNU}, ""), end}, []string{fmt.Sprintf("l=%d bytes, true", len(long)+len(planted))}, ""},
		{"pax name", [][]byte{posix(block{name: "x", kind: 'x'}, pax("path="+long)), file, end}, []string{long + "=" + planted}, ""},
		{"global pax header", [][]byte{posix(block{name: "g", kind: 'g'}, pax("comment="+planted)), file, end}, []string{"g!@attributes=comment=" + planted + "\n", "f=" + planted}, ""},
		{"pax attribute", [][]byte{posix(block{name: "x", kind: 'x'}, pax("SCHILY.xattr.user.k="+planted)), posix(block{name: "f", kind: '0'}, "nothing"), end}, []string{"f!@attributes=SCHILY.xattr.user.k=" + planted + "\n"}, ""},
		{"size in base 256", [][]byte{entryBytes(block{name: "f", kind: '0', magic: magicGNU, size: base256(uint64(len(planted)))}, planted), end}, []string{"f=" + planted}, ""},
		{"name of no text", [][]byte{posix(block{name: "\xff\xfe\n", kind: '0'}, planted), end}, []string{"\xff\xfe\n=" + planted}, ""},
		{"absolute", [][]byte{posix(block{name: "/etc/f", kind: '0'}, planted), end}, []string{"etc/f=" + planted}, ""},
		{"above the root", [][]byte{posix(block{name: "../../etc/../f", kind: '0'}, planted), end}, []string{"f=" + planted}, ""},
		{"contiguous", [][]byte{posix(block{name: "f", kind: '7'}, planted), end}, []string{"f=" + planted}, ""},
		{"device and FIFO", [][]byte{posix(block{name: "c", kind: '3'}, ""), posix(block{name: "p", kind: '6'}, ""), file, end}, []string{"f=" + planted}, ""},
		{"an unknown kind with content", [][]byte{posix(block{name: "v", kind: 'V'}, planted), end}, []string{"v=" + planted}, ""},
		{"twice", [][]byte{file, file, end}, []string{"f=" + planted, "f=" + planted}, ""},
		{"hard links to what comes, and to nothing", [][]byte{posix(block{name: "h", kind: '1', link: "f"}, ""), posix(block{name: "i", kind: '1', link: "none"}, ""), file, end}, []string{"f=" + planted}, ""},
		{"whiteouts of nothing", [][]byte{posix(block{name: ".wh.none", kind: '0'}, ""), posix(block{name: "a/.wh..wh..opq", kind: '0'}, ""), file, end}, []string{"f=" + planted}, ""},
		{"a whiteout with content", [][]byte{posix(block{name: ".wh.none", kind: '0'}, planted), end}, []string{".wh.none=" + planted}, ""},
		{"no end", [][]byte{file}, []string{"f=" + planted}, ""},
		{"behind the end", [][]byte{file, end, []byte("and " + planted)}, []string{"f=" + planted, "@layer=and " + planted}, ""},
		{"another archive behind the end", [][]byte{file, end, file, end}, []string{"f=" + planted, "@layer=2048 bytes, true"}, ""},
		{"breaks off", [][]byte{file[:517]}, nil, "breaks off"},
		{"no padding", [][]byte{file[:519]}, []string{"f=" + planted}, ""},
		{"an opaque mark with content", [][]byte{posix(block{name: "a/.wh..wh..opq", kind: '0'}, planted), end}, []string{"a/.wh..wh..opq=" + planted}, ""},
		{"a folder with a size", [][]byte{posix(block{name: "d/", kind: '5', size: "00000001000\x00"}, ""), file, end}, []string{"f=" + planted}, ""},
		{"a size that lies", [][]byte{posix(block{name: "f", kind: '0', size: "77777777777\x00"}, planted), end}, []string{"f=1536 bytes, true then unreadable: the layer breaks off"}, "breaks off"},
		{"a size below zero", [][]byte{file, posix(block{name: "g", kind: '0', size: "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"}, planted), end}, []string{"f=" + planted, "@layer=1536 bytes, true", "@layer=2048 bytes, true"}, "damaged"},
		{"a damaged header", [][]byte{file, bytes.Repeat([]byte("x"), 512), file, end}, []string{"f=" + planted, "@layer=2048 bytes, true", "@layer=2560 bytes, true"}, "damaged"},
		{"what is no header, and goes on", [][]byte{file, bytes.Repeat([]byte("x"), 508), []byte(planted), bytes.Repeat([]byte("y"), 509)}, []string{"f=" + planted, "@layer=512 bytes, false", "@layer=1024 bytes, true"}, "damaged"},
		{"what is no header, alone", [][]byte{file, bytes.Repeat([]byte("x"), 100), []byte(planted), bytes.Repeat([]byte("y"), 505), end}, []string{"f=" + planted, "@layer=1124 bytes, false", "@layer=1636 bytes, true"}, "damaged"},
		{"what is no header, at the end", [][]byte{file, []byte(planted), bytes.Repeat([]byte("y"), 505)}, []string{"f=" + planted, "@layer=512 bytes, true"}, "damaged"},
		{"what is no header, and a value behind it", [][]byte{file, []byte(planted), bytes.Repeat([]byte("y"), 505), file, end}, []string{"f=" + planted, "@layer=2048 bytes, true", "@layer=2560 bytes, true"}, "damaged"},
		{"a zero block alone", [][]byte{file, make([]byte, 512), []byte(planted), bytes.Repeat([]byte("y"), 505)}, []string{"f=" + planted, "@layer=512 bytes, true"}, "damaged"},
		{"a header that breaks off", [][]byte{file, file[:100], []byte(planted)}, []string{"f=" + planted, "@layer=107 bytes, true"}, "breaks off"},
		{"a damaged record of pax", [][]byte{file, posix(block{name: "x", kind: 'x'}, "99 path="+planted), end}, []string{"f=" + planted, "@layer=527 bytes, true"}, "damaged"},
		{"a pax record of no sense", [][]byte{file, posix(block{name: "x", kind: 'x'}, "99 path"), file, end}, []string{"f=" + planted, "@layer=2048 bytes, true", "@layer=2567 bytes, true"}, "damaged"},
		{"NUL in a name", [][]byte{file, posix(block{name: "x", kind: 'x'}, pax("path=a\x00b")), file, end}, []string{"f=" + planted, "@layer=2048 bytes, true", "@layer=2572 bytes, true"}, "damaged"},
		{"one content", [][]byte{[]byte("{" + planted + "}")}, []string{"@layer={" + planted + "}"}, ""},
		{"a long content", [][]byte{bytes.Repeat([]byte(planted), 100)}, []string{"@layer=700 bytes, true"}, ""},
		{"nothing", nil, nil, ""},
	} {
		raw := bytes.Join(c.parts, nil)
		for _, packed := range []string{"", "gzip"} {
			if packed != "" {
				raw = gzipMembers(t, raw)
			}
			s, held := surveyOf(t, raw)
			if s.noTar {
				if packed != "" {
					continue // the content is the gzip stream
				}
				held = wholeHeld(t, raw)
			}
			if !slices.Equal(held, c.want) {
				t.Errorf("%s %s: held %q, want %q", c.name, packed, held, c.want)
			}
			listed := fmt.Sprint(s.skipped)
			if (c.skip == "") != (len(s.skipped) == 0) || !strings.Contains(listed, c.skip) {
				t.Errorf("%s %s: listed %s, want %q", c.name, packed, listed, c.skip)
			}
		}
	}
}

// wholeHeld reads a layer that is one content.
func wholeHeld(t testing.TB, raw []byte) []string {
	var sh shelf
	b := blob{digest: "d", open: func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(raw)), nil }}
	data, err := readHeld(t.Context(), &sh, b, heldFile{Entry: wholeLayer, Size: -1})
	if err != nil {
		t.Fatal(err)
	}
	if len(data) > 60 {
		data = fmt.Sprintf("%d bytes, %v", len(data), strings.Contains(data, planted))
	}
	return []string{"@layer=" + data}
}

// gzipMembers packs in pieces, as eStargz does.
func gzipMembers(t testing.TB, raw []byte) []byte {
	var b bytes.Buffer
	for len(raw) > 0 || b.Len() == 0 {
		n := min(len(raw), 1000)
		z := gzip.NewWriter(&b)
		_, err := z.Write(raw[:n])
		if err := errors.Join(err, z.Close()); err != nil {
			t.Fatal(err)
		}
		raw = raw[n:]
	}
	return b.Bytes()
}

// TestCompressors: every way to compress a layer, with what stands behind the stream.
func TestCompressors(t *testing.T) {
	raw := slices.Concat(entryBytes(block{name: "f", kind: '0', magic: magicPOSIX}, planted), make([]byte, 1024))
	var zst, xzs bytes.Buffer
	zw, err := zstd.NewWriter(&zst)
	if err == nil {
		_, err = zw.Write(raw)
	}
	xw, xErr := xz.NewWriter(&xzs)
	if xErr == nil {
		_, xErr = xw.Write(raw)
	}
	if err := errors.Join(err, zw.Close(), xErr, xw.Close()); err != nil {
		t.Fatal(err)
	}
	skippable := "\x50\x2a\x4d\x18\x04\x00\x00\x00abcd"
	gz := gzipMembers(t, raw)
	bz, err := base64.StdEncoding.DecodeString("QlpoOTFBWSZTWcPAtNMAAHD/gMmAAAhAAHWAJgVEAOEAHgAICCAAVEKaMRgDUeiZoJIoGjTTQAGlOoDoQTrQhEe5QJxvuQIYGJOJ2EcuhVKB4rnqZEZ/JfsNYyiIwREA2LuSKcKEhh4Fppg=")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		data  []byte
		extra string // held behind the archive
		skip  string
	}{
		"gzip":                       {gz, "", ""},
		"gzip, zeros behind":         {slices.Concat(gz, make([]byte, 3000)), "", ""},
		"gzip, something behind":     {slices.Concat(gz, []byte("and "+planted)), "@layer=and " + planted, ""},
		"gzip, half a member behind": {slices.Concat(gz, gz[:12]), "@layer=f then unreadable: the layer breaks off", "breaks off"},
		"gzip that breaks off":       {gz[:len(gz)-6], "", "breaks off"},
		"gzip of other bytes":        {slices.Concat(gz[:len(gz)-6], []byte("xxxxxx")), "", "damaged"},
		"zstd":                       {zst.Bytes(), "", ""},
		"zstd, skippable frames":     {slices.Concat([]byte(skippable), zst.Bytes(), []byte(skippable)), "", ""},
		"zstd that breaks off":       {zst.Bytes()[:zst.Len()-3], "", "layer"},
		"xz":                         {xzs.Bytes(), "", ""},
		"bzip2":                      {bz, "", ""}, // of a tar file with this content
	} {
		s, held := surveyOf(t, c.data)
		want := []string{"f=" + planted}
		if c.extra != "" {
			want = append(want, c.extra)
		}
		if c.skip != "" && len(held) == 0 { // a short stream may fail before its file
			want = nil
		}
		if !slices.Equal(held, want) {
			t.Errorf("%s: held %q, want %q", name, held, want)
		}
		if listed := fmt.Sprint(s.skipped); (c.skip == "") != (len(s.skipped) == 0) || !strings.Contains(listed, c.skip) {
			t.Errorf("%s: listed %s", name, listed)
		}
	}
	if s, _ := surveyOf(t, []byte("\x1f\x8b\x08 and then no gzip at all")); len(s.skipped) != 1 || s.skipped[0].Reason != fingerprints.SkipUnreadable {
		t.Errorf("damaged from the beginning: %+v", s)
	}
}

// TestSparse: files with holes are read without them; a header that tells of very
// many is not believed.
func TestSparse(t *testing.T) {
	sparsed := func(size string, data string, at int64) []byte {
		list := fmt.Sprintf("1\n%d\n%d\n", at, len(data))
		content := list + string(make([]byte, 512-len(list))) + data
		return slices.Concat(
			entryBytes(block{name: "x", kind: 'x', magic: magicPOSIX}, pax("GNU.sparse.major=1", "GNU.sparse.minor=0", "GNU.sparse.name=hole", "GNU.sparse.realsize="+size)),
			entryBytes(block{name: "y", kind: '0', magic: magicPOSIX}, content),
			entryBytes(block{name: "f", kind: '0', magic: magicPOSIX}, planted), make([]byte, 1024))
	}
	s, held := surveyOf(t, sparsed("1073741825", planted, 1<<29))
	if want := []string{"hole=65537 bytes, true", "f=" + planted}; !slices.Equal(held, want) || len(s.skipped) != 0 {
		t.Errorf("held %q, want %q; %v", held, want, s.skipped)
	}
	if s.counts.Bytes > 1<<20 {
		t.Errorf("%d bytes are said to have been read", s.counts.Bytes)
	}
	s, held = surveyOf(t, sparsed("100000", planted, 70000))
	if want := []string{"hole=100000 bytes, true", "f=" + planted}; !slices.Equal(held, want) || len(s.skipped) != 0 {
		t.Errorf("held %q, want %q; %v", held, want, s.skipped)
	}
	passed := int64(maxHoles - 1<<20)
	h := &holeless{r: zeros{}, passed: &passed}
	if n, err := io.Copy(io.Discard, h); n != 0 || !errors.Is(err, errHoles) {
		t.Errorf("%d bytes, %v", n, err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// TestManyEntries: a layer of very many names takes memory for the names alone.
func TestManyEntries(t *testing.T) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	const count = 200_000
	for i := range count {
		h := &tar.Header{Name: fmt.Sprintf("%s/%d", strings.Repeat("d", 50), i), Typeflag: tar.TypeReg, Size: 1}
		if i == count-1 {
			h.Size = int64(len(planted))
		}
		err := w.WriteHeader(h)
		if err == nil {
			_, err = io.WriteString(w, planted[:h.Size])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	s, held := surveyOf(t, b.Bytes())
	if len(s.Entries) != count || len(held) != 1 || len(s.skipped) != 0 {
		t.Errorf("%d entries, held %q, skipped %v", len(s.Entries), held, s.skipped)
	}
}
