// Package metrics counts what the service does, for Prometheus. Labels come from
// closed sets: a value that is not in its set counts as "other", so that nothing
// a stranger sends becomes a time series. A label set is resolved once; counting
// takes no lock and allocates nothing.
//
// A Metrics has its own registry and may be used by anybody at once. Its names
// begin with parley_, except those of the Go runtime and the process (go_,
// process_), which every dashboard knows.
package metrics

import (
	"runtime"
	"runtime/debug"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// Other stands for a label value that is not in its closed set.
const Other = "other"

// Limits are the labels of parley_limit_hits_total: the last words of the keys
// below [limits], and of those keys of the doors that bound something.
var Limits = []string{
	"contacts", "watchers", "groups",
	"connections", "half_open", "half_open_per_network",
	"login_time", "login_failures", "login_failures_per_network", "login_window",
	"line", "payload", "queue", "presence_queue", "commands_per_second", "bytes_per_second",
	"conversation", "conversations", "waiting", "waiting_bytes", "waiting_age",
	"request_text", "requests", "accounts_cached",
	"sessions", "stanza", "stanza_depth", "stanza_attributes", "stanza_nodes",
	"rooms", "rooms_joined", "room_members", "room_users", "room_history",
	"note", "notes", "rules", "rule_lists", "directed",
	"ring", "idle", "misplaced", "login_tries", "renames", "failed_calls",
	"registrations_per_network", "ping_timeout",
	Other,
}

// Metrics holds every metric of one service.
type Metrics struct {
	registry *prometheus.Registry // nil: nobody reads

	sessions  *prometheus.GaugeVec
	commands  *prometheus.CounterVec
	seconds   *prometheus.HistogramVec
	logins    *prometheus.CounterVec
	overflows *prometheus.CounterVec
	storeOps  *prometheus.HistogramVec
	storeSize prometheus.Histogram

	messageVec *prometheus.CounterVec
	messages   messages

	limitVec *prometheus.CounterVec
	limits   map[string]prometheus.Counter // by every name in Limits
}

// New makes the metrics of a service, on a registry of their own, with those of
// the Go runtime and the process.
func New() *Metrics {
	m := Discard()
	m.registry = prometheus.NewRegistry()
	m.registry.MustRegister(m.sessions, m.commands, m.seconds, m.logins, m.overflows, m.messageVec, m.limitVec, m.storeOps, m.storeSize)
	m.registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		buildInfo(),
	)
	return m
}

// Discard makes metrics that count where nobody reads: for tests, and where
// metrics are turned off.
func Discard() *Metrics {
	m := &Metrics{
		sessions:   gaugeVec("parley_sessions", "Connections that are open, by door and state.", "door", "state"),
		commands:   counterVec("parley_commands_total", "Commands read, by door, verb and result: ok, refused (the client was answered with an error) or failed (the fault is ours).", "door", "verb", "result"),
		seconds:    histogramVec("parley_command_seconds", "Time from a command read to its handler's end.", commandBuckets, "door"),
		logins:     counterVec("parley_logins_total", "Logins, by door and outcome: ok, wrong (name or password), limited (not tried, too many failures) or failed (the fault is ours).", "door", "outcome"),
		overflows:  counterVec("parley_queue_overflows_total", "Sessions closed because they read too slowly, by door and what overflowed: queue or presence.", "door", "kind"),
		storeOps:   histogramVec("parley_store_seconds", "Time of an operation of the store, the wait for its group included.", storeBuckets, "op"),
		messageVec: counterVec("parley_messages_total", "Messages by the door they came from, the door of the receiver, and the outcome, once for each receiver.", "from", "to", "outcome"),
		limitVec:   counterVec("parley_limit_hits_total", "Times that a limit was met, by its key in the configuration.", "limit"),
		limits:     map[string]prometheus.Counter{},
		storeSize: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "parley_store_group_size", Help: "Changes that were committed together.",
			Buckets: prometheus.ExponentialBuckets(1, 2, 12),
		}),
	}
	for _, l := range Limits {
		m.limits[l] = m.limitVec.WithLabelValues(l)
	}
	return m
}

// Buckets in seconds: commands from 10 us to 10 s, the store from 50 us to 10 s.
var (
	commandBuckets = []float64{1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3, 1, 10}
	storeBuckets   = []float64{5e-5, 1e-4, 3e-4, 1e-3, 2e-3, 5e-3, 0.01, 0.03, 0.1, 0.3, 1, 10}
)

func counterVec(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
}

func gaugeVec(name, help string, labels ...string) *prometheus.GaugeVec {
	return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
}

func histogramVec(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, labels)
}

// LimitHit counts that a limit was met. The name is one of [Limits].
func (m *Metrics) LimitHit(limit string) {
	c := m.limits[limit]
	if c == nil {
		c = m.limits[Other]
	}
	c.Inc()
}

// StoreOp is the timer of one operation of the store. It is asked for once, when
// the store is opened, by a name written in its code.
func (m *Metrics) StoreOp(op string) Timer { return Timer{m.storeOps.WithLabelValues(op)} }

// StoreGroup counts a commit of so many changes.
func (m *Metrics) StoreGroup(changes int) { m.storeSize.Observe(float64(changes)) }

// Timer observes how long things take. The zero Timer observes nothing.
type Timer struct{ o prometheus.Observer }

// Since observes the time since start.
func (t Timer) Since(start time.Time) { t.Observe(time.Since(start)) }

// Observe observes a length of time.
func (t Timer) Observe(d time.Duration) {
	if t.o != nil {
		t.o.Observe(d.Seconds())
	}
}

// Version is the version, the revision and the Go of this binary, as far as the
// build wrote them down; "unknown" otherwise.
func Version() (version, revision, goVersion string) {
	version, revision, goVersion = "unknown", "unknown", runtime.Version()
	if b, ok := debug.ReadBuildInfo(); ok {
		if b.Main.Version != "" {
			version = b.Main.Version
		}
		for _, s := range b.Settings {
			if s.Key == "vcs.revision" {
				revision = s.Value
			}
		}
	}
	return version, revision, goVersion
}

func buildInfo() prometheus.Collector {
	version, revision, goVersion := Version()
	g := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "parley_build_info", Help: "Always 1; the labels say what is running.",
		ConstLabels: prometheus.Labels{"version": version, "revision": revision, "go": goVersion},
	})
	g.Set(1)
	return g
}
