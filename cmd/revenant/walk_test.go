package main

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
)

// walk drives every command with canaries in every place where a person could
// put a value, and remembers what was driven.
type walk struct {
	*box
	rng      *rand.Rand
	planted  canaries
	spoken   []byte                    // everything that was printed and must be clean
	driven   map[string]map[bool]bool  // command path -> failed? -> seen
	commands map[string]*cobra.Command // of the real tree
}

func newWalk(t *testing.T) *walk {
	w := &walk{
		box: newBox(t), rng: rand.New(rand.NewPCG(uint64(os.Getpid()), 7)),
		driven: map[string]map[bool]bool{}, commands: map[string]*cobra.Command{},
	}
	root := newApp().rootCommand()
	var add func(c *cobra.Command)
	add = func(c *cobra.Command) {
		if len(c.Commands()) == 0 && c.Runnable() {
			w.commands[c.CommandPath()] = c
		}
		for _, sub := range c.Commands() {
			add(sub)
		}
	}
	add(root)
	return w
}

// plant makes a canary that is looked for at the end.
func (w *walk) plant(name string) string {
	c := newCanary(w.rng, name)
	w.planted = append(w.planted, c)
	return c.value
}

// do runs a command that should succeed as far as its exit code says (0, or 1
// for findings); try runs one that must fail.
func (w *walk) do(stdin string, args ...string) ran {
	w.t.Helper()
	r := w.record(stdin, args)
	if r.code > 1 {
		w.t.Errorf("revenant %s: exit code %d\n%s", w.shown(args), r.code, w.shownText(r.stderr))
	}
	return r
}

func (w *walk) try(stdin string, args ...string) ran {
	w.t.Helper()
	r := w.record(stdin, args)
	if r.code < 2 {
		w.t.Errorf("revenant %s: exit code %d, an error was expected", w.shown(args), r.code)
	}
	if strings.TrimSpace(r.stderr+r.stdout) == "" {
		w.t.Errorf("revenant %s failed without a word", w.shown(args))
	}
	return r
}

// reveal runs a command that prints a generated value, and returns it; the
// value becomes a canary.
func (w *walk) reveal(name string, args ...string) []string {
	w.t.Helper()
	r := w.run("", append(args, "--json")...)
	if r.code != 0 {
		w.t.Fatalf("revenant %s: exit code %d\n%s", w.shown(args), r.code, r.stderr)
	}
	w.mark(args, false)
	type one struct {
		Value string `json:"value"`
	}
	var list []one
	if err := json.Unmarshal([]byte(r.stdout), &list); err != nil {
		var single one
		if err := json.Unmarshal([]byte(r.stdout), &single); err != nil {
			w.t.Fatalf("revenant %s: no JSON: %v", w.shown(args), err)
		}
		list = []one{single}
	}
	var values []string
	for i, o := range list {
		if o.Value == "" {
			w.t.Fatalf("revenant %s: no value was shown", w.shown(args))
		}
		values = append(values, o.Value)
		w.planted = append(w.planted, canary{fmt.Sprintf("%s %d", name, i+1), o.Value})
	}
	w.spoken = append(w.spoken, r.stderr...)
	return values
}

func (w *walk) record(stdin string, args []string) ran {
	w.t.Helper()
	r := w.run(stdin, args...)
	w.spoken = append(w.spoken, r.stdout...)
	w.spoken = append(w.spoken, r.stderr...)
	if found := w.planted.in([]byte(r.stdout + r.stderr)); len(found) > 0 {
		w.t.Errorf("revenant %s printed %v", w.shown(args), found)
	}
	w.mark(args, r.code > 1)
	return r
}

func (w *walk) mark(args []string, failed bool) {
	c, _, err := newApp().rootCommand().Find(args)
	if err != nil || c == nil {
		return
	}
	m := w.driven[c.CommandPath()]
	if m == nil {
		m = map[bool]bool{}
		w.driven[c.CommandPath()] = m
	}
	m[failed] = true
}

// shown is a command line without canaries, for messages.
func (w *walk) shown(args []string) string { return w.shownText(strings.Join(args, " ")) }

func (w *walk) shownText(s string) string {
	for _, c := range w.planted {
		s = strings.ReplaceAll(s, c.value, "<"+c.name+">")
	}
	return s
}

// finish greps everything and insists that every command was driven.
func (w *walk) finish() {
	w.t.Helper()
	if found := w.planted.in(w.spoken); len(found) > 0 {
		w.t.Errorf("printed: %v", found)
	}
	// The one exception: a kept clone holds what its remote does.
	clones, err := filepath.Glob(filepath.Join(clonesDir(w.registry()), "*.git"))
	if err != nil || len(clones) == 0 {
		w.t.Errorf("no clone is kept: %v", err)
	}
	for _, dir := range clones {
		if err := os.RemoveAll(dir); err != nil {
			w.t.Fatal(err)
		}
	}
	if found := w.planted.inTree(w.t, w.dir); len(found) > 0 {
		w.t.Errorf("written: %v", found)
	}
	exempt := []string{"revenant completion", "revenant help", "revenant version", "revenant reference"}
	for path := range w.commands {
		if slices.ContainsFunc(exempt, func(e string) bool { return strings.HasPrefix(path, e) }) {
			continue
		}
		if !w.driven[path][false] {
			w.t.Errorf("%s was never run with success", path)
		}
		if !w.driven[path][true] {
			w.t.Errorf("%s was never made to fail", path)
		}
	}
	if rest, err := os.ReadDir(filepath.Join(w.dir, "tmp")); err != nil || len(rest) > 0 {
		w.t.Errorf("temporary files are left behind: %v %v", rest, err)
	}
}

// TestNoPlaintextAnywhere walks the whole command tree, provokes errors, and
// greps everything that was printed or written for every planted value in every
// encoding. A command that is not driven fails the test.
func TestNoPlaintextAnywhere(t *testing.T) {
	t.Parallel()
	w := newWalk(t)
	w.try("", "status") // before there is a registry
	w.keysAndStart()
	w.registering()
	w.scanning()
	w.judging()
	w.lifecycle()
	w.caring()
	w.watching()
	w.hanging()
	w.wrongPlaces()
	w.finish()
}

func (w *walk) keysAndStart() {
	w.do("", "init")
	w.do("", "init") // once more changes nothing
	w.try("", "init", "--bogus", w.plant("argument of init"))
	w.do("", "key", "status")
	w.try("", "key", "status", w.plant("argument of key status"))
}

func (w *walk) registering() {
	add := w.plant("added")
	w.do(add, "secret", "add", "app/added", "--owner", "team-a", "--consumer", "shop")
	w.try(w.plant("added twice"), "secret", "add", "app/added")
	w.try("", "secret", "add", "app/empty")
	w.try(w.plant("of a bad name"), "secret", "add", w.plant("in the name's place")+"!")
	w.do("p4ss", "secret", "add", "app/short")

	pw, tok := w.plant("field password"), w.plant("field token")
	pwFile := w.write("../fields/pw", pw)
	w.do(tok, "secret", "add", "app/fields", "--field", "password="+pwFile, "--field", "token=-")
	w.try("", "secret", "add", "app/fields2", "--field", "password="+w.plant("a value where a file belongs"))
	w.try("", "secret", "add", "app/fields3", "--field", w.plant("a field without ="))

	w.reveal("issued", "secret", "issue", "app/issued", "--consumer", "shop", "--consumer", "ledger")
	w.try("", "secret", "issue", "app/issued", "--prefix", w.plant("prefix"))
	w.reveal("rotated and generated", "secret", "rotate", "app/issued", "--generate", "--issued-to", "shop")
	w.do(w.plant("rotated"), "secret", "rotate", "app/added", "--window", "1h")
	w.try(w.plant("rotated unknown"), "secret", "rotate", "app/nobody")
	w.try(add+w.plant("tail"), "secret", "rotate", "app/added", "--window", w.plant("window"))

	var jsonl strings.Builder
	for i := range 20 {
		fmt.Fprintf(&jsonl, `{"name":"imported/%d","value":%q}`+"\n", i, w.plant(fmt.Sprintf("imported %d", i)))
	}
	fmt.Fprintf(&jsonl, `{"name":"broken","value":%s`+"\n", w.plant("in a broken line"))
	fmt.Fprintf(&jsonl, `{"name":"bad name %s","value":%q}`+"\n", w.plant("in an imported name"), w.plant("of an imported bad name"))
	w.try(jsonl.String(), "secret", "import", "-")
	w.do(fmt.Sprintf("API_KEY=%s\nHOST=example.org\n", w.plant("dotenv")), "secret", "import", "-", "--format", "dotenv", "--name", "env")
	w.try("", "secret", "import", "/nonexistent/file")
	w.do("", "secret", "list")
	w.do("", "secret", "list", "--json")
	w.try("", "secret", "list", "--state", w.plant("state"))
	w.do("", "secret", "show", "app/added")
	w.try("", "secret", "show", w.plant("show"))
	w.do("", "secret", "history", "app/added")
	w.try("", "secret", "history", w.plant("history"))
}

// value returns a planted value by its name.
func (w *walk) value(name string) string {
	for _, c := range w.planted {
		if c.name == name {
			return c.value
		}
	}
	w.t.Fatalf("no canary %q", name)
	return ""
}

func (w *walk) scanning() {
	added, rotated := w.value("added"), w.value("rotated")
	w.write("raw.txt", "password = "+added+"\nand again "+rotated+"\n")
	w.write("enc.yaml", "data: "+base64.StdEncoding.EncodeToString([]byte("x"+added+"y"))+"\nhex: "+hex.EncodeToString([]byte(rotated))+"\n")
	w.write("bin.dat", "\x00\x01\x02"+w.value("issued 1")+"\xff\xfe")
	w.write("dir-"+added+"/name-"+rotated+".txt", "the names are the secret")
	w.write("b64-"+base64.RawURLEncoding.EncodeToString([]byte(added))+".txt", "an encoded name")
	generic := w.plant("generic")
	w.write("conf.py", "api_key = \""+generic+"\"\nsecret_token = \""+w.plant("generic 2")+"\" # "+added+"\n")
	w.write("later.txt", "value registered later: api_secret = \""+w.plant("registered later")+"\"\n")
	w.write("gen-"+w.plant("later in a name")+".txt", "x")
	w.do("", "dir", w.work)
	w.do("", "dir", w.work, "-f", "json", "-r", w.out("report.json"))
	w.do("", "dir", w.work, "--only", "registered", "--json")
	w.do("", "dir", w.work, "--only", "generic", "--no-store")
	w.try("", "dir", "/nonexistent/folder")
	w.do("", "dir", filepath.Join(w.work, "dir-"+added))
	w.do("", "dir", filepath.Join(w.work, "dir-"+added, "name-"+rotated+".txt"))
	w.try("", "dir", w.work, "--fail-on", w.plant("fail-on"))
	w.try("", "dir", w.work, "-c", w.write("../fields/config", "not = [toml "+w.plant("config")))
	w.try("", "dir", w.work, "--exclude", "**/"+added)
	w.do("text with "+added, "stdin")
	w.do("text with "+added, "stdin", "--source", "ci:local:demo")
	nd := func(m map[string]string) string { return string(must(json.Marshal(m))) + "\n" }
	w.do(nd(map[string]string{"source": "chat:ops/" + added, "path": "p/" + rotated, "url": "https://chat.example/" + added, "text": "see " + added})+
		nd(map[string]string{"source": "chat:ops", "path": "q", "base64": base64.StdEncoding.EncodeToString([]byte(rotated))}),
		"stdin", "--format", "ndjson")
	w.try(`{"source":"chat:ops","text":"`+w.plant("broken record")+"\n", "stdin", "--format", "ndjson")
	w.try("", "stdin", "--format", w.plant("format"))
	w.logs(added, rotated)
	w.runs(added, rotated)
	w.images(added, rotated)
	w.topics(added, rotated)
	home := filepath.Join(w.work, "home")
	w.write("home/.bash_history", "export TOKEN="+added+"\n")
	w.write("home/.aws/credentials", "[default]\naws_secret_access_key = "+w.plant("aws")+"\n")
	w.do("", "home", "--dir", home)
	w.try("", "home", "--dir", "/nonexistent/home")
	repo := w.repository("../repo", added, rotated)
	w.do("", "git", repo)
	w.do("", "git", repo, "-f", "json", "-r", w.out("git.json"))
	for _, name := range []string{"git.jsonl", "git.sarif", "git.xml", "git.csv", "git.md", "gl-secret-detection-report.json", "gl-code-quality-report.json"} {
		w.do("", "git", repo, "-r", w.out(name))
	}
	w.do("", "git", repo, "--write-baseline", w.out("baseline"))
	w.do("", "git", repo, "-b", w.out("baseline"), "--show-tolerated")
	w.do("", "dir", w.work, "--write-baseline", w.out("baseline of a folder"))
	w.try("", "git", repo, "-b", w.plant("baseline"))
	w.try("", "git", repo, "-b", w.write("../fields/baseline", `[{"RuleID": "`+w.plant("report of another")))
	w.try("", "git", repo, "--baseline-until", w.plant("baseline-until"), "--write-baseline", w.out("b"))
	w.do("", "git", "file://"+repo, "--no-store")
	w.hooks(repo, added)
	w.try("", "git", "/nonexistent/"+added)
	w.do("", "git", "--recursive", filepath.Dir(repo), "file://"+repo)
	w.do("", "git", repo, "/nonexistent/"+added, "https://me:"+added+"@127.0.0.1:9/"+rotated+".git")
	w.do(repo+"\n/nonexistent/"+added+"\n", "git", "--repos-from", "-")
	w.try("--"+w.plant("line of a list"), "git", "--repos-from", "-")
	w.try("", "git", "https://me:"+w.plant("password of a remote")+"@127.0.0.1:9/none.git")
	// Registered after it was seen: recognised, and redacted where it stood, also in
	// the index of searches.
	w.do("", "search", "later")
	w.do(w.value("registered later"), "secret", "add", "app/later")
	w.do(w.value("later in a name"), "secret", "add", "app/later-name")
}

// logs passes values through, redacted, and runs commands that print them.
func (w *walk) logs(added, rotated string) {
	text := "k=" + added + "\ndata: " + base64.StdEncoding.EncodeToString([]byte(rotated)) + "\n"
	w.do(text, "logs", "-", "--redact-stream")
	w.do(text, "logs", "-", "--redact-stream", "--source", "ci:local:passed", "-r", w.out("passed.sarif"), "-r", w.out("passed.md"))
	printing := w.write("../fields/printing.sh", "cat "+w.write("printed.txt", text)+"; cat "+w.write("printed.txt", text)+" >&2\n")
	w.do("", "logs", "--redact-stream", "--only", "registered", "--", "sh", printing)
	w.do("", "logs", w.write("build.log", text), "--format", "plain", "--no-store")
	w.try(text, "logs", "-", "--format", w.plant("format of logs"))
	w.try("", "logs", "--", "/nonexistent/"+added)
	w.try("", "logs", "-", "/nonexistent/"+added)
	w.try("", "logs", "/nonexistent/"+added)
	w.try(text, "logs", "-", "--redact-stream", "--pack", w.write("../fields/pack", w.plant("in a pack that is none")))
}

func (w *walk) findingIDs(args ...string) []string {
	w.t.Helper()
	r := w.do("", append([]string{"findings", "list", "--json"}, args...)...)
	var list []struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal([]byte(r.stdout), &list); err != nil {
		w.t.Fatalf("findings list --json: %v", err)
	}
	var ids []string
	for _, f := range list {
		ids = append(ids, f.ID)
	}
	if len(ids) == 0 {
		w.t.Fatalf("findings list %v is empty", args)
	}
	return ids
}

func (w *walk) searching() {
	w.do("", "search", "--facets", "owner,rule", "is:open", "later")
	w.do("", "search", "--json", "-verdict:cleared")
	w.try("", "search", "verdict:"+w.plant("a verdict searched for"))
	w.try("", "search", "f"+w.plant("a field searched for")+":x") // a field begins with a letter
	w.try("", "search", "path:"+w.value("added"))
	w.try("", "search", "--cursor", w.plant("cursor"), "x")
	w.do("", "search", w.plant("an unregistered value searched for"))
	w.do("", "search", "rebuild")
	w.try("", "search", "rebuild", w.plant("search rebuild"))
}

func (w *walk) judging() {
	w.searching()
	registered := w.findingIDs("--secret", "app/added")[0]
	generic := w.findingIDs("--verdict", "unregistered")
	w.do("", "findings", "list")
	w.try("", "findings", "list", "--verdict", w.plant("verdict"))
	w.do("", "findings", "show", registered)
	w.do("", "findings", "show", registered, "--json")
	w.try("", "findings", "show", w.plant("finding id"))
	w.do("", "findings", "accept", registered, "--until", "2099-01-31", "--reason", "known, goes with the next release")
	w.try("", "findings", "accept", registered, "--until", w.plant("until"), "--reason", "r")
	w.try("", "findings", "accept", registered, "--until", "2099-01-31", "--reason", "the value is "+w.value("added"))
	w.do("", "findings", "reopen", registered)
	w.try("", "findings", "reopen", w.plant("reopen"))
	w.do("", "findings", "assign", registered, "--owner", "team-b")
	w.do("", "findings", "due", registered, "--by", "2099-01-31")
	w.try("", "findings", "due", registered, "--by", w.plant("due"))
	w.try("", "findings", "assign", registered, "--owner", w.value("rotated"))
	w.do("", "findings", "dismiss", generic[0], "--reason", "test data")
	w.try("", "findings", "dismiss", registered, "--reason", "a registered value is never one")
	w.do("", "findings", "reopen", generic[0])
	w.do("", "findings", "dismiss", generic[0], "--everywhere", "--reason", "test data", "--owner", "team-b")
	w.try("", "findings", "dismiss", generic[0], "--everywhere", "--reason", "the value is "+w.value("added"))
	w.try("", "findings", "accept", registered, "--everywhere", "--until", "2099-01-31", "--reason", "has to be rotated")
	w.do("", "findings", "accept", "--rule", "generic-api-key", "--path", "no/such/**", "--until", "2099-01-31", "--reason", "r")
	w.try("", "findings", "accept", "--rule", w.value("added"), "--path", "**", "--until", "2099-01-31", "--reason", "r")
	w.try("", "findings", "accept", "--rule", "*", "--path", "**/"+w.value("added"), "--until", "2099-01-31", "--reason", "r")
	w.do("", "findings", "decisions")
	w.do("", "findings", "decisions", "--json")
	w.try("", "findings", "decisions", w.plant("decisions"))
	w.do("", "findings", "revoke", "1")
	w.do("", "findings", "revoke", "2")
	w.try("", "findings", "revoke", w.plant("decision"))
	w.do("", "findings", "dismiss", generic[0], "--reason", "test data")
	w.do("", "findings", "export")
	w.do("", "findings", "export", "--format", "csv")
	w.try("", "findings", "export", "--format", w.plant("export format"))
	w.do("", "coverage", "app/added@1")
	w.try("", "coverage", w.plant("coverage"))
	w.do("", "source", "list")
	w.try("", "source", "list", w.plant("source list"))
	w.do("", "source", "show", "dir:"+w.work)
	w.try("", "source", "show", w.plant("source show"))
	w.do("", "source", "move", "ci:local:demo", "ci:local:moved")
	w.try("", "source", "move", w.plant("source move"), "ci:local:x")
	w.do("", "source", "forget", "ci:local:moved")
	w.try("", "source", "forget", w.plant("source forget"))
	w.adopting()
}

// adopting makes a secret of a generic finding: the value is re-read at its
// place.
func (w *walk) adopting() {
	for _, id := range w.findingIDs("--verdict", "unregistered", "--path", "*conf.py") {
		if r := w.record("", []string{"secret", "adopt", id, "--name", "app/adopted"}); r.code == 0 {
			break
		}
	}
	w.try("", "secret", "adopt", w.plant("adopt"), "--name", "app/x")
}

func (w *walk) lifecycle() {
	w.do("", "secret", "ack", "app/added@2", "--consumer", "shop")
	w.try("", "secret", "ack", "app/added@2", "--consumer", w.value("added")+" ")
	w.do("", "secret", "allow", "app/added", "--path", "**/raw.txt", "--until", "2099-01-31", "--reason", "home")
	w.try("", "secret", "allow", "app/added", "--path", "**", "--reason", "it is "+w.value("added"))
	w.do("", "secret", "unallow", "app/added", "--id", "1")
	w.try("", "secret", "unallow", "app/added", "--id", w.plant("home id"))
	w.do("", "secret", "activate", "app/added@1")
	w.try("", "secret", "activate", w.plant("activate"))
	w.do("", "secret", "supersede", "app/added@1")
	w.try("", "secret", "supersede", w.plant("supersede"))
	w.do("", "secret", "retire", "app/added@1", "--no-successor")
	w.try("", "secret", "retire", w.plant("retire"))
	w.do("", "secret", "compromise", "app/added@2")
	w.try("", "secret", "compromise", w.plant("compromise"))
	w.do(w.plant("pending"), "secret", "add", "app/pending", "--pending")
	w.do("", "secret", "abandon", "app/pending@1")
	w.try("", "secret", "abandon", w.plant("abandon"))
	if r := w.record("", []string{"prove", "app/later@1", "--out", w.out("proof.json")}); r.code != 1 && r.code != 3 {
		w.t.Errorf("a proof with a copy in sight: exit code %d", r.code)
	}
	w.do("", "prove", "--verify", w.out("proof.json"))
	w.try("", "prove", w.plant("prove"))
	w.try(`{"format":"revenant.proof/v1","x":"`+w.plant("forged proof")+`"}`, "prove", "--verify", "-")
}

func (w *walk) caring() {
	w.do("", "status")
	w.do("", "status", "--json")
	w.try("", "status", w.plant("status"))
	w.do("", "doctor")
	w.do("", "rules", "list", "--explain")
	w.try("", "rules", "list", w.plant("rules list"))
	w.do("", "migrate", w.work)
	w.try("", "migrate", w.plant("migrate"))
	w.try("", "doctor", w.plant("doctor"))
	w.do("", "audit", "list")
	w.try("", "audit", "list", "--from", w.plant("audit from"))
	w.do("", "audit", "checkpoint", "--out", w.out("checkpoint"))
	w.try("", "audit", "checkpoint", w.plant("audit checkpoint"))
	w.do("", "audit", "verify", "--against", w.out("checkpoint"))
	w.write("../fields/forged", w.plant("forged checkpoint"))
	w.try("", "audit", "verify", "--against", filepath.Join(w.work, "../fields/forged"))
	w.packs()
	w.stores()
	w.keyCare()
}

// watching has what is scanned elsewhere in the walk scanned by a server and a
// worker, too.
func (w *walk) watching() {
	w.try("", "watch", "add", w.plant("watch add"))
	w.try("", "watch", "add", "x", "--credential", w.plant("credential of a watch"), "--", "dir", w.work)
	w.try("", "watch", "add", "x", "--every", w.plant("schedule"), "--", "dir", w.work)
	w.try("", "watch", "add", "x", "--", "git", "https://u:"+w.plant("password of a watched URL")+"@host/x")
	w.try("", "watch", "add", "x", "--", w.plant("command of a watch"))
	w.do("", "watch", "add", "places", "--", "dir", w.work)
	w.do("", "watch", "list")
	w.try("", "watch", "list", w.plant("watch list"))
	for _, verb := range []string{"show", "scan", "pause", "resume"} {
		w.do("", "watch", verb, "places")
		w.try("", "watch", verb, w.plant("watch "+verb))
	}
	w.do("", "watch", "set", "places", "--every", "2h")
	w.try("", "watch", "set", w.plant("watch set"), "--every", "2h")
	bad := w.write("../fields/serve.yaml", "listen: "+w.plant("listen")+"\n"+w.plant("a key")+": 1\n")
	w.do("", "config", "check")
	for _, args := range [][]string{{"config", "check", bad}, {"serve", "--config", bad}, {"worker", "--config", bad}, {"serve", "--listen", w.plant("listen")}} {
		w.try("", args...)
	}
	for _, verb := range []string{"serve", "worker"} {
		w.do("", "watch", "scan", "places")
		r := w.launch(verb)
		w.within(time.Minute, "the watch is scanned", func() string {
			if log := r.log(); !strings.Contains(log, "watch=places") {
				return "it says: " + log
			}
			return ""
		})
		r.stop()
		w.spoken = append(w.spoken, r.log()...)
		w.mark([]string{verb}, false)
	}
	w.do("", "token", "add", "ci", "--scope", "read", "--until", "2099-01-31")
	w.try("", "token", "add", w.plant("token's name"), "--scope", w.plant("scope"))
	w.do("", "token", "list", "--all")
	w.try("", "token", "list", w.plant("argument of token list"))
	w.do("", "token", "revoke", "ci")
	w.try("", "token", "revoke", w.plant("token"))
	w.do("", "person", "add", "ann", "--role", "viewer", "--team", "team-a")
	w.try("", "person", "add", w.plant("person's name"), "--role", w.plant("role"), "--team", w.plant("team"))
	w.do("", "person", "list")
	w.try("", "person", "list", w.plant("argument of person list"))
	w.do("", "person", "role", "ann", "triager")
	w.try("", "person", "role", "ann", w.plant("role to be given"))
	w.do("", "person", "team", "ann", "team-a", "team-b")
	w.try("", "person", "team", w.plant("person of a team"), "team-a")
	w.do("", "person", "link", "ann")
	for _, verb := range []string{"show", "disable", "enable", "sign-out", "link"} {
		if verb != "link" {
			w.do("", "person", verb, "ann")
		}
		w.try("", "person", verb, w.plant("person to "+verb))
	}
	w.do("", "notify", "list", "--state", "undelivered")
	w.try("", "notify", "list", "--state", w.plant("state of messages"))
	w.do("", "notify", "retry", "--all")
	w.try("", "notify", "retry", w.plant("message"))
	w.do("", "watch", "remove", "places")
	w.try("", "watch", "remove", w.plant("watch remove"))
}

func (w *walk) stores() {
	w.do("", "store", "migrate")
	w.try("", "store", "migrate", w.plant("store migrate"))
	backup := w.out("backup.db")
	w.do("", "store", "backup", "--out", backup)
	w.try("", "store", "backup", "--out", w.plant("folder of a backup")+"/x")
	w.do("", "store", "copy", "--to", w.out("copy.db"))
	w.try("", "store", "copy", "--to", "postgres://u:"+w.plant("password of a database")+"@127.0.0.1:1/x")
	w.try("", "store", "copy", "--to", "postgres://u:"+w.plant("password that is not encoded")+"%@127.0.0.1:1/x")
	w.try("", "store", "restore", backup) // there is a registry
	if err := os.Rename(storeFile(w.registry()), w.out("moved.db")); err != nil {
		w.t.Fatal(err)
	}
	w.try("", "store", "restore", w.write("../fields/no-backup", w.plant("no backup at all")))
	w.try("", "store", "restore", w.plant("a backup's name"))
	w.do("", "store", "restore", backup)
}

func (w *walk) packs() {
	edge, key := w.out("edge.pack"), w.out("edge.key")
	w.do("", "pack", "export", "--out", edge, "--key-out", key)
	w.try("", "pack", "export", "--audience", w.plant("audience"), "--out", w.out("x"))
	token := w.write("../fields/token", w.plant("token of a server"))
	server := packServer(w.t, edge, w.planted[len(w.planted)-1].value)
	w.do("", "pack", "pull", "--server", server, "--token", "file:"+token, "--out", w.out("pulled.pack"))
	w.try("", "pack", "pull", "--server", server, "--token", "file:"+w.write("../fields/wrong", w.plant("wrong token")), "--out", w.out("x"))
	w.do("", "hook", "tell", "--server", server, "--token", "file:"+token)
	w.try("", "hook", "tell", w.plant("argument of hook tell"))
	w.try(w.plant("token of a login"), "login", server)
	w.do("", "login", server, "--token", "file:"+token) // which it keeps, for this user alone
	w.do("", "logout")
	w.try("", "logout", w.plant("argument of logout"))
	w.try("", "pack", "pull", "--server", "https://u:"+w.plant("password of a server")+"@127.0.0.1:1", "--token", "file:"+token, "--out", w.out("x"))
	w.do("", "pack", "inspect", edge)
	w.try("", "pack", "inspect", w.write("../fields/no-pack", w.plant("no pack at all")))
	w.do("", "pack", "verify", edge, "--pack-key", key)
	w.do("", "pack", "verify", edge)
	w.try("", "pack", "verify", edge, "--pack-key", w.write("../fields/no-key", w.plant("no key at all")))
	w.do("", "dir", w.work, "--pack", edge, "--pack-key", key)
}

func (w *walk) keyCare() {
	pass := w.write("../fields/passphrase", w.plant("passphrase")+"\n")
	wrong := w.write("../fields/wrong", w.plant("wrong passphrase")+"\n")
	backup := w.out("ring.age")
	w.do("", "key", "verify")
	w.try("", "key", "verify", w.plant("key verify"))
	w.do("", "key", "backup", "--out", backup, "--passphrase-file", pass)
	w.try("", "key", "backup", "--out", backup, "--recipient", w.plant("recipient"))
	w.do("", "key", "verify", "--backup", backup, "--passphrase-file", pass)
	w.try("", "key", "restore", backup, "--passphrase-file", wrong)
	w.do("", "key", "restore", backup, "--passphrase-file", pass)
	w.do("", "key", "rotate")
	w.do("", "key", "rotate", "--compromise")
	w.try("", "key", "rotate", w.plant("key rotate"))
	w.do("", "key", "registrar", "--out", w.out("registrar.age"), "--passphrase-file", pass)
	w.try("", "key", "registrar", "--out", w.out("registrar2.age"), "--recipient", w.plant("registrar recipient"))
	w.do("", "dir", w.work, "--only", "registered")
}

// wrongPlaces types values where something else belongs, at every level.
func (w *walk) wrongPlaces() {
	for _, args := range [][]string{
		{w.plant("command")},
		{"secret", w.plant("subcommand")},
		{"--" + w.plant("flag")},
		{"secret", "add", "a", w.plant("second argument")},
		{"secret", "add", "app/x", "--" + w.plant("flag of add")},
		{"secret", "add", "app/x", "--class=" + w.plant("class")},
		{"secret", "rotate", "app/added", "--window=" + w.plant("duration")},
		{"dir", w.work, "--workers", w.plant("number")},
		{"dir", w.work, "--exclude", "[" + w.plant("glob")},
		{"--home", filepath.Join(w.work, "raw.txt"), "status"},
		{"prove", "app/added@" + w.plant("number of a version")},
	} {
		w.try("", args...)
	}
}

// hooks runs hooks in a repository that is full of canaries.
func (w *walk) hooks(repo, added string) {
	w.t.Helper()
	env, dir := w.env, w.box.cwd
	defer func() { w.env, w.box.cwd = env, dir }()
	w.box.cwd = repo
	w.write("../repo/staged.env", "PASSWORD="+added+"\n")
	w.gitIn(repo, "add", "-A")
	head := w.gitIn(repo, "rev-parse", "HEAD")
	line := "refs/heads/" + added + " " + head + " refs/heads/" + added + " " + strings.Repeat("0", 40) + "\n"
	w.do("", "hook", "run", "pre-commit")
	w.do(line, "hook", "run", "pre-push", "origin", "https://me:"+added+"@git.example.org/x.git")
	w.do(strings.Repeat("0", 40)+" "+head+" refs/heads/"+added+"\n", "hook", "run", "pre-receive")
	w.do("", "hook", "run", "pre-commit", "--override", "a reason")
	w.try("", "hook", "run", "pre-commit", "--override", "a reason with "+added)
	w.try("", "hook", "run", w.plant("name of a hook"))
	w.try("", "hook", "run", "commit-msg", w.plant("file of a message"))
	w.do("", "hook", "run", "pre-commit", "--pack", w.plant("pack of a hook"), "--pack-key", w.plant("key of a hook"))
	w.gitIn(repo, "reset", "-q", "--hard")
	w.do("a line with "+w.plant("an argument in a build's log")+"\n", "ci", "--log", w.write("../fields/log", "TOKEN="+added+"\n"))
	w.try("", "ci", "--base", w.plant("base of a change"))
	w.try("", "ci", "--head", w.plant("head of a change"))
	w.try("", "ci", "--provider", w.plant("provider"))
	w.try("", "ci", "--log", w.plant("file of a log"))
}
