package archives

import "bytes"

// Packed reports whether Expand would find something to open in a content, or
// to list.
func Packed(data []byte) bool {
	if detect(data[:min(len(data), headSize)]) != kindNone {
		return true
	}
	// Text hardly ever has the byte that the end of a zip's directory has.
	if bytes.IndexByte(data[max(0, len(data)-zipEnd-zipComment):], zipMark) < 0 {
		return false
	}
	_, zip := findEnd(bytes.NewReader(data), int64(len(data)))
	return zip
}
