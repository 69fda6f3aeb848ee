package control_test

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"revenant/api/control"
	"revenant/fingerprints"
	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
)

// TestAddWatchFails tells what a sender can mend from what is the server's: a store
// that is away is no fault of the request, and nothing of either is repeated.
func TestAddWatchFails(t *testing.T) {
	const pasted = "pasted-into-the-wrong-place"
	for name, c := range map[string]struct {
		err  error
		code int
	}{
		"not a scan":    {errors.New("scan: a watch repeats a scan"), http.StatusUnprocessableEntity},
		"store away":    {fmt.Errorf("looking: %w", store.ErrUnreachable), http.StatusServiceUnavailable},
		"store locked":  {fmt.Errorf("looking: %w", store.ErrLocked), http.StatusServiceUnavailable},
		"store is full": {fmt.Errorf("looking: %w", store.ErrFull), http.StatusServiceUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			h := control.New(control.Options{
				Token: fingerprints.NewValue([]byte("token")), Now: time.Now, Log: slog.New(slog.DiscardHandler),
				Spec: func(string, []string, string, string) (registry.WatchSpec, error) { return registry.WatchSpec{}, c.err },
			})
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/api/v1/watches", strings.NewReader(`{"name":"`+pasted+`","scan":["dir","/`+pasted+`"]}`))
			r.Header.Set("Authorization", "Bearer token")
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != c.code || w.Header().Get("Content-Type") != "application/problem+json" || strings.Contains(w.Body.String(), pasted) {
				t.Errorf("%d, want %d: %s", w.Code, c.code, w.Body)
			}
			if again := w.Header().Get("Retry-After"); (again != "") != (c.code == http.StatusServiceUnavailable) {
				t.Errorf("Retry-After %q", again)
			}
		})
	}
}
