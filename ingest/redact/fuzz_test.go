package redact_test

import (
	"bytes"
	"encoding/base64"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"revenant/ingest/redact"
)

// FuzzStream cuts contents anywhere, with pauses of any length. Without long
// pauses what comes out is what comes out when all comes at once; with them no
// other bytes change, and a value is only left where it was late.
func FuzzStream(f *testing.F) {
	v, w := value(1, 24), value(2, 33)
	seeing, plain := newKit(f, v, w), newKit(f, v, w)
	plain.engine.Viewer = nil // it holds so little that some of it is let out
	enc := base64.StdEncoding.EncodeToString
	f.Add([]byte("k=\xf0\n"), uint64(1), false)
	f.Add([]byte("a\xf1\xf0b\n\n\xf2\r\nall is well.\n\xf3 x"), uint64(2), true)
	f.Add([]byte("-----BEGIN\n\xf0\n-----END-----\n\"\xf0\" +\n\"\xf1\"\r\x1b[0m\n"), uint64(3), true)
	f.Fuzz(func(t *testing.T, content []byte, seed uint64, slow bool) {
		if len(content) > 4096 {
			return
		}
		for from, to := range map[byte]string{0xf0: string(v), 0xf1: string(w), 0xf2: enc(v), 0xf3: enc(append([]byte("ab"), w...))} {
			content = bytes.ReplaceAll(content, []byte{from}, []byte(to))
		}
		r := rand.New(rand.NewPCG(seed, 1))
		k := []*kit{seeing, plain}[r.IntN(2)]
		s := k.flow(t, redact.Options{Batch: 1 + r.IntN(3000)})
		most := int64(19 * ms)
		if slow {
			most = int64(400 * ms)
		}
		for rest := content; len(rest) > 0; {
			n := min(len(rest), 1+r.IntN(200))
			s.take(string(rest[:n]))
			rest = rest[n:]
			s.pass(time.Duration(r.Int64N(most)) / time.Duration(1+r.IntN(5)))
		}
		got := s.said() + s.end()
		if !slow && int64(s.now.Sub(time.Unix(1_800_000_000, 0))) < int64(200*ms) {
			if want := k.without(t, content); got != want {
				t.Fatalf("cut: %q\nwhole: %q", got, want)
			}
		}
		if part := changed(string(content), got); part != "" {
			t.Fatalf("%q was not there: %q", part, content)
		}
		if s.Late() == 0 && (strings.Contains(got, string(v)) || strings.Contains(got, string(w))) {
			t.Fatalf("a value is left: %q", got)
		}
	})
}
