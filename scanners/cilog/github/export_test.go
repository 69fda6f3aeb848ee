package github

// FileName is fileName, for tests.
func FileName(name string) string { return fileName(name) }

// Match matches the names of jobs with those of an archive.
func Match(jobs, names []string) map[string]int {
	list := make([]apiJob, len(jobs))
	for i, name := range jobs {
		list[i].Name = name
	}
	return match(list, names)
}

// Entry says what job and step a file in an archive is of.
func Entry(name string) (job string, number int, known bool, label string) {
	e := parseEntry(name)
	return e.job, e.step, e.what != other, e.stepName()
}
