package session

import (
	"context"
	"log/slog"
	"math"
	"net"
	"time"

	"parley/metrics"
	"parley/ssp/wire"
)

// filled is the configuration with all defaults in their places.
func (c Config) filled() Config {
	t, l := &c.Timers, &c.Limits
	for _, d := range []struct {
		field *time.Duration
		usual time.Duration
	}{
		{&t.Connect, 5 * time.Second}, {&t.Ack, 10 * time.Second},
		{&t.Latency, 2 * time.Second}, {&t.Processing, 8 * time.Second}, {&t.Offset, 5 * time.Second},
		{&t.Working, 2 * time.Minute}, {&t.Total, 10 * time.Minute},
		{&t.Step, 15 * time.Second}, {&t.Login, 45 * time.Second},
		{&t.Retry, 5 * time.Second}, {&t.RetryMost, 10 * time.Minute},
		{&t.Life, 24 * time.Hour}, {&t.Alive, 5 * time.Minute}, {&t.Grace, time.Second}, {&t.Idle, time.Minute},
		{&t.Remember, 10 * time.Minute}, {&t.Window, time.Minute}, {&t.Ban, 10 * time.Minute},
	} {
		if *d.field == 0 {
			*d.field = d.usual
		}
	}
	for _, d := range []struct {
		field *int
		usual int
	}{
		{&l.Body, wire.MaxBytes}, {&l.Repeats, 2}, {&l.Invalid, 3}, {&l.Unknown, 5}, {&l.Remember, 1024},
		{&l.Rate, 100}, {&l.Recipients, 1000}, {&l.Inbox, 1024}, {&l.Queue, 8192}, {&l.Failures, 5},
	} {
		if *d.field == 0 {
			*d.field = d.usual
		}
	}
	if l.Body < 0 {
		l.Body = math.MaxInt32
	}
	if c.Resolver == nil {
		c.Resolver = net.DefaultResolver
	}
	if c.Dial == nil {
		c.Dial = (&net.Dialer{}).DialContext
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Metrics == nil {
		c.Metrics = metrics.Discard().Door("ssp", States(), Verbs())
	}
	if c.Hit == nil {
		c.Hit = func(string) {}
	}
	if c.Up == nil {
		c.Up = func(*Link) {}
	}
	if c.Down == nil {
		c.Down = func(*Link, error) {}
	}
	if c.Rest == nil {
		c.Rest = func(*Run) {}
	}
	if c.Handle == nil {
		c.Handle = func(_ context.Context, r *Request) { r.Answer(wire.Status(wire.NotSupported, "")) }
	}
	return c
}

// validity is how long an answer may take, SSP 5.5.
func (t *Timers) validity() time.Duration { return t.Latency + t.Processing + t.Offset }

// over reports that n is beyond a limit; one below zero is none.
func over(n, limit int) bool { return limit >= 0 && n > limit }

// States are those that metrics count pairs of sessions in.
func States() []string { return []string{stateLogin, stateUp} }

const (
	stateLogin = "login"
	stateUp    = "up"
)

// Verbs are the primitives, as metrics count them.
func Verbs() []string {
	var l []string
	for _, p := range wire.Primitives() {
		l = append(l, p.Name)
	}
	return l
}
