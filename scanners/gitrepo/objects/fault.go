package objects

import (
	"errors"
	"runtime/debug"
)

var errFault = errors.New("the file changed while it was read")

// A fault in a mapping (a file that was cut, a disk that fails) ends the
// process, unless its goroutine says otherwise: whatever starts to read does
//
//	defer unguard(guard())
//
// and where an error is known what to do with, caught makes one of the fault.

func guard() bool { return debug.SetPanicOnFault(true) }

func unguard(before bool) { debug.SetPanicOnFault(before) }

// caught turns a fault into an error; any other panic goes on.
func caught(err *error) {
	r := recover()
	if r == nil {
		return
	}
	if _, fault := r.(interface{ Addr() uintptr }); !fault {
		panic(r)
	}
	*err = &damage{reason: ReasonIO, err: errFault}
}
