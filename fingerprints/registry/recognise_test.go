package registry_test

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/fingerprints"
	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
)

func TestRegisteringRecognisesFindings(t *testing.T) {
	k := newKit(t)
	strong, middle, other := k.text(32), k.text(10), k.text(32)
	obs := []registry.Observation{
		k.seen("dir:/srv", "a.env", strong), k.seen("dir:/srv", "sub/b.env", strong),
		k.seen("dir:/srv", "c.env", middle), k.seen("dir:/srv", "d.env", other),
	}
	k.scan("dir:/srv", obs...)
	un := fingerprints.VerdictUnregistered
	if diff := cmp.Diff(map[string]fingerprints.Verdict{"a.env": un, "sub/b.env": un, "c.env": un, "d.env": un}, k.verdicts()); diff != "" {
		t.Fatal(diff)
	}
	out := k.add("strong", strong)
	want := []registry.VerdictChange{{From: un, To: fingerprints.VerdictLeaked, Count: 2}}
	if diff := cmp.Diff(want, out.Verdicts); diff != "" || out.Recognised != 2 {
		t.Errorf("recognised %d:\n%s", out.Recognised, diff)
	}
	if got := imported(t, k, registry.ImportRecord{Name: "middle", Fields: field(middle)}); got.Recognised != 1 {
		t.Errorf("import recognised %d", got.Recognised)
	}
	leaked := fingerprints.VerdictLeaked
	if diff := cmp.Diff(map[string]fingerprints.Verdict{"a.env": leaked, "sub/b.env": leaked, "c.env": leaked, "d.env": un}, k.verdicts()); diff != "" {
		t.Error(diff)
	}
	f, err := k.reg.Finding(k.ctx, me(), string(obs[0].FindingID))
	if err != nil || f.ID != obs[0].FindingID || f.Matches[0].Secret != "strong" {
		t.Errorf("the finding did not keep its id: %+v, %v", f, err)
	}
}

func TestAdopt(t *testing.T) {
	k := newKit(t)
	value := k.text(32)
	o := k.seen("dir:/srv", "a.env", value)
	k.scan("dir:/srv", o)
	q := registry.AdoptRequest{
		Finding: string(o.FindingID)[:12], Value: fingerprints.NewValue([]byte(k.text(32))),
		AddRequest: registry.AddRequest{Name: "adopted"},
	}
	if _, err := k.reg.Adopt(k.ctx, me(), q); !errors.Is(err, registry.ErrOtherValue) {
		t.Fatalf("another value: error %v, want ErrOtherValue", err)
	}
	q.Value = fingerprints.NewValue([]byte(value))
	out, err := k.reg.Adopt(k.ctx, me(), q)
	if err != nil || out.Version != 1 || out.Recognised != 1 {
		t.Fatalf("%+v, %v", out, err)
	}
	f, err := k.reg.Finding(k.ctx, me(), string(o.FindingID))
	if err != nil || f.ID != o.FindingID || f.Verdict != fingerprints.VerdictLeaked {
		t.Errorf("%+v, %v", f, err)
	}
	if again, err := k.reg.Adopt(k.ctx, me(), q); err != nil || !again.Unchanged {
		t.Errorf("repeated: %+v, %v", again, err)
	}
	q.Name = "other"
	if _, err := k.reg.Adopt(k.ctx, me(), q); !errors.Is(err, registry.ErrRegistered) {
		t.Errorf("under another name: error %v, want ErrRegistered", err)
	}
	q.Finding = "rv1:ffffffff"
	if _, err := k.reg.Adopt(k.ctx, me(), q); !errors.Is(err, registry.ErrUnknownFinding) {
		t.Errorf("error %v, want ErrUnknownFinding", err)
	}
}

// planted is a value in a form that provenance may have.
func planted(value string) map[string]string {
	out := map[string]string{
		"raw": value, "hex": hex.EncodeToString([]byte(value)), "HEX": strings.ToUpper(hex.EncodeToString([]byte(value))),
		"query": url.QueryEscape(value), "path": url.PathEscape(value),
	}
	for n := range 3 {
		text := []byte("zzz"[:n] + value + "yyyy")
		out["base64 at "+itoa(n)] = base64.StdEncoding.EncodeToString(text)
		out["base64url at "+itoa(n)] = base64.URLEncoding.EncodeToString(text)
	}
	return out
}

// register are the ways in which a value comes in.
func register(k *kit) map[string]func(value string) (int, error) {
	return map[string]func(string) (int, error){
		"add": func(v string) (int, error) {
			out, err := k.reg.Add(k.ctx, me(), registry.AddRequest{Name: "s", Fields: field(v)})
			return out.Redacted, err
		},
		"rotate": func(v string) (int, error) {
			k.add("s", k.text(32))
			out, err := k.reg.Rotate(k.ctx, me(), registry.RotateRequest{Name: "s", Fields: field(v)})
			return out.Redacted, err
		},
		"import": func(v string) (int, error) {
			out, err := k.reg.Import(k.ctx, me(), stream(registry.ImportRecord{Name: "s", Fields: field(v)}), registry.ImportOptions{})
			return out.Redacted, err
		},
	}
}

func TestRegisteringRedactsProvenance(t *testing.T) {
	for _, way := range []string{"add", "rotate", "import"} {
		t.Run(way, func(t *testing.T) {
			k := newKit(t)
			value := k.text(20) + "+/?&% " + k.text(3)
			forms := planted(value)
			run := k.begin("dir:/srv", "")
			i := 0
			for _, text := range forms {
				o := k.seen("dir:/srv", "p"+itoa(i), k.text(32))
				o.Path, o.Sighting.Context = "backup-"+text+".tar/x", "curl -H '"+text+"' https://example.com"
				o.Sighting.Locator, o.Sighting.URL = "member "+text, "https://example.com/?t="+text
				if _, err := run.Record(k.ctx, []registry.Observation{o}); err != nil {
					t.Fatal(err)
				}
				skip := fingerprints.Skip{Path: "skipped/" + text, Reason: fingerprints.SkipTooLarge}
				if err := run.Skips(k.ctx, []fingerprints.Skip{skip}); err != nil {
					t.Fatal(err)
				}
				i++
			}
			k.finish(run, true)
			n, err := register(k)[way](value)
			if err != nil || n == 0 {
				t.Fatalf("redacted %d, %v", n, err)
			}
			dump := k.dump()
			for form, text := range forms {
				// A base64 form ends in characters of its neighbours' own.
				core := strings.TrimRight(text, "=")
				if strings.HasPrefix(form, "base64") {
					core = core[4 : len(core)-8]
				}
				if strings.Contains(dump, core) {
					t.Errorf("%s is still stored", form)
				}
			}
			if !strings.Contains(dump, "backup-[secret s@") || !strings.Contains(dump, ".tar/x") {
				t.Error("the text around the value went too, or the label is missing")
			}
		})
	}
}

func TestRedactionLeavesOtherTextAlone(t *testing.T) {
	k := newKit(t)
	value := k.text(32)
	o := k.seen("dir:/srv", value[:31]+"/"+value[1:], k.text(32))
	k.scan("dir:/srv", o)
	if out := k.add("s", value); out.Redacted != 0 {
		t.Errorf("redacted %d texts that only hold parts", out.Redacted)
	}
}

func TestUnsearchableAndWeakValues(t *testing.T) {
	k := newKit(t)
	got := k.add("short", "abc")
	if f := got.Fields[0]; f.Unsearchable == "" || f.Strength != fingerprints.StrengthUnsearchable {
		t.Errorf("%+v, want not searchable with a reason", f)
	}
	if got := k.add("common", "pass"+"word"); got.Fields[0].Unsearchable == "" {
		t.Errorf("%+v, want not searchable", got.Fields[0])
	}
	if got := k.add("weak", "tiger"+"1987"); !got.Fields[0].Weak {
		t.Errorf("%+v, want weak", got.Fields[0])
	}
	if got := k.add("strong", k.text(40)); got.Fields[0].Weak || got.Fields[0].Unsearchable != "" {
		t.Errorf("%+v, want searchable and strong", got.Fields[0])
	}
	// Two short values cannot be told apart: rotating does what it says.
	if out := k.rotate("short", "xyz", 0); out.Unchanged || out.Version != 2 {
		t.Errorf("%+v, want version 2", out)
	}
	big := strings.Repeat(k.text(64), 1<<14)
	_, err := k.reg.Add(k.ctx, me(), registry.AddRequest{Name: "big", Fields: field(big)})
	if !errors.Is(err, registry.ErrValueTooLong) {
		t.Errorf("1 MiB: error %v, want ErrValueTooLong", err)
	}
	for _, empty := range []string{"", "\n", "\r\n\r\n"} {
		if _, err := k.reg.Add(k.ctx, me(), registry.AddRequest{Name: "empty", Fields: field(empty)}); !errors.Is(err, registry.ErrEmptyValue) {
			t.Errorf("%q: error %v, want ErrEmptyValue", empty, err)
		}
	}
}

func TestSeveralFields(t *testing.T) {
	k := newKit(t)
	password, token := k.text(30), k.text(34)
	q := registry.AddRequest{Name: "db", Fields: []registry.Field{
		{Name: "password", Value: fingerprints.NewValue([]byte(password))}, {Name: "token", Value: fingerprints.NewValue([]byte(token))},
	}}
	if out, err := k.reg.Add(k.ctx, me(), q); err != nil || len(out.Fields) != 2 {
		t.Fatalf("%+v, %v", out, err)
	}
	if out, err := k.reg.Add(k.ctx, me(), q); err != nil || !out.Unchanged {
		t.Errorf("repeated: %+v, %v", out, err)
	}
	q.Fields = q.Fields[:1]
	if _, err := k.reg.Add(k.ctx, me(), q); !errors.Is(err, registry.ErrExists) {
		t.Errorf("with one field less: error %v, want ErrExists", err)
	}
	q.Name, q.Fields = "twice", []registry.Field{q.Fields[0], q.Fields[0]}
	if _, err := k.reg.Add(k.ctx, me(), q); !errors.Is(err, registry.ErrInput) {
		t.Errorf("a field twice: error %v, want ErrInput", err)
	}
}

func TestIssue(t *testing.T) {
	k := newKit(t)
	out, err := k.reg.Issue(k.ctx, me(), registry.IssueRequest{Name: "api", Consumers: []string{"web", "batch", "web"}, Prefix: "acme"})
	if err != nil || len(out) != 2 {
		t.Fatalf("%d versions, %v", len(out), err)
	}
	for i, consumer := range []string{"batch", "web"} {
		o := out[i]
		raw := o.Value.Reveal()
		if !registry.Generated(raw) || !strings.HasPrefix(string(raw), "acme_") {
			t.Error("the value does not have the form of a generated one")
		}
		raw2 := append([]byte(nil), raw...)
		raw2[10] ^= 1
		if registry.Generated(raw2) {
			t.Error("a changed value passes its checksum")
		}
		if o.IssuedTo != consumer || o.Version != i+1 || o.State != fingerprints.StateActive || o.Fields[0].Strength != fingerprints.StrengthEdge {
			t.Errorf("%+v", o)
		}
	}
	if out[0].Value.Equal(out[1].Value) {
		t.Error("two consumers got the same value")
	}
	if _, err := k.reg.Issue(k.ctx, me(), registry.IssueRequest{Name: "api", Consumers: []string{"web"}}); !errors.Is(err, registry.ErrActiveExists) {
		t.Errorf("again: error %v, want ErrActiveExists", err)
	}
	if more, err := k.reg.Issue(k.ctx, me(), registry.IssueRequest{Name: "api", Consumers: []string{"cron"}}); err != nil || more[0].Version != 3 {
		t.Errorf("another consumer: %+v, %v", more, err)
	}
	turned, err := k.reg.Rotate(k.ctx, me(), registry.RotateRequest{Name: "api", Generate: true, IssuedTo: "web"})
	if err != nil || len(turned.Superseded) != 1 || turned.Superseded[0].Version != 2 || !registry.Generated(turned.Value.Reveal()) {
		t.Errorf("rotating one consumer's value: %+v, %v", turned, err)
	}
	s, err := k.reg.Show(k.ctx, me(), "api")
	if diff := cmp.Diff([]string{"batch", "cron", "web"}, s.Consumers); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

func TestAck(t *testing.T) {
	k := newKit(t)
	q := registry.AddRequest{Name: "s", Fields: field(k.text(32)), Consumers: []string{"web", "batch"}}
	if _, err := k.reg.Add(k.ctx, me(), q); err != nil {
		t.Fatal(err)
	}
	got, err := k.reg.Ack(k.ctx, me(), ref("s", 1), "web")
	want := registry.Acknowledged{Secret: "s", Version: 1, State: fingerprints.StateActive, Consumer: "web", Missing: []string{"batch"}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
	head := k.head()
	want.Unchanged = true
	got, err = k.reg.Ack(k.ctx, me(), ref("s", 1), "web")
	if diff := cmp.Diff(want, got); diff != "" || err != nil || len(k.actions(head)) != 0 {
		t.Error("repeated:", diff, err, k.actions(head))
	}
	if got, err := k.reg.Ack(k.ctx, me(), ref("s", 1), "cron"); err != nil || !got.NewConsumer {
		t.Errorf("%+v, %v, want a new consumer", got, err)
	}
	if _, err := k.reg.Ack(k.ctx, me(), ref("s", 9), "web"); !errors.Is(err, registry.ErrUnknownVersion) {
		t.Errorf("error %v, want ErrUnknownVersion", err)
	}
}

func TestAllow(t *testing.T) {
	k := newKit(t)
	value := k.text(32)
	k.add("s", value)
	rows := k.rows(ref("s", 1))
	k.scan("dir:/srv", k.seen("dir:/srv", "deploy/prod.env", value, rows...), k.seen("dir:/srv", "notes.txt", value, rows...))
	q := registry.AllowRequest{Name: "s", Source: "dir:*", Path: "deploy/**", Until: k.now.Add(48 * 3600e9), Reason: "the deployment's own file"}
	got, err := k.reg.Allow(k.ctx, me(), q)
	if err != nil {
		t.Fatal(err)
	}
	want := []registry.VerdictChange{{From: fingerprints.VerdictLeaked, To: fingerprints.VerdictAllowed, Count: 1}}
	if diff := cmp.Diff(want, got.Verdicts); diff != "" || got.Findings != 1 {
		t.Errorf("%d findings:\n%s", got.Findings, diff)
	}
	// A rescan decides by the raw path, and comes to the same.
	done := k.scan("dir:/srv", k.seen("dir:/srv", "deploy/prod.env", value, rows...), k.seen("dir:/srv", "deploy/new.env", value, rows...))
	wantV := map[string]fingerprints.Verdict{
		"deploy/prod.env": fingerprints.VerdictAllowed, "deploy/new.env": fingerprints.VerdictAllowed, "notes.txt": fingerprints.VerdictCleared,
	}
	if diff := cmp.Diff(wantV, k.verdicts()); diff != "" || len(done.Gone) != 1 {
		t.Error(diff, done)
	}
	if again, err := k.reg.Allow(k.ctx, me(), q); err != nil || !again.Unchanged || again.Home.ID != got.Home.ID {
		t.Errorf("repeated: %+v, %v", again, err)
	}
	k.wait(49 * 3600e9)
	if v := k.verdicts()["deploy/prod.env"]; v != fingerprints.VerdictLeaked {
		t.Errorf("after its date: %s, want leaked", v)
	}
	gone, err := k.reg.Unallow(k.ctx, me(), "s", got.Home.ID)
	if err != nil || len(gone.Verdicts) != 0 {
		t.Errorf("%+v, %v", gone, err)
	}
	if _, err := k.reg.Unallow(k.ctx, me(), "s", got.Home.ID); !errors.Is(err, registry.ErrUnknownAllow) {
		t.Errorf("error %v, want ErrUnknownAllow", err)
	}
	if _, err := k.reg.Compromise(k.ctx, me(), ref("s", 1)); err != nil {
		t.Fatal(err)
	}
	q.Until = k.now.Add(3600e9)
	if _, err := k.reg.Allow(k.ctx, me(), q); !errors.Is(err, registry.ErrNotAllowable) {
		t.Errorf("a home for compromised values: error %v, want ErrNotAllowable", err)
	}
}

func TestCovers(t *testing.T) {
	for _, tt := range []struct {
		source, path, id, at string
		want                 bool
	}{
		{"**", "**", "dir:/srv/app", "a/b", true},
		{"", "", "dir:/srv/app", "a/b", true},
		{"dir:*", "**", "dir:/srv/app", "a", true},
		{"git:*", "**", "dir:/srv/app", "a", false},
		{"dir:/srv/app", "*.env", "dir:/srv/app", "deep/down/x.env", true},
		{"dir:/srv/app", "deep/*.env", "dir:/srv/app", "deep/down/x.env", false},
		{"dir:/srv/app", "deep/**/*.env", "dir:/srv/app", "deep/down/x.env", true},
		{"dir:/srv/ap", "**", "dir:/srv/app", "a", false},
		{"**", "[odd", "x:y", "[odd", true},
	} {
		h := store.Allow{SourceGlob: tt.source, PathGlob: tt.path}
		if got := registry.Covers(h, tt.id, tt.at); got != tt.want {
			t.Errorf("Covers(%q %q, %q %q) = %v", tt.source, tt.path, tt.id, tt.at, got)
		}
	}
}
