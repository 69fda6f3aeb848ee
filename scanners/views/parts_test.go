package views_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"revenant/fingerprints/pack/packtest"
	"revenant/scanners"
	"revenant/scanners/scannerstest"
	"revenant/scanners/views"
)

// partsKit looks for registered values, one of one word, one of some, and one of
// many lines, and for what gitleaks' rules match.
type partsKit struct {
	value, phrase, document string
	engine                  *scanners.Engine
}

func newPartsKit(tb testing.TB) partsKit {
	k := partsKit{value: random(3, 22, base62), phrase: random(4, 9, base62) + " " + random(5, 9, base62)}
	for i := range uint64(30) {
		k.document += fmt.Sprintf("they said %q, and it was so for %s;\n", "no", random(40+i, 5, base62))
	}
	k.engine = &scanners.Engine{Matchers: []scanners.Matcher{registeredMatcher(tb, k.value, k.phrase, k.document), ruleMatcher(tb)}, Viewer: views.New()}
	return k
}

// versions makes versions of a file, each of the one before.
type versions struct {
	rng   *rand.Rand
	value string
	lines []string
}

func (k partsKit) versions(seed uint64) *versions {
	v := &versions{rng: rand.New(packtest.Seed(seed)), value: k.value}
	for range 1 + v.rng.IntN(4) {
		v.lines = append(v.lines, v.plain()...)
	}
	return v
}

func (v *versions) one(of ...string) string { return of[v.rng.IntN(len(of))] }

// plain is some text without a secret.
func (v *versions) plain() []string {
	var text string
	switch n := 200 + v.rng.IntN(5000); v.rng.IntN(5) {
	case 0:
		text = string(scannerstest.Corpus(scannerstest.Logs, v.rng.Uint64(), n))
	case 1:
		for len(text) < n {
			text += v.one("", "  ", "    ", "# ", " * ", "+") + v.sentence() + v.one("\n", ".\n", ",\n", " \\\n", ";\n\n")
		}
	case 2:
		for len(text) < n {
			text += fmt.Sprintf("    %s(%q, '%s')%s\n", v.word(), v.sentence(), v.word(), v.one(",", ";", " +", ""))
		}
	default:
		text = string(scannerstest.Corpus(scannerstest.Source, v.rng.Uint64(), n))
	}
	return strings.Split(text, "\n")
}

func (v *versions) word() string {
	return v.one("open", "the", "table", "key", "is", "a", "token", "worker", "reads", "buffer", "state", "of", "client", "while", "join", "be", "x", "12", "0x1f")
}

func (v *versions) sentence() string {
	var words []string
	for range 3 + v.rng.IntN(9) {
		words = append(words, v.word())
	}
	return strings.Join(words, " ")
}

// secret is a secret as it may be written somewhere, with some of it lost now
// and then.
func (v *versions) secret() []string {
	value := v.one(v.value, v.value, token(v.rng.Uint64()), "api_key = '"+random(v.rng.Uint64(), 32, alnum)+"'")
	var text string
	if all, cs := textuals(), codings(); v.rng.IntN(3) > 0 {
		text, _ = all[v.rng.IntN(len(all))].plant(value)
	} else {
		text = cs[v.rng.IntN(len(cs))].encode([]byte(v.sentence() + " " + value + " " + v.sentence()))
	}
	if v.rng.IntN(3) == 0 {
		cut := v.rng.IntN(len(text))
		text = text[:cut] + v.one("", "\n", " ", text[cut:]) + text[min(len(text), cut+v.rng.IntN(8)):]
	}
	if v.rng.IntN(2) == 0 {
		text = v.one("-----BEGIN RSA PRIVATE "+"KEY-----\n", "key: >\n  ", "x = [\n", `{"log":"`, "/* ", "'", `"`, "<!-- ", "begin 644 a\n") + text
	}
	return strings.Split(text, "\n")
}

// edit makes the next version.
func (v *versions) edit() {
	at := v.rng.IntN(len(v.lines) + 1)
	to := min(len(v.lines), at+v.rng.IntN(30))
	some := slices.Clone(v.lines[at:to])
	switch v.rng.IntN(9) {
	case 0, 1:
		some = append(some, v.secret()...)
	case 2:
		some = append(some, v.plain()...)
	case 3:
		some = nil
	case 4:
		prefix := v.one("// ", "+", "> ", "  ", "2026-05-06T07:08:09Z ", "web-1 | ", "\t")
		for i, line := range some {
			some[i] = prefix + line
		}
	case 5:
		for i, line := range some {
			some[i] = strings.TrimLeft(line, " \t+#/*>|-0123456789:TZ")
		}
	case 6:
		old := v.one(`"`, `'`, ",", ";", " ", "\\")
		for i, line := range some {
			some[i] = strings.ReplaceAll(line, old, v.one("", "", `"`, "'", ", '"))
		}
	case 7:
		from := v.rng.IntN(len(v.lines) + 1)
		some = append(some, v.lines[from:min(len(v.lines), from+v.rng.IntN(60))]...)
	case 8:
		some = []string{strings.Join(some, v.one("", " ", "\\n"))}
	}
	v.lines = slices.Concat(v.lines[:at], some, v.lines[to:])
}

func (v *versions) text() []byte { return []byte(strings.Join(v.lines, "\n") + "\n") }

// history screens versions of a file in parts, as they come, and whole; it
// returns how many there were, and how many hold something.
func (k partsKit) history(t *testing.T, s *scanners.Screener, seed uint64) (all, found int) {
	ctx := context.Background()
	for v := k.versions(seed); all < 12; all++ {
		data := v.text()
		if len(data) > 64<<10 {
			return all, found
		}
		want := k.engine.Screen(ctx, data)
		if got := s.Screen(ctx, data); got != want {
			t.Fatalf("seed %d, version %d: in parts %v, whole %v", seed, all, got, want)
		}
		if v.edit(); want {
			v.lines = k.versions(v.rng.Uint64()).lines
			found++
		}
	}
	return all, found
}

// What versions of files hold is the same in parts and whole, whatever changes.
func TestScreenerHistories(t *testing.T) {
	k, all, found := newPartsKit(t), 0, 0
	s := scanners.NewScreener(k.engine, scanners.Cutting{Least: 1, OneIn: 1})
	for seed := range uint64(60) {
		n, some := k.history(t, s, seed)
		all, found = all+n, found+some
	}
	if bytes, looked := s.Looked(); found < all/10 || found > all*9/10 {
		t.Errorf("%d of %d versions hold something; %d of %d bytes were looked at", found, all, looked, bytes)
	}
}

// calm are lines between which a text may be cut.
func calm(n int, indent string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(indent + []string{
			"while the worker is slow nothing moves on;", "our stoplist comes first in any loop;", "run the journal with its own options;", "for this point no window is shown;",
		}[i%4] + "\n")
	}
	return b.String()
}

// straddling are texts that hold something together only; middle stands where
// they can be far apart.
func (k partsKit) straddling(middle string) map[string]string {
	v := k.value
	left, right := v[:len(v)/2], v[len(v)/2:]
	key := random(9, 32, "abcdefghijkmnopqrstuvwxyz0123456789")
	short := "'" + broken(5, "', '")(v) + "'"
	stored := func(first int, text string) string {
		return string([]byte{byte(first), byte(len(text)), byte(len(text) >> 8), ^byte(len(text)), ^byte(len(text) >> 8)}) + text
	}
	return map[string]string{
		"armour":             "-----BEGIN RSA PRIVATE " + "KEY-----\n" + middle + "-----END RSA PRIVATE " + "KEY-----\n",
		"assigned":           "api_key =\n  '" + key + "'\n",
		"concatenated":       "name = '" + left + "' +\n    '" + right + "'\n",
		"in a folded block":  "key: >\n  so\n" + indented(middle) + "  so\n  " + strings.ReplaceAll(k.phrase, " ", "\n  ") + "\n",
		"joined behind":      "name = [" + short + ",\n'" + middle + "'].join('')\n",
		"joined before":      "name = ''.join(['" + middle + "',\n" + short + "])\n",
		"wrapped":            "is " + left + "\n" + right + " and no more\n",
		"prefixed":           "2026-05-06 07:08:09 app " + left + "\n2026-05-06 07:08:10 app " + right + "\n",
		"in a stored stream": "\xcf\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03" + stored(0, middle+left) + stored(1, right+middle) + "\n",
		"tagged":             "is " + left + "<!--\n" + middle[:min(len(middle), 100)] + "-->" + right + " and\n",
		"base64":             wrap(b64(middle+" is "+v+" and "+middle), 64, "\n") + "\n",
		"numbers":            column(" is " + v + " and so on"),
		"by its keyword":     middle + "sourcegraph\n" + middle + random(8, 40, "0123456789abcdef") + "\n",
		"a document":         k.document,
		"marked up":          strings.ReplaceAll(k.document, "said", "sa<b></b>id"),
	}
}

func indented(text string) string {
	return strings.TrimSuffix(strings.ReplaceAll("    "+text, "\n", "\n    "), "    ")
}

// column is a list of numbers, one on each line.
func column(text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		fmt.Fprintf(&b, "  %d,\n", c)
	}
	return b.String()
}

// What only holds something together is found in parts, however far apart.
func TestScreenerStraddling(t *testing.T) {
	k := newPartsKit(t)
	s := scanners.NewScreener(k.engine, scanners.Cutting{Least: 1, OneIn: 1})
	found := map[string]bool{}
	for n := range 80 {
		for name, text := range k.straddling(calm(n, "")) {
			for _, around := range []int{0, 11, 12 + n} {
				data := []byte(calm(around, "") + text + calm(around, ""))
				want := k.engine.Screen(context.Background(), data)
				if found[name] = found[name] || want; s.Screen(context.Background(), data) != want {
					t.Errorf("%s, %d lines between, %d around: whole %v", name, n, around, want)
				}
			}
		}
	}
	for name := range k.straddling("") {
		if !found[name] {
			t.Errorf("%s: nothing is found whole", name)
		}
	}
	if data := []byte(calm(400, "")); s.Screen(context.Background(), data) {
		t.Error("nothing is something")
	}
}

func FuzzScreener(f *testing.F) {
	k := newPartsKit(f)
	for seed := range uint64(16) {
		f.Add(1000 + seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		k.history(t, scanners.NewScreener(k.engine, scanners.Cutting{Least: 1, OneIn: 1}), seed)
	})
}
