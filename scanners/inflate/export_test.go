package inflate

// InGo makes a reader do without assembly.
func (r *Reader) InGo() { r.d.goOnly = true }
