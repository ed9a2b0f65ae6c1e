package main

import "strconv"

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
}

// chat is so many conversations with so many messages each way of one side.
type chat struct{ pairs, messages int }

var (
	full = plan{
		chats:    []chat{{1, 200000}, {50, 8000}, {500, 800}},
		watchers: 500, flips: 400, logins: 20000, idle: 18000, hold: "20s", contacts: 1000, syns: 500,
	}
	small = plan{
		chats:    []chat{{1, 20000}, {50, 400}, {100, 200}},
		watchers: 50, flips: 100, logins: 1000, idle: 500, hold: "4s", contacts: 100, syns: 50,
	}
)

// Accounts i0, i1, ... are shared out so that no measurement's lists weigh on another: the hub with the
// contacts of the roster, then the one of the fan-out, then those on nobody's list.
func (p plan) fanFirst() int  { return p.contacts + 1 }
func (p plan) restFirst() int { return p.fanFirst() + p.watchers + 1 }

// accounts is how many there must be.
func (p plan) accounts() int {
	n := max(p.idle, min(p.logins, 2000))
	for _, c := range p.chats {
		n = max(n, 2*c.pairs)
	}
	return p.restFirst() + n
}

// measure is one line of the table.
type measure struct {
	name       string
	unit       string
	key        string     // the number of msnpload's result that counts
	before     [][]string // runs of msnpload that come first, not measured
	args       []string   // the run that counts
	bar        string     // what is wanted
	limit      float64    // the number in bar
	ratio      bool       // limit is for Parley divided by null relay
	atLeast    bool       // more is better
	parleyOnly bool       // the null relay keeps no lists
	sockets    int        // most that one process holds
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
	return l
}
