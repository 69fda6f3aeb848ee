//go:build screenshots

package web_test

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"revenant/fingerprints"
	"revenant/fingerprints/registry"
)

// TestScreenshots fills an organisation, and takes the pictures of docs/screenshots:
// of every page in light, of some in dark. make screenshots runs it.
func TestScreenshots(t *testing.T) {
	const who = "ann@example.org"
	c, empty, s := newChromium(t), newSite(t), newSite(t)
	again := s.quarter()
	ids := s.estate()
	again()
	s.company(who)
	c.tab(t, empty).as("root").picture("/", "first-steps", "light")
	w := c.tab(t, s)
	w.picture("/sign-in", "sign-in", "light")
	w.as(who)
	w.picture("/", "overview", "light", "dark")
	w.picture("/findings?q=is%3Aopen+is%3Apresent", "findings", "light")
	w.picture(findingPath(ids[fingerprints.VerdictLeaked]), "finding", "light", "dark")
	for name, path := range map[string]string{
		"secrets": "/secrets", "secret": "/secrets/pay%2Fgateway", "rotations": "/rotations", "sources": "/sources", "source": "/sources/git:git.example.org%2Facme%2Fassets",
		"skipped": "/sources/git:git.example.org%2Facme%2Fassets/skipped", "watches": "/watches", "watch": "/watches/lost", "watch-a-place": "/watches/new", "leak-trace": "/secrets/shop%2Fwebhook/versions/1/trace", "traceable": "/trace", "allowed-places": "/places",
		"decisions": "/decisions", "notifications": "/notifications", "notification": "/notifications/msg_lost", "audit": "/audit", "people": "/people", "tokens": "/tokens", "account": "/account", "forget-a-source": "/sources/git:git.example.org%2Facme%2Fshop/forget",
	} {
		w.picture(path, name, "light")
	}
	w.picture("/secrets/pay%2Fgateway/versions/1", "safe-to-deactivate", "light", "dark")
}

// quarter is ninety days of an organisation, counted each day. What it returns scans
// its sources again, which show what they showed.
func (s *site) quarter() (again func()) {
	s.t.Helper()
	ctx := s.t.Context()
	value := map[string]string{}
	ref := func(name string) fingerprints.VersionRef { return fingerprints.VersionRef{Name: name, Number: 1} }
	scan := func(source string, names ...string) {
		var found []copyOf
		for i, name := range names {
			found = append(found, copyOf{path: fmt.Sprintf("deploy/%s/values-%d.yaml", filepath.Base(name), i), value: value[name], rows: s.rows(name, 1), context: "key: [secret " + name + "@1]", by: "Kim Sample", at: s.clock().Add(-48 * time.Hour)})
		}
		s.scan(source, found...)
	}
	owners := []string{"payments", "platform", "storefront", "identity"}
	names := []string{"crm/api-key", "erp/db-password", "search/token", "cdn/signing-key", "mail/relay", "reports/bucket-key", "auth/ldap", "maps/api-key"}
	for i, name := range names {
		value[name] = s.value(32)
		s.add(name, owners[i%len(owners)], value[name])
	}
	rotate := func(name string) {
		if _, err := s.reg.Rotate(ctx, me(), registry.RotateRequest{Name: name, Window: 24 * time.Hour, Fields: []registry.Field{{Value: fingerprints.NewValue([]byte(s.value(32)))}}}); err != nil {
			s.t.Fatal(err)
		}
	}
	retire := func(name string) {
		if _, err := s.reg.Retire(ctx, me(), ref(name), registry.RetireOptions{}); err != nil {
			s.t.Fatal(err)
		}
	}
	const crm, erp, logs = "git:git.example.org/acme/crm", "git:git.example.org/acme/erp", "ci:gitlab:git.example.org/acme/erp"
	on := map[int]func(){
		4: func() { scan(crm, "crm/api-key", "mail/relay", "search/token") }, 9: func() { scan(erp, "erp/db-password") }, 14: func() { rotate("crm/api-key") }, 17: func() { retire("crm/api-key") },
		25: func() { scan(logs, "reports/bucket-key", "auth/ldap") }, 31: func() { scan(crm, "mail/relay") }, 38: func() { rotate("mail/relay") }, 39: func() { scan("image:registry.example.org/erp", "cdn/signing-key", "maps/api-key") },
		47: func() { retire("mail/relay") }, 55: func() { scan(crm) }, 61: func() { rotate("erp/db-password") }, 66: func() { retire("erp/db-password") }, 72: func() { scan("image:registry.example.org/erp", "maps/api-key") }, 80: func() { scan(logs, "auth/ldap") }, 84: func() { rotate("auth/ldap") },
	}
	for day := range 88 {
		if do := on[day]; do != nil {
			do()
		}
		s.later(24 * time.Hour)
		s.count()
	}
	return func() {
		scan(crm)
		scan(erp, "erp/db-password")
		scan(logs, "auth/ldap")
		scan("image:registry.example.org/erp", "maps/api-key")
	}
}

// company is people, tokens, and scans of every source, so that most were read wholly.
func (s *site) company(who string) {
	s.t.Helper()
	ctx := s.t.Context()
	s.person(who, registry.RoleAdmin, "198.51.100.7", "198.51.100.31", "192.0.2.1")
	var err error
	for _, p := range []registry.PersonRequest{
		{Name: "bo@example.org", Display: "Bo", Roles: []registry.Role{registry.RoleTriager}, Teams: []string{"payments"}},
		{Name: "cy@example.org", Display: "Cy", Roles: []registry.Role{registry.RoleOperator}},
		{Name: "di@example.org", Display: "Di", Roles: []registry.Role{registry.RoleRegistrar, registry.RoleViewer}},
	} {
		_, add := s.reg.AddPerson(ctx, me(), p)
		err = errors.Join(err, add)
	}
	for name, scopes := range map[string][]registry.Scope{"ci-shop": {registry.ScopeScan, registry.ScopePack}, "siem": {registry.ScopeRead}} {
		_, _, add := s.reg.AddToken(ctx, me(), registry.TokenRequest{Name: name, Scopes: scopes})
		err = errors.Join(err, add)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	s.count()
}

// picture writes what is seen of a page into docs/screenshots.
func (w *tab) picture(path, name string, themes ...string) {
	w.t.Helper()
	high := int64(900)
	if name == "overview" { // with its chart
		high = 1390
	}
	call(w, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: 1280, Height: high, DeviceScaleFactor: 1})
	w.open(path)
	for _, theme := range themes {
		w.theme(theme)
		if eval[bool](w, "!!document.querySelector('[data-plot]')") {
			w.open(path) // the chart is drawn in its colours when the page comes
			w.until("document.querySelector('.uplot canvas')")
		}
		b, err := smaller(run(w, chromedp.CaptureScreenshot()))
		file := name + ".png"
		if theme != "light" {
			file = name + "-" + theme + ".png"
		}
		if err = errors.Join(err, os.WriteFile(filepath.Join("..", "docs", "screenshots", file), b, 0o644)); err != nil {
			w.t.Fatal(err)
		}
		w.t.Logf("%s: %d bytes", file, len(b))
	}
}

// smaller is a picture in 256 colours: those that most of it has, and for the others
// the nearest of these.
func smaller(b []byte) ([]byte, error) {
	full, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	count, box := map[color.Color]int{}, full.Bounds()
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			count[full.At(x, y)]++
		}
	}
	colours := slices.SortedFunc(maps.Keys(count), func(x, y color.Color) int {
		return cmp.Or(count[y]-count[x], cmp.Compare(fmt.Sprint(x), fmt.Sprint(y)))
	})
	few := image.NewPaletted(box, color.Palette(colours[:min(256, len(colours))]))
	index := map[color.Color]uint8{}
	for _, c := range colours {
		index[c] = uint8(few.Palette.Index(c))
	}
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			few.SetColorIndex(x, y, index[full.At(x, y)])
		}
	}
	var out bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	err = encoder.Encode(&out, few)
	return out.Bytes(), err
}
