package metrics

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// get asks the handler of m and gives back status and body.
func get(t *testing.T, h http.Handler, path string) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", path, nil))
	return w.Code, w.Body.String()
}

// series are the lines of /metrics that are ours: name and labels -> value.
func series(t *testing.T, m *Metrics) map[string]string {
	t.Helper()
	code, body := get(t, m.Handler(nil), "/metrics")
	if code != 200 {
		t.Fatalf("/metrics: %d %s", code, body)
	}
	all := map[string]string{}
	for line := range strings.Lines(body) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok && strings.HasPrefix(line, "parley_") {
			all[name] = value
		}
	}
	return all
}

func TestWhatIsCountedIsServed(t *testing.T) {
	m := New()
	d := m.Door("msnp", []string{"half_open", "online"}, []string{"USR", "ADD"})
	again := m.Door("msnp", []string{"switchboard"}, []string{"USR", "MSG"})
	d.Enter("half_open")
	d.Enter("half_open")
	d.Move("half_open", "online")
	again.Enter("switchboard")
	again.Enter("switchboard")
	again.Leave("switchboard")
	d.Enter("nowhere")
	d.Command("USR", CommandOK, time.Millisecond)
	again.Command("USR", CommandOK, time.Millisecond)
	d.Command("USR", CommandRefused, time.Millisecond)
	d.Command("XYZ", CommandRefused, time.Millisecond)
	d.Command("ABC", CommandRefused, time.Millisecond)
	d.Command("ADD", CommandFailed, 2*time.Second)
	d.Login(LoginOK)
	d.Login(LoginWrong)
	d.Login(LoginLimited)
	d.Overflow(true)
	d.Overflow(false)
	d.Overflow(false)
	m.Message("msnp", "xmpp", Delivered)
	m.Message("msnp", "xmpp", Delivered)
	m.Message("xmpp", None, Stored)
	m.Message("icq", "", Refused)
	m.LimitHit("half_open")
	m.LimitHit("moon")
	m.StoreOp("watch").Observe(2 * time.Millisecond)
	m.StoreOp("watch").Since(time.Now())
	m.StoreGroup(3)
	got := series(t, m)
	for name, want := range map[string]string{
		`parley_sessions{door="msnp",state="half_open"}`:                   "1",
		`parley_sessions{door="msnp",state="online"}`:                      "1",
		`parley_sessions{door="msnp",state="switchboard"}`:                 "1",
		`parley_sessions{door="msnp",state="other"}`:                       "1",
		`parley_commands_total{door="msnp",result="ok",verb="USR"}`:        "2",
		`parley_commands_total{door="msnp",result="refused",verb="USR"}`:   "1",
		`parley_commands_total{door="msnp",result="refused",verb="other"}`: "2",
		`parley_commands_total{door="msnp",result="failed",verb="ADD"}`:    "1",
		`parley_command_seconds_count{door="msnp"}`:                        "6",
		`parley_command_seconds_bucket{door="msnp",le="0.001"}`:            "5",
		`parley_logins_total{door="msnp",outcome="ok"}`:                    "1",
		`parley_logins_total{door="msnp",outcome="wrong"}`:                 "1",
		`parley_logins_total{door="msnp",outcome="limited"}`:               "1",
		`parley_queue_overflows_total{door="msnp",kind="presence"}`:        "1",
		`parley_queue_overflows_total{door="msnp",kind="queue"}`:           "2",
		`parley_messages_total{from="msnp",outcome="delivered",to="xmpp"}`: "2",
		`parley_messages_total{from="xmpp",outcome="stored",to="none"}`:    "1",
		`parley_messages_total{from="other",outcome="refused",to="other"}`: "1",
		`parley_limit_hits_total{limit="half_open"}`:                       "1",
		`parley_limit_hits_total{limit="other"}`:                           "1",
		`parley_limit_hits_total{limit="line"}`:                            "0",
		`parley_store_seconds_count{op="watch"}`:                           "2",
		`parley_store_group_size_sum`:                                      "3",
	} {
		if got[name] != want {
			t.Errorf("%s is %q, want %s", name, got[name], want)
		}
	}
	for name := range got {
		if strings.Contains(name, "XYZ") || strings.Contains(name, "icq") || strings.Contains(name, "moon") {
			t.Errorf("%s: a label that is in no set", name)
		}
	}
	if !slices.ContainsFunc(slices.Collect(maps.Keys(got)), func(s string) bool { return strings.HasPrefix(s, "parley_build_info{go=") }) {
		t.Error("no parley_build_info")
	}
}

func TestRuntimeAndProcessAreServed(t *testing.T) {
	m := New()
	_, body := get(t, m.Handler(nil), "/metrics")
	for _, name := range []string{"go_goroutines ", "process_resident_memory_bytes ", "process_open_fds "} {
		if !strings.Contains(body, "\n"+name) {
			t.Errorf("no %s", name)
		}
	}
	for line := range strings.Lines(body) {
		if !strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "parley_") && !strings.HasPrefix(line, "go_") && !strings.HasPrefix(line, "process_") {
			t.Errorf("name without our prefix: %s", line)
		}
	}
}

func TestHealth(t *testing.T) {
	m := New()
	var notReady error
	h := m.Handler(func() error { return notReady })
	for _, c := range []struct {
		path string
		err  error
		code int
		body string
	}{
		{"/healthz", nil, 200, "ok\n"},
		{"/healthz", errors.New("store is closed"), 200, "ok\n"},
		{"/readyz", nil, 200, "ready\n"},
		{"/readyz", errors.New("store is closed"), 503, "not ready: store is closed\n"},
		{"/nothing", nil, 404, "404 page not found\n"},
	} {
		notReady = c.err
		if code, body := get(t, h, c.path); code != c.code || body != c.body {
			t.Errorf("%s with %v: %d %q, want %d %q", c.path, c.err, code, body, c.code, c.body)
		}
	}
	if code, _ := get(t, m.Handler(nil), "/readyz"); code != 200 {
		t.Errorf("/readyz with nobody to ask: %d", code)
	}
}

func TestDiscardCountsAndServesHealthOnly(t *testing.T) {
	m := Discard()
	d := m.Door("msnp", nil, nil)
	d.Command("USR", CommandOK, 0)
	d.Enter("x")
	m.Message("msnp", "msnp", Delivered)
	m.LimitHit("line")
	Timer{}.Since(time.Now())
	if code, _ := get(t, m.Handler(nil), "/metrics"); code != 404 {
		t.Errorf("/metrics: %d", code)
	}
	if code, _ := get(t, m.Handler(nil), "/healthz"); code != 200 {
		t.Errorf("/healthz: %d", code)
	}
}

func TestTwoServicesCountApart(t *testing.T) {
	a, b := New(), New()
	a.LimitHit("line")
	if v := series(t, b)[`parley_limit_hits_total{limit="line"}`]; v != "0" {
		t.Errorf("counted at the other: %s", v)
	}
}

func TestCountingAllocatesNothing(t *testing.T) {
	m := New()
	d := m.Door("msnp", []string{"a", "b"}, []string{"MSG"})
	count := func() {
		d.Command("MSG", CommandOK, time.Microsecond)
		d.Command("???", CommandRefused, time.Microsecond)
		d.Move("a", "b")
		d.Login(LoginOK)
		d.Overflow(true)
		m.Message("msnp", "msnp", Delivered)
		m.LimitHit("line")
	}
	if n := testing.AllocsPerRun(1000, count); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestCountingFromEverywhere(t *testing.T) {
	m := New()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			d := m.Door("msnp", nil, []string{"MSG"})
			for range 1000 {
				d.Command("MSG", CommandOK, 0)
				m.Message("msnp", "msnp", Delivered)
			}
		})
	}
	all.Wait()
	got := series(t, m)
	for _, name := range []string{`parley_commands_total{door="msnp",result="ok",verb="MSG"}`, `parley_messages_total{from="msnp",outcome="delivered",to="msnp"}`} {
		if got[name] != fmt.Sprint(8000) {
			t.Errorf("%s is %s", name, got[name])
		}
	}
}

func BenchmarkCommand(b *testing.B) {
	d := New().Door("msnp", nil, []string{"MSG"})
	for b.Loop() {
		d.Command("MSG", CommandOK, time.Microsecond)
	}
}

func BenchmarkMessage(b *testing.B) {
	m := New()
	for b.Loop() {
		m.Message("msnp", "msnp", Delivered)
	}
}
