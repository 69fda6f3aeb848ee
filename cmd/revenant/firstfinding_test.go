package main

import (
	"context"
	"net/url"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// visit is a window of a real browser, which looks at a real server.
type visit struct {
	t   *testing.T
	ctx context.Context //nolint:containedctx // of the window
}

func newVisit(t *testing.T) *visit {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("Chromium is not installed, so the way to a first finding was not walked: make needs-test installs it (Debian: apt-get install chromium)")
	}
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), append(
		chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()), chromedp.WSURLReadTimeout(soon),
	)...)
	t.Cleanup(cancel)
	ctx, stop := chromedp.NewContext(ctx)
	t.Cleanup(stop)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal("starting Chromium: ", err)
	}
	return &visit{t, ctx}
}

// look goes to an address.
func (v *visit) look(address string) {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.ctx, soon)
	defer cancel()
	if _, err := chromedp.Run(ctx, chromedp.Navigate(address)); err != nil {
		v.t.Fatalf("going to a page: %v", err)
	}
}

// script runs one in the page until it says something, also across pages.
func script[T comparable](v *visit, text string) (out T) {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.ctx, soon)
	defer cancel()
	var none T
	for out == none {
		got, err := chromedp.Run(ctx, chromedp.Poll[T](text))
		if out = got; err != nil && ctx.Err() != nil { // else another page has come
			v.t.Fatalf("waiting in the browser for %s: %v", text, err)
		}
	}
	return out
}

// painted is when something was first seen of the page, in milliseconds after it was
// asked for.
func (v *visit) painted() float64 {
	v.t.Helper()
	return script[float64](v, "performance.getEntriesByName('first-contentful-paint')[0]?.startTime")
}

// TestFirstFinding walks from an empty installation to a first finding: by the link
// that the server prints, and by the commands of the page that it leads to. How long
// that took, and when pages are seen, is told and not asserted.
func TestFirstFinding(t *testing.T) {
	v, b := newVisit(t), newBox(t)
	began := time.Now()
	b.must(0, "", "init")
	s := b.serve()
	link, err := url.Parse(regexp.MustCompile(`http://\S+/auth/setup\?code=\S+`).FindString(s.printed()))
	if err != nil {
		t.Fatal("the server printed no link")
	}
	v.look(s.url + link.RequestURI())
	if title := script[string](v, "document.querySelector('h1')?.textContent"); title != "First steps" {
		t.Fatalf("the link leads to %q", title)
	}
	signedIn := time.Since(began)
	value := generated(85)
	b.write("notes/app.env", "DB_PASSWORD="+value+"\n")
	steps := script[string](v, "[...document.querySelectorAll('.steps pre code')].map((c) => c.textContent).join('\\n')")
	ran := 0
	for line := range strings.Lines(steps) {
		args := strings.Fields(line)
		switch {
		case len(args) < 3 || args[0] != "revenant":
			continue
		case args[1] == "secret":
			b.must(0, value, args[1:]...)
		case slices.Contains(args, "/srv/notes"):
			args[slices.Index(args, "/srv/notes")] = filepath.Join(b.work, "notes")
			b.must(0, "", args[1:]...)
		default:
			continue
		}
		ran++
	}
	if ran != 2 {
		t.Fatalf("%d of the page's commands were run, want 2:\n%s", ran, steps)
	}
	asked := time.Since(began)
	found := script[string](v, "document.querySelector('h1')?.textContent === 'Overview' && document.querySelector('tr[data-row] a.row')?.href") // the page changes by itself
	seen := time.Since(began)
	v.look(found)
	if text := script[string](v, "document.querySelector('h1') && document.querySelector('main').textContent"); !strings.Contains(text, "billing/db-password@1") || !strings.Contains(text, "Why it was judged leaked") {
		t.Errorf("the first finding is %q", text)
	}
	t.Logf("from an empty installation: signed in after %.1f s, a secret registered and a folder watched after %.1f s, its finding seen after %.1f s", signedIn.Seconds(), asked.Seconds(), seen.Seconds())
	for _, path := range []string{"/", "/findings", strings.TrimPrefix(found, s.url), "/secrets/billing%2Fdb-password/versions/1"} {
		cold, warm := v.paints(s.url+path, true), v.paints(s.url+path, false)
		t.Logf("%s: something is seen after %.0f ms, %.0f ms with what the browser keeps", path, cold, warm)
	}
}

// paints is the median of when something was seen of a page, of some times that it was
// looked at, with nothing or with what the browser keeps.
func (v *visit) paints(address string, cold bool) float64 {
	v.t.Helper()
	if _, err := chromedp.Call(v.ctx, network.SetCacheDisabled, network.SetCacheDisabledParams{CacheDisabled: cold}); err != nil {
		v.t.Fatal(err)
	}
	var all []float64
	for range 3 {
		v.look(address)
		all = append(all, v.painted())
	}
	slices.Sort(all)
	return all[len(all)/2]
}
