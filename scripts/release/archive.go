package main

import (
	"archive/tar"
	"archive/zip"
	"cmp"
	"compress/gzip"
	"io"
	"io/fs"
	"slices"
	"time"
)

// member is a file of an archive; its name has slashes.
type member struct {
	name    string
	mode    fs.FileMode
	content []byte
}

func sorted(members []member) []member {
	out := slices.Clone(members)
	slices.SortFunc(out, func(a, b member) int { return cmp.Compare(a.name, b.name) })
	return out
}

// writeTarGz writes the members below a folder. Order, owner and times are the
// same whoever writes it and when, and so are the bytes.
func writeTarGz(w io.Writer, folder string, members []member, when time.Time) error {
	z, err := gzip.NewWriterLevel(w, gzip.BestCompression)
	if err != nil {
		return err
	}
	t := tar.NewWriter(z)
	for _, m := range sorted(members) {
		h := &tar.Header{
			Typeflag: tar.TypeReg, Name: folder + "/" + m.name, Size: int64(len(m.content)),
			Mode: int64(m.mode.Perm()), ModTime: when.Truncate(time.Second), Format: tar.FormatPAX,
		}
		if err := t.WriteHeader(h); err != nil {
			return err
		}
		if _, err := t.Write(m.content); err != nil {
			return err
		}
	}
	if err := t.Close(); err != nil {
		return err
	}
	return z.Close()
}

// writeZip does the same as a zip file. Its times are UTC, whatever the zone of
// the machine is.
func writeZip(w io.Writer, folder string, members []member, when time.Time) error {
	z := zip.NewWriter(w)
	for _, m := range sorted(members) {
		h := &zip.FileHeader{Name: folder + "/" + m.name, Method: zip.Deflate, Modified: when.UTC()}
		h.SetMode(m.mode.Perm())
		f, err := z.CreateHeader(h)
		if err != nil {
			return err
		}
		if _, err := f.Write(m.content); err != nil {
			return err
		}
	}
	return z.Close()
}
