package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const events = `{"Action":"start","Package":"m/a"}
{"Action":"run","Package":"m/a","Test":"TestOne"}
{"Action":"output","Package":"m/a","Test":"TestOne","Output":"=== RUN   TestOne\n"}
{"Action":"pass","Package":"m/a","Test":"TestOne/sub"}
{"Action":"pass","Package":"m/a","Test":"TestOne"}
{"Action":"skip","Package":"m/a","Test":"TestTwo"}
{"Action":"pass","Package":"m/a"}
not an event
{"Action":"output","Package":"m/b","Test":"TestThree","Output":"want 3\n"}
{"Action":"fail","Package":"m/b","Test":"TestThree"}
{"Action":"fail","Package":"m/b"}
`

func TestRead(t *testing.T) {
	var out bytes.Buffer
	c, err := Read(strings.NewReader(events), &out)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("=== RUN   TestOne\nnot an event\nwant 3\n", out.String()); diff != "" {
		t.Errorf("output (-want +got):\n%s", diff)
	}
	var summary, skipped bytes.Buffer
	if err := errors.Join(c.WriteSummary(&summary), c.WriteSkipped(&skipped)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("m/a 1 1\nm/b 1 0\n", summary.String()); diff != "" {
		t.Errorf("summary (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff("m/a TestTwo\n", skipped.String()); diff != "" {
		t.Errorf("skipped (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"m/b TestThree", "m/b"}, c.failed); diff != "" {
		t.Errorf("failed (-want +got):\n%s", diff)
	}
	var failed bytes.Buffer
	if err := c.WriteFailed(&failed); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("failed: m/b TestThree\nwant 3\nfailed: m/b\n", failed.String()); diff != "" {
		t.Errorf("what failed (-want +got):\n%s", diff)
	}
	if got := c.Total(); got != (Count{Tests: 2, Subtests: 1}) {
		t.Errorf("total %+v", got)
	}
}

func TestCompare(t *testing.T) {
	for name, c := range map[string]struct {
		floor, got string
		below      bool
	}{
		"equal":          {"a 2 3", "a 2 3", false},
		"more":           {"a 2 3", "a 3 4", false},
		"fewer tests":    {"a 2 3", "a 1 9", true},
		"fewer subtests": {"a 2 3", "a 2 2", true},
		"package gone":   {"a 2 3\nb 1 0", "a 2 3", true},
		"no floor":       {"a 2 3", "a 2 3\nb 1 0", true},
		"comment":        {"# why\n\na 1 0", "a 1 0", false},
	} {
		t.Run(name, func(t *testing.T) {
			floor, err := ParseSummary(strings.NewReader(c.floor))
			if err != nil {
				t.Fatal(err)
			}
			got, err := ParseSummary(strings.NewReader(c.got))
			if err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			err = Compare(floor, got, &out)
			if errors.Is(err, ErrBelowFloor) != c.below {
				t.Errorf("Compare = %v, want below %v\n%s", err, c.below, out.String())
			}
		})
	}
}

func TestParseSummaryRefusesOtherText(t *testing.T) {
	for _, in := range []string{"a", "a 1", "a x 1", "a 1 x"} {
		if _, err := ParseSummary(strings.NewReader(in)); err == nil {
			t.Errorf("%q was read", in)
		}
	}
}
