package rest

// KnownErrors are the errors that senders are told of in words of their own.
func KnownErrors() (out []error) {
	for _, k := range kinds() {
		out = append(out, k.targets...)
	}
	return out
}

// EventBatch is how many findings one reading of the feed tells at most.
const EventBatch = eventBatch
