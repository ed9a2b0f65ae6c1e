//go:build !linux

package listen

// Lounge does not exist on this system.
type Lounge struct{}

// NewLounge gives none: connections wait in their own goroutine.
func NewLounge() (*Lounge, error) { return nil, nil }

// Close does nothing.
func (g *Lounge) Close() {}

func (g *Lounge) arm(int, Sleeper) bool  { return false }
func (g *Lounge) take(int, Sleeper) bool { return false }
