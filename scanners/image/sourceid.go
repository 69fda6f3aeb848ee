package image

import "github.com/google/go-containerregistry/pkg/name"

// SourceID is the id of a repository in a registry, as a source of its images
// has it.
func SourceID(repository name.Repository) string {
	return "image:" + shownHost(repository.Registry) + "/" + repository.RepositoryStr()
}
