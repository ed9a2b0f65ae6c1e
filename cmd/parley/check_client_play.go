package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"parley/msnp"
	"parley/msnp/wire"
)

// puppet is somebody in the play, with a client of the version.
type puppet struct {
	player
	p      *peer
	lists  []string // the number, or the times, that the service gave its lists: what SYN is said with
	object string   // the picture, as CHG has it
	known  string   // what names the other one in commands about the contact: a handle, a GUID from MSNP10 on
}

// scene is what two people play who have the same version: the list by which one is accepted, as far as two copies of
// one version can (dialects 12.1).
type scene struct {
	*oldClient
	payload    int // bytes that the service takes in a message
	alice, bob *puppet
}

// move is a step of the play: what it shows, and what to do when it fails.
type move struct {
	name, todo string
	do         func(context.Context) (string, error)
}

const seeLog = "see the service's log"

// moves are the steps for the version, in their order.
func (s *scene) moves() []move {
	return []move{
		{"wrong login", "see the keys limits.login_failures and credential.keep_password, and " + seeLog, s.wrongLogin},
		{"login", "see " + seeLog[4:] + " for too many failed logins, and the key credential.keep_password", s.logIn},
		{"profile", seeLog, s.profile},
		{"lists", seeLog, s.firstLists},
		{"state", seeLog, s.firstState},
		{"around", seeLog, s.around},
		{"contacts", "see the key limits.contacts, and " + seeLog[4:], s.contacts},
		{"presence", "presence did not reach a session: " + seeLog, s.presence},
		{"names", seeLog, s.names},
		{"groups", "see the key limits.groups, and " + seeLog[4:], s.groups},
		{"conversation", "see advertise=HOST:PORT of the listener that serves conversations, and " + seeLog[4:], s.conversation},
		{"block", seeLog, s.block},
		{"second login", seeLog, s.secondLogin},
		{"end", seeLog, s.end},
	}
}

// close ends what is open.
func (s *scene) close() {
	for _, w := range []*puppet{s.alice, s.bob} {
		if w.p != nil {
			w.p.Close()
		}
	}
}

// wrongLogin is refused: with a wrong password, and from MSNP8 on with somebody else's ticket. dialects 3.1-3.4
func (s *scene) wrongLogin(ctx context.Context) (string, error) {
	p, err := s.login(ctx, s.alice.player, wrong)
	if err == nil {
		p.Close()
		return "", errors.New("a wrong password is let in")
	}
	if !errors.Is(err, msnp.ErrAuthenticationFailed) && !errors.Is(err, errNoTicket) {
		return "", err
	}
	if s.Dialects[0] < 8 {
		return "a wrong password is refused, with 911", nil
	}
	addr := s.server
	for range 3 {
		p, to, err := s.enter(ctx, addr, s.alice.player, func(policy string) (string, error) {
			return s.ticket(ctx, s.bob.player, s.bob.password, policy)
		}, wrong)
		switch {
		case errors.Is(err, msnp.ErrAuthenticationFailed):
			return "a wrong password gets no ticket, and somebody else's ticket is refused, with 911", nil
		case err != nil:
			return "", err
		case p != nil:
			p.Close()
			return "", errors.New("somebody else's ticket is let in")
		}
		addr = to
	}
	return "", errors.New("XFR: dispatch servers send the client around in a circle")
}

// logIn logs the first of the two in: draft 7.3.
func (s *scene) logIn(ctx context.Context) (_ string, err error) {
	if s.alice.p, err = s.login(ctx, s.alice.player, s.alice.password); err != nil {
		return "", err
	}
	return "VER, USR: let in, with " + msnp.DialectName(s.alice.p.dialect), nil
}

// profile is the first message, by which a client knows who it is: dialects 3.6.
func (s *scene) profile(ctx context.Context) (string, error) {
	return "LoginTime and what else there is", s.welcomed(ctx, s.alice)
}

func (s *scene) welcomed(ctx context.Context, w *puppet) error {
	if w.p.dialect >= 11 {
		if _, err := w.p.verb(ctx, "SBS", "0", "null"); err != nil {
			return err
		}
	}
	m, err := w.p.verb(ctx, "MSG", msnp.SystemSender, msnp.SystemSender)
	if err != nil {
		return err
	}
	for since, field := range map[int]string{0: "Content-Type: text/x-msmsgsprofile", 2: "LoginTime: ", 3: "EmailEnabled: ", 8: "ClientIP: ", 10: "ABCHMigrated: 1"} {
		if w.p.dialect >= since && !strings.Contains(m.payload, "\r\n"+field) {
			return fmt.Errorf("%s is missing in the profile", field)
		}
	}
	return nil
}

// firstLists asks for everything, as a client does that was never here: dialects 4.2.
func (s *scene) firstLists(ctx context.Context) (string, error) {
	n, _, err := s.sync(ctx, s.alice, s.noLists())
	if err == nil && n > 0 {
		err = errLeftOver
	}
	return "SYN from nothing: all of it comes", err
}

// noLists is what SYN says of lists that the client has not got.
func (s *scene) noLists() []string {
	if s.alice.p.dialect >= 10 {
		return []string{"0", "0"}
	}
	return []string{"0"}
}

// sync says SYN and looks whether what follows is all that was announced; fresh is false when nothing is new. dialects
// 4.2, 4.3
func (s *scene) sync(ctx context.Context, w *puppet, has []string) (contacts int, fresh bool, err error) {
	syn, err := w.p.ask(ctx, "SYN", has...)
	if err != nil {
		return 0, false, err
	}
	if len(syn.args) < 1+len(has) {
		return 0, false, fmt.Errorf("SYN is answered with %q", syn)
	}
	w.lists = syn.args[1 : 1+len(has)]
	all, err := w.p.all(ctx)
	if err != nil {
		return 0, false, err
	}
	count := map[string]int{}
	whole := map[string]bool{} // of the four lists, before MSNP8
	for _, line := range all {
		switch line.verb {
		case "GTC", "BLP", "PRP", "BPR", "LSG", "LST":
			count[line.verb]++
		default:
			w.p.early = append(w.p.early, line)
		}
		if line.verb == "LST" && w.p.dialect < 8 {
			whole[line.arg(1)] = line.arg(3) == line.arg(4)
			if line.arg(1) == "FL" {
				contacts, _ = strconv.Atoi(line.arg(4))
			}
		}
	}
	if slices.Equal(has, w.lists) {
		if len(count) > 0 {
			return 0, false, errors.New("SYN says that nothing is new, and lists follow")
		}
		return 0, false, nil
	}
	switch d := w.p.dialect; {
	case count["GTC"] != 1 || count["BLP"] != 1:
		err = errors.New("SYN: GTC or BLP is missing")
	case d >= 5 && d < 8 && count["PRP"] < 5, d >= 10 && count["PRP"] == 0:
		err = errors.New("SYN: PRP is missing")
	case d < 8 && (!whole["FL"] || !whole["AL"] || !whole["BL"] || !whole["RL"]):
		err = errors.New("SYN: one of the four lists does not come, or not all of it")
	case d == 7 && count["LSG"] == 0:
		err = errors.New("SYN: the groups are missing")
	case d >= 8 && syn.arg(1+len(has)) != strconv.Itoa(count["LST"]):
		err = fmt.Errorf("SYN announces %s contacts, and %d come: the client waits for the rest", syn.arg(1+len(has)), count["LST"])
	case d >= 8 && syn.arg(2+len(has)) != strconv.Itoa(count["LSG"]):
		err = fmt.Errorf("SYN announces %s groups, and %d come: the client waits for the rest", syn.arg(2+len(has)), count["LSG"])
	}
	if w.p.dialect >= 8 {
		contacts = count["LST"]
	}
	return contacts, true, err
}

// firstState appears, with what clients ask for around it: dialects 2.5, 5.2.
func (s *scene) firstState(ctx context.Context) (string, error) { return s.appear(ctx, s.alice) }

func (s *scene) appear(ctx context.Context, w *puppet) (string, error) {
	told := "CHG"
	d := w.p.dialect
	if d >= 11 {
		told = "GCF, CHG, UUX, and how much mail there is"
		gcf, err := w.p.ask(ctx, "GCF", "Shields.xml")
		if err == nil && !strings.Contains(gcf.payload, "<config>") {
			err = errors.New("GCF is answered with no configuration")
		}
		if err != nil {
			return "", err
		}
	}
	if d >= 9 {
		w.object = escape(fmt.Sprintf(`<msnobj Creator="%s" Size="1024" Type="3" Location="TFR2.dat" Friendly="AAA=" SHA1D="vP1ppB+xiFQ8ceZivRe0uCaYLIU=" SHA1C="PApbbjkbDSGrt3ybGHRKNaZ8s/w="/>`,
			w.address))
	}
	if err := s.change(ctx, w, string(msnp.Online)); err != nil || d < 11 {
		return told, err
	}
	trID, err := w.p.send("<Data><PSM>self-play</PSM><CurrentMedia></CurrentMedia></Data>", "UUX")
	if err == nil {
		_, err = w.p.answer(ctx, "UUX", trID)
	}
	if err == nil {
		_, err = w.p.verb(ctx, "MSG", msnp.SystemSender, msnp.SystemSender)
	}
	return told, err
}

// change says a state, in the words of the dialect, and sees it repeated: dialects 5.2.
func (s *scene) change(ctx context.Context, w *puppet, state string) error {
	args := append([]string{state}, s.about(w)...)
	chg, err := w.p.ask(ctx, "CHG", args...)
	if err == nil && !slices.Equal(chg.args[1:], args) {
		err = fmt.Errorf("CHG is answered with %q, not with what was said", chg)
	}
	return err
}

// about is what stands behind a state: dialects 5.2, 5.3.
func (s *scene) about(w *puppet) (l []string) {
	if w.p.dialect >= 8 {
		l = append(l, strconv.FormatUint(uint64(s.Abilities), 10))
	}
	if w.object != "" {
		l = append(l, w.object)
	}
	return l
}

// around are the things that a client asks besides: dialects 2.5, 9.1, 9.2, 9.5.
func (s *scene) around(ctx context.Context) (string, error) {
	p := s.alice.p
	told := []string{"URL", "PNG"}
	page, err := p.ask(ctx, "URL", "INBOX")
	if words := map[int]int{2: 3, 3: 4}[since(p.dialect, 2, 3)]; err == nil && len(page.args) != words {
		err = fmt.Errorf("URL is answered with %q, which is not what %s has", page, msnp.DialectName(p.dialect))
	}
	if err != nil {
		return "", err
	}
	if err := p.write("PNG" + wire.CRLF); err != nil {
		return "", err
	}
	qng, err := p.verb(ctx, "QNG")
	if _, bad := strconv.Atoi(qng.arg(0)); err == nil && (p.dialect >= 9) != (bad == nil) {
		err = fmt.Errorf("PNG is answered with %q, which is not what %s has", qng, msnp.DialectName(p.dialect))
	}
	if err != nil {
		return "", err
	}
	if p.dialect < 8 {
		told = append(told, "CVR")
		if err := s.cvr(ctx, p, ""); err != nil {
			return "", err
		}
	}
	if s.Product != "" && p.dialect >= 6 {
		told = append(told, "CHL and QRY")
		if err := s.challenge(ctx, p); err != nil {
			return "", err
		}
	}
	return strings.Join(told, ", ") + " are answered", nil
}

// challenge has the service ask what only a client of its maker knows: dialects 9.1.
func (s *scene) challenge(ctx context.Context, p *peer) error {
	if _, err := p.say("CHL"); err != nil {
		return err
	}
	chl, err := p.verb(ctx, "CHL")
	if err != nil {
		return err
	}
	respond := msnp.ChallengeResponse
	if p.dialect >= 11 {
		respond = msnp.LongChallengeResponse
	}
	answer, ok := respond(chl.arg(1), s.Product)
	if !ok {
		return fmt.Errorf("CHL: nobody knows what %s answers", s.Product)
	}
	trID, err := p.send(answer, "QRY", s.Product)
	if err == nil {
		_, err = p.answer(ctx, "QRY", trID)
	}
	return err
}

// secondLogin ends the first, and finds its lists as they were: dialects 9.3, 12.1.
func (s *scene) secondLogin(ctx context.Context) (string, error) {
	stale := s.alice.lists
	first := s.alice.p
	defer first.Close()
	again, err := s.login(ctx, s.alice.player, s.alice.password)
	if err != nil {
		return "", err
	}
	s.alice.p = again
	if _, err := first.verb(ctx, "OUT", "OTH"); err != nil {
		return "", err
	}
	if err := s.welcomed(ctx, s.alice); err != nil {
		return "", err
	}
	_, fresh, err := s.sync(ctx, s.alice, stale)
	if err == nil && !fresh {
		err = errors.New("SYN says that nothing is new, after so much has changed")
	}
	if err == nil {
		if _, fresh, err = s.sync(ctx, s.alice, s.alice.lists); err == nil && fresh {
			err = errors.New("SYN sends everything again to who has it")
		}
	}
	return "the first hears OUT OTH; SYN sends what is new, and then nothing", err
}

// end is goodbye: draft 7.10.
func (s *scene) end(ctx context.Context) (string, error) {
	for _, w := range []*puppet{s.alice, s.bob} {
		if err := w.p.write("OUT" + wire.CRLF); err != nil {
			return "", err
		}
		if err := w.p.ended(ctx); err != nil {
			return "", err
		}
	}
	return "OUT", nil
}
