package registered_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"revenant/fingerprints"
	"revenant/scanners"
	"revenant/scanners/registered"
)

// TestFlood counts what hostile and repetitive texts cost, and asserts no time:
// a tag takes about 160 ns, a MAC 250, each byte under a MAC half of one, each
// byte that is unescaped 5. The floor of the specification is 10 MB/s, 100 ns a
// byte.
func TestFlood(t *testing.T) {
	header := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "."
	for _, shared := range []int{1, 10, 100, 1000} {
		for _, length := range []int{32, 300, 4096} {
			if shared == 1000 && length > 32 {
				continue // takes seconds to register; each is there with the other's less
			}
			t.Run(fmt.Sprintf("%d of %d bytes", shared, length), func(t *testing.T) {
				vals := values(uint64(shared+length), shared, length, alnum)
				for i, v := range vals { // a common beginning, as accounts and tokens have
					vals[i] = append([]byte(header), v...)
				}
				// And the same middle in all, so that regions have to be shared.
				for _, v := range vals[1:] {
					copy(v[len(header)+4:len(v)-8], vals[0][len(header)+4:])
				}
				m, built := matcher(t, fingerprints.AudienceCore, vals...)
				var regions []byte
				for i := range min(shared, 20) {
					for _, r := range built.Entries[i].Core.Regions {
						regions = append(regions, vals[i][r.Offset:r.Offset+13]...)
					}
				}
				broken := string(vals[0][:len(vals[0])-1])
				for name, text := range map[string]string{
					"headers":          strings.Repeat(header, 2000),
					"regions":          strings.Repeat(string(regions), 1+64<<10/len(regions)),
					"counted regions":  counted(regions, 13, 64<<10),
					"broken values":    strings.Repeat(broken+"!", 1+64<<10/length),
					"values in base64": base64.StdEncoding.EncodeToString(bytes.Repeat(regions, 1+48<<10/len(regions))),
					"in json":          strings.Repeat(broken+`\n`, 1+64<<10/length),
					"in a query":       strings.Repeat(broken+"%41", 1+64<<10/length),
					"in html":          strings.Repeat(broken+"&amp;", 1+64<<10/length),
					"in sql":           strings.Repeat(broken+"''", 1+64<<10/length),
					"in lines":         strings.Repeat(broken+"!\n", 1+64<<10/length),
					"spaces":           strings.Repeat(" ", 64<<10),
					"zeros":            strings.Repeat("\x00", 64<<10),
				} {
					budget(t, m, name, text, 100)
				}
				// Every kind of escape beside every copy: each combination of
				// them has to be tried.
				budget(t, m, "in everything", strings.Repeat(broken+`\n%41&amp;''`, 1+64<<10/length), 500)
			})
		}
	}
}

// budget checks that a text costs at most some nanoseconds a byte.
func budget(t *testing.T, m *registered.Matcher, name, text string, most int64) {
	t.Helper()
	_, s := registered.Count(m, scanners.Chunk{Data: []byte(text)})
	nanos := 160*s.Tags + 250*s.MACs + s.Bytes/2 + 5*s.Unescaped
	if nanos > int64(len(text))*most {
		t.Errorf("%s: %+v for a text of %d bytes: about %d ns, %d allowed", name, s, len(text), nanos, int64(len(text))*most)
	}
}

// counted puts a changing byte string between parts, so that no two spans are
// equal.
func counted(regions []byte, size, n int) string {
	var out []byte
	for i := 0; len(out) < n; i++ {
		at := i * size % len(regions)
		out = append(out, regions[at:at+size]...)
		out = fmt.Appendf(out, "%03x", i%4096)
	}
	return string(out)
}

// TestFloodOfHits finds every copy of a value that is all there is.
func TestFloodOfHits(t *testing.T) {
	v := values(61, 1, 32, alnum)[0]
	m, _ := matcher(t, fingerprints.AudienceCore, v)
	if hits := scan(t, m, bytes.Repeat(v, 1000), 999); len(hits) != 1000 {
		t.Errorf("%d hits, want 1000", len(hits))
	}
	_, s := registered.Count(m, scanners.Chunk{Data: bytes.Repeat(v, 1000)})
	if s.MACs > 2 || s.Tags > 2 {
		t.Errorf("a value repeated 1000 times cost %+v", s)
	}
}

// TestSpansThatMeet has two spans whose memo is the same pair of places: in a
// text that repeats both, each was hashed anew every time. Which of the two is
// a span's own hangs on the seed, so there are several.
func TestSpansThatMeet(t *testing.T) {
	vals := values(62, 2, 32, alnum)
	m, _ := matcher(t, fingerprints.AudienceCore, vals...)
	for range 20 {
		if macs := registered.MeetInMemo(m, vals[0], vals[1], 100); macs != 2 {
			t.Fatalf("%d MACs for two spans, want 2", macs)
		}
	}
}

// TestHostileEscapes has long stretches of what starts escapes.
func TestHostileEscapes(t *testing.T) {
	v := []byte(`p@"s's\w&r<d>%+/=!#$^*(){}[]|;:,.?~` + "`")
	m, _ := matcher(t, fingerprints.AudienceCore, v)
	for _, s := range []string{`\`, `%`, `%25`, `&`, `&amp;`, `'`, `''`, `'\''`, `"`, `\u`, `\u005c`, "&#", "\n", "\r\n", "A%2B", "AAAAAAAAAAAAAAAA\n", "AAAAAAAAAAAAAAAA\\n", "-----BEGIN PRIVATE" + " KEY-----"} {
		text := strings.Repeat(s, 1+1<<20/len(s)) + string(v)
		if hits := scan(t, m, []byte(text), 0); len(hits) != 1 {
			t.Errorf("after many %q: %+v", s, hits)
		}
	}
}

// TestWideFlood has UTF-16 that one way of reading takes for texts of nine units, and
// the other for one: nothing is read in the same way again, and the value is found.
func TestWideFlood(t *testing.T) {
	v := values(63, 1, 32, alnum)[0]
	m, _ := matcher(t, fingerprints.AudienceCore, v)
	text := "x" + wide("be")(strings.Repeat("one long\u4e01", 8<<10)+string(v)+"\u4e01")
	hits, s := registered.Count(m, scanners.Chunk{Data: []byte(text)})
	if len(hits) != 1 || s.Wide > 4*int64(len(text)) {
		t.Errorf("%d hits, %d bytes read as UTF-16 of %d", len(hits), s.Wide, len(text))
	}
}
