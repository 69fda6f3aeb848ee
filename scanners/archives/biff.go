package archives

import (
	"bufio"
	"context"
	"encoding/binary"
	"io"
)

// Spreadsheets before 2007, from [MS-XLS]: a stream of records. The texts of all
// cells are one record that is cut every 8 KB, in the middle of a text too.
const (
	biffMagic    = "\x09\x08\x10\x00\x00\x06\x05\x00"
	biffTexts    = 0x00fc
	biffContinue = 0x003c
)

// texts visits the texts of all cells, without what cuts them.
func (e *container) texts(ctx context.Context) error {
	e.packed = true
	in := &counted{r: io.NewSectionReader(e.at, 0, e.size)}
	r := bufio.NewReaderSize(in, 32<<10)
	_, err := e.view(ctx, file{name: "text", in: &in.n}, 0, func(yield func([]byte) bool) error {
		head, buf := make([]byte, 4), make([]byte, 1<<16)
		wanted := false
		for {
			if _, err := io.ReadFull(r, head); err != nil {
				return nil // what it lacks is in the stream's own bytes
			}
			kind, n := binary.LittleEndian.Uint16(head), int(binary.LittleEndian.Uint16(head[2:]))
			record := buf[:n]
			n, err := io.ReadFull(r, record)
			record = record[:n]
			first := kind == biffTexts
			wanted = first || wanted && kind == biffContinue
			if wanted && !first && n > 0 && record[0] <= 1 { // a text goes on: how it is written
				record = record[1:]
			}
			if wanted && len(record) > 0 && !yield(record) {
				return errStopped
			}
			if err != nil {
				return nil
			}
		}
	})
	return err
}

// Source text of macros, from [MS-OVBA]: compressed behind what a stream of the
// folder VBA begins with.
const (
	macroChunk    = 4096
	macroMark     = "Attribut"
	maxMacroStart = 4 << 20 // how far into a stream the text may begin
)

// macro visits the text that a stream of the folder VBA holds.
func (e *container) macro(ctx context.Context) error {
	start, ok := e.macroStart(ctx)
	if !ok {
		return ctx.Err()
	}
	e.packed = true
	in := &counted{r: io.NewSectionReader(e.at, start, e.size-start)}
	r := bufio.NewReaderSize(in, 8<<10)
	_, err := e.view(ctx, file{name: "text", in: &in.n}, 0, func(yield func([]byte) bool) error {
		head, buf := make([]byte, 2), make([]byte, macroChunk)
		for {
			if _, err := io.ReadFull(r, head); err != nil {
				return nil
			}
			h := binary.LittleEndian.Uint16(head)
			if h&0x7000 != 0x3000 {
				return nil // behind the text
			}
			data := buf[:h&0x0fff+1]
			n, err := io.ReadFull(r, data)
			text := data[:n]
			if h&0x8000 != 0 {
				text = unpackMacro(text)
			}
			if len(text) > 0 && !yield(text) {
				return errStopped
			}
			if err != nil {
				return errDamaged
			}
		}
	})
	return err
}

// macroStart is where the first chunk of the text begins: every text begins
// with an attribute, whose first letters stand in it as they are.
func (e *container) macroStart(ctx context.Context) (int64, bool) {
	head := make([]byte, 4)
	for pos := int64(0); pos < maxMacroStart; pos++ {
		if pos = e.next(ctx, pos, macroMark); pos < 0 {
			return 0, false
		}
		if n, _ := e.at.ReadAt(head, pos-4); pos >= 4 && n == 4 && head[0] == 1 && head[2]&0x70 == 0x30 {
			return pos - 3, true
		}
	}
	return 0, false
}

// unpackMacro unpacks a chunk, of 4096 bytes at most: eight flags, and for each a
// byte or a copy of what came before.
func unpackMacro(b []byte) []byte {
	out := make([]byte, 0, macroChunk)
	for len(b) > 0 {
		flags := b[0]
		b = b[1:]
		for bit := 0; bit < 8 && len(b) > 0 && len(out) < macroChunk; bit++ {
			switch {
			case flags>>bit&1 == 0:
				out, b = append(out, b[0]), b[1:]
			case len(b) < 2 || len(out) == 0:
				return out
			default:
				out, b = copyMacro(out, binary.LittleEndian.Uint16(b)), b[2:]
			}
		}
		if len(out) >= macroChunk {
			break
		}
	}
	return out
}

// copyMacro appends a copy: the further the chunk, the more bits tell where from.
func copyMacro(out []byte, token uint16) []byte {
	shift := 4
	for 1<<shift < len(out) {
		shift++
	}
	back, n := int(token>>(16-shift))+1, int(token&(0xffff>>shift))+3
	if back > len(out) {
		return out
	}
	return appendBack(out, back, min(n, macroChunk-len(out)))
}

// appendBack appends n bytes from so many back on. The copy may reach into what it appends.
func appendBack(out []byte, back, n int) []byte {
	for range n {
		out = append(out, out[len(out)-back])
	}
	return out
}
