package inflate

// InGo makes a reader do without assembly.
func (r *Reader) InGo() { r.d.goOnly = true }

// InGo makes a decoder do without assembly.
func (w *Decoder) InGo() { w.d.goOnly = true }
