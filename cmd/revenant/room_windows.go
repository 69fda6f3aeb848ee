package main

import (
	"math"
	"os"

	"golang.org/x/sys/windows"
)

// freeRoom is how many bytes may be written to a folder; as many as are wanted where
// that cannot be told.
func freeRoom(dir string) int64 {
	name, err := windows.UTF16PtrFromString(dir)
	var free uint64
	if err != nil || windows.GetDiskFreeSpaceEx(name, &free, nil, nil) != nil {
		return math.MaxInt64
	}
	return int64(min(free, math.MaxInt64))
}

// ownFile reports whether a file is this user's: temporary folders are.
func ownFile(os.FileInfo) bool { return true }
