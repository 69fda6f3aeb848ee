package keystore

// Lightly is a protection by the same passphrase whose files are cheap to make
// and to open, for tests; nothing else changes the work.
func Lightly(p Protection) Protection {
	s := p.secrets()
	s.work = 4
	return protect(s)
}
