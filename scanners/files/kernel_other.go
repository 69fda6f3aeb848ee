//go:build !linux

package files

import "os"

// kernelMade is false: other systems have no such file systems in ordinary trees.
func kernelMade(*os.File) bool { return false }
