package rules

import (
	"encoding/base64"
	"strings"
	"testing"
)

func TestGradeOf(t *testing.T) {
	for _, tt := range []struct {
		want  grade
		how   manner
		words string
	}{
		{strongSecret, quotedText, "kR4zQ1pxT 1t'sB1g3rt Oradoc_db1 RedisPass1! dag0HTXl4RG y&x5Z#f6W KVKFKRCPNZQUYMLXOVYDSQKJ 9f2c0812bb8cdc0c xqzptvkwrmsd b3nN-77k"},
		{weakSecret, quotedText, "banana welcome1 passw0rd s3cr3t! T0PS3cr3T! changeme 1234567 admin123 porkchop hello aaab1 correctHorse open-sesame"},
		{weakSecret, bareWord, "my_password redis_pwd top_secret"},
		{noSecret, quotedText, "abc true None password-input userPassword DB_PASSWORD config.password ${X} {{x}} $DB_PASS %DB_PASS% @name@ <value> [value] __TOKEN__ xxxxxxxx aaaaaa ******** /run/secrets/x ./a.pem cert.pem 10.0.0.1:80 me@site.org 8080 12345 1.2.3 2026-11-24 30s 0x1f :param *alias &anchor your-token example1A placeholder9 REDACTED ENC(abc) vault:a/b#c get_x() a->b func(x) $2a$10$abc {SSHA}abcd md5:abcd op://a/b arn:aws:x:y"},
		{noSecret, quotedText, "Passwörter 密码密码密码"},
	} {
		for _, v := range strings.Fields(tt.words) {
			if got := gradeOf(v, tt.how); got != tt.want {
				t.Errorf("%q: %d, want %d", v, got, tt.want)
			}
		}
	}
	for v, want := range map[string]grade{
		"ds:ResetUserData": noSecret, "KDFKeySecret": noSecret, "ConvertTo-SecureString": noSecret, "2.5.13.18:=": noSecret,
		"111111": weakSecret, "88888888": weakSecret, "1111": noSecret, "LETMEIN": weakSecret, "DB_MAIN": noSecret,
	} {
		if got := gradeOf(v, bareWord); got != want {
			t.Errorf("bare %q: %d, want %d", v, got, want)
		}
	}
	if gradeOf("zh!=!gq(w^_t[sBR29954x)HI+$ehwss*xYNQ", quotedText) != strongSecret || gradeOf("The new word must have 8 signs: A-Z, a-z (and) 0-9!", quotedText) != noSecret {
		t.Error("what a generator made is not told from a sentence")
	}
}

func TestSurroundings(t *testing.T) {
	for _, tt := range []struct {
		want  surroundings
		paths string
	}{
		{surroundings{example: true}, "a/test/b.go a_test.go a/b.spec.ts src/test/java/A.java FooTest.java FooTests.cs README.md docs/a.html x/examples/y.yml .env.example a.zip!docs/b test_a.py conf/app.yml.dist CHANGELOG"},
		{surroundings{made: true}, "package-lock.json a/yarn.lock go.sum dist/app.min.js app.js.map"},
		{surroundings{made: true, vendored: true}, "node_modules/a/b.js"},
		{surroundings{vendored: true}, "vendor/a/b.go a/third_party/b.c x/third-party/y.js"},
		{surroundings{words: true}, "locales/de.yml a/i18n/en.json messages_de.properties po/de.po res/values-de/x.xml"},
		{surroundings{}, "main.go app/settings.py .env config/database.yml latest.json contest.py src/attestation/a.go @commit-message Dockerfile"},
	} {
		for _, p := range strings.Fields(tt.paths) {
			if got := surroundingsOf(p); got != tt.want {
				t.Errorf("%s: %+v, want %+v", p, got, tt.want)
			}
		}
	}
	if surroundingsOf("") != (surroundings{}) {
		t.Error("no path says something")
	}
}

// TestAssessed: every rule of ours with a value to judge has a judge, and no
// judge is of a rule that is not there.
func TestAssessed(t *testing.T) {
	for _, d := range generatedOwn.rules {
		if !strings.HasPrefix(d.id, "revenant-") || d.description == "" {
			t.Errorf("%s: its name or description is not ours", d.id)
		}
		if wordy(d.id) && d.id != "revenant-password-hash" && assessOf(d.id) == nil {
			t.Errorf("%s has no judge", d.id)
		}
	}
}

func FuzzAssess(f *testing.F) {
	f.Add("pass"+"word = \"kR4zQ1pxT\"", 12, 21)
	f.Add("MIIEpAIBAAKCAQEA"+strings.Repeat("x7", 30), 0, 40)
	f.Add("x://u:p%zz@h", 6, 10)
	f.Add("", 0, 0) // as an expression of the user's may match
	f.Add(base64.StdEncoding.EncodeToString([]byte("a:b")), 0, 4)
	f.Fuzz(func(t *testing.T, match string, start, end int) {
		if start < 0 || end < start || end > len(match) {
			return
		}
		c := candidate{match: match, secret: extent{start, end}}
		for _, d := range generatedOwn.rules {
			if a := assessOf(d.id); a != nil && a(c) > strongSecret {
				t.Fatalf("%s makes up a grade", d.id)
			}
		}
		if privateDER([]byte(match)) && len(match) < 4 {
			t.Fatal("a key of three bytes")
		}
		_ = surroundingsOf(match)
	})
}
