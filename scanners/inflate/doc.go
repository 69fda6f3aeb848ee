// Package inflate decodes deflate (RFC 1951), by itself and in the frames of
// zlib (RFC 1950) and gzip (RFC 1952).
//
// One decoder has two fronts. [Decoder] makes a slice of a slice, for whoever
// knows beforehand how much comes out (git's objects). [Reader], [Zlib] and
// [Gzip] read a stream from a bufio.Reader and take from it what belongs to
// the stream and not a byte more: what stands behind it is the caller's to
// read. They hold at most 128 KiB of what came out, and the tables.
//
// Nothing that comes in makes it panic or use more memory. An error tells
// whether a stream is broken ([ErrCorrupt], [ErrHeader], [ErrChecksum]) or cut
// (io.ErrUnexpectedEOF); errors of the source are passed on as they are. What
// came out before an error is right as far as anybody can tell, and given out
// first.
//
// The shape of the decoder - a buffer of 64 bits that is filled by whole words,
// one table that most symbols are found in, lengths and distances with their
// extra bits in one step, copies of whole words - is common to today's fast
// decoders. On amd64 with BMI2 the inner loop is in assembly; everywhere else,
// and near the ends of what is read and written, it is in Go, and tests hold
// the one against the other.
package inflate
