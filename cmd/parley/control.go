package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"parley/metrics"
)

// The control socket is a unix socket in the data folder, which only its owner can reach.
// Over it the account commands talk to a running service: HTTP, one request as JSON.

// maxSocketPath is the longest path that every unix takes for a socket, in bytes.
const maxSocketPath = 100

// maxRequest is the most that a request may have, in bytes; an import sends pages.
const maxRequest = 4 << 20

// socketPath is the path of the control socket of a data folder. Where the folder's path is
// too long for a socket, Linux lets it be named by an open folder; release closes that.
func socketPath(dir string) (path string, release func(), err error) {
	path = filepath.Join(dir, socketFile)
	if len(path) <= maxSocketPath {
		return path, func() {}, nil
	}
	if runtime.GOOS != "linux" {
		return "", nil, fmt.Errorf("the path of the data folder is too long for the control socket in it (%d bytes, at most %d): choose a shorter one", len(path), maxSocketPath)
	}
	d, err := os.Open(dir)
	if err != nil {
		return "", nil, err
	}
	return fmt.Sprintf("/proc/self/fd/%d/%s", d.Fd(), socketFile), func() { d.Close() }, nil
}

// listenControl makes the control socket. One that a kill left is replaced: whoever holds
// the lock of the store is the only service of the folder.
func listenControl(dir string) (net.Listener, error) {
	path, release, err := socketPath(dir)
	if err != nil {
		return nil, fmt.Errorf("make the control socket: %w", err)
	}
	defer release()
	if err := os.Remove(filepath.Join(dir, socketFile)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("make the control socket: %w", err)
	}
	l, err := listenPrivate(path)
	if err != nil {
		return nil, fmt.Errorf("make the control socket: %w", err)
	}
	return removing{l, filepath.Join(dir, socketFile)}, nil
}

// removing takes the socket's name away when it is closed.
type removing struct {
	net.Listener
	path string
}

func (r removing) Close() error {
	os.Remove(r.path)
	return r.Listener.Close()
}

// controlHandler answers at the control socket.
func controlHandler(o *office) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /do", func(w http.ResponseWriter, r *http.Request) {
		var req request
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequest)).Decode(&req); err != nil {
			writeJSON(w, http.StatusBadRequest, refusal{fmt.Sprintf("the request cannot be read: %v", err)})
			return
		}
		a, err := o.do(r.Context(), req)
		if err != nil {
			writeJSON(w, http.StatusUnprocessableEntity, refusal{err.Error()})
			return
		}
		writeJSON(w, http.StatusOK, a)
	})
	return mux
}

// refusal is the answer when something went wrong.
type refusal struct {
	Error string `json:"error"`
}

func writeJSON(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	json.NewEncoder(w).Encode(v) // who asked may be gone, which is no matter of ours
}

// remote is the office of the process that serves.
type remote struct{ client *http.Client }

// dialControl finds the service that runs in a data folder; nil when none does.
func dialControl(ctx context.Context, dir string) (*remote, error) {
	dial := func(ctx context.Context) (net.Conn, error) {
		path, release, err := socketPath(dir)
		if err != nil {
			return nil, err
		}
		defer release()
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}
	c, err := dial(ctx)
	switch {
	case errors.Is(err, os.ErrPermission):
		return nil, fmt.Errorf("the service of %s belongs to another user: run this as that one", dir)
	case err != nil:
		return nil, nil // no socket, or nobody behind it
	}
	c.Close()
	return &remote{&http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) },
	}}}, nil
}

func (r *remote) Close() error {
	r.client.CloseIdleConnections()
	return nil
}

func (r *remote) do(ctx context.Context, req request) (a answer, err error) {
	body, err := json.Marshal(req)
	if err != nil {
		return a, err
	}
	h, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://parley/do", bytes.NewReader(body))
	if err != nil {
		return a, err
	}
	resp, err := r.client.Do(h)
	if err != nil {
		return a, fmt.Errorf("the service stopped answering: %w", err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return a, fmt.Errorf("the service stopped answering: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		var bad refusal
		if json.Unmarshal(b, &bad) != nil || bad.Error == "" {
			return a, fmt.Errorf("the service answered %s: is it of another version?", resp.Status)
		}
		return a, errors.New(bad.Error)
	}
	return a, json.Unmarshal(b, &a)
}

// openDesk finds who does the acts for a data folder: the service that runs, or this process
// with the store. When another command has the store just now, it waits for it a while.
//
// Without a configuration nothing says which domains are ours while no service runs, so those
// that are given are.
func openDesk(ctx context.Context, e *env, s *settings, domains ...string) (desk, error) {
	cfg, file, err := s.load()
	if err != nil {
		return nil, err
	}
	var guests []string
	for _, d := range domains {
		if file == "" && !slices.Contains(cfg.AllDomains(), d) {
			cfg.Domains = append(cfg.Domains, d)
			guests = append(guests, d)
		}
	}
	if _, err := os.Stat(cfg.Data); err != nil && file == "" && s.data == "" {
		return nil, fmt.Errorf("there is no data folder %s: name it with --data DIR, or make one with parley quickstart or parley serve", cfg.Data)
	}
	log := slog.New(slog.NewTextHandler(e.err, &slog.HandlerOptions{Level: slog.LevelWarn}))
	patience := time.NewTimer(10 * time.Second)
	defer patience.Stop()
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for {
		r, err := dialControl(ctx, cfg.Data)
		if err != nil {
			return nil, err
		}
		if r != nil {
			return r, nil
		}
		h, err := openHouse(ctx, cfg, metrics.Discard(), log)
		if err == nil {
			return &office{house: h, guests: guests}, nil
		}
		if !inUse(err) {
			return nil, err
		}
		select {
		case <-again.C:
		case <-patience.C:
			return nil, err
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// noteGuests says which domains of new accounts nothing is configured for.
func noteGuests(e *env, d desk) {
	if o, ok := d.(*office); ok {
		for _, g := range o.guests {
			fmt.Fprintf(e.err, "parley: note: the service must be told to serve %s: parley serve --domain %s, or the keys domain and domains\n", g, g)
		}
	}
}
