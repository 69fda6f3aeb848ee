package rules

import "slices"

// companion is a required rule that exists.
type companion struct {
	requirement
	index int
}

// accompanied are the findings near which every required rule has one too.
func (j *judge) accompanied(r *rule, found []finding) []finding {
	companions := map[int]*company{}
	for _, q := range r.companions {
		if companions[q.index] == nil {
			companions[q.index] = newCompany(j.findings(j.rules[q.index], true))
		}
	}
	return slices.DeleteFunc(found, func(f finding) bool {
		near := map[int]bool{}
		for _, q := range r.companions {
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
func (c *company) near(at spot, q companion) bool {
	first := 0
	if q.lines.set {
		first, _ = slices.BinarySearch(c.lines, at.line-q.lines.most)
	}
	for _, line := range c.lines[first:] {
		if q.lines.set && line > at.line+q.lines.most {
			return false
		}
		if !q.columns.set {
			return true
		}
		columns := c.columns[line]
		i, _ := slices.BinarySearch(columns, at.column-q.columns.most)
		if i < len(columns) && columns[i] <= at.column+q.columns.most {
			return true
		}
	}
	return false
}
