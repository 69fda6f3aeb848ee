package web_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// chromium is a browser without a screen.
type chromium struct {
	t   *testing.T
	ctx context.Context //nolint:containedctx // of the browser
	axe string          // what examines pages
}

// patience is how long one thing may take in the browser.
const patience = 30 * time.Second

// newChromium starts a browser, which ends with the test.
func newChromium(t *testing.T) *chromium {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("Chromium is not installed, so what people see and do in the dashboard was not tested: make needs-test installs it (Debian: apt-get install chromium)")
	}
	axe, err := os.ReadFile(filepath.Join("..", "build", "axe", "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		t.Skip("axe is not there, so the dashboard was not examined for people who cannot see or use a mouse: make needs-axe fetches it")
	}
	options := append(
		chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.WSURLReadTimeout(2*patience), chromedp.Flag("lang", "en-GB"), chromedp.Env("TZ=Europe/Berlin", "LANG=en_GB.UTF-8"),
	)
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, stop := chromedp.NewContext(ctx)
	t.Cleanup(stop)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal("starting Chromium: ", err)
	}
	return &chromium{t: t, ctx: ctx, axe: string(axe)}
}

// tab is a window of somebody. What its pages complain of fails the test.
type tab struct {
	c    *chromium
	t    *testing.T
	ctx  context.Context //nolint:containedctx // of the window
	site *site

	mu       sync.Mutex
	problems []string
	hosts    map[string]bool
}

// tab opens a window with cookies of its own.
func (c *chromium) tab(t *testing.T, s *site) *tab {
	t.Helper()
	w := &tab{c: c, t: t, site: s, hosts: map[string]bool{}}
	ctx, cancel := chromedp.NewContext(c.ctx, chromedp.WithNewBrowserContext(), chromedp.WithListener(w.heard))
	w.ctx = ctx
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal("opening a window: ", err)
	}
	call(w, network.Enable, network.EnableParams{})
	call(w, log.Enable, cdp.Empty{})
	t.Cleanup(func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, p := range w.problems {
			t.Errorf("the page complains: %s", p)
		}
		for host := range w.hosts {
			if host != s.url && host != "data:" {
				t.Errorf("the page asks another host: %s", host)
			}
		}
		cancel()
	})
	return w
}

// heard gathers what pages complain of, and whom they ask.
func (w *tab) heard(event any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		w.problems = append(w.problems, e.ExceptionDetails.Text)
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError && !strings.Contains(e.Entry.Text, "the server responded with a status of 4") {
			w.problems = append(w.problems, e.Entry.Text)
		}
	case *network.EventRequestWillBeSent:
		scheme, rest, _ := strings.Cut(e.Request.URL, ":")
		host, _, _ := strings.Cut(strings.TrimPrefix(rest, "//"), "/")
		if scheme == "data" {
			w.hosts["data:"] = true
		} else {
			w.hosts[scheme+"://"+host] = true
		}
	}
}

// call sends a command to the window's browser.
func call[P, R any](w *tab, command cdp.Command[P, R], params P) R {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	out, err := chromedp.Call(ctx, command, params)
	if err != nil {
		w.t.Fatalf("in the browser: %v", err)
	}
	return out
}

// run runs an action that returns something.
func run[T any](w *tab, action chromedp.Action[T]) T {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	out, err := chromedp.Run(ctx, action)
	if err != nil {
		w.t.Fatalf("in the browser: %v", err)
	}
	return out
}

// do does things in the window, one after the other.
func (w *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	w.t.Helper()
	run(w, chromedp.Steps(actions...))
}

// open goes to a page of the dashboard.
func (w *tab) open(path string) {
	w.t.Helper()
	w.do(chromedp.Navigate(w.site.url + path))
}

// as signs somebody in, without the page for it.
func (w *tab) as(person string) *tab {
	w.t.Helper()
	call(w, network.SetCookie, network.SetCookieParams{Name: cookie, Value: person, URL: w.site.url})
	return w
}

// size makes the window so many pixels wide.
func (w *tab) size(width int64) {
	w.t.Helper()
	call(w, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: 900, DeviceScaleFactor: 1, Mobile: width < 600})
}

// theme asks for light or dark pages, as the system would.
func (w *tab) theme(word string) {
	w.t.Helper()
	call(w, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: word}, {Name: "prefers-reduced-motion", Value: "reduce"}}})
}

// plain turns scripts off.
func (w *tab) plain() {
	w.t.Helper()
	call(w, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
}

// text is what can be read at a place.
func (w *tab) text(selector string) string {
	w.t.Helper()
	return strings.TrimSpace(run(w, chromedp.Text(chromedp.CSS(selector))))
}

// eval is what a script returns.
func eval[T any](w *tab, script string) T {
	w.t.Helper()
	return run(w, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
}

// until waits for a script to return true, also across pages.
func (w *tab) until(script string) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	for {
		_, err := chromedp.Run(ctx, chromedp.Poll[bool]("document.readyState === 'complete' && !!("+script+")"))
		if err == nil {
			return
		}
		if ctx.Err() != nil { // else another page has come
			w.t.Fatalf("waiting in the browser for %s: %v", script, err)
		}
	}
}

// press presses keys, one after the other: characters, or names as Escape. What a
// page prevents is not typed.
func (w *tab) press(keys ...string) {
	w.t.Helper()
	for _, key := range keys {
		p := input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyDown, Key: key, WindowsVirtualKeyCode: map[string]int64{"Escape": 27, "Enter": 13}[key]}
		switch {
		case len(key) == 1:
			p.Text = key
		case key == "Enter":
			p.Text = "\r"
		}
		call(w, input.DispatchKeyEvent, p)
		call(w, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyUp, Key: key})
	}
}

// fill writes into a field.
func (w *tab) fill(selector, text string) {
	w.t.Helper()
	w.do(chromedp.SendKeys(chromedp.CSS(selector), text))
}

// click clicks on what can be seen at a place.
func (w *tab) click(selector string) {
	w.t.Helper()
	w.do(chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible))
}

// see waits until something can be seen.
func (w *tab) see(selector string) {
	w.t.Helper()
	w.do(chromedp.WaitVisible(chromedp.CSS(selector)))
}

// violation is something that axe has against a page.
type violation struct {
	ID    string `json:"id"`
	Help  string `json:"help"`
	Nodes []struct {
		HTML    string `json:"html"`
		Summary string `json:"failureSummary"`
	} `json:"nodes"`
}

// examine has axe look at the page; it also must not be wider than the window.
func (w *tab) examine(what string) {
	w.t.Helper()
	if !eval[bool](w, "!!window.axe") { // the browser may what the page's policy lets no page do
		eval[bool](w, w.c.axe+"; true")
	}
	for _, v := range eval[[]violation](w, "axe.run(document, {resultTypes: ['violations']}).then((r) => r.violations)") {
		for _, n := range v.Nodes {
			w.t.Errorf("%s: %s: %s\n%s\n%s", what, v.ID, v.Help, n.HTML, n.Summary)
		}
	}
	if over := eval[int](w, "document.documentElement.scrollWidth - document.documentElement.clientWidth"); over > 0 {
		w.t.Errorf("%s: the page is %d pixels wider than the window", what, over)
	}
}

// shots is the folder for pictures of pages; "": none are taken.
func shots() string { return os.Getenv("REVENANT_SHOTS") }

// shoot takes a picture of the page, where somebody wants to look at it.
func (w *tab) shoot(name string) {
	w.t.Helper()
	dir := shots()
	if dir == "" {
		return
	}
	b := run(w, chromedp.FullScreenshot(100))
	if err := os.WriteFile(filepath.Join(dir, name+".png"), b, 0o644); err != nil {
		w.t.Fatal(err)
	}
}

// look examines a page in both themes at every width, and takes pictures.
func (w *tab) look(path, name string) {
	w.t.Helper()
	w.open(path)
	for _, theme := range []string{"light", "dark"} {
		w.theme(theme)
		for _, width := range []int64{360, 1280, 2560} {
			w.size(width)
			w.examine(fmt.Sprintf("%s, %s, %d px", path, theme, width))
			w.shoot(fmt.Sprintf("%s-%d-%s", name, width, theme))
		}
	}
}

// painted is when something was first seen of the page, in milliseconds.
func (w *tab) painted() float64 {
	w.t.Helper()
	w.until("performance.getEntriesByName('first-contentful-paint').length > 0")
	return eval[float64](w, "performance.getEntriesByName('first-contentful-paint')[0].startTime")
}
