package files

import (
	"context"
	"io/fs"
	"path/filepath"

	"revenant/scanners"
)

// Measure counts the regular files at root and their bytes, for telling how far a
// scan is: links and globs are not looked at, and what cannot be listed is not
// counted. Its error is the context's.
func Measure(ctx context.Context, root string) (scanners.Counts, error) {
	var c scanners.Counts
	if real, err := filepath.EvalSymlinks(root); err == nil {
		root = real
	}
	err := filepath.WalkDir(root, func(_ string, d fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil || !d.Type().IsRegular() {
			return nil //nolint:nilerr // it is not counted
		}
		if info, err := d.Info(); err == nil {
			c.Items++
			c.Bytes += info.Size()
		}
		return nil
	})
	return c, err
}
