package relay_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"testing"
	"testing/iotest"
	"testing/synctest"

	"revenant/fingerprints"
	"revenant/ingest/relay"
	"revenant/scanners"
)

func noise(seed uint64, n int) []byte {
	r := rand.New(rand.NewPCG(seed, 1))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// TestEverythingComesThrough: what is written is read, in order, whatever the
// sizes and whatever is full.
func TestEverythingComesThrough(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	for name, full := range map[string]relay.Full{"waits": relay.FullWaits, "spools": relay.FullSpools} {
		for _, memory := range []int{1, 7, 1000, 1 << 20} {
			r := relay.New(memory, full)
			want := noise(uint64(memory), 100_000)
			go func() {
				rng := rand.New(rand.NewPCG(2, 3))
				for rest := want; len(rest) > 0; {
					n := min(len(rest), 1+rng.IntN(3000))
					if k, err := r.Write(rest[:n]); k != n || err != nil {
						t.Errorf("%s: wrote %d of %d: %v", name, k, n, err)
					}
					rest = rest[n:]
				}
				r.End(nil)
			}()
			got, err := io.ReadAll(r)
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s, %d: %d bytes of %d, %v", name, memory, len(got), len(want), err)
			}
		}
	}
	if left, err := os.ReadDir(os.Getenv("TMPDIR")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

// TestFull: with a looker that does not read, one kind of relay waits and the
// other does not, and a looker that leaves holds nobody up.
func TestFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := relay.New(10, relay.FullWaits)
		written := 0
		go func() {
			for range 5 {
				_, _ = r.Write([]byte("12345"))
				written += 5
			}
		}()
		synctest.Wait()
		if written != 10 {
			t.Errorf("%d bytes were taken by a relay of 10", written)
		}
		r.Leave()
		synctest.Wait()
		if written != 25 {
			t.Errorf("%d of 25 bytes were taken when nobody reads", written)
		}
	})
	r := relay.New(10, relay.FullSpools)
	for range 5 {
		_, _ = r.Write([]byte("12345"))
	}
	r.End(nil)
	if got, err := io.ReadAll(r); string(got) != "1234512345123451234512345" || err != nil {
		t.Errorf("%q %v", got, err)
	}
	r.Leave()
}

// TestLost: what cannot be kept is told.
func TestLost(t *testing.T) {
	t.Setenv("TMPDIR", "/nonexistent")
	r := relay.New(4, relay.FullSpools)
	for _, s := range []string{"1234", "5678", "9"} {
		if n, err := r.Write([]byte(s)); n != len(s) || err != nil {
			t.Errorf("wrote %d: %v", n, err)
		}
	}
	r.End(nil)
	got, err := io.ReadAll(r)
	var skip *scanners.SkipError
	if string(got) != "1234" || !errors.As(err, &skip) || skip.Reason != fingerprints.SkipUnreadable {
		t.Errorf("%q %v", got, err)
	}
}

// TestEnd: what was written is read before the error that ended it, and what
// ended stays ended.
func TestEnd(t *testing.T) {
	r := relay.New(0, relay.FullWaits)
	_, _ = r.Write([]byte("abc"))
	stop := &scanners.SkipError{Reason: fingerprints.SkipInterrupted}
	r.End(stop)
	r.End(nil)
	_, _ = r.Write([]byte("def"))
	got, err := io.ReadAll(r)
	if string(got) != "abc" || !errors.Is(err, stop) {
		t.Errorf("%q %v", got, err)
	}
	if n, err := r.Read(nil); n != 0 || err != nil {
		t.Errorf("reading nothing: %d %v", n, err)
	}
}

// reads notes what each write is.
type reads struct {
	t    *testing.T
	r    *relay.Relay
	list []string
	fail bool
}

func (w *reads) Write(p []byte) (int, error) {
	if w.fail {
		return 0, io.ErrShortWrite
	}
	w.list = append(w.list, string(p))
	return len(p), nil
}

// TestCopy: each read is written at once, and failures of either side are told
// apart.
func TestCopy(t *testing.T) {
	r := relay.New(0, relay.FullWaits)
	w := &reads{t: t, r: r}
	if err := relay.Copy(w, r, io.MultiReader(bytes.NewReader([]byte("one\n")), bytes.NewReader([]byte("tw")), bytes.NewReader([]byte("o\n")))); err != nil {
		t.Error(err)
	}
	r.End(nil)
	if got, _ := io.ReadAll(r); string(got) != "one\ntwo\n" || len(w.list) != 3 {
		t.Errorf("%q, written as %q", got, w.list)
	}
	var pass *relay.PassError
	if err := relay.Copy(&reads{fail: true}, relay.New(0, relay.FullWaits), bytes.NewReader([]byte("x"))); !errors.As(err, &pass) || !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("a writer that fails: %v", err)
	}
	broken := iotest.ErrReader(io.ErrUnexpectedEOF)
	if err := relay.Copy(&reads{}, relay.New(0, relay.FullWaits), broken); errors.As(err, &pass) || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a reader that fails: %v", err)
	}
}
