package views_test

import (
	"context"
	"fmt"
	"testing"

	"revenant/scanners"
	"revenant/scanners/scannerstest"
	"revenant/scanners/views"
)

func TestDbg(t *testing.T) {
	for _, k := range scannerstest.Kinds() {
		text := scannerstest.Corpus(k, 1, 1<<20)
		n, by := map[string]int{}, map[string]int{}
		ex := map[string][]string{}
		views.New().View(context.Background(), scanners.Layer{Data: text, Piece: 1 << 20, Overlap: 64 << 10}, func(t scanners.Text) bool {
			f := fmt.Sprint(t.Form, t.Guessed)
			n[f]++
			by[f] += len(t.Data)
			if len(ex[f]) < 3 {
				ex[f] = append(ex[f], string(t.Data[:min(len(t.Data), 400)]))
			}
			return true
		})
		fmt.Println(k)
		for f := range n {
			fmt.Println("  ", f, n[f], by[f])
			if k != "random" {
				for _, e := range ex[f] {
					fmt.Printf("       %q\n", e)
				}
			}
		}
	}
}
