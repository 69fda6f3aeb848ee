//go:build unix

package main

import (
	"math"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// freeRoom is how many bytes may be written to a folder; as many as are wanted where
// that cannot be told.
func freeRoom(dir string) int64 {
	var s unix.Statfs_t
	if unix.Statfs(dir, &s) != nil {
		return math.MaxInt64
	}
	return int64(min(uint64(s.Bavail)*uint64(s.Bsize), math.MaxInt64))
}

// ownFile reports whether a file is this user's.
func ownFile(info os.FileInfo) bool {
	s, is := info.Sys().(*syscall.Stat_t)
	return is && int(s.Uid) == os.Getuid()
}
