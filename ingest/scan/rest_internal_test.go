package scan

import "testing"

// TestWithoutRest: what may be of the value is hidden, and what is not is shown. The hit
// stands at the bar.
func TestWithoutRest(t *testing.T) {
	for in, want := range map[string]string{
		`DB_PASSWORD=¦)bN9xR4t`:                         `DB_PASSWORD=¦[...]`,
		`DB_PASSWORD=¦;kk9 # note`:                      `DB_PASSWORD=¦[...] # note`,
		`RELEASE_KEY=¦,MHwx,9CsIJ04NH`:                  `RELEASE_KEY=¦[...]`,
		`--password='¦)bN9xR4t' -h db`:                  `--password='¦[...] -h db`,
		`p='¦'||CHR(39)||'th3'||CHR(39)||'H1lls'`:       `p='¦[...]`,
		`"¦" + "rest of it"`:                            `"¦[...]`,
		`p = 'first' || '¦' x`:                          `[...]¦' x`,
		`¦'th3'H1lls%s`:                                 `¦[...]`,
		`url = https://u:¦@db.io:5432/x?y=1`:            `url = https://u:¦@db.io:5432/x?y=1`,
		`url = https://u:¦@p4ss@db.io/x`:                `url = https://u:¦[...]`,
		`?password=¦&user=bob`:                          `?password=¦&user=bob`,
		`;Password=¦;Database=x`:                        `;Password=¦;Database=x`,
		`{"password":"¦","user":"bob"}`:                 `{"password":"¦","user":"bob"}`,
		`{"log":"{\"password\":\"¦\",\"user\":\"x\"}"}`: `{"log":"{\"password\":\"¦\",\"user\":\"x\"}"}`,
		`<password>¦</password>`:                        `<password>¦</password>`,
		`a,¦,[redacted],https://x`:                      `a,¦,[redacted],https://x`,
		`set("¦");`:                                     `set("¦");`,
		`key = ¦ # end`:                                 `key = ¦ # end`,
		"the key is `¦`.":                               "the key is `¦`.",
		`| app | ¦ |`:                                   `| app | ¦ |`,
		`"password=¦\nuser=x"`:                          `"password=¦\nuser=x"`,
		`(¦)`:                                           `(¦)`,
		`key=¦;x`:                                       `key=¦[...]`,
	} {
		var at int
		for i, r := range in {
			if r == '¦' {
				at = i
			}
		}
		left, right := withoutRest(in[:at], in[at+len("¦"):])
		if got := left + "¦" + right; got != want {
			t.Errorf("%s\nis shown as %s\nand not as  %s", in, got, want)
		}
	}
}
