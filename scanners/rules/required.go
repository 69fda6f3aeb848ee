package rules

import (
	"slices"

	"github.com/zricethezav/gitleaks/v8/config"
)

// requirement is another rule that must match near by.
type requirement struct {
	*config.Required
	index int
}

// accompanied are the findings near which every required rule has one too.
func (j *judge) accompanied(r *rule, found []finding) []finding {
	companions := map[int]*company{}
	for _, q := range r.required {
		if companions[q.index] == nil {
			companions[q.index] = newCompany(j.findings(j.rules[q.index], true))
		}
	}
	return slices.DeleteFunc(found, func(f finding) bool {
		near := map[int]bool{}
		for _, q := range r.required {
			near[q.index] = near[q.index] || companions[q.index].near(f.at, q)
		}
		for _, is := range near {
			if !is {
				return true
			}
		}
		return false
	})
}

// company is where the findings of a required rule stand: the lines, and the
// columns of each, sorted.
type company struct {
	lines   []int
	columns map[int][]int
}

func newCompany(all []finding) *company {
	c := &company{columns: map[int][]int{}}
	for _, f := range all {
		c.columns[f.at.line] = append(c.columns[f.at.line], f.at.column)
	}
	for line, columns := range c.columns {
		c.lines = append(c.lines, line)
		slices.Sort(columns)
	}
	slices.Sort(c.lines)
	return c
}

// near reports whether one of them is near enough.
func (c *company) near(at spot, q requirement) bool {
	first := 0
	if q.WithinLines != nil {
		first, _ = slices.BinarySearch(c.lines, at.line-*q.WithinLines)
	}
	for _, line := range c.lines[first:] {
		if q.WithinLines != nil && line > at.line+*q.WithinLines {
			return false
		}
		if q.WithinColumns == nil {
			return true
		}
		columns := c.columns[line]
		i, _ := slices.BinarySearch(columns, at.column-*q.WithinColumns)
		if i < len(columns) && columns[i] <= at.column+*q.WithinColumns {
			return true
		}
	}
	return false
}
