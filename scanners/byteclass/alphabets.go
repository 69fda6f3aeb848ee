package byteclass

// None is what the tables have for characters that are not in the alphabet.
const None = 0xff

// Both tables are read-only.
var (
	sextets = makeSextets()
	nibbles = makeNibbles()
)

// Sextets maps the characters of both base64 alphabets to their 6 bits and all
// others to None. Read-only.
func Sextets() *[256]byte { return &sextets }

// Nibbles maps hex digits of either case to their 4 bits and all others to
// None. Read-only.
func Nibbles() *[256]byte { return &nibbles }

func makeSextets() (t [256]byte) {
	for i := range t {
		t[i] = None
	}
	for i, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") {
		t[c] = byte(i)
	}
	t['-'], t['_'] = 62, 63
	return t
}

func makeNibbles() (t [256]byte) {
	for i := range t {
		t[i] = None
	}
	for i, c := range []byte("0123456789abcdef") {
		t[c] = byte(i)
	}
	for i, c := range []byte("ABCDEF") {
		t[c] = byte(10 + i)
	}
	return t
}
