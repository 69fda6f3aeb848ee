package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// weakValue is too weak for the packs of laptops, and no rule finds it.
func weakValue() string { return "sword" + "fish-and-chips-and-swordfish" }

// TestLookUps: a hook and a pipeline ask a server about weak values, within its
// configuration and with a token of that scope; what is not asked is said.
func TestLookUps(t *testing.T) {
	v := &withServer{box: newBox(t)}
	v.key = v.out("edge.key")
	v.must(0, "", "init")
	v.must(0, weakValue(), "secret", "add", "shop/weak", "--owner", "payments")
	v.must(0, generated(101), "secret", "add", "shop/db")
	v.must(0, "", "pack", "export", "--out", v.out("edge.pack"), "--key-out", v.key)
	config := v.out("revenant.yaml")
	if err := os.WriteFile(config, []byte("lookups: {daily: 3}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	v.s = v.serve("--no-workers", "--config", config)
	may, mayNot := v.made("laptop", "pack", "scan", "lookup"), v.made("other", "pack", "scan")

	h := newHooked(t)
	registryless(h.box)
	h.must(0, may, "login", v.s.url, "--pack-key", v.key, "--look-up")
	commit := func(text string) ran {
		h.file("deploy/run.sh", text)
		h.git(h.dir, "add", "-A")
		return h.git(h.dir, "commit", "-q", "-m", "a commit")
	}
	h.stopped(commit("mysql -u shop "+weakValue()+"\n"), "run.sh", "shop/weak@1", "the server was asked about")
	v.must(0, "", "secret", "retire", "shop/weak@1", "--no-successor")
	h.stopped(commit("mysql -u shop "+weakValue()+"\n"), "shop/weak@1", "stale")
	h.must0(commit("mysql -u shop nothing-like-it\n"))
	// The day's look-ups are spent, and that is said: what was not asked is not clean.
	h.says(h.must0(commit("mysql -u shop "+weakValue()+"\n")), "not-asked", "used up")
	wantAudit := v.must(0, "", "audit", "list").stdout
	for _, want := range []string{"value.look-up", "token:laptop"} {
		if !strings.Contains(wantAudit, want) {
			t.Errorf("the audit log has no %q:\n%s", want, wantAudit)
		}
	}

	// A pipeline whose token lacks the scope says so.
	c := newCI(t, "10")
	v.from(c.box, mayNot)
	r := c.run("", "ci", "--base", c.base, "--look-up", "--fail-on", "none")
	c.wantWords(r, "not-asked", "needs the scope `lookup`")
	if code, _ := v.s.end(); code != 0 {
		t.Errorf("the server ended with code %d", code)
	}
	h.says(h.must0(commit("mysql -u shop "+weakValue()+" again\n")), "not-asked")
	found := canaries{{"value", weakValue()}}
	for name, dir := range map[string]string{"the laptop": h.box.dir, "the server": v.box.dir} {
		if in := found.inTree(t, filepath.Join(dir, "home")); len(in) > 0 {
			t.Errorf("%s keeps %v", name, in)
		}
	}
	if in := found.in([]byte(v.s.said())); len(in) > 0 {
		t.Errorf("the server says %v", in)
	}
}
