package registry

import "context"

// Shares is shares for tests.
type Shares struct{ shares }

// Do is do.
func (s *Shares) Do(ctx context.Context, key string, fn func() (any, error)) (any, error) {
	return s.do(ctx, key, fn)
}

// Len counts the keys that are asked for.
func (s *Shares) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.keys)
}
