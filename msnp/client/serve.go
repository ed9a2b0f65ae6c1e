package client

import (
	"strconv"

	"parley/msnp"
	"parley/msnp/wire"
)

// serve takes what the notification server sends unasked; the answer to a request is left to whoever asked, after
// the client's own copy was changed by it.
func (c *Client) serve(n *conn, cmd *wire.Command) bool {
	switch cmd.Verb {
	case "NLN":
		c.presence(Presence{Handle: string(cmd.Arg(1)), Name: name(cmd.Arg(2)), State: msnp.State(cmd.Arg(0))})
	case "ILN":
		c.presence(Presence{Handle: string(cmd.Arg(2)), Name: name(cmd.Arg(3)), State: msnp.State(cmd.Arg(1)), Initial: true})
	case "FLN":
		c.presence(Presence{Handle: string(cmd.Arg(0)), State: msnp.Offline})
	case "ADD", "REM":
		c.listChanged(cmd)
		return pushed(cmd)
	case "GTC", "BLP":
		c.settingChanged(cmd)
		return pushed(cmd)
	case "REA":
		c.renamed(cmd)
		return pushed(cmd)
	case "CHG":
		c.mu.Lock()
		c.state = msnp.State(cmd.Arg(1))
		c.mu.Unlock()
		if pushed(cmd) {
			c.emit(SettingChanged{Verb: "CHG", Value: string(cmd.Arg(1))})
			return true
		}
		return false
	case "RNG":
		c.rung(Ring{Session: string(cmd.Arg(0)), Address: string(cmd.Arg(1)), Cookie: string(cmd.Arg(3)),
			Handle: string(cmd.Arg(4)), Name: name(cmd.Arg(5))})
	case "MSG":
		c.emit(SystemMessage{Handle: string(cmd.Arg(0)), Payload: append([]byte(nil), cmd.Payload...)})
	case "XFR":
		if !pushed(cmd) {
			return false
		}
		c.emit(Referred{Address: string(cmd.Arg(2))})
		n.stream.Finish() // draft 7.4: the client closes, and says nothing more
	default:
		return false
	}
	return true
}

// pushed reports whether a command answers no request: its transaction ID is 0, draft 5.6.
func pushed(cmd *wire.Command) bool {
	id, ok := cmd.TrID()
	return ok && id == 0
}

func serialOf(b []byte) int64 {
	n, err := strconv.ParseInt(string(b), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

func (c *Client) presence(p Presence) {
	c.mu.Lock()
	if p.State == msnp.Offline {
		delete(c.seen, p.Handle)
	} else {
		c.seen[p.Handle] = p
	}
	c.mu.Unlock()
	c.emit(p)
}

// listChanged takes an ADD or REM, an echo or not: draft 7.8.
func (c *Client) listChanged(cmd *wire.Command) {
	l, ok := msnp.ParseList(cmd.Arg(1))
	if !ok {
		return
	}
	e := ListChanged{List: l, Handle: string(cmd.Arg(3)), Serial: serialOf(cmd.Arg(2)), Removed: cmd.Verb == "REM"}
	if !e.Removed {
		e.Name = name(cmd.Arg(4))
	}
	c.mu.Lock()
	c.book.change(e)
	if e.Removed && l == msnp.ForwardList {
		delete(c.seen, e.Handle)
	}
	c.mu.Unlock()
	if pushed(cmd) {
		c.emit(e)
	}
}

// settingChanged takes a GTC or BLP, an echo, a part of SYN or neither: draft 7.6.
func (c *Client) settingChanged(cmd *wire.Command) {
	e := SettingChanged{Verb: cmd.Verb, Value: string(cmd.Arg(2)), Serial: serialOf(cmd.Arg(1))}
	c.mu.Lock()
	if e.Verb == "GTC" {
		c.book.Prompt = e.Value == "A"
	} else if l, ok := msnp.ParseList(cmd.Arg(2)); ok {
		c.book.Privacy = l
	}
	c.book.Serial = max(c.book.Serial, e.Serial)
	c.mu.Unlock()
	if pushed(cmd) {
		c.emit(e)
	}
}

// renamed takes a REA: dialects 4.7.
func (c *Client) renamed(cmd *wire.Command) {
	e := SettingChanged{Verb: "REA", Value: name(cmd.Arg(3)), Serial: serialOf(cmd.Arg(1))}
	who := string(cmd.Arg(2))
	c.mu.Lock()
	own := who == c.handle
	if own {
		c.name = e.Value
	}
	for _, l := range msnp.Lists() {
		if m := c.book.Of(l); l != msnp.ReverseList && !own {
			if _, ok := m[who]; ok {
				m[who] = e.Value
			}
		}
	}
	c.book.Serial = max(c.book.Serial, e.Serial)
	c.mu.Unlock()
	if own && pushed(cmd) {
		c.emit(e)
	}
}
