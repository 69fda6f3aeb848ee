//go:build unix

package keystore

import (
	"os"
	"syscall"
)

// ofRoot reports whether a file is the administrator's.
func ofRoot(info os.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && stat.Uid == 0
}
