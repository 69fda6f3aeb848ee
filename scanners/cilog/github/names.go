package github

import (
	"strings"
	"unicode"
	"unicode/utf16"
)

// maxFileName is how many UTF-16 units of a job's name an archive keeps.
const maxFileName = 90

// fileName is a job's name as the archive of a run's logs has it: without what
// file systems forbid, cut, and trimmed.
func fileName(name string) string {
	name = strings.Map(func(r rune) rune {
		if r < ' ' || strings.ContainsRune(`/\:*?"<>|`, r) {
			return -1
		}
		return r
	}, name)
	if units := utf16.Encode([]rune(name)); len(units) > maxFileName {
		name = string(utf16.Decode(units[:maxFileName]))
	}
	return strings.TrimSpace(name)
}

// squeezed is what is left of a name by whatever rule it was altered: its letters
// and digits.
func squeezed(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, name)
}

// unnumbered takes off the number by which an archive tells equal names apart,
// as in "build (1)".
func unnumbered(name string) string {
	head, tail, found := cutLast(name, " (")
	digits, closed := strings.CutSuffix(tail, ")")
	if !found || !closed || digits == "" || strings.Trim(digits, "0123456789") != "" {
		return name
	}
	return head
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// match finds the job of each name in an archive, by its place in jobs. The
// surest likeness goes first, and each job is given once: a name that fits two
// jobs alike is nobody's, but for equal names, which stand in the jobs' order.
func match(jobs []apiJob, names []string) map[string]int {
	m := &matching{jobs: jobs, names: names, of: map[string]int{}, taken: make([]bool, len(jobs))}
	m.round(true, func(name, job string) bool { return fileName(job) == name })
	m.round(true, func(name, job string) bool { return fileName(job) == unnumbered(name) })
	m.round(false, func(name, job string) bool {
		return squeezed(name) != "" && squeezed(fileName(job)) == squeezed(name)
	})
	m.round(false, func(name, job string) bool { // cut elsewhere
		return len(name) > maxFileName/2 && strings.HasPrefix(squeezed(job), squeezed(name))
	})
	return m.of
}

type matching struct {
	jobs  []apiJob
	names []string
	of    map[string]int
	taken []bool
}

// round gives jobs to names that have none, by a likeness.
func (m *matching) round(several bool, alike func(name, job string) bool) {
	for _, name := range m.names {
		if _, has := m.of[name]; has {
			continue
		}
		var fit []int
		for i, j := range m.jobs {
			if !m.taken[i] && alike(name, j.Name) {
				fit = append(fit, i)
			}
		}
		if len(fit) == 1 || len(fit) > 1 && several {
			m.of[name], m.taken[fit[0]] = fit[0], true
		}
	}
}
