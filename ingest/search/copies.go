package search

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"
)

// The process that keeps an index has its root file locked. Whoever reads beside it
// takes a copy: of the small root file, and links to the segments' files, which are
// never written again. The root file is a bolt database: pages are not written over
// while a meta page refers to them, so a copy is one state if the two meta pages
// were the same before and after.

const (
	copyName  = "copy-"
	copyTries = 20
	metaPages = 2
)

// openCopy opens a copy of what another process keeps. Where there is none to be
// had, the store is read.
func (x *Index) openCopy(ctx context.Context) error {
	x.mode = Scans
	for range copyTries {
		dir, err := x.copyFiles()
		if err == nil {
			x.kept, err = openScorch(dir, true, x.analysis())
		}
		if dir != "" {
			defer func() { _ = os.RemoveAll(dir) }() // what is open stays readable
		}
		if err == nil {
			if x.state, err = readState(x.kept); err == nil {
				return x.useCopy(ctx)
			}
			_ = closeScorch(x.kept)
		}
		x.kept = nil
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
	x.o.Log.InfoContext(ctx, "another process keeps the search index, and it cannot be read: the store is")
	return nil
}

func (x *Index) useCopy(ctx context.Context) error {
	installation, end, err := x.registryNow(ctx)
	if err != nil {
		return err
	}
	why, err := x.foreign(ctx, installation, end)
	if err != nil {
		return err
	}
	if why != "" {
		x.o.Log.InfoContext(ctx, "the search index cannot be used: the store is read", slog.String("why", why))
		return nil
	}
	x.mode = Reads
	x.settled()
	return nil
}

// copyFiles links and copies into a folder of its own.
func (x *Index) copyFiles() (dir string, err error) {
	if dir, err = os.MkdirTemp(x.o.Dir, copyName); err != nil {
		return "", fmt.Errorf("copying the search index: %w", pathless(err))
	}
	root, err := os.Open(filepath.Join(x.files(), "root.bolt"))
	if err != nil {
		return dir, fmt.Errorf("copying the search index: %w", pathless(err))
	}
	defer func() { _ = root.Close() }()
	head := make([]byte, metaPages*os.Getpagesize())
	before := make([]byte, len(head))
	if _, err := io.ReadFull(root, before); err != nil {
		return dir, fmt.Errorf("copying the search index: %w", pathless(err))
	}
	segments, err := filepath.Glob(filepath.Join(x.files(), "*.zap"))
	if err != nil {
		return dir, errDamaged
	}
	for _, name := range segments {
		if err := os.Link(name, filepath.Join(dir, filepath.Base(name))); err != nil && !os.IsNotExist(err) {
			return dir, fmt.Errorf("copying the search index: %w", pathless(err))
		}
	}
	all, err := io.ReadAll(io.NewSectionReader(root, 0, 1<<40))
	if err != nil {
		return dir, fmt.Errorf("copying the search index: %w", pathless(err))
	}
	if _, err := root.ReadAt(head, 0); err != nil || !bytes.Equal(before, head) || len(all) < len(head) || !bytes.Equal(before, all[:len(head)]) {
		return dir, errDamaged // it moved meanwhile
	}
	if err := os.WriteFile(filepath.Join(dir, "root.bolt"), all, 0o600); err != nil {
		return dir, fmt.Errorf("copying the search index: %w", pathless(err))
	}
	return dir, nil
}

// dropCopies removes what readers that were killed left.
func (x *Index) dropCopies() {
	left, err := filepath.Glob(filepath.Join(x.o.Dir, copyName+"*"))
	if err != nil {
		return
	}
	for _, dir := range left {
		_ = os.RemoveAll(dir)
	}
}
