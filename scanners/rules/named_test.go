package rules_test

import (
	"strings"
	"testing"

	"revenant/scanners"
	"revenant/scanners/rules"
)

// places are where keys are written down, with names in the manner of each.
var places = []struct{ path, text string }{
	{"a.py", "{name} = \"{v}\"\n"},
	{"a.py", "{name} = os.environ.get(\"{NAME}\", \"{v}\")\n"},
	{".env", "{NAME}={v}\n"},
	{"a.sh", "export ACME_{NAME}={v}\n"},
	{"a.sh", "acme --{kebab} {v} run\n"},
	{"a.sh", "acme --{kebab}={v} run\n"},
	{"a.sh", "docker run -e {NAME}={v} acme/x\n"},
	{"a.sh", "helm upgrade x --set acme.{camel}={v}\n"},
	{"a.yaml", "acme:\n  {name}: {v}\n  url: http://x\n"},
	{"a.yaml", "        - name: ACME_{NAME}\n          value: {v}\n"},
	{"a.yaml", "        - name: ACME_{NAME}\n          value: \"{v}\"\n"},
	{"a.json", `{"id": 1, "{camel}": "{v}", "x": 2}`},
	{"a.properties", "acme.{name}={v}\n"},
	{"a.http", "X-{kebab}: {v}\n"},
	{"a.txt", "GET https://api.acme.io/v1/x?{name}={v}&y=1\n"},
	{"a.xml", "<config><{camel}>{v}</{camel}></config>\n"},
	{"a.xml", "<add key=\"{camel}\" value=\"{v}\" />\n"},
	{"a.js", "client.set{Camel}(\"{v}\");\n"},
	{"a.java", "    private static final String {NAME} = \"{v}\";\n"},
	{"a.go", "\tcfg := Config{{Camel}: \"{v}\"}\n"},
	{"a.php", "    '{name}' => '{v}',\n"},
	{"Dockerfile", "ENV ACME_{NAME} {v}\n"},
	{"a.cs", "    public string {Camel} { get; set; } = \"{v}\";\n"},
	{"Makefile", "{NAME} := {v}\n"},
	{"a.log", "2026-11-02T10:11:12Z INFO starting with {name}={v} region=eu\n"},
	{"a.ts", "const {camel}: string = `{v}`;\n"},
	{"notes.txt", "The {words} is `{v}`.\n"},
	{"a.rb", "ENV['{NAME}'] ||= '{v}'\n"},
	{"a.py", "p.add_argument(\"--{kebab}\", default=\"{v}\")\n"},
	{"AndroidManifest.xml", "<meta-data android:name=\"x.{NAME}\" android:value=\"{v}\" />\n"},
	{"terraform.tfstate", `{"{name}":{"value":"{v}","type":"string"}}` + "\n"},
}

// TestNamedKeys: what was made by chance is found by its name wherever people write
// it, however it was made.
func TestNamedKeys(t *testing.T) {
	const lower, digits = "abcdefghijklmnopqrstuvwxyz", "0123456789"
	m := newMatcher(t, rules.Options{Own: rules.OwnOn})
	names := [][]string{{"api", "k" + "ey"}, {"access", "tok" + "en"}, {"client", "sec" + "ret"}, {"encryption", "k" + "ey"}}
	made := []struct {
		alphabet string
		lengths  []int
	}{
		{digits + "abcdef", []int{20, 24, 32, 40, 64}},
		{lower + digits, []int{24, 32, 50}},
		{base62, []int{24, 40, 64, 200, 600}},
		{base62 + "-_", []int{32, 43, 180}},
		{base62 + "+/", []int{32, 44, 88}},
		{strings.ToUpper(lower) + digits, []int{20, 32}},
	}
	missed, all := 0, 0
	for i, p := range places {
		for _, name := range names {
			for k, kind := range made {
				for _, n := range kind.lengths {
					v := random(uint64(1000*i+10*k+n), kind.alphabet, n)
					if strings.Trim(v[n-1:]+v[:1], "-_+/") != v[n-1:]+v[:1] {
						v = "x" + v[1:n-1] + "7"
					}
					text := named(p.text, name, v)
					at := strings.Index(text, v)
					all++
					if !found(hits(m, text, p.path, 0), int64(at), int64(at+n)) {
						missed++
						t.Logf("%s: %q", p.path, text)
					}
				}
			}
		}
	}
	if 200*missed > all {
		t.Errorf("%d of %d missed", missed, all)
	}
}

// named fills a place in.
func named(text string, name []string, v string) string {
	title := func(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
	return strings.NewReplacer(
		"{name}", name[0]+"_"+name[1], "{NAME}", strings.ToUpper(name[0]+"_"+name[1]), "{kebab}", name[0]+"-"+name[1],
		"{camel}", name[0]+title(name[1]), "{Camel}", title(name[0])+title(name[1]), "{words}", name[0]+" "+name[1], "{v}", v,
	).Replace(text)
}

// found reports whether one of the hits begins where the value does, but for a sign, and
// has most of it.
func found(hits []scanners.Hit, from, to int64) bool {
	for _, h := range hits {
		if h.Span.Start >= from-1 && h.Span.Start <= from+1 && h.Span.End <= to+8 && 2*h.Span.Len() >= to-from {
			return true
		}
	}
	return false
}

// TestNamedSilence: what stands behind the name of a key and is none.
func TestNamedSilence(t *testing.T) {
	m := newMatcher(t, rules.Options{Own: rules.OwnWide})
	tok := "tok" + "en"
	for _, text := range []string{
		tok + " := lexer.NextTokenOfLine2Kind(x)\n",
		tok + `: "us-east-1-prod-cluster-2"`,
		tok + `: "getUserByOAuth2TokenVersion1"`,
		tok + ` = "0123456789abcdefghijklmnop"`,
		tok + ` = "0102030405060708090a0b0c0d0e0f10"`,
		tok + " = `ab[a-zA-Z0-9]{54}`",
		tok + " []string `kafka:\"min=v0,max=v2,x4y5z6\"`",
		tok + ", v0.0.0-20190812154431-4c55d6c3b7d2",
		"mw-" + tok + "auth,v0.0.0-20190812154431,h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
		"next_page_" + tok + `: "b9Xq2vT7mK4zR8wL1cN6yH3j"`,
		"csrf_" + tok + `: "b9Xq2vT7mK4zR8wL1cN6yH3j"`,
		"cache_k" + `ey: "b9Xq2vT7mK4zR8wL1cN6yH3j"`,
		"public_k" + `ey = "b9Xq2vT7mK4zR8wL1cN6yH3j"`,
		"credentialsId: 'ff083f76-7804-4ef1-80e4-fe975bb9141b'",
		"Add new signing k" + "ey 19882D92DDA4C400C22C0D56CC2AF4472167BE03",
		`{"build-` + tok + `", "CCIPAT_{a22}_{h40}"},`,
		"set" + tok + "(ssa.OpAMD64VROUNDPS128Masked)",
		tok + "=os.Getenv(\"ACME_T0K3N_4_7\")",
	} {
		if got := ownHits(m, text, "a.txt"); len(got) > 0 {
			t.Errorf("%q: %v", text, got)
		}
	}
}

// TestBrief: a token that is shorter than a key is found behind its name and a sign.
func TestBrief(t *testing.T) {
	m := newMatcher(t, rules.Options{Own: rules.OwnOn})
	name := "tok" + "en"
	for text, want := range map[string]bool{
		name + "=aB3xK9mQ2v7\n": true, name + `: "aB3xK9mQ2v7"`: true,
		name + " aB3xK9mQ2v7\n": false, name + "=NextLine2Of3\n": false, name + "=aB3c\n": false,
	} {
		if got := len(hits(m, text, "a.yml", 0)) > 0; got != want {
			t.Errorf("%q: found %v", text, got)
		}
	}
}

// TestTossed: a password that a generator made is found with whatever signs it has.
func TestTossed(t *testing.T) {
	m := newMatcher(t, rules.Options{Own: rules.OwnOn})
	for i, sign := range strings.Split("!@#%^&*()-_=+[]{};:,.<>?/|~", "") {
		v := random(uint64(i), base62, 5) + "a" + sign + "7Q" + sign + random(uint64(i+90), base62, 5)
		for _, text := range []string{fill(`{pw} = "{v}"`, v), fill(`"{pw}": "{v}",`, v), fill("DB_{PW}={v}\n", v), fill("db:\n  {pw}: {v}\n", v)} {
			if got := hits(m, text, "conf/db.yml", 0); len(got) == 0 {
				t.Errorf("%q", text)
			}
		}
	}
}

// TestArguments: keys are found that clients get without a name, and tokens and sessions
// where they stand for a user.
func TestArguments(t *testing.T) {
	m := newMatcher(t, rules.Options{Own: rules.OwnOn})
	for i, text := range []string{
		`c = new Acme` + `Client("{v}");`,
		`c = Acme` + `Client("x", "{v}")`,
		`c = new OpenAIClient(new ApiKeyCred` + `ential("{v}"))`,
		`s = require('str` + `ipe')('{v}')`,
		`cli` + `ent.run("{v}")`,
		`axios.get(u, { headers: { Author` + `ization: "{v}" } })`,
		`git clone https:/` + `/{v}@github.com/acme/x.git`,
		"Coo" + "kie: theme=dark; sess" + "ionid={v}; lang=de\n",
		`document.coo` + `kie = 'JSESS` + `IONID={v}; path=/'`,
		`{"Jwt": {"Issuer": "x", "Key": "{v}"}}`,
	} {
		v := random(uint64(i), base62, 15) + "7aQ" + random(uint64(i+50), base62, 14)
		if got := hits(m, strings.ReplaceAll(text, "{v}", v), "a.js", 0); len(got) != 1 || string(got[0].Value.Reveal()) != v {
			t.Errorf("%q: %v", text, got)
		}
	}
}

// TestAccounts: each entry of a list is a finding, also behind others of the list's.
func TestAccounts(t *testing.T) {
	m := newMatcher(t, rules.Options{Own: rules.OwnOn})
	head := "ch" + "passwd"
	for _, text := range []string{
		head + ":\n  list: |\n    root:kR4zzQ1pq\n    x:RANDOM\n    y:zT8mmW2ka\n  expire: false\nz: aB3cD4eF5\n",
		head + ":\n  expire: false\n  list:\n    - root:kR4zzQ1pq\n    - y:zT8mmW2ka\n\nz: aB3cD4eF5\n",
		"sudo " + head + " <<'EOF'\nroot:kR4zzQ1pq\ny:zT8mmW2ka\nEOF\n",
	} {
		var got []string
		for _, h := range hits(m, text, "user-data", 0) {
			got = append(got, string(h.Value.Reveal()))
		}
		if strings.Join(got, " ") != "kR4zzQ1pq zT8mmW2ka" {
			t.Errorf("%q: %v", text, got)
		}
	}
}
