package rules_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"revenant/scanners"
	"revenant/scanners/rules"
)

// table is a text with its words in their places and without the guillemets in it, and
// the places that stood between those.
func table(text string) (plain string, at []string) {
	text = strings.NewReplacer("{pw}", "pass"+"word", "{Pw}", "Pass"+"word", "{PW}", "PASS"+"WORD").Replace(text)
	for {
		before, rest, ok := strings.Cut(text, "«")
		plain += before
		if !ok {
			return plain, at
		}
		value, behind, _ := strings.Cut(rest, "»")
		at = append(at, fmt.Sprint(len(plain), "-", len(plain)+len(value)))
		plain += value
		text = behind
	}
}

// tables are texts with the secrets in them marked.
var tables = map[string]string{
	"a browser's passwords":    "name,url,username,{pw},note\ngit,https://g.io/,alice,«kT9#vQ2mLx7w»,\nshop,https://s.io/,bob,\"«hunter,2,Rabbit»\",\n",
	"a key of AWS":             "User name,{Pw},Access key ID,Secret access key,Console login link\r\ndeploy,«z)P5Kd!vQ8x@»,,«q7Yp3sR9vT2xW8zB4nM6kL1jH5gF0dSa9PoIuYtR»,https://x\r\n",
	"quotes around all":        "\"login\";\"{pw}\"\n\"root\";\"«Kq8;zzT4mB»\"\n\"app\";\"«Lp3#wwR9nC»\"\n",
	"tabs":                     "host\tuser\t{pw}\ndb1\troot\t«r00tPw_77x»\n",
	"Markdown":                 "| Host | User | {Pw} |\n|:-----|------|:--------:|\n| db1 | root | «Kq8!zzT4mB» |\n| db2 | app | `«Lp3#wwR9nC»` |\n",
	"Markdown, a row for each": "| Field | Value |\n|---|---|\n| Host | db1 |\n| {Pw} | `«Lp3#wwR9nC»` |\n",
	"psql":                     " id | login |   {pw}   \n----+-------+--------------\n  1 | alice | «kT9#vQ2mLx7w»\n  2 | bob   | «Sommer2024!»\n(2 rows)\n",
	"psql, expanded":           "-[ RECORD 1 ]---\nid       | 1\nlogin    | alice\n{pw} | «kT9#vQ2mLx7w»\n",
	"mysql":                    "+----+-------+------+\n| id | login | {pw} |\n+----+-------+------+\n|  1 | bob   | «kT9#vQ2mLx7w» |\n+----+-------+------+\n",
	"lines of Unicode":         "┃ User ┃ {Pw} ┃\n┡━━━━━━╇━━━━━━┩\n│ root │ x │\n",
	"blanks":                   "USER     {PW}\nalice    «kT9#vQ2mLx7w»\nbob      «Lp3#wwR9nC»\n",
	"vault":                    "Key          Value\n---          -----\nlease_id     database/creds/ro/2f6a\n{pw}     «A1a-5ss1x2s3Kq8Z»\n",
	"INSERT":                   "INSERT INTO users (id, name, {pw}, created) VALUES (1, 'al', '«kT9#vQ2mLx7w»', NOW()),\n (2, 'b''o(b', '«Sommer2024!»', NOW());\n",
	"INSERT, lines":            "insert into `acme`.`users`\n  (\n    `name`,\n    `{pw}`\n  )\nvalues\n  ('alice', N'«kT9#vQ2mLx7w»');\n",
	"tokens":                   "service,api_token\nci,«b9Xq2vT7mK4zR8wL1cN6yH3j»\ncd,none\n",
	"well known":               "user,{pw}\nadmin,«letmein»\nroot,«toor123»\n",

	"hashes":              "user,{pw}_hash\nalice,b9Xq2vT7mK4zR8wL1cN6yH3j\n",
	"what is said of one": "user,{pw}_last_changed,{pw}_enabled\nalice,2024-01-02T10:00:00+00:00,true\n",
	"bcrypt":              "user,{pw}\nalice,$2b$12$KIXQ0yQ8QmZbK1bq5m0zUuJv6b0nC1s4QbQ8e7x1v2y3z4a5b6c7d\n",
	"words for people":    "key,en,de\n{pw},{Pw},Passwort\nusername,User name,Benutzername\n",
	"a list of files":     "src/pwck.c, src/chage.c, src/{pw}.c,\nsrc/su.c, src/id2b.c, src/vipw9.c,\n",
	"code":                "  user, {pw}, salt,\n  name, algo9Xy, bl);\n",
	"an assignment":       "user, {pw} = load(x)\nhost, kT9vQ2mLx7w = y\n",
	"a description":       "| Name | Type | Required |\n|---|---|---|\n| user | string | yes |\n| {pw} | string | yes |\n| token2fa | string | no |\n",
	"placeholders":        "user,{pw}\nalice,<your-pass>\nbob,${PASS_2}\ncarol,********\nd,\n",
	"another table":       "user,{pw}\n\nhost,kT9#vQ2mLx7w\n",
	"fewer columns":       "user,mail,{pw}\nalice,kT9#vQ2mLx7w\n",
	"no values":           "INSERT INTO users (name, {pw}) VALUES (?, ?), ($1, $2), (:a, md5('kT9vQ2mLx7w'));\n",
	"a selection":         "SELECT name, {pw} FROM users\nWHERE x, kT9#vQ2mLx7w\n",
}

// TestTables: a secret is found below the name of its column, and nothing else is.
func TestTables(t *testing.T) {
	m := newMatcher(t, rules.Options{Own: rules.OwnOn})
	for name, text := range tables {
		text, want := table(text)
		for _, text := range []string{text, strings.TrimRight(text, "\n"), "\n" + text} {
			var got, at []string
			for _, h := range hits(m, text, "conf/access.csv", 0) {
				if h.Rule == "revenant-password-table" {
					got = append(got, fmt.Sprint(h.Span.Start, "-", h.Span.End))
				}
			}
			for _, w := range want {
				var from, to int
				fmt.Sscanf(w, "%d-%d", &from, &to) // it was printed above
				if text[0] == '\n' {
					from, to = from+1, to+1
				}
				at = append(at, fmt.Sprint(from, "-", to))
			}
			slices.Sort(got)
			slices.Sort(at)
			if !slices.Equal(got, at) {
				t.Errorf("%s: %q: found at %v, want %v", name, text, got, at)
			}
		}
	}
}

// TestTableFlood: names of columns in long rows, and rows that could all be headings, cost
// linear work.
func TestTableFlood(t *testing.T) {
	pw := "pass" + "word"
	for _, piece := range []string{
		pw + ",", strings.Repeat(pw+",", 30) + "x\n", pw + ",x\n", pw + ",user\nx,y\n", "(" + pw + ")", "insert into x (" + pw + ",", "insert into x (" + pw + ") values ('x'),('",
		pw + `,"` + "\n", "| " + pw + " | user |\n|---|---|\n", pw + "  ", pw + "\n",
	} {
		work := func(n int) int {
			m := newMatcher(t, rules.Options{Own: rules.OwnOn})
			hits(m, strings.Repeat(piece, n/len(piece)), "a.txt", 0)
			return m.Work()
		}
		const size = 96 << 10
		if once, double := work(size), work(2*size); double > once*5/2+size {
			t.Errorf("%q: twice the text is %.1f times the work", piece, float64(double)/float64(once))
		}
	}
}

// TestTableHangs: what is found in tables hangs on nothing but what is told of.
func TestTableHangs(t *testing.T) {
	all := newMatcher(t, rules.Options{Own: rules.OwnOn})
	m, unknown := all.Named([]string{"revenant-password-table"})
	if len(unknown) > 0 {
		t.Fatal("no such rule")
	}
	filler := strings.Repeat("nothing is said in this line\n", 8)
	spans := func(text string) (out []string) {
		for _, h := range hits(m, text, "conf/a.csv", 0) {
			out = append(out, text[h.Span.Start:h.Span.End])
		}
		return out
	}
	for name, text := range tables {
		text, _ := table(text)
		text = filler + text + filler
		told := make([]bool, len(text)+1)
		_, local := m.AppendLocalHits(t.Context(), nil, scanners.Chunk{Data: []byte(text), Path: "conf/a.csv", Final: true}, func(from, to int) {
			for i := max(from, 0); i < min(to, len(told)); i++ {
				told[i] = true
			}
		})
		want := spans(text)
		for i, is := range told {
			for _, piece := range []string{"q", "\n", ",", "'"} {
				if is || !local {
					continue
				}
				if got := spans(text[:i] + piece + text[min(i+1, len(text)):]); !slices.Equal(got, want) {
					t.Fatalf("%s: %q at %d of %q, which nobody told of: found %q, want %q", name, piece, i, text, got, want)
				}
				if got := spans(text[:i] + piece + text[i:]); !slices.Equal(got, want) {
					t.Fatalf("%s: %q before %d of %q, which nobody told of: found %q, want %q", name, piece, i, text, got, want)
				}
			}
		}
	}
}

func FuzzTables(f *testing.F) {
	all := newMatcher(f, rules.Options{Own: rules.OwnOn})
	m, _ := all.Named([]string{"revenant-password-table"})
	for _, text := range tables {
		text, _ := table(text)
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, h := range hits(m, text, "conf/a.csv", 0) {
			if h.Span.Start < 0 || h.Span.End > int64(len(text)) || h.Span.Len() < 3 || !h.Match.Contains(h.Span) {
				t.Fatalf("span %v, match %v of %d bytes", h.Span, h.Match, len(text))
			}
			if strings.ContainsAny(text[h.Span.Start:h.Span.End], " \t\n") {
				t.Errorf("%q is no value", text[h.Span.Start:h.Span.End])
			}
		}
	})
}
