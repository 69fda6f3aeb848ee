//go:build !linux

package main

import "runtime"

// resident is the memory that Go has from this system, in bytes: there is no
// portable way to ask for more.
func resident() (int64, error) {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.Sys - m.HeapReleased), nil
}
