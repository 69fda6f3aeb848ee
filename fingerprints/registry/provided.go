package registry

import (
	"context"
	"errors"
)

// ErrChanged says that something is not as whoever changes it saw it.
var ErrChanged = errors.New("it was changed meanwhile: read it again")

type providedKey struct{}

// Provided is a context whose changes happen only where a condition holds: it is asked
// when nobody else can change anything any more, and may read the registry. Its error
// is the change's.
func Provided(ctx context.Context, condition func(context.Context) error) context.Context {
	return context.WithValue(ctx, providedKey{}, condition)
}

// provided asks the condition. What it does itself has none.
func provided(ctx context.Context) error {
	condition, is := ctx.Value(providedKey{}).(func(context.Context) error)
	if !is || condition == nil {
		return nil
	}
	return condition(context.WithValue(ctx, providedKey{}, nil))
}
