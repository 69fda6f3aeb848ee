package strength

import "strings"

// The rows of the keyboard, without and with shift; a column stands slanting
// below the one of the same index.
const (
	rows = "`1234567890-=\n" +
		"\x00qwertyuiop[]\n" +
		"\x00asdfghjkl;'\n" +
		"\x00zxcvbnm,./\n"
	shifted = "~!@#$%^&*()_+\n" +
		"\x00QWERTYUIOP{}\n" +
		"\x00ASDFGHJKL:\"\n" +
		"\x00ZXCVBNM<>?\n"
)

// key is where a character stands; shift 1 for upper rows.
type key struct{ row, col, shift int }

func keyOf(c byte) (key, bool) {
	if c == 0 || c == '\n' {
		return key{}, false
	}
	for shift, board := range [2]string{rows, shifted} {
		if i := strings.IndexByte(board, c); i >= 0 {
			before := board[:i]
			return key{strings.Count(before, "\n"), i - 1 - strings.LastIndexByte(before, '\n'), shift}, true
		}
	}
	return key{}, false
}

// appendKeyboard appends the runs over neighbouring keys that begin at i.
func (p *patterns) appendKeyboard(dst []step, i int) []step {
	prev, ok := keyOf(p.raw[i])
	if !ok {
		return dst
	}
	cost := log2(47)
	if strings.IndexByte("1qaz0p`", p.raw[i]|0x20) >= 0 || strings.IndexByte("10", p.raw[i]) >= 0 {
		cost = costStart
	}
	var way [2]int
	for j := i + 1; j < min(len(p.raw), i+mostKeyboard); j++ {
		k, ok := keyOf(p.raw[j])
		next := [2]int{k.row - prev.row, k.col - prev.col}
		if !ok || !neighbours(next) {
			break
		}
		if next != way {
			cost += costTurn
		}
		if k.shift != prev.shift {
			cost += unit
		}
		if n := j + 1 - i; n >= leastKeyboard {
			dst = append(dst, step{end: j + 1, cost: cost + log2(uint64(n)), from: -1})
		}
		prev, way = k, next
	}
	return dst
}

func neighbours(d [2]int) bool {
	switch d {
	case [2]int{0, 1}, [2]int{0, -1}, [2]int{1, 0}, [2]int{-1, 0}, [2]int{1, -1}, [2]int{-1, 1}:
		return true
	}
	return false
}
