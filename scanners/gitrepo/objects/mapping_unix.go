//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package objects

import (
	"os"

	"golang.org/x/sys/unix"
)

func mapFile(f *os.File, size int) ([]byte, error) {
	return unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ, unix.MAP_SHARED)
}

func unmapFile(data []byte) { _ = unix.Munmap(data) }

func releasePages(data []byte) { _ = unix.Madvise(data, unix.MADV_DONTNEED) }
