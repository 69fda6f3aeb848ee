package registry_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"revenant/fingerprints"
	"revenant/fingerprints/keys"
	"revenant/fingerprints/registry"
)

// TestProve is the table of docs/adr/0010-exit-codes.md.
func TestProve(t *testing.T) {
	history := registry.ProveOptions{IncludeHistory: true}
	skip := func(accept ...string) registry.ProveOptions { return registry.ProveOptions{AcceptSkip: accept} }
	at := func(p fingerprints.Presence) func(*kit, string) {
		return func(k *kit, value string) {
			o := k.seen(src, "a.env", value, k.rows(ref("s", 1))...)
			o.Sighting.Presence = p
			k.scan(src, o)
		}
	}
	clean := func(k *kit, _ string) { k.scan(src) }
	skipped := func(k *kit, _ string) { skipping("dev/fifo", fingerprints.SkipSpecial)(k) }
	tests := map[string]struct {
		scan func(k *kit, value string)
		o    registry.ProveOptions
		want int
	}{
		"clean":                      {clean, registry.ProveOptions{}, 0},
		"no source":                  {func(*kit, string) {}, registry.ProveOptions{}, 3},
		"tip":                        {at(fingerprints.PresenceTip), registry.ProveOptions{}, 1},
		"visible":                    {at(fingerprints.PresenceVisible), registry.ProveOptions{}, 1},
		"metadata":                   {at(fingerprints.PresenceMetadata), registry.ProveOptions{}, 1},
		"retained":                   {at(fingerprints.PresenceRetained), registry.ProveOptions{}, 1},
		"history":                    {at(fingerprints.PresenceHistory), registry.ProveOptions{}, 0},
		"history included":           {at(fingerprints.PresenceHistory), history, 1},
		"shadowed included":          {at(fingerprints.PresenceShadowed), history, 1},
		"unreachable":                {at(fingerprints.PresenceUnreachable), registry.ProveOptions{}, 0},
		"expired included":           {at(fingerprints.PresenceExpired), history, 0},
		"skipped":                    {skipped, registry.ProveOptions{}, 3},
		"skip accepted":              {skipped, skip("special-file"), 0},
		"all skips accepted":         {skipped, skip("all"), 0},
		"skip accepted by path":      {skipped, skip("special-file:dev/**"), 0},
		"skip accepted elsewhere":    {skipped, skip("special-file:etc/**"), 3},
		"other reason accepted":      {skipped, skip("too-large"), 3},
		"failure cannot be accepted": {func(k *kit, _ string) { skipping("x", fingerprints.SkipUnreadable)(k) }, skip("all", "unreadable"), 3},
		"pending source":             {func(k *kit, _ string) { k.scan(src); k.finish(k.begin("dir:/b", ""), false) }, registry.ProveOptions{}, 3},
		"a live copy beats the skips": {func(k *kit, v string) {
			at(fingerprints.PresenceTip)(k, v)
			skipping("a.env", fingerprints.SkipTooLarge)(k)
		}, registry.ProveOptions{}, 1},
		"cleared by a rescan": {func(k *kit, v string) { at(fingerprints.PresenceTip)(k, v); clean(k, v) }, registry.ProveOptions{}, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			k := newKit(t)
			value := k.text(32)
			k.add("s", value)
			k.rotate("s", k.text(32), time.Hour)
			tt.scan(k, value)
			got, err := k.reg.Prove(k.ctx, me(), ref("s", 1), tt.o)
			if err != nil {
				t.Fatal(err)
			}
			if code := got.Proof.Outcome.ExitCode(); code != tt.want {
				t.Errorf("exit %d (%s), want %d", code, got.Proof.Reasons, tt.want)
			}
			if (got.Proof.Outcome == registry.Proven) != (len(got.Proof.Reasons) == 0) {
				t.Errorf("%s with reasons %q", got.Proof.Outcome, got.Proof.Reasons)
			}
			if bytes.Contains(got.Document, []byte(value)) {
				t.Error("the document holds the value")
			}
			if _, err := k.reg.VerifyProof(got.Document); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestProveUnsearchableIsNeverProven(t *testing.T) {
	k := newKit(t)
	k.add("short", "abc")
	k.scan(src)
	got, err := k.reg.Prove(k.ctx, me(), ref("short", 1), registry.ProveOptions{AcceptSkip: []string{"all"}})
	if err != nil || got.Proof.Outcome != registry.CoverageNotReady {
		t.Errorf("%s, %v", got.Proof.Outcome, err)
	}
}

func TestVerifyProof(t *testing.T) {
	k := newKit(t)
	k.add("s", k.text(32))
	k.scan(src)
	signed, err := k.reg.Prove(k.ctx, me(), ref("s", 1), registry.ProveOptions{})
	if err != nil {
		t.Fatal(err)
	}
	public := k.ring.Public(keys.PurposeSignProof)
	if p, err := registry.VerifyProof(signed.Document, public); err != nil || p.Outcome != registry.Proven || p.Secret != "s" {
		t.Fatalf("%+v, %v", p, err)
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, signed.Document, "", "   "); err != nil {
		t.Fatal(err)
	}
	if _, err := registry.VerifyProof(pretty.Bytes(), public); err != nil {
		t.Errorf("indented: %v", err)
	}
	// The ring verifies what an older epoch signed.
	if err := k.ring.Rotate(k.rand, k.now, keys.RotateRoutine); err != nil {
		t.Fatal(err)
	}
	if _, err := k.reg.VerifyProof(signed.Document); err != nil {
		t.Errorf("after a rotation of keys: %v", err)
	}
	other := newKit(t)
	if err := other.ring.Rotate(seeded(t), k.now, keys.RotateCompromise); err != nil {
		t.Fatal(err)
	}
	foreign, err := keys.NewRing(k.rand, k.now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := registry.VerifyProof(signed.Document, foreign.Public(keys.PurposeSignProof)); !errors.Is(err, registry.ErrBadProof) {
		t.Errorf("a foreign key: error %v, want ErrBadProof", err)
	}
	if _, err := k.open(foreign).VerifyProof(signed.Document); !errors.Is(err, registry.ErrBadProof) {
		t.Errorf("a foreign ring: error %v, want ErrBadProof", err)
	}
	for _, change := range [][2]string{
		{`"secret":"s"`, `"secret":"t"`},
		{`"outcome":"proven"`, `"outcome":"live-copy"`},
		{`"version":1`, `"version":2`},
		{`"format"`, `"more":1,"format"`},
		{`{"proof"`, `{}{"proof"`},
		{`"signature":"`, `"signature":"AA`},
		{`"public_key":"`, `"public_key":"AAAA`},
		{`"secret"`, `"Secret"`},
		{`"version":1`, `"version":2,"version":1`},
		{`"secret":"s"`, `"secret":"\u0073"`},
	} {
		doc := bytes.Replace(signed.Document, []byte(change[0]), []byte(change[1]), 1)
		if bytes.Equal(doc, signed.Document) {
			t.Fatalf("%s does not stand in the document", change[0])
		}
		if _, err := registry.VerifyProof(doc, public); !errors.Is(err, registry.ErrBadProof) {
			t.Errorf("%s: error %v, want ErrBadProof", change[1], err)
		}
	}
	for n := range 40 {
		if _, err := registry.VerifyProof(signed.Document[:len(signed.Document)*n/40], public); !errors.Is(err, registry.ErrBadProof) {
			t.Errorf("truncated to %d/40: error %v, want ErrBadProof", n, err)
		}
	}
}
