package image

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"

	"revenant/fingerprints"
)

// with changes a header, and makes its checksum right again.
func with(raw []byte, at int, text string) []byte {
	raw = bytes.Clone(raw)
	copy(raw[at:], text)
	copy(raw[148:156], "        ")
	sum := 0
	for _, c := range raw[:512] {
		sum += int(c)
	}
	copy(raw[148:], fmt.Sprintf("%06o\x00 ", sum))
	return raw
}

// TestSlack: what stands in an archive's blocks where nobody looks is found, and where
// it stands is said.
func TestSlack(t *testing.T) {
	end := make([]byte, 1024)
	posix := func(h block, content string) []byte {
		h.magic = magicPOSIX
		return entryBytes(h, content)
	}
	gnu := func(h block, content string) []byte {
		h.magic = magicGNU
		return entryBytes(h, content)
	}
	f, g := posix(block{name: "f", kind: '0'}, "content"), posix(block{name: "g", kind: '0'}, "content")
	v7 := entryBytes(block{name: "f"}, "content")
	oldSparse := func(number string) []byte {
		b := gnu(block{name: "f", kind: 'S'}, "content")
		return with(with(with(b, 386, "00000000000\x0000000000007\x00"), 398+12, number), 483, "00000000007\x00")
	}
	newSparse := func(behind string) []byte {
		list := "1\n0\n7\n" + behind
		return slices.Concat(posix(block{name: "x", kind: 'x'}, pax("GNU.sparse.major=1", "GNU.sparse.minor=0", "GNU.sparse.name=f", "GNU.sparse.realsize=7")),
			posix(block{name: "y", kind: '0'}, list+string(make([]byte, 512-len(list)))+"content"))
	}
	line := func(s string) string { return s + "\n" }
	for _, c := range []struct {
		name  string
		parts [][]byte
		want  []string
	}{
		{"nothing", [][]byte{f, g, end}, nil},
		{"padding", [][]byte{with(f, 520, planted), g, end}, []string{"f!@padding=" + planted}},
		{"padding of the last", [][]byte{f, with(g, 520, planted), end}, []string{"g!@padding=" + planted}},
		{"padding without an end", [][]byte{f, with(g, 520, planted)}, []string{"g!@padding=" + planted}},
		{"padding of a sparse file", [][]byte{with(oldSparse(""), 520, planted), g, end}, []string{"f!@padding=" + planted}},
		{"padding of a sparse file with its map", [][]byte{append(newSparse("")[:2048+7], append([]byte(planted), make([]byte, 505-len(planted))...)...), g, end}, []string{"f!@padding=" + planted}},
		{"behind a map", [][]byte{newSparse(planted + "SECRET"), g, end}, []string{"f!@header=1\n0\n7\nPLANTEDSECRET\n"}},
		{"among a map's numbers", [][]byte{oldSparse("\x00\x00" + planted + "KEY"), g, end}, []string{"f!@header="}},
		{"behind a name", [][]byte{with(f, 5, planted+"SECRET"), g, end}, []string{"f!@header=" + line(planted+"SECRET")}},
		{"behind a link", [][]byte{with(posix(block{name: "l", kind: '2', link: "f"}, ""), 160, planted+"SECRET"), g, end}, []string{"l!@header=" + line(planted+"SECRET")}},
		{"a link of no link", [][]byte{with(f, 157, planted+"SECRET"), g, end}, []string{"f!@header=" + line(planted+"SECRET")}},
		{"behind an owner", [][]byte{with(f, 270, planted+"SECRET"), g, end}, []string{"f!@header=" + line(planted+"SECRET")}},
		{"behind a group", [][]byte{with(f, 300, planted+"SECRET"), g, end}, []string{"f!@header=" + line(planted+"SECRET")}},
		{"behind a prefix", [][]byte{with(f, 400, planted+"SECRET"), g, end}, []string{"f!@header=" + line(planted+"SECRET")}},
		{"behind all", [][]byte{with(f, 500, planted+"KEY"), g, end}, []string{"f!@header=" + line(planted+"KEY")}},
		{"in place of what v7 has not", [][]byte{with(v7, 300, planted+"SECRET"), g, end}, []string{"f!@header=" + line(planted+"SECRET")}},
		{"behind GNU's fields", [][]byte{with(gnu(block{name: "f", kind: '0'}, "content"), 420, planted+"SECRET"), g, end}, []string{"f!@header=" + line(planted+"SECRET")}},
		{"among numbers", [][]byte{with(f, 124, "00000000007\x00\x00"+planted), g, end}, nil}, // which are none then
		{"behind a number", [][]byte{with(posix(block{name: "e", kind: '0'}, ""), 124, "0\x00"+planted+"ab"), g, end}, []string{"e!@header="}},
		{"a name that was replaced", [][]byte{posix(block{name: "x", kind: 'x'}, pax("path=f")), posix(block{name: planted + "NAME", kind: '0'}, "content"), end}, []string{"f!@header=" + line(planted+"NAME")}},
		{"a name that is shorter", [][]byte{posix(block{name: "x", kind: 'x'}, pax("path="+planted+"NAME")), posix(block{name: planted + "NA", kind: '0'}, "content"), end}, nil},
		{"a link that was replaced", [][]byte{posix(block{name: "x", kind: 'x'}, pax("linkpath=f")), posix(block{name: "l", kind: '2', link: planted + "NAME"}, ""), end}, []string{"l!@header=" + line(planted+"NAME")}},
		{"a record twice", [][]byte{posix(block{name: "x", kind: 'x'}, pax("comment="+planted, "comment=other")), f, end}, []string{"f!@header=" + line("comment="+planted)}},
		{"a path twice", [][]byte{posix(block{name: "x", kind: 'x'}, pax("path="+planted, "path=f")), f, end}, []string{"f!@header=" + line("path="+planted)}},
		{"records that were replaced", [][]byte{posix(block{name: "x", kind: 'x'}, pax("comment="+planted)), posix(block{name: "x", kind: 'x'}, pax("comment=other")), f, end}, []string{"f!@header=" + line("comment="+planted)}},
		{"behind records", [][]byte{with(posix(block{name: "x", kind: 'x'}, pax("comment=other")), 600, planted+"SECRET"), f, end}, []string{"f!@header=" + line(planted+"SECRET")}},
		{"the name of records", [][]byte{posix(block{name: planted + "NAME", kind: 'x'}, pax("comment=other")), f, end}, []string{"f!@header=" + line(planted+"NAME")}},
		{"the owner of records", [][]byte{with(posix(block{name: "x", kind: 'x'}, pax("comment=other")), 265, planted+"NAME"), f, end}, []string{"f!@header=" + line(planted+"NAME")}},
		{"a path of a sparse file", [][]byte{posix(block{name: "x", kind: 'x'}, pax("path="+planted, "GNU.sparse.major=1", "GNU.sparse.minor=0", "GNU.sparse.name=f", "GNU.sparse.realsize=7")), newSparse("")[1024:], end}, []string{"f!@header=" + line("path="+planted)}},
		{"behind a long name", [][]byte{gnu(block{name: "././@LongLink", kind: 'L'}, "a/f\x00"+planted+"SECRET\x00"), f, end}, []string{"a/f!@header=" + line(planted+"SECRET")}},
		{"a long name that was replaced", [][]byte{gnu(block{name: "././@LongLink", kind: 'L'}, planted+"NAME\x00"), gnu(block{name: "././@LongLink", kind: 'L'}, "a/f\x00"), f, end}, []string{"a/f!@header=" + line(planted+"NAME")}},
		{"a long link of no link", [][]byte{gnu(block{name: "././@LongLink", kind: 'K'}, planted+"NAME\x00"), gnu(block{name: "f", kind: '0'}, "content"), end}, []string{"f!@header=" + line(planted+"NAME")}},
		{"a name that goes up", [][]byte{posix(block{name: "a/" + planted + "/../f", kind: '0'}, "content"), end}, []string{"a/f!@header=" + line("a/"+planted+"/../f")}},
		{"a hard link that goes up", [][]byte{f, posix(block{name: "h", kind: '1', link: planted + "x/../f"}, ""), end}, []string{"h!@header=" + line(planted+"x/../f")}},
		{"records for all", [][]byte{with(posix(block{name: "g", kind: 'g'}, pax("comment=other")), 600, planted), f, end}, []string{"g!@padding=" + planted}},
		{"a device's link and attribute", [][]byte{posix(block{name: "x", kind: 'x'}, pax("SCHILY.xattr.user.k="+planted)), posix(block{name: "c", kind: '3', link: planted + "LINK"}, ""), end}, []string{"c!@attributes=SCHILY.xattr.user.k=" + line(planted), "c!@header=" + line(planted+"LINK")}},
	} {
		s, held := surveyOf(t, bytes.Join(c.parts, nil))
		same := func(got, want string) bool {
			return got == want || strings.HasSuffix(want, "=") && strings.HasPrefix(got, want) && (strings.Contains(got, planted) || strings.HasSuffix(got, "true"))
		}
		if !slices.EqualFunc(held, c.want, same) {
			t.Errorf("%s: held %q, want %q", c.name, held, c.want)
		}
		if len(s.skipped) > 0 && c.name != "among numbers" {
			t.Errorf("%s: listed %v", c.name, s.skipped)
		}
	}
}

// TestOrdinaryHeaders: what programs write has nothing that nobody looks at.
func TestOrdinaryHeaders(t *testing.T) {
	long := strings.Repeat("folder/", 30) + "name"
	for _, format := range []tar.Format{tar.FormatUSTAR, tar.FormatPAX, tar.FormatGNU} {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		for _, h := range []tar.Header{
			{Name: "etc/", Typeflag: tar.TypeDir, Uname: "someone-with-a-name", Gname: "users"},
			{Name: long, Typeflag: tar.TypeReg, Size: 5},
			{Name: "link", Typeflag: tar.TypeSymlink, Linkname: long[:90]},
			{Name: "./hard", Typeflag: tar.TypeLink, Linkname: "./etc/target-of-it"},
			{Name: "device", Typeflag: tar.TypeChar, Devmajor: 5, Devminor: 1},
		} {
			h.Format, h.Mode, h.Uid = format, 0o755, 1_000_000
			if format == tar.FormatPAX {
				h.PAXRecords = map[string]string{"SCHILY.xattr.user.k": "v"}
			}
			if len(h.Name) > 100 && format == tar.FormatUSTAR {
				h.Name = long[:150] + "/n"
			}
			err := w.WriteHeader(&h)
			if err == nil {
				_, err = w.Write([]byte("abcde")[:h.Size])
			}
			if err != nil {
				t.Fatal(format, err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		l, err := newWalker(io.NopCloser(&b), nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		for {
			m, _, err := l.next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil || len(m.header) > 0 || len(l.pad.text) > 0 {
				t.Errorf("%v: %s has %q, behind it %q, %v", format, m.name, m.header, l.pad.text, err)
			}
		}
	}
}

// TestLongHeaders: of headers without end a part is kept, and that is listed.
func TestLongHeaders(t *testing.T) {
	var parts [][]byte
	for i := range 5 {
		parts = append(parts, entryBytes(block{name: "x", kind: 'x', magic: magicPOSIX}, pax("comment="+strings.Repeat("x", 1<<20-100)+fmt.Sprint(planted, i))))
	}
	parts = append(parts, entryBytes(block{name: "f", kind: '0', magic: magicPOSIX}, planted), make([]byte, 1024))
	s, held := surveyOf(t, bytes.Join(parts, nil))
	if !slices.Contains(held, "f="+planted) || len(held) != 3 || len(s.skipped) != 1 || s.skipped[0].Reason != fingerprints.SkipTooLarge {
		t.Errorf("held %q, listed %v", held, s.skipped)
	}
}

// frame is one of zstd that decoders skip.
func frame(text string) []byte {
	return append(binary.LittleEndian.AppendUint32([]byte("\x50\x2a\x4d\x18"), uint32(len(text))), text...)
}

// TestBesideStreams: what a compressed stream holds beside the layer is found.
func TestBesideStreams(t *testing.T) {
	raw := slices.Concat(entryBytes(block{name: "f", kind: '0', magic: magicPOSIX}, planted), make([]byte, 1024))
	long := strings.Repeat("x", screenedBeside) + planted
	zst := func(parts ...[]byte) []byte {
		var out []byte
		for i, p := range parts {
			out = append(out, p...)
			out = append(out, written(t, raw[i*len(raw)/len(parts):(i+1)*len(raw)/len(parts)], zstdWriter)...)
		}
		return out
	}
	gz := func(h gzip.Header, data []byte) []byte {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		z.Header = h
		_, err := z.Write(data)
		if err := errors.Join(err, z.Close()); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	for name, c := range map[string]struct {
		raw  []byte
		want []string
		skip bool
	}{
		"frame before":     {zst(frame("and " + planted)), []string{"@layer!@frame 0=and " + planted}, false},
		"frames between":   {zst(frame("nothing of it"), slices.Concat(frame("short"), frame("and "+planted))), []string{"@layer!@frame 1=and " + planted}, false},
		"frame behind":     {slices.Concat(zst(nil), frame("and "+planted)), []string{"@layer!@frame 0=and " + planted}, false},
		"long frame":       {zst(frame(long)), []string{fmt.Sprintf("@layer!@frame 0=%d bytes, true", len(long))}, false},
		"frame breaks off": {slices.Concat(zst(nil), frame("and " + planted)[:16]), []string{"@layer!@frame 0=and PLAN"}, true},
		"something behind": {slices.Concat(zst(nil), []byte("and "+planted)), []string{"@layer=and " + planted}, false},
		"name":             {gz(gzip.Header{Name: planted + "NAME"}, raw), []string{"@layer!@gzip 0=" + planted + "NAME\n"}, false},
		"comment, extra":   {gz(gzip.Header{Comment: planted, Extra: []byte("something")}, raw), []string{"@layer!@gzip 0=something\n" + planted + "\n"}, false},
		"second member":    {slices.Concat(gz(gzip.Header{Name: "layer.tar"}, raw[:700]), gz(gzip.Header{Comment: planted + "TEXT"}, raw[700:])), []string{"@layer!@gzip 1=" + planted + "TEXT\n"}, false},
	} {
		s, held := surveyBeside(t, c.raw)
		want := append([]string{"f=" + planted}, c.want...)
		if c.skip {
			held = slices.DeleteFunc(held, func(h string) bool { return strings.HasPrefix(h, "@layer!") })
			want = want[:1]
		}
		if !slices.Equal(held, want) || (len(s.skipped) > 0) != c.skip {
			t.Errorf("%s: held %q, want %q; listed %v", name, held, want, s.skipped)
		}
	}
	s, held := surveyBeside(t, gz(gzip.Header{Name: planted + strings.Repeat("n", 1<<20)}, raw))
	if len(held) != 2 || len(s.skipped) != 1 || s.skipped[0].Reason != fingerprints.SkipTooLarge {
		t.Errorf("a long name: held %d, listed %v", len(held), s.skipped)
	}
}

// surveyBeside is surveyOf that tells what stands beside the stream.
func surveyBeside(t *testing.T, raw []byte) (s *surveyed, held []string) {
	s, held = surveyOf(t, raw)
	at := 0
	for _, h := range s.Held {
		if h.Size == 0 {
			continue
		}
		if h.Entry == besideStream {
			held[at] = strings.Replace(held[at], "@layer=", fmt.Sprintf("@layer%s %d=", h.Part, h.Nth), 1)
		}
		at++
	}
	slices.SortStableFunc(held, func(a, b string) int { return strings.Compare(a[:1], b[:1]) * -1 })
	return s, held
}

// TestBesideIsStreamed: a long frame is not held in memory to be searched.
func TestBesideIsStreamed(t *testing.T) {
	raw := slices.Concat(frame(strings.Repeat("x", 3<<20)+planted), written(t, make([]byte, 1024), zstdWriter))
	b := blob{digest: "d", open: func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(raw)), nil }}
	rc, err := openBeside(t.Context(), b, heldFile{Entry: besideStream, Part: framePart})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, rc); n != 3<<20+int64(len(planted)) || err != nil {
		t.Error(n, err)
	}
	if err := rc.Close(); err != nil {
		t.Error(err)
	}
	if _, err := openBeside(t.Context(), b, heldFile{Entry: besideStream, Part: framePart, Nth: 1}); err == nil {
		t.Error("a frame that is not there")
	}
}

// TestEncryptedLayer: what nobody can read without a key is listed.
func TestEncryptedLayer(t *testing.T) {
	b := blob{digest: "d", mediaType: "application/vnd.oci.image.layer.v1.tar+gzip+encrypted", open: func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader("\x9a\x01 of no sense")), nil
	}}
	s, err := (&survey{screening: newScreening(Options{Screen: seesPlanted})}).layer(t.Context(), b)
	if err != nil || !s.noTar || s.failed || len(s.skipped) != 1 || s.skipped[0].Reason != fingerprints.SkipArchive {
		t.Errorf("listed %+v, %v", s, err)
	}
}
