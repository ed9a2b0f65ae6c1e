// Package clients knows the versions of MSN Messenger from 1.0 to 7.5, and of Windows Messenger 4: what each says of itself
// when it logs in, where it looks for its servers, and what has to be done so that it finds another one. It is data, for
// parley check --client and for the documents. dialects 12, 3.5
package clients

import (
	"fmt"
	"strconv"
	"strings"

	"parley/msnp"
)

// Login is how a version proves who its user is.
type Login int

// The ways of the versions, in the order in which they came.
const (
	MD5    Login = iota // within the connection: dialects 3.1
	Header              // a ticket got by HTTPS, with name and password in a header: dialects 3.3
	SOAP                // a ticket got by HTTPS, with a document: dialects 3.4
)

// String is the way in a few words.
func (l Login) String() string {
	switch l {
	case MD5:
		return "MD5, on port 1863"
	case Header:
		return "a Passport ticket, by a header of HTTPS"
	}
	return "a Passport ticket, by SOAP over HTTPS"
}

// Client is one version.
type Client struct {
	Version  string // short, as the flag --client takes it: "6.2"
	Name     string
	First    string // the oldest build of it that is known
	Last     string // the newest
	Windows  string // what it runs on at least
	Dialects []int  // that VER offers, the newest first; CVR0 stands behind them
	Login    Login
	Library  string // what CVR calls the program
	System   string // the system in CVR: "winnt 5.1"
	// Abilities is the number in CHG, from MSNP8 on: dialects 5.4.
	Abilities uint32
	// Product is the name under which it answers challenges: dialects 9.1. Empty before MSNP6.
	Product string
	// Registry is the key below HKEY_CURRENT_USER in which the value Server has the HOST:PORT of the notification server
	// where it was last; empty where it keeps none. dialects 3.5
	Registry string
	// Gateway says that it can do all by HTTP, where nothing else gets through: dialects 9.6.
	Gateway bool
	// Page says that it asks MsgrConfig what there is besides: dialects 3.5.
	Page bool
	// Remark is what is not sure about it; may be empty.
	Remark string
}

const (
	win98 = "win 4.10"
	winXP = "winnt 5.1"

	messengerService = `Software\Microsoft\MessengerService`
	msnMessenger     = `Software\Microsoft\MSNMessenger`

	msmsgs = "msmsgs@msnmsgr.com"
)

// All are the versions, the oldest first: dialects 12. The builds between two releases that nobody has any more are left
// out, as are betas.
var All = []Client{
	{Version: "1.0", Name: "MSN Messenger 1.0", First: "1.0.0863", Last: "1.0.0893", Windows: "95", Dialects: []int{2}, Library: "MSMSGS", System: win98,
		Registry: messengerService, Remark: "Its login box may insist on names that end in @hotmail.com: where it does, serve that domain, too."},
	{Version: "2.0", Name: "MSN Messenger 2.0", First: "2.0.0083", Last: "2.0.0085", Windows: "95", Dialects: []int{3, 2}, Library: "MSMSGS", System: win98,
		Registry: messengerService},
	{Version: "2.1", Name: "MSN Messenger 2.1", First: "2.1.1047", Last: "2.1.1047", Windows: "95", Dialects: []int{4, 3, 2}, Library: "MSMSGS", System: win98,
		Registry: messengerService},
	{Version: "2.2", Name: "MSN Messenger 2.2", First: "2.2.1053", Last: "2.2.1053", Windows: "95", Dialects: []int{4, 3, 2}, Library: "MSMSGS", System: win98,
		Registry: messengerService},
	{Version: "3.0", Name: "MSN Messenger 3.0", First: "3.0.0283", Last: "3.0.0286", Windows: "95", Dialects: []int{5, 4}, Library: "MSMSGS", System: win98,
		Registry: messengerService},
	{Version: "3.5", Name: "MSN Messenger 3.5", First: "3.5.0077", Last: "3.5.0077", Windows: "95", Dialects: []int{5, 4}, Library: "MSMSGS", System: win98,
		Registry: messengerService},
	{Version: "3.6.0026", Name: "MSN Messenger 3.6, early builds", First: "3.6.0024", Last: "3.6.0026", Windows: "95", Dialects: []int{5, 4}, Library: "MSMSGS",
		System: win98, Registry: messengerService},
	{Version: "3.6", Name: "MSN Messenger 3.6", First: "3.6.0038", Last: "3.6.0039", Windows: "95", Dialects: []int{6, 5, 4}, Library: "MSMSGS", System: win98,
		Product: msmsgs, Registry: messengerService},
	{Version: "4.5", Name: "MSN Messenger 4.5", First: "4.5.0121", Last: "4.5.0121", Windows: "95", Dialects: []int{7, 6, 5, 4}, Library: "MSMSGS", System: win98,
		Product: msmsgs, Registry: messengerService},
	{Version: "4.6", Name: "MSN Messenger 4.6", First: "4.6.0073", Last: "4.6.0083", Windows: "95", Dialects: []int{7, 6, 5, 4}, Library: "MSMSGS", System: win98,
		Product: msmsgs, Registry: messengerService, Gateway: true},
	{Version: "4.7", Name: "Windows Messenger 4.0 to 4.7", First: "4.0.0135", Last: "4.7.3000", Windows: "XP, which brings it along", Dialects: []int{7, 6, 5, 4},
		Library: "MSMSGS", System: winXP, Product: msmsgs, Registry: messengerService, Gateway: true,
		Remark: "Builds from 4.7.3001 on, and Windows Messenger 5, may log in by Passport, as MSN Messenger 5.0 does: that is not known for sure."},
	{Version: "5.0", Name: "MSN Messenger 5.0", First: "5.0.0515", Last: "5.0.0575", Windows: "98", Dialects: []int{8}, Login: Header, Library: "MSNMSGR",
		System: win98, Product: "PROD0038W!61ZTF9", Registry: msnMessenger, Gateway: true, Remark: "Betas up to 5.0.0340 may offer MSNP7 and log in by MD5."},
	{Version: "6.0", Name: "MSN Messenger 6.0", First: "6.0.0602", Last: "6.0.0602", Windows: "98", Dialects: []int{9, 8}, Login: Header, Library: "MSNMSGR",
		System: winXP, Abilities: 0x1000002C, Product: "PROD0038W!61ZTF9", Registry: msnMessenger, Gateway: true, Page: true},
	{Version: "6.1", Name: "MSN Messenger 6.1", First: "6.1.0155", Last: "6.1.0211", Windows: "98", Dialects: []int{10, 9}, Login: Header, Library: "MSNMSGR",
		System: winXP, Abilities: 0x2000002C, Product: "PROD0058#7IL2{QD", Registry: msnMessenger, Gateway: true, Page: true},
	{Version: "6.2", Name: "MSN Messenger 6.2", First: "6.2.0133", Last: "6.2.0208", Windows: "98", Dialects: []int{10, 9}, Login: Header, Library: "MSNMSGR",
		System: winXP, Abilities: 0x3000002C, Product: "PROD0061VRRZH@4F", Registry: msnMessenger, Gateway: true, Page: true},
	{Version: "7.0", Name: "MSN Messenger 7.0", First: "7.0.0777", Last: "7.0.0820", Windows: "98", Dialects: []int{11, 10, 9}, Login: Header, Library: "MSNMSGR",
		System: winXP, Abilities: 0x4000C06C, Product: "PROD0101{0RM?UBW", Gateway: true, Page: true},
	{Version: "7.5", Name: "MSN Messenger 7.5", First: "7.5.0160", Last: "7.5.0324", Windows: "XP", Dialects: []int{12, 11, 10}, Login: SOAP, Library: "MSNMSGR",
		System: winXP, Abilities: 0x5005C03C, Product: "PROD0104U6VVM{UJ", Gateway: true, Page: true,
		Remark: "Betas before 7.5.0160 log in as 7.0 does."},
}

// Find is the version that somebody means, by its short form, a whole name or a build ("6.2.0137"), and the build that is
// meant: the last one, if none was named. The error lists what there is.
func Find(s string) (c *Client, build string, err error) {
	want := strings.ToLower(strings.TrimSpace(s))
	for _, brand := range []string{"msn messenger ", "windows messenger "} {
		want = strings.TrimPrefix(want, brand)
	}
	for i := range All {
		if c := &All[i]; want == c.Version && strings.Count(want, ".") == 1 {
			return c, c.Last, nil
		}
	}
	for i := range All {
		c := &All[i]
		switch {
		case c.has(want, want):
			return c, want, nil
		case c.has(want+".9999", want+".0000"): // 4.0
			return c, c.Last, nil
		}
	}
	var l []string
	for _, c := range All {
		l = append(l, c.Version)
	}
	return nil, "", fmt.Errorf("no version of MSN Messenger that is known here is called %q: there is %s, or a whole build such as %s", s,
		strings.Join(l, ", "), All[0].Last)
}

// has reports whether builds from low to high touch those of the version.
func (c *Client) has(high, low string) bool {
	h, ok := number(high)
	l, ok2 := number(low)
	first, _ := number(c.First)
	last, _ := number(c.Last)
	return ok && ok2 && first <= h && l <= last
}

// number is a build as one number, by which they can be compared: its third part has four digits.
func number(s string) (n int, ok bool) {
	parts := strings.Split(s, ".")
	if len(parts) != 3 || len(parts[2]) != 4 {
		return 0, false
	}
	for _, p := range parts {
		x, err := strconv.ParseUint(p, 10, 16)
		if err != nil {
			return 0, false
		}
		n = n*100_000 + int(x)
	}
	return n, true
}

// Offers is what VER names, in its order: dialects 12.
func (c *Client) Offers() []string {
	var l []string
	for _, d := range c.Dialects {
		l = append(l, msnp.DialectName(d))
	}
	return append(l, "CVR0")
}

// CVR is what a build says of itself to a server that speaks a dialect, without the transaction ID: dialects 2.4.
func (c *Client) CVR(build string, dialect int, handle string) []string {
	l := append([]string{"0x0409"}, strings.Fields(c.System)...)
	l = append(l, "i386", c.Library, build)
	if dialect >= 4 {
		l = append(l, "MSMSGS")
	}
	if dialect >= 8 {
		l = append(l, handle)
	}
	return l
}
