package strength

import "unicode/utf8"

// Sizes of alphabets, and the price of a character beyond ASCII.
const (
	sizeSymbols = 33 // printable ASCII that is no letter or digit, with space
	sizeJoin    = 2  // "-_" or "+/", beside letters and digits
	priceRune   = 4 * unit
)

// literalPrices is the price of each byte by itself: log2 of the smallest
// usual alphabet that has all of them, or the adaptive frequency code where
// that is cheaper for the whole. What carries no secret costs 0.
func literalPrices(raw []byte, hint Hint) []int {
	price := make([]int, len(raw))
	free := freeBytes(raw, hint)
	if !utf8.Valid(raw) {
		flat(price, raw, free, 256)
		return price
	}
	ascii := func(i int) bool { return raw[i] < utf8.RuneSelf }
	size := alphabet(raw, func(i int) bool { return !free[i] && ascii(i) })
	flat(price, raw, func() []bool {
		skip := make([]bool, len(raw))
		for i := range raw {
			skip[i] = free[i] || !ascii(i)
		}
		return skip
	}(), size)
	for i := range raw {
		if !free[i] && !ascii(i) && utf8.RuneStart(raw[i]) {
			price[i] = priceRune
		}
	}
	priceUUID(price, raw)
	return price
}

// flat prices bytes at log2(size), or by their frequency.
func flat(price []int, raw []byte, skip []bool, size int) {
	var count, sum [256]int
	n, total := 0, 0
	for i, c := range raw {
		if skip[i] {
			continue
		}
		// Krichevsky-Trofimov: the i-th byte costs log2((2i+A)/(2c+1)), c its
		// count so far.
		cost := max(log2(uint64(2*n+size))-log2(uint64(2*count[c]+1)), 0)
		count[c]++
		sum[c] += cost
		total += cost
		n++
	}
	each := log2(uint64(size))
	for i, c := range raw {
		switch {
		case skip[i]:
		case total < n*each:
			price[i] = sum[c] / count[c]
		default:
			price[i] = each
		}
	}
}

// alphabet is the number of characters of the smallest usual alphabet that
// has all the bytes that use says.
func alphabet(raw []byte, use func(int) bool) int {
	p := present{base32: len(raw) >= 16}
	for i, c := range raw {
		if use(i) {
			p.add(c)
		}
	}
	if p.other {
		return 256
	}
	size := p.letters()
	switch {
	case size == 26 && p.digit && p.upper() && p.base32:
		size = 32
	case p.digit, size == 6, size == 12:
		size += 10 // hexadecimal digits need not have any
	}
	switch {
	case p.symbol || p.minus && p.plus:
		size += sizeSymbols
	case p.minus, p.plus:
		size += sizeJoin
	}
	return max(size, 1)
}

// present says which kinds of characters a text has. base32 says that its
// digits, if any, are those of base32.
type present struct {
	digit, base32, af, gz, upAF, upGZ, minus, plus, symbol, other bool
}

func (p *present) add(c byte) {
	switch {
	case c >= '0' && c <= '9':
		p.digit = true
		p.base32 = p.base32 && c >= '2' && c <= '7'
	case c >= 'a' && c <= 'z':
		p.af = p.af || c <= 'f'
		p.gz = p.gz || c > 'f'
	case c >= 'A' && c <= 'Z':
		p.upAF = p.upAF || c <= 'F'
		p.upGZ = p.upGZ || c > 'F'
	case c == '-' || c == '_':
		p.minus = true
	case c == '+' || c == '/':
		p.plus = true
	case c >= ' ' && c <= '~':
		p.symbol = true
	default:
		p.other = true
	}
}

func (p *present) lower() bool { return p.af || p.gz }
func (p *present) upper() bool { return p.upAF || p.upGZ }

// letters is the size of the smallest set of letters that has those present:
// of hexadecimal or of the alphabet, in one case or both.
func (p *present) letters() int {
	both := p.lower() && p.upper()
	switch {
	case both && (p.gz || p.upGZ):
		return 52
	case p.gz || p.upGZ:
		return 26
	case both:
		return 12
	case p.lower() || p.upper():
		return 6
	}
	return 0
}

// freeBytes marks what carries no secret: the hint's prefix and checksum, a
// prefix such as "sk_live_", header and payload of a JWT, base64's padding.
func freeBytes(raw []byte, hint Hint) []bool {
	free := make([]bool, len(raw))
	first, last := bounds(len(raw), hint)
	if n := publicPrefix(raw); n > first && n <= last {
		first = n
	}
	pad := last
	for pad > first && last-pad < 2 && raw[pad-1] == '=' {
		pad--
	}
	if pad-first >= 16 {
		last = pad
	}
	for i := range raw {
		free[i] = i < first || i >= last
	}
	return free
}

// Bounds of a public prefix: up to three groups of 2 to 12 lower-case letters
// and digits, each ended by a joiner, before 16 bytes or more without one.
const (
	prefixGroups = 3
	prefixGroup  = 12
	prefixBefore = 16
)

// publicPrefix is the length of the prefix by which a credential shows whose
// it is, or of the readable parts of a JWT.
func publicPrefix(raw []byte) int {
	if n := readableJWT(raw); n > 0 {
		return n
	}
	end, start := 0, 0
	for range prefixGroups {
		i := start
		for i < len(raw) && i-start <= prefixGroup && (lowerLetter(raw[i]) || i > start && digit(raw[i])) {
			i++
		}
		if i-start < 2 || i-start > prefixGroup || i == len(raw) || raw[i] != '_' && raw[i] != '-' {
			break
		}
		start = i + 1
		end = start
	}
	if end == 0 || len(raw)-end < prefixBefore {
		return 0
	}
	for _, c := range raw[end : end+prefixBefore] {
		if !letter(c) && !digit(c) {
			return 0
		}
	}
	return end
}

// readableJWT is the length of the parts of a JWT that anybody can read: header
// and payload of a signed one, the header of an encrypted one.
func readableJWT(raw []byte) int {
	if len(raw) < 16 || string(raw[:3]) != "eyJ" {
		return 0
	}
	var dots []int
	for i, c := range raw {
		switch {
		case c == '.':
			dots = append(dots, i)
		case !letter(c) && !digit(c) && c != '-' && c != '_' && c != '=':
			return 0
		}
	}
	switch len(dots) {
	case 1, 4:
		return dots[0] + 1
	case 2, 3:
		return dots[1] + 1
	}
	return 0
}

// priceUUID reprices a UUID: separators are free, as are version and time.
func priceUUID(price []int, raw []byte) {
	if len(raw) != 36 {
		return
	}
	for i, c := range raw {
		if dash := i == 8 || i == 13 || i == 18 || i == 23; dash != (c == '-') || !dash && !hexDigit(c) {
			return
		}
	}
	for i := range price {
		switch {
		case raw[i] == '-' || i == 14:
			price[i] = 0
		case raw[14] == '7' && i < 14:
			price[i] = 0 // 48 bits of time
		case (raw[14] == '1' || raw[14] == '6') && i != 19:
			price[i] = unit // time and a node that stays the same
		default:
			price[i] = min(price[i], 4*unit)
		}
	}
	price[19] = min(price[19], 2*unit)
}

func digit(c byte) bool       { return c >= '0' && c <= '9' }
func lowerLetter(c byte) bool { return c >= 'a' && c <= 'z' }
func upperLetter(c byte) bool { return c >= 'A' && c <= 'Z' }
func letter(c byte) bool      { return lowerLetter(c | 0x20) }
func hexDigit(c byte) bool    { return digit(c) || c|0x20 >= 'a' && c|0x20 <= 'f' }
