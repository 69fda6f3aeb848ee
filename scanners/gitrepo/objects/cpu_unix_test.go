//go:build unix

package objects_test

import (
	"time"

	"golang.org/x/sys/unix"
)

// cpuTime is the processor time of this process: what other work on the
// machine does not add to.
func cpuTime() time.Duration {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
