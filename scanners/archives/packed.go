package archives

import "bytes"

// Packed reports whether Expand would find something to open in a content, or
// to list, whatever its name.
func Packed(data []byte) bool {
	head := data[:min(len(data), headSize)]
	if detect(head) != kindNone || likeBrotli(head) && isBrotli(head) {
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
