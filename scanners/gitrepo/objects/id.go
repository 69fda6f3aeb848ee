package objects

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
)

// Format is the hash that a repository names its objects by.
type Format uint8

// The formats that git has.
const (
	SHA1   Format = 1
	SHA256 Format = 2
)

// Size is the number of bytes of an id.
func (f Format) Size() int {
	if f == SHA256 {
		return sha256.Size
	}
	return sha1.Size
}

// String is git's name of the format.
func (f Format) String() string {
	if f == SHA256 {
		return "sha256"
	}
	return "sha1"
}

func (f Format) newHash() hash.Hash {
	if f == SHA256 {
		return sha256.New()
	}
	return sha1.New()
}

// ID names an object. It is comparable; the zero ID names nothing.
type ID struct {
	size uint8
	sum  [sha256.Size]byte
}

// MakeID makes an ID of its bytes, which must be 20 or 32; others make the
// zero ID.
func MakeID(sum []byte) ID {
	var id ID
	if len(sum) == sha1.Size || len(sum) == sha256.Size {
		id.size = uint8(len(sum))
		copy(id.sum[:], sum)
	}
	return id
}

// ErrID is what ParseID says of what is no id.
var ErrID = errors.New("not an object id")

// ParseID reads the hexadecimal form.
func ParseID(s string) (ID, error) {
	var sum [sha256.Size]byte
	if len(s) != 2*sha1.Size && len(s) != 2*sha256.Size {
		return ID{}, ErrID
	}
	n, err := hex.Decode(sum[:], []byte(s))
	if err != nil {
		return ID{}, ErrID
	}
	return MakeID(sum[:n]), nil
}

// Bytes is the id as it stands in trees and indexes.
func (id ID) Bytes() []byte { return id.sum[:id.size] }

// IsZero reports whether the id names nothing.
func (id ID) IsZero() bool { return id.size == 0 }

// Compare orders ids as git does.
func (id ID) Compare(other ID) int { return bytes.Compare(id.Bytes(), other.Bytes()) }

// String is the hexadecimal form.
func (id ID) String() string { return hex.EncodeToString(id.Bytes()) }

// Kind is what an object is. The numbers are those in packs.
type Kind uint8

// The kinds that git has.
const (
	Commit Kind = 1
	Tree   Kind = 2
	Blob   Kind = 3
	Tag    Kind = 4

	ofsDelta Kind = 6
	refDelta Kind = 7
)

// String is git's name of the kind.
func (k Kind) String() string {
	switch k {
	case Commit:
		return "commit"
	case Tree:
		return "tree"
	case Blob:
		return "blob"
	case Tag:
		return "tag"
	default:
		return "unknown"
	}
}

// ParseKind reads git's name of a kind; 0 for any other.
func ParseKind(name string) Kind {
	for k := Commit; k <= Tag; k++ {
		if k.String() == name {
			return k
		}
	}
	return 0
}
