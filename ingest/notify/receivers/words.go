package receivers

import (
	"fmt"
	"strings"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/ingest/notify"
	"revenant/ingest/report"
)

// Bounds of what is shown of one place, and of a heading.
const (
	maxPlace   = 300
	maxHeading = 150
)

// headline says what a message is about, in a line.
func headline(m notify.Message) string {
	switch {
	case m.Kind == wire.NotifySummary:
		return fmt.Sprintf("%s from before notifications began", count(m.Total, "finding"))
	case m.Total == 1 && len(m.Events) == 1:
		return report.Clip(what(m.Events[0]), maxHeading)
	}
	return report.Clip(fmt.Sprintf("%s: %s", count(m.Total, "event"), tally(m.Counts)), maxHeading)
}

func count(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}

// tally sums counts up by what happened: "3 leaked, 9 cleared".
func tally(counts []wire.NotificationCount) string {
	var order []string
	sums := map[string]int{}
	for _, c := range counts {
		word := happened(c.Event, c.Verdict)
		if _, has := sums[word]; !has {
			order = append(order, word)
		}
		sums[word] += c.Count
	}
	for i, word := range order {
		order[i] = fmt.Sprintf("%d %s", sums[word], word)
	}
	return strings.Join(order, ", ")
}

func happened(e wire.Event, v fingerprints.Verdict) string {
	switch e {
	case wire.EventOpened, wire.EventChanged:
		return string(v)
	case wire.EventReturned, wire.EventReopened:
		return string(e) + ", " + string(v)
	case wire.EventSourceFailing:
		return "sources failing"
	case wire.EventSourceRecovered:
		return "sources recovered"
	case wire.EventSettled, wire.EventCleared:
	}
	return string(e)
}

// what says what happened, to what.
func what(e wire.NotificationEvent) string {
	switch e.Event {
	case wire.EventSourceFailing:
		return "Source cannot be read: " + e.Source
	case wire.EventSourceRecovered:
		return "Source is read again: " + e.Source
	case wire.EventOpened, wire.EventChanged, wire.EventReturned, wire.EventReopened, wire.EventSettled, wire.EventCleared:
	}
	name := "a finding that is not kept any more"
	if e.Finding != nil {
		name = report.What(*e.Finding)
	}
	word := capital(string(e.Verdict))
	switch e.Event {
	case wire.EventChanged:
		if e.Was != "" && e.Was != string(e.Verdict) {
			return fmt.Sprintf("%s secret: %s (was %s)", word, name, e.Was)
		}
	case wire.EventReturned, wire.EventReopened:
		return fmt.Sprintf("%s, %s secret: %s", capital(string(e.Event)), e.Verdict, name)
	case wire.EventSettled, wire.EventCleared:
		return fmt.Sprintf("%s: %s", capital(string(e.Event)), name)
	case wire.EventOpened, wire.EventSourceFailing, wire.EventSourceRecovered:
	}
	return word + " secret: " + name
}

func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// place says where a finding is.
func place(e wire.NotificationEvent) string {
	if e.Finding == nil {
		return e.Source
	}
	at := e.Finding.Path
	if line := e.Finding.Span.Line; line > 0 {
		at = fmt.Sprintf("%s:%d", at, line)
	}
	return report.Clip(e.Finding.SourceID+" "+at, maxPlace)
}

// advice says what to do; empty: nothing.
func advice(e wire.NotificationEvent) string {
	switch e.Event {
	case wire.EventSettled, wire.EventCleared, wire.EventSourceRecovered:
		return ""
	case wire.EventSourceFailing:
		return e.Detail
	case wire.EventOpened, wire.EventChanged, wire.EventReturned, wire.EventReopened:
	}
	return report.Advice(e.Verdict)
}

// more says how many events a message does not name.
func more(m notify.Message) string {
	if n := m.Total - len(m.Events); n > 0 {
		return fmt.Sprintf("and %d more", n)
	}
	return ""
}

// facts are a finding's short properties.
func facts(e wire.NotificationEvent) string {
	out := []string{string(e.Severity)}
	if e.Finding != nil {
		if e.Finding.Presence != "" {
			out = append(out, string(e.Finding.Presence))
		}
		if e.Finding.Owner != "" {
			out = append(out, "owner "+e.Finding.Owner)
		}
	}
	return strings.Join(out, ", ")
}
