package main

import (
	"context"
	"strings"

	"parley/msnp"
	"parley/msnp/client"
)

func (m *msnpMessenger) step(ctx context.Context, c *chat) <-chan struct{} {
	e, ready := m.inbox.TryNext()
	if e == nil {
		return ready
	}
	m.show(ctx, c, e)
	return nil
}

// show shows an event.
func (m *msnpMessenger) show(ctx context.Context, c *chat, e client.Event) {
	switch e := e.(type) {
	case client.Presence:
		c.saw(buddy{who: e.Handle, name: e.Name, state: msnpWord(e.State)})
	case client.ListChanged:
		m.listChanged(ctx, c, e)
	case client.SettingChanged:
		m.settingChanged(c, e)
	case client.Answered:
		c.answered(msnpTalk{e.Conversation}, e.Ring.Handle, e.Ring.Name)
	case client.RingFailed:
		c.say("%s wanted to talk, which failed: %v", person(e.Ring.Handle, e.Ring.Name), e.Err)
	case client.Joined:
		c.joined(msnpTalk{e.Conversation}, e.Handle, e.Name)
	case client.Left:
		c.left(msnpTalk{e.Conversation}, e.Handle, e.Idle)
	case client.Message:
		m.message(c, e)
	case client.SystemMessage:
		m.system(c, e)
	case client.Referred:
		c.say("the service moves to %s: log in there with --server %s", printable(e.Address), printable(e.Address))
	case client.Ended:
		if e.Conversation == nil {
			c.end(e.Err)
		} else {
			c.over(msnpTalk{e.Conversation})
		}
	}
}

func (m *msnpMessenger) listChanged(ctx context.Context, c *chat, e client.ListChanged) {
	switch {
	case e.List == msnp.ReverseList && e.Removed:
		c.say("%s took you off their list", printable(e.Handle))
		c.happened("removed", e.Handle)
	case e.List == msnp.ReverseList:
		l := m.client.Lists()
		switch {
		case l.Has(msnp.AllowList, e.Handle) || l.Has(msnp.BlockList, e.Handle):
			c.say("%s added you", person(e.Handle, e.Name))
		case !l.Prompt: // GTC N: draft 7.6
			err := c.during(ctx, func(ctx context.Context) error {
				_, err := m.client.Add(ctx, msnp.AllowList, e.Handle, e.Name)
				return err
			})
			if err != nil {
				c.fail(m.explain(err, e.Handle))
				return
			}
			c.say("%s added you, and is allowed to see you", person(e.Handle, e.Name))
		default:
			c.asks(e.Handle, e.Name)
		}
		c.happened("added", e.Handle)
	case e.List == msnp.ForwardList && e.Removed:
		c.say("%s was taken off your list elsewhere", printable(e.Handle))
	case e.List == msnp.ForwardList:
		c.say("%s was added to your list elsewhere", person(e.Handle, e.Name))
	case e.List == msnp.BlockList && e.Removed:
		c.say("%s was unblocked elsewhere", printable(e.Handle))
	case e.List == msnp.BlockList:
		c.say("%s was blocked elsewhere", printable(e.Handle))
	}
}

func (m *msnpMessenger) settingChanged(c *chat, e client.SettingChanged) {
	switch e.Verb {
	case "CHG":
		c.say("you are %s now", isIn(msnpWord(msnp.State(e.Value))))
	case "REA":
		c.say("your name is %s now", printable(e.Value))
	}
}

// message prints what somebody said.
func (m *msnpMessenger) message(c *chat, e client.Message) {
	content, err := e.Content()
	if err != nil {
		return
	}
	switch content.Kind {
	case msnp.TypingContent:
		c.types(e.Handle)
	case msnp.TextContent:
		c.heard(msnpTalk{e.Conversation}, e.Handle, content.Text)
	case msnp.DatacastContent:
		if content.Datacast == 1 {
			c.say("%s nudges you", printable(e.Handle))
			c.happened("nudge", e.Handle)
		}
	case msnp.InviteContent:
		if i := content.Invitation; i.Command == "INVITE" {
			c.say("%s invites you to %s, for which you need another client", printable(e.Handle),
				strings.TrimSpace(printable(i.Application+" "+i.File)))
		}
	}
}

// system prints what the service announces: dialects 3.7.
func (m *msnpMessenger) system(c *chat, e client.SystemMessage) {
	content, err := msnp.ParseContent(e.Payload)
	if err != nil || !strings.HasSuffix(content.Type, "/x-msmsgssystemmessage") {
		return
	}
	for line := range strings.Lines(string(content.Body)) {
		if n, ok := strings.CutPrefix(line, "Arg1:"); ok {
			c.say("the service goes down in %s minutes", printable(strings.TrimSpace(n)))
		}
	}
}
