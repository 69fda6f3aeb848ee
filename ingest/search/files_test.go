package search_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	segment "github.com/blevesearch/scorch_segment_api/v2"
	zap "github.com/blevesearch/zapx/v17"

	"revenant/fingerprints"
	"revenant/fingerprints/registry"
	"revenant/ingest/search"
	"revenant/ingest/search/query"
)

// termsOf are all terms in the files of an index, also of documents that were
// replaced: a term stands in a file as a path through an automaton, which no search
// for text finds. A file that is just being written is looked at again.
func termsOf(t testing.TB, dir string) string {
	t.Helper()
	for wait := time.Millisecond; ; wait *= 2 {
		out, err := termsNow(t, dir)
		if err == nil {
			return out
		}
		if wait > 10*time.Second {
			t.Fatal(err)
		}
		time.Sleep(wait)
	}
}

func termsNow(t testing.TB, dir string) (string, error) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "index", "*.zap"))
	if err != nil {
		return "", err
	}
	var out strings.Builder
	for _, name := range names {
		s, err := (&zap.ZapPlugin{}).Open(name)
		if err != nil {
			return "", err
		}
		for _, field := range s.Fields() {
			d, err := s.Dictionary(field)
			if err != nil {
				return "", err
			}
			eachTerm(t, d, func(term string) { out.WriteString(term + "\n") })
		}
		if err := s.Close(); err != nil {
			return "", err
		}
	}
	return out.String(), nil
}

func eachTerm(t testing.TB, d segment.TermDictionary, fn func(string)) {
	t.Helper()
	it := d.AutomatonIterator(nil, nil, nil)
	for {
		e, err := it.Next()
		if err != nil {
			t.Fatal(err)
		}
		if e == nil {
			return
		}
		fn(e.Term)
	}
}

// written is everything that lies in a folder.
func written(t testing.TB, dir string) []byte {
	t.Helper()
	var out []byte
	err := filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(name)
		out = append(out, b...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// pieces are what an index makes of a value.
func pieces(value string) []string {
	var out []string
	for _, tok := range query.Tokens(value) {
		if len(tok.Text) > 5 {
			out = append(out, tok.Text)
		}
	}
	return out
}

// standsIn reports whether a value, or a piece of it, is left in an index.
func standsIn(t testing.TB, dir, value string) string {
	t.Helper()
	terms, raw := "\n"+termsOf(t, dir), bytes.ToLower(written(t, dir))
	for _, p := range append(pieces(value), strings.ToLower(value)) {
		if strings.Contains(terms, "\n"+p+"\n") {
			return "as a term"
		}
		if bytes.Contains(raw, []byte(p)) {
			return "in the bytes"
		}
	}
	return ""
}

// A value that is registered after the index was written is in none of its files
// when the index has followed: not as a term, not in part, not of a document that
// is no more. Also where the process died after the redaction was followed, and
// before the files were rewritten.
func TestRedactedLeavesTheFiles(t *testing.T) {
	for _, many := range []int{1, 2500} {
		t.Run(fmt.Sprint(many, " findings"), func(t *testing.T) {
			k := newKit(t)
			inPath, inContext := "pathcanary"+strings.ToLower(k.text()), "contextcanary"+strings.ToLower(k.text())
			var obs []registry.Observation
			for i := range many {
				obs = append(obs, k.seen("dir:/srv", fmt.Sprint("p/", i), fmt.Sprint("deploy/", i), k.text(), ""))
			}
			last := &obs[len(obs)-1].Observed
			last.Path, last.Sighting.Context = "backup/"+inPath+".tar", "curl -u "+inContext+" https://x"
			k.scan("dir:/srv", obs...)
			x := k.open()
			k.follow(x)
			for _, v := range []string{inPath, inContext} {
				if standsIn(t, k.dir, v) != "as a term" {
					t.Fatal("the value was never in the index: the test shows nothing")
				}
				if ids, _ := k.all(x, parse(t, v), 10); len(ids) != 1 {
					t.Fatalf("%d findings have it in their texts, want 1", len(ids))
				}
			}
			k.add("late/path", inPath)
			k.add("late/context", inContext)
			k.follow(x)
			for _, v := range []string{inPath, inContext} {
				if where := standsIn(t, k.dir, v); where != "" {
					t.Errorf("a redacted value is left in the index %s", where)
				}
			}
			if ids, _ := k.all(x, parse(t, "late/path"), 10); len(ids) != 1 {
				t.Errorf("%d findings name the secret now, want 1", len(ids))
			}
			if x.Stats().Rewritten == 0 || x.Stats().Built > 1 {
				t.Errorf("the files were rewritten %d times, and the index built %d times", x.Stats().Rewritten, x.Stats().Built)
			}
			k.agree(x, k.facts(), "deploy")
			k.must(x.Close())
			for _, v := range []string{inPath, inContext} {
				if where := standsIn(t, k.dir, v); where != "" {
					t.Errorf("when the index was closed, the value is back %s", where)
				}
			}
		})
	}
}

// What a source took along leaves the files, too.
func TestForgottenLeavesTheFiles(t *testing.T) {
	k := newKit(t)
	k.scan("dir:/kept", k.seen("dir:/kept", "a", "deploy/a", k.text(), ""))
	k.scan("dir:/gone", k.seen("dir:/gone", "b", "deploy/forgottenword", k.text(), ""))
	x := k.open()
	k.follow(x)
	k.must(k.reg.ForgetSource(k.ctx, me(), "dir:/gone"))
	k.follow(x)
	if where := standsIn(t, k.dir, "forgottenword"); where != "" || x.Stats().Documents != 1 {
		t.Errorf("it is left %s, of %d findings", where, x.Stats().Documents)
	}
}

// torn is a registry that fails after so many calls, as for a process that is
// killed.
type torn struct {
	search.Registry
	left int
}

var errTorn = errors.New("torn")

func (r *torn) Redacted(ctx context.Context, a registry.Actor) (uint64, error) {
	if r.left--; r.left < 0 {
		return 0, errTorn
	}
	return r.Registry.Redacted(ctx, a)
}

func (r *torn) FindingsByID(ctx context.Context, a registry.Actor, ids []fingerprints.FindingID, places int) ([]registry.FindingDetail, error) {
	if r.left--; r.left < 0 {
		return nil, errTorn
	}
	return r.Registry.FindingsByID(ctx, a, ids, places)
}

// An index that cannot be used is built anew by itself. Where files are damaged it may
// also go on with what it had before them.
func TestBuiltAnew(t *testing.T) {
	ways := map[string]func(k *kit){
		"files are cut off": func(k *kit) { k.each("*.zap", func(file string) error { return os.Truncate(file, 100) }) },
		"files are empty":   func(k *kit) { k.each("*.zap", func(file string) error { return os.Truncate(file, 0) }) },
		"files are gone":    func(k *kit) { k.each("*.zap", os.Remove) },
		"the root is noise": func(k *kit) {
			k.must(os.WriteFile(k.files("root.bolt")[0], bytes.Repeat([]byte("noise"), 30000), 0o600))
		},
		"the root is gone": func(k *kit) { k.must(os.Remove(k.files("root.bolt")[0])) },
		"another installation's": func(k *kit) {
			other := kitOn(k.t, openStore(k.t, filepath.Join(k.t.TempDir(), "registry.db")), "another")
			other.dir = filepath.Join(k.t.TempDir(), "search")
			other.scan("dir:/other", other.seen("dir:/other", "a", "alien", other.text(), ""))
			x := other.open()
			other.follow(x)
			other.must(x.Close())
			k.must(os.RemoveAll(k.dir))
			k.must(os.Rename(other.dir, k.dir))
		},
	}
	for name, damage := range ways {
		t.Run(name, func(t *testing.T) {
			k := newKit(t)
			for range 6 {
				k.somethingIsSeen()
			}
			x := k.open()
			k.follow(x)
			k.must(x.Close())
			damage(k)
			x = k.open()
			k.follow(x)
			if x.Stats().Built != 1 && !strings.HasPrefix(name, "files") {
				t.Errorf("it was built %d times, want once", x.Stats().Built)
			}
			for _, q := range []string{"", "deploy", "-deploy", "alien"} {
				k.agree(x, k.facts(), q)
			}
		})
	}
}

// TestOneFileIsDamaged: an index may go on with what it had before, or is built anew;
// either way it tells what there is.
func TestOneFileIsDamaged(t *testing.T) {
	for n := range 8 {
		k := newKit(t)
		for range 6 {
			k.somethingIsSeen()
		}
		x := k.open()
		k.follow(x)
		k.must(x.Close())
		files := k.files("*.zap")
		k.must(os.Truncate(files[n%len(files)], int64(n/2)*50))
		x = k.open()
		k.follow(x)
		for _, q := range []string{"", "deploy", "-deploy"} {
			k.agree(x, k.facts(), q)
		}
	}
}

func (k *kit) each(pattern string, do func(file string) error) {
	k.t.Helper()
	for _, file := range k.files(pattern) {
		k.must(do(file))
	}
}

func (k *kit) files(pattern string) []string {
	k.t.Helper()
	out, err := filepath.Glob(filepath.Join(k.dir, "index", pattern))
	if err != nil || len(out) == 0 {
		k.t.Fatalf("no file %s: %v", pattern, err)
	}
	return out
}

// Where following ends at any point, it goes on from there, and what was redacted
// leaves the files all the same.
func TestCutOff(t *testing.T) {
	k := newKit(t)
	canary := "canary" + strings.ToLower(k.text())
	o := k.seen("dir:/srv", "a", "deploy/"+canary, k.text(), "")
	k.scan("dir:/srv", o, k.seen("dir:/srv", "b", "deploy/b", k.text(), ""))
	x := k.open()
	k.follow(x)
	k.must(x.Close())
	k.add("late/path", canary)
	for left := 0; ; left++ {
		opts := k.options()
		opts.Registry = &torn{Registry: k.reg, left: left}
		x, err := search.Open(k.ctx, opts)
		k.must(err)
		_, err = x.Follow(k.ctx)
		if !errors.Is(err, errTorn) {
			k.must(err)
			if left < 2 {
				t.Fatalf("it was cut off %d times: the test shows less than it says", left)
			}
			k.must(x.Close())
			break
		}
		k.must(x.Close())
	}
	k.agree(k.open(), k.facts(), "late")
	if where := standsIn(t, k.dir, canary); where != "" {
		t.Errorf("a redacted value is left in the index %s", where)
	}
}

// A store that was set back to an earlier state is indexed anew.
func TestStoreSetBack(t *testing.T) {
	k := newKit(t)
	for range 4 {
		k.somethingIsSeen()
	}
	o := k.options()
	x, err := search.Open(k.ctx, o)
	k.must(err)
	k.follow(x)
	k.must(x.Close())
	end, err := k.reg.FeedEnd(k.ctx, me())
	k.must(err)
	end.Change--
	o.Registry = setBack{k.reg, end}
	x, err = search.Open(k.ctx, o)
	k.must(err)
	defer func() { _ = x.Close() }()
	if x.Stats().Built != 1 {
		t.Error("the index is gone on with")
	}
}

// A store that was set back and went another way since, past where the index was, is
// told by the audit chain.
func TestStoreWentAnotherWay(t *testing.T) {
	k := newKit(t)
	for range 4 {
		k.somethingIsSeen()
	}
	o := k.options()
	x, err := search.Open(k.ctx, o)
	k.must(err)
	k.follow(x)
	k.must(x.Close())
	for _, c := range []struct {
		what, mac string
		built     int64
	}{{"the same past", "", 0}, {"another past", "00", 1}, {"that one again", "00", 0}} {
		o.Registry = anotherPast{k.reg, c.mac}
		x, err := search.Open(k.ctx, o)
		k.must(err)
		if n := x.Stats().Built; n != c.built {
			t.Errorf("%s: it was built %d times", c.what, n)
		}
		k.must(x.Close())
	}
}

// anotherPast is a registry whose audit chain has other records, where one is given.
type anotherPast struct {
	search.Registry
	mac string
}

func (p anotherPast) AuditAt(ctx context.Context, a registry.Actor, n uint64) (registry.AuditHead, error) {
	if p.mac == "" {
		return p.Registry.AuditAt(ctx, a, n)
	}
	return registry.AuditHead{Sequence: n, MAC: p.mac}, nil
}

type setBack struct {
	search.Registry
	end registry.FeedPosition
}

func (s setBack) FeedEnd(context.Context, registry.Actor) (registry.FeedPosition, error) {
	return s.end, nil
}

// While an index is behind it says so, shows nothing that does not match any more,
// and the total is a range.
func TestBehind(t *testing.T) {
	k := newKit(t)
	v := k.text()
	k.add("billing/db", v)
	k.scan("dir:/srv", k.seen("dir:/srv", "a", "deploy/a", v, ""), k.seen("dir:/srv", "b", "deploy/b", k.text(), ""))
	x := k.open()
	k.follow(x)
	if _, r := k.all(x, parse(t, "verdict:leaked"), 10); !r.Exact() || r.Total != 1 {
		t.Fatalf("before: %+v", r)
	}
	_, err := k.reg.Retire(k.ctx, me(), ref("billing/db", 1), registry.RetireOptions{NoSuccessor: true})
	k.must(err)
	ids, r := k.all(x, parse(t, "verdict:leaked"), 10)
	if len(ids) != 0 || r.Exact() || r.Behind.Current() || r.Total != 0 {
		t.Errorf("a finding is shown that is not leaked any more: %v, %+v", ids, r)
	}
	k.follow(x)
	if ids, r := k.all(x, parse(t, "verdict:stale"), 10); len(ids) != 1 || !r.Exact() {
		t.Errorf("after: %v, %+v", ids, r)
	}
}

// Until an index is built, the store is searched.
func TestWithoutAnIndex(t *testing.T) {
	k := newKit(t)
	for range 5 {
		k.somethingIsSeen()
	}
	x := k.open() // and it does not follow
	s := search.Store(k.options())
	for _, one := range []*search.Index{s, x} {
		ids, r := k.all(one, parse(t, "deploy OR -deploy"), 3)
		if slices.Sort(ids); len(ids) != len(k.facts()) || r.By != search.Scans {
			t.Errorf("by %s: %d findings, want %d", r.By, len(ids), len(k.facts()))
		}
	}
	k.agree(s, k.facts(), "is:open path:deploy")
	k.follow(x)
	a, _ := k.all(x, parse(t, ""), 7)
	b, _ := k.all(s, parse(t, ""), 5)
	if !slices.Equal(a, b) {
		t.Errorf("index and store have other orders:\n%v\n%v", a, b)
	}
	if _, err := x.Search(k.ctx, registry.Actor{Name: "nobody"}, parse(t, ""), search.Page{}); !errors.Is(err, registry.ErrForbidden) {
		t.Errorf("without the scope: %v", err)
	}
	if _, err := x.Search(k.ctx, me(), parse(t, ""), search.Page{After: "../x"}); !errors.Is(err, search.ErrCursor) {
		t.Errorf("with a cursor that is none: %v", err)
	}
}

func TestSuggest(t *testing.T) {
	k := newKit(t)
	v := k.text()
	k.add("billing/db", v)
	o := k.seen("git:host/shop", "a", "deploy/a", v, "")
	o.Owner = "platform team"
	k.scan("git:host/shop", o)
	k.scan("dir:/gone", k.seen("dir:/gone", "a", "deploy/a", k.text(), ""))
	x := k.open()
	k.follow(x)
	k.must(k.reg.ForgetSource(k.ctx, me(), "dir:/gone"))
	k.follow(x)
	for text, want := range map[string]string{
		"ver":                      "verdict:",
		"deploy -ow":               "-owner:",
		"(s":                       "(severity: (status: (source: (secret: (seen>",
		"age":                      "age>",
		"verdict:st":               "verdict:stale",
		"verdict:leaked,st":        "verdict:leaked,stale",
		"is:open owner:pl":         `owner:"platform team"`,
		`is:open owner:"plat`:      `owner:"platform team"`,
		"source:":                  "source:git:host/shop",
		"secret:b":                 "secret:billing/db secret:billing/db@1",
		"form:":                    "form:" + string(o.Sighting.Form),
		"nothing:x":                "",
		"is:open ":                 "",
		"path:de":                  "",
		"owner:" + "zzz":           "",
		"-(verdict:le":             "-(verdict:leaked",
		"\"some text\" presence:r": "presence:retained",
	} {
		got, err := x.Suggest(k.ctx, me(), text, 10)
		if strings.Join(got, " ") != want || err != nil {
			t.Errorf("%s: %q, %v; want %q", text, got, err, want)
		}
		if want == "" || !strings.Contains(want, ":") {
			continue
		}
		fromStore, err := search.Store(k.options()).Suggest(k.ctx, me(), text, 10)
		if !slices.Equal(got, fromStore) || err != nil {
			t.Errorf("%s: without an index %q, %v", text, fromStore, err)
		}
	}
}

// Words in order are looked for by several at once where many texts have the words.
func TestPhraseInMany(t *testing.T) {
	k := newKit(t)
	var obs []registry.Observation
	for i := range 700 {
		path := []string{"deploy/config/%d/the/end", "config/deploy/%d/the/end", "deploy/x/config/%d/the/end", "deploy/deploy/config/%d/the/end"}[k.rand.IntN(4)]
		obs = append(obs, k.seen("dir:/srv", fmt.Sprint(i), fmt.Sprintf(path, i), k.text(), ""))
	}
	k.scan("dir:/srv", obs...)
	x := k.open()
	k.follow(x)
	facts := k.facts()
	for _, text := range []string{`"deploy config"`, `"config deploy"`, `"deploy deploy"`, `"dep* config"`, `"deploy config 1*"`, `"config x"`, `"the end"`} {
		k.agree(x, facts, text)
	}
}

// Many may search while one follows and files are rewritten.
func TestSearchedWhileFollowed(t *testing.T) {
	k := newKit(t)
	k.add("billing/db", k.text())
	for range 5 {
		k.somethingIsSeen()
	}
	x := k.open()
	k.follow(x)
	ctx, stop := context.WithCancel(k.ctx)
	done := make(chan error, 4)
	for i := range 4 {
		go func() {
			q := parse(t, []string{"deploy", "", "verdict:unregistered -path:docs", "old vault"}[i])
			for ctx.Err() == nil {
				if _, err := x.Search(k.ctx, me(), q, search.Page{Facets: query.Facets()}); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for i := range 12 {
		k.somethingIsSeen()
		if len(k.hidden) > 0 && i%3 == 0 {
			k.add(fmt.Sprint("late/found-", i), k.hidden[0])
			k.hidden = k.hidden[1:]
		}
		k.follow(x)
	}
	stop()
	for range 4 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	k.agree(x, k.facts(), "deploy")
}
