package records

import (
	"bytes"
	"errors"
	"io"

	"github.com/segmentio/kafka-go/compress"
)

// errTooLong ends unpacking.
var errTooLong = errors.New("too long")

// unpack undoes a batch's compression. What came out before it went wrong is given
// out with the reason.
func unpack(codec uint16, body []byte) (out []byte, problem string) {
	if codec == uint16(compress.None) {
		return body, ""
	}
	c := compress.Compression(codec).Codec()
	if c == nil {
		return nil, "it is compressed in a way that is not known"
	}
	w := &bounded{}
	w.Grow(min(4*len(body), Limit))
	if err := read(w, c, body); errors.Is(err, errTooLong) {
		problem = "it unpacks to more than 256 MiB"
	} else if err != nil {
		problem = "it cannot be unpacked"
	}
	return w.Bytes(), problem
}

// read unpacks into w. A codec that panics on damaged data has failed.
func read(w *bounded, c compress.Codec, body []byte) (err error) {
	defer func() {
		if recover() != nil {
			err = io.ErrUnexpectedEOF
		}
	}()
	r := c.NewReader(bytes.NewReader(body))
	_, err = io.Copy(w, struct{ io.Reader }{r})
	return errors.Join(err, r.Close())
}

// bounded takes so much and no more.
type bounded struct{ bytes.Buffer }

// Write implements io.Writer.
func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > Limit {
		return 0, errTooLong
	}
	return b.Buffer.Write(p)
}

// ReadFrom would take everything: io.Copy must not use it.
func (b *bounded) ReadFrom(r io.Reader) (int64, error) {
	return io.Copy(struct{ io.Writer }{b}, r)
}
