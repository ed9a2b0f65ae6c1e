package main

import (
	"bufio"
	"bytes"
	"crypto/md5"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// fake listens and answers each line with reply(line); an empty answer hangs up.
func fake(t *testing.T, reply func(f []string) string) (addr string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				for sc := bufio.NewScanner(c); sc.Scan(); {
					s := reply(strings.Fields(sc.Text()))
					if s == "" {
						return
					}
					c.Write([]byte(s + "\r\n"))
				}
			}()
		}
	}()
	return l.Addr().String()
}

func TestLoginFollowsReferral(t *testing.T) {
	var source string
	ns := fake(t, func(f []string) string {
		switch f[0] {
		case "VER":
			return "VER " + f[1] + " MSNP2"
		case "INF":
			return "INF " + f[1] + " MD5"
		case "USR":
			if f[3] == "I" {
				return "USR " + f[1] + " MD5 S 123.456"
			}
			if f[4] != fmt.Sprintf("%x", md5.Sum([]byte("123.456secret"))) {
				return "911 " + f[1]
			}
			return "MSG Hotmail Hotmail 7\r\nabc\r\nde" + "USR " + f[1] + " OK a@b c"
		case "SYN":
			return strings.ReplaceAll("SYN # 3\r\nGTC # 3 A\r\nBLP # 3 AL\r\nLST # FL 3 1 2 x@y x\r\nLST # FL 3 2 2 z@y z\r\n"+
				"LST # AL 3 0 0\r\nLST # BL 3 0 0\r\nNLN NLN x@y x\r\nLST # RL 3 1 1 x@y x", "#", f[1])
		}
		return "CHG " + f[1] + " NLN"
	})
	ds := fake(t, func(f []string) string {
		if f[0] == "USR" {
			return "XFR " + f[1] + " NS " + ns
		}
		return f[0] + " " + f[1] + " " + strings.Join(append(f[2:], "MSNP2")[:1], "")
	})
	d := &dialer{timeout: 5 * time.Second, base: netip.MustParseAddr("127.0.1.1"), count: 3}
	s, err := login(d, ds, "MSNP2", account{"a@b", "secret"})
	if err != nil {
		t.Fatal(err)
	}
	if source, _, _ = net.SplitHostPort(s.LocalAddr().String()); !strings.HasPrefix(source, "127.0.1.") {
		t.Errorf("source address %s", source)
	}
	s.SetDeadline(time.Now().Add(5 * time.Second))
	n, err := s.syn()
	if err != nil || n != 3 {
		t.Errorf("syn: %d entries, %v", n, err)
	}
	if _, err := login(d, ds, "MSNP2", account{"a@b", "wrong"}); err == nil || !strings.Contains(err.Error(), "911") {
		t.Errorf("wrong password: %v", err)
	}
}

func TestOwns(t *testing.T) {
	addr := fake(t, func([]string) string { return "" })
	if err := owns([]int{os.Getpid()}, addr); err != nil {
		t.Error(err)
	}
	if owns([]int{1 << 30}, addr) == nil || owns([]int{os.Getpid()}, "127.0.0.1:1") == nil {
		t.Error("a stranger's socket passed as ours")
	}
}

func TestSampleSelf(t *testing.T) {
	if u := sample([]int{os.Getpid()}); u.RSS == 0 || u.Threads == 0 || u.Procs < 1 {
		t.Errorf("%+v", u)
	}
}

func TestAccountsGoThroughTheirFile(t *testing.T) {
	want := []account{{"u0@example.com", "secret"}, {"u1@example.com", `a "b", c`}}
	var b bytes.Buffer
	if err := writeAccounts(&b, want); err != nil {
		t.Fatal(err)
	}
	if got, err := readAccounts(&b); err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v", got, err)
	}
	got, err := readAccounts(strings.NewReader("# both forms\n\na@b secret\nc@d,other\n"))
	if err != nil || !slices.Equal(got, []account{{"a@b", "secret"}, {"c@d", "other"}}) {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := readAccounts(strings.NewReader("a@b\n")); err == nil {
		t.Error("a line without a password passed")
	}
}
