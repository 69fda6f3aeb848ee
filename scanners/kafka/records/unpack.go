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
func unpack(codec uint16, body []byte, room Room) (out []byte, problem string) {
	if codec == uint16(compress.None) {
		return body, ""
	}
	c := compress.Compression(codec).Codec()
	if c == nil {
		return nil, "it is compressed in a way that is not known"
	}
	if room == nil {
		room = made{}
	}
	out, err := read(c, body, room)
	room.Keep(out)
	out = out[:len(out):len(out)]
	if errors.Is(err, errTooLong) {
		problem = "it unpacks to more than 256 MiB"
	} else if err != nil {
		problem = "it cannot be unpacked"
	}
	return out, problem
}

// made is memory that is made.
type made struct{}

// Take implements Room.
func (made) Take(n int) []byte { return make([]byte, 0, n) }

// Keep implements Room.
func (made) Keep([]byte) {}

// usual is how many times as long as itself what is packed usually is at the most.
const usual = 4

// read unpacks. A codec that panics on damaged data has failed.
func read(c compress.Codec, body []byte, room Room) (out []byte, err error) {
	defer func() {
		if recover() != nil {
			err = io.ErrUnexpectedEOF
		}
	}()
	r := c.NewReader(bytes.NewReader(body))
	out = room.Take(min(usual*len(body)+bytes.MinRead, Limit))
	for err == nil {
		switch {
		case len(out) >= Limit:
			err = errTooLong
			continue
		case len(out) == cap(out):
			room.Keep(out) // or what is taken now would be the same
			out = append(room.Take(min(2*len(out), Limit)), out...)
		}
		var n int
		n, err = r.Read(out[len(out):min(cap(out), Limit)])
		out = out[:len(out)+n]
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return out, errors.Join(err, r.Close())
}
