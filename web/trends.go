package web

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"revenant/fingerprints"
	"revenant/fingerprints/registry"
)

// trends is the registry over time, as the overview draws it.
type trends struct {
	Days    []trendDay
	Lines   []trendLine
	Top     int // of the chart
	From    time.Time
	To      time.Time
	Cleared int
	Median  string
	Ninety  string
	Ages    []ageRow
	Limits  []string
}

// trendDay is a row of the table that stands beside the chart.
type trendDay struct {
	Day    time.Time
	Counts []int // by verdict, as Lines
}

// trendLine is a verdict's line.
type trendLine struct {
	Verdict fingerprints.Verdict
	Points  string // of a polyline
	Last    int
	X, Y    string // of its last point
}

// ageRow is how old the active versions of a class are.
type ageRow struct {
	Class  fingerprints.Class
	Counts []ageCount
	Total  int
}

// ageCount is a number, and its bar.
type ageCount struct {
	Count    int
	From, To string // in percent
}

// trendOf is how far back the overview tells.
const trendOf = 90 * day

// The chart, in its own units.
const (
	chartWidth  = 600
	chartHeight = 120
)

// trends are those of the last ninety days.
func (s *server) trends(r *http.Request, a registry.Actor) (trends, error) {
	now := s.o.Now().UTC()
	t, err := s.o.Registry.Trends(r.Context(), a, now.Add(-trendOf))
	if err != nil {
		return trends{}, err
	}
	out := trends{Cleared: t.Cleared, Median: within(t.Median), Ninety: within(t.Ninety), Limits: []string{"under 30 days", "under 90 days", "under a year", "older"}}
	for _, x := range t.Ages {
		out.Ages = append(out.Ages, rowOf(x))
	}
	out.draw(t.Days)
	return out, nil
}

// within is a duration that something took.
func within(d time.Duration) string {
	if d < time.Minute {
		return "a minute"
	}
	return span(d)
}

// draw makes the lines of the verdicts that ask for action.
func (t *trends) draw(days []registry.Day) {
	if len(days) == 0 {
		return
	}
	t.From, t.To, t.Top = days[0].Day, days[len(days)-1].Day, 1
	for _, d := range days {
		row := trendDay{Day: d.Day}
		for _, p := range pressing() {
			n := d.Verdicts[p.Verdict]
			row.Counts, t.Top = append(row.Counts, n), max(t.Top, n)
		}
		t.Days = append(t.Days, row)
	}
	length := max(t.To.Sub(t.From).Hours(), 24)
	for i, p := range pressing() {
		line := trendLine{Verdict: p.Verdict}
		var points []string
		for _, d := range t.Days {
			line.Last = d.Counts[i]
			line.X = fmt.Sprintf("%.1f", d.Day.Sub(t.From).Hours()/length*chartWidth)
			line.Y = fmt.Sprintf("%.1f", chartHeight-float64(line.Last)/float64(t.Top)*chartHeight)
			points = append(points, line.X+","+line.Y)
		}
		line.Points = strings.Join(points, " ")
		t.Lines = append(t.Lines, line)
	}
}

func rowOf(x registry.ClassAges) ageRow {
	row := ageRow{Class: x.Class}
	for _, n := range x.Counts {
		row.Total += n
	}
	sum := 0
	for _, n := range x.Counts {
		from := 100 * float64(sum) / float64(max(row.Total, 1))
		sum += n
		row.Counts = append(row.Counts, ageCount{n, fmt.Sprintf("%.1f", from), fmt.Sprintf("%.1f", 100*float64(n)/float64(max(row.Total, 1)))})
	}
	return row
}
