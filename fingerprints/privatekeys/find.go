package privatekeys

// Parse reads the one private key, or the one armoured secret, that the input
// consists of or holds. Certificates and public keys beside it are ignored.
func Parse(input []byte) (Key, error) {
	all, err := ParseAll(input)
	if err != nil {
		return Key{}, err
	}
	if len(all) > 1 {
		return Key{}, ErrSeveral
	}
	return all[0], nil
}

// ParseAll reads every distinct private key or armoured secret in the input,
// in order. It returns ErrNoKey when there is none.
func ParseAll(input []byte) ([]Key, error) {
	return nil, ErrNoKey
}

// IsContainer reports whether the input as a whole is one container, with
// nothing but white space, certificates and public parts beside it.
func IsContainer(input []byte) bool { return false }

// Find returns the private keys and armoured secrets in data, in order and
// not overlapping. Work is linear in len(data) whatever the data is.
func Find(data []byte) []Found { return nil }

// Around returns the DER or OpenSSH container in data, which are decoded
// bytes, that encloses the byte at pos.
func Around(data []byte, pos int) (Found, bool) { return Found{}, false }
