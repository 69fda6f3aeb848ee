package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
)

// bothWays runs a test with commands that ask the registry of their machine, and
// with commands that ask a server over it.
func bothWays(t *testing.T, test func(t *testing.T, b *box)) {
	t.Helper()
	for name, remote := range map[string]bool{"local": false, "server": true} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t)
			b.remote = remote
			test(t, b)
		})
	}
}

// askingCommands are those that are about what is known, and ask a server where one
// is named.
func askingCommands() []string {
	return []string{"secret", "findings", "coverage", "prove", "search", "source", "status", "watch", "notify", "token", "person", "audit"}
}

// asks reports whether a command line of a remote box goes to its server. What scans,
// and what is about keys, is done here.
func (b *box) asks(args []string) bool {
	return b.remote && len(args) > 0 && slices.Contains(askingCommands(), args[0]) && !slices.Contains(args, "rebuild")
}

// serverEnv is the environment of who asks the box's server, which is started where
// it does not run.
func (b *box) serverEnv() []string {
	b.t.Helper()
	if b.through == nil {
		b.through = b.serve("--no-workers")
	}
	return append(slices.Clone(b.env), "REVENANT_SERVER="+b.through.url, "REVENANT_TOKEN="+b.through.token)
}

// asked runs a command line at the box's server.
func (b *box) asked(stdin string, args ...string) ran {
	b.t.Helper()
	was := b.remote
	b.remote = true
	defer func() { b.remote = was }()
	return b.run(stdin, args...)
}

// TestSameBothWays: every command that is about what is known prints the same, to the
// byte, from this machine's registry and from a server's.
func TestSameBothWays(t *testing.T) {
	b := newBox(t)
	b.must(0, "", "init")
	b.must(0, generated(91), "secret", "add", "shop/db", "--owner", "payments", "--consumer", "till")
	b.must(0, generated(92), "secret", "rotate", "shop/db", "--window", "24h")
	b.must(0, generated(93), "secret", "add", "shop/pending", "--pending")
	b.must(0, "p4ss", "secret", "add", "shop/short")
	b.write("one/a.conf", "password = "+generated(91)+"\nand "+generated(92)+"\n")
	b.write("one/deep/b.conf", keyed(94)+keyed(95))
	b.write("two/c.conf", "password = "+generated(91)+"\n")
	b.must(1, "", "dir", b.work+"/one", "--exclude", "nothing")
	b.must(1, "", "dir", b.work+"/two")
	b.must(0, "", "watch", "add", "two", "--every", "6h", "--", "dir", b.work+"/two")
	b.must(0, "", "token", "add", "reader", "--scope", "read", "--until", "2099-01-31")
	b.must(0, "", "person", "add", "ann", "--role", "viewer", "--display", "Ann")
	reg, gen := b.findingAt("c.conf"), b.genericAt("deep/b.conf")
	checkpoint, proof := b.out("checkpoint"), b.out("proof")
	b.must(0, "", "audit", "checkpoint", "--out", checkpoint)
	b.must(1, "", "prove", "shop/db@2", "--out", proof)
	b.must(0, "", "search", "shop") // an index is there
	b.asked("", "status")           // the server runs, and its token was used

	seen := map[string]bool{}
	for _, line := range sameLines(b, reg, gen, checkpoint, proof) {
		b.compare(seen, line)
	}
	// What changes something, and is the same when it is there already.
	for _, line := range repeatedLines(b, reg, gen) {
		b.run("", line...)
		b.compare(seen, line)
	}
	b.everyAsked(seen)
}

// genericAt is the id of an unregistered finding at a path.
func (b *box) genericAt(path string) string {
	b.t.Helper()
	for _, f := range b.findingFacts() {
		if f.Path == path && f.Verdict == "unregistered" {
			return f.ID
		}
	}
	b.t.Fatalf("there is no unregistered finding at %s", path)
	return ""
}

// compare runs a command line here and at the server.
func (b *box) compare(seen map[string]bool, line []string) {
	b.t.Helper()
	c, _, err := newApp().rootCommand().Find(line)
	if err != nil {
		b.t.Fatal(err)
	}
	seen[c.CommandPath()] = true
	for _, format := range [][]string{nil, {"--json"}} {
		args := append(slices.Clone(line), format...)
		here, there := b.run("", args...), b.asked("", args...)
		// The server keeps the index, and lends a command its newest state.
		here.stdout = strings.Replace(here.stdout, `"by": "snapshot"`, `"by": "index"`, 1)
		if here.code != there.code {
			b.t.Errorf("revenant %s: exit code %d here, %d at the server\n%s%s", strings.Join(args, " "), here.code, there.code, here.stderr, there.stderr)
		}
		if diff := cmp.Diff(here.stdout, there.stdout); diff != "" {
			b.t.Errorf("revenant %s (-here +server):\n%s", strings.Join(args, " "), diff)
		}
		if here.code < 2 && here.stderr != there.stderr {
			b.t.Errorf("revenant %s says here %q, at the server %q", strings.Join(args, " "), here.stderr, there.stderr)
		}
	}
}

// sameLines change nothing.
func sameLines(b *box, reg, gen, checkpoint, proof string) [][]string {
	return [][]string{
		{"secret", "list"},
		{"secret", "list", "--prefix", "shop/s"},
		{"secret", "list", "--state", "superseded"},
		{"secret", "list", "--limit", "2"},
		{"secret", "list", "--after", "shop/db"},
		{"secret", "list", "--owner", "nobody"},
		{"secret", "list", "--class", "bootstrap"},
		{"secret", "show", "shop/db"},
		{"secret", "show", "shop/db@2"},
		{"secret", "show", "shop/db@9"},
		{"secret", "show", "shop/none"},
		{"secret", "history", "shop/db"},
		{"secret", "history", "shop/none"},
		{"findings", "list"},
		{"findings", "list", "--verdict", "leaked,lagging"},
		{"findings", "list", "--secret", "shop/db@1"},
		{"findings", "list", "--source", "dir:" + b.work + "/two"},
		{"findings", "list", "--path", "deep/**"},
		{"findings", "list", "--limit", "1"},
		{"findings", "list", "--status", "accepted"},
		{"findings", "list", "--secret", "shop/none"},
		{"findings", "list", "--source", "dir:/none"},
		{"findings", "list", "--presence", "gone"},
		{"findings", "list", "--rule", "generic-api-key"},
		{"findings", "show", reg},
		{"findings", "show", gen[:12]},
		{"findings", "show", "rv1:0000"},
		{"findings", "show", "rv1:"},
		{"findings", "export"},
		{"findings", "export", "--format", "csv"},
		{"findings", "export", "--limit", "1"},
		{"findings", "export", "--format", "csv", "--verdict", "leaked"},
		{"findings", "decisions"},
		{"coverage", "shop/db@1"},
		{"coverage", "shop/short@1"},
		{"coverage", "shop/none@1"},
		{"prove", "--verify", proof},
		{"prove", "--verify", checkpoint},
		{"prove", "shop/none@1"},
		{"search", "shop"},
		{"search", "verdict:lagging", "OR", "verdict:leaked"},
		{"search", "--facets", "verdict,source", "is:open"},
		{"search", "--limit", "1", "is:open"},
		{"search", "--order", "oldest", "is:open"},
		{"search", "nothing-like-it"},
		{"search", "bogus:field"},
		{"source", "list"},
		{"source", "show", "dir:" + b.work + "/one"},
		{"source", "show", "dir:/none"},
		{"watch", "list"},
		{"watch", "show", "two"},
		{"watch", "show", "none"},
		{"notify", "list"},
		{"notify", "list", "--state", "undelivered"},
		{"notify", "retry", "--all"},
		{"notify", "retry", "none"},
		{"token", "list"},
		{"token", "list", "--all"},
		{"token", "revoke", "none"},
		{"person", "list"},
		{"person", "show", "ann"},
		{"person", "show", "nobody"},
		{"audit", "list"},
		{"audit", "list", "--from", "3"},
		{"audit", "verify"},
		{"audit", "verify", "--against", checkpoint},
		{"audit", "verify", "--against", proof},
	}
}

// repeatedLines change something once.
func repeatedLines(b *box, reg, gen string) [][]string {
	return [][]string{
		{"secret", "ack", "shop/db@2", "--consumer", "till"},
		{"secret", "ack", "shop/none@1", "--consumer", "till"},
		{"secret", "allow", "shop/db", "--path", "**/c.conf", "--reason", "its home"},
		{"secret", "unallow", "shop/db", "--id", "9"},
		{"findings", "assign", reg, "--owner", "payments"},
		{"findings", "due", reg, "--by", "2099-01-31"},
		{"findings", "due", reg, "--by", "2020-01-31"},
		{"findings", "due", reg, "--by-verdict"},
		{"findings", "accept", reg, "--until", "2099-01-31", "--reason", "known"},
		{"findings", "reopen", reg},
		{"findings", "dismiss", gen, "--reason", "of a manual"},
		{"findings", "dismiss", reg, "--reason", "not one"},
		{"findings", "dismiss", "--rule", "generic-api-key", "--path", "test/**", "--reason", "made for tests"},
		{"findings", "revoke", "9"},
		{"secret", "activate", "shop/pending@1"},
		{"secret", "activate", "shop/none@1"},
		{"secret", "supersede", "shop/db@1", "--window", "24h"},
		{"secret", "retire", "shop/db@1"},
		{"secret", "retire", "shop/db@2"},
		{"secret", "abandon", "shop/db@2"},
		{"secret", "abandon", "shop/db@1"},
		{"secret", "compromise", "shop/db@2"},
		{"watch", "set", "two", "--every", "12h"},
		{"watch", "set", "two", "--every", "follow"},
		{"watch", "pause", "two"},
		{"watch", "resume", "two"},
		{"watch", "scan", "two"},
		{"watch", "remove", "none"},
		{"watch", "add", "two", "--", "dir", b.work + "/two"},
		{"token", "revoke", "reader"},
		{"token", "add", "reader", "--scope", "read"},
		{"person", "add", "ann", "--role", "viewer"},
		{"person", "add", "bea", "--role", "gardener"},
		{"person", "role", "ann", "triager", "registrar"},
		{"person", "role", "ann", "none"},
		{"person", "role", "ann", "gardener"},
		{"person", "role", "nobody", "viewer"},
		{"person", "team", "ann", "payments", "shop"},
		{"person", "team", "ann", "none"},
		{"person", "disable", "ann"},
		{"person", "enable", "ann"},
		{"person", "sign-out", "ann"},
		{"person", "sign-out", "nobody"},
		{"source", "move", "dir:/none", "dir:/other"},
		{"source", "forget", "dir:/none"},
	}
}

// everyAsked insists that every command that asks was compared, but for those whose
// answer is another each time.
func (b *box) everyAsked(seen map[string]bool) {
	b.t.Helper()
	other := map[string]string{
		"revenant status":           "says where it was asked, see TestStatusSaysWhere",
		"revenant prove":            "",
		"revenant audit checkpoint": "each is a record of its own, see TestOnceBothWays",
		"revenant search rebuild":   "is about this machine's index",
		"revenant person link":      "is another each time, see TestOnceBothWays",
		"revenant secret add":       "takes a value, see TestRegisterBothWays", "revenant secret rotate": "the same", "revenant secret issue": "the same",
		"revenant secret import": "the same", "revenant secret adopt": "the same",
	}
	var look func(c *cobra.Command)
	look = func(c *cobra.Command) {
		if _, exempt := other[c.CommandPath()]; len(c.Commands()) == 0 && !exempt && !seen[c.CommandPath()] {
			b.t.Errorf("%s was not compared", c.CommandPath())
		}
		for _, sub := range c.Commands() {
			look(sub)
		}
	}
	for _, c := range newApp().rootCommand().Commands() {
		if slices.Contains(askingCommands(), c.Name()) {
			look(c)
		}
	}
}

// TestStatusSaysWhere: what is asked stands in the status, and the rest is the same.
func TestStatusSaysWhere(t *testing.T) {
	b := newBox(t)
	b.must(0, "", "init")
	b.must(0, generated(96), "secret", "add", "shop/db")
	there, here := b.asked("", "status"), b.must(0, "", "status")
	b.wantWords(there, "a server's registry", b.through.url)
	b.wantWords(here, "local registry", b.registry())
	tail := func(r ran) string { _, rest, _ := strings.Cut(r.stdout, "installation"); return rest }
	if diff := cmp.Diff(tail(here), tail(there)); diff != "" {
		t.Errorf("(-here +server):\n%s", diff)
	}
}

// TestOnceBothWays: what is done once answers alike.
func TestOnceBothWays(t *testing.T) {
	bothWays(t, func(t *testing.T, b *box) {
		b.must(0, "", "init")
		b.must(0, generated(97), "secret", "add", "shop/db")
		b.write("a.conf", generated(97))
		b.must(1, "", "dir", b.work)
		b.wantWords(b.must(1, "", "prove", "shop/db@1", "--out", b.out("proof")), "a.conf")
		b.wantWords(b.must(0, "", "prove", "--verify", b.out("proof")), "valid", "a.conf")
		b.must(0, "", "audit", "checkpoint", "--out", b.out("point"))
		b.wantWords(b.must(0, "", "audit", "verify", "--against", b.out("point")), "holds")
		token := strings.TrimSpace(b.must(0, "", "token", "add", "x", "--scope", "read").stdout)
		if !strings.HasPrefix(token, "rvt_") {
			t.Errorf("a token looks like %q", token)
		}
		b.must(0, "", "person", "add", "ann", "--role", "viewer")
		link := b.must(0, "", "person", "link", "ann")
		b.wantWords(link, "/auth/setup?code=", "it signs ann in, once, within the hour")
		b.wantWords(b.must(0, "", "watch", "add", "w", "--", "dir", b.work), "added w")
		b.wantWords(b.must(0, "", "watch", "remove", "w"), "watched no more")
		b.wantWords(b.must(0, "", "source", "move", "dir:"+b.work, "dir:/elsewhere"), "moved to dir:/elsewhere")
		b.wantWords(b.must(0, "", "source", "forget", "dir:/elsewhere"), "forgotten")
		b.wantWords(b.must(0, "", "secret", "allow", "shop/db", "--path", "**", "--reason", "r"), "home 1")
		b.wantWords(b.must(0, "", "secret", "unallow", "shop/db", "--id", "1"), "no longer allowed")
		b.wantWords(b.must(2, "", "secret", "allow", "shop/db", "--path", "**", "--reason", generated(97)), "choose one without it")
	})
}

// TestManyMessages: a server lists the newest thousand messages, and whoever asked for
// more is told so.
func TestManyMessages(t *testing.T) {
	b := newBox(t)
	b.must(0, "", "init")
	const many = 1003
	b.sql(fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
		INSERT INTO deliveries (id, receiver, grp, kind, summary, created_at, next_at, deadline, attempts, lease_by, problem)
		SELECT 'm' || i, 'chat', '', '', 'x', i, i, i, 0, '', '' FROM n`, many))
	lines := func(r ran) int { return strings.Count(r.stdout, "\n") - 1 }
	if r := b.must(0, "", "notify", "list", "--limit", "0"); lines(r) != many || r.stderr != "" {
		t.Errorf("here: %d messages, %q", lines(r), r.stderr)
	}
	for limit, said := range map[string]bool{"0": true, "2000": true, "1000": false, "5": false} {
		r := b.asked("", "notify", "list", "--limit", limit)
		if r.code != 0 || strings.Contains(r.stderr, "the newest 1000") != said {
			t.Errorf("--limit %s: %d messages, %q", limit, lines(r), r.stderr)
		}
	}
}

// TestServerNotForKeys: what is about this machine refuses a server, and says the way.
func TestServerNotForKeys(t *testing.T) {
	b := newBox(t)
	for _, line := range [][]string{{"key", "status"}, {"store", "backup"}, {"doctor"}, {"init"}, {"serve"}, {"worker"}, {"migrate", "."}, {"pack", "export", "--out", "x"}, {"search", "rebuild"}} {
		r := b.run("", append(line, "--server", "https://revenant.example.com")...)
		if r.code != 2 || !strings.Contains(r.stderr, "leave --server out") {
			t.Errorf("revenant %s: %d %s", strings.Join(line, " "), r.code, r.stderr)
		}
	}
	b.env = append(b.env, "REVENANT_SERVER=https://revenant.example.com")
	if r := b.run("", "doctor"); r.code == 0 || !strings.Contains(r.stderr, "where the server runs") {
		t.Errorf("%d %s", r.code, r.stderr)
	}
}

// TestLogin: a server is remembered for its user alone, and its token goes nowhere
// else.
func TestLogin(t *testing.T) {
	b := newBox(t)
	b.must(0, "", "init")
	b.must(0, generated(98), "secret", "add", "shop/db")
	s := b.serve("--no-workers")
	token := strings.TrimSpace(b.must(0, "", "token", "add", "laptop", "--scope", "read").stdout)
	b.env = slices.DeleteFunc(b.env, func(e string) bool { return strings.HasPrefix(e, "REVENANT_HOME=") })
	file := filepath.Join(b.dir, "home", ".config", "revenant", "server.json")

	if r := b.run("rvt_"+strings.Repeat("x", 43), "login", s.url); r.code == 0 || exists(file) {
		t.Errorf("a token that is none: %d %s", r.code, r.stderr)
	}
	b.wantWords(b.must(0, token+"\n", "login", s.url), "logged in", "token:laptop", "read")
	if mode := must(os.Stat(file)).Mode().Perm(); mode != 0o600 {
		t.Errorf("the file of the login has mode %o", mode)
	}
	b.wantWords(b.must(0, "", "secret", "list"), "shop/db")
	b.wantWords(b.must(0, "", "status"), s.url)
	if r := b.run("", "secret", "list", "--server", "http://127.0.0.1:9"); r.code == 0 || !strings.Contains(r.stderr, "give the token") {
		t.Errorf("another server is shown the token: %d %s", r.code, r.stderr)
	}
	if r := b.run("", "secret", "list", "--home", b.registry()); r.code != 0 || strings.Contains(r.stderr, s.url) {
		t.Errorf("a folder that is named: %d %s", r.code, r.stderr)
	}
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	if r := b.run("", "secret", "list"); r.code == 0 || !strings.Contains(r.stderr, "log in anew") {
		t.Errorf("a login that others may read: %d %s", r.code, r.stderr)
	}
	b.wantWords(b.must(0, "", "logout"), "logged out")
	b.wantWords(b.must(0, "", "logout"), "nobody")
	if r := b.run("", "secret", "list"); r.code == 0 {
		t.Errorf("after logging out: %s", fmt.Sprint(r))
	}
}

// TestRegisterBothWays: values are registered at a server as they are here. What is
// printed is the same, but for what is drawn.
func TestRegisterBothWays(t *testing.T) {
	outputs := map[bool][]string{}
	bothWays(t, func(t *testing.T, b *box) {
		b.must(0, "", "init")
		var said []string
		do := func(code int, stdin string, args ...string) ran {
			t.Helper()
			r := b.must(code, stdin, args...)
			drawn := regexp.MustCompile(`rvn_[0-9A-Za-z]+|rv1:[0-9a-f]+|[0-9a-f]{12}|20[0-9-]+ [0-9:]+(Z| UTC)?|20[0-9-]+T[0-9:.]+Z|` + regexp.QuoteMeta(os.TempDir()) + `/[^ "]+`)
			said = append(said, drawn.ReplaceAllString(strings.Join(args, " ")+"\n"+r.stdout, "..."))
			return r
		}
		b.write("a.conf", keyed(201)+"\n")
		b.write("b-"+generated(202)+".txt", keyed(208)+"\n")
		b.must(1, "", "dir", b.work)
		adoptee := b.genericAt("a.conf")

		do(0, generated(203), "secret", "add", "shop/db", "--owner", "payments", "--consumer", "till")
		do(0, generated(203), "secret", "add", "shop/db")   // known already
		do(2, generated(204), "secret", "add", "shop/db")   // another value
		do(0, generated(203), "secret", "add", "shop/twin") // the same value of another secret
		b.wantWords(do(0, generated(202), "secret", "add", "shop/named"), "redacted in 1 place")
		do(0, generated(205), "secret", "rotate", "shop/db", "--window", "1h")
		do(2, generated(203), "secret", "rotate", "shop/db")        // that of a superseded one
		do(2, generated(205)+"tail", "secret", "rotate", "shop/db") // contains the old one
		do(0, generated(205)+"tail", "secret", "rotate", "shop/db", "--force")
		do(2, generated(206), "secret", "add", "shop/x", "--owner", "o"+generated(206)) // the value in a label
		do(0, "p4ss", "secret", "add", "shop/short")
		do(0, "password1", "secret", "add", "shop/common")
		do(0, "", "secret", "issue", "shop/api", "--consumer", "till", "--consumer", "ledger")
		do(2, "", "secret", "issue", "shop/api", "--consumer", "till")
		do(0, "", "secret", "rotate", "shop/api", "--generate", "--issued-to", "till", "--json")
		do(0, "", "secret", "adopt", adoptee, "--name", "shop/adopted")
		do(2, generated(207), "secret", "adopt", adoptee, "--name", "shop/other", "--file", "-")
		lines := ""
		for i := range 5 {
			lines += fmt.Sprintf("{\"name\":\"imported/%d\",\"value\":%q}\n", i, generated(uint64(210+i)))
		}
		lines += "no line\n" + fmt.Sprintf("{\"name\":\"imported/1\",\"value\":%q}\n{\"name\":\"imported/1\",\"value\":%q}\n", generated(211)+"x", generated(221))
		do(3, lines, "secret", "import", "-", "--json")
		do(3, lines, "secret", "import", "-")
		do(0, "", "secret", "list")
		do(0, "", "findings", "list")

		// What was registered is found, and stands nowhere.
		b.write("c.conf", "x "+generated(205)+" y "+generated(213))
		b.wantWords(b.must(1, "", "dir", b.work), "shop/db@2", "imported/3@1", "shop/adopted@1")
		values := canaries{}
		for _, seed := range []uint64{202, 203, 205, 206, 210, 211, 213} {
			values = append(values, canary{fmt.Sprint(seed), generated(seed)})
		}
		if in := values.inTree(t, b.dir); len(in) > 0 {
			t.Errorf("kept: %v", in)
		}
		outputs[b.remote] = said
	})
	if diff := cmp.Diff(outputs[false], outputs[true]); diff != "" {
		t.Errorf("(-here +server):\n%s", diff)
	}
}

// TestRegistrarElsewhere registers on a machine that has the exported keys alone.
func TestRegistrarElsewhere(t *testing.T) {
	v := newWithServer(t)
	pass := v.write("../pass", "correct horse\n")
	v.must(0, "", "key", "registrar", "--out", v.out("registrar.age"), "--passphrase-file", pass)
	b := newBox(t)
	registryless(b)
	b.env = append(b.env, "REVENANT_SERVER="+v.s.url, "REVENANT_TOKEN="+v.made("registrar", "register", "read"))
	if r := b.run(generated(231), "secret", "add", "far/away"); r.code == 0 || !strings.Contains(r.stderr, "key registrar") {
		t.Errorf("without keys: %d %s", r.code, r.stderr)
	}
	b.env = append(b.env, "REVENANT_REGISTRAR="+v.out("registrar.age"))
	if r := b.run(generated(231), "secret", "add", "far/away"); r.code == 0 || strings.Contains(r.stderr, generated(231)) {
		t.Errorf("without the passphrase: %d %s", r.code, r.stderr)
	}
	b.env = append(b.env, "REVENANT_RING_PASSPHRASE=correct horse")
	b.wantWords(b.must(0, generated(231), "secret", "add", "far/away"), "far/away@1", "registered")
	v.write("x.conf", generated(231))
	v.wantWords(v.must(1, "", "dir", v.work), "far/away@1")
	if r := b.run(generated(232), "secret", "rotate", "far/away"); r.code != 3 || !strings.Contains(r.stderr, "the server refuses") {
		t.Errorf("without the scope to rotate: %d %s", r.code, r.stderr)
	}
	// Keys that are older than the server's are refused.
	v.must(0, "", "key", "rotate")
	v.s.end()
	v.s = v.serve("--no-workers")
	b.env = append(b.env, "REVENANT_SERVER="+v.s.url)
	if r := b.run(generated(233), "secret", "add", "far/later"); r.code == 0 || !strings.Contains(r.stderr, "take them anew") {
		t.Errorf("with the keys of before: %d %s", r.code, r.stderr)
	}
}
