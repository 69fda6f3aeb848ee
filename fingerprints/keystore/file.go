package keystore

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// maxFile bounds key files; real ones are a few kilobytes.
const maxFile = 4 << 20

// readPrivate reads a file that only its owner may read.
func readPrivate(name string) ([]byte, error) { return readKept(name, ownerAlone) }

// ownerAlone refuses files that others may read.
func ownerAlone(info os.FileInfo) bool { return info.Mode().Perm()&0o077 == 0 }

// handedOut also takes what the machine's administrator lets others read, and
// nobody else write: edge keys for everybody who works there.
func handedOut(info os.FileInfo) bool {
	return ownerAlone(info) || ofRoot(info) && info.Mode().Perm()&0o022 == 0
}

func readKept(name string, fit func(os.FileInfo) bool) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: %w", name, ErrDamaged)
	}
	// On Windows the mode says nothing of who may read: the folder's rights do.
	if runtime.GOOS != "windows" && !fit(info) {
		return nil, fmt.Errorf("%s: %w", name, ErrPermissions)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(b) > maxFile {
		err = ErrDamaged
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return b, nil
}

// writePrivate replaces a file whole, with mode 0600, and waits for the disk.
func writePrivate(name string, b []byte) error {
	dir := filepath.Dir(name)
	tmp, err := os.CreateTemp(dir, ".key-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp.Name()) }()
	_, err = tmp.Write(b)
	err = errors.Join(err, tmp.Chmod(0o600), tmp.Sync(), tmp.Close())
	if err != nil {
		return err
	}
	if err := os.Rename(tmp.Name(), name); err != nil {
		return err
	}
	return syncDir(dir)
}

// syncDir makes a rename last. Windows has no such call for folders, and its
// file systems write down renames in order by themselves.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// denied adds the way out to errors of permissions.
func denied(err error) error {
	if !errors.Is(err, fs.ErrPermission) {
		return err
	}
	return fmt.Errorf("%w: run as the owner of the keys, or give them back with chown; another REVENANT_HOME has its own", err)
}

func missing(err error) bool { return errors.Is(err, fs.ErrNotExist) }
