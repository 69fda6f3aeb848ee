//go:build !amd64

package inflate

// vector is fast in assembly, of which there is none here.
func (*decoder) vector(*bool, *error) bool { return false }
