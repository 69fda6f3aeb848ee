package settings_test

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/ingest/credential"
	"revenant/ingest/notify"
	"revenant/ingest/settings"
)

// canary stands for what people write into wrong places.
const canary = "hunter" + "2-Zq81Lm"

func load(t *testing.T, text string, env map[string]string) (settings.Settings, error) {
	t.Helper()
	file := ""
	if text != "" {
		file = filepath.Join(t.TempDir(), "revenant.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return settings.Load(file, func(name string) string { return env[name] })
}

func TestLoad(t *testing.T) {
	got, err := load(t, `
listen: ":8443"
base_url: https://revenant.example.org/
tls: {certificate: /a.pem, key: /a.key}
token: file:/run/token
workers: {scans: 4, memory: 512MiB, cpus: 2, deadline: 12h}
log: {format: json, level: warn}
push:
  github: [env:HOOK, "file:/run/hook"]
watches:
  - {name: shop, scan: [git, "https://git.example.org/acme/shop.git"], every: 30m, credential: env:TOKEN}
  - {name: night, scan: [dir, /srv], cron: "15 3 * * *"}
trusted_proxies: [10.0.0.0/8, "::1"]
limits: {sender: 7, address: 0}
sign_in:
  idle: 1h
  longest: 24h
  oidc:
    label: Acme
    issuer: https://id.example.org/realms/acme
    client_id: revenant
    client_secret: env:OIDC
    scopes: [groups]
    groups_claim: roles
    domains: [example.org]
    groups: [staff]
    grants:
      - {group: "*", roles: [viewer]}
      - {group: a.b, roles: [triager], teams: [payments]}
notify:
  receivers:
    - name: ops
      window: 1m
      slack: {url_from: env:SLACK}
    - name: results
      kafka: {brokers: ["kafka:9092"], topic: findings, tls: true, ca_file: /ca.pem, cert_file: /a.pem, key_file: /a.key, sasl: plain, login: env:LOGIN}
  rules:
    - {name: all, receivers: [ops]}
`, map[string]string{"REVENANT_SERVE_WORKERS__SCANS": "7", "REVENANT_SERVE_WORKERS__STREAMS": "9", "REVENANT_SERVE_LOG__LEVEL": "debug", "REVENANT_SERVE_UNKNOWN": "x"})
	if err != nil {
		t.Fatal(err)
	}
	want := settings.Settings{
		Listen: ":8443", BaseURL: "https://revenant.example.org", TLS: settings.TLS{Certificate: "/a.pem", Key: "/a.key"}, Token: "file:/run/token",
		Workers: settings.Workers{Scans: 7, Streams: 9, Memory: "512MiB", CPUs: 2, Deadline: "12h"}, Log: settings.Log{Format: "json", Level: "debug"},
		Push: map[string][]string{"github": {"env:HOOK", "file:/run/hook"}},
		Watches: []settings.Watch{
			{Name: "shop", Scan: []string{"git", "https://git.example.org/acme/shop.git"}, Every: "30m", Credential: "env:TOKEN"},
			{Name: "night", Scan: []string{"dir", "/srv"}, Cron: "15 3 * * *"},
		},
		TrustedProxies: []string{"10.0.0.0/8", "::1"}, Limits: settings.Limits{Sender: 7},
		SignIn: settings.SignIn{Idle: time.Hour, Longest: 24 * time.Hour, OIDC: settings.OIDC{
			Label: "Acme", Issuer: "https://id.example.org/realms/acme", ClientID: "revenant", ClientSecret: "env:OIDC", Scopes: []string{"groups"},
			GroupsClaim: "roles", Domains: []string{"example.org"}, Groups: []string{"staff"},
			Grants: []settings.Grant{{Group: "*", Roles: []string{"viewer"}}, {Group: "a.b", Roles: []string{"triager"}, Teams: []string{"payments"}}},
		}},
		Notify: notify.Config{URL: "https://revenant.example.org", Rules: []notify.Rule{{Name: "all", Receivers: []string{"ops"}}}},
	}
	if len(got.Notify.Receivers) != 2 || got.Notify.Receivers[0].Window != time.Minute || got.Notify.Receivers[0].Slack.URLFrom.String() != "env:SLACK" {
		t.Errorf("receivers: %+v", got.Notify.Receivers)
	}
	topic := got.Notify.Receivers[1].Kafka
	if topic == nil || topic.Login.String() != "env:LOGIN" {
		t.Fatalf("%+v", topic)
	}
	topic.Login = credential.Ref{}
	if d := cmp.Diff(&notify.Kafka{
		Brokers: []string{"kafka:9092"}, Topic: "findings", TLS: true, CAFile: "/ca.pem", CertFile: "/a.pem", KeyFile: "/a.key", SASL: "plain",
	}, topic, cmp.Comparer(func(a, b credential.Ref) bool { return a == b })); d != "" {
		t.Error(d)
	}
	if w := got.Workers; w.MemoryBytes() != 512<<20 || w.Longest() != 12*time.Hour {
		t.Errorf("memory %d, deadline %s", w.MemoryBytes(), w.Longest())
	}
	got.Notify.Receivers = nil
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	got, err = load(t, "", nil)
	if err != nil || got.BaseURL != "http://127.0.0.1:8077" {
		t.Errorf("without anything: %+v, %v", got, err)
	}
}

// TestRefused wants each fault named, and nothing of what was written repeated.
func TestRefused(t *testing.T) {
	for text, word := range map[string]string{
		"listen: " + canary: "listen", "listen: \"1.2.3.4:99999\"": "listen", "base_url: ftp://" + canary: "base_url",
		"base_url: https://u:" + canary + "@h": "base_url", "tls: {key: " + canary + "}": "tls", "token: " + canary: "token",
		"workers: {scans: 0}": "workers.scans", "workers: {streams: -1}": "workers.streams", "workers: {memory: 1" + canary + "}": "workers.memory", "workers: {memory: 9MiB}": "workers.memory",
		"workers: {memory: 99999999TiB}": "workers.memory", "workers: {cpus: -1}": "workers.cpus", "workers: {deadline: " + canary + "}": "workers.deadline",
		"workers: {deadline: 1ms}": "workers.deadline", "workers: {scans: " + canary + "}": "wrong kind", "log: {level: " + canary + "}": "log.level",
		"log: {format: " + canary + "}": "log.format", canary + ": 1": "top", "workers: {" + canary + ": 1}": "in workers", "watches: " + canary: "watches",
		"push: {github: [" + canary + "]}": "push.github", "push: {" + canary + ": [env:A]}": "in push", "push: {git: ['']}": "push.git",
		"watches: [{scan: [dir, /]}]": "no name", "watches: [{name: a}]": "scan is missing", "watches: [{name: a, scan: [dir], every: " + canary + "}]": "schedule",
		"watches: [{name: a, scan: [dir], every: 1h, cron: '* * * * *'}]": "exclude each other", "watches: [{name: a, scan: [dir]}, {name: a, scan: [dir]}]": "number 2",
		"watches: [{name: a, scan: [dir], credential: " + canary + "}]": "credential", "a: [" + canary: "YAML", "watches:\n\t- " + canary: "line 2",
		topicOf("topic: " + canary + "/x"): "topic", topicOf("brokers: [" + canary + "]"): "HOST:PORT", topicOf("ca_file: " + canary): "tls",
		topicOf("cert_file: " + canary + ", tls: true"): "belong together", topicOf("sasl: " + canary): "sasl", topicOf("login: " + canary): "", topicOf("login: env:A"): "sasl",
		topicOf(canary + ": 1"):             "in kafka",
		"trusted_proxies: [" + canary + "]": "trusted_proxies", "limits: {sender: -1}": "limits", "limits: {" + canary + ": 1}": "in limits", "sign_in: {idle: 1s}": "sign_in",
		"sign_in: {idle: 2h, longest: 1h}": "sign_in", "sign_in: {idle: " + canary + "}": "wrong kind", "sign_in: {oidc: {client_id: " + canary + "}}": "issuer",
		oidcOf("issuer: http://" + canary + ".example.org"): "https", oidcOf("issuer: https://u:" + canary + "@h"): "https", oidcOf("client_id: ''"): "client_id",
		oidcOf("client_secret: " + canary): "client_secret", oidcOf("grants: [{roles: [viewer]}]"): "group", oidcOf("grants: [{group: a}, {group: b, roles: [" + canary + "]}]"): "number 2",
		oidcOf("grants: [{group: a, teams: ['']}]"): "team", oidcOf("grants: [{group: a, " + canary + ": 1}]"): "in grants",
	} {
		_, err := load(t, text, nil)
		if !errors.Is(err, settings.ErrSettings) || !strings.Contains(err.Error(), word) || strings.Contains(err.Error(), canary) {
			t.Errorf("%s: %v, want a word of %q", text, err, word)
		}
	}
	for _, file := range []string{t.TempDir(), filepath.Join(t.TempDir(), "absent")} {
		if _, err := settings.Load(file, os.Getenv); !errors.Is(err, settings.ErrSettings) {
			t.Errorf("%v", err)
		}
	}
}

// oidcOf is an identity provider with something else than it has, in YAML.
func oidcOf(other string) string {
	with := map[string]string{"issuer": "issuer: https://id.example.org", "client_id": "client_id: revenant"}
	name, _, _ := strings.Cut(other, ":")
	delete(with, name)
	return "sign_in: {oidc: {" + strings.Join(append(slices.Sorted(maps.Values(with)), other), ", ") + "}}"
}

// topicOf is a receiver with something else than it has, in YAML.
func topicOf(other string) string {
	kafka := []string{"brokers: [k:9092]", "topic: t"}
	kafka = slices.DeleteFunc(kafka, func(k string) bool { name, _, _ := strings.Cut(k, ":"); return strings.HasPrefix(other, name+":") })
	return "notify: {receivers: [{name: r, kafka: {" + strings.Join(append(kafka, other), ", ") + "}}]}"
}

func FuzzLoad(f *testing.F) {
	f.Add("listen: :1\nwatches: [{name: a, scan: [dir, /]}]")
	f.Add("push: {git: [env:A]}\n")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := load(t, text, nil)
		if err == nil && (s.BaseURL == "" || s.Workers.Scans == 0 && !s.Workers.Off) {
			t.Errorf("%+v", s)
		}
	})
}
