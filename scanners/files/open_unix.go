//go:build unix

package files

import (
	"io/fs"
	"os"
	"syscall"
)

// openFile opens what it is given without ever waiting for it.
func openFile(abs string, follow followMode) (*os.File, error) {
	flags := os.O_RDONLY | syscall.O_NONBLOCK | syscall.O_NOCTTY
	if follow == followNever {
		flags |= syscall.O_NOFOLLOW
	}
	return os.OpenFile(abs, flags, 0)
}

// openFolder opens a directory and nothing else.
func openFolder(abs string) (*os.File, error) {
	return os.OpenFile(abs, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOFOLLOW|syscall.O_DIRECTORY, 0)
}

// inodeOf tells files apart; the zero inode says that it could not.
func inodeOf(_ string, info fs.FileInfo) inode {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return inode{dev: uint64(st.Dev), ino: uint64(st.Ino)}
	}
	return inode{}
}
