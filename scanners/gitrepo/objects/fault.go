package objects

import (
	"errors"
	"runtime/debug"
)

var errFault = errors.New("the file changed while it was read")

// catchFault turns a fault in a mapping (a file that was cut, a disk that
// fails) into an error. Use: defer catchFault(&err)().
func catchFault(err *error) func() {
	before := debug.SetPanicOnFault(true)
	return func() {
		debug.SetPanicOnFault(before)
		if r := recover(); r != nil {
			recovered(r, err)
		}
	}
}

// recovered is the error of a fault; any other panic goes on.
func recovered(r any, err *error) {
	if _, fault := r.(interface{ Addr() uintptr }); !fault {
		panic(r)
	}
	*err = &damage{reason: ReasonIO, err: errFault}
}
