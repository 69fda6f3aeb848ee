package redact_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"revenant/ingest/redact"
	"revenant/scanners/scannerstest"
)

const ms = time.Millisecond

// TestTimes says when what goes out.
func TestTimes(t *testing.T) {
	v := value(1, 24)
	k := newKit(t, v)
	pw, half := string(v), string(v[:12])
	rest := string(v[12:])
	type step struct {
		in   string
		wait time.Duration
		want string
	}
	for name, steps := range map[string][]step{
		"a line":                {{"all is well.\n", 19 * ms, ""}, {"", ms, "all is well.\n"}},
		"half a line":           {{"all is", 199 * ms, ""}, {"", ms, "all is"}},
		"a line and a half":     {{"all is well.\nand", 20 * ms, "all is well.\n"}, {"", 179 * ms, ""}, {"", ms, "and"}},
		"a line that goes on":   {{"all is well,\n", 199 * ms, ""}, {"", ms, "all is well,\n"}},
		"what goes on is bound": {{"all is well.\nof these,\nthese,\n", 20 * ms, "all is well.\n"}, {"", 180 * ms, "of these,\nthese,\n"}},
		"more comes in time":    {{"all is well.\n", 19 * ms, ""}, {"still well.\n", 19 * ms, ""}, {"", ms, "all is well.\nstill well.\n"}},
		"redrawn":               {{"\r10%\r20%", 20 * ms, "\r10%\r"}, {"\r30%", 20 * ms, "20%\r"}, {"", 180 * ms, "30%"}},
		"a value":               {{"k=" + pw + "\n", 199 * ms, ""}, {"", ms, "k=" + mark(0) + "\n"}},
		"a value, then prose":   {{"k=" + pw + "\nall is well.\n", 20 * ms, "k=" + mark(0) + "\nall is well.\n"}},
		"a value in two":        {{"k=" + half, 199 * ms, ""}, {rest + "\n", 200 * ms, "k=" + mark(0) + "\n"}},
		"a value, too slow":     {{"k=" + half, 200 * ms, "k=" + half}, {rest + "\n", 200 * ms, mark(0) + "\n"}},
		"armour":                {{"well.\n-----BEGIN X-----\nAAAA\nall is well.\n", 20 * ms, "well.\n"}, {"-----END X-----\nall is well.\n", 20 * ms, "-----BEGIN X-----\nAAAA\nall is well.\n-----END X-----\nall is well.\n"}},
	} {
		f := k.flow(t, redact.Options{})
		for i, s := range steps {
			f.take(s.in)
			f.pass(s.wait)
			if got := f.said(); got != s.want {
				t.Errorf("%s, step %d: %q came out, want %q", name, i, got, s.want)
			}
		}
		if late := f.Late(); (late > 0) != (name == "a value, too slow") {
			t.Errorf("%s: %d late", name, late)
		}
		f.pass(time.Minute)
		if due := f.Due(); !due.IsZero() {
			t.Errorf("%s: something is due when nothing is held", name)
		}
	}
}

// TestSteady: what comes steadily, without a pause, goes out in time all the same.
func TestSteady(t *testing.T) {
	k := newKit(t, value(1, 24))
	for name, c := range map[string]struct {
		piece string
		every time.Duration
		most  time.Duration // that a byte waits
	}{
		"lines":         {"all is well.\n", 10 * ms, 310 * ms},
		"lines, slower": {"all is well.\n", 50 * ms, 20 * ms},
		"dots":          {".", 100 * ms, 2100 * ms},
		"numbers":       {"12, 13, 14,\n", 15 * ms, 2100 * ms},
		"redrawn":       {"\r12 of 20 ", 100 * ms, 120 * ms},
	} {
		f := k.flow(t, redact.Options{})
		var came []time.Time
		out := 0
		for range 1000 {
			f.take(c.piece)
			for range c.piece {
				came = append(came, f.now)
			}
			for range int(c.every / ms) {
				f.pass(ms)
				if out += len(f.said()); out < len(came) && f.now.Sub(came[out]) > c.most {
					t.Fatalf("%s: a byte waits for %v", name, f.now.Sub(came[out]))
				}
			}
		}
	}
}

// TestLineEnds has lines behind which a value may go on, and such behind which
// none does.
func TestLineEnds(t *testing.T) {
	k := newKit(t, value(1, 24))
	alnum := string(value(3, 40))
	for line, ends := range map[string]bool{
		"":                                   true,
		"Compiling the parser":               true,
		"done!":                              true,
		"\x1b[32mPassed\x1b[0m":              true,
		"all is well.\r":                     true,
		"took 35 seconds, exit code 0":       true,
		"finished in 2.31s":                  true,
		"45% of 12 MB, 100%":                 true,
		"}":                                  true,
		"go test (cached)":                   true,
		"12":                                 false,
		"104 101 108":                        false,
		"password: Ab":                       false,
		"k = \"abc\" +":                      false,
		"k = \"abc\"":                        false,
		"k = [":                              false,
		"export K=abc\\":                     false,
		"soft=":                              false,
		"token " + alnum[:13]:                false,
		alnum:                                false,
		"  indented":                         false,
		"00000000: 6162 6364  abcd":          false,
		"0000020 verb":                       false,
		"k: >":                               false,
		"\xff\xfea\x00":                      false,
		strings.Repeat("wrapped prose ", 6):  false,
		"-----BEGIN X PRIVATE" + " KEY-----": false,
		`{"log":"abc","stream":"stdout"}`:    false,
		`{"log":"abc.\n","stream":"stdout"}`: true,
		"begin 644 notes":                    false,
		"#86)C%":                             false,
		"BYE NOW!":                           true,
		"2026-05-06T07:08:09Z stdout P abc":  false,
		"2026-05-06T07:08:09Z stdout F abc":  true,
		"M" + strings.Repeat("5&5X", 12):     false,
	} {
		f := k.flow(t, redact.Options{})
		f.take(line + "\n")
		f.pass(100 * ms)
		if out := f.said() != ""; out != ends {
			t.Errorf("%q: goes out at once: %v", line, out)
		}
	}
}

// TestBorders has values at every place around what is let out of a long line, and
// several in each other.
func TestBorders(t *testing.T) {
	long := value(1, 40)
	k := newKit(t, long, long[4:28], value(2, 24))
	k.engine.Viewer = nil // what it reaches over would hold more
	straw := scannerstest.Corpus(scannerstest.Base64, 1, 40_000)
	for at := 25_000; at < 25_060; at++ {
		for i, v := range [][]byte{long, value(2, 24)} {
			content := string(straw[:at]) + " " + string(v) + " " + string(straw[at:])
			f := k.flow(t, redact.Options{Batch: 1})
			for rest := content; rest != ""; {
				n := min(len(rest), 997)
				f.take(rest[:n])
				rest = rest[n:]
			}
			want := string(straw[:at]) + " " + mark(2*i) + " " + string(straw[at:])
			if got := f.said() + f.end(); got != want {
				t.Fatalf("value %d at %d is not taken out as it should be", i, at)
			}
		}
	}
}

// TestCompressed: what is compressed is decoded from its beginning, also when that
// went out long ago.
func TestCompressed(t *testing.T) {
	v := value(1, 24)
	k := newKit(t, v)
	kinds := []scannerstest.Kind{scannerstest.Random, scannerstest.Logs} // not packed at all, and well
	if testing.Short() {                                                 // for the race detector
		kinds = kinds[1:]
	}
	for _, kind := range kinds {
		packed := gzipped(t, scannerstest.Corpus(kind, 1, 700<<10), append([]byte("password="), v...), scannerstest.Corpus(kind, 2, 300<<10))
		line := base64.StdEncoding.EncodeToString(packed)
		for name, content := range map[string]string{
			"one line": "x: " + line + "\nend of it.\n", "lines": "x:\n" + wrapped(line) + "\nend of it.\n", "bytes": "x: " + string(packed) + "\nend of it.\n",
		} {
			for _, pause := range []time.Duration{0, 15 * ms} {
				f := k.flow(t, redact.Options{Batch: 20_000})
				for rest := content; rest != ""; {
					n := min(len(rest), 3000)
					f.take(rest[:n])
					rest = rest[n:]
					f.pass(pause)
				}
				got := f.said() + f.end()
				if got == content || k.without(t, []byte(got)) != got {
					t.Errorf("%v, %s, pauses of %v: the value is still there", kind, name, pause)
				}
				if part := changed(content, got); part != "" {
					t.Errorf("%v, %s, pauses of %v: %.80q was not there", kind, name, pause, part)
				}
				if !strings.HasPrefix(got, content[:20_000]) || name != "bytes" && !strings.HasSuffix(got, "\nend of it.\n") {
					t.Errorf("%v, %s, pauses of %v: more than the value's part of the stream is gone", kind, name, pause)
				}
			}
		}
	}
}

// changed is a part of what came out that is neither a mark nor stands where it
// stood.
func changed(content, got string) string {
	for i, part := range strings.Split(strings.ReplaceAll(got, mark(1), mark(0)), mark(0)) {
		at := strings.Index(content, part)
		if at < 0 || i == 0 && at > 0 {
			return part
		}
		content = content[at+len(part):]
	}
	return ""
}

func gzipped(t *testing.T, parts ...[]byte) []byte {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	for _, p := range parts {
		if _, err := z.Write(p); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}

func wrapped(line string) string {
	var b strings.Builder
	for rest := line; rest != ""; {
		n := min(len(rest), 76)
		b.WriteString(rest[:n] + "\n")
		rest = rest[n:]
	}
	return b.String()
}

// TestWork: what is looked at grows with what flows and with time, and memory does
// not grow: 100 MB without the end of a line, and single bytes.
func TestWork(t *testing.T) {
	k := newKit(t, value(1, 24))
	size := 100 << 20
	if testing.Short() {
		size = 2 << 20
	}
	for name, piece := range map[string]string{
		"no line": strings.Repeat("word ", 10_000), "lines": strings.Repeat("all is well.\n", 5_000),
		"digits": strings.Repeat("q83vEjRWeJCrze8S", 3000), "bytes": strings.Repeat("\x00\x01\x9f\xfe", 10_000),
	} {
		k.counted.bytes.Store(0)
		k.counted.most.Store(0)
		f := k.flow(t, redact.Options{})
		n, out := 0, 0
		for n < size {
			f.take(piece)
			n += len(piece)
			out += len(f.said())
		}
		if out += len(f.end()); out != n {
			t.Errorf("%s: %d of %d bytes came out", name, out, n)
		}
		if most := k.counted.most.Load(); most > 11<<20 {
			t.Errorf("%s: %d bytes were held", name, most)
		}
		if looked := k.counted.bytes.Load(); looked > int64(5*n/2) {
			t.Errorf("%s: %d bytes were looked at, of %d", name, looked, n)
		}
	}
	k.counted.bytes.Store(0)
	f := k.flow(t, redact.Options{})
	const seconds = 20
	for i := range seconds * 1000 { // a byte each millisecond, a line each tenth of a second
		if f.take("w"); i%100 == 99 {
			f.take(".\n")
		}
		f.pass(ms)
	}
	if looked := k.counted.bytes.Load(); looked > seconds*50*100_000 {
		t.Errorf("%d bytes were looked at in %d s", looked, seconds)
	}
}

// TestMany: a stream that is made of values.
func TestMany(t *testing.T) {
	var values [][]byte
	for i := range 50 {
		values = append(values, value(uint64(i), 20+i%7))
	}
	k := newKit(t, values...)
	r := rand.New(rand.NewPCG(4, 5))
	var in, want strings.Builder
	for range 20_000 {
		i := r.IntN(len(values))
		in.WriteString(string(values[i]) + " ")
		want.WriteString(mark(i) + " ")
	}
	f := k.flow(t, redact.Options{Batch: 50_000})
	for rest := in.String(); rest != ""; {
		n := min(len(rest), 1+r.IntN(5000))
		f.take(rest[:n])
		rest = rest[n:]
	}
	if got := f.said() + f.end(); got != want.String() || f.Redacted() != 20_000 || f.Late() != 0 {
		t.Errorf("%d taken out, %d late, equal: %v", f.Redacted(), f.Late(), got == want.String())
	}
}

// TestFailures: what cannot go out is told, and nothing is let out unlooked at.
func TestFailures(t *testing.T) {
	if _, err := redact.New(io.Discard, redact.Options{}); !errors.Is(err, redact.ErrMisconfigured) {
		t.Errorf("no engine: %v", err)
	}
	k := newKit(t, value(1, 24))
	f := k.flow(t, redact.Options{})
	r, w := io.Pipe()
	_ = r.Close()
	broken, err := redact.New(w, redact.Options{Engine: k.engine, Marks: nil})
	if broken != nil || !errors.Is(err, redact.ErrMisconfigured) {
		t.Errorf("no marks: %v", err)
	}
	f.take("x\n")
	if err := f.Tick(t.Context(), f.now); err != nil || f.said() != "" {
		t.Errorf("a tick before it is due: %v", err)
	}
}

// TestDumps: what a dump says twice is taken out twice.
func TestDumps(t *testing.T) {
	v := value(72, 32)
	k := newKit(t, v)
	taken := 0
	for before := range 18 {
		for name, text := range scannerstest.Dumps([]byte(strings.Repeat("p", before) + string(v) + " and what follows it")) {
			got := k.without(t, []byte("a line\n"+text+"another line\n"))
			if !strings.Contains(got, mark(0)) {
				continue
			}
			taken++
			if piece := scannerstest.Shows(got, string(v), 5); piece != "" || !strings.HasPrefix(got, "a line\n") || !strings.HasSuffix(got, "\nanother line\n") {
				t.Errorf("%s, %d bytes before: %q of the value is left, or more was taken: %q", name, before, piece, got)
			}
		}
	}
	if taken < 140 {
		t.Errorf("only %d dumps had the value taken out", taken)
	}
}
