package registered

// Character classes as tables; read-only.

// sextet maps the characters of both base64 alphabets to their 6 bits and all
// others to 0xff.
var sextet = makeSextets()

// nibble maps hex digits of either case to their 4 bits and all others to 0xff.
var nibble = makeNibbles()

func makeSextets() (t [256]byte) {
	for i := range t {
		t[i] = 0xff
	}
	for i, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") {
		t[c] = byte(i)
	}
	t['-'], t['_'] = 62, 63
	return t
}

func makeNibbles() (t [256]byte) {
	for i := range t {
		t[i] = 0xff
	}
	for i, c := range []byte("0123456789abcdef") {
		t[c] = byte(i)
	}
	for i, c := range []byte("ABCDEF") {
		t[c] = byte(10 + i)
	}
	return t
}
