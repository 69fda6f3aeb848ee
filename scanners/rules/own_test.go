package rules_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base32"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"revenant/scanners"
	"revenant/scanners/rules"
)

// chosen is a password as people are made to choose them, too short for
// gitleaks' generic rule.
func chosen(seed uint64) string { return "kR4" + random(seed, base62, 6) }

// fill writes a template with the words that rules look for, split here so that
// a scan of this file stays quiet, and a value.
func fill(template, value string) string {
	return strings.NewReplacer(
		"{pw}", "pass"+"word", "{PW}", "PASS"+"WORD", "{Pw}", "Pass"+"word", "{pass}", "pa"+"ss", "{PASS}", "PA"+"SS", "{pwd}", "p"+"wd",
		"{secret}", "sec"+"ret", "{Secret}", "Sec"+"ret", "{phrase}", "pass"+"phrase", "{at}", "@", "{css}", ":/"+"/", "{sp}", "", "{basic}", "Ba"+"sic", "{v}", value,
	).Replace(template)
}

// ownHits are the rules of ours that match, with their values.
func ownHits(m *rules.Matcher, text, path string) (out []string) {
	for _, h := range hits(m, text, path, 0) {
		if strings.HasPrefix(h.Rule, "revenant-") {
			out = append(out, strings.TrimPrefix(h.Rule, "revenant-")+" "+string(h.Value.Reveal()))
		}
	}
	return out
}

// written are ways to write a password down, by rule.
var written = []struct{ rule, path, text string }{
	{"password-literal", "a.py", `{pw} = "{v}"`},
	{"password-literal", "a.go", `	db{Pw} := "{v}"`},
	{"password-literal", "a.go", `var db{Pw} string = "{v}"`},
	{"password-literal", "a.ts", `const {pw}: string = '{v}';`},
	{"password-literal", "a.rs", `let {pw}: &str = "{v}";`},
	{"password-literal", "a.c", `static const char {pw}[] = "{v}";`},
	{"password-literal", "a.rb", `  :{pw} => '{v}',`},
	{"password-literal", "a.php", `    '{pw}' => '{v}',`},
	{"password-literal", "a.php", `$config['db_{pass}'] = '{v}';`},
	{"password-literal", "a.json", `{"user": "x", "{pw}": "{v}"}`},
	{"password-literal", "a.log", `{\"user\":\"x\",\"{pw}\":\"{v}\"}`},
	{"password-literal", "a.yml", "db:\n  {pw}: '{v}'\n"},
	{"password-literal", "a.scala", `{pw} = Some("{v}"),`},
	{"password-literal", "a.sh", `export DB_{PASS}="{v}"`},
	{"password-literal", "a.ps1", `$ad{Pw} = "{v}"`},
	{"password-literal", "a.config", `<connection user="x" {pw}="{v}"/>`},
	{"password-literal", "a.js", `ssh_{pwd}: '{v}'`},
	{"password-literal", "a.js", `if (body.{pw} === '{v}') {`},
	{"password-literal", "a.toml", `{phrase} = "{v}"`},
	{"password-literal", "a.txt", "the {pw}: \u201c{v}\u201d"},
	{"password-literal", "a.txt", "{pw} = \u2018{v}\u2019"},
	{"password-literal", "a.py", `client_{secret} = "{v}"`},
	{"password-literal", "a.py", `{pw}_confirmation: "{v}"`},
	{"password-literal", "a.js", `{pw}: process.env.DB_{PW} || '{v}',`},
	{"password-literal", "a.ts", `const x = env.{pw} ?? "{v}"`},
	{"password-literal", "a.py", `X = os.environ.get("{PW}") or "{v}"`},
	{"password-literal", "a.sql", `s:9:"smtp_{pass}";s:9:"{v}";`},
	{"password-setting", "a.properties", "spring.datasource.{pw}={v}\n"},
	{"password-setting", ".env", "DB_{PW}={v}\n"},
	{"password-setting", "a.ini", "[mysql]\n{pw} = {v}\n"},
	{"password-setting", ".my.cnf", "[client]\n{pw}={v}"},
	{"password-setting", "a.yaml", "{pw}: {v} # of the test system\n"},
	{"password-setting", "a.yaml", "users: [{user: x, {pw}: {v}}]\n"},
	{"password-setting", "b.sh", "PG{PW}={v} psql -h db\n"},
	{"password-setting", "docker-compose.yml", "      - MYSQL_ROOT_{PW}={v}\n"},
	{"password-setting", "build.log", "2026-11-24 login as x, {pwd}={v} from 10.0.0.1\n"},
	{"password-setting", "values.yaml.j2", "{pw}: {v}\n"},
	{"password-setting", "a.sh", "run -e X_{PW}={v} -e Y\n"},
	{"password-env", "Dockerfile", "ENV DB_{PW} {v}\n"},
	{"password-option", "a.sh", "app --user x --db-{pw} {v} --verbose\n"},
	{"password-option", "a.sh", "app --{pw}={v}\n"},
	{"password-option", "a.json", `["--{pw}", "{v}"]`},
	{"password-option", "a.sh", "openssl pkcs12 -{pass}out {pass}:{v} -in a\n"},
	{"password-command", "a.sh", "ssh{pass} -p '{v}' ssh x\n"},
	{"password-command", "a.sh", "my" + "sql -u root -p{v} db\n"},
	{"password-command", "a.sh", "redis" + "-cli -h x -a {v} ping\n"},
	{"password-command", "a.sh", "docker lo" + "gin -u x -p {v} registry\n"},
	{"password-command", "a.sh", "ht{pass}wd -bc users x {v}\n"},
	{"password-call", "a.java", `	source.set{Pw}("{v}");`},
	{"password-call", "a.java", `	.with{Pw}("{v}")`},
	{"password-call", "a.js", `x.{pw}('{v}')`},
	{"password-pair", "a.yaml", "- name: DB_{PW}\n  value: {v}\n"},
	{"password-pair", "a.json", `{"name": "DB_{PW}", "value": "{v}"}`},
	{"password-pair", "a.xml", `<add key="smtp{Pw}" value="{v}" />`},
	{"password-xml", "a.xml", "<user>x</user><{pw}>{v}</{pw}>"},
	{"password-xml", "a.xml", `<Pa` + `ss encoding="base64">{v}</Pass>`},
	{"password-sql", "a.sql", "CREATE USER x IDENTI" + "FIED BY '{v}';"},
	{"password-sql", "a.sql", "ALTER ROLE x WITH {PW} '{v}';"},
	{"password-sql", "a.sql", "SET x = {PW}('{v}')"},
	{"connection-string", "a.cs", `"Server=db;User Id=sa;{Pw}={v};Encrypt=True"`},
	{"connection-string", "a.go", `"host=db user=x {pw}={v} dbname=y"`},
	{"form-credentials", "a.log", "GET /login?user=x&{pw}={v} HTTP/1.1"},
	{"php-define", "wp-config.php", `define( 'DB_{PW}', '{v}' );`},
	{"php-define", "wp-config.php", `define('AUTH_KEY', '{v}');`},
	{"php-define", "wp-config.php", `define('AUTH_KEY',         '{v}');`},
	{"netrc", ".netrc", "machine x login y {pw} {v}\n"},
	{"pgpass", ".pgpass", "db.internal:5432:*:x:{v}\n"},
	{"ppp-secret", "etc/ppp/chap-secrets", "# client server secret addresses\nx\t*\t{v}\t*\n"},
	{"ppp-secret", "etc/ppp/pap-secrets", "\"x\" isp \"{v}\"\n"},
	{"pgbouncer-user", "etc/pgbouncer/userlist.txt", "\"x\" \"{v}\"\n"},
	{"svnserve-user", "repos/conf/passwd", "[users]\n# y = z\nx = {v}\n"},
	{"login-file", "openvpn/auth.txt", "x\n{v}\n"},
	{"account-list", "old/passwords.txt", "x:{v}\n"},
	{"account-list", "user-accounts.lst", "y@example.com:{v}\r\nx | y\r\n"},
	{"erlang-cookie", "root/.erlang.cookie", "{v}"},
	{"subversion-password", ".subversion/auth/svn.simple/0a", "K 8\npass" + "word\nV 16\n{v}\nK 8\nusername\n"},
	{"url-credentials", "a.py", "DSN = 'postgres{css}x:{v}{at}db:5432/y'"},
	{"url-credentials", "a.py", "redis{css}:{v}{at}cache"},
	{"url-credentials", "a.properties", "url=jdbc:mysql{css}root:{v}{at}db/x"},
	{"url-credentials", "a.go", "mongodb+srv{css}x:{v}{at}cluster0.y.net/"},
	{"curl-user", "a.sh", "curl -fsS -u x:{v} http{css}db/\n"},
	{"password-setting", "hosts.txt", "ID:master PW:{v}\n"},
	{"password-setting", "hosts.txt", "db.internal (p" + "w: {v})\n"},
	{"password-setting", "slapd.conf", "bindp" + "w {sp}= {v}\n"},
	{"password-setting", ".env", "MYSQL{PASS}={v}\n"},
	{"password-setting", "a.properties", "db{pwd}={v}\n"},
	{"password-setting", "a.ini", "p" + "swd = {v}\n"},
	{"password-literal", "a.py", `db{pass} = "{v}"`},
	{"password-literal", "a.php", `$p` + `w = '{v}';`},
	{"password-literal", "a.js", `if (p` + `w !== "{v}") {`},
	{"password-option", "a.bat", "plink -ssh x -p" + "w {v} ls\n"},
	{"form-credentials", "a.log", "GET /login?user=x&p" + "w={v} HTTP/1.1"},
	{"password-macro", "a.h", `#define WIFI_{PW} "{v}"`},
	{"password-macro", "a.spec", `%global {pass} "{v}"`},
	{"curl-option", "a.php", `curl_setopt($ch, CURLOPT_USER` + `PWD, "user:{v}");`},
	{"curl-option", "a.c", `easy_setopt(curl, CURLOPT_{PW}, "{v}");`},
	{"password-sql", "a.sql", "CREATE USER x IDENTI" + "FIED BY {v};"},
	{"password-sql", "a.sql", "CREATE ROLE x WITH LOGIN {PW} {v};"},
	{"password-literal", "a.vb", `Dim {pw} As String = "{v}"`},
	{"password-literal", "a.py", `{PW}: Final[str] = "{v}"`},
	{"password-literal", "a.py", `add_argument('--{pw}', default='{v}')`},
	{"password-literal", "a.py", `add_argument("--{pw}", type=str, default="{v}")`},
	{"password-literal", "a.py", `add_argument("--{pw}", help="of the user", default="{v}")`},
	{"password-literal", "a.rs", `env::var("DB_{PW}").unwrap_or_else(|_| "{v}".into())`},
	{"named-apart", "a.yml", "- ParameterKey: Db{Pw}\n  ParameterValue: {v}\n"},
	{"password-literal", "a.kt", `mapOf("{pw}" to "{v}")`},
	{"password-literal", "a.rs", `env::var("DB_{PW}").unwrap_or("{v}".into())`},
	{"password-literal", "a.cpp", `QString m_{pw}{"{v}"};`},
	{"password-literal", "a.py", `def load(key, {pw}=b'{v}'):`},
	{"password-prose", "a.txt", "here is the {pw}, it is {v} now\n"},
	{"password-literal", "a.gradle", `store{Pw} "{v}"`},
	{"password-setting", "a.sh", "X=${DB_{PW}:-{v}}\n"},
	{"named-apart", "a.json", `{"name":"x_{pw}","secure":true,"value":"{v}"}`},
	{"named-apart", "a.json", `{"value":"{v}","type":"text","name":"x_{pw}"}`},
	{"named-apart", "a.plist", "<key>x_{pw}</key>\n\t<string>{v}</string>"},
	{"named-apart", "a.tf", "variable \"x_{pw}\" {\n  type = string\n  default = \"{v}\"\n}\n"},
	{"named-apart", "res/values/strings.xml", `<string name="x_{pw}">{v}</string>`},
	{"named-apart", "a.yml", "x_{pw}: |\n  {v}\n"},
	{"named-apart", "a.yml", "x_{pw}: &main {v}\n"},
	{"named-apart", "a.yml", "x_{pw}: !!str {v}\n"},
	{"named-apart", "a.yml", "  X{Pw}:\n    Type: String\n    Default: {v}\n"},
	{"named-apart", "a.sql", "UPDATE x SET value='{v}' WHERE name='smtp_{pw}';"},
	{"password-argument", "a.go", `r.SetBasic` + `Auth("x", "{v}")`},
	{"password-argument", "a.py", `get(url, au` + `th=('x', '{v}'))`},
	{"password-argument", "a.py", `HTTPBasic` + `Auth('x', '{v}')`},
	{"password-argument", "a.cs", `new Network` + `Credential("x", "{v}", "corp")`},
	{"password-argument", "a.java", `new Username{Pw}Creden` + `tials("x", "{v}")`},
	{"password-argument", "a.groovy", `new Username{Pw}Creden` + `tialsImpl(GLOBAL, "id", "text", "x", "{v}")`},
	{"password-argument", "a.java", `DriverManager.getConn` + `ection("jdbc:x", "x", "{v}")`},
	{"password-argument", "a.php", `new P` + `DO('mysql:host=db', 'x', '{v}')`},
	{"password-argument", "a.php", `mysqli_` + `connect("db", "x", "{v}", "y")`},
	{"password-argument", "a.py", `server.lo` + `gin("x", "{v}")`},
	{"password-argument", "a.rb", `http.basic_` + `auth 'x', '{v}'`},
	{"password-argument", "a.ino", `WiFi.be` + `gin("x", "{v}");`},
	{"password-argument", "a.ps1", `ConvertTo-Secure` + `String "{v}" -AsPlainText -Force`},
	{"password-argument", "a.cs", `new AuthenticationHeader` + `Value("Token", "{v}")`},
	{"password-tool", "a.sh", "sql" + "cmd -S db -U sa -P {v}\n"},
	{"password-tool", "a.sh", "mon" + "gosh --host db -u x -p {v} y\n"},
	{"password-tool", "a.sh", "redis-server --require{pass} {v}\n"},
	{"password-tool", "a.sh", "ldap" + "search -x -D cn=x -w {v} -b y\n"},
	{"password-tool", "a.sh", "keytool -store{pass} {v}\n"},
	{"password-tool", "a.sh", "zi" + "p -P {v} a.zip b\n"},
	{"password-tool", "a.sh", "7" + "z a -p{v} a.7z b\n"},
	{"password-tool", "a.sh", "smb" + "client //a/b -U x%{v}\n"},
	{"password-tool", "a.bat", "net us" + "er x {v} /add\n"},
	{"password-tool", "a.bat", "sch" + "tasks /create /ru x /rp {v}\n"},
	{"password-tool", "a.sh", "openssl e" + "nc -aes-256-cbc -k {v} -in a\n"},
	{"password-tool", "a.sh", "echo \"{v}\" | docker lo" + "gin -u x --{pw}-stdin y\n"},
	{"password-tool", "a.sh", "echo \"root:{v}\" | ch{pass}wd\n"},
	{"password-directive", "redis.conf", "require{pass} {v}\n"},
	{"password-literal", "a.conf", "AuthLDAPBind{Pw} \"{v}\"\n"},
	{"password-directive", "slapd.conf", "bindp" + "w {v}\n"},
	{"password-directive", "haproxy.cfg", "    stats au" + "th x:{v}\n"},
	{"password-directive", "haproxy.cfg", "    user x insecure-{pw} {v}\n"},
	{"password-directive", "router.cfg", "enable {secret} {v}\n"},
	{"password-directive", "router.cfg", "snmp-server com" + "munity {v} RO\n"},
	{"password-psk", "wpa.conf", "  p" + "sk=\"{v}\"\n"},
	{"password-psk", "ipsec.secrets", ": P" + "SK \"{v}\"\n"},
	{"password-account", ".env", "BASIC_" + "AUTH=admin:{v}\n"},
	{"password-account", "a.go", `"x:{v}{at}tcp(db:3306)/y"`},
	{"password-account", "a.txt", "jdbc:oracle:th" + "in:x/{v}{at}db:1521"},
	{"password-account", "sasl_{pass}wd", "[smtp.x.com]:587 x{at}x.com:{v}\n"},
	{"password-table", "user-data", "ch{pass}wd:\n  list: |\n    root:{v}\n"},
	{"password-table", "a.sh", "ch{pass}wd <<EOF\nroot:{v}\nEOF\n"},
	{"password-table", "dump.sql", "COPY public.users (id, login, {pw}) FROM stdin;\n1\tx\t{v}\n\\.\n"},
	{"key-argument", "a.js", "jwt.si" + "gn({ id: user.id }, '{v}', { expiresIn: '7d' });\n"},
	{"key-argument", "a.py", `h = hm` + `ac.new(b"{v}", body, sha256)`},
	{"key-argument", "a.go", `m := hm` + `ac.New(sha256.New, []byte("{v}"))`},
	{"key-argument", "a.js", `h = createHm` + `ac('sha256', '{v}')`},
	{"key-argument", "a.js", `c = createCip` + `heriv('aes-256-cbc', "{v}", iv)`},
	{"key-argument", "a.js", `CryptoJS.AES.enc` + `rypt(data, "{v}")`},
	{"key-argument", "a.php", `hash_hm` + `ac('sha256', $body, '{v}')`},
	{"key-argument", "a.php", `openssl_enc` + `rypt($data, "AES-256-CBC", "{v}", 0, $iv)`},
	{"key-argument", "a.rb", `OpenSSL::HM` + `AC.hexdigest('sha256', '{v}', body)`},
	{"key-argument", "A.java", `Jwts.builder().sign` + `With(SignatureAlgorithm.HS256, "{v}")`},
	{"key-argument", "A.java", `new SecretKey` + `Spec("{v}".getBytes("UTF-8"), "AES")`},
	{"key-argument", "A.cs", `new SymmetricSec` + `urityKey(Encoding.UTF8.GetBytes("{v}"))`},
	{"key-argument", "a.go", `sessions.NewCook` + `ieStore([]byte("{v}"))`},
	{"key-argument", "a.rs", `EncodingKey::from_` + `secret("{v}".as_ref())`},
	{"password-setting", "a.properties", "x.{pw}=${DB_{PW}:{v}}\n"},
	{"password-setting", "odbc.ini", "[x]\nP" + "WD={v}\n"},
	{"password-setting", "a.log", "Array\n(\n    [{pw}] => {v}\n)\n"},
	{"password-setting", "Makefile", "DB_{PASS} ?= {v}\n"},
	{"password-literal", "a.log", "[\"{pw}\"]=>\n  string(9) \"{v}\"\n"},
	{"password-literal", "a.rb", `ENV['DB_{PW}'] ||= '{v}'`},
	{"password-pair", "p.json", `{"admin{Pw}":{"value":"{v}"}}`},
	{"password-pair", "a.html", `<input type="{pw}" name="p" value="{v}">`},
	{"password-xml", "a.xml", "<{pw}><![CDATA[{v}]]></{pw}>"},
	{"named-apart", "beans.xml", `<property name="x_{pw}"><value>{v}</value></property>`},
	{"named-apart", "a.jmx", "<stringProp name=\"Argument.name\">x_{pw}</stringProp>\n<stringProp name=\"Argument.value\">{v}</stringProp>"},
	{"named-apart", "terraform.tfstate", `{"type":"random_{pw}","name":"db","instances":[{"attributes":{"bcrypt_hash":"x","result":"{v}"}}]}`},
	{"password-sql", "a.sql", "SET {PW} FOR 'root'@'localhost' = '{v}';"},
	{"password-call", "Jenkinsfile", "{pw}(name: 'X', defaultValue: '{v}', description: 'x')"},
	{"password-option", "a.yml", "  args:\n  - --{pw}\n  - {v}\n"},
	{"password-argument", "A.java", `new {Pw}Authen` + `tication("x{at}y.io", "{v}")`},
	{"password-argument", "a.js", `new Sequel` + `ize('db', 'x', '{v}')`},
	{"password-argument", "a.log", "PDO->__con" + "struct('mysql:host=db', 'x', '{v}')"},
	{"password-argument", "a.py", `c.con` + `nect("10.0.0.1", 22, "x", "{v}")`},
	{"password-argument", "a.js", `db.au` + `th("x", "{v}")`},
	{"password-argument", "A.java", `ks.lo` + `ad(new FileInputStream("x.jks"), "{v}".toCharArray())`},
	{"password-argument", "a.py", `CREDEN` + `TIALS = ("x", "{v}")`},
	{"password-tool", "a.sh", "rabbitm" + "qctl add_user x {v}\n"},
	{"password-tool", "a.sh", "samba-to" + "ol user create x {v}\n"},
	{"password-tool", "a.sh", "mc al" + "ias set x https{css}s3.y.io x {v}\n"},
	{"password-tool", "a.sh", "http -" + "a x:{v} GET https{css}y.io/z\n"},
	{"password-tool", "ks.cfg", "root" + "pw --plaintext {v}\n"},
	{"password-tool", "a.sh", "echo \"{v}\" | {pass}wd --stdin x\n"},
	{"password-tool", "a.sh", "echo {v} | kin" + "it x\n"},
	{"password-tool", "a.sh", "(echo \"{v}\"; echo \"{v}\") | smb{pass}wd -s -a x\n"},
	{"password-tool", "a.bat", `net u` + `se Z: \\nas\s {v} /user:x` + "\n"},
	{"password-tool", "a.yml", `command: ["redis-server", "--require{pass}", "{v}"]`},
	{"password-directive", "t.robot", "${{PW}}    {v}\n"},
	{"password-directive", "snmpd.conf", "rocom" + "munity {v} 10.0.0.0/8\n"},
	{"password-directive", "a.sh", "redis-c" + "li ACL SETUSER x on \">{v}\" ~*\n"},
	{"password-psk", "a.txt", "WI" + "FI:T:WPA;S:Home;P:{v};;\n"},
	{"password-psk", "wireless", "\toption k" + "ey '{v}'\n"},
	{"password-account", "x.ovpn", "<auth-user-{pass}>\nx\n{v}\n</auth-user-{pass}>\n"},
	{"password-account", "squid.conf", "cache_peer 10.0.0.4 parent 3128 0 log" + "in=x:{v}\n"},
	{"password-account", "a.sh", "expdp user" + "id=system/{v} full=y\n"},
	{"password-word", "a.txt", "Wacht" + "woord: {v}\n"},
	{"password-word", "a.txt", "Пар" + "оль: {v}\n"},
	{"password-word", "a.txt", "Has" + "ło: {v}\n"},
	{"password-word", "a.txt", "パスワ" + "ード: {v}\n"},
	{"password-word", "a.txt", "密" + "码：{v}\n"},
	{"password-word", "a.txt", "votre mot de pa" + "sse est : {v}\n"},
	{"password-word", "a.txt", "La cla" + "ve es {v} y\n"},
	{"password-prose", "a.txt", "cre" + "ds are `x.y` / `{v}`\n"},
	{"password-word", "a.ini", "Kenn" + "wort={v}\n"},
	{"password-word", "a.txt", "contra" + "seña: {v}\n"},
	{"password-word", "a.xml", `<x clear-` + `text="{v}"/>`},
	{"password-prose", "a.txt", "Your temporary {pw} is: {v}\n"},
	{"password-prose", "a.txt", "The root {pw} is \"{v}\".\n"},
	{"password-prose", "a.txt", "**{Pw}**: {v}\n"},
	{"password-prose", "a.txt", "{Pw} - {v}\n"},
	{"password-prose", "a.txt", "{pw}:: {v}\n"},
	{"password-prose", "a.log", "A temporary {pw} is generated for root{at}localhost: {v}\n"},
	{"password-prose", "a.txt", "Admin log" + "in: x.y / {v}\n"},
}

// TestOwnLeads: none of ours reads contents wholly, but for those whose files are short and few.
func TestOwnLeads(t *testing.T) {
	for _, e := range newMatcher(t, rules.Options{Own: rules.OwnOn}).Explain() {
		if e.Whole && strings.HasPrefix(e.Rule, "revenant-") && e.Rule != "revenant-rails-master-key" && !slices.Contains(rules.PlacedRules, e.Rule) {
			t.Errorf("%s %s", e.Rule, e.How)
		}
	}
}

// TestOwnPasswords: each way to write a password down is found, by the rule
// that is meant for it, and no other.
func TestOwnPasswords(t *testing.T) {
	m := newMatcher(t, rules.Options{Own: rules.OwnOn})
	off := newMatcher(t, rules.Options{})
	for i, tt := range written {
		v := chosen(uint64(i))
		text := fill(tt.text, v)
		if diff := gocmp.Diff([]string{tt.rule + " " + v}, ownHits(m, text, tt.path)); diff != "" && !slices.Contains(yields, tt.rule) {
			t.Errorf("%s: %q: -want +got\n%s", tt.path, tt.text, diff)
		}
		if got := ownHits(off, text, tt.path); len(got) > 0 {
			t.Errorf("%q: found without being asked for: %v", tt.text, got)
		}
		for _, bare := range []string{"${V_X}", "<" + "v>", "your_value", "xxxxxxxx", "********", "{{ .Values.x }}", "$(cat x)", "%s"} {
			if got := ownHits(m, fill(tt.text, bare), tt.path); len(got) > 0 && !strings.Contains(tt.text, "AUTH_KEY") {
				t.Errorf("%q with a placeholder %s: %v", tt.text, bare, got)
			}
		}
	}
}

// yields are rules whose examples gitleaks finds too.
var yields = []string{"curl-user"}

// TestOwnSilence: what looks like a password and is none.
func TestOwnSilence(t *testing.T) {
	m := newMatcher(t, rules.Options{Own: rules.OwnWide})
	for _, tt := range []struct{ path, text string }{
		{"a.json", `"{pw}": "Mot de passe"`},
		{"a.json", `"{pw}": "Contraseña"`},
		{"a.json", `"{pw}": "Enter your {pw}"`},
		{"locales/en.json", `"{pw}": "Secret9word"`},
		{"a.yml", "{pw}: ${DB_{PW}}"},
		{"a.yml", "{pw}: ${DB_{PW}:postgres}"},
		{"a.yml", "{pw}: ${DB_{PW}:changeme1}"},
		{"a.yml", "{pw}: ${DB_{PW}:qwrtzplkjhgf}"},
		{"a.sh", "x=${{PW}:0:8}"},
		{"a.js", "jwt.si" + "gn(payload, config.get('jwt.key'), x)"},
		{"a.js", "createHm" + "ac('sha256', 'some text')"},
		{"a.java", `new SecretKey` + `Spec(bytes, "HmacSHA256")`},
		{"a.py", `hm` + `ac.new(b"secretkey", b"The quick brown fox")`},
		{"a.js", `new Acme` + `Client("https{css}api.acme.io/v2/things")`},
		{"a.js", `new Acme` + `Client("eu-west-1-production-cluster-2")`},
		{"a.js", `new Acme` + `Client("AcmeServiceClient2Builder")`},
		{"a.js", `new Acme` + `Client("Release2026x64build")`},
		{"a.js", `{ "author` + `ization": "required-for-all-users-1" }`},
		{"a.txt", "https{css}b9Xq2vT7mK4zR8wL1cN6yH3j{at}o1.ingest.sentry.io/2"},
		{"a.txt", "https{css}the-name-of-the-user{at}db.io/2"},
		{"a.txt", "Coo" + "kie: consent=b9Xq2vT7mK4zR8wL1cN6yH3j"},
		{"a.txt", "Coo" + "kie: sessionid=the-session-of-the-user-is-long"},
		{"a.txt", "cla" + "ve: primaria2"},
		{"user-data", "ch{pass}wd:\n  expire: false\n  list:\n    - root:RANDOM\n"},
		{"env.txt", "PWD=src1"},
		{"a.txt", "{pw}: Ag" + "B" + random(1, base62, 160)},
		{"a.sql", "COPY x (id, login, {pw}_hash) FROM stdin;\n1\tx\tkR4zzQ1p\n"},
		{"a.yml", "{pw}: !vault |"},
		{"a.yml", "{pw}: *anchor_name"},
		{"a.yml", "{pw}: ENC(kR4zzQ1p)"},
		{"a.yml", "{pw}: true"},
		{"a.yml", "{pw}: /run/{secret}s/db"},
		{"a.yml", "{pw}_file: /run/db.txt"},
		{"a.json", `"Reset{Pw}": "ds:ResetUser{Pw}"`},
		{"a.cs", `KDF_{Secret}_VALUE = "KDFKey{Secret}"`},
		{"a.txt", "STATUS_WRONG_{PW} = 3221225578 -> Code"},
		{"a.ps1", "$sec{pw} = ConvertTo-SecureString x"},
		{"a.md", "user{Pw}:2.5.13.18:=\\x"},
		{"a.py", `add("-p", "--{pw}", nargs='?', const="")`},
		{"a.go", "// key = user:{pw}, value = expiration"},
		{"a.html.j2", "{pw}: kR4zzQ1pq"},
		{"a.py", `if {pw} or "token2":`},
		{"a.txt", "Bearer authentication_is_described_elsewhere"},
		{"a.txt", "Bearer your-access-token-goes-here1234"},
		{"a.go", "{pw} := os.Getenv(\"DB_{PW}\")"},
		{"a.go", "{pw} = config.Database.Main"},
		{"a.go", "{Pw} string `json:\"{pw}\"`"},
		{"a.py", "{pw} = request.form['{pw}']"},
		{"a.py", "def login(user, {pw}=None):"},
		{"a.py", `{pw} = get{pass}("Give the word: ")`},
		{"a.ts", "{pw}: string;"},
		{"a.js", "{pw}: process.env.DB_{PW},"},
		{"a.js", `{pw}Field: "login.form.{pw}"`},
		{"a.js", `type: "{pw}", name: "user{Pw}"`},
		{"a.js", `autocomplete_{pw}: "new-{pw}"`},
		{"a.java", `get{Pw}("kR4zzQ1pq")`},
		{"a.html", `<label for="{pw}">{Pw}</label>`},
		{"a.html", `<input {pw}="required">`},
		{"a.h", `#define PARAM_{PW} "{pass}"`},
		{"a.h", `#define LABEL_{PW} "Enter the word"`},
		{"a.h", `#define SN_challenge{Pw} "id-aes128-CCM"`},
		{"a.sql", "rows are identi" + "fied by sha256sum"},
		{"a.js", `p` + `w: "100%", ph: "50%"`},
		{"a.yml", "p" + "w: small"},
		{"a.json", `"en_PK": "en_001", "en_P` + `W": "en_001"`},
		{"notes.txt", "Your {pw}: it must have nine characters."},
		{"notes.txt", "--- {PASS}: TestEncodings/x1y2 (0.00s)"},
		{"env.txt", "PWD=/home/x/go1"},
		{"_tool", "'-p[the {pw}]:{pw}' '--enable-{pass}=-[one {pass}]:range1+range2: '"},
		{"tool.fish", "force:user:{pw}:generate -d 'x'"},
		{"a.sh", "app --{pw} --user x"},
		{"a.sh", "app --{pw} $DB_{PW}"},
		{"a.sh", `echo "{PW}=$1"`},
		{"a.txt", "http{css}example.org:8080/a{at}b"},
		{"a.txt", "https{css}user:{pw}{at}host/x"},
		{"a.txt", "https{css}x:${TOKEN_X}{at}db/x"},
		{"a.txt", "ssh{css}git{at}db:22/x"},
		{"a.txt", "{basic} authentication is described in"},
		{"a.txt", "Authorization: {basic} login_and_removed"},
		{"a.yml", "{pw}: $2a$10$" + random(1, base62, 53)},
		{"a.yml", "{pw}: 2026-11-24"},
		{"a.yml", "{pw}: 30"},
		{"a.yml", "{pw}_length: 12345"},
		{"a.yml", "update_{pw}: on_create"},
		{"a.php", `$x["{pw}"] = "Passwort_neu1";`},
		{"a.php", `"{pw}" => "required|min:8|confirmed",`},
		{"a.php", `"{pw}" => "Password_too_short_8",`},
		{"a.txt", "arn:aws:{secret}smanager:eu-west-1:123456789012:{secret}:prod/db-fvjxNW"},
		{"_tool", "'--{pw}=[x]:{pw}:' \\\n  '--arguments=:ghostscript a:' \\\n"},
		{"a.txt", "log" + "in anonymous {pw} user{at}site"},
		{"a.txt", "PRESET_PASS" + "PHRASE 76A0D53F8B2C4E19A7D3F05B6C8E2D4A1B9F3C7E -1 x"},
		{"a.py", "user=user, {pw}={pw},"},
		{"a.go", `Invalid{Pw} = "28P01"`},
		{"a.txt", "the {pw} is sha256-hashed2 and {pw} is utf8mb4 in mysql80"},
		{"a.txt", "{pw} is {sp}user@example2.com"},
		{"a.txt", "\tauthenticationMD5{Pw}       AuthenticationMD5{Pw}\n"},
		{"a.toml", "to" + "ken=[A-Za-z0-9%_-]{20,60}"},
		{"a.go", `x.SetBasic` + `Auth("user", "{pw}")`},
		{"a.go", `x.SetBasic` + `Auth(user, {pw})`},
		{"a.conf", "AuthLDAPBind{Pw} exec:/bin/get1\n"},
		{"a.sh", "zi" + "p -P $X1234567 a.zip b\n"},
		{"a.json", `{"name":"{pw}","type":"string","value":"user{Pw}1"}`},
		{"package-lock.json", `"{pw}": "kR4zzQ1pq"`},
		{"dist/app.min.js", `{pw}:"kR4zzQ1pq"`},
		{"node_modules/a/b.js", `{pw}:"kR4zzQ1pq"`},
		{"a.sql", "CREATE TABLE x ({pw} varchar(40) NOT NULL)"},
		{"a.sql", "IDENTI" + "FIED BY :{pw}_x"},
		{"a.json", `"d": "` + strings.Repeat("ab", 30) + `"`},
		{"a.txt", "MII" + strings.Repeat("EpAIBAAKCAQEA", 5)},
	} {
		if got := ownHits(m, fill(tt.text, ""), tt.path); len(got) > 0 {
			t.Errorf("%s: %q: %v", tt.path, tt.text, got)
		}
	}
}

// TestOwnRank: weak values and those of tests rank low, and weak values of tests
// count only when asked for.
func TestOwnRank(t *testing.T) {
	normal, wide := newMatcher(t, rules.Options{Own: rules.OwnOn}), newMatcher(t, rules.Options{Own: rules.OwnWide})
	strong, weak := fill(`{pw} = "{v}"`, chosen(9)), fill(`{pw} = "{v}"`, "change"+"me")
	for _, tt := range []struct {
		name, path, text string
		m                *rules.Matcher
		want             string
	}{
		{"strong", "app/settings.py", strong, normal, "found"},
		{"strong, no path", "", strong, normal, "found"},
		{"strong in a test", "app/test_settings.py", strong, normal, "low"},
		{"strong in a document", "docs/a.md", strong, normal, "low"},
		{"strong in an archive's example", "a.zip!examples/a.py", strong, normal, "low"},
		{"weak", "app/settings.py", weak, normal, "low"},
		{"weak in a test", "tests/a.py", weak, normal, ""},
		{"weak in a test, wide", "tests/a.py", weak, wide, "low"},
	} {
		got := ""
		for _, h := range hits(tt.m, tt.text, tt.path, 0) {
			if got = "found"; h.Low {
				got = "low"
			}
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
	for path, low := range map[string]bool{"app.log": true, "a.log": false} {
		key := "api_key = " + random(3, base62, 32)
		if low {
			key = "auth: 1b4e28ba-2fa1-41d2-883f-b9a761bde3fb"
		}
		for _, h := range hits(normal, key+"\n", path, 0) {
			if h.Low != low {
				t.Errorf("%s of %s: low %v", h.Rule, key[:6], h.Low)
			}
		}
	}
}

// TestOwnBasic: user and password in base64 are judged by what they decode to.
func TestOwnBasic(t *testing.T) {
	m := newMatcher(t, rules.Options{Own: rules.OwnOn})
	both := func(user, password string) string {
		return base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
	}
	strong := both("x", chosen(4))
	for _, tt := range []struct{ path, text, want string }{
		{"a.go", `"Authorization", "{basic} ` + strong + `"`, "basic-auth " + strong},
		{"a.log", "Proxy-Authorization: {basic} " + strong, "basic-auth " + strong},
		{".docker/config.json", `"auth": "` + strong + `"`, "docker-auth " + strong},
		{".npmrc", "_auth = " + strong, "docker-auth " + strong},
		{"a.go", "{basic} " + both(random(5, base62, 24), ""), "basic-auth " + both(random(5, base62, 24), "")},
		{"a_test.go", "{basic} " + both("user", "pass"+"word"), ""},
		{"a.go", "{basic} " + both("x", "${TOKEN}"), ""},
		{"a.go", "{basic} " + base64.StdEncoding.EncodeToString([]byte("no colon here")), ""},
		{"a.go", "{basic} " + base64.StdEncoding.EncodeToString([]byte("x:\x01\x02binary9Z")), ""},
	} {
		got := strings.Join(ownHits(m, fill(tt.text, ""), tt.path), ", ")
		if strings.HasPrefix(tt.want, "docker") && got == "" { // gitleaks' generic rule may find it
			if h := hits(m, tt.text, tt.path, 0); len(h) == 1 && string(h[0].Value.Reveal()) == strong {
				continue
			}
		}
		if got != tt.want {
			t.Errorf("%q: %q, want %q", tt.text, got, tt.want)
		}
	}
}

// TestOwnTokens: a token behind Bearer, and the private part of a JWK as programs
// write it.
func TestOwnTokens(t *testing.T) {
	m := newMatcher(t, rules.Options{Own: rules.OwnOn})
	token, d := random(6, "0123456789abcdef", 64), random(7, base62, 43)
	for _, tt := range []struct{ path, text, want string }{
		{"a.yml", "- Bea" + "rer " + token, "bearer-auth " + token},
		{"a.http", "X: bea" + "rer " + token, "bearer-auth " + token},
		{"a.ts", "{ kty: 'EC', d: '" + d + "' }", "jwk " + d},
		{"a.py", "{ 'kty': 'EC', 'd': '" + d + "' }", "jwk " + d},
		{"a.js", "{ kty: \"OKP\", d: \"" + d + "\" }", "jwk " + d},
	} {
		if got := strings.Join(ownHits(m, tt.text, tt.path), ", "); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.text, got, tt.want)
		}
	}
	two := ownHits(m, fill("run -e A_{PW}={v}1 -e B_{PW}={v}2\n", chosen(8)), "a.sh")
	if len(two) != 2 {
		t.Errorf("two settings of a line: %d found", len(two))
	}
}

// TestOwnHash: hashes of passwords in the files of users.
func TestOwnHash(t *testing.T) {
	m := newMatcher(t, rules.Options{Own: rules.OwnOn})
	for _, hash := range []string{"$6$" + random(1, base62, 8) + "$" + random(2, base62, 86), "$apr1$" + random(3, base62, 8) + "$" + random(4, base62, 22), "{SHA}" + random(5, base62, 27) + "="} {
		got := ownHits(m, "root:"+hash+":1:2\n", "shadow")
		if !slices.Contains(got, "password-hash "+hash) {
			t.Errorf("%.6s: %v", hash, got)
		}
	}
}

// keys are private keys in DER, and one public.
func keys(t *testing.T) (private map[string][]byte, public []byte) {
	t.Helper()
	must := func(b []byte, err error) []byte {
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{
		"pkcs1": x509.MarshalPKCS1PrivateKey(rsaKey), "pkcs8 rsa": must(x509.MarshalPKCS8PrivateKey(rsaKey)),
		"sec1": must(x509.MarshalECPrivateKey(ecKey)), "pkcs8 ec": must(x509.MarshalPKCS8PrivateKey(ecKey)), "pkcs8 ed25519": must(x509.MarshalPKCS8PrivateKey(edKey)),
	}, must(x509.MarshalPKIXPublicKey(&rsaKey.PublicKey))
}

// TestOwnKeys: private keys are told by their structure, in base64 and bare.
func TestOwnKeys(t *testing.T) {
	m := newMatcher(t, rules.Options{Own: rules.OwnOn})
	private, public := keys(t)
	rulesOf := func(text, path string) (out []string) {
		for _, h := range hits(m, text, path, 0) {
			out = append(out, h.Rule)
		}
		return out
	}
	for name, der := range private {
		for _, text := range []string{"k = '" + base64.StdEncoding.EncodeToString(der) + "'", base64.StdEncoding.EncodeToString(der)[:64] + "\n"} {
			if got := rulesOf(text, "a.txt"); !slices.Contains(got, "revenant-private-key-base64") {
				t.Errorf("%s in base64: %v", name, got)
			}
		}
		armoured := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE " + "KEY", Bytes: der}))
		if got := rulesOf(armoured, "a.txt"); !slices.Equal(got, []string{"private-key"}) {
			t.Errorf("%s in PEM, gitleaks' rule alone expected: %v", name, got)
		}
		if got := rulesOf(strings.ReplaceAll(armoured[:110], "\n", `\n`), "a.txt"); len(got) == 0 {
			t.Errorf("%s in PEM without an end, on one line: nothing", name)
		}
		if got := rulesOf("\x00\xff"+string(der), "a.der"); !slices.Equal(got, []string{"revenant-private-key-der"}) {
			t.Errorf("%s in DER: %v", name, got)
		}
	}
	for _, text := range []string{base64.StdEncoding.EncodeToString(public), string(public)} {
		if got := rulesOf(text, "a.txt"); len(got) > 0 {
			t.Errorf("a public key: %v", got)
		}
	}
}

// natsSeed is a seed of a user: its prefix, 32 bytes, their CRC-16.
func natsSeed() string {
	raw := append([]byte{18<<3 | 5, 0}, random(7, base62, 32)...)
	var sum uint16
	for _, b := range raw {
		sum ^= uint16(b) << 8
		for range 8 {
			carry := sum & 0x8000
			if sum <<= 1; carry != 0 {
				sum ^= 0x1021
			}
		}
	}
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(append(raw, byte(sum), byte(sum>>8)))
}

// TestOwnContainers: keys in formats of their own.
func TestOwnContainers(t *testing.T) {
	m := newMatcher(t, rules.Options{Own: rules.OwnOn})
	b64 := func(seed uint64, n int) string {
		return base64.StdEncoding.EncodeToString([]byte(random(seed, base62, n)))
	}
	line := b64(1, 45)
	seed := natsSeed()
	other := seed[:40] + "Q" + seed[41:]
	if other == seed {
		other = seed[:40] + "R" + seed[41:]
	}
	jwk := base64.RawURLEncoding.EncodeToString([]byte(random(2, base62, 32)))
	for _, tt := range []struct{ rule, text string }{
		{"putty-key", "PuTTY-User-Key-" + "File-2: ssh-rsa\nEncryption: none\nPublic-Lines: 1\nAAAA\nPrivate-" + "Lines: 2\n" + line + "\n" + line + "\nPrivate-MAC: 00\n"},
		{"jwk", `{"kty":"EC","crv":"P-256","d":"` + jwk + `"}`},
		{"jwk", `"{\"kty\":\"OKP\",\"d\":\"` + jwk + `\"}"`},
		{"xml-rsa-key", "<RSAKeyValue><D" + ">" + b64(3, 120) + "</D></RSAKeyValue>"},
		{"wireguard-key", "[Interface]\nPrivate" + "Key = " + b64(4, 32) + "\n"},
		{"minisign-key", "untrusted " + "comment: minisign encrypted secret key\nRWRT" + strings.Repeat(line, 4)[:208] + "\n"},
		{"nats-seed", "seed " + seed},
		{"", "seed " + other},
		{"dnssec-key", "Private-" + "key-format: v1.3\nAlgorithm: 13 (ECDSAP256SHA256)\nPrivateKey: " + b64(5, 32) + "\n"},
		{"ssh2-private-key", "---- BEGIN " + "SSH2 ENCRYPTED PRIVATE KEY ----\nComment: x\n" + line + "\n---- END SSH2 ENCRYPTED PRIVATE KEY ----\n"},
		{"pkcs12", "0\x82\x09\x01\x02\x01\x030\x82\x08\xc7\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01\xa0\x82\x08\xb8\x04\x82\x08\xb4" + line},
	} {
		got := ""
		for _, h := range hits(m, tt.text, "a.txt", 0) {
			if got = strings.TrimPrefix(h.Rule, "revenant-"); got == "generic-api-key" { // it comes first
				got = tt.rule
			}
		}
		if got != tt.rule {
			t.Errorf("%s: found %q", tt.rule, got)
		}
	}
	for _, path := range []string{"a/b.jks", "C.KeyStore", "x.kdbx"} {
		h := hits(m, "x", path, 0)
		if len(h) != 1 || h[0].Rule != "revenant-keystore-file" || !h[0].PathOnly {
			t.Errorf("%s: %v", path, h)
		}
	}
	if got := ownHits(m, random(8, "0123456789abcdef", 32)+"\n", "config/master.key"); len(got) != 1 {
		t.Errorf("a Rails master key: %v", got)
	}
}

// TestOwnAdds: what gitleaks finds stays the same with ours beside it.
func TestOwnAdds(t *testing.T) {
	theirs, both := newMatcher(t, rules.Options{}), newMatcher(t, rules.Options{Own: rules.OwnOn})
	o := newOracle(t, rules.Options{})
	strip := func(list []scanners.Hit) (out []string) {
		for _, h := range list {
			if !strings.HasPrefix(h.Rule, "revenant-") {
				out = append(out, fmt.Sprint(h.Rule, h.Span, h.Match, string(h.Value.Reveal()), h.Tags, h.Low))
			}
		}
		slices.Sort(out)
		return out
	}
	found := 0
	for seed := range uint64(400) {
		text := newGenerator(t, o.rules, seed).text() + "\n" + fill(written[seed%uint64(len(written))].text, random(seed, base62, 24))
		want := strip(hits(theirs, text, "a.yaml", 0))
		if diff := gocmp.Diff(want, strip(hits(both, text, "a.yaml", 0))); diff != "" {
			t.Fatalf("seed %d: -without +with\n%s", seed, diff)
		}
		found += len(want)
	}
	if found < 200 {
		t.Errorf("only %d findings", found)
	}
}

// TestOwnConfiguration: a configuration's allowlists hold for our rules, and it
// can disable, change and aim at them.
func TestOwnConfiguration(t *testing.T) {
	v := chosen(1)
	text := fill("{pw} = '{v}' # keep\n", v)
	for _, tt := range []struct {
		name, config string
		want         int
	}{
		{"nothing", "title = 'x'\n", 1},
		{"extends", "[extend]\nuseDefault = true\n", 1},
		{"paths", "[allowlist]\npaths = ['''settings''']\n", 0},
		{"values", "[[allowlists]]\nregexes = ['''^kR4''']\n", 0},
		{"lines", "[[allowlists]]\nregexTarget = 'line'\nregexes = ['''# keep''']\n", 0},
		{"aimed", "[[allowlists]]\ntargetRules = ['revenant-password-literal']\npaths = ['''settings''']\n", 0},
		{"aimed elsewhere", "[[allowlists]]\ntargetRules = ['revenant-netrc']\npaths = ['''settings''']\n", 1},
		{"disabled", "[extend]\nuseDefault = true\ndisabledRules = ['revenant-password-literal']\n", 0},
		{"changed", "[[rules]]\nid = 'revenant-password-literal'\nentropy = 7.5\n", 0},
	} {
		file := filepath.Join(t.TempDir(), ".gitleaks.toml")
		if err := os.WriteFile(file, []byte(tt.config), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := ownHits(newMatcher(t, rules.Options{Path: file, Own: rules.OwnOn}), text, "app/settings.py"); len(got) != tt.want {
			t.Errorf("%s: %v, want %d", tt.name, got, tt.want)
		}
		if _, err := rules.New(rules.Options{Contents: []byte(tt.config)}); (err != nil) != (strings.HasPrefix(tt.name, "aimed") || tt.name == "changed") {
			t.Errorf("%s without our rules, where nothing can be aimed at them: %v", tt.name, err)
		}
	}
	if got := ownHits(newMatcher(t, rules.Options{Own: rules.OwnOn}), strings.Replace(text, "keep", "gitleaks"+":allow", 1), "a.py"); len(got) != 0 {
		t.Errorf("an allowed line: %v", got)
	}
}

// TestOwnOrder: of two of our rules at one place the earlier one tells.
func TestOwnOrder(t *testing.T) {
	m := newMatcher(t, rules.Options{Own: rules.OwnOn})
	v := chosen(2)
	for text, want := range map[string]string{
		"{pw} = 'postgres{css}x:{v}{at}db/y'":    "url-credentials",
		"identi" + "fied by {pw} '{v}' {pw}='x'": "password-sql",
	} {
		got := ownHits(m, fill(text, v), "a.txt")
		if len(got) != 1 || got[0] != want+" "+v {
			t.Errorf("%s: %v", text, got)
		}
	}
}

// TestOwnAnyPath: as long as the path is not known, whatever counts at some
// path shows, or the path is one that is named.
func TestOwnAnyPath(t *testing.T) {
	m := newMatcher(t, rules.Options{Own: rules.OwnOn})
	for i, tt := range written {
		text := fill(tt.text, chosen(uint64(i)))
		if i%3 == 0 {
			text = fill(tt.text, "wel"+"come1")
		}
		found := false
		for _, path := range []string{tt.path, "tests/a.go", "locales/a.json", "yarn.lock", ".pgpass", "config/master.key"} {
			found = found || len(hits(m, text, path, 0)) > 0 && !m.Names(path) // which are looked at without being asked
		}
		any := m.AppendHits(nil, scanners.Chunk{Data: []byte(text), AnyPath: true, Final: true})
		if found && len(any) == 0 {
			t.Errorf("%q: nothing without a path", tt.text)
		}
	}
}

// TestRank: what gitleaks' rules find stays, and what is nobody's secret ranks low.
func TestRank(t *testing.T) {
	m := newMatcher(t, rules.Options{Own: rules.OwnOn})
	armour := func(body string) string {
		return "-----BEGIN RSA " + "PRIVATE KEY-----\n" + body + "\n-----END RSA " + "PRIVATE KEY-----\n"
	}
	key := armour(random(1, base62, 64) + "\n" + random(2, base62, 64))
	token := func(claims string) string {
		enc := base64.RawURLEncoding.EncodeToString
		return enc([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + enc([]byte(claims)) + "." + random(3, base62, 43)
	}
	loose := "asana_" + "client_" + "secret = '" + random(4, "0123456789abcdef", 32) + "'\n"
	for _, tt := range []struct {
		name, path, text string
		low              bool
	}{
		{"key", "a.go", key, false},
		{"key of somebody else's", "vendor/x/y/a.go", key, true},
		{"armour without a key", "a.php", armour(`" . wordwrap($this->rsaPrivateKey, 64, "\n", true) . " and so on, and on`), true},
		{"token", "a.go", token(`{"sub":"41","name":"x"}`), false},
		{"token of jwt.io", "a.go", token(`{"sub":"1234567890","name":"Jo"}`), true},
		{"known by a word", "app.py", loose, false},
		{"known by a word, in a bundle", "app.min.js", loose, true},
		{"key of a cache", "build.log", "cache key: instrumented-jars-" + random(5, "0123456789abcdef", 32) + "\n", true},
		{"name of a file", "build.log", "token: r11025_s16_c1.wav-0-seek1.js\n", true},
		{"key", "build.log", "cache key: x" + random(6, "0123456789abcdef", 32) + "\n", false},
	} {
		got := hits(m, tt.text, tt.path, 0)
		if len(got) == 0 || slices.ContainsFunc(got, func(h scanners.Hit) bool { return h.Low != tt.low || strings.HasPrefix(h.Rule, "revenant-") }) {
			t.Errorf("%s: %d findings, not all of gitleaks' and low %v", tt.name, len(got), tt.low)
		}
	}
}

// TestNames: of a path alone it is known whether it is a hit, and nothing of others.
func TestNames(t *testing.T) {
	m, err := rules.New(rules.Options{Own: rules.OwnOn})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"a/b.class", "x/y.jks", "store.kdbx", "a/.netrc", "docs/y.jks.md", "x.p12", ""} {
		found := slices.ContainsFunc(m.AppendHits(nil, scanners.Chunk{Data: []byte("x"), Path: path, Final: true}), func(h scanners.Hit) bool { return h.PathOnly })
		if named := m.Names(path); found && !named || named != (path == "x/y.jks" || path == "store.kdbx" || path == "x.p12") {
			t.Errorf("%q: found %v, named %v", path, found, named)
		}
	}
}
