package views

// spots are three bytes of what else begins with a few that are rare in a row. There
// is room for five patterns; those that are rarest share one.
func spots(any string) [][3]string {
	return [][3]string{
		{"GPA", "I)B", "Thz"},      // GIT binary patch; zip and gzip in base85
		{"<", "~", any},            // base85 of Adobe
		{"8", "5", "d"},            // base85 that a call decodes
		{"\n", ":S", "0123456789"}, // records of Intel and Motorola
		{"{\\", "\\0", "r0"},       // RTF; escapes of CSS
	}
}

// spot looks at a place where one of spots may stand.
func (k *spotting) spot(p int) (goOn bool) {
	switch data := k.layer.Data; data[p] {
	case 'G':
		return k.gitPatch(p)
	case 'P', 'A':
		return k.stream85(p)
	case '<':
		return data[p+1] != '~' || k.adobe85(p)
	case '8':
		return k.call85(p)
	case '\n':
		return k.records(p + 1)
	case '{':
		return k.richText(p)
	case '\\':
		return k.styleEscapes(p)
	}
	return true
}
