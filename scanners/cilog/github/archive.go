package github

import (
	"archive/zip"
	"cmp"
	"context"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"

	"revenant/fingerprints"
	"revenant/scanners"
	"revenant/scanners/cilog"
	"revenant/scanners/spool"
)

// Bounds of archives.
const (
	maxEntries   = 100_000
	maxDirectory = 16 << 20 // bytes that are read until its entries are known
	spoolMemory  = 1 << 20
)

// errArchive: it is none, or damaged so that nothing can be found in it.
var errArchive = errors.New("the archive of logs is damaged or too large")

// archive is the logs of an attempt, as they were downloaded.
type archive struct {
	spool *spool.Spool
	files []*zip.File
	byKey map[string]*zip.File
}

// download fetches a run's archive, twice when it breaks off.
func (p *Project) download(ctx context.Context, r cilog.Run) (*archive, error) {
	ref, err := p.ref(r)
	if err != nil {
		return nil, err
	}
	for range 2 {
		var a *archive
		if a, err = p.fetch(ctx, ref+"/logs"); !errors.Is(err, io.ErrUnexpectedEOF) {
			return a, err
		}
	}
	return nil, err
}

func (p *Project) fetch(ctx context.Context, ref string) (*archive, error) {
	body, _, err := p.api.Open(ctx, ref, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = body.Close() }()
	memory := int64(spoolMemory)
	a := &archive{spool: spool.New(&memory)}
	rest, err := a.spool.Fill(body, p.o.MaxArchive)
	if err == nil {
		if _, err = io.ReadFull(rest, make([]byte, 1)); err == nil {
			err = errArchive // it goes on
		} else if errors.Is(err, io.EOF) {
			err = a.open()
		}
	}
	if err != nil {
		a.close()
		return nil, err
	}
	return a, nil
}

// open reads the archive's directory, within bounds: an archive of nothing but
// entries must not fill the memory.
func (a *archive) open() error {
	in := &rationed{r: a.spool, left: maxDirectory}
	z, err := zip.NewReader(in, a.spool.Size())
	if err != nil || len(z.File) > maxEntries {
		return errArchive
	}
	in.free = true
	a.byKey = map[string]*zip.File{}
	for _, f := range z.File {
		if strings.HasSuffix(f.Name, "/") {
			continue
		}
		key := archiveKey + f.Name
		for n := 2; a.byKey[key] != nil; n++ {
			key = archiveKey + strconv.Itoa(n) + ":" + f.Name
		}
		a.byKey[key] = f
		a.files = append(a.files, f)
	}
	return nil
}

func (a *archive) close() { a.spool.Close() }

// rationed bounds what may be read until it is free.
type rationed struct {
	r    io.ReaderAt
	left int64
	free bool
}

// ReadAt implements io.ReaderAt.
func (r *rationed) ReadAt(p []byte, off int64) (int, error) {
	if r.free {
		return r.r.ReadAt(p, off)
	}
	if r.left -= int64(len(p)); r.left < 0 {
		return 0, errArchive
	}
	return r.r.ReadAt(p, off)
}

// entry is a file of an archive, by its name.
type entry struct {
	key  string
	name string
	job  string // as the archive has it; empty: of none
	step int    // its number
	what part
	size int64
}

// part is what of a job a file holds.
type part int

const (
	other  part = iota
	whole       // N_JOB.txt
	step        // JOB/N_STEP.txt
	system      // JOB/system.txt, written before a runner took the job
)

// parseEntry reads the name of a file in an archive.
func parseEntry(name string) entry {
	e := entry{name: name}
	text, isText := strings.CutSuffix(strings.ReplaceAll(name, `\`, "/"), ".txt")
	dir, base, nested := cutLast(text, "/")
	if !isText {
		return e
	}
	if !nested {
		if number, job, found := strings.Cut(text, "_"); found && job != "" && numeral(strings.TrimPrefix(number, "-")) {
			e.job, e.what = job, whole
		}
		return e
	}
	if dir == "" {
		return e
	}
	if base == "system" {
		e.job, e.what = dir, system
		return e
	}
	number, _, found := strings.Cut(base, "_")
	if n, err := strconv.Atoi(number); found && err == nil && n >= 0 && numeral(number) {
		e.job, e.step, e.what = dir, n, step
	}
	return e
}

func numeral(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// stepName is the step's name as the archive has it.
func (e entry) stepName() string {
	_, base, _ := cutLast(strings.TrimSuffix(strings.ReplaceAll(e.name, `\`, "/"), ".txt"), "/")
	_, name, _ := strings.Cut(base, "_")
	return cmp.Or(name, base)
}

// entries are an archive's files, each job's together and steps in their order.
func (a *archive) entries() []entry {
	var out []entry
	for key, f := range a.byKey {
		e := parseEntry(f.Name)
		e.key, e.size = key, declared(f)
		out = append(out, e)
	}
	slices.SortFunc(out, func(x, y entry) int {
		return cmp.Or(cmp.Compare(x.job, y.job), cmp.Compare(x.what, y.what), cmp.Compare(x.step, y.step), cmp.Compare(x.key, y.key))
	})
	return out
}

func declared(f *zip.File) int64 {
	if n := int64(f.UncompressedSize64); n >= 0 {
		return n
	}
	return 1<<63 - 1
}

// read opens a file of an archive. What it declares is all that is read of it.
func (a *archive) read(key string, most int64) (io.ReadCloser, error) {
	f := a.byKey[key]
	if f == nil {
		return nil, &scanners.SkipError{Reason: fingerprints.SkipVanished, Detail: "the archive of logs does not hold it any more", Size: -1}
	}
	size := declared(f)
	if size > most {
		return nil, tooLong(size)
	}
	rc, err := f.Open()
	if err != nil {
		return nil, damaged()
	}
	return &entryReader{rc: rc, left: size}, nil
}

func tooLong(size int64) error {
	return &scanners.SkipError{Reason: fingerprints.SkipTooLarge, Detail: "a log longer than the bound", Size: size}
}

func damaged() error {
	return &scanners.SkipError{Reason: fingerprints.SkipUnreadable, Detail: "it is damaged in the archive of logs: the rest was not read", Size: -1}
}

// entryReader reads a file to the length that it declares.
type entryReader struct {
	rc   io.ReadCloser
	left int64
}

// Read implements io.Reader.
func (r *entryReader) Read(p []byte) (int, error) {
	n, err := r.rc.Read(p)
	if int64(n) > r.left {
		n, err = int(r.left), damaged()
	}
	r.left -= int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		err = damaged()
	}
	return n, err
}

// Close implements io.Closer. That the file is damaged was told by reading it.
func (r *entryReader) Close() error {
	_ = r.rc.Close()
	return nil
}
