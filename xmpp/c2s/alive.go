package c2s

import (
	"sync/atomic"
	"time"

	"parley/xmpp"
	"parley/xmpp/wire"
)

// heard is when something last came from a client, and whether it was pinged since. Unix seconds, for anybody.
type heard struct {
	at     atomic.Int64
	pinged atomic.Bool
}

func (h *heard) now() {
	h.at.Store(time.Now().Unix())
	h.pinged.Store(false)
}

// sweep looks at all sessions now and then: one that was silent for long is pinged, and one that does not even answer that
// has gone without a word. XEP-0199 4.1; RFC 6120 4.6.4, 4.9.3.4
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
		now := time.Now().Unix()
		s.mu.Lock()
		for c := range s.sessions {
			switch quiet := time.Duration(now-c.heard.at.Load()) * time.Second; {
			case quiet >= idle+wait && c.heard.pinged.Load():
				dead = append(dead, c)
			case quiet >= idle && !c.heard.pinged.Load():
				silent = append(silent, c)
			}
		}
		s.mu.Unlock()
		for _, c := range silent {
			c.heard.pinged.Store(true)
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
