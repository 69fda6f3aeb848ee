package jobs

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync"

	"riverqueue.com/riverui"
)

// Pages implements Queue. River counts jobs in the background for them, from the
// first time that somebody looks until ctx ends.
func (c *client[TTx]) Pages(ctx context.Context, prefix string, log *slog.Logger) (http.Handler, error) {
	h, err := riverui.NewHandler(&riverui.HandlerOpts{Endpoints: riverui.NewEndpoints(c.river, nil), Logger: quiet(log), Prefix: prefix})
	if err != nil {
		return nil, fmt.Errorf("making the pages of jobs: %w", err)
	}
	var once sync.Once
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "jobs are looked at here; watches are paused, changed and scanned in the dashboard or by 'revenant watch'", http.StatusMethodNotAllowed)
			return
		}
		once.Do(func() {
			if err := h.Start(ctx); err != nil {
				log.WarnContext(ctx, "River's counts of jobs do not start", slog.Any("error", err))
			}
		})
		h.ServeHTTP(w, r)
	}), nil
}
