package objects

// Apply follows a delta, its head included.
func Apply(base, delta []byte) ([]byte, []Piece, error) {
	s := &Store{opts: Options{Limits: Limits{Whole: 1 << 20}}}
	return (&reader{s: s}).apply(base, delta, []Piece{})
}
