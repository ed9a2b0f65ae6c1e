package limit

import "time"

// Strangers is what a process allows those who have not logged in, whichever door they come to.
type Strangers struct {
	Gate     *Gate
	Count    *Count
	Failures *Failures
}

// Bounds are the limits that Strangers keeps, as NewGate, NewCount and NewFailures take them.
type Bounds struct {
	HalfOpen, HalfOpenPerNetwork, Connections int
	Failures, FailuresPerNetwork              int
	Window                                    time.Duration
}

// NewStrangers makes all three.
func NewStrangers(b Bounds, hit Hit) *Strangers {
	return &Strangers{
		Gate:     NewGate(b.HalfOpen, b.HalfOpenPerNetwork, hit),
		Count:    NewCount(b.Connections, hit),
		Failures: NewFailures(b.Failures, b.FailuresPerNetwork, b.Window, hit),
	}
}
