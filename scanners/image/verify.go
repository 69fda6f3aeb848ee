package image

import (
	"bufio"
	"context"
	_ "crypto/sha512" // digests may be of it
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"revenant/fingerprints"
	"revenant/scanners"
)

// Whatever is read must be what its digest says: who serves or keeps it may have
// changed it, or lost a part.
var (
	errDigest = &scanners.SkipError{Reason: fingerprints.SkipUnreadable, Detail: "its digest is not the one that it is named by: it was changed or damaged; what was read of it was searched", Size: -1}
	errSize   = &scanners.SkipError{Reason: fingerprints.SkipUnreadable, Detail: "its size is not the one that it is named with; what was read of it was searched", Size: -1}
)

// verified reads rc, and ends in an error when what was read is not what digest
// and size say; size below 0: not known. A digest of a kind that is not known says
// nothing.
func verified(rc io.ReadCloser, digest string, size int64) io.ReadCloser {
	algorithm, sum, _ := strings.Cut(digest, ":")
	h, err := v1.Hasher(algorithm)
	if err != nil || len(sum) != hex.EncodedLen(h.Size()) {
		h = nil
	}
	return &verifier{rc: rc, hash: h, sum: sum, size: size}
}

type verifier struct {
	rc   io.ReadCloser
	hash hash.Hash
	sum  string
	size int64
	n    int64
	err  error
}

// Read implements io.Reader.
func (v *verifier) Read(p []byte) (int, error) {
	if v.err != nil {
		return 0, v.err
	}
	n, err := v.rc.Read(p)
	v.n += int64(n)
	if v.hash != nil {
		v.hash.Write(p[:n])
	}
	if v.err = err; errors.Is(err, io.EOF) {
		switch {
		case v.size >= 0 && v.n != v.size:
			v.err = errSize
		case v.hash != nil && hex.EncodeToString(v.hash.Sum(nil)) != strings.ToLower(v.sum):
			v.err = errDigest
		}
	}
	return n, v.err
}

// Close implements io.Closer.
func (v *verifier) Close() error { return v.rc.Close() }

// unpackedVerified verifies a layer of which the digest of what it unpacks to is
// known, where it is not packed.
func unpackedVerified(open func(context.Context) (io.ReadCloser, error), digest string) func(context.Context) (io.ReadCloser, error) {
	return func(ctx context.Context) (io.ReadCloser, error) {
		rc, err := open(ctx)
		if err != nil {
			return nil, err
		}
		in := bufio.NewReader(rc)
		whole := within{in, rc}
		if head, _ := in.Peek(formatHead); formatOf(head) != formatPlain {
			return whole, nil
		}
		return verified(whole, digest, -1), nil
	}
}

// summed has the walker hold what it reads against a digest, which is known once all
// was read.
func (w *walker) summed(digest string) func() error {
	algorithm, want, _ := strings.Cut(digest, ":")
	h, err := v1.Hasher(algorithm)
	if err != nil {
		return func() error { return nil }
	}
	w.un.sum = h
	return func() error {
		if hex.EncodeToString(h.Sum(nil)) != strings.ToLower(want) {
			return errDigest
		}
		return nil
	}
}

// drained reads what is left, so that all of it is verified.
func drained(r io.Reader) error {
	_, err := io.Copy(io.Discard, r)
	return err
}

// verify says whether a document is what digest and size say.
func verify(doc []byte, digest string, size int64) error {
	return drained(verified(io.NopCloser(strings.NewReader(string(doc))), digest, size))
}
