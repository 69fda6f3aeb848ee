package views

// Classes of bytes as tables; read-only.
var (
	wordEnds  = set("\x00\t\n\v\f\r ,<>\"'`") // what a word cannot go on behind
	wordly    = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=_-")
	spaces    = set("\x00\t\n\v\f\r ")
	structure = func() (t [256]bool) { // what a value hardly has beside a break
		t = set("\"'`{}[]();,\x7f")
		for c := range ' ' + 1 {
			t[c] = true
		}
		return t
	}()
	between  = set(" \t+.&|,~<>_")
	blanks   = set(" \t")
	standard = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") // of base64
	alnums   = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
)

func set(chars string) (t [256]bool) {
	for _, c := range []byte(chars) {
		t[c] = true
	}
	return t
}

// graphic reports whether c is ASCII that prints, or a part of another
// character.
func graphic(c byte) bool { return c > ' ' && c != 0x7f }

// A word that may be a secret has letters and digits and is not short. Rules
// want to see where it begins and ends; words of prose do not matter to them.
const (
	secretLength  = 10
	secretLetters = 3
	longCapitals  = 16 // of a word of capitals, which has no digits now and then
	secretLook    = 48 // bytes that are looked at
)

// beside reports whether a word that may be a secret ends at p or begins at q,
// or is broken there.
func beside(data []byte, p, q int) bool {
	var before, after word
	for i := p - 1; i >= max(0, p-secretLook) && wordly[data[i]]; i-- {
		before.add(data[i])
	}
	for i := q; i < min(len(data), q+secretLook) && wordly[data[i]]; i++ {
		after.add(data[i])
	}
	if before.n == 0 || after.n == 0 {
		return before.secret() || after.secret()
	}
	before.n, before.letters, before.digits, before.capitals = before.n+after.n, before.letters+after.letters, before.digits+after.digits, before.capitals+after.capitals
	return before.secret()
}

// word counts the characters of a word.
type word struct{ n, letters, digits, capitals int }

func (w *word) add(c byte) {
	w.n++
	switch {
	case c >= '0' && c <= '9':
		w.digits++
	case alnums[c]:
		w.letters++
		if c < 'a' {
			w.capitals++
		}
	}
}

func (w *word) secret() bool {
	return w.n >= secretLength && w.letters >= secretLetters && w.digits > 0 || w.n >= longCapitals && w.capitals == w.n
}

// secretAround reports whether what ends at p and what begins at q are together
// a word of some characters that may be a secret.
func secretAround(data []byte, p, q int, chars *[256]bool) bool {
	var w word
	for i := p - 1; i >= max(0, p-secretLook) && chars[data[i]]; i-- {
		w.add(data[i])
	}
	for i := q; i < min(len(data), q+secretLook) && chars[data[i]]; i++ {
		w.add(data[i])
	}
	return w.secret()
}
