package enumerate

import (
	"context"
	"fmt"
	"net/http"
	"strconv"

	"revenant/scanners/cilog"
	"revenant/scanners/cilog/rest"
)

// Bounds of a list.
const (
	maxPages = 50_000
	maxWalks = 3 // of a list that changes while it is walked
)

// pages asks for a list page by page. take is given each.
func pages[T any](ctx context.Context, api *rest.Client, ref string, take func([]T, rest.Answer)) error {
	met := map[string]bool{}
	for ref != "" {
		if met[ref] || len(met) == maxPages {
			return fmt.Errorf("%w: %w: its pages lead in a circle", ErrPartial, cilog.ErrUnreachable)
		}
		met[ref] = true
		var page []T
		a, err := api.JSON(ctx, ref, "", &page)
		if err != nil {
			return err
		}
		take(page, a)
		ref = a.Next
	}
	return nil
}

// whole walks a list until it has as many entries as the server says that there
// are, and says so from the first page to the last: what is removed meanwhile
// moves others to a page that was read. A server that does not say is believed.
func whole[T any](ctx context.Context, api *rest.Client, ref, header string, take func(T)) error {
	var n, first, last int
	for range maxWalks {
		n, first, last = 0, -1, -1
		err := pages(ctx, api, ref, func(page []T, a rest.Answer) {
			if last = counted(a.Header, header); n == 0 {
				first = last
			}
			n += len(page)
			for _, e := range page {
				take(e)
			}
		})
		if err != nil {
			return err
		}
		if n >= last && first == last {
			return nil
		}
	}
	if n < last {
		return fmt.Errorf("%w: the server gives %d of the %d that it says there are", ErrPartial, n, last)
	}
	return fmt.Errorf("%w: it changes whenever it is read", ErrPartial)
}

// counted is how many entries a header says that there are; -1: it does not.
func counted(h http.Header, name string) int {
	n, err := strconv.Atoi(h.Get(name))
	if err != nil || n < 0 {
		return -1
	}
	return n
}
