package archives

import "bytes"

// Packed reports whether Expand would find something to open in a content, or
// to list.
func Packed(data []byte) bool {
	if detect(data[:min(len(data), headSize)]) != kindNone {
		return true
	}
	if !bytes.Contains(data, []byte("PK\x05\x06")) { // said at once of what is short
		return false
	}
	_, zip := findEnd(bytes.NewReader(data), int64(len(data)))
	return zip
}
