package archives

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/andybalholm/brotli"
)

// AnyName stands for the path of an item that is not known yet: it is opened as it would
// be under any. It is not empty, so that members have a container.
const AnyName = "-"

// maybeBrotli reports whether a content may be brotli (RFC 7932), by its name: nothing is
// in the stream that would tell it. Servers keep assets so that were compressed before,
// as app.js.br.
func maybeBrotli(path string, head []byte) bool {
	const ext = ".br"
	return path == AnyName && likeBrotli(head) || len(path) > len(ext) && strings.EqualFold(path[len(path)-len(ext):], ext)
}

// likeBrotli reports whether a head of any name is worth unpacking to see what it is:
// pictures, fonts and programs begin with zeros, or with what is the end of a stream.
func likeBrotli(head []byte) bool {
	if len(head) < 2 || bytes.Contains(head[:min(len(head), leastNoText)], []byte{0, 0, 0}) {
		return false
	}
	bits := uint(head[0]) | uint(head[1])<<8
	switch { // the size of the window; its reserved value asks for more than any has
	case bits&1 == 0:
		bits >>= 1
	case bits&0xe != 0:
		bits >>= 4
	case bits&0x70 == 0x10:
		return false
	default:
		bits >>= 7
	}
	const last, empty = 1, 2
	return bits&(last|empty) != last|empty
}

// isBrotli reports whether something comes out of a head, and all of it can be read.
func isBrotli(head []byte) (is bool) {
	if !noText(head) {
		return false
	}
	defer func() {
		if recover() != nil { // a decoder that fails on hostile bytes
			is = false
		}
	}()
	n, err := io.Copy(io.Discard, io.LimitReader(brotli.NewReader(bytes.NewReader(head)), brotliFirst))
	return n > 0 && (err == nil || errors.Is(err, io.ErrUnexpectedEOF) && len(head) == headSize)
}

// brotliFirst is how much is unpacked to recognise a stream.
const brotliFirst = 64 << 10

// leastNoText is how many bytes of a head tell that it is no text.
const leastNoText = 64

// noText reports whether a head has bytes that stand in no ASCII: a twelfth of them, as
// what is compressed has many more.
func noText(head []byte) bool {
	head = head[:min(len(head), leastNoText)]
	n := 0
	for _, c := range head {
		if c >= 0x80 || c < ' ' && c != '\n' && c != '\r' && c != '\t' {
			n++
		}
	}
	return 12*n > len(head)
}
