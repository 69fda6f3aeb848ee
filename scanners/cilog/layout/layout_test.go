package layout_test

import (
	"strings"
	"testing"
	"time"

	"revenant/scanners/cilog/layout"
)

// logs are the beginnings of logs, with a section that is open at the end.
func logs() map[layout.Format][2]string {
	lines := func(list ...string) string { return strings.Join(list, "\n") + "\n" }
	return map[layout.Format][2]string{
		layout.GitHub: {lines("\ufeff2026-05-06T07:08:09.1234567Z ##[group]Run make", "2026-05-06T07:08:09.2234567Z ##[endgroup]",
			"2026-05-06T07:08:10.1234567Z ##[group]Run \x1b[36;1mmake deploy\x1b[0m", "2026-05-06T07:08:10.1234567Z make: ##[endgroup] is said"), "Run make deploy"},
		layout.GitLab: {lines("Running with gitlab-runner 17", "section_start:1778051289:prepare\r\x1b[0KPreparing", "section_end:1778051290:prepare\r\x1b[0K",
			"\x1b[0Ksection_start:1778051291:step_script[collapsed=true]\r\x1b[0KExecuting"), "step_script"},
		layout.Jenkins: {lines("Started by user admin", "[Pipeline] Start of Pipeline", "[Pipeline] node", "[Pipeline] {", "[Pipeline] stage", "[Pipeline] { (Build)", "[Pipeline] sh", "[Pipeline] }",
			"\x1b[8mha:////4AAA=\x1b[0m[Pipeline] { (Deploy (prod))", "+ make"), "Deploy (prod)"},
		layout.Travis:     {lines("travis_fold:start:worker_info\r\x1b[0KWorker", "travis_fold:end:worker_info\r\x1b[0K", "\r\x1b[0Ktravis_fold:start:script.1\r\x1b[0Ktravis_time:start:0a\r\x1b[0K$ make"), "script.1"},
		layout.DockerJSON: {lines(`{"log":"a\n","stream":"stdout","time":"2026-05-06T07:08:09.123456789Z"}`, `{"log":"b\n","stream":"stderr","time":"2026-05-06T07:08:09.2Z"}`), ""},
		layout.CRI:        {lines("2026-05-06T07:08:09.123456789Z stdout F a", "2026-05-06T07:08:10.123456789Z stderr P b"), ""},
		layout.Plain:      {lines("hello", "2026-05-06 07:08:09 INFO x"), ""},
	}
}

func TestDetectAndSection(t *testing.T) {
	for want, log := range logs() {
		if got := layout.Detect([]byte(log[0])); got != want {
			t.Errorf("%s: detected as %s", want, got)
		}
		for _, f := range []layout.Format{layout.Auto, want} {
			if got := f.Section([]byte(log[0])); got != log[1] {
				t.Errorf("%s: section %q, want %q", f, got, log[1])
			}
		}
	}
	if got := layout.Detect([]byte("2026-05-06T07:08:09.123456Z 00O hello\n2026-05-06T07:08:09.123456Z 01E+x\n")); got != layout.GitLab {
		t.Errorf("a stamped trace is detected as %s", got)
	}
	if got := layout.Detect(nil); got != layout.Plain {
		t.Errorf("nothing is detected as %s", got)
	}
}

func TestTime(t *testing.T) {
	day := func(nano int) time.Time { return time.Date(2026, 5, 6, 7, 8, 9, nano, time.UTC) }
	tests := map[string]time.Time{
		"\ufeff2026-05-06T07:08:09.1234567Z ##[group]x":                                      day(123456700),
		"2026-05-06T07:08:09.123456Z 00O x":                                                  day(123456000),
		"[2026-05-06T07:08:09.123Z] + make":                                                  day(123000000),
		"2026-05-06T09:08:09.123456789+02:00 stdout F x":                                     day(123456789),
		"2026-05-06 07:08:09,123 INFO x":                                                     day(123000000),
		"web-1  | 2026-05-06T07:08:09Z x":                                                    day(0),
		"\x1b[36m2026-05-06T07:08:09Z x":                                                     day(0),
		`{"log":"2020-01-01T00:00:00Z\n","stream":"stdout","time":"2026-05-06T07:08:09.1Z"}`: day(100000000),
		"May 06 07:08:09 host x":                                                             {}, "07:08:09 x": {}, "": {}, "seen at 2026-05-06T07:08:09Z": {}, "2026-13-06T07:08:09Z x": {}, `{"log":"x"}`: {},
	}
	for line, want := range tests {
		got, ok := layout.Auto.Time([]byte(line))
		if ok != !want.IsZero() || !got.Equal(want) {
			t.Errorf("%q: %v %v, want %v", line, got, ok, want)
		}
	}
}

func FuzzLayout(f *testing.F) {
	for _, log := range logs() {
		f.Add([]byte(log[0]), uint8(3))
	}
	f.Fuzz(func(t *testing.T, data []byte, k uint8) {
		format := layout.Formats()[int(k)%len(layout.Formats())]
		layout.Detect(data)
		if s := format.Section(data); len(s) > 204 || strings.ContainsAny(s, "\x1b\r\n") {
			t.Errorf("a section of %d bytes", len(s))
		}
		if at, ok := format.Time(data); ok && (at.Year() < 0 || at.Location() != time.UTC) {
			t.Errorf("a time of %v", at)
		}
	})
}

// Sections are told in time linear in the log, whatever it is made of.
func TestLinear(t *testing.T) {
	for _, line := range []string{"##[group]x\n", "section_start:1:\n", "[Pipeline] {\n", "travis_fold:start:", strings.Repeat("\x1b[8mha:", 9) + "##[\n", "\r##[group]"} {
		data := []byte(strings.Repeat(line, 1<<21/len(line)))
		began := time.Now()
		for _, f := range layout.Formats() {
			f.Section(data)
			f.Time(data)
		}
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("%q: %v", line, took)
		}
	}
}
