package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestMain lets the test binary stand in for parley: it takes accounts, and serves as the null servers do.
func TestMain(m *testing.M) {
	if relay := os.Getenv("BENCH_TEST_RELAY"); relay != "" && len(os.Args) > 1 {
		switch os.Args[1] {
		case "account":
			l, err := csv.NewReader(os.Stdin).ReadAll()
			if err != nil || len(l) == 0 || l[0][0] != "i0@parley.test" || l[0][1] != "secret" {
				fmt.Fprintln(os.Stderr, "bad accounts:", err, len(l))
				os.Exit(1)
			}
			os.Exit(0)
		case "serve":
			args := []string{filepath.Join(relay, "nullserver"), "-domain", domain}
			for _, a := range os.Args {
				switch scheme, at, _ := strings.Cut(a, "://"); scheme {
				case "msnp":
					args = []string{filepath.Join(relay, "nullrelay"), "-listen", at}
				case "passport":
					args = append(args, "-passport", at)
				case "xmpp":
					args = append(args, "-addr", at)
				case "xmpps":
					args = append(args, "-tls-addr", at)
				}
			}
			script := `"$0" "$@" & trap 'kill $!; exit 0' TERM; sleep 0.3; echo level=INFO msg=ready >&2; wait`
			err := syscall.Exec("/bin/sh", append([]string{"sh", "-c", script}, args...), os.Environ())
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

func TestBothServersAreMeasured(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("BENCH_TEST_RELAY", dir)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	more := map[string][]string{"login": {`"dialect":"MSNP2"`, `"dialect":"MSNP12"`, `"mode":"passport"`}}
	for only, null := range map[string]string{"login": nullRelay, "XMPP chat 50 TLS": nullServer} {
		if err := run(t.Context(), []string{"-parley", self, "-quick", "-rounds", "1", "-only", only, "-dir", dir, "-port", "28630"}); err != nil {
			t.Fatal(err)
		}
		raw, err := os.ReadFile(filepath.Join(dir, "results.jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range append(more[only], `"label":"`+null+`"`, `"label":"Parley"`) {
			if !bytes.Contains(raw, []byte(want)) {
				t.Errorf("no %s in %s", want, raw)
			}
		}
	}
}

func TestServerThatEndsAtOnce(t *testing.T) {
	s := &server{name: "Parley", addr: "127.0.0.1:28640", ready: "ready", args: []string{"/bin/sh", "-c", "echo data folder is locked >&2; exit 3"}}
	_, err := s.start(context.Background())
	if err == nil || !strings.Contains(err.Error(), "data folder is locked") || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("%v", err)
	}
}

func TestTable(t *testing.T) {
	r := &row{measure: full.measures()[0], values: map[string][]float64{"null relay": {3, 1, 2}, "Parley": {2.5, 2.5, 9}}}
	var b strings.Builder
	if err := table(&b, []*row{r}, 3, false); err != nil {
		t.Fatal(err)
	}
	want := "| chat 1 window 1 | CPU s per 1,000 messages | 2.00 (1.00-3.00) | 2.50 (2.50-9.00) | 1.25 | at most 1.3 times | yes |"
	if !strings.Contains(b.String(), want) {
		t.Errorf("want %s in\n%s", want, &b)
	}
	r.atLeast, r.ratio, r.limit = true, false, 3000
	if got := r.verdict(0, 2999); got != "**no**" {
		t.Error(got)
	}
}

// What is compared with MSNP2 brings it along.
func TestMSNP12BesideMSNP2(t *testing.T) {
	all := full.measures()
	var names []string
	var rows []*row
	for i, m := range all {
		if selected(all, m, "MSNP12 chat 50 ") {
			names = append(names, m.name)
			rows = append(rows, &row{measure: m, values: map[string][]float64{"Parley": {float64(i + 1)}}})
		}
	}
	if want := "chat 50 window 1, chat 50 window 8, MSNP12 chat 50 window 1, MSNP12 chat 50 window 8"; strings.Join(names, ", ") != want {
		t.Errorf("selected %q", names)
	}
	var b strings.Builder
	likes(&b, rows)
	if want := "| chat 50 window 1 | CPU s per 1,000 messages | 2.00 | 12.00 | 6.00 |"; !strings.Contains(b.String(), want) {
		t.Errorf("want %s in\n%s", want, &b)
	}
}

func TestPlansHaveTheirAccounts(t *testing.T) {
	for _, p := range []plan{full, small} {
		if p.accounts() < p.restFirst()+p.idle || p.accounts() > 25000 {
			t.Errorf("%d accounts for %+v", p.accounts(), p)
		}
	}
}

func TestDomainsAreFound(t *testing.T) {
	s := &server{xmpp: "127.0.0.1:1"}
	if got := strings.Join(s.across([]int{7}), " "); !strings.Contains(got, "-pid 7") || strings.Contains(got, "-peer") {
		t.Error(got)
	}
	s.far = &server{xmpp: "127.0.0.1:2"}
	if got := strings.Join(s.across([]int{8, 7}), " "); !strings.Contains(got, "-peer-addr 127.0.0.1:2 -peer-domain "+far+" -peer-pid 8") ||
		!strings.Contains(got, "-pid 7") {
		t.Error(got)
	}
	for _, m := range full.acrossMeasures() {
		if r := (&row{measure: m}); r.floor() != oneDomain {
			t.Errorf("%s is compared with %s", m.name, r.floor())
		}
	}
}
