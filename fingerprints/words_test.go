package fingerprints_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/fingerprints"
)

func TestPresence(t *testing.T) {
	type reading struct{ live, present bool }
	table := map[fingerprints.Presence]reading{
		"tip": {true, true}, "visible": {true, true}, "metadata": {true, true}, "retained": {true, true},
		"history": {false, true}, "shadowed": {false, true}, "unreachable": {false, true},
		"expired": {false, false}, "gone": {false, false},
		"": {true, true}, "a word of a later version": {true, true},
	}
	for p, want := range table {
		if got := (reading{p.Live(), p.Present()}); got != want {
			t.Errorf("%q: live, present = %v, want %v", p, got, want)
		}
	}
	strongest := []fingerprints.Presence{
		"tip", "visible", "metadata", "retained", "history", "shadowed", "unreachable", "expired", "gone",
	}
	if diff := cmp.Diff(strongest, fingerprints.Presences()); diff != "" {
		t.Errorf("order of presences (-want +got):\n%s", diff)
	}
}

func TestPresenceOrderPutsLiveFirst(t *testing.T) {
	all := fingerprints.Presences()
	weight := func(p fingerprints.Presence) int {
		switch {
		case p.Live():
			return 0
		case p.Present():
			return 1
		}
		return 2
	}
	if !slices.IsSortedFunc(all, func(a, b fingerprints.Presence) int { return weight(a) - weight(b) }) {
		t.Errorf("a copy that needs digging ranks above a live one: %v", all)
	}
}

func TestWordsListsAreWhole(t *testing.T) {
	for name, pair := range map[string][2][]string{
		"states":     {texts(fingerprints.States()), {"pending", "active", "superseded", "retired", "abandoned"}},
		"classes":    {texts(fingerprints.Classes()), {"application", "third-party", "cryptographic", "bootstrap"}},
		"severities": {texts(fingerprints.Severities()), {"critical", "high", "medium", "low", "info"}},
	} {
		if diff := cmp.Diff(pair[1], pair[0]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func texts[T ~string](in []T) []string {
	out := make([]string, len(in))
	for i, v := range in {
		out[i] = string(v)
	}
	return out
}

func TestSkipReasonFailure(t *testing.T) {
	failures := []fingerprints.SkipReason{"unreadable", "bad-record", "interrupted", "changed-while-reading", "a reason of a later version"}
	bounds := []fingerprints.SkipReason{
		"vanished", "special-file", "symlink-loop", "symlink", "too-large", "archive", "generic-span-too-long", "excluded",
	}
	for _, r := range failures {
		if !r.Failure() {
			t.Errorf("%q is no failure: a source that was not read would be called clean", r)
		}
	}
	for _, r := range bounds {
		if r.Failure() {
			t.Errorf("%q is a failure, want a listed bound", r)
		}
	}
}

func TestParseRef(t *testing.T) {
	good := map[string]fingerprints.VersionRef{
		"billing/db-password":   {Name: "billing/db-password"},
		"billing/db-password@1": {Name: "billing/db-password", Number: 1},
		"a@42":                  {Name: "a", Number: 42},
		"x.y_z-0/9@7":           {Name: "x.y_z-0/9", Number: 7},
	}
	for in, want := range good {
		got, err := fingerprints.ParseRef(in)
		if err != nil || got != want {
			t.Errorf("ParseRef(%q) = %v, %v, want %v", in, got, err, want)
		}
		if got.String() != in {
			t.Errorf("%v prints as %q, want %q", want, got, in)
		}
	}
	for _, in := range []string{"", "@1", "a@", "a@0", "a@-1", "a@x", "a@1@2", "a@1.5", "a b@1", "a@99999999999999999999", " a@1", "-a@1"} {
		if got, err := fingerprints.ParseRef(in); !errors.Is(err, fingerprints.ErrBadName) || got != (fingerprints.VersionRef{}) {
			t.Errorf("ParseRef(%q) = %v, %v, want ErrBadName", in, got, err)
		}
	}
}

func TestCheckName(t *testing.T) {
	long := strings.Repeat("n", fingerprints.MaxName)
	for _, ok := range []string{"a", "0", "billing/db-password", "A.b_C-1/2", long} {
		if err := fingerprints.CheckName(ok); err != nil {
			t.Errorf("CheckName(%q): %v", ok, err)
		}
	}
	for _, bad := range []string{"", long + "n", "-a", ".a", "_a", "/a", "a b", "a\n", "a@1", "é", "a\x00", "a:b", "pass=word", "../etc\\x"} {
		if err := fingerprints.CheckName(bad); !errors.Is(err, fingerprints.ErrBadName) {
			t.Errorf("CheckName(%q) = %v, want ErrBadName", bad, err)
		}
	}
}

// Somebody may type the value where the name belongs.
func TestNameErrorsDoNotEcho(t *testing.T) {
	plain := string(newCanary(20).plain)
	for _, in := range []string{"~" + plain, plain + " " + plain, "!" + plain + "@3", strings.Repeat(plain, 10), plain + "\n"} {
		for what, err := range map[string]error{"CheckName": fingerprints.CheckName(in), "ParseRef": parseRefError(in)} {
			if err == nil {
				t.Fatalf("%s accepted a bad name", what)
			}
			if strings.Contains(err.Error(), plain[:8]) {
				t.Errorf("%s repeats its input", what)
			}
		}
	}
	for _, in := range []string{"name@" + plain, plain + "@example.org"} {
		if err := parseRefError(in); err == nil || strings.Contains(err.Error(), plain[:8]) {
			t.Errorf("ParseRef repeats what stands around the @: %v", err)
		}
	}
}

func parseRefError(s string) error {
	_, err := fingerprints.ParseRef(s)
	return err
}

func TestIDs(t *testing.T) {
	const want = "000102030405060708090a0b0c0d0e0f"
	var raw [16]byte
	for i := range raw {
		raw[i] = byte(i)
	}
	for what, got := range map[string]string{
		"VersionID": fingerprints.VersionID(raw).String(), "RowID": fingerprints.RowID(raw).String(),
		"ValueID": fingerprints.ValueID(raw).String(), "PathID": fingerprints.PathID(raw).String(),
		"InstallationID": fingerprints.InstallationID(raw).String(), "RingID": fingerprints.RingID(raw).String(),
	} {
		if got != want {
			t.Errorf("%s prints as %s", what, got)
		}
	}
	if fingerprints.ValueID(raw).IsZero() || !(fingerprints.ValueID{}).IsZero() {
		t.Error("IsZero does not tell an unset id")
	}
}

func TestVersion(t *testing.T) {
	v := fingerprints.Version{Secret: "billing/db-password", Number: 3}
	if got := v.Ref().String(); got != "billing/db-password@3" {
		t.Errorf("Ref prints as %q", got)
	}
	if v.Compromised() {
		t.Error("a version without the flag is compromised")
	}
	v.CompromisedAt = time.Unix(1, 0)
	if !v.Compromised() {
		t.Error("the flag is not seen")
	}
}

func FuzzParseRef(f *testing.F) {
	for _, seed := range []string{"billing/db-password@3", "a", "@", "a@0", "a@01", "a@+1", "x/@9", strings.Repeat("n", 201)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		ref, err := fingerprints.ParseRef(in)
		if err != nil {
			if !errors.Is(err, fingerprints.ErrBadName) {
				t.Fatalf("error %v is no ErrBadName", err)
			}
			return
		}
		if fingerprints.CheckName(ref.Name) != nil || ref.Number < 0 {
			t.Fatalf("accepted %+v", ref)
		}
		again, err := fingerprints.ParseRef(ref.String())
		if err != nil || again != ref {
			t.Fatalf("%+v reads back as %+v, %v", ref, again, err)
		}
	})
}
