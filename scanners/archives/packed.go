package archives

import "bytes"

// Packed reports whether Expand would find something to open in a content, or
// to list.
func Packed(data []byte) bool {
	if detect(data[:min(len(data), headSize)]) != kindNone {
		return true
	}
	// Text hardly ever has the byte that the end of a zip's directory has.
	tail := data[max(0, len(data)-tailSize):]
	if bytes.IndexByte(tail, zipMark) < 0 {
		return false
	}
	_, zip := endIn(bytes.NewReader(data), int64(len(data)-len(tail)), tail)
	return zip
}
