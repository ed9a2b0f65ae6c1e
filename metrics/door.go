package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Result is how a command ended.
type Result uint8

// The results of a command.
const (
	CommandOK      Result = iota
	CommandRefused        // the client was answered with an error
	CommandFailed         // the fault is ours
	lastResult
)

var resultNames = [lastResult]string{"ok", "refused", "failed"}

func (r Result) String() string { return resultNames[r] }

// Login is how a login ended.
type Login uint8

// The outcomes of a login. Whether a name is known shows nowhere.
const (
	LoginOK      Login = iota
	LoginWrong         // name or password
	LoginLimited       // not tried: too many failures before it
	LoginFailed        // the fault is ours
	lastLogin
)

var loginNames = [lastLogin]string{"ok", "wrong", "limited", "failed"}

func (l Login) String() string { return loginNames[l] }

// Door counts for one door, whose name, verbs and states are closed sets.
type Door struct {
	m       *Metrics
	name    string
	seconds prometheus.Observer
	states  map[string]prometheus.Gauge
	verbs   map[string]*verbCells
	other   verbCells

	logins          [lastLogin]cell
	queue, presence cell
}

type verbCells [lastResult]cell

// Door gives the metrics of a door: its name as messages have it ("msnp"), the
// states its connections may be in, the verbs it knows. Parts of a door may each
// ask for their own; equal labels are one time series.
func (m *Metrics) Door(name string, states, verbs []string) *Door {
	d := &Door{
		m: m, name: name, seconds: m.seconds.WithLabelValues(name),
		states: map[string]prometheus.Gauge{}, verbs: map[string]*verbCells{},
	}
	for _, s := range states {
		d.states[s] = m.sessions.WithLabelValues(name, s)
	}
	for _, v := range verbs {
		d.verbs[v] = &verbCells{}
	}
	return d
}

// Command counts a command and the time its handler took. A verb that the door
// does not know is "other".
func (d *Door) Command(verb string, r Result, took time.Duration) {
	cells := d.verbs[verb]
	if cells == nil {
		cells, verb = &d.other, Other
	}
	cells[r].inc(func() prometheus.Counter { return d.m.commands.WithLabelValues(d.name, verb, r.String()) })
	d.seconds.Observe(took.Seconds())
}

// Enter counts a connection in a state.
func (d *Door) Enter(state string) { d.state(state).Inc() }

// Leave takes a connection out of the count of its state.
func (d *Door) Leave(state string) { d.state(state).Dec() }

// Move is Leave of one state and Enter of another.
func (d *Door) Move(from, to string) {
	d.Leave(from)
	d.Enter(to)
}

func (d *Door) state(name string) prometheus.Gauge {
	if g := d.states[name]; g != nil {
		return g
	}
	return d.m.sessions.WithLabelValues(d.name, Other)
}

// Login counts a login.
func (d *Door) Login(l Login) {
	d.logins[l].inc(func() prometheus.Counter { return d.m.logins.WithLabelValues(d.name, l.String()) })
}

// Overflow counts a session that is closed because it reads too slowly: its share
// for presence was full, or its whole queue. It has the form of
// listen.Limits.Overflow.
func (d *Door) Overflow(presence bool) {
	if presence {
		d.presence.inc(func() prometheus.Counter { return d.m.overflows.WithLabelValues(d.name, "presence") })
		return
	}
	d.queue.inc(func() prometheus.Counter { return d.m.overflows.WithLabelValues(d.name, "queue") })
}
