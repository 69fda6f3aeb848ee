package importers_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/fingerprints/importers"
)

// word makes a value that no scanner knows: the same for the same n.
func word(n uint64, size int) string {
	rng := rand.New(rand.NewPCG(n, 7))
	out := make([]byte, size)
	for i := range out {
		out[i] = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"[rng.IntN(56)]
	}
	return string(out)
}

// read renders records and problems, one a line, values included.
func read(t testing.TB, in string, opt importers.Options) []string {
	t.Helper()
	var out []string
	for item, err := range importers.Read(strings.NewReader(in), opt) {
		switch {
		case err != nil:
			t.Fatalf("reading: %v", err)
		case (item.Record == nil) == (item.Problem == nil):
			t.Fatal("neither a record nor a problem, or both")
		case item.Problem != nil:
			out = append(out, fmt.Sprintf("%d! %s", item.Problem.Line, item.Problem.Reason))
		default:
			r := item.Record
			line := fmt.Sprintf("%d %s", r.Line, r.Name)
			for _, v := range []string{string(r.Class), r.Owner, strings.Join(r.Consumers, "+"), string(r.State), r.IssuedTo} {
				if v != "" {
					line += " " + v
				}
			}
			for _, f := range r.Fields {
				line += fmt.Sprintf(" %s=%q", f.Name, f.Value.Reveal())
			}
			out = append(out, line)
		}
	}
	return out
}

func check(t *testing.T, in string, opt importers.Options, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, read(t, in, opt)); diff != "" {
		t.Error(diff)
	}
}

func TestJSONLines(t *testing.T) {
	a, b := word(1, 24), word(2, 24)
	opt := importers.Options{Format: importers.JSONL}
	check(t, strings.Join([]string{
		`{"name":"a/b","value":"` + a + `"}`,
		`{"name":"a/b","value":"` + b + `"}`,
		``,
		`{"name":"c","value_base64":"` + base64.StdEncoding.EncodeToString([]byte(a+"\x00\xff")) + `","class":"bootstrap","owner":"team","consumers":["z","y","y"],"state":"retired","issued_to":"z"}`,
		`{"name":"d","value":"` + a,
		`not json ` + a,
		`[1]`,
		`"` + a + `"`,
		`{"value":"` + a + `"}`,
		`{"name":"e f","value":"` + a + `"}`,
		`{"name":"g"}`,
		`{"name":"g","value":""}`,
		`{"name":"g","value":12345678901}`,
		`{"name":"g","value":"` + a + `","value_base64":"AAAA"}`,
		`{"name":"g","value_base64":"!"}`,
		`{"name":"g","value":"` + a + `","class":"nuclear"}`,
		`{"name":"g","value":"` + a + `","state":"dead"}`,
		`{"name":"g","value":"` + a + `","consumers":7}`,
		`{"name":"g","value":"` + a + `","consumers":["a b"]}`,
		"{\"name\":\"g\",\"value\":\"\xff\"}",
		`{"name":"g","value":"\ud800"}`,
		`{"name":"ok","value":"\ufffd","note":"kept out"}`,
		`{"name":"url","value":"postgres://u:p%40` + a + `@db.example/x"}`,
		`{"name":"pair","value":{"username":"bob","password":"` + a + `"},"consumers":"x, y"}`,
		`{"name":"last","value":"true"}`,
	}, "\r\n"), opt,
		`1 a/b value="`+a+`"`,
		`2 a/b value="`+b+`"`,
		`4 c bootstrap team y+z retired z value="`+a+`\x00\xff"`,
		`5! not valid JSON`,
		`6! not valid JSON`,
		`7! not a JSON object`,
		`8! not a JSON object`,
		`9! no name`,
		`10! name: not a valid name: use letters, digits and . _ - /, as in billing/db-password`,
		`11! no value: give value or value_base64`,
		`12! the value is empty`,
		`13! value is not a string`,
		`14! both value and value_base64`,
		`15! value_base64 is not base64`,
		`16! class: use one of [application third-party cryptographic bootstrap]`,
		`17! state: use one of [pending active superseded retired abandoned]`,
		`18! consumers is not a list of strings`,
		`19! consumers: not a valid name: use letters, digits and . _ - /, as in billing/db-password`,
		`20! not UTF-8: write binary values as value_base64`,
		`21! the value holds half of a surrogate pair: write it as value_base64`,
		"22 ok value=\"\ufffd\"",
		`23 url password="p@`+a+`"`,
		`24 pair x+y password="`+a+`"`,
		`25 last value="true"`,
	)
	check(t, `{"name":"x","value":"`+a+`"}`, importers.Options{Format: importers.JSONL, Prefix: "pre"}, `1 pre/x value="`+a+`"`)
}

func TestDotenv(t *testing.T) {
	a, b, c := word(1, 24), word(2, 24), word(3, 24)
	check(t, "\xef\xbb\xbf"+strings.Join([]string{
		`# a comment with API_KEY=x`,
		`export DB_PASSWORD=` + a + ` # trailing`,
		`  API_KEY = "` + b + `"`,
		`SINGLE_SECRET='` + a + `$x\n'   # c`,
		`DOUBLE_SECRET="` + a + `\n\"q\" \$HOME \x"`,
		`BACK_SECRET=` + "`" + a + `"'` + "`",
		`HASH_SECRET=` + a + `#inside`,
		`MULTI_SECRET="` + a,
		`# not a comment`,
		``,
		b + `"`,
		`DB_PASSWORD=` + c,
		`export NAMES`,
		`no sign here`,
		`=x`,
		`9LIVES_TOKEN=` + a,
		`BAD NAME=` + a,
		`TAIL_SECRET="` + a + `" tail`,
		`DEBUG=true`,
		`SECRET_ENABLED=true`,
		`PORT_KEY=5432`,
		`DB_HOST=db.internal.example`,
		`DB_USER=administrator`,
		`HOMEPAGE=https://example.com/a`,
		`DATABASE_URL=postgres://app:p%40ss%2F` + a + `@db:5432/x`,
		`REDIS_URL=redis://:` + b + `@cache:6379/0`,
		`EMPTY_TOKEN=`,
		`JWT_SECRET=changeme`,
		`OTHER_TOKEN=${DB_PASSWORD}`,
		`PLAIN=hello world`,
		`OPAQUE=` + c,
		`LOG_LEVEL=info`,
		`SLACK_WEBHOOK_URL=https://hooks.example/services/` + a,
		`KEY_FILE=/etc/ssl/private/server.key`,
		`SHORT_PASSWORD=x7!q`,
		`ADO="Server=tcp:db,1433;User ID=sa;Password=` + a + `;Encrypt=True"`,
		`LIBPQ="host=db user=app password='` + b + `' dbname=x"`,
		`DOC={"type":"account","client_id":"123","private_key_secret":"` + c + `"}`,
		`OPEN_SECRET="` + a,
		`AFTER_TOKEN=` + b,
	}, "\n"), importers.Options{Format: importers.Dotenv, Prefix: "app"},
		`2 app/DB_PASSWORD value="`+a+`"`,
		`3 app/API_KEY value="`+b+`"`,
		`4 app/SINGLE_SECRET value="`+a+`$x\\n"`,
		`5 app/DOUBLE_SECRET value="`+a+`\n\"q\" $HOME \\x"`,
		`6 app/BACK_SECRET value="`+a+`\"'"`,
		`7 app/HASH_SECRET value="`+a+`#inside"`,
		`8 app/MULTI_SECRET value="`+a+`\n# not a comment\n\n`+b+`"`,
		`12 app/DB_PASSWORD value="`+c+`"`,
		`14! not NAME=value`,
		`15! no name before =`,
		`16! not a variable's name before =`,
		`17! not a variable's name before =`,
		`18! text behind the closing quote`,
		`25 app/DATABASE_URL password="p@ss/`+a+`"`,
		`26 app/REDIS_URL password="`+b+`"`,
		`31 app/OPAQUE value="`+c+`"`,
		`33 app/SLACK_WEBHOOK_URL value="https://hooks.example/services/`+a+`"`,
		`35 app/SHORT_PASSWORD value="x7!q"`,
		`36 app/ADO password="`+a+`"`,
		`37 app/LIBPQ password="`+b+`"`,
		`38 app/DOC private_key_secret="`+c+`"`,
		`39! the quote is not closed`,
		`40 app/AFTER_TOKEN value="`+b+`"`,
	)
	check(t, "DEBUG=true\nHOST=db.example\nN=\n", importers.Options{Format: importers.Dotenv, Select: importers.All},
		`1 DEBUG value="true"`, `2 HOST value="db.example"`)
}

func TestNestedJSON(t *testing.T) {
	a, b := word(1, 24), word(2, 24)
	in := `{
  "db": {"host": "db.example", "user": "app",
         "password": "` + a + `"},
  "tokens": ["` + a + `", "` + b + `"],
  "feature key": true,
  "url": "amqp://u:` + b + `@mq//",
  "odd name!": {"api key": "` + b + `"},
  "broken": "x
}`
	check(t, in, importers.Options{Format: importers.JSON},
		`3 db/password value="`+a+`"`, `4 tokens/0 value="`+a+`"`, `4 tokens/1 value="`+b+`"`, `6 url password="`+b+`"`,
		`7 odd-name-/api-key value="`+b+`"`, `8! not valid JSON`)
	check(t, strings.Replace(in, "\"x\n", "\"x\"\n", 1), importers.Options{Format: importers.JSON},
		`3 db/password value="`+a+`"`, `4 tokens/0 value="`+a+`"`, `4 tokens/1 value="`+b+`"`, `6 url password="`+b+`"`,
		`7 odd-name-/api-key value="`+b+`"`)
	check(t, `{"a":`+strings.Repeat(`{"a":`, 100)+`1`+strings.Repeat(`}`, 101), importers.Options{Format: importers.JSON}, `1! nested too deeply`)
	check(t, ` `, importers.Options{Format: importers.JSON}, `1! the input is empty`)
	check(t, `"x"`, importers.Options{Format: importers.JSON}, `1! not an object`)
	check(t, "{}\n\xff", importers.Options{Format: importers.JSON}, `2! not UTF-8`)
}

func TestVault(t *testing.T) {
	a := word(1, 24)
	v2 := `{"request_id":"r","lease_id":"","data":{"data":{"username":"app","password":"` + a + `","ttl":"1h"},
"metadata":{"created_time":"2024-01-01T00:00:00Z","deletion_time":"","destroyed":false,"version":3}},"warnings":null}`
	check(t, v2, importers.Options{Format: importers.Vault, Prefix: "billing/db"}, `1 billing/db password="`+a+`"`)
	check(t, v2, importers.Options{Format: importers.Vault}, `1 password password="`+a+`"`)
	check(t, `{"data":{"value":"`+a+`"}}`, importers.Options{Format: importers.Vault, Prefix: "v1"}, `1 v1 value="`+a+`"`)
	check(t, `{"data":{"data":null,"metadata":{"deletion_time":"2024-01-01T00:00:00Z","version":3}}}`, importers.Options{Format: importers.Vault, Prefix: "x"},
		`1! this version is deleted or destroyed: it has no data`)
	check(t, `{"errors":["x"]}`, importers.Options{Format: importers.Vault}, `1! no data: expected the output of vault kv get -format=json`)
	check(t, `{"data":{"username":"a"}}`, importers.Options{Format: importers.Vault, Prefix: "x"}, `1! no sensitive field (--all takes every field)`)
}

func TestAWS(t *testing.T) {
	a := word(1, 24)
	doc, _ := json.Marshal(`{"username":"app","password":"` + a + `","engine":"mysql","host":"h.rds.example","port":3306}`)
	stage := `,"VersionStages":["AWSCURRENT"]`
	opt := importers.Options{Format: importers.AWS}
	check(t, `{"ARN":"arn:aws:x","Name":"prod/db","SecretString":`+string(doc)+stage+`}`, opt, `1 prod/db active password="`+a+`"`)
	check(t, `{"Name":"prod/plain","SecretString":"`+a+`","VersionStages":["AWSPREVIOUS"]}`, opt, `1 prod/plain superseded value="`+a+`"`)
	check(t, `{"Name":"prod/bin","SecretBinary":"`+base64.StdEncoding.EncodeToString([]byte(a+"\x01"))+`","VersionStages":["AWSPENDING"]}`, opt,
		`1 prod/bin pending value="`+a+`\x01"`)
	check(t, `{"Name":"x"}`, opt, `1! neither SecretString nor SecretBinary`)
	check(t, `{"Name":"x","SecretBinary":"!"}`, opt, `1! SecretBinary is not base64`)
	check(t, `{"SecretString":"`+a+`"}`, opt, `1! no Name: expected the output of aws secretsmanager get-secret-value`)
	check(t, `{"SecretValues":[{"Name":"one","SecretString":"`+a+`"},
{"Name":"two","SecretString":""}]}`, opt, `1 one value="`+a+`"`, `2! neither SecretString nor SecretBinary`)
}

func TestKubernetes(t *testing.T) {
	a := word(1, 24)
	enc := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	secret := func(name, data string) string {
		return `{"apiVersion":"v1","kind":"Secret","metadata":{"name":"` + name + `","namespace":"prod"},"type":"Opaque","data":` + data + `}`
	}
	opt := importers.Options{Format: importers.K8s}
	docker := `{"auths":{"r.example":{"username":"u","password":"` + a + `","auth":"` + enc("u:"+a) + `"}}}`
	check(t, `{"kind":"List","items":[`+strings.Join([]string{
		secret("db", `{"username":"`+enc("app")+`","password":"`+enc(a)+`"}`),
		secret("docker", `{".dockerconfigjson":"`+enc(docker)+`"}`),
		secret("binary", `{"blob":"`+enc(a+"\xff\x00")+`"}`),
		secret("bad", `{"password":"*"}`),
		secret("none", `null`),
		`{"kind":"ConfigMap"}`,
		secret("tls", `{"tls.crt":"`+enc("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")+`"}`),
	}, ",\n")+`]}`, opt,
		`1 prod/db password="`+a+`"`,
		`2 prod/docker dockerconfigjson/auths/r.example/password="`+a+`" dockerconfigjson/auths/r.example/auth="`+enc("u:"+a)+`"`,
		`3 prod/binary blob="`+a+`\xff\x00"`,
		`4! a value of data is not base64`,
		`4! a Secret without data`,
		`5! a Secret without data`,
		`6! not a Secret or a List of Secrets`,
		`7! no sensitive field (--all takes every field)`,
	)
}

func TestSOPS(t *testing.T) {
	a, b := word(1, 24), word(2, 24)
	opt := importers.Options{Format: importers.SOPS, Prefix: "s"}
	check(t, "db:\n  user: app\n  password: "+a+"\n  pin: 12\nlist:\n- token: "+b+"\nref: &x\n  secret: "+b+"\nalias: *x\n"+
		"text_secret: |\n  "+a+"\n  two\n", opt,
		`3 s/db/password value="`+a+`"`, `6 s/list/0/token value="`+b+`"`, `8 s/ref/secret value="`+b+`"`, `10 s/text_secret value="`+a+`\ntwo\n"`)
	check(t, `{"password":"`+a+`","sops":{"mac":"`+b+`"}}`, opt, `1 s/password value="`+a+`"`)
	check(t, "# c\nDB_PASSWORD="+a+"\n", opt, `2 s/DB_PASSWORD value="`+a+`"`)
	check(t, "a: b\n  c: [\n", opt, `2! not valid YAML`)
	check(t, "a: &a [*a, *a]\n", opt)
}

// A private key is taken as it is, whatever its key is called.
func TestPrivateKeysAreTaken(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	body := make([]byte, 300)
	for i := range body {
		body[i] = byte(rng.Uint32())
	}
	label := "AGE ENCRYPTED " + "FILE"
	armour := "-----BEGIN " + label + "-----\n" + base64.StdEncoding.EncodeToString(body) + "\n-----END " + label + "-----\n"
	quoted, _ := json.Marshal(map[string]string{"file": armour})
	if got := read(t, string(quoted), importers.Options{Format: importers.JSON}); len(got) != 1 || !strings.Contains(got[0], "file value=") {
		t.Errorf("got %d records", len(got))
	}
	if got := read(t, "X=\""+armour+"\"\nY=1\n", importers.Options{Format: importers.Dotenv}); len(got) != 1 || !strings.HasPrefix(got[0], "1 X value=") {
		t.Errorf("got %d records", len(got))
	}
}

func TestLongLines(t *testing.T) {
	a := word(1, 24)
	long := strings.Repeat("x", importers.MaxLine+10)
	check(t, `{"name":"a","value":"`+a+"\"}\n"+long+"\n"+`{"name":"b","value":"`+a+`"}`, importers.Options{Format: importers.JSONL},
		`1 a value="`+a+`"`, `2! the line is longer than 2 MiB`, `3 b value="`+a+`"`)
	check(t, "A_KEY="+a+"\nB_KEY=\"open\n"+long+"\nC_KEY="+a+"\n", importers.Options{Format: importers.Dotenv},
		`1 A_KEY value="`+a+`"`, `2! the quote is not closed`, `3! the line is longer than 2 MiB`, `4 C_KEY value="`+a+`"`)
}

func TestReadStopsAndFails(t *testing.T) {
	n := 0
	for range importers.Read(strings.NewReader(strings.Repeat("A_KEY="+word(1, 20)+"\n", 100)), importers.Options{Format: importers.Dotenv}) {
		if n++; n == 3 {
			break
		}
	}
	if n != 3 {
		t.Errorf("%d items", n)
	}
	broken := errors.New("the pipe is broken")
	for _, f := range importers.Formats() {
		var last error
		for _, err := range importers.Read(iotest.ErrReader(broken), importers.Options{Format: f}) {
			last = err
		}
		if !errors.Is(last, broken) {
			t.Errorf("%s: %v", f, last)
		}
	}
	for _, err := range importers.Read(strings.NewReader(""), importers.Options{Format: "ini"}) {
		if !errors.Is(err, importers.ErrFormat) {
			t.Errorf("unknown format: %v", err)
		}
	}
}

// No reason repeats what the input holds.
func TestReasonsHoldNoContent(t *testing.T) {
	canary := word(9, 20)
	for _, f := range importers.Formats() {
		for _, in := range []string{
			canary, canary + "=" + canary + "\"", `{"` + canary + `":`, `{"name":"` + canary + ` ` + canary + `","value":"` + canary + `"}`,
			`{"name":{"` + canary + `":1},"value":1}`, `{"data":"` + canary + `"}`, `{"kind":"` + canary + `"}`, canary + ": [" + canary, "a: {b: !!binary " + canary + "*}",
			`{"name":"x","value":"v","class":"` + canary + `"}`, "\"" + canary + "\n" + canary + ": \t- " + canary,
		} {
			for item, err := range importers.Read(strings.NewReader(in), importers.Options{Format: f}) {
				if err != nil && strings.Contains(err.Error(), canary) || item.Problem != nil && strings.Contains(item.Problem.Reason, canary) {
					t.Errorf("%s: %s", f, "the reason repeats the input")
				}
			}
		}
	}
}

func TestManyLinesAreFast(t *testing.T) {
	var in strings.Builder
	for i := range uint64(100_000) {
		fmt.Fprintf(&in, "{\"name\":\"svc/s%d\",\"value\":\"%016x%016x\"}\n", i, i*0x9E3779B97F4A7C15, i)
	}
	start := time.Now()
	n := 0
	for item, err := range importers.Read(io.Reader(strings.NewReader(in.String())), importers.Options{Format: importers.JSONL}) {
		if err != nil || item.Record == nil {
			t.Fatal("not a record")
		}
		n++
	}
	if took := time.Since(start); n != 100_000 || took > 10*time.Second {
		t.Errorf("%d records in %v", n, took)
	} else {
		t.Log(took)
	}
}

func FuzzRead(f *testing.F) {
	for _, s := range []string{
		`{"name":"a","value":"b"}`, "export A_KEY=\"x\\n\"\nB='", `{"data":{"data":{"a":"b"},"metadata":{}}}`,
		`{"Name":"x","SecretString":"{\"password\":\"y\"}"}`, `{"kind":"List","items":[{"kind":"Secret","metadata":{"name":"n"},"data":{"k":"YWJj"}}]}`,
		"a: &x {b: c}\nd: *x\n", "U=postgres://a:b%zz@c/d?token=e;password=f",
	} {
		f.Add(s, uint8(0))
	}
	f.Fuzz(func(t *testing.T, in string, how uint8) {
		formats := importers.Formats()
		opt := importers.Options{Format: formats[int(how>>1)%len(formats)], Select: importers.Selection(how & 1)}
		last := 0
		for item, err := range importers.Read(strings.NewReader(in), opt) {
			if err != nil {
				t.Fatalf("%s: %v", opt.Format, err)
			}
			line := 0
			if item.Problem != nil {
				line = item.Problem.Line
			} else {
				line = item.Record.Line
				if len(item.Record.Fields) == 0 || item.Record.Name == "" {
					t.Fatal("a record without name or fields")
				}
				for _, f := range item.Record.Fields {
					if f.Name == "" || f.Value.IsEmpty() {
						t.Fatal("a field without name or value")
					}
				}
			}
			lines := strings.Count(in, "\n") + 1
			if opt.Format == importers.SOPS {
				lines = len(in) + 1 // YAML has other breaks, too
			}
			if line < 1 || line > lines {
				t.Fatalf("line %d of %d", line, lines)
			}
			if opt.Format == importers.JSONL && line <= last {
				t.Fatalf("line %d behind %d", line, last)
			}
			last = line
		}
	})
}
