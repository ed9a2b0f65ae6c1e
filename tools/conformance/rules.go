package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
)

// judged is a specification whose rules must all be kept.
type judged struct {
	name, title string
	chapters    []string // whose sections count; nil: all
}

// judgedSpecs are the specifications that are looked at section by section, in the order of the page.
var judgedSpecs = []judged{
	{"draft", "MSN Messenger Service 1.0 Protocol (MSNP2), sections 5 to 8", []string{"5", "6", "7", "8"}},
	{"RFC 6120", "XMPP: Core", nil},
	{"RFC 6121", "XMPP: Instant Messaging and Presence", nil},
	{"RFC 3921", "XMPP: Instant Messaging and Presence, as it was first", nil},
	{"XEP-0012", "Last Activity", nil},
	{"XEP-0016", "Privacy Lists", nil},
	{"XEP-0030", "Service Discovery", nil},
	{"XEP-0045", "Multi-User Chat: conversations of three or more", nil},
	{"XEP-0049", "Private XML Storage", nil},
	{"XEP-0054", "vcard-temp", nil},
	{"XEP-0055", "Jabber Search", nil},
	{"XEP-0077", "In-Band Registration", nil},
	{"XEP-0085", "Chat State Notifications", nil},
	{"XEP-0092", "Software Version", nil},
	{"XEP-0115", "Entity Capabilities", nil},
	{"XEP-0153", "vCard-Based Avatars", nil},
	{"XEP-0157", "Contact Addresses for XMPP Services", nil},
	{"XEP-0160", "Best Practices for Handling Offline Messages", nil},
	{"XEP-0184", "Message Delivery Receipts", nil},
	{"XEP-0191", "Blocking Command", nil},
	{"XEP-0199", "XMPP Ping", nil},
	{"XEP-0202", "Entity Time", nil},
	{"XEP-0203", "Delayed Delivery", nil},
	{"XEP-0249", "Direct MUC Invitations", nil},
	{"XEP-0334", "Message Processing Hints", nil},
	{"XEP-0359", "Unique and Stable Stanza IDs", nil},
	{"XEP-0368", "SRV records for XMPP over TLS", nil},
	{"XEP-0440", "SASL Channel-Binding Type Capability", nil},
}

// lacks says why nobody is expected to keep a section.
type lacks struct {
	reason string
	as     []citation // the sections that say the same; nil: it has no rule for a server that is such a one
}

// exempt are the sections without a rule for the service, with those below them.
type exempt map[citation]lacks

// readExempt reads what testdata/norule.txt says: a citation, a tab, and the reason. A reason that begins
// with "as" and citations says that the rule is the one there. A file that is not there exempts nothing.
func readExempt(file string, all specs) (exempt, []string, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	e := exempt{}
	var problems []string
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		at := fmt.Sprintf("testdata/norule.txt:%d: ", n)
		where, reason, ok := strings.Cut(line, "\t")
		l, err := citeLine(where, all)
		if !ok || strings.TrimSpace(reason) == "" || err != nil {
			problems = append(problems, at+"write a citation, a tab, and why there is no rule")
			continue
		}
		why := lacks{reason: strings.TrimSpace(reason)}
		if same, ok := strings.CutPrefix(why.reason, "as "); ok {
			if why.as, err = citeLine(same, all); err != nil {
				problems = append(problems, at+err.Error())
			}
		}
		for _, c := range append(slices.Clone(l), why.as...) {
			if wrong := all.judge(c); wrong != "" {
				problems = append(problems, at+wrong)
			}
		}
		for _, c := range l {
			if _, double := e[c]; double {
				problems = append(problems, at+c.spec+" "+c.section+" stands there twice")
			}
			e[c] = why
		}
	}
	return e, problems, nil
}

// of finds why a section, or one that it is a part of, is exempt.
func (e exempt) of(c citation) (lacks, bool) {
	for {
		if why, ok := e[c]; ok {
			return why, true
		}
		i := strings.LastIndexByte(c.section, '.')
		if i < 0 {
			return lacks{}, false
		}
		c.section = c.section[:i]
	}
}

// served lists the sections of a specification that are no mere headings.
func (t *table) served(j judged) []section {
	s := t.specs[j.name]
	if s == nil {
		return nil
	}
	var l []section
	for _, x := range s.sections {
		first, _, _ := strings.Cut(x.number, ".")
		if (j.chapters == nil || slices.Contains(j.chapters, first)) && s.leaf(x.number) {
			l = append(l, x)
		}
	}
	return l
}

// empty lists the sections with a rule that no code or no play keeps, and exemptions of what is kept all the same.
func (t *table) empty() []string {
	var l []string
	for _, j := range judgedSpecs {
		for _, x := range t.served(j) {
			c := citation{j.name, x.number}
			why, free := t.exempt.of(c)
			switch {
			case free && why.as == nil:
				continue
			case free:
				for _, same := range why.as {
					if !t.kept(t.code, same) || !t.kept(t.plays, same) {
						l = append(l, fmt.Sprintf("%s %s (%s): it is kept as %s %s is, which no code or no play cites", c.spec, c.section, x.title, same.spec, same.section))
					}
				}
				continue
			}
			if len(t.code[c]) == 0 {
				l = append(l, fmt.Sprintf("%s %s (%s): no code cites it", c.spec, x.number, x.title))
			}
			if len(t.plays[c]) == 0 {
				l = append(l, fmt.Sprintf("%s %s (%s): no play cites it", c.spec, x.number, x.title))
			}
		}
	}
	return l
}

// kept says whether a section, or one below it, is cited.
func (t *table) kept(m map[citation][]use, c citation) bool {
	for other, l := range m {
		if len(l) > 0 && other.spec == c.spec && (other.section == c.section || strings.HasPrefix(other.section, c.section+".")) {
			return true
		}
	}
	return false
}
