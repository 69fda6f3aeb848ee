package audit_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"revenant/fingerprints"
	"revenant/fingerprints/audit"
	"revenant/fingerprints/keys"
)

type counting struct{ next byte }

func (c *counting) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = c.next
		c.next++
	}
	return len(p), nil
}

func newRing(t testing.TB, start byte) *keys.Ring {
	t.Helper()
	r, err := keys.NewRing(&counting{next: start}, time.UnixMilli(1_750_000_000_000))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

var start = time.UnixMilli(1_760_000_000_000).UTC()

// chain makes n records; the key rotates before the sixth.
func chain(t testing.TB, r *keys.Ring, n int) []audit.Record {
	t.Helper()
	var out []audit.Record
	var prev audit.Record
	for i := range n {
		if i == 5 {
			if err := r.Rotate(&counting{next: 200}, start, keys.RotateRoutine); err != nil {
				t.Fatal(err)
			}
		}
		rec, err := audit.Append(r, prev, start.Add(time.Duration(i)*time.Minute), fmt.Sprintf("actor-%d", i%3), map[string]any{"action": "secret.add", "number": i})
		if err != nil {
			t.Fatal(err)
		}
		out, prev = append(out, rec), rec
	}
	return out
}

func TestChainVerifies(t *testing.T) {
	r := newRing(t, 0)
	c := chain(t, r, 12)
	res, err := audit.Verify(r, c)
	if err != nil || res.Records != 12 || res.Newest.Sequence != 12 {
		t.Fatalf("%+v, %v", res, err)
	}
	if c[4].Epoch() != 1 || c[5].Epoch() != 2 {
		t.Errorf("epochs %d and %d around a rotation", c[4].Epoch(), c[5].Epoch())
	}
	if res, err := audit.Verify(r, nil); err != nil || res.Records != 0 {
		t.Errorf("an empty chain: %+v, %v", res, err)
	}
}

// TestMACIsTheSpecification computes a record's MAC from the package comment.
func TestMACIsTheSpecification(t *testing.T) {
	r := newRing(t, 0)
	c := chain(t, r, 7)
	for i, rec := range c {
		key, err := r.Key(fingerprints.AudienceCore, keys.PurposeAudit, rec.Epoch())
		if err != nil {
			t.Fatal(err)
		}
		var prev []byte
		if i > 0 {
			prev = c[i-1].MAC
		}
		field := func(b []byte) []byte { return append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...) }
		h := hmac.New(sha256.New, key[:])
		h.Write([]byte("audit/v1"))
		h.Write(field(prev))
		h.Write(binary.BigEndian.AppendUint32(nil, rec.Epoch()))
		h.Write(binary.BigEndian.AppendUint64(nil, rec.Sequence))
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(rec.At.UnixMilli())))
		h.Write(field([]byte(rec.Actor)))
		h.Write(field(rec.Content))
		want := append(binary.BigEndian.AppendUint32(nil, rec.Epoch()), h.Sum(nil)...)
		if !bytes.Equal(want, rec.MAC) {
			t.Errorf("record %d: the MAC is not what the package comment says", rec.Sequence)
		}
	}
}

func TestTamperingIsNoticed(t *testing.T) {
	r := newRing(t, 0)
	good := chain(t, r, 12)
	checkpoint, err := audit.Read(r, audit.Sign(r, good[9], start))
	if err != nil {
		t.Fatal(err)
	}
	foreign := chain(t, newRing(t, 50), 12)
	for name, edit := range map[string]func(c []audit.Record) []audit.Record{
		"content":   func(c []audit.Record) []audit.Record { c[3].Content = []byte(`{"action":"other"}`); return c },
		"actor":     func(c []audit.Record) []audit.Record { c[3].Actor = "somebody"; return c },
		"time":      func(c []audit.Record) []audit.Record { c[3].At = c[3].At.Add(time.Millisecond); return c },
		"border":    func(c []audit.Record) []audit.Record { c[3].Actor += "{"; c[3].Content = c[3].Content[1:]; return c },
		"MAC":       func(c []audit.Record) []audit.Record { c[11].MAC[35] ^= 1; return c },
		"short MAC": func(c []audit.Record) []audit.Record { c[3].MAC = c[3].MAC[:20]; return c },
		"no MAC":    func(c []audit.Record) []audit.Record { c[3].MAC = nil; return c },
		"epoch":     func(c []audit.Record) []audit.Record { c[3].MAC[3] = 2; return c },
		"swapped":   func(c []audit.Record) []audit.Record { c[3], c[4] = c[4], c[3]; return c },
		"swapped, renumbered": func(c []audit.Record) []audit.Record {
			c[3], c[4] = c[4], c[3]
			c[3].Sequence, c[4].Sequence = 4, 5
			return c
		},
		"left out": func(c []audit.Record) []audit.Record { return slices.Delete(c, 3, 4) },
		"left out, renumbered": func(c []audit.Record) []audit.Record {
			c = slices.Delete(c, 3, 4)
			for i := range c {
				c[i].Sequence = uint64(i + 1)
			}
			return c
		},
		"put in twice":    func(c []audit.Record) []audit.Record { return slices.Insert(c, 4, c[3]) },
		"first left out":  func(c []audit.Record) []audit.Record { return c[1:] },
		"tail cut":        func(c []audit.Record) []audit.Record { return c[:9] },
		"all gone":        func([]audit.Record) []audit.Record { return nil },
		"another's chain": func([]audit.Record) []audit.Record { return foreign },
	} {
		t.Run(name, func(t *testing.T) {
			if res, err := audit.Verify(r, edit(clone(good)), checkpoint); !errors.Is(err, audit.ErrBroken) {
				t.Errorf("accepted: %+v, %v", res, err)
			}
		})
	}
	if _, err := audit.Verify(r, clone(good), checkpoint); err != nil {
		t.Errorf("the untouched chain: %v", err)
	}
	if _, err := audit.Verify(r, clone(good)[:10], checkpoint); err != nil {
		t.Errorf("the chain as the checkpoint saw it: %v", err)
	}
}

// A tail that was rewritten by somebody with the audit key is noticed by a
// checkpoint that was kept elsewhere.
func TestRewrittenTail(t *testing.T) {
	r := newRing(t, 0)
	good := chain(t, r, 12)
	checkpoint, err := audit.Read(r, audit.Sign(r, good[11], start))
	if err != nil {
		t.Fatal(err)
	}
	forged := clone(good)[:10]
	prev := forged[9]
	for range 4 {
		rec, err := audit.Append(r, prev, start, "forger", map[string]any{"action": "nothing happened"})
		if err != nil {
			t.Fatal(err)
		}
		forged, prev = append(forged, rec), rec
	}
	if _, err := audit.Verify(r, forged); err != nil {
		t.Fatalf("without the checkpoint it must look whole: %v", err)
	}
	if _, err := audit.Verify(r, forged, checkpoint); !errors.Is(err, audit.ErrBroken) {
		t.Errorf("with the checkpoint: %v", err)
	}
}

func clone(c []audit.Record) []audit.Record {
	out := slices.Clone(c)
	for i := range out {
		out[i].MAC = bytes.Clone(out[i].MAC)
		out[i].Content = bytes.Clone(out[i].Content)
	}
	return out
}

func TestCheckpointText(t *testing.T) {
	r := newRing(t, 0)
	c := chain(t, r, 3)
	text := audit.Sign(r, c[2], start)
	for name, same := range map[string]string{
		"as it is": string(text), "CR LF": strings.ReplaceAll(string(text), "\n", "\r\n"), "white space around": "\n  " + strings.TrimSpace(string(text)) + "\n\n",
	} {
		cp, err := audit.Read(r, []byte(same))
		if err != nil || cp.Sequence != 3 || hex.EncodeToString(cp.Head) != hex.EncodeToString(c[2].MAC) || !cp.At.Equal(start) {
			t.Errorf("%s: %+v, %v", name, cp, err)
		}
	}
	trimmed := bytes.TrimRight(text, "\n")
	for i := range trimmed {
		bad := bytes.Clone(trimmed)
		bad[i] ^= 1
		if _, err := audit.Read(r, bad); err == nil {
			t.Fatalf("changed at byte %d (%q) and accepted", i, trimmed[i])
		}
		if _, err := audit.Read(r, trimmed[:i]); err == nil {
			t.Fatalf("cut at byte %d and accepted", i)
		}
	}
	if _, err := audit.Read(newRing(t, 50), text); !errors.Is(err, audit.ErrCheckpoint) {
		t.Errorf("read by another ring: %v", err)
	}
	if _, err := audit.Read(r.EdgeKeys(""), text); err != nil {
		t.Errorf("read with the public keys of an edge holder: %v", err)
	}
	empty := audit.Sign(r, audit.Record{}, start)
	if cp, err := audit.Read(r, empty); err != nil || cp.Sequence != 0 || cp.Head != nil {
		t.Errorf("of an empty chain: %+v, %v", cp, err)
	}
}

func TestCanonical(t *testing.T) {
	type entry struct {
		Z string `json:"z"`
		A int    `json:"a"`
		H string `json:"h"`
	}
	got, err := audit.Canonical(entry{"last", 1, "<&>"})
	if err != nil || string(got) != `{"a":1,"h":"<&>","z":"last"}` {
		t.Errorf("%s, %v", got, err)
	}
	for _, bad := range []any{nil, 3, "text", []int{1}, func() {}, map[string]any{"v": make(chan int)}} {
		if _, err := audit.Canonical(bad); !errors.Is(err, audit.ErrContent) {
			t.Errorf("%T: %v", bad, err)
		}
	}
	// A value never gets into the log, also not through an error.
	raw, err := audit.Canonical(map[string]any{"v": fingerprints.NewValue([]byte("plain-text-value"))})
	if err != nil || strings.Contains(string(raw), "plain") {
		t.Errorf("%s, %v", raw, err)
	}
}

func FuzzRead(f *testing.F) {
	r := newRing(f, 0)
	f.Add(string(audit.Sign(r, audit.Record{}, start)))
	f.Add(string(audit.Sign(r, chain(f, r, 1)[0], start)))
	f.Fuzz(func(t *testing.T, text string) {
		if c, err := audit.Read(r, []byte(text)); err == nil && !strings.Contains(text, "sequence: "+fmt.Sprint(c.Sequence)) {
			t.Error("a checkpoint says what its text does not")
		}
	})
}
