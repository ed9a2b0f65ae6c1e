package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
)

// bothEnds is a conversation: an end of it for each of the two.
type bothEnds struct{ alice, bob *peer }

// conversation has the two talk, and send each other all that the version knows: dialects 7, 8.
func (s *scene) conversation(ctx context.Context) (string, error) {
	t := &bothEnds{}
	defer func() {
		for _, p := range []*peer{t.alice, t.bob} {
			if p != nil {
				p.Close()
			}
		}
	}()
	if err := s.open(ctx, t); err != nil {
		return "", err
	}
	told := []string{"words both ways, fonts, typing, ACK"}
	for _, m := range s.messages() {
		if s.alice.p.dialect < m.since {
			continue
		}
		if m.told != "" {
			told = append(told, m.told)
		}
		for _, way := range [][2]*puppet{{s.alice, s.bob}, {s.bob, s.alice}} {
			from, to := t.alice, t.bob
			if way[0] == s.bob {
				from, to = t.bob, t.alice
			}
			if err := relay(ctx, m, from, to, way[0]); err != nil {
				return "", err
			}
		}
	}
	if err := s.longest(ctx, t); err != nil {
		return "", err
	}
	return "CAL, RNG, ANS; " + strings.Join(told, ", ") + ", byte for byte", nil
}

// open is how a conversation comes about: draft 8.1-8.5, dialects 7.1.
func (s *scene) open(ctx context.Context, t *bothEnds) error {
	x, err := s.alice.p.ask(ctx, "XFR", "SB")
	if err != nil {
		return err
	}
	if len(x.args) != 5 || x.arg(1) != "SB" || x.arg(3) != "CKI" {
		return fmt.Errorf("XFR is answered with %q", x)
	}
	if t.alice, err = dialPeer(ctx, x.arg(2)); err != nil {
		return err
	}
	t.alice.dialect = s.alice.p.dialect
	if _, err = t.alice.ask(ctx, "USR", s.alice.address, x.arg(4)); err != nil {
		return err
	}
	cal, err := t.alice.ask(ctx, "CAL", s.bob.address)
	if err != nil {
		return err
	}
	rng, err := s.bob.p.verb(ctx, "RNG")
	if err != nil {
		return err
	}
	if len(rng.args) != 6 || rng.arg(0) != cal.arg(2) || rng.arg(4) != s.alice.address {
		return fmt.Errorf("RNG is %q, after %q", rng, cal)
	}
	if t.bob, err = dialPeer(ctx, rng.arg(1)); err != nil {
		return err
	}
	t.bob.dialect = s.bob.p.dialect
	if _, err = t.bob.ask(ctx, "ANS", s.bob.address, rng.arg(3), rng.arg(0)); err != nil {
		return err
	}
	// From MSNP12 on with what the other's client can do.
	able := s.about(s.alice)[:min(1, len(s.about(s.alice)))]
	if t.bob.dialect < 12 {
		able = nil
	}
	iro, err := t.bob.verb(ctx, "IRO")
	if err == nil && (len(iro.args) != 5+len(able) || iro.arg(3) != s.alice.address || len(able) > 0 && iro.arg(5) != able[0]) {
		err = fmt.Errorf("IRO is %q", iro)
	}
	if err != nil {
		return err
	}
	joi, err := t.alice.verb(ctx, "JOI", s.bob.address)
	if err == nil && (len(joi.args) != 2+len(able) || len(able) > 0 && joi.arg(2) != able[0]) {
		err = fmt.Errorf("JOI is %q", joi)
	}
	return err
}

// message is something that a client says, since a dialect.
type message struct {
	since   int
	told    string
	kind    string // U, N, A, D
	payload string // with WHO for the handle of who says it
}

const mime = "MIME-Version: 1.0\r\nContent-Type: "

// messages are what the versions say: dialects 8.
func (s *scene) messages() []message {
	packet := make([]byte, 48+100+4)
	binary.LittleEndian.PutUint32(packet[4:], 1)
	binary.LittleEndian.PutUint64(packet[16:], 100)
	binary.LittleEndian.PutUint32(packet[24:], 100)
	for i := range 100 {
		packet[48+i] = byte(i * 7)
	}
	return []message{
		{2, "", "U", mime + "text/x-msmsgscontrol\r\nTypingUser: WHO\r\n\r\n\r\n"},
		{2, "", "N", mime + "text/plain; charset=UTF-8\r\nX-MMS-IM-Format: FN=MS%20Shell%20Dlg; EF=; CO=0; CS=0; PF=0\r\n\r\nself-play: grüß dich \r\n :-)"},
		{2, "", "A", mime + "text/plain; charset=UTF-8\r\n\r\nself-play: does this arrive?"},
		{5, "an invitation to a file", "N", mime + "text/x-msmsgsinvite; charset=UTF-8\r\n\r\nApplication-Name: File Transfer\r\n" +
			"Application-GUID: {5D3E02AB-6190-11d3-BBBB-00C04F795683}\r\nInvitation-Command: INVITE\r\nInvitation-Cookie: 33267\r\n" +
			"Application-File: readme.txt\r\nApplication-FileSize: 60904\r\n\r\n"},
		{9, "a piece of a picture", "D", mime + "application/x-msnmsgrp2p\r\nP2P-Dest: WHO\r\n\r\n" + string(packet)},
		{11, "a nudge", "N", mime + "text/x-msnmsgr-datacast\r\n\r\nID: 1\r\n\r\n"},
	}
}

// relay says something, which the other hears as it was said; A and D are acknowledged. dialects 7.3
func relay(ctx context.Context, m message, from, to *peer, who *puppet) error {
	payload := strings.Replace(m.payload, "WHO", who.address, 1)
	what := strings.TrimSpace("MSG " + m.kind + " " + m.told)
	trID, err := from.send(payload, "MSG", m.kind)
	if err != nil {
		return err
	}
	heard, err := to.verb(ctx, "MSG", who.address)
	if err == nil && heard.payload != payload {
		err = errors.New("it does not arrive byte for byte")
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if m.kind == "A" || m.kind == "D" {
		if _, err := from.verb(ctx, "ACK", trID); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
	}
	return nil
}

// longest is a message of as many bytes as clients send, and one of a byte more, which ends it: dialects 1.5, 7.3.
func (s *scene) longest(ctx context.Context, t *bothEnds) error {
	const most = 1664
	head := mime + "text/plain; charset=UTF-8\r\n\r\n"
	if err := relay(ctx, message{kind: "A", told: "of 1664 bytes", payload: head + strings.Repeat("x", most-len(head))}, t.alice, t.bob, s.alice); err != nil {
		return fmt.Errorf("%w: see the key limits.payload", err)
	}
	if s.payload == most {
		if _, err := t.alice.send(head+strings.Repeat("x", most+1-len(head)), "MSG", "A"); err != nil {
			return err
		}
	}
	if c, ok := t.alice.conn.(*net.TCPConn); ok {
		c.CloseWrite() // the server need not wait until what it says last is read
	}
	if _, err := t.bob.verb(ctx, "BYE", s.alice.address); err != nil {
		return err
	}
	if slices.ContainsFunc(t.bob.early, func(x said) bool { return x.verb == "MSG" }) {
		return errors.New("MSG of 1665 bytes arrives, which clients do not expect")
	}
	return nil
}
