package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// state waits for a watch to be in a state.
func (b *box) state(s *running, name, want string) {
	b.t.Helper()
	b.within(soon, name+" is "+want, func() string {
		show := b.run("", "watch", "show", name)
		if strings.Contains(show.stdout, want) {
			return ""
		}
		return show.stdout + show.stderr + s.log()
	})
}

// TestServeFullDisk has the registry's disk run full under a server. It lives, says
// that it cannot work, and goes on when there is room; nothing has failed and
// nothing is lost.
func TestServeFullDisk(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Fatal("this test mounts a small file system and needs root, as in CI")
	}
	b := newBox(t)
	if err := os.MkdirAll(b.registry(), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", b.registry(), "tmpfs", 0, "size=6m,mode=0700"); err != nil {
		t.Fatalf("mounting a small file system: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(b.registry(), syscall.MNT_DETACH) })
	value := generated(4301)
	b.must(0, "", "init")
	b.must(0, value, "secret", "add", "shop/key")
	b.write("notes/a.txt", "nothing\n")
	b.must(0, "", "watch", "add", "notes", "--every", "10s", "--", "dir", filepath.Join(b.work, "notes"))
	s := b.launch("serve")
	b.state(s, "notes", "complete")

	filler := filepath.Join(b.registry(), "filler")
	f, err := os.Create(filler)
	if err != nil {
		t.Fatal(err)
	}
	for block := make([]byte, 4096); err == nil; {
		_, err = f.Write(block)
	}
	_ = f.Close()
	b.write("notes/b.txt", value+"\n")
	b.within(soon, "it says that there is no room", func() string {
		if strings.Contains(s.log(), "no space left") {
			return ""
		}
		return s.log()
	})
	if resp, err := http.Get(s.at() + "/healthz"); err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("it answers no more: %v %v", resp, err)
	} else {
		_ = resp.Body.Close()
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	b.within(soon, "it finds what was written meanwhile", func() string {
		return cmp.Diff(map[string]string{"notes b.txt shop/key@1": "leaked"}, b.copies())
	})
	if show := b.must(0, "", "watch", "show", "notes").stdout; strings.Contains(show, "failures") {
		t.Errorf("a full disk is not the watch's failure:\n%s", show)
	}
	s.stop()
	b.must(0, "", "audit", "verify")
	b.must(0, "", "doctor")
}

// TestServeClock sets the clock ahead and back under a server: nothing is left
// waiting for a time that will not come for long, and nothing is lost.
func TestServeClock(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	clock := filepath.Join(b.dir, "clock")
	set := func(d string) {
		if err := os.WriteFile(clock, []byte(d), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	set("0s")
	b.env = append(b.env, clockIn+"="+clock)
	value := generated(4401)
	b.must(0, "", "init")
	b.must(0, value, "secret", "add", "shop/key")
	want := map[string]string{}
	b.write("notes/a.txt", "nothing\n")
	b.must(0, "", "watch", "add", "notes", "--every", "1h", "--", "dir", filepath.Join(b.work, "notes"))
	s := b.launch("serve")
	b.state(s, "notes", "complete")
	for i, jump := range []string{"72h", "-48h", "-46h"} {
		name := fmt.Sprintf("%d.txt", i)
		b.write("notes/"+name, value+"\n")
		set(jump)
		if jump == "-48h" { // its next scan was to be in five days
			b.within(soon, "the scan is brought forward", func() string {
				var w watchJSON
				if err := json.Unmarshal([]byte(b.must(0, "", "watch", "show", "notes", "--json").stdout), &w); err != nil {
					t.Fatal(err)
				}
				if w.NextRun != nil && w.NextRun.Before(time.Now().Add(-46*time.Hour)) {
					return ""
				}
				return fmt.Sprint(w.NextRun) + s.log()
			})
			want["notes "+name+" shop/key@1"] = "leaked"
			continue
		}
		want["notes "+name+" shop/key@1"] = "leaked"
		b.within(soon, "it is scanned after the clock was set", func() string { return cmp.Diff(want, b.copies()) })
	}
	s.stop()
	b.must(0, "", "audit", "verify")
}

// TestServeTwice has two servers at once on one registry: each scan is done once,
// and each thing is told once.
func TestServeTwice(t *testing.T) {
	t.Parallel()
	value := generated(4501)
	var mu sync.Mutex
	told := map[string]int{}
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		var m struct {
			Events []struct {
				Event   string
				Finding struct{ Path string }
			}
		}
		mu.Lock()
		defer mu.Unlock()
		if err := json.Unmarshal(text, &m); err != nil || len(m.Events) == 0 || strings.Contains(string(text), value) {
			t.Errorf("%v: %s", err, text)
		}
		for _, n := range m.Events {
			told[n.Event+" "+n.Finding.Path]++
		}
	}))
	t.Cleanup(receiver.Close)
	b := newBox(t)
	b.env = append(b.env, "HOOK_SECRET="+generated(4502))
	b.must(0, "", "init")
	b.must(0, value, "secret", "add", "shop/key")
	config := b.write("revenant.yaml", fmt.Sprintf(`notify:
  receivers:
    - {name: hook, window: 1s, webhook: {url: "%s", secret: env:HOOK_SECRET}}
  rules:
    - {name: all, receivers: [hook]}
`, receiver.URL))
	const watches = 12
	want := map[string]int{}
	for i := range watches {
		name := fmt.Sprintf("w%d", i)
		b.write(name+"/"+name+".txt", value+"\n")
		b.must(0, "", "watch", "add", name, "--every", "never", "--", "dir", filepath.Join(b.work, name))
		want["opened "+name+".txt"] = 1
	}
	one, two := b.launch("serve", "--config", config), b.launch("serve", "--config", config)
	b.within(soon, "each is told once", func() string {
		mu.Lock()
		defer mu.Unlock()
		return cmp.Diff(want, told)
	})
	time.Sleep(2 * time.Second) // what is told twice would come now
	one.stop()
	two.stop()
	mu.Lock()
	defer mu.Unlock()
	if d := cmp.Diff(want, told); d != "" {
		t.Errorf("told (-want +got):\n%s", d)
	}
	scans := map[string]int{}
	for i := range watches {
		word := fmt.Sprintf("msg=scanned watch=w%d ", i)
		scans[word] = strings.Count(one.log()+two.log(), word)
		if scans[word] != 1 {
			t.Errorf("%s: %d times", word, scans[word])
		}
	}
	t.Logf("the first did %d of %d", strings.Count(one.log(), "msg=scanned"), watches)
}
