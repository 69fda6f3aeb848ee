// Package bunzip2 reads bzip2 streams. Package compress/bzip2 takes 3.6 MB for each
// of them, of fifty bytes, too; who looks for streams meets many that are short, or
// none.
package bunzip2

import (
	"errors"
	"io"
	"strings"

	"github.com/dsnet/compress/bzip2"
)

// ErrTrailing says that what follows a stream is no other. All of the stream was read.
var ErrTrailing = errors.New("bunzip2: something else follows the stream")

// NewReader reads the streams of r, one after the other. From a [bufio.Reader] no more
// is read than they have, and two bytes of what follows. Errors are io.ErrUnexpectedEOF, [ErrTrailing], those of r, and
// others that say what is wrong with the data and nothing of it.
func NewReader(r io.Reader) io.Reader {
	z, _ := bzip2.NewReader(r, nil) // it never fails
	return &reader{z: z}
}

// headSize is less than any stream has.
const headSize = 4

type reader struct{ z *bzip2.Reader }

// Read implements io.Reader.
func (r *reader) Read(p []byte) (int, error) {
	n, err := r.z.Read(p)
	// The first stream's magic is in the same words; whoever asks has seen it.
	if err != nil && r.z.InputOffset > headSize && strings.HasSuffix(err.Error(), "invalid stream magic") {
		err = ErrTrailing
	}
	return n, err //nolint:wrapcheck // names what is wrong, as compress/bzip2 does
}
