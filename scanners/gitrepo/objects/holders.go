package objects

import "path"

// Holders are the files that have an object, copies among them, named below the
// folder of objects.
func (s *Store) Holders(id ID) (files []string) {
	defer unguard(guard())
	seen := map[string]bool{}
	for pl := range s.places(id) {
		name := id.String()
		file := path.Join(name[:2], name[2:])
		if pl.pack != nil {
			file = path.Join("pack", pl.pack.name)
		}
		if !seen[file] {
			seen[file] = true
			files = append(files, file)
		}
	}
	return files
}
