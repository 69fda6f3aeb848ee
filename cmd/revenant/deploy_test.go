package main

import (
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"revenant/ingest/settings"
)

// deployed is a file of deploy/.
func deployed(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(docsRoot, "deploy", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// documents are a file's YAML documents.
func documents(t *testing.T, name string) (out []map[string]any) {
	t.Helper()
	d := yaml.NewDecoder(strings.NewReader(deployed(t, name)))
	for {
		var doc map[string]any
		err := d.Decode(&doc)
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		out = append(out, doc)
	}
}

// at follows keys into a document; nil where there is nothing.
func at(doc any, keys ...string) any {
	for _, k := range keys {
		m, _ := doc.(map[string]any)
		doc = m[k]
	}
	return doc
}

func texts(list any) (out []string) {
	each, _ := list.([]any)
	for _, x := range each {
		s, _ := x.(string)
		out = append(out, s)
	}
	return out
}

// each are the maps of a list.
func each(list any) (out []map[string]any) {
	items, _ := list.([]any)
	for _, x := range items {
		if m, is := x.(map[string]any); is {
			out = append(out, m)
		}
	}
	return out
}

// callable fails where the program has no such command or flag.
func callable(t *testing.T, where string, argv []string) {
	t.Helper()
	c, rest, err := newApp().rootCommand().Find(argv)
	if err != nil || !c.Runnable() {
		t.Errorf("%s: %v: no such command", where, argv)
		return
	}
	if err := c.ParseFlags(rest); err != nil {
		t.Errorf("%s: %v: %v", where, argv, err)
	}
}

// knownVariable fails for a variable of ours that nothing reads.
func knownVariable(t *testing.T, where, name string) {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(docsRoot, "docs", "reference", "environment.md"))
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(name, "REVENANT_SERVE_") && slices.Contains(settings.Variables(), name) {
		return
	}
	if strings.HasPrefix(name, "REVENANT_") && !strings.Contains(string(page), "    "+name+"\n") {
		t.Errorf("%s: nothing reads %s", where, name)
	}
}

// TestDeployUnits: what systemd is told is there, and the process may do little.
func TestDeployUnits(t *testing.T) {
	for _, name := range []string{"revenant", "revenant-worker"} {
		text := deployed(t, "systemd/"+name+".service")
		set := map[string][]string{}
		for line := range strings.Lines(text) {
			if key, value, is := strings.Cut(strings.TrimSpace(line), "="); is && !strings.HasPrefix(key, "#") {
				set[key] = append(set[key], value)
			}
		}
		argv := strings.Fields(set["ExecStart"][0])
		if argv[0] != "/usr/local/bin/revenant" {
			t.Errorf("%s: it starts %s", name, argv[0])
		}
		callable(t, name, argv[1:])
		for _, e := range set["Environment"] {
			variable, value, _ := strings.Cut(e, "=")
			knownVariable(t, name, variable)
			if variable == "REVENANT_HOME" && value != "/var/lib/"+set["StateDirectory"][0] {
				t.Errorf("%s: REVENANT_HOME is not the folder that it may write to", name)
			}
		}
		for key, want := range map[string]string{
			"User": "revenant", "NoNewPrivileges": "yes", "ProtectSystem": "strict", "ProtectHome": "yes", "PrivateTmp": "yes", "PrivateDevices": "yes", "CapabilityBoundingSet": "",
			"MemoryDenyWriteExecute": "yes", "RestrictNamespaces": "yes", "RestrictSUIDSGID": "yes", "UMask": "0077", "StateDirectoryMode": "0700", "KillMode": "mixed", "LoadCredential": "secret:/etc/revenant/credentials",
		} {
			if got := set[key]; len(got) != 1 || got[0] != want {
				t.Errorf("%s: %s is %q, want %q", name, key, got, want)
			}
		}
		if !strings.Contains(text, "file:/run/credentials/"+name+".service/secret_NAME") {
			t.Errorf("%s: how credentials are read is not told", name)
		}
	}
	if !strings.Contains(deployed(t, "systemd/revenant.sysusers"), "u revenant ") {
		t.Error("nobody makes the user")
	}
}

// TestDeployConfigurations: the program takes the configurations, and manifests
// send requests to where they say that it answers.
func TestDeployConfigurations(t *testing.T) {
	for name, port := range map[string]string{"revenant.yaml": ":8077", "kubernetes/revenant.yaml": ":8077"} {
		set, err := settings.Load(filepath.Join(docsRoot, "deploy", name), func(string) string { return "" })
		if err != nil || !strings.HasSuffix(set.Listen, port) {
			t.Errorf("%s: %v, at %s", name, err, set.Listen)
		}
	}
	dockerfile, err := os.ReadFile(filepath.Join(docsRoot, "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"/var/lib/revenant/keys", "USER 65532:65532", `ENTRYPOINT ["revenant"]`} {
		if !strings.Contains(string(dockerfile), want) {
			t.Errorf("the image does not have %s", want)
		}
	}
}

// TestDeployCompose: services, volumes, flags and variables are there.
func TestDeployCompose(t *testing.T) {
	doc := documents(t, "compose.yaml")[0]
	services, _ := doc["services"].(map[string]any)
	if got := slices.Sorted(maps.Keys(services)); !slices.Equal(got, []string{"init", "kafka", "postgres", "serve", "worker"}) {
		t.Fatal(got)
	}
	for name, s := range services {
		for dep := range asMap(at(s, "depends_on")) {
			if services[dep] == nil || at(services[dep], "profiles") != nil {
				t.Errorf("%s waits for %s, which is not there", name, dep)
			}
		}
		for _, v := range texts(at(s, "volumes")) {
			if from, _, named := strings.Cut(v, ":"); named && !has(asMap(doc["volumes"]), from) {
				t.Errorf("%s: there is no volume %s", name, from)
			}
		}
		switch name {
		case "kafka":
			checkComposeKafka(t, s)
			continue
		case "postgres":
			continue
		}
		callable(t, name, texts(at(s, "command")))
		for variable := range asMap(at(s, "environment")) {
			knownVariable(t, name, variable)
		}
		if at(s, "read_only") != true || !slices.Equal(texts(at(s, "cap_drop")), []string{"ALL"}) {
			t.Errorf("%s may do more than it needs", name)
		}
	}
	if test := texts(at(services["serve"], "healthcheck", "test")); !slices.Contains(test, "http://127.0.0.1:8077/readyz") {
		t.Errorf("serve is probed by %v", test)
	}
	if listen := at(services["serve"], "environment", "REVENANT_SERVE_LISTEN"); listen != "0.0.0.0:8077" {
		t.Errorf("serve listens at %v", listen)
	}
	if n := at(services["worker"], "deploy", "replicas"); n != 2 {
		t.Errorf("%v workers", n)
	}
}

// checkComposeKafka: the broker is there on demand alone, and where the page's line says.
func checkComposeKafka(t *testing.T, s any) {
	t.Helper()
	if !slices.Equal(texts(at(s, "profiles")), []string{"kafka"}) || at(s, "ports") != nil {
		t.Error("a broker that nobody asked for, or that others reach")
	}
	env := asMap(at(s, "environment"))
	_, place, _ := strings.Cut(env["KAFKA_ADVERTISED_LISTENERS"].(string), "PLAINTEXT://")
	if lines := strings.Join(block(servePage(t, "With Docker Compose"), "docker compose -f deploy/compose.yaml --profile kafka"), "\n"); !strings.Contains(lines, "-- kafka "+place+" ") {
		t.Errorf("the page does not watch %s:\n%s", place, lines)
	}
	data, _ := env["KAFKA_LOG_DIRS"].(string)
	if !slices.ContainsFunc(texts(at(s, "volumes")), func(v string) bool { return strings.HasSuffix(v, ":"+data) }) {
		t.Errorf("what is in %s is in no volume", data)
	}
}

func asMap(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}

func has(m map[string]any, key string) bool {
	_, is := m[key]
	return is
}

// TestDeployKubernetes: every name that a manifest uses is one that another
// gives, flags and variables exist, and pods are confined.
func TestDeployKubernetes(t *testing.T) {
	k := documents(t, "kubernetes/kustomization.yaml")[0]
	given := map[string][]string{} // file names by what holds them
	for _, kind := range []string{"configMapGenerator", "secretGenerator"} {
		for _, g := range each(k[kind]) {
			name, _ := g["name"].(string)
			given[name] = append(texts(g["files"]), texts(g["envs"])...)
			for _, file := range given[name] {
				if !strings.HasPrefix(file, "secrets/") {
					deployed(t, "kubernetes/"+file)
				} else if !regexp.MustCompile(`(?m)^    .*kubernetes/` + file).MatchString(servePage(t, "On Kubernetes")) {
					t.Errorf("the page does not say where %s comes from", file)
				}
			}
		}
	}
	if !strings.Contains(deployed(t, "kubernetes/.gitignore"), "\nsecrets/\n") {
		t.Error("secrets/ may be committed")
	}
	kinds := map[string]int{}
	for _, file := range texts(k["resources"]) {
		for _, doc := range documents(t, "kubernetes/"+file) {
			kind, _ := doc["kind"].(string)
			kinds[kind]++
			if kind == "Deployment" {
				checkDeployment(t, file, doc, given)
			}
		}
	}
	if kinds["Deployment"] != 2 || kinds["Service"] != 1 || kinds["Namespace"] != 1 {
		t.Errorf("there are %v", kinds)
	}
}

func checkDeployment(t *testing.T, file string, doc map[string]any, given map[string][]string) {
	t.Helper()
	pod := at(doc, "spec", "template", "spec")
	if at(pod, "securityContext", "runAsNonRoot") != true || at(pod, "securityContext", "runAsUser") != 65532 {
		t.Errorf("%s: it may be root", file)
	}
	volumes := map[string]bool{}
	for _, v := range each(at(pod, "volumes")) {
		name, _ := v["name"].(string)
		volumes[name] = true
		for _, from := range []any{at(v, "secret", "secretName"), at(v, "configMap", "name")} {
			if s, is := from.(string); is && given[s] == nil {
				t.Errorf("%s: nothing makes %s", file, s)
			}
		}
	}
	for _, c := range append(each(at(pod, "initContainers")), each(at(pod, "containers"))...) {
		where := file + ": " + c["name"].(string)
		if argv := texts(c["args"]); len(argv) > 0 {
			callable(t, where, argv)
		}
		s := c["securityContext"]
		if at(s, "readOnlyRootFilesystem") != true || at(s, "allowPrivilegeEscalation") != false || !slices.Equal(texts(at(s, "capabilities", "drop")), []string{"ALL"}) {
			t.Errorf("%s may do more than it needs", where)
		}
		for _, e := range each(c["env"]) {
			knownVariable(t, where, e["name"].(string))
		}
		for _, m := range each(c["volumeMounts"]) {
			if !volumes[m["name"].(string)] {
				t.Errorf("%s: there is no volume %v", where, m["name"])
			}
		}
		for probe, path := range map[string]string{"startupProbe": "/healthz", "livenessProbe": "/healthz", "readinessProbe": "/readyz"} {
			if c["name"] == "serve" && at(c[probe], "httpGet", "path") != path {
				t.Errorf("%s: %s asks %v", where, probe, at(c[probe], "httpGet", "path"))
			}
		}
	}
}
