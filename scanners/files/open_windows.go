package files

import (
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/windows"
)

// openFile opens what it is given. Windows could open a link itself, but then
// also gives the stub of a deduplicated file or of one that lies in the cloud
// in place of its content. So the file is opened through whatever is there, and
// what lies at the path must be the file that was opened.
func openFile(abs string, follow followMode) (*os.File, error) {
	f, err := os.Open(abs)
	if err != nil || follow == followLinks {
		return f, err
	}
	if err := sameAsPath(f, abs); err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

func sameAsPath(f *os.File, abs string) error {
	there, err := os.Lstat(abs)
	if err != nil {
		return err
	}
	opened, err := f.Stat()
	if err != nil {
		return err
	}
	if there.Mode()&fs.ModeSymlink != 0 || !os.SameFile(there, opened) {
		return &fs.PathError{Op: "open", Path: abs, Err: syscall.ELOOP}
	}
	return nil
}

// openFolder opens a directory and nothing else.
func openFolder(abs string) (*os.File, error) {
	f, err := openFile(abs, followNever)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.IsDir() {
		err = &fs.PathError{Op: "open", Path: abs, Err: syscall.ENOTDIR}
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// inodeOf tells files apart by volume and index; the zero inode says that it
// could not. What os.FileInfo holds of both is not for others to read.
func inodeOf(abs string, _ fs.FileInfo) inode {
	name, err := windows.UTF16PtrFromString(abs)
	if err != nil {
		return inode{}
	}
	const shared = windows.FILE_SHARE_READ | windows.FILE_SHARE_WRITE | windows.FILE_SHARE_DELETE
	h, err := windows.CreateFile(name, 0, shared, nil, windows.OPEN_EXISTING, windows.FILE_FLAG_BACKUP_SEMANTICS, 0)
	if err != nil {
		return inode{}
	}
	defer func() { _ = windows.CloseHandle(h) }()
	var info windows.ByHandleFileInformation
	if err := windows.GetFileInformationByHandle(h, &info); err != nil {
		return inode{}
	}
	return inode{dev: uint64(info.VolumeSerialNumber), ino: uint64(info.FileIndexHigh)<<32 | uint64(info.FileIndexLow)}
}
