package archives

import "context"

// sevenZip lists what it cannot open.
func (e *container) sevenZip(context.Context) error {
	e.w.skip(e.content.Path, "the archive format is not supported")
	return nil
}
