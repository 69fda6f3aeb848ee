package redact

// Bounds of what is looked at again before what is held: what is compressed is
// decoded from its beginning.
const (
	longestBlob = 4 << 20
	blobLine    = 40  // characters that a line of digits of a base has at the least
	blobBlock   = 512 // bytes of which one is a control character where data are no text
)

// before is from where on data has to be looked at for what goes on at a place:
// there, or where digits of a base or binary data that go on there begin.
func before(data []byte, at int) int {
	low := max(0, at-longestBlob)
	return min(digitsBefore(data, at, low), binaryBefore(data, at, low))
}

// digitsBefore is where the run of digits begins that stands before a place,
// also over the ends of long lines.
func digitsBefore(data []byte, at, low int) int {
	first := true
	for p := at; ; first = false {
		q := p
		for q > low && digit(data[q-1]) {
			q--
		}
		if p-q < blobLine && !first {
			return at
		}
		at = q
		for p = q; p > low && (data[p-1] == '\n' || data[p-1] == '\r' || data[p-1] == ' ' || data[p-1] == '\t'); p-- {
		}
		if p == q || p == low {
			return at
		}
	}
}

// binaryBefore is where the data begin that stand before a place and are no
// text.
func binaryBefore(data []byte, at, low int) int {
	for at > low {
		from := max(low, at-blobBlock)
		if !binary(data[from:at]) {
			return at
		}
		at = from
	}
	return at
}

// binary reports whether there is a control character that no text has.
func binary(data []byte) bool {
	for _, c := range data {
		if c < ' ' && (c < '\a' || c > '\r') && c != 0x1b || c == 0x7f {
			return true
		}
	}
	return false
}

// digit reports whether c is a digit of base64, in which those of hex and base32
// are, or ends a run of them.
func digit(c byte) bool {
	return letter(c) || number(c) || c == '+' || c == '/' || c == '-' || c == '_' || c == '='
}

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

func number(c byte) bool { return c >= '0' && c <= '9' }
