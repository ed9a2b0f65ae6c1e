package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"parley/msnp"
)

// contacts has the two add each other: dialects 4.5, 4.6.
func (s *scene) contacts(ctx context.Context) (_ string, err error) {
	if s.bob.p, err = s.login(ctx, s.bob.player, s.bob.password); err != nil {
		return "", err
	}
	var n int
	if err = s.welcomed(ctx, s.bob); err == nil {
		n, _, err = s.sync(ctx, s.bob, s.noLists())
	}
	switch {
	case err != nil:
	case n > 0:
		err = errLeftOver
	default:
		_, err = s.appear(ctx, s.bob)
	}
	if err != nil {
		return "", err
	}
	for _, way := range [][2]*puppet{{s.alice, s.bob}, {s.bob, s.alice}} {
		if err := s.befriend(ctx, way[0], way[1]); err != nil {
			return "", err
		}
	}
	verb := "ADD"
	if s.alice.p.dialect >= 10 {
		verb = "ADC"
	}
	return verb + ", heard on the other side; each is seen at once", nil
}

// befriend has one of the two add the other, who hears of it and has to decide.
func (s *scene) befriend(ctx context.Context, w, other *puppet) error {
	if err := s.admit(ctx, w, other); err != nil {
		return err
	}
	if w.p.dialect < 10 {
		add, err := w.p.ask(ctx, "ADD", "FL", other.address, other.address)
		if err == nil && (len(add.args) < 5 || add.arg(1) != "FL" || add.arg(3) != other.address) {
			err = fmt.Errorf("ADD is answered with %q", add)
		}
		if err != nil {
			return err
		}
		w.known = other.address
		if _, err = s.seen(ctx, w, other, "ILN", add.arg(0), string(msnp.Online)); err != nil {
			return err
		}
		_, err = other.p.await(ctx, "ADD 0 RL", func(x said) bool { return x.verb == "ADD" && x.arg(1) == "RL" && x.arg(3) == w.address })
		return err
	}
	adc, err := w.p.ask(ctx, "ADC", "FL", "N="+other.address, "F="+other.address)
	if err != nil {
		return err
	}
	for _, a := range adc.args {
		if id, ok := strings.CutPrefix(a, "C="); ok {
			w.known = id
		}
	}
	if _, ok := msnp.ParseGUID([]byte(w.known)); !ok {
		return fmt.Errorf("ADC is answered with %q, without the contact's GUID", adc)
	}
	if _, err = s.seen(ctx, w, other, "ILN", adc.arg(0), string(msnp.Online)); err != nil {
		return err
	}
	_, err = other.p.await(ctx, "ADC 0 RL", func(x said) bool { return x.verb == "ADC" && x.arg(1) == "RL" && x.arg(2) == "N="+w.address })
	return err
}

// admit puts somebody on the Allow List; whom it finds there already is let be.
func (s *scene) admit(ctx context.Context, w, other *puppet) error {
	return s.list(ctx, w, other, "AL")
}

func (s *scene) list(ctx context.Context, w, other *puppet, list string) (err error) {
	if w.p.dialect < 10 {
		_, err = w.p.ask(ctx, "ADD", list, other.address, other.address)
	} else {
		_, err = w.p.ask(ctx, "ADC", list, "N="+other.address)
	}
	if errors.Is(err, msnp.ErrAlreadyThere) {
		return nil
	}
	return err
}

// seen waits for a line that tells of somebody's state, and looks whether it has what its dialect has: dialects 5.3, 5.6.
func (s *scene) seen(ctx context.Context, w, other *puppet, verb string, begins ...string) (said, error) {
	at := len(begins) // where the handle stands
	line, err := w.p.await(ctx, strings.Join(append([]string{verb}, begins...), " "), func(x said) bool {
		return x.verb == verb && len(x.args) > at && slices.Equal(x.args[:at], begins) && x.arg(at) == other.address
	})
	if err != nil {
		return line, err
	}
	if got := line.args[min(at+2, len(line.args)):]; !slices.Equal(got, s.about(other)) {
		return line, fmt.Errorf("%s ends with %q, and %q was said by the other client", verb, got, s.about(other))
	}
	if w.p.dialect >= 11 {
		ubx, err := w.p.verb(ctx, "UBX", other.address)
		if err == nil && !strings.Contains(ubx.payload, "<PSM>self-play</PSM>") {
			err = errors.New("UBX does not have the personal message that was said")
		}
		return line, err
	}
	return line, nil
}

// presence has one of them show every state: dialects 5.1.
func (s *scene) presence(ctx context.Context) (string, error) {
	words := []msnp.State{msnp.Busy, msnp.Idle, msnp.BeRightBack, msnp.Away, msnp.OnThePhone, msnp.OutToLunch}
	var told []string
	for _, word := range words {
		if err := s.change(ctx, s.bob, string(word)); err != nil {
			return "", err
		}
		if _, err := s.seen(ctx, s.alice, s.bob, "NLN", string(word)); err != nil {
			return "", err
		}
		told = append(told, string(word))
	}
	if err := s.change(ctx, s.bob, string(msnp.Hidden)); err != nil {
		return "", err
	}
	if _, err := s.alice.p.verb(ctx, "FLN", s.bob.address); err != nil {
		return "", err
	}
	if _, err := s.bob.p.ask(ctx, "XFR", "SB"); !errors.Is(err, msnp.ErrOffline) {
		return "", fmt.Errorf("XFR while hidden is not answered with 913: %w", err)
	}
	if err := s.change(ctx, s.bob, string(msnp.Online)); err != nil {
		return "", err
	}
	_, err := s.seen(ctx, s.alice, s.bob, "NLN", string(msnp.Online))
	return strings.Join(told, " ") + " HDN are seen by the other, as they are meant", err
}

// names has one of them take another name, and from MSNP5 on a telephone number: dialects 4.7.
func (s *scene) names(ctx context.Context) (told string, err error) {
	const name = "Self-play%20name"
	p := s.alice.p
	if told = "REA"; p.dialect < 10 {
		_, err = p.ask(ctx, "REA", s.alice.address, name)
	} else {
		told = "PRP MFN"
		_, err = p.ask(ctx, "PRP", "MFN", name)
	}
	if err != nil {
		return "", err
	}
	line, err := s.seen(ctx, s.bob, s.alice, "NLN", string(msnp.Online))
	if err == nil && line.arg(2) != name {
		err = fmt.Errorf("the new name is heard as %q", line.arg(2))
	}
	if err != nil || p.dialect < 5 {
		return told + ", heard by the other", err
	}
	const number = "555%201234"
	prp, err := p.ask(ctx, "PRP", "PHH", number)
	if words := map[int]int{5: 4, 10: 3}[since(p.dialect, 5, 10)]; err == nil && len(prp.args) != words {
		err = fmt.Errorf("PRP is answered with %q, which is not what %s has", prp, msnp.DialectName(p.dialect))
	}
	if err != nil {
		return "", err
	}
	_, err = s.bob.p.await(ctx, "BPR", func(x said) bool {
		return x.verb == "BPR" && slices.Equal(x.args[max(0, len(x.args)-3):], []string{s.alice.address, "PHH", number})
	})
	return told + " and a telephone number, heard by the other", err
}

// groups makes a group, puts the other into it, and takes it away again: dialects 6.
func (s *scene) groups(ctx context.Context) (string, error) {
	p := s.alice.p
	if p.dialect < 7 {
		return "this version has none", nil
	}
	const name, renamed = "Self-play%20group", "Another%20group"
	var id string
	var lines [][]string
	if p.dialect < 10 {
		adg, err := p.ask(ctx, "ADG", name, "0")
		if err != nil {
			return "", err
		}
		if id = adg.arg(3); adg.arg(2) != name || id == "" {
			return "", fmt.Errorf("ADG is answered with %q", adg)
		}
		lines = [][]string{{"REG", id, renamed, "0"}, {"ADD", "FL", s.bob.address, s.bob.address, id}, {"REM", "FL", s.bob.address, id}, {"RMG", id}}
	} else {
		adg, err := p.ask(ctx, "ADG", name)
		if err != nil {
			return "", err
		}
		if id = adg.arg(2); adg.arg(1) != name || len(id) != 36 {
			return "", fmt.Errorf("ADG is answered with %q", adg)
		}
		lines = [][]string{{"REG", id, renamed}, {"ADC", "FL", "C=" + s.alice.known, id}, {"REM", "FL", s.alice.known, id}, {"RMG", id}}
	}
	for _, l := range lines {
		if _, err := p.ask(ctx, l[0], l[1:]...); err != nil {
			return "", err
		}
	}
	return "ADG, REG, a contact in and out again, RMG", nil
}

// block has one of them block the other, and take it back: draft 7.8, dialects 4.5. Then they part.
func (s *scene) block(ctx context.Context) (string, error) {
	p, bob := s.alice.p, s.bob
	if _, err := p.ask(ctx, "REM", "AL", bob.address); err != nil {
		return "", err
	}
	if err := s.list(ctx, s.alice, bob, "BL"); err != nil {
		return "", err
	}
	if _, err := bob.p.verb(ctx, "FLN", s.alice.address); err != nil {
		return "", err
	}
	if _, err := p.ask(ctx, "REM", "BL", bob.address); err != nil {
		return "", err
	}
	if err := s.admit(ctx, s.alice, bob); err != nil {
		return "", err
	}
	if _, err := s.seen(ctx, bob, s.alice, "NLN", string(msnp.Online)); err != nil {
		return "", err
	}
	if _, err := p.ask(ctx, "REM", "FL", s.alice.known); err != nil {
		return "", err
	}
	_, err := bob.p.await(ctx, "REM 0 RL", func(x said) bool {
		return x.verb == "REM" && x.arg(1) == "RL" && x.arg(len(x.args)-1) == s.alice.address
	})
	return "the other sees FLN, and the state again; a deleted contact hears of it", err
}
