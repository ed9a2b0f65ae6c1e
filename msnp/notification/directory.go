package notification

import (
	"context"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/im"
	"parley/msnp"
	"parley/msnp/wire"
)

// pages are what URL can ask for, and where it leads below the service's public address: dialects 9.5.
var pages = map[string]string{
	"INBOX": "/mail", "FOLDERS": "/mail", "COMPOSE": "/mail", "MESSAGE": "/mail",
	"PERSON": "/account", "PASSWORD": "/account", "MOBILE": "/account", "CHGMOB": "/account",
	"PROFILE": "/profile", "CHAT": "/chat", "ADDRBOOK": "/contacts", "ADVSEARCH": "/search", "INTSEARCH": "/search",
}

// url says where a page of the service is: a path, and the login form in front of it. dialects 9.5
func (c *conn) url(_ context.Context, r request) error { return c.page(r) }

// site is the number of the site that the login form is of. COMPAT MSN 2.0 to 2.2: MSNP3 and MSNP4 are said not to need
// it, and get it too.
const site = "2"

// urlSite is url that names the site, too: dialects 9.5, 13.3.
func (c *conn) urlSite(_ context.Context, r request) error { return c.page(r, site) }

func (c *conn) page(r request, site ...string) error {
	path, ok := pages[string(r.Arg(1))]
	if !ok {
		return msnp.ErrInvalidParameter
	}
	c.Reply("URL", r.trID, append([]string{path, pageURL(c.s.PublicURL, "/login")}, site...)...)
	return nil
}

// mostFound is how many people FND shows at the most; more are an error.
const mostFound = 100

// fnd looks people up in the user directory, which they are in only if they want: dialects 9.5.
func (c *conn) fnd(ctx context.Context, r request) error {
	if !c.s.Find {
		return msnp.ErrDisabled
	}
	q := im.Profile{}
	fields := map[string]*string{"fname": &q.First, "lname": &q.Last, "city": &q.City, "state": &q.State, "country": &q.Country}
	given := false
	for i, arg := range r.Args() {
		if i == 0 {
			continue
		}
		key, value, _ := strings.Cut(string(arg), "=")
		text, err := msnp.DecodeName([]byte(value))
		f := fields[strings.ToLower(key)]
		if f == nil || err != nil {
			return msnp.ErrInvalidParameter
		}
		*f = text
		given = given || text != "" && text != "*"
		if text == "*" {
			*f = ""
		}
	}
	if !given || q.First == "" && q.Last == "" {
		return msnp.ErrInvalidParameter
	}
	c.Flush()
	found, err := c.s.Exchange.Find(ctx, q, mostFound+1)
	if err != nil {
		return err
	}
	if len(found) > mostFound {
		return msnp.ErrTooManyMatches
	}
	if len(found) == 0 {
		c.Reply("FND", r.trID, "0", "0")
		return nil
	}
	slices.SortFunc(found, func(a, b im.Account) int { return a.Address.Compare(b.Address) })
	total := strconv.Itoa(len(found))
	for i, a := range found {
		p := a.Profile
		c.Queue(wire.AppendCommand(nil, "FND", r.trID, strconv.Itoa(i+1), total,
			"fname="+msnp.EncodeName(p.First), "lname="+msnp.EncodeName(p.Last), "city="+msnp.EncodeName(p.City),
			"state="+msnp.EncodeName(p.State), "country="+msnp.EncodeName(p.Country)))
	}
	return nil
}

// mailTime bounds how long the mail program may take.
const mailTime = 10 * time.Second

// snd mails somebody an invitation to the service: dialects 9.5. Without a program that sends
// mail there is none, and the client is told. COMPAT MSN 3.0 to 4.7: whether they say SND beside SDC is not sure; they
// are answered alike.
func (c *conn) snd(ctx context.Context, r request) error {
	if err := c.invite(ctx, string(r.Arg(1)), ""); err != nil {
		return err
	}
	c.Reply("SND", r.trID, "OK")
	return nil
}

// sdcArgs are the parameters of SDC: address, locale, library, code base, two that mean nothing, name, length.
const sdcArgs = 9

// sdc mails an invitation with words of the user's: dialects 9.5.
func (c *conn) sdc(ctx context.Context, r request) error {
	if r.Len() < sdcArgs {
		return msnp.ErrFailed
	}
	if err := c.invite(ctx, string(r.Arg(1)), strings.ToValidUTF8(string(r.Payload), "\uFFFD")+"\n\n"); err != nil {
		return err
	}
	c.Reply("SDC", r.trID, "OK")
	return nil
}

// invite mails an invitation, with words before it.
func (c *conn) invite(ctx context.Context, to, words string) error {
	if !msnp.ValidHandle(to) || strings.HasPrefix(to, "-") {
		return msnp.ErrFailed
	}
	if c.s.Sendmail == "" {
		return msnp.ErrFailed
	}
	c.idle()
	c.Flush()
	ctx, cancel := context.WithTimeout(ctx, mailTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.s.Sendmail, "-i", "--", to)
	cmd.Stdin = strings.NewReader("To: " + to + "\nSubject: An invitation to chat\nContent-Type: text/plain; charset=UTF-8\n\n" +
		words + c.who.String() + " would like to chat with you.\nHow to: " + pageURL(c.s.PublicURL, "/") + "\n")
	if err := cmd.Run(); err != nil {
		c.s.Link.Log.Error("invitation not sent", "program", c.s.Sendmail, "err", err)
		return msnp.ErrFailed
	}
	return nil
}

// pag pages somebody's telephone: nobody has one that takes pages here. dialects 9.5
func (c *conn) pag(context.Context, request) error { return msnp.ErrNoPages }

// notExpected refuses what had its time in another dialect: dialects 9.5, 10.
func (c *conn) notExpected(context.Context, request) error { return msnp.ErrNotExpected }

// disabled refuses what a newer command took the place of, and what clients ask of servers that there are none of:
// dialects 4.7, 9.5. COMPAT MSN 7.0, 7.5: what GSB, LKP and LSN want is not known; they do without.
func (c *conn) disabled(context.Context, request) error { return msnp.ErrDisabled }
