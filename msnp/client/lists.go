package client

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"

	"parley/msnp"
	"parley/msnp/wire"
)

// Lists are an account's four lists and its two settings: draft 5.7, 7.5, 7.6. In each list a handle leads to its
// name.
type Lists struct {
	Serial  int64
	Prompt  bool      // GTC A: ask before somebody new is allowed
	Privacy msnp.List // BLP: AllowList when everybody not blocked may see and write, BlockList when only the allowed may
	Forward map[string]string
	Allow   map[string]string
	Block   map[string]string
	Reverse map[string]string
}

func newLists() Lists {
	return Lists{Prompt: true, Privacy: msnp.AllowList, Forward: map[string]string{}, Allow: map[string]string{},
		Block: map[string]string{}, Reverse: map[string]string{}}
}

// Of is one of the four lists; nil for what is none.
func (l *Lists) Of(which msnp.List) map[string]string {
	switch which {
	case msnp.ForwardList:
		return l.Forward
	case msnp.AllowList:
		return l.Allow
	case msnp.BlockList:
		return l.Block
	case msnp.ReverseList:
		return l.Reverse
	}
	return nil
}

// Has reports whether somebody is on a list.
func (l *Lists) Has(which msnp.List, handle string) bool {
	_, ok := l.Of(which)[handle]
	return ok
}

// Unanswered are those who have this account on their list while it has neither allowed nor blocked them: the
// client asks its user about them where Prompt says so. Draft 7.6.
func (l *Lists) Unanswered() map[string]string {
	m := map[string]string{}
	for who, name := range l.Reverse {
		if !l.Has(msnp.AllowList, who) && !l.Has(msnp.BlockList, who) {
			m[who] = name
		}
	}
	return m
}

func (l *Lists) clone() Lists {
	c := *l
	c.Forward, c.Allow = maps.Clone(l.Forward), maps.Clone(l.Allow)
	c.Block, c.Reverse = maps.Clone(l.Block), maps.Clone(l.Reverse)
	return c
}

func (l *Lists) change(e ListChanged) {
	if e.Removed {
		delete(l.Of(e.List), e.Handle)
	} else {
		l.Of(e.List)[e.Handle] = e.Name
	}
	l.Serial = max(l.Serial, e.Serial)
}

// Lists is a copy of what the client knows after Sync and all changes since.
func (c *Client) Lists() Lists {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.book.clone()
}

// Listed reports whether somebody is on a list, and under which name, as far as the client knows.
func (c *Client) Listed(which msnp.List, handle string) (name string, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	name, ok = c.book.Of(which)[handle]
	return name, ok
}

// Sync asks for the lists unless their serial number is the given one: draft 7.5. 0 asks for all. changed reports
// whether they came; Lists has them then.
func (c *Client) Sync(ctx context.Context, serial int64) (now int64, changed bool, err error) {
	got := newLists()
	var head bool
	err = c.ns.ask(ctx, request{verb: "SYN", args: []string{strconv.FormatInt(serial, 10)}}, func(cmd *wire.Command) (bool, error) {
		switch {
		case !head:
			if cmd.Verb != "SYN" {
				return false, fmt.Errorf("answered by %s", cmd.Verb)
			}
			head, got.Serial = true, serialOf(cmd.Arg(1))
			return got.Serial != serial, nil
		case cmd.Verb == "GTC":
			got.Prompt = string(cmd.Arg(2)) == "A"
		case cmd.Verb == "BLP":
			if l, ok := msnp.ParseList(cmd.Arg(2)); ok {
				got.Privacy = l
			}
		case cmd.Verb == "LST":
			l, last, err := got.item(cmd)
			if err != nil || !last || l != msnp.ReverseList {
				return true, err
			}
			c.mu.Lock() // here and not by whoever waits: the next line may change them already
			c.book = got.clone()
			c.mu.Unlock()
			return false, nil
		}
		return true, nil // PRP, BPR, LSG of later dialects
	})
	if err != nil {
		return 0, false, err
	}
	return got.Serial, got.Serial != serial, nil
}

// item takes one LST line: draft 7.6.
func (l *Lists) item(cmd *wire.Command) (which msnp.List, last bool, err error) {
	which, ok := msnp.ParseList(cmd.Arg(1))
	i, total := serialOf(cmd.Arg(3)), serialOf(cmd.Arg(4))
	if !ok || cmd.Len() < 5 || i > total || total > 0 && cmd.Len() < 6 {
		return 0, false, errors.New("a LST line that cannot be read")
	}
	if total > 0 {
		l.Of(which)[string(cmd.Arg(5))] = name(cmd.Arg(6))
	}
	return which, i == total, nil
}

// List asks for one list: draft 7.6.
func (c *Client) List(ctx context.Context, which msnp.List) (serial int64, list map[string]string, err error) {
	got := newLists()
	err = c.ns.ask(ctx, request{verb: "LST", args: []string{which.String()}}, func(cmd *wire.Command) (bool, error) {
		if cmd.Verb != "LST" {
			return false, fmt.Errorf("answered by %s", cmd.Verb)
		}
		got.Serial = serialOf(cmd.Arg(2))
		_, last, err := got.item(cmd)
		return !last, err
	})
	if err != nil {
		return 0, nil, err
	}
	return got.Serial, got.Of(which), nil
}

// Add puts somebody on the Forward, Allow or Block List: draft 7.8. An empty name is the handle itself. The error of
// the service is a msnp.Code: 205 for nobody, 215 for somebody who is there already, 219 for somebody on the opposite
// list, 210 for a full list.
func (c *Client) Add(ctx context.Context, which msnp.List, handle, name string) (serial int64, err error) {
	if name == "" {
		name = handle
	}
	return c.change(ctx, "ADD", 1, which.String(), handle, msnp.FitName(name))
}

// Remove takes somebody off a list: draft 7.8. 216 for somebody who is not on it.
func (c *Client) Remove(ctx context.Context, which msnp.List, handle string) (serial int64, err error) {
	return c.change(ctx, "REM", 1, which.String(), handle)
}

// SetPrivacy sets BLP, to AllowList or BlockList: draft 7.6. 218 when it is so already.
func (c *Client) SetPrivacy(ctx context.Context, mode msnp.List) (serial int64, err error) {
	return c.change(ctx, "BLP", 0, mode.String())
}

// SetPrompt sets GTC: draft 7.6. 218 when it is so already.
func (c *Client) SetPrompt(ctx context.Context, prompt bool) (serial int64, err error) {
	word := "N"
	if prompt {
		word = "A"
	}
	return c.change(ctx, "GTC", 0, word)
}

// Rename gives oneself a name, or keeps somebody's: REA, dialects 4.7.
func (c *Client) Rename(ctx context.Context, handle, name string) (serial int64, err error) {
	return c.change(ctx, "REA", 0, handle, msnp.FitName(name))
}

// change is a request that is echoed with a new serial number, argument at of the reply.
func (c *Client) change(ctx context.Context, verb string, at int, args ...string) (int64, error) {
	r, err := c.ns.do(ctx, request{verb: verb, args: args})
	if err != nil {
		return 0, err
	}
	return serialOf([]byte(r.Arg(at))), nil
}

// SetState says how one is: CHG, draft 7.7. With the first one the client learns who else is there.
func (c *Client) SetState(ctx context.Context, s msnp.State) error {
	_, err := c.ns.do(ctx, request{verb: "CHG", args: []string{string(s)}})
	return err
}

// State is how the service takes this client to be; Offline before the first SetState.
func (c *Client) State() msnp.State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}

// Seen is how somebody on the Forward List is; Offline also for those of whom nothing is known.
func (c *Client) Seen(handle string) Presence {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p, ok := c.seen[handle]; ok {
		return p
	}
	return Presence{Handle: handle, State: msnp.Offline}
}
