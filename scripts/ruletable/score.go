package main

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
)

// finding is what is needed of a report's.
type finding struct {
	File               string
	StartLine, EndLine int
	RuleID, Severity   string
}

func readReport(file string) ([]finding, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var list []finding
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return list, nil
}

// label is one of CredData's: T a secret, F none, X not decided.
type label struct {
	first, last int
	truth       string
	categories  []string
}

func readLabels(file string) (map[string][]label, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return nil, err
	}
	labels := map[string][]label{}
	for _, row := range rows {
		first, err1 := strconv.Atoi(row[1])
		last, err2 := strconv.Atoi(row[2])
		if err1 != nil || err2 != nil {
			return nil, fmt.Errorf("%s: a line is no number", file)
		}
		labels[row[0]] = append(labels[row[0]], label{first, last, row[3], strings.Split(row[4], ":")})
	}
	return labels, nil
}

// tally is what one report is worth.
type tally struct {
	name                   string
	right, open, wrong, un int // findings at labels T, X, F and none
	found                  map[string]int
}

// judge compares a report with the labels, line by line.
func judge(name string, list []finding, labels map[string][]label) tally {
	t := tally{name: name, found: map[string]int{}}
	hit := map[string]map[int]bool{}
	for _, f := range list {
		path := f.File
		for labels[path] == nil && strings.Contains(path, "/") { // the scan's root stands before it
			_, path, _ = strings.Cut(path, "/")
		}
		best := ""
		for i, l := range labels[path] {
			if l.first > f.EndLine || l.last < f.StartLine {
				continue
			}
			if l.truth == "T" {
				if hit[path] == nil {
					hit[path] = map[int]bool{}
				}
				hit[path][i] = true
			}
			if best == "" || strings.Index("TXF", l.truth) < strings.Index("TXF", best) {
				best = l.truth
			}
		}
		switch best {
		case "T":
			t.right++
		case "X":
			t.open++
		case "F":
			t.wrong++
		default:
			t.un++
		}
	}
	for path, at := range hit {
		for i := range at {
			for _, c := range labels[path][i].categories {
				t.found[c]++
			}
		}
	}
	return t
}

// score writes two tables: precision of each report, recall by category.
func score(labelFile string, reports []string, out io.Writer) error {
	labels, err := readLabels(labelFile)
	if err != nil {
		return err
	}
	var tallies []tally
	for _, arg := range reports {
		name, file, err := named(arg)
		if err != nil {
			return err
		}
		list, err := readReport(file)
		if err != nil {
			return err
		}
		tallies = append(tallies, judge(name, list, labels))
	}
	fmt.Fprint(out, "| report | findings | true | undecided | false | not labelled | precision |\n|---|---|---|---|---|---|---|\n")
	for _, t := range tallies {
		fmt.Fprintf(out, "| %s | %d | %d | %d | %d | %d | %.3f |\n", t.name, t.right+t.open+t.wrong+t.un, t.right, t.open, t.wrong, t.un, share(t.right, t.right+t.wrong))
	}
	all := map[string]int{}
	for _, list := range labels {
		for _, l := range list {
			for _, c := range l.categories {
				if l.truth == "T" {
					all[c]++
				}
			}
		}
	}
	var categories []string
	for c, n := range all {
		if n >= 10 {
			categories = append(categories, c)
		}
	}
	slices.SortFunc(categories, func(a, b string) int { return all[b]*1000 - all[a]*1000 + strings.Compare(a, b) })
	fmt.Fprint(out, "\n| category | labelled |")
	for _, t := range tallies {
		fmt.Fprintf(out, " %s |", t.name)
	}
	fmt.Fprintln(out, "\n|---|---|"+strings.Repeat("---|", len(tallies)))
	for _, c := range categories {
		fmt.Fprintf(out, "| %s | %d |", c, all[c])
		for _, t := range tallies {
			fmt.Fprintf(out, " %d |", t.found[c])
		}
		fmt.Fprintln(out)
	}
	return nil
}

func share(part, all int) float64 {
	if all == 0 {
		return 0
	}
	return float64(part) / float64(all)
}

// leaky compares the lines that reports name with how many lines of each file
// hold a secret.
func leaky(expected string, reports []string, out io.Writer) error {
	risks, informative, err := readExpected(expected)
	if err != nil {
		return err
	}
	total := 0
	for _, n := range risks {
		total += n
	}
	fmt.Fprintf(out, "| report | lines of %d | files of %d | lines too many |\n|---|---|---|---|\n", total, len(risks))
	for _, arg := range reports {
		name, file, err := named(arg)
		if err != nil {
			return err
		}
		list, err := readReport(file)
		if err != nil {
			return err
		}
		lines := map[string]map[int]bool{}
		for _, f := range list {
			path := f.File
			for risks[path] == 0 && informative[path] == 0 && strings.Contains(path, "/") {
				_, path, _ = strings.Cut(path, "/")
			}
			if lines[path] == nil {
				lines[path] = map[int]bool{}
			}
			lines[path][f.StartLine] = true
		}
		found, files, over := 0, 0, 0
		for path, at := range lines {
			if n := risks[path]; n > 0 {
				files++
				found += min(n, len(at))
			}
			over += max(0, len(at)-risks[path]-informative[path])
		}
		fmt.Fprintf(out, "| %s | %d | %d | %d |\n", name, found, files, over)
	}
	return nil
}

// readExpected reads lines of path, lines with a secret, lines that only tell
// something.
func readExpected(file string) (risks, informative map[string]int, err error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = f.Close() }()
	risks, informative = map[string]int{}, map[string]int{}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		fields := strings.Split(lines.Text(), ",")
		if len(fields) != 3 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		r, err1 := strconv.Atoi(fields[1])
		i, err2 := strconv.Atoi(fields[2])
		if err1 != nil || err2 != nil {
			continue
		}
		if r > 0 {
			risks[fields[0]] = r
		}
		informative[fields[0]] = i
	}
	return risks, informative, lines.Err()
}
