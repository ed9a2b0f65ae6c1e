package c2s

import (
	"time"

	"parley/xmpp"
	"parley/xmpp/wire"
)

// sweep looks at all sessions now and then: one that was silent for long is pinged, and one that does not even answer that
// has gone without a word. Blanks are a sign of life, too. XEP-0199 4.1; RFC 6120 4.6.1, 4.6.2,
// 4.6.4, 4.9.3.4
func (s *Server) sweep() {
	idle, wait := s.Config.Config.XMPP.Idle.Std(), s.Config.Config.XMPP.PingTimeout.Std()
	if idle <= 0 {
		return
	}
	t := time.NewTicker(max(min(idle, wait)/4, time.Second))
	defer t.Stop()
	for {
		select {
		case <-s.ending:
			return
		case <-t.C:
		}
		var silent, dead []*conn
		now := time.Now()
		s.mu.Lock()
		for c := range s.sessions {
			if s.shared.Lounge == nil { // nobody else goes round
				c.Round(now)
			}
			switch quiet := c.Quiet(now); {
			case quiet < idle:
				c.pinged = false
			case !c.pinged:
				c.pinged = true
				silent = append(silent, c)
			case quiet >= idle+wait:
				dead = append(dead, c)
			}
		}
		s.mu.Unlock()
		for _, c := range silent {
			if c.Queue(c.pingStanza()) {
				c.Flush()
			}
		}
		for _, c := range dead {
			c.Fail(&xmpp.StreamError{Condition: xmpp.StreamConnectionTimeout})
		}
	}
}

// pingStanza asks the client whether it is there: XEP-0199 4.1.
func (c *conn) pingStanza() []byte {
	b := wire.Open(nil, "iq", c.domain, c.full, "alive", "get")
	b.Start("ping").Attr("xmlns", wire.NSPing)
	return b.Bytes()
}
