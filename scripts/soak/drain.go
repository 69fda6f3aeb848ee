package main

import (
	"context"
	"time"
)

// drained is a backlog that was worked off.
type drained struct {
	what string
	took time.Duration
}

func drain(context.Context, options, place) ([]drained, error) { return nil, nil }
