package registry_test

import (
	"slices"
	"strings"
	"testing"

	"revenant/fingerprints"
	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
)

// A weak value in more than fifty sources is marked and alerts no more; it is
// listed as a policy violation, and its verdict stays.
func TestTooCommon(t *testing.T) {
	k := newKit(t)
	weak, strong := "correct-kitchen-table", k.text(32)
	k.add("app/weak", weak)
	k.add("app/strong", strong)
	for n := range fingerprints.TooCommonSources {
		k.spread(n, weak, strong)
	}
	k.common(false)
	k.spread(fingerprints.TooCommonSources, weak, strong)
	k.common(true)
	// A complete scan that no longer shows it brings the alert back.
	k.scan("dir:/003")
	k.common(false)
}

func (k *kit) spread(n int, weak, strong string) {
	k.t.Helper()
	source := "dir:/" + strings.Repeat("0", 3-len(itoa(n))) + itoa(n)
	k.scan(source, k.seen(source, "a", weak, k.rows(ref("app/weak", 1))...), k.seen(source, "b", strong, k.rows(ref("app/strong", 1))...))
}

func (k *kit) common(want bool) {
	k.t.Helper()
	all, err := k.reg.Findings(k.ctx, me(), store.FindingFilter{})
	if err != nil {
		k.t.Fatal(err)
	}
	var ids []fingerprints.FindingID
	for _, f := range all {
		ids = append(ids, f.ID)
		if f.TooCommon != (want && f.Matches[0].Secret == "app/weak") {
			k.t.Errorf("%s in %s: too common %t", f.Matches[0].Secret, f.Source, f.TooCommon)
		}
		if f.GoneAt == nil && f.Verdict != fingerprints.VerdictLeaked {
			k.t.Errorf("%s: verdict %s", f.Matches[0].Secret, f.Verdict)
		}
	}
	standings, err := k.reg.Standings(k.ctx, me(), ids)
	if err != nil {
		k.t.Fatal(err)
	}
	for _, f := range all {
		if s := standings[f.ID]; s.TooCommon != f.TooCommon || s.Alerts() == f.TooCommon {
			k.t.Errorf("%s: standing %+v", f.Matches[0].Secret, s)
		}
	}
	st, err := k.reg.Status(k.ctx, me())
	if err != nil {
		k.t.Fatal(err)
	}
	if (st.TooCommon == 1) != want {
		k.t.Errorf("status counts %d", st.TooCommon)
	}
	checks, err := k.reg.Doctor(k.ctx, me(), registry.DoctorOptions{})
	if err != nil {
		k.t.Fatal(err)
	}
	i := slices.IndexFunc(checks, func(c registry.CheckResult) bool { return c.Name == "too common" })
	if i < 0 {
		k.t.Fatal("doctor does not look")
	}
	warned := checks[i].Level == registry.CheckWarning && slices.Equal(checks[i].Items, []string{"app/weak@1 value"})
	if warned != want || !want && checks[i].Level != registry.CheckOK {
		k.t.Errorf("doctor: %+v", checks[i])
	}
}
