package push_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/fingerprints"
	"revenant/ingest/push"
)

// repo is what GitHub and Gitea say of a repository, in brief.
const repo = `"repository":{"id":7,"full_name":"Acme/Shop","html_url":"https://git.example/Acme/Shop","clone_url":"https://git.example/Acme/Shop.git","ssh_url":"git@git.example:Acme/Shop.git","private":true}`

// project is what GitLab says of one whose ssh has a host of its own.
const project = `"project":{"id":7,"path_with_namespace":"acme/web/shop","web_url":"https://lab.example/gitlab/acme/web/shop","git_http_url":"https://lab.example/gitlab/acme/web/shop.git","git_ssh_url":"ssh://git@ssh.lab.example:2222/acme/web/shop.git"}`

func object(parts ...string) string { return "{" + strings.Join(parts, ",") + "}" }

func TestGitHub(t *testing.T) {
	at := func(e push.Event) []push.Event {
		e.Provider, e.Delivery = push.GitHub, "72d3162e-cc78-11e3-81ab-4c9367dc0958"
		switch e.Kind {
		case fingerprints.KindGit:
			e.Sources, e.Locations = []string{"git:git.example/Acme/Shop"}, []string{"https://git.example/Acme/Shop.git", "git@git.example:Acme/Shop.git"}
		case fingerprints.KindCI:
			e.Sources, e.Locations = []string{"ci:github:git.example/Acme/Shop"}, []string{"https://git.example/Acme/Shop"}
		}
		return []push.Event{e}
	}
	git := func(c ...push.Change) []push.Event { return at(push.Event{Kind: fingerprints.KindGit, Changes: c}) }
	container := func(digest string) string {
		return `{"name":"shop","package_type":"CONTAINER","package_version":{"package_url":"ghcr.io/acme/shop:1.4","container_metadata":{"tag":{"name":"1.4","digest":"` + digest + `"}}}}`
	}
	digest := "sha256:" + strings.Repeat("ab", 32)
	wiki := git()
	wiki[0].Sources, wiki[0].Locations = []string{"git:git.example/Acme/Shop.wiki"}, []string{"https://git.example/Acme/Shop.wiki.git", "git@git.example:Acme/Shop.wiki.git"}
	pushed := at(push.Event{Kind: fingerprints.KindImage, Image: push.Image{Tag: "1.4", Digest: digest}})
	pushed[0].Sources, pushed[0].Locations = []string{"image:ghcr.io/acme/shop"}, []string{"ghcr.io/acme/shop"}
	tests := map[string]struct {
		event, body string
		want        []push.Event
		status      int // 0: 202
	}{
		"push":              {"push", object(`"ref":"refs/heads/main","before":"`+oid("a")+`","after":"`+oid("B")+`","commits":[{"message":"x"}]`, repo), git(push.Change{Ref: "refs/heads/main", Old: oid("a"), New: oid("b")}), 0},
		"new branch":        {"push", object(`"ref":"refs/heads/n","before":"`+oid("0")+`","after":"`+oid("b")+`","created":true`, repo), git(push.Change{Ref: "refs/heads/n", New: oid("b")}), 0},
		"branch gone":       {"push", object(`"ref":"refs/heads/n","before":"`+oid("a")+`","after":"`+oid("0")+`","deleted":true`, repo), git(push.Change{Ref: "refs/heads/n", Old: oid("a"), Deleted: true}), 0},
		"sha256":            {"push", object(`"ref":"refs/tags/v1","before":"`+strings.Repeat("0", 64)+`","after":"`+strings.Repeat("c", 64)+`"`, repo), git(push.Change{Ref: "refs/tags/v1", New: strings.Repeat("c", 64)}), 0},
		"create branch":     {"create", object(`"ref":"n","ref_type":"branch"`, repo), git(push.Change{Ref: "refs/heads/n"}), 0},
		"create tag":        {"create", object(`"ref":"v1","ref_type":"tag"`, repo), git(push.Change{Ref: "refs/tags/v1"}), 0},
		"create repository": {"create", object(`"ref":null,"ref_type":"repository"`, repo), nil, 0},
		"delete tag":        {"delete", object(`"ref":"v1","ref_type":"tag"`, repo), git(push.Change{Ref: "refs/tags/v1", Deleted: true}), 0},
		"pull request":      {"pull_request", object(`"action":"opened","number":12,"pull_request":{"head":{"sha":"`+oid("d")+`"}}`, repo), git(push.Change{Ref: "refs/pull/12/head", New: oid("d")}), 0},
		"pull request goes on": {
			"pull_request", object(`"action":"synchronize","number":12,"before":"`+oid("d")+`","after":"`+oid("e")+`","pull_request":{"head":{"sha":"`+oid("e")+`"}}`, repo),
			git(push.Change{Ref: "refs/pull/12/head", Old: oid("d"), New: oid("e")}), 0,
		},
		"pull request closed": {"pull_request", object(`"action":"closed","number":12`, repo), nil, 0},
		"wiki":                {"gollum", object(`"pages":[]`, repo), wiki, 0},
		"run":                 {"workflow_run", object(`"action":"completed","workflow_run":{"id":30433642,"run_attempt":2}`, repo), at(push.Event{Kind: fingerprints.KindCI, Run: push.Run{ID: "30433642", Attempt: 2}}), 0},
		"run begins":          {"workflow_run", object(`"action":"requested","workflow_run":{"id":30433642}`, repo), nil, 0},
		"job":                 {"workflow_job", object(`"action":"completed","workflow_job":{"id":99,"run_id":30433642,"run_attempt":1}`, repo), at(push.Event{Kind: fingerprints.KindCI, Run: push.Run{ID: "30433642", Attempt: 1, Job: "99"}}), 0},
		"package":             {"package", object(`"action":"published","package":`+container(digest), repo), pushed, 0},
		"registry package":    {"registry_package", object(`"action":"published","registry_package":`+container(digest), repo), pushed, 0},
		"npm package":         {"package", object(`"action":"published","package":{"package_type":"npm"}`, repo), nil, 0},
		"ping":                {"ping", `{"zen":"Keep it logically awesome.","hook_id":1}`, nil, 0},
		"star":                {"star", object(`"action":"created"`, repo), nil, 0},
		"form":                {"push", "form", git(push.Change{Ref: "refs/heads/main", New: oid("b")}), 0},

		"no repository":     {"push", `{"ref":"refs/heads/main","before":"` + oid("a") + `","after":"` + oid("b") + `"}`, nil, 400},
		"repository abroad": {"push", `{"ref":"refs/heads/main","after":"` + oid("b") + `","repository":{"clone_url":"file:///etc/passwd"}}`, nil, 400},
		"no ref":            {"push", object(`"before":"`+oid("a")+`","after":"`+oid("b")+`"`, repo), nil, 400},
		"odd ref":           {"push", object(`"ref":"refs/heads/\u0007","after":"`+oid("b")+`"`, repo), nil, 400},
		"ref with dots":     {"push", object(`"ref":"refs/heads/../x","after":"`+oid("b")+`"`, repo), nil, 400},
		"wrong type":        {"push", `{"ref":5,"repository":[]}`, nil, 400},
		"run without id":    {"workflow_run", object(`"action":"completed","workflow_run":{"id":-4}`, repo), nil, 400},
		"a list":            {"push", `[1,2]`, nil, 400},
		"not JSON":          {"push", `{"ref":`, nil, 400},
		"two values":        {"push", `{} {}`, nil, 400},
		"empty":             {"push", ``, nil, 400},
		"deep":              {"push", strings.Repeat("[", 100) + strings.Repeat("]", 100), nil, 400},
		"image of nowhere":  {"package", object(`"action":"published","package":{"package_type":"container","package_version":{"package_url":"::"}}`, repo), nil, 400},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			o := newOurs(t, nil)
			m := fromGitHub(tt.event, tt.body)
			if tt.body == "form" {
				m = fromGitHub(tt.event, "x=1&payload=%7B%22ref%22%3A%22refs%2Fheads%2Fmain%22%2C%22before%22%3A%22"+oid("0")+"%22%2C%22after%22%3A%22"+oid("b")+"%22%2C"+
					strings.NewReplacer(`"`, "%22", ":", "%3A", "/", "%2F", "@", "%40", "{", "%7B", "}", "%7D", ",", "%2C").Replace(repo)+"%7D").
					with("Content-Type", "application/x-www-form-urlencoded")
			}
			check(t, o, m, tt.status, tt.want)
		})
	}
	o := newOurs(t, nil)
	if got, _ := o.status(t, fromGitHub("push", "{}").with("X-GitHub-Event", "")); got != 400 {
		t.Errorf("without an event: %d", got)
	}
}

// check sends a message and compares what the Sink is given.
func check(t *testing.T, o *ours, m message, status int, want []push.Event) {
	t.Helper()
	if status == 0 {
		status = http.StatusAccepted
	}
	if got, body := o.status(t, m); got != status {
		t.Errorf("answer %d: %s", got, body)
	}
	if diff := cmp.Diff(want, o.took()); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func TestGitLab(t *testing.T) {
	git := func(c ...push.Change) []push.Event {
		return []push.Event{{
			Kind: fingerprints.KindGit, Provider: push.GitLab, Delivery: "f5e3b4c2", Changes: c,
			Sources:   []string{"git:lab.example/gitlab/acme/web/shop", "git:ssh.lab.example:2222/acme/web/shop"},
			Locations: []string{"https://lab.example/gitlab/acme/web/shop.git", "ssh://git@ssh.lab.example:2222/acme/web/shop.git"},
		}}
	}
	ci := func(r push.Run) []push.Event {
		return []push.Event{{
			Kind: fingerprints.KindCI, Provider: push.GitLab, Delivery: "f5e3b4c2", Run: r,
			Sources: []string{"ci:gitlab:lab.example/gitlab/acme/web/shop"}, Locations: []string{"https://lab.example/gitlab/acme/web/shop"},
		}}
	}
	wiki := git()
	wiki[0].Sources, wiki[0].Locations = []string{"git:lab.example/acme/shop.wiki"}, []string{"https://lab.example/acme/shop.wiki.git", "git@lab.example:acme/shop.wiki.git"}
	tests := map[string]struct {
		body   string
		want   []push.Event
		status int
	}{
		"push":              {object(`"object_kind":"push","event_name":"push","ref":"refs/heads/main","before":"`+oid("a")+`","after":"`+oid("b")+`"`, project), git(push.Change{Ref: "refs/heads/main", Old: oid("a"), New: oid("b")}), 0},
		"branch gone":       {object(`"object_kind":"push","ref":"refs/heads/x","before":"`+oid("a")+`","after":"`+oid("0")+`"`, project), git(push.Change{Ref: "refs/heads/x", Old: oid("a"), Deleted: true}), 0},
		"tag":               {object(`"object_kind":"tag_push","ref":"refs/tags/v1","before":"`+oid("0")+`","after":"`+oid("b")+`"`, project), git(push.Change{Ref: "refs/tags/v1", New: oid("b")}), 0},
		"system push":       {object(`"event_name":"push","ref":"refs/heads/main","before":"`+oid("a")+`","after":"`+oid("b")+`"`, project), git(push.Change{Ref: "refs/heads/main", Old: oid("a"), New: oid("b")}), 0},
		"update":            {object(`"event_name":"repository_update","changes":[{"before":"`+oid("a")+`","after":"`+oid("b")+`","ref":"refs/heads/a"},{"before":"`+oid("a")+`","after":"`+oid("0")+`","ref":"refs/heads/b"},{"ref":"odd"}]`, project), git(push.Change{Ref: "refs/heads/a", Old: oid("a"), New: oid("b")}, push.Change{Ref: "refs/heads/b", Old: oid("a"), Deleted: true}), 0},
		"merge request":     {object(`"object_kind":"merge_request","object_attributes":{"iid":3,"action":"open","last_commit":{"id":"`+oid("c")+`"}},"changes":{"title":{}}`, project), git(push.Change{Ref: "refs/merge-requests/3/head", New: oid("c")}), 0},
		"merge request new": {object(`"object_kind":"merge_request","object_attributes":{"iid":3,"action":"update","oldrev":"`+oid("c")+`"}`, project), git(push.Change{Ref: "refs/merge-requests/3/head", Old: oid("c")}), 0},
		"merge title":       {object(`"object_kind":"merge_request","object_attributes":{"iid":3,"action":"update"}`, project), nil, 0},
		"wiki":              {object(`"object_kind":"wiki_page","wiki":{"git_http_url":"https://lab.example/acme/shop.wiki.git","git_ssh_url":"git@lab.example:acme/shop.wiki.git"}`, project), wiki, 0},
		"job":               {object(`"object_kind":"build","ref":"main","build_id":1977,"build_status":"failed","pipeline_id":2366`, project), ci(push.Run{ID: "2366", Job: "1977"}), 0},
		"job begins":        {object(`"object_kind":"build","build_id":1977,"build_status":"running","pipeline_id":2366`, project), nil, 0},
		"pipeline":          {object(`"object_kind":"pipeline","object_attributes":{"id":31,"status":"success"}`, project), ci(push.Run{ID: "31"}), 0},
		"pipeline waits":    {object(`"object_kind":"pipeline","object_attributes":{"id":31,"status":"manual"}`, project), nil, 0},
		"note":              {object(`"object_kind":"note"`, project), nil, 0},

		"nothing":        {`{}`, nil, 400},
		"no project":     {`{"object_kind":"push","ref":"refs/heads/main"}`, nil, 400},
		"odd changes":    {object(`"event_name":"repository_update","changes":{"a":1}`, project), nil, 400},
		"no changes":     {object(`"event_name":"repository_update"`, project), nil, 400},
		"job of nothing": {object(`"object_kind":"build","build_status":"success","pipeline_id":1.5`, project), nil, 400},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) { check(t, newOurs(t, nil), fromGitLab(tt.body), tt.status, tt.want) })
	}
}

func TestGitea(t *testing.T) {
	git := func(c ...push.Change) []push.Event {
		return []push.Event{{
			Kind: fingerprints.KindGit, Provider: push.Gitea, Delivery: "d1", Changes: c,
			Sources: []string{"git:git.example/Acme/Shop"}, Locations: []string{"https://git.example/Acme/Shop.git", "git@git.example:Acme/Shop.git"},
		}}
	}
	image := func(i push.Image) []push.Event {
		return []push.Event{{
			Kind: fingerprints.KindImage, Provider: push.Gitea, Delivery: "d1", Image: i,
			Sources: []string{"image:git.example:3000/acme/shop/api"}, Locations: []string{"git.example:3000/acme/shop/api"},
		}}
	}
	container := func(action, version string) string {
		return `{"action":"` + action + `","package":{"type":"container","name":"shop/api","version":"` + version + `","html_url":"http://git.example:3000/Acme/-/packages/container/shop%2Fapi/1","owner":{"login":"Acme"}}}`
	}
	digest := "sha256:" + strings.Repeat("cd", 32)
	tests := map[string]struct {
		event, body string
		want        []push.Event
		status      int
	}{
		"push":           {"push", object(`"ref":"refs/heads/main","before":"`+oid("a")+`","after":"`+oid("b")+`"`, repo), git(push.Change{Ref: "refs/heads/main", Old: oid("a"), New: oid("b")}), 0},
		"delete":         {"delete", object(`"ref":"x","ref_type":"branch"`, repo), git(push.Change{Ref: "refs/heads/x", Deleted: true}), 0},
		"pull request":   {"pull_request", object(`"action":"synchronized","number":4,"pull_request":{"head":{"sha":"`+oid("e")+`"}}`, repo), git(push.Change{Ref: "refs/pull/4/head", New: oid("e")}), 0},
		"pull sync":      {"pull_request_sync", object(`"action":"synchronized","number":4,"pull_request":{"head":{"sha":"`+oid("e")+`"}}`, repo), git(push.Change{Ref: "refs/pull/4/head", New: oid("e")}), 0},
		"image":          {"package", container("created", "1.4"), image(push.Image{Tag: "1.4"}), 0},
		"image's digest": {"package", container("created", digest), image(push.Image{Digest: digest}), 0},
		"image gone":     {"package", container("deleted", "1.4"), image(push.Image{Tag: "1.4", Deleted: true}), 0},
		"npm":            {"package", `{"action":"created","package":{"type":"npm"}}`, nil, 0},
		"issue":          {"issues", object(`"action":"opened"`, repo), nil, 0},
		"image nowhere":  {"package", `{"action":"created","package":{"type":"container","name":"x","owner":{"login":"a"}}}`, nil, 400},
		"not JSON":       {"wiki", `nothing`, nil, 400},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) { check(t, newOurs(t, nil), fromGitea(tt.event, tt.body), tt.status, tt.want) })
	}
	body := object(`"ref":"refs/heads/main","before":"`+oid("a")+`","after":"`+oid("b")+`"`, repo)
	for _, brand := range []string{"Forgejo", "Gogs"} {
		m := fromGitea("push", body)
		m = m.with("X-"+brand+"-Event", "push", "X-"+brand+"-Delivery", "d1", "X-"+brand+"-Signature", m.header.Get("X-Gitea-Signature"),
			"X-Gitea-Event", "", "X-Gitea-Delivery", "", "X-Gitea-Signature", "")
		check(t, newOurs(t, nil), m, 0, git(push.Change{Ref: "refs/heads/main", Old: oid("a"), New: oid("b")}))
	}
	form := fromGitea("push", body) // of a form, Gitea signs what is in it
	form.body = "payload=" + strings.NewReplacer("+", "%2B", "&", "%26", "%", "%25").Replace(body)
	check(t, newOurs(t, nil), form.with("Content-Type", "application/x-www-form-urlencoded"), 0, git(push.Change{Ref: "refs/heads/main", Old: oid("a"), New: oid("b")}))
}

func TestGit(t *testing.T) {
	event := func(id, at string, c ...push.Change) []push.Event {
		return []push.Event{{Kind: fingerprints.KindGit, Provider: push.Git, Sources: []string{id}, Locations: []string{at}, Changes: c}}
	}
	ab := push.Change{Ref: "refs/heads/main", Old: oid("a"), New: oid("b")}
	tests := map[string]struct {
		body   string
		want   []push.Event
		status int
	}{
		"url":         {`{"url":"https://user:word@Git.example/x/y.git"}`, event("git:git.example/x/y", "https://Git.example/x/y.git"), 0},
		"ssh":         {`{"url":"ssh://git:word@git.example:22/x/y.git","ref":"refs/heads/main","old":"` + oid("a") + `","new":"` + oid("b") + `"}`, event("git:git.example/x/y", "ssh://git@git.example:22/x/y.git", ab), 0},
		"scp":         {`{"url":"git@git.example:x/y.git"}`, event("git:git.example/x/y", "git@git.example:x/y.git"), 0},
		"path":        {`{"url":"/srv/git/../git/x.git/"}`, event("git:file:/srv/git/x.git", "/srv/git/x.git"), 0},
		"file":        {`{"url":"file:///srv/git/x.git"}`, event("git:file:/srv/git/x.git", "/srv/git/x.git"), 0},
		"changes":     {`{"url":"/srv/x.git","changes":[{"ref":"refs/heads/main","old":"` + oid("a") + `","new":"` + oid("b") + `"},{"ref":"refs/tags/v","old":"` + oid("a") + `","new":"` + oid("0") + `"}]}`, event("git:file:/srv/x.git", "/srv/x.git", ab, push.Change{Ref: "refs/tags/v", Old: oid("a"), Deleted: true}), 0},
		"nothing":     {`{}`, nil, 400},
		"relative":    {`{"url":"srv/x"}`, nil, 400},
		"ftp":         {`{"url":"ftp://git.example/x"}`, nil, 400},
		"a flag":      {`{"url":"--upload-pack=x:y"}`, nil, 400},
		"a host flag": {`{"url":"ssh://-oProxyCommand=x/y"}`, nil, 400},
		"control":     {`{"url":"https://git.example/x\u001b[31m"}`, nil, 400},
		"odd ref":     {`{"url":"/srv/x","ref":"main"}`, nil, 400},
		"odd changes": {`{"url":"/srv/x","changes":[{"ref":"main"}]}`, nil, 400},
		"long":        {`{"url":"https://git.example/` + strings.Repeat("x", 5000) + `"}`, nil, 400},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) { check(t, newOurs(t, nil), fromGit(now(), tt.body), tt.status, tt.want) })
	}
}

func TestRegistry(t *testing.T) {
	digest := "sha256:" + strings.Repeat("ab", 32)
	entry := func(id, action, media, repository, tag, url, host string) string {
		return fmt.Sprintf(`{"id":%q,"timestamp":"2026-11-20T12:00:00Z","action":%q,"target":{"mediaType":%q,"digest":%q,"repository":%q,"tag":%q,"url":%q},"request":{"host":%q},"actor":{},"source":{}}`, id, action, media, digest, repository, tag, url, host)
	}
	const docker, oci, layer = "application/vnd.docker.distribution.manifest.v2+json", "application/vnd.oci.image.index.v1+json", "application/vnd.docker.image.rootfs.diff.tar.gzip"
	event := func(id string, i push.Image, at ...string) push.Event {
		e := push.Event{Kind: fingerprints.KindImage, Provider: push.Registry, Delivery: id, Image: i, Locations: at}
		i.Digest = digest
		e.Image = i
		e.Image.Digest = digest
		for _, a := range at {
			e.Sources = append(e.Sources, "image:"+a)
		}
		return e
	}
	all := func(entries ...string) string { return `{"events":[` + strings.Join(entries, ",") + `]}` }
	url := "http://registry:5000/v2/team/api/manifests/" + digest
	tests := map[string]struct {
		query, body string
		want        []push.Event
		status      int
	}{
		"push":         {"", all(entry("e1", "push", layer, "team/api", "", "", "r.example"), entry("e2", "push", docker, "team/api", "v1", url, "R.example:5000")), []push.Event{event("e2", push.Image{Tag: "v1", MediaType: docker}, "registry:5000/team/api", "r.example:5000/team/api")}, 0},
		"index":        {"", all(entry("e1", "push", oci, "api", "", "", "r.example")), []push.Event{event("e1", push.Image{MediaType: oci}, "r.example/api")}, 0},
		"called":       {"?host=images.example", all(entry("e1", "push", docker, "api", "v1", "", "r.example")), []push.Event{event("e1", push.Image{Tag: "v1", MediaType: docker}, "images.example/api", "r.example/api")}, 0},
		"two":          {"", all(entry("e1", "push", docker, "a", "v1", "", "r.example"), entry("e2", "push", docker, "b", "v1", "", "r.example")), []push.Event{event("e1", push.Image{Tag: "v1", MediaType: docker}, "r.example/a"), event("e2", push.Image{Tag: "v1", MediaType: docker}, "r.example/b")}, 0},
		"delete":       {"", all(entry("e1", "delete", "", "api", "v1", "", "r.example")), []push.Event{event("e1", push.Image{Tag: "v1", Deleted: true}, "r.example/api")}, 0},
		"layer gone":   {"", all(entry("e1", "delete", layer, "api", "", "", "r.example")), nil, 0},
		"pull, mount":  {"", all(entry("e1", "pull", docker, "api", "v1", "", "r.example"), entry("e2", "mount", layer, "api", "", "", "r.example")), nil, 0},
		"none":         {"", `{"events":[]}`, nil, 0},
		"no envelope":  {"", `{}`, nil, 400},
		"nowhere":      {"", all(entry("e1", "push", docker, "api", "v1", "", "")), nil, 400},
		"odd name":     {"", all(entry("e1", "push", docker, "API?", "v1", "", "r.example")), nil, 400},
		"many":         {"", all(strings.TrimSuffix(strings.Repeat("{},", 1001), ",")), nil, 400},
		"wrong events": {"", `{"events":{"id":1}}`, nil, 400},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			m := fromRegistry(tt.body)
			m.to += tt.query
			check(t, newOurs(t, nil), m, tt.status, tt.want)
		})
	}
}
