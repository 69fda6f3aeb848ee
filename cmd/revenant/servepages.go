package main

import (
	"context"
	"log/slog"
	"time"

	"revenant/web"
)

// pages is the dashboard.
func (v *server) pages(ctx context.Context) (*web.Web, error) {
	s := v.shared.session
	jobs, err := v.queue.Pages(ctx, "/jobs", v.log)
	if err != nil {
		return nil, err
	}
	o := web.Options{
		Jobs: jobs, Registry: s.reg, Queue: v.queue, Search: v.searchIndex, Who: v.sessions.Who, Terms: terms(v.set.SignIn), BaseURL: v.set.BaseURL,
		Refuse: v.refuse, Spec: v.spec, Wake: v.tender.Wake, Now: v.a.now, Log: v.log,
	}
	for _, way := range v.sessions.Ways() {
		if way.ID == "oidc" {
			o.SignIn.OIDC = way.Label
		}
	}
	return web.New(o)
}

// daysEvery is how often the findings are counted for the day.
const daysEvery = time.Minute

// keepDays counts the findings of each day, for trends, until the context ends.
func (v *server) keepDays(ctx context.Context) {
	s := v.shared.session
	for ctx.Err() == nil {
		if err := s.reg.KeepDay(ctx, s.actor); err != nil && ctx.Err() == nil {
			v.log.WarnContext(ctx, "the findings were not counted for today; it is tried again", slog.Any("error", err))
		}
		wait(ctx, daysEvery)
	}
}
