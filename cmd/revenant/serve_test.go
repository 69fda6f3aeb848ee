package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/registry"
)

// running is a server or worker as a process.
type running struct {
	b    *box
	cmd  *exec.Cmd
	mu   sync.Mutex
	said bytes.Buffer
	done chan struct{}
}

// Write implements io.Writer, for what it says.
func (r *running) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.said.Write(p)
}

func (r *running) log() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.said.String()
}

// launch starts serve or worker, and waits for it to be ready.
func (b *box) launch(args ...string) *running {
	b.t.Helper()
	r := &running{b: b, done: make(chan struct{})}
	r.cmd = b.command(b.t.Context(), "", args...)
	r.cmd.Env = append(r.cmd.Env[:len(r.cmd.Env):len(r.cmd.Env)], "REVENANT_SERVE_LISTEN=127.0.0.1:0")
	r.cmd.Stdout, r.cmd.Stderr = r, r
	if err := r.cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	go func() {
		_ = r.cmd.Wait()
		close(r.done)
	}()
	b.t.Cleanup(r.kill)
	word := "msg=ready"
	if args[0] == "serve" {
		word = "msg=answering"
	}
	b.within(time.Minute, "it is ready", func() string {
		if strings.Contains(r.log(), word) {
			return ""
		}
		select {
		case <-r.done:
			b.t.Fatalf("it ended: %s", r.log())
		default:
		}
		return "it says: " + r.log()
	})
	return r
}

func (r *running) kill() {
	_ = r.cmd.Process.Kill()
	<-r.done
}

// stop ends it in order.
func (r *running) stop() {
	r.b.t.Helper()
	_ = r.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-r.done:
	case <-time.After(soon):
		r.b.t.Fatalf("it does not end: %s", r.log())
	}
	if code := r.cmd.ProcessState.ExitCode(); code != 0 {
		r.b.t.Errorf("exit code %d: %s", code, r.log())
	}
}

// at is where a server answers.
func (r *running) at() string {
	return regexp.MustCompile(`answering at=(\S+)`).FindStringSubmatch(r.log())[1]
}

// soon is how long something may take that takes a moment, on a machine with
// much to do.
const soon = time.Minute

// within waits until wrong says nothing more.
func (b *box) within(most time.Duration, what string, wrong func() string) {
	b.t.Helper()
	end := time.Now().Add(most)
	for {
		text := wrong()
		if text == "" {
			return
		}
		if time.Now().After(end) {
			b.t.Fatalf("not within %s: %s: %s", most, what, text)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// copies are where which versions were found, with their verdicts.
func (b *box) copies() map[string]string {
	b.t.Helper()
	var list []struct {
		Path    string `json:"path"`
		Source  string `json:"source"`
		Verdict string `json:"verdict"`
		Matches []struct {
			Secret  string `json:"secret"`
			Version int    `json:"version"`
		} `json:"matches"`
	}
	if err := json.Unmarshal([]byte(b.must(0, "", "findings", "list", "--json").stdout), &list); err != nil {
		b.t.Fatal(err)
	}
	out := map[string]string{}
	for _, f := range list {
		what := "generic"
		if len(f.Matches) > 0 {
			what = f.Matches[0].Secret + "@" + strconv.Itoa(f.Matches[0].Version)
		}
		if what == "generic" {
			continue
		}
		key := filepath.Base(f.Source) + " " + f.Path + " " + what
		if _, twice := out[key]; twice {
			b.t.Errorf("%s stands there twice", key)
		}
		out[key] = f.Verdict
	}
	return out
}

// TestServe follows a value from a push to its end, without a scan by hand.
func TestServe(t *testing.T) {
	b := newBox(t)
	b.must(0, "", "init")
	one, two, secret := generated(4001), generated(4002), generated(4003)
	b.must(0, one, "secret", "add", "shop/key")
	repo := b.repository("shop", generated(4009), generated(4010))
	folder := b.write("notes/a.txt", "nothing\n")
	hook := b.write("secret", secret)
	config := b.write("revenant.yaml", fmt.Sprintf("push:\n  git: [\"file:%s\"]\nwatches:\n  - {name: notes, scan: [dir, %s], every: never}\n", hook, filepath.Dir(folder)))
	b.must(0, "", "config", "check", config)
	b.must(0, "", "watch", "add", "shop", "--every", "never", "--", "git", repo)
	b.must(0, "", "watch", "add", "absent", "--", "dir", filepath.Join(b.work, "absent"))
	s := b.launch("serve", "--config", config)
	b.within(soon, "all is scanned", func() string {
		list := b.must(0, "", "watch", "list").stdout
		if strings.Count(list, "complete") == 2 && strings.Contains(list, "failed") && strings.Contains(list, "no such file") {
			return ""
		}
		return list
	})
	// A push is scanned, and nothing else is.
	b.write("shop/leak.txt", "key="+one+"\n")
	b.gitIn(repo, "add", ".")
	b.gitIn(repo, "commit", "-qm", "leak")
	body := `{"url":"ssh://git@git.example.org/acme/shop.git","ref":"refs/heads/main"}`
	signed := func(key string) string {
		at := strconv.FormatInt(time.Now().Unix(), 10)
		mac := hmac.New(sha256.New, []byte(key))
		_, _ = mac.Write([]byte(at + "." + body))
		return "t=" + at + ",v1=" + hex.EncodeToString(mac.Sum(nil))
	}
	post := func(signature string) int {
		q, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.at()+"/hooks/git", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		q.Header.Set("Content-Type", "application/json")
		q.Header.Set("X-Revenant-Signature", signature)
		resp, err := http.DefaultClient.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		answer, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		t.Logf("%d %s", resp.StatusCode, answer)
		return resp.StatusCode
	}
	if code := post(signed(generated(4004))); code != http.StatusUnauthorized {
		t.Errorf("an unsigned push: %d", code)
	}
	if code := post(signed(secret)); code/100 != 2 {
		t.Errorf("a push: %d", code)
	}
	want := map[string]string{"shop leak.txt shop/key@1": "leaked"}
	same := func(what string) {
		t.Helper()
		b.within(soon, what, func() string {
			return cmp.Diff(want, b.copies())
		})
	}
	same("what was pushed is found")
	// A value that is registered later is searched for in what was scanned before.
	b.write("notes/b.txt", two+"\n")
	b.must(0, "", "watch", "scan", "notes")
	b.within(soon, "the folder is scanned", func() string {
		show := b.must(0, "", "watch", "show", "notes").stdout
		if strings.Contains(show, "complete") && strings.Contains(show, "2 items") {
			return ""
		}
		return show
	})
	b.must(0, two, "secret", "rotate", "shop/key", "--window", "1h")
	want["shop leak.txt shop/key@1"], want["notes b.txt shop/key@2"] = "lagging", "leaked"
	same("the new value is searched for")
	b.within(soon, "the coverage is complete", func() string {
		r := b.run("", "coverage", "shop/key@2")
		if strings.Contains(r.stdout, "complete, 2 of 2") {
			return ""
		}
		return r.stdout
	})
	b.must(0, "", "secret", "retire", "shop/key@1")
	want["shop leak.txt shop/key@1"] = "stale"
	same("a retired value is stale at once")
	s.stop()
	b.nothingOf(one, two, secret)
}

// nothingOf wants no value in anything that was written.
func (b *box) nothingOf(values ...string) {
	b.t.Helper()
	b.nothingIn(b.dir, values...)
}

// nothingIn wants no value in any file below a folder: of PostgreSQL's, tables,
// indexes and the log of what was written.
func (b *box) nothingIn(dir string, values ...string) {
	b.t.Helper()
	err := filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(p)
		for i, v := range values {
			if bytes.Contains(data, []byte(v)) {
				b.t.Errorf("value %d stands in %s", i, p)
			}
		}
		return err
	})
	if err != nil {
		b.t.Error(err)
	}
}

// TestServeGroup watches an organisation: its repositories are watches, which
// come and go with it.
func TestServeGroup(t *testing.T) {
	b := newBox(t)
	b.must(0, "", "init")
	value := generated(4101)
	b.must(0, value, "secret", "add", "shop/key")
	root := filepath.Join(b.work, "srv")
	b.write("srv/.keep", "")
	for _, name := range []string{"one", "two", "old"} {
		b.write(name+"/file", name+" "+value+"\n")
		dir := filepath.Join(b.work, name)
		b.gitIn(dir, "init", "-q", "-b", "main")
		b.gitIn(dir, "add", ".")
		b.gitIn(dir, "commit", "-qm", name)
		b.gitIn(root, "clone", "-q", "--bare", dir, name+".git")
	}
	backend := &cgi.Handler{
		Path: filepath.Join(b.gitIn(root, "--exec-path"), "git-http-backend"),
		Root: "/git", Env: []string{"GIT_PROJECT_ROOT=" + root, "GIT_HTTP_EXPORT_ALL=1", "GIT_CONFIG_NOSYSTEM=1"},
	}
	var mu sync.Mutex
	names, broken := []string{"one", "two"}, false
	mux := http.NewServeMux()
	mux.Handle("/git/", backend)
	mux.HandleFunc("/api/v3/orgs/acme/repos", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if broken {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		list := []map[string]any{{"full_name": "acme/old", "clone_url": "http://" + r.Host + "/git/old.git", "archived": true, "size": 1}}
		for _, n := range names {
			list = append(list, map[string]any{"full_name": "acme/" + n, "clone_url": "http://" + r.Host + "/git/" + n + ".git", "size": 1})
		}
		_ = json.NewEncoder(w).Encode(list)
	})
	forge := httptest.NewServer(mux)
	t.Cleanup(forge.Close)
	set := func(bad bool, list ...string) {
		mu.Lock()
		defer mu.Unlock()
		names, broken = list, bad
	}
	b.must(0, "", "watch", "add", "acme", "--every", "1h", "--", "git", "--group", "github:acme@"+forge.URL, "--no-archived", "--only", "registered")
	s := b.launch("serve")
	wants := func(what string, states map[string]string) {
		t.Helper()
		b.within(soon, what, func() string {
			var list []watchJSON
			if err := json.Unmarshal([]byte(b.must(0, "", "watch", "list", "--json").stdout), &list); err != nil {
				t.Fatal(err)
			}
			got := map[string]string{}
			for _, w := range list {
				got[w.Name] = w.State
			}
			if d := cmp.Diff(states, got); d != "" {
				return d + s.log()
			}
			return ""
		})
	}
	wants("members are scanned", map[string]string{"acme": "complete", "acme/acme/one": "complete", "acme/acme/two": "complete"})
	if got := b.copies(); len(got) != 2 {
		t.Errorf("found %v", got)
	}
	set(true)
	b.must(0, "", "watch", "scan", "acme")
	wants("a group that cannot be listed loses nothing", map[string]string{"acme": "failed", "acme/acme/one": "complete", "acme/acme/two": "complete"})
	set(false, "two")
	b.must(0, "", "watch", "scan", "acme")
	wants("what is gone is watched no more", map[string]string{"acme": "complete", "acme/acme/two": "complete"})
	b.must(0, "", "watch", "remove", "acme")
	wants("a group goes with its members", map[string]string{})
	s.stop()
	b.nothingOf(value)
}

// TestServeRegistry watches a whole registry: its repositories are watches, which
// come with it, each with all of its tags.
func TestServeRegistry(t *testing.T) {
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(server.Close)
	host := strings.TrimPrefix(server.URL, "http://")
	b := newBox(t)
	b.must(0, "", "init")
	value := generated(4601)
	b.must(0, value, "secret", "add", "shop/key")
	savedImage(t, host+"/team/shop:1", "", "key="+value)
	savedImage(t, host+"/team/shop:2", "", "nothing")
	savedImage(t, host+"/tools:1", "", "nothing")
	savedImage(t, host+"/left/out:1", "", "key="+value)
	b.must(0, "", "watch", "add", "reg", "--every", "1h", "--", "image", "--repo", "team/**", host, "--repo=tools", "--only", "registered")
	s := b.launch("serve")
	b.within(soon, "repositories are scanned", func() string {
		var list []watchJSON
		if err := json.Unmarshal([]byte(b.must(0, "", "watch", "list", "--json").stdout), &list); err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, w := range list {
			got[w.Name] = strings.TrimSpace(w.State+" "+w.Problem) + " " + strings.Join(w.Scan, " ")
		}
		return cmp.Diff(map[string]string{
			"reg":           "complete image --repo team/** " + host + " --repo=tools --only registered",
			"reg/team/shop": "complete image " + host + "/team/shop --only registered --all-tags",
			"reg/tools":     "complete image " + host + "/tools --only registered --all-tags",
		}, got)
	})
	want := map[string]string{"shop @env/NOTE shop/key@1": "leaked", "shop app/.env shop/key@1": "leaked"}
	if d := cmp.Diff(want, b.copies()); d != "" {
		t.Error(d)
	}
	s.stop()
}

// TestServeRests has watches that look for no registered value be done when they
// are scanned: newer values are not for them.
func TestServeRests(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.must(0, "", "init")
	b.must(0, generated(4201), "secret", "add", "shop/key")
	b.write("notes/a.txt", "nothing\n")
	b.must(0, "", "watch", "add", "notes", "--every", "never", "--", "dir", filepath.Join(b.work, "notes"), "--only", "generic")
	s := b.launch("serve")
	scans := func() int { return strings.Count(s.log(), "msg=scanned watch=notes") }
	b.within(soon, "it is scanned", func() string {
		if scans() == 0 {
			return "it says: " + s.log()
		}
		return ""
	})
	time.Sleep(3 * time.Second)
	s.stop()
	if n := scans(); n != 1 {
		t.Errorf("scanned %d times, and wanted once: %s", n, s.log())
	}
}
