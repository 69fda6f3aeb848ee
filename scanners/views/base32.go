package views

// base32Word looks for base32 among the runs of base64 characters that end in
// the word at a place.
func (s *search) base32Word(at int, ends uint64) {}
