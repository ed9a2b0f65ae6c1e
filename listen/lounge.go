package listen

// Sleeper is woken when its connection has something to read, is closed, or is to be looked
// at for another reason. Wake is called in a goroutine of its own.
type Sleeper interface{ Wake() }

// A Lounge is where connections wait for input that have nothing to do: without a goroutine,
// a stack or a buffer. Tens of thousands of idle sessions then cost what is known of them, and
// no more. Where the system has no such thing (see NewLounge), connections wait in
// their own goroutine.

// Park has the stream wait in g: who is woken, once, when there is something to do, possibly
// before Park returns. After true the stream is another goroutine's. After false
// nothing will be woken: the stream cannot wait there, or is ending.
func (s *Stream) Park(g *Lounge, who Sleeper) bool {
	if g == nil || s.raw == nil {
		return false
	}
	s.park()
	at, armed := 0, false
	err := s.raw.Control(func(fd uintptr) {
		at = int(fd)
		armed = g.arm(at, who)
	})
	if err != nil || !armed {
		return false
	}
	s.mu.Lock()
	ending := s.closed || s.finished
	s.lounge, s.sleeper, s.at = g, who, at
	s.mu.Unlock()
	if ending {
		s.Unpark()
	}
	return true
}

// Unpark wakes whoever waits in the lounge for the stream, and reports whether somebody did.
// For anybody.
func (s *Stream) Unpark() bool {
	s.mu.Lock()
	g, who, at := s.lounge, s.sleeper, s.at
	s.mu.Unlock()
	if g == nil || !g.take(at, who) {
		return false
	}
	go who.Wake() // ends when its connection waits again, or is over
	return true
}

// TryFill reads what is there, without waiting. It reports whether anything came.
func (s *Stream) TryFill() (bool, error) {
	if s.raw == nil {
		return false, nil
	}
	if s.tls != nil {
		return s.tls.fill(true)
	}
	s.n, s.err, s.once = 0, nil, true
	err := s.raw.Read(s.tryFn)
	s.once = false
	if err != nil {
		return false, err
	}
	return s.n > 0, s.err
}
