package archives

import (
	"strings"
	"sync"
)

// Names of glyphs, from the Adobe Glyph List, and widths of fonts that every reader has
// (ISO 32000-2, 9.6.2.2; Adobe's metrics of the core fonts).

// pdfASCIINames are the glyphs of pdfASCIIPlaces; letters are their own names.
const pdfASCIINames = "space exclam quotedbl numbersign dollar percent ampersand quotesingle parenleft parenright " +
	"asterisk plus comma hyphen period slash zero one two three four five six seven eight nine colon semicolon " +
	"less equal greater question at bracketleft backslash bracketright asciicircum underscore grave braceleft bar braceright asciitilde"

const pdfASCIIPlaces = " !\"#$%&'()*+,-./0123456789:;<=>?@[\\]^_`{|}~"

var pdfGlyphs = sync.OnceValue(func() map[string]string {
	all := pdfOtherNames()
	for i, name := range strings.Fields(pdfASCIINames) {
		all[name] = pdfASCIIPlaces[i : i+1]
	}
	return all
})

func pdfOtherNames() map[string]string {
	return map[string]string{
		"ff": "ff", "fi": "fi", "fl": "fl", "ffi": "ffi", "ffl": "ffl",
		"minus": "-", "sfthyphen": "-", "nbspace": " ", "visiblespace": " ", "spacehackarabic": " ",
		"quoteright": "’", "quoteleft": "‘", "quotedblleft": "“", "quotedblright": "”", "quotesinglbase": "‚", "quotedblbase": "„",
		"endash": "–", "emdash": "—", "bullet": "•", "ellipsis": "…", "periodcentered": "·", "section": "§", "degree": "°",
		"sterling": "£", "Euro": "€", "cent": "¢", "yen": "¥", "dotlessi": "ı", "mu": "µ", "asteriskmath": "*", "fraction": "/",
		"tilde": "~", "circumflex": "^", "acute": "´", "dieresis": "¨", "macron": "¯",
		"adieresis": "ä", "odieresis": "ö", "udieresis": "ü", "Adieresis": "Ä", "Odieresis": "Ö", "Udieresis": "Ü", "germandbls": "ß",
		"aacute": "á", "agrave": "à", "acircumflex": "â", "atilde": "ã", "aring": "å", "ae": "æ", "ccedilla": "ç",
		"eacute": "é", "egrave": "è", "ecircumflex": "ê", "edieresis": "ë", "iacute": "í", "igrave": "ì", "icircumflex": "î",
		"idieresis": "ï", "ntilde": "ñ", "oacute": "ó", "ograve": "ò", "ocircumflex": "ô", "otilde": "õ", "oslash": "ø",
		"uacute": "ú", "ugrave": "ù", "ucircumflex": "û", "yacute": "ý", "ydieresis": "ÿ", "eth": "ð", "thorn": "þ",
		"Eacute": "É", "Egrave": "È", "Agrave": "À", "Aacute": "Á", "Aring": "Å", "AE": "Æ", "Ccedilla": "Ç", "Ntilde": "Ñ", "Oslash": "Ø",
	}
}

// pdfWindows are the characters of Windows' code page 1252 from 0x80 to 0x9f.
const pdfWindows = "€•‚ƒ„…†‡ˆ‰Š‹Œ•Ž••‘’“”•–—˜™š›œ•žŸ"

// pdfLatinChars are the characters of fonts that say nothing else.
var pdfLatinChars = sync.OnceValue(func() *[256]string {
	var all [256]string
	for c := range all {
		if c >= ' ' && c != 0x7f {
			all[c] = string(rune(c))
		}
	}
	for i, c := range []rune(pdfWindows) {
		all[0x80+i] = string(c)
	}
	all['\t'], all['\n'], all['\r'], all[0xa0], all[0xad] = " ", " ", " ", " ", "-"
	return &all
})

// pdfBuiltIn are those of fonts that bring their encoding: TeX's have ligatures in it.
var pdfBuiltIn = sync.OnceValue(func() *[256]string {
	all := *pdfLatinChars()
	copy(all[0x0b:], []string{"ff", "fi", "fl", "ffi", "ffl"})
	return &all
})

// Widths of the characters from the space to the tilde.
const (
	pdfHelvetica = "278 278 355 556 556 889 667 191 333 333 389 584 278 333 278 278 556 556 556 556 556 556 556 556 556 556 278 278 584 584 584 556 " +
		"1015 667 667 722 722 667 611 778 722 278 500 667 556 833 722 778 667 778 722 667 611 722 667 944 667 667 611 278 278 278 469 556 " +
		"333 556 556 500 556 556 278 556 556 222 222 500 222 833 556 556 556 556 333 500 278 556 500 722 500 500 500 334 260 334 584"
	pdfTimes = "250 333 408 500 500 833 778 180 333 333 500 564 250 333 250 278 500 500 500 500 500 500 500 500 500 500 278 278 564 564 564 444 " +
		"921 722 667 667 722 611 556 722 722 333 389 722 611 889 722 722 556 722 667 556 611 722 722 944 722 722 611 333 278 333 469 500 " +
		"333 444 500 444 500 444 333 500 500 278 278 500 278 778 500 500 500 500 333 389 278 500 500 722 500 500 444 480 200 480 541"
)

// pdfStandardWidths are the widths of a font by its name, and those of Helvetica of
// one that nobody knows.
func pdfStandardWidths(name string) pdfWidth {
	table := pdfHelvetica
	if strings.Contains(name, "Courier") || strings.Contains(name, "Mono") {
		return pdfWidth{high: 1 << 16, all: []float32{600}}
	}
	if strings.Contains(name, "Times") || strings.Contains(name, "Serif") {
		table = pdfTimes
	}
	w := pdfWidth{low: ' ', high: 0x7f}
	for _, n := range strings.Fields(table) {
		var width float32
		for _, c := range n {
			width = width*10 + float32(c-'0')
		}
		w.all = append(w.all, width)
	}
	return w
}
