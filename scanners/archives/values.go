package archives

import "context"

// Bounds of databases' files in which values are compressed one by one.
const (
	// longestValue is how long one is at the most, compressed or not.
	longestValue = 16 << 20
	// valueWaste is how much may be unpacked in vain, beside eight times the file's size.
	valueWaste = 64 << 20
)

// values shows what all writes, as a view of a name; long says afterwards that one was
// longer than the bound.
func (e *container) values(ctx context.Context, name string, all func(o *outbox) error, long *bool) error {
	if _, err := e.view(ctx, file{name: name + "s"}, 0, func(yield func([]byte) bool) error { return all(newOutbox(yield)) }); err != nil {
		return err
	}
	if *long {
		e.w.skip(e.content.Path, "a "+name+" longer than 16 MiB")
	}
	return ctx.Err()
}
