package objects

import (
	"context"
	"io"
)

// Fallback reads an object in another way: through git itself. It must be safe
// for concurrent use. What it yields is checked against the id by the store.
type Fallback interface {
	// Object opens an object. ErrMissing: it is not there. The caller reads the
	// content and closes it.
	Object(ctx context.Context, id ID) (Kind, int64, io.ReadCloser, error)
}
