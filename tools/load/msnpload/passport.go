package main

import (
	"crypto/tls"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"
)

// madeUp is a ticket for a server that believes all.
const madeUp = "t=0&p=0"

func (t terms) ticket(a account) string {
	if t, ok := t.tickets[a.handle]; ok {
		return t
	}
	return madeUp
}

// handshakes is TLS as MSN Messenger shook hands on Windows XP: TLS 1.0, a key that RSA carries, 3DES, no name of a host.
func handshakes() *tls.Config {
	return &tls.Config{
		InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS10,
		CipherSuites: []uint16{tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA},
	}
}

// web makes an HTTP client for the passport address. keep: connections are used again.
func (c *config) web(keep bool) *http.Client {
	return &http.Client{Timeout: c.timeout, Transport: &http.Transport{
		Dial:            func(string, string) (net.Conn, error) { return c.d.dial(c.passport) },
		TLSClientConfig: handshakes(), DisableKeepAlives: !keep, MaxIdleConnsPerHost: c.conc,
	}}
}

// fetch logs in over HTTPS and returns the ticket.
func (c *config) fetch(h *http.Client, a account) (string, error) {
	r, err := http.NewRequest(http.MethodGet, "https://"+c.passport+"/login2.srf", nil)
	if err != nil {
		return "", err
	}
	r.Header.Set("Authorization", "Passport1.4 OrgVerb=GET,OrgURL=http%3A%2F%2Fmessenger%2Emsn%2Ecom,sign-in="+
		url.PathEscape(a.handle)+",pwd="+url.PathEscape(a.pass)+",lc=1033,id=507,tw=40,fs=1,ru=http%3A%2F%2Fmessenger%2Emsn%2Ecom,"+
		"ct=1726321960,kpp=1,kv=5,ver=2.1.0173.1,tpf=ed1c2f217a21c191c61251eb8b73bb60")
	answer, err := h.Do(r)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return "", err
	}
	_, from, ok := strings.Cut(answer.Header.Get("Authentication-Info"), "from-PP='")
	ticket, _, end := strings.Cut(from, "'")
	if answer.StatusCode != http.StatusOK || !ok || !end {
		return "", fmt.Errorf("%s: no ticket for %s", answer.Status, a.handle)
	}
	return ticket, nil
}

// fetchAll gets a ticket for each account, over connections that are used again.
func (c *config) fetchAll() (map[string]string, error) {
	if c.passport == "" {
		return nil, errors.New("tickets come from where -passport says")
	}
	h := c.web(true)
	defer h.CloseIdleConnections()
	all := make(map[string]string, len(c.users))
	var mu sync.Mutex // guards all
	failed := each(len(c.users), c.conc, func(i int) error {
		t, err := c.fetch(h, c.users[i])
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		all[c.users[i].handle] = t
		return nil
	})
	return all, failure(failed)
}

// printTickets prints what prepareTickets reads.
func (c *config) printTickets(w io.Writer) error {
	all, err := c.fetchAll()
	if err != nil {
		return err
	}
	var l []account
	for _, a := range c.users {
		l = append(l, account{a.handle, all[a.handle]})
	}
	return writeAccounts(w, l)
}

// prepareTickets sees to it that those who need a ticket have one: from a file, or else from where to log in.
func (c *config) prepareTickets(file string) (err error) {
	if file == "" {
		if c.passport != "" {
			c.terms.tickets, err = c.fetchAll()
		}
		return err
	}
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	c.terms.tickets = make(map[string]string, len(rows))
	for _, row := range rows {
		if len(row) != 2 {
			return fmt.Errorf("%s: want lines of an address and a ticket", file)
		}
		c.terms.tickets[row[0]] = row[1]
	}
	return nil
}

// runPassport: n logins over HTTPS, each over a connection of its own, as a client makes one when it starts.
func runPassport(c *config) (result, error) {
	if err := c.need(1); err != nil {
		return nil, err
	}
	if c.passport == "" {
		return nil, errors.New("mode passport needs -passport")
	}
	r := result{"logins": c.n, "concurrency": c.conc}
	lat := make([]time.Duration, c.n)
	h := c.web(false)
	sp := begin(c.pids)
	failed := each(c.n, c.conc, func(i int) error {
		t := time.Now()
		_, err := c.fetch(h, c.users[i%len(c.users)])
		lat[i] = time.Since(t)
		return err
	})
	wall, cpu := sp.end(c.pids, r)
	ok := float64(c.n - failed)
	r["failed"], r["logins_per_s"], r["cpu_ms_per_login"] = failed, round(ok/wall), round(cpu/ok*1e3)
	percentiles(lat, r)
	return r, failure(failed)
}
