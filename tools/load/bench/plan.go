package main

import (
	"slices"
	"strconv"
)

// plan says how big the measurements are.
type plan struct {
	chats    []chat
	watchers int
	flips    int
	logins   int
	idle     int
	hold     string
	contacts int
	syns     int
	xmpp     xmppPlan
	across   chat // to another domain, sixteen under way

	passports int // logins over HTTPS
}

// xmppPlan is the part of the plan that xmppload measures.
type xmppPlan struct {
	chats, fast []chat // one and sixteen under way
	watchers    int
	flips       int
	logins      int
	idle        int
	hold        string
	contacts    int
	gets        int
}

// chat is so many conversations with so many messages each way of one side.
type chat struct{ pairs, messages int }

var (
	full = plan{
		chats:    []chat{{1, 200000}, {50, 8000}, {500, 800}},
		watchers: 500, flips: 400, logins: 20000, idle: 18000, hold: "20s", contacts: 1000, syns: 500, passports: 3000,
		xmpp: xmppPlan{
			chats: []chat{{1, 100000}, {50, 4000}, {500, 400}}, fast: []chat{{1, 200000}, {50, 8000}, {500, 800}},
			watchers: 500, flips: 400, logins: 2000, idle: 10000, hold: "20s", contacts: 1000, gets: 500,
		},
		across: chat{50, 4000},
	}
	small = plan{
		chats:    []chat{{1, 20000}, {50, 400}, {100, 200}},
		watchers: 50, flips: 100, logins: 1000, idle: 500, hold: "4s", contacts: 100, syns: 50, passports: 100,
		xmpp: xmppPlan{
			chats: []chat{{1, 5000}, {50, 200}, {100, 100}}, fast: []chat{{50, 400}},
			watchers: 50, flips: 50, logins: 200, idle: 500, hold: "4s", contacts: 100, gets: 50,
		},
		across: chat{50, 400},
	}
)

// Accounts i0, i1, ... are shared out so that no measurement's lists weigh on another: the hub with the
// contacts of the roster, then the one of the fan-out, then those on nobody's list.
func (p plan) fanFirst() int  { return p.contacts + 1 }
func (p plan) restFirst() int { return p.fanFirst() + p.watchers + 1 }

// xmppFirst is the first account of XMPP that has a list: the hub of its fan-out, whom the watchers follow, and then
// the one with the roster.
func (p plan) xmppFirst() int {
	n := max(p.idle, min(p.logins, 2000), p.xmpp.idle, xmppUsers)
	for _, l := range [][]chat{p.chats, p.xmpp.chats, p.xmpp.fast} {
		for _, c := range l {
			n = max(n, 2*c.pairs)
		}
	}
	return p.restFirst() + n
}

// accounts is how many there must be.
func (p plan) accounts() int { return p.xmppFirst() + p.xmpp.watchers + 2 }

// measure is one line of the table.
type measure struct {
	name       string
	xmpp       bool // by xmppload against the null server, not by msnpload against the null relay
	tls        bool // of XMPP: on the listener that begins with TLS
	unit       string
	key        string     // the number of the generator's result that counts
	before     [][]string // runs of the generator that come first, not measured
	args       []string   // the run that counts
	bar        string     // what is wanted
	limit      float64    // the number in bar; 0: none is wanted
	ratio      bool       // limit is for Parley divided by the null server
	atLeast    bool       // more is better
	parleyOnly bool       // the null servers keep no lists
	sockets    int        // most that one process holds
	across     bool       // to users of another domain, compared with words within one
	of         string     // the measure whose runs give this one, too
	like       string     // the measure of MSNP2 that this one is like
	ticket     bool       // by clients who log in with tickets
	passport   bool       // of the listener where tickets come from
}

// measures lists what is measured, in the order of the table.
func (p plan) measures() []measure {
	s := strconv.Itoa
	rest := []string{"-skip", s(p.restFirst())}
	var l []measure
	for _, window := range []int{1, 8} {
		for _, c := range p.chats {
			args := append([]string{"chat", "-pairs", s(c.pairs), "-messages", s(c.messages), "-window", s(window)}, rest...)
			l = append(l, measure{
				name: "chat " + s(c.pairs) + " window " + s(window), unit: "CPU s per 1,000 messages", key: "cpu_s_per_1000",
				args: args, bar: "at most 1.3 times", limit: 1.3, ratio: true, sockets: 4 * c.pairs,
			})
		}
	}
	fan := []string{"-skip", s(p.fanFirst()), "-watchers", s(p.watchers)}
	l = append(l,
		measure{
			name: "fan-out " + s(p.watchers), unit: "CPU s per 1,000 notifications", key: "cpu_s_per_1000",
			before: [][]string{append([]string{"befriend"}, fan...)},
			args:   append([]string{"fanout", "-flips", s(p.flips)}, fan...),
			bar:    "at most 1.5 times", limit: 1.5, ratio: true, sockets: p.watchers,
		},
		measure{
			name: "login", unit: "logins per CPU s", key: "logins_per_cpu_s",
			args: append([]string{"login", "-n", s(p.logins)}, rest...),
			bar:  "at least 3,000", limit: 3000, atLeast: true, sockets: 64,
		},
		measure{
			name: "idle " + s(p.idle), unit: "KB resident per session", key: "rss_kb_per_session",
			args: append([]string{"idle", "-n", s(p.idle), "-hold", p.hold}, rest...),
			bar:  "at most 6", limit: 6, sockets: p.idle,
		},
		measure{
			name: "SYN " + s(p.contacts) + " contacts", unit: "CPU ms per SYN", key: "cpu_ms_per_syn",
			before: [][]string{
				{"befriend", "-watchers", s(p.contacts)},
				{"roster", "-syns", "5"},
			},
			args: []string{"roster", "-syns", s(p.syns)},
			bar:  "under 1 ms", limit: 1, parleyOnly: true, sockets: 64,
		},
	)
	return slices.Concat(l, p.twnMeasures(l), p.xmppMeasures(), p.acrossMeasures())
}

// xmppUsers log in and out by turns.
const xmppUsers = 500

// xmppMeasures are those of xmppload.
func (p plan) xmppMeasures() []measure {
	s := strconv.Itoa
	x := p.xmpp
	rest := []string{"-from", s(p.restFirst()), "-mech", "PLAIN"}
	var l []measure
	talk := func(name string, c chat, window int, tls bool, limit float64, bar string) {
		l = append(l, measure{
			name: name, xmpp: true, tls: tls, unit: "CPU s per 1,000 messages", key: "cpu_s_per_1000_delivered",
			args: append([]string{"-mode", "chat", "-n", s(c.pairs), "-count", s(c.messages), "-window", s(window)}, rest...),
			bar:  bar, limit: limit, ratio: true, sockets: 2 * c.pairs,
		})
	}
	for _, c := range x.chats {
		if c.pairs == 1 {
			talk("XMPP chat 1", c, 1, false, 0, "-") // mostly the kernel's waking up and falling asleep
			continue
		}
		talk("XMPP chat "+s(c.pairs), c, 1, false, 1.5, "at most 1.5 times")
	}
	for _, c := range x.fast {
		if c.pairs == 1 {
			talk("XMPP chat 1 window 16", c, 16, false, 0, "-")
			continue
		}
		talk("XMPP chat "+s(c.pairs)+" window 16", c, 16, false, 1, "at most as much")
	}
	talk("XMPP chat "+s(x.chats[1].pairs)+" TLS", x.chats[1], 1, true, 1.6, "at most 1.6 times")
	for _, tls := range []bool{false, true} {
		m := measure{
			name: "XMPP idle " + s(x.idle), xmpp: true, tls: tls, unit: "KiB resident per session", key: "kb_per_session",
			args: append([]string{"-mode", "idle", "-n", s(x.idle), "-hold", x.hold}, rest...),
			bar:  "at most 8", limit: 8, sockets: x.idle,
		}
		if tls {
			m.name, m.bar, m.limit = m.name+" TLS", "at most 20", 20
		}
		l = append(l, m)
	}
	return append(l,
		measure{
			name: "XMPP fan-out " + s(x.watchers), xmpp: true, unit: "CPU s per 1,000 notifications", key: "cpu_s_per_1000_delivered",
			args: []string{"-mode", "fanout", "-n", s(x.watchers), "-count", s(x.flips), "-from", s(p.xmppFirst()), "-mech", "PLAIN"},
			bar:  "at most 1.7 times", limit: 1.7, ratio: true, sockets: x.watchers,
		},
		measure{
			name: "XMPP sign-on SCRAM TLS", xmpp: true, tls: true, unit: "CPU s per 1,000 logins", key: "cpu_s_per_1000_logins",
			args: []string{"-mode", "login", "-n", s(xmppUsers), "-count", s(x.logins), "-from", s(p.restFirst()), "-mech", "SCRAM-SHA-1"},
			bar:  "at most 2", limit: 2, parleyOnly: true, sockets: 64,
		},
		measure{
			name: "XMPP roster " + s(x.contacts), xmpp: true, unit: "CPU s per 1,000 gets", key: "cpu_s_per_1000_gets",
			before: [][]string{{"-mode", "roster", "-n", s(x.contacts), "-count", "5", "-from", s(p.accounts() - 1), "-mech", "PLAIN"}},
			args:   []string{"-mode", "roster", "-n", s(x.contacts), "-count", s(x.gets), "-from", s(p.accounts() - 1), "-mech", "PLAIN"},
			bar:    "at most 0.5", limit: 0.5, parleyOnly: true, sockets: 64,
		},
	)
}
