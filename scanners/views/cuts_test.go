package views_test

import (
	"strings"
	"testing"

	"revenant/scanners"
	"revenant/scanners/views"
)

// What goes on beyond a part is told from what only looks like it.
func TestFlows(t *testing.T) {
	const block = scanners.Flow(1)
	more := "\n" + strings.Repeat("the worker reads a table of clients;\n", 3)
	for text, want := range map[string]scanners.Flow{
		"": 0,
		"x = ', '.join([str(a) for a in clients])" + more: 0,
		"x = ', '.join(['ab', 'cd'])" + more:              0,
		"x = ''.join(['ab',\n  'cd'" + more + "x":         0,
		"x = ''.join(['ab',\n  'cd',":                     scanners.FlowAny,
		"x = ''.join(['ab',\n  'cd" + more:                scanners.FlowAny,
		"implode('', ['ab',":                              scanners.FlowAny,
		"concat!(":                                        scanners.FlowAny,
		"SELECT CONCAT('ab', 'cd',\n'ef',":                scanners.FlowAny,
		"SELECT CONCAT(a, 'cd',\n'ef',":                   scanners.FlowAny,
		"the category and location of rejoining":          0,
		"'cd'].join('')":                                  scanners.FlowAny,
		"'cd',\n] # both\n).join('')":                     scanners.FlowAny,
		"'cd' // both\n].join('')":                        scanners.FlowAny,
		".join('')":                                       0,
		"parts[i].join('')":                               0,
		"'cd'} | join('')":                                0,
		"'cd'}|join('')":                                  scanners.FlowAny,
		"body: |\n  some prose":                           0,
		"body: |\n  {\n":                                  block,
		"body: |-\r\n  {\r\n":                             block,
		"a: - >\n  some prose":                            block,
		"body: >\nprose":                                  0,
		"body: >":                                         block,
		"body: >\n   ":                                    block,
		"if a: > b\n  c":                                  0,
		"a\x00b":                                          scanners.FlowAny,
		"0123456\x7f":                                     scanners.FlowAny,
		"01234567\x1f":                                    scanners.FlowAny,
		"\x0501234567":                                    scanners.FlowAny,
		"a\tb\r\nc\fd\ve":                                 0,
		"\xff":                                            scanners.FlowAny,
		"größer":                                          0,
	} {
		if before, behind := views.New().Flows([]byte(text)); behind != want || before != want&scanners.FlowAny {
			t.Errorf("%q: %b before, %b behind, want %b", text, before, behind, want)
		}
		if ends := strings.TrimRight(text, " \n"); want == 0 && text != "" {
			if _, behind := views.New().Flows([]byte(ends + more)); behind != 0 {
				t.Errorf("%q and more: %b behind", text, behind)
			}
		}
	}
}
