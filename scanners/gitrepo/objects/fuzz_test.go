package objects_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"path/filepath"
	"testing"

	"revenant/scanners/gitrepo/objects"
)

// readAll walks a store of which nothing is known, in every way, and reads what
// it was shown again. Whatever is shown must have its id.
func readAll(t *testing.T, dir string, trusted bool) {
	for _, opts := range []objects.Options{{}, {Verify: objects.VerifyIDs, Access: objects.AccessRead}} {
		opts.Limits = objects.Limits{Whole: 1 << 20, Cache: 1 << 18, Retries: 1000}
		s, err := objects.Open(t.Context(), dir, opts)
		if err != nil {
			t.Fatal(err)
		}
		var ids []objects.ID
		report, err := s.Walk(t.Context(), objects.Walk{Workers: 1, Pieces: true, Damaged: func(d objects.Damage) { ids = append(ids, d.ID) }, Visit: func(_ context.Context, _ int, o *objects.Object) (any, error) {
			ids = append(ids, o.ID)
			var r io.Reader = bytes.NewReader(o.Data)
			if o.Stream != nil {
				r = o.Stream
			}
			id, err := hashed(s.Format(), o.Kind, o.Size, r)
			if err == nil && id != o.ID.String() && (!trusted || opts.Verify == objects.VerifyIDs) {
				t.Errorf("%s has the content of %s", o.ID, id)
			}
			return nil, nil // the walk lists it
		}})
		if err != nil {
			t.Fatal(err)
		}
		if int(report.Objects+report.Damaged) != len(ids) {
			t.Errorf("%d told, but %+v", len(ids), report)
		}
		for _, id := range ids {
			_, _, _ = s.Header(t.Context(), id)
			if kind, data, err := s.Get(t.Context(), id); err == nil {
				if got, _ := hashed(s.Format(), kind, int64(len(data)), bytes.NewReader(data)); got != id.String() {
					t.Errorf("%s has the content of %s", id, got)
				}
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// seedPack has an object of each sort.
func seedPack(tb testing.TB) *packer {
	p := newPacker(tb)
	base := []byte("some text that others are made from\n")
	id, off := p.whole(objects.Blob, base)
	delta, result := appended(base, "more")
	_, off = p.ofs(off, delta, result)
	delta, result = appended(result, "and more")
	p.ofs(off, delta, result)
	delta, result = appended(base, "by name")
	p.ref(idOf(objects.Blob, result), id, delta)
	p.whole(objects.Tree, nil)
	return p
}

// FuzzPack reads a pack of any bytes through an index that points into it.
func FuzzPack(f *testing.F) {
	seed := seedPack(f)
	var offs []byte
	for _, r := range seed.rows {
		offs = append(offs, byte(r.off))
	}
	f.Add(seed.pack.Bytes()[12:], offs)
	f.Fuzz(func(t *testing.T, entries, offs []byte) {
		p := newPacker(t)
		p.pack.Write(entries)
		for i, off := range offs[:min(len(offs), 40)] {
			id := bad(i)
			if i < len(seed.rows) {
				id = seed.rows[i].id
			}
			p.rows = append(p.rows, row{id, 0, int64(off)})
		}
		dir := t.TempDir()
		p.save(dir, "f")
		// No checksum fits: everything is hashed, unless it is the seed itself.
		readAll(t, dir, false)
	})
}

// FuzzEntry reads one entry and a delta on it, with checksums that fit.
func FuzzEntry(f *testing.F) {
	base := []byte("some text that others are made from\n")
	delta, _ := appended(base, "more")
	f.Add([]byte{0xb4, 0x02}, base, delta, false)
	f.Add([]byte{}, base, delta, true)
	f.Fuzz(func(t *testing.T, head, data, delta []byte, pack bool) {
		p := newPacker(t)
		_, off := p.whole(objects.Blob, data)
		p.ofsAs(bad(1), off, delta)
		p.ref(bad(2), bad(1), delta)
		if pack {
			data = p.deflated(data)
		}
		p.raw(bad(3), head, data)
		dir := t.TempDir()
		p.save(dir, "f")
		readAll(t, dir, true)
	})
}

func FuzzIndex(f *testing.F) {
	seed := seedPack(f)
	dir := f.TempDir()
	seed.save(dir, "f")
	f.Add(read(f, filepath.Join(dir, "objects/pack/pack-f.idx")))
	repo := newRepo(f, objects.SHA1)
	history(f, repo, 1, 2, 2, 3)
	git(f, repo, "-c", "pack.indexVersion=1", "repack", "-q", "-ad")
	f.Add(read(f, packFiles(f, repo, ".idx")[0]))
	f.Fuzz(func(t *testing.T, index []byte) {
		dir := t.TempDir()
		p := seedPack(t)
		p.save(dir, "f")
		write(t, filepath.Join(dir, "objects/pack/pack-f.idx"), index)
		readAll(t, dir, true)
	})
}

func FuzzMultiPackIndex(f *testing.F) {
	repo := newRepo(f, objects.SHA1)
	history(f, repo, 1, 2, 2, 3)
	git(f, repo, "repack", "-q", "-ad")
	history(f, repo, 2, 2, 2, 3)
	git(f, repo, "repack", "-q")
	git(f, repo, "multi-pack-index", "write")
	midx := filepath.Join(repo, ".git/objects/pack/multi-pack-index")
	f.Add(read(f, midx))
	packs := map[string][]byte{}
	for _, name := range packFiles(f, repo, ".pack") {
		packs[filepath.Base(name)] = read(f, name)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		dir := t.TempDir()
		p := newPacker(t)
		p.whole(objects.Blob, []byte("x"))
		p.save(dir, "own")
		for name, pack := range packs { // without their indexes
			write(t, filepath.Join(dir, "objects/pack", name), pack)
		}
		write(t, filepath.Join(dir, "objects/pack/multi-pack-index"), data)
		readAll(t, dir, false)
	})
}

func FuzzLoose(f *testing.F) {
	f.Add(deflated(f, 6, []byte("blob 4\x00text")), true)
	f.Add([]byte("tree 0\x00"), false)
	f.Fuzz(func(t *testing.T, data []byte, packed bool) {
		if !packed {
			data = deflated(t, 1, data)
		}
		dir := t.TempDir()
		p := newPacker(t)
		p.whole(objects.Blob, []byte("x"))
		p.save(dir, "own")
		for _, id := range [][20]byte{bad(1), idOf(objects.Blob, []byte("text")), idOf(objects.Tree, nil)} {
			name := hexID(id)
			write(t, filepath.Join(dir, "objects", name[:2], name[2:]), data)
		}
		readAll(t, dir, false)
	})
}

// FuzzConfig reads files that say where things are.
func FuzzConfig(f *testing.F) {
	f.Add([]byte("[core]\n\tbare = true ; x\n[extensions]\nobjectFormat = \"sha\\1\"\n[remote \"a\\\"]b\"]\n\tpromisor\n"), []byte("# x\n/nowhere\n\"a\\101b\"\n../x\n"))
	f.Fuzz(func(t *testing.T, config, alternates []byte) {
		dir := t.TempDir()
		p := newPacker(t)
		p.whole(objects.Blob, []byte("x"))
		p.save(dir, "own")
		write(t, filepath.Join(dir, "config"), config)
		write(t, filepath.Join(dir, "objects/info/alternates"), append([]byte("../../else\n"), bytes.ReplaceAll(alternates, []byte("/"), nil)...))
		s, err := objects.Open(t.Context(), dir, objects.Options{})
		if err != nil {
			return
		}
		if _, err := s.Walk(t.Context(), objects.Walk{Workers: 1, Visit: ignore}); err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

// naiveDelta follows a delta as its documentation says, byte by byte.
func naiveDelta(base, delta []byte) (out []byte, ok bool) {
	from, n := binary.Uvarint(delta)
	if n <= 0 || n > 9 || from != uint64(len(base)) {
		return nil, false
	}
	size, m := binary.Uvarint(delta[n:])
	if m <= 0 || m > 9 || size > 1<<20 {
		return nil, false
	}
	in := bytes.NewReader(delta[n+m:])
	for in.Len() > 0 {
		op, _ := in.ReadByte()
		if op < 0x80 {
			text := make([]byte, op)
			if _, err := io.ReadFull(in, text); err != nil || op == 0 {
				return nil, false
			}
			out = append(out, text...)
		} else {
			var at, length uint64
			for i := range 7 {
				if op>>i&1 == 0 {
					continue
				}
				b, err := in.ReadByte()
				if err != nil {
					return nil, false
				}
				if i < 4 {
					at |= uint64(b) << (8 * i)
				} else {
					length |= uint64(b) << (8 * (i - 4))
				}
			}
			if length == 0 {
				length = 0x10000
			}
			if at+length > uint64(len(base)) {
				return nil, false
			}
			out = append(out, base[at:at+length]...)
		}
		if uint64(len(out)) > size {
			return nil, false
		}
	}
	return out, uint64(len(out)) == size
}

func FuzzDelta(f *testing.F) {
	base := bytes.Repeat([]byte("0123456789"), 7000)
	delta, _ := appended(base[:70], "more")
	f.Add(base[:70], delta)
	f.Add(base, append(append(sizes(len(base), 0x10000+5), 0x80), inserted("hello")...))
	f.Add(base, append(sizes(len(base), 3), 0x91, 7, 3))
	f.Fuzz(func(t *testing.T, base, delta []byte) {
		want, ok := naiveDelta(base, delta)
		got, pieces, err := objects.Apply(base, delta)
		if ok != (err == nil) || ok && !bytes.Equal(got, want) {
			t.Fatalf("%q, %v; want %q, %v", got, err, want, ok)
		}
		at := 0
		for _, p := range pieces {
			if err == nil && (p.At != at || p.Len <= 0 || !p.Inserted() && !bytes.Equal(base[p.From:p.From+p.Len], got[at:at+p.Len])) {
				t.Fatalf("piece %+v at %d", p, at)
			}
			at += p.Len
		}
		if err == nil && at != len(got) {
			t.Fatalf("pieces cover %d of %d", at, len(got))
		}
	})
}
