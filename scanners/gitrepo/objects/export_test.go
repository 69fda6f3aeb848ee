package objects

// Inflate is the decoder of small objects, for tests.
func Inflate(size int, in []byte, limit int) (out []byte, used int, err error) {
	dst := make([]byte, size, size+slack)
	used, err = newInflater().inflate(dst, in, limit)
	return dst, used, err
}

// NewInflate is Inflate with everything reused.
func NewInflate(size int) func(in []byte, limit int) error {
	f, dst := newInflater(), make([]byte, size, size+slack)
	return func(in []byte, limit int) error {
		_, err := f.inflate(dst, in, limit)
		return err
	}
}

// Apply follows a delta, its head included.
func Apply(base, delta []byte) ([]byte, []Piece, error) {
	s := &Store{opts: Options{Limits: Limits{Whole: 1 << 20}}}
	return (&reader{s: s}).apply(base, delta, []Piece{})
}
