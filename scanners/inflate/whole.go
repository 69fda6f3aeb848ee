package inflate

// Decoder decodes zlib streams from one slice into another: where sizes are
// known, no window is kept and nothing is copied twice. Its tables are reused;
// it serves one goroutine. The checksum at the end of a stream is not looked at.
type Decoder struct {
	d decoder
}

// NewDecoder makes a decoder.
func NewDecoder() *Decoder { return &Decoder{d: newDecoder()} }

func newDecoder() decoder {
	return decoder{codes: [2]codes{{kind: literals, bits: litBits}, {kind: distances, bits: distBits}}}
}

// Whole decodes the zlib stream at the start of in, which must fill dst to its
// length; dst has [Slack] bytes of capacity beyond. It returns how many bytes
// the stream has, its checksum included. Bytes of in beyond limit may be looked
// at, but are no part of the stream.
func (w *Decoder) Whole(dst, in []byte, limit int) (used int, err error) {
	n, used, err := w.AtMost(dst, in, limit)
	if err == nil && n < len(dst) {
		err = ErrLess
	}
	return used, err
}

// AtMost is Whole for a stream that makes dst full or less: it returns how much
// it made. With an error that many bytes are right.
func (w *Decoder) AtMost(dst, in []byte, limit int) (n, used int, err error) {
	limit = min(limit, len(in))
	if limit < zlibHead+adlerSize {
		return 0, 0, ErrShort
	}
	if !isZlib(in) || in[1]&presetDictionary != 0 {
		return 0, 0, ErrHeader
	}
	f := &w.d
	f.begin()
	f.in, f.pos, f.limit = in, zlibHead, limit-adlerSize
	f.size, f.most, f.stop = len(dst), len(dst), len(dst)+1
	f.out, f.at = dst[:f.size+Slack], 0
	_, err = f.run()
	f.in, f.out = nil, nil
	return min(f.at, f.size), f.pos + adlerSize, err
}
