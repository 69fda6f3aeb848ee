package distribution

import "io"

// Names reads a list.
func Names(r io.Reader, field string, each func(string) error) error { return names(r, field, each) }
