package push_test

import (
	"net/http"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"revenant/fingerprints"
	"revenant/fingerprints/registry"
	"revenant/ingest/push"
)

// sound says what is wrong with an event, whatever made it.
func sound(e push.Event) string {
	texts := append([]string{e.Delivery, e.Run.ID, e.Run.Job, e.Image.Digest, e.Image.Tag, e.Image.MediaType}, e.Locations...)
	for _, c := range e.Changes {
		if !strings.HasPrefix(c.Ref, "refs/") || len(c.Old)%8 != 0 || len(c.New)%8 != 0 || c.Deleted && c.New != "" {
			return "a change"
		}
		texts = append(texts, c.Ref, c.Old, c.New)
	}
	for _, id := range e.Sources {
		kind, _, _ := strings.Cut(id, ":")
		if registry.CheckSourceID(id) != nil || strings.HasPrefix(id, "git:-") || fingerprints.SourceKind(kind) != e.Kind {
			return "an id"
		}
	}
	for _, text := range texts {
		if !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) || len(text) > 5000 {
			return "a text"
		}
	}
	if len(e.Sources) == 0 || len(e.Locations) == 0 || len(e.Changes) > 1000 || e.Run.Attempt < 0 {
		return "what there is of it"
	}
	return ""
}

// FuzzPosts: payloads that are signed and odd make events that are sound, or
// none.
func FuzzPosts(f *testing.F) {
	for p, m := range rightly() {
		f.Add(string(p), m.header.Get("X-GitHub-Event")+m.header.Get("X-Gitea-Event"), m.body, "")
	}
	f.Add("github", "package", `{"action":"published","package":{"package_type":"container","package_version":{"package_url":"ghcr.io/a/b:1","container_metadata":{"tag":{"name":"1","digest":"sha256:00"}}}},`+repo+`}`, "")
	f.Add("github", "workflow_job", `{"action":"completed","workflow_job":{"id":1e5,"run_id":30433642,"run_attempt":-1},`+repo+`}`, "")
	f.Add("gitea", "package", `{"action":"created","package":{"type":"container","name":"x","version":"1","html_url":"https://h/x","owner":{"login":"A"}}}`, "")
	f.Add("gitlab", "", `{"event_name":"repository_update","changes":[{"before":"0","after":"x","ref":"refs/a"}],`+project+`}`, "")
	f.Add("git", "", `{"url":"git@h:x","urls":["/a/../b","https://u:p@h/x?y#z"],"changes":[{"ref":"refs/x"}]}`, "")
	f.Add("registry", "", `{"events":[{"id":"a b","action":"delete","target":{"digest":"x","repository":"a","tag":"\u0007","url":"http://[::1]/"},"request":{"host":"h:1"}}]}`, "h/x@")
	f.Fuzz(func(t *testing.T, provider, event, body, host string) {
		o := newOurs(t, nil)
		var m message
		switch push.Provider(provider) {
		case push.GitHub:
			m = fromGitHub(event, body)
		case push.GitLab:
			m = fromGitLab(body)
		case push.Gitea:
			m = fromGitea(event, body)
		case push.Registry:
			m = fromRegistry(body)
			m.to += "?host=" + strings.Map(func(r rune) rune {
				if r > ' ' && r < 0x7f && !strings.ContainsRune("#%", r) {
					return r
				}
				return -1
			}, host)
		default:
			m = fromGit(now(), body)
		}
		if got, text := o.status(t, m); got != 202 && got != 400 || got == 400 && strings.Count(text, "\n") != 1 {
			t.Errorf("answer %d: %s", got, text)
		}
		for _, e := range o.took() {
			if wrong := sound(e); wrong != "" {
				t.Errorf("%s is wrong: %+v", wrong, e)
			}
		}
	})
}

// FuzzSignatures: headers of whatever text let nobody in.
func FuzzSignatures(f *testing.F) {
	for _, m := range rightly() {
		for name := range m.header {
			f.Add(name, m.header.Get(name), "x")
		}
	}
	f.Add("X-Revenant-Signature", "t=1795262400,v1=,v1=", "t=0")
	f.Add("Webhook-Signature", "v1,AAAA v1,", "1795262400")
	f.Add("Authorization", "Basic Og==", "Bearer ")
	f.Fuzz(func(t *testing.T, name, value, other string) {
		if strings.Contains(value+other, everywhere()) {
			return
		}
		o := newOurs(t, nil)
		for p, m := range rightly() {
			m = m.with("X-Hub-Signature-256", "", "X-Gitlab-Token", "", "X-Gitea-Signature", "", "X-Revenant-Signature", "", "Authorization", "")
			m = m.with("Webhook-Id", other, "Webhook-Timestamp", other)
			m.header[http.CanonicalHeaderKey(name)] = []string{value}
			mine := rightly()[p].header.Get(name)
			if strings.EqualFold(mine, value) && strings.Contains(strings.ToLower(name), "sign") {
				continue // it is the right one
			}
			if got, _ := o.status(t, m); got != 401 {
				t.Errorf("%s: answer %d", p, got)
			}
		}
	})
}

// FuzzLogs: bodies of whatever encoding end, and a text is never more than it
// was or than is taken.
func FuzzLogs(f *testing.F) {
	f.Add("gzip", "ci:mine:host/x", "text/plain", []byte(zipped(f, "text")))
	f.Add("zstd", "ci%3Amine%3Ahost", "application/x-ndjson", []byte(zstded(f, "text")))
	f.Add("", "%zz?run=%", "text/plain; x", []byte("text"))
	f.Fuzz(func(t *testing.T, encoding, source, kind string, body []byte) {
		o := newOurs(t, func(opts *push.Options) { opts.MaxText = 1 << 20 })
		source = strings.Map(func(r rune) rune {
			if r > ' ' && r < 0x7f && r != '%' && r != '#' {
				return r
			}
			return -1
		}, source)
		m := logText(source, string(body)).with("Content-Type", kind, "Content-Encoding", encoding)
		got, _ := o.status(t, m)
		for id, text := range o.texts {
			if registry.CheckSourceID(id) != nil || strings.HasPrefix(id, "git:-") || len(text) > 1<<20 {
				t.Errorf("the Sink was given %d bytes of %q", len(text), id)
			}
			if got == 200 && encoding == "" && text != string(body) {
				t.Error("the text is another")
			}
		}
	})
}
