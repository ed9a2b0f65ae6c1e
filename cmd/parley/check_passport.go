package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 4096

// namesLogin asks where to log in, as clients do first: dialects 3.3. Who vouches for the certificate is not asked: that
// is between the operator and the machines of users.
func namesLogin(ctx context.Context, addr string) error {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+addr+"/rdr/pprdr.asp", nil)
	if err != nil {
		return err
	}
	answer, err := client.Do(r)
	if err != nil {
		return fmt.Errorf("%w: see the service's log, and the keys listen and msnp.passport_tls", err)
	}
	defer answer.Body.Close()
	if !strings.Contains(answer.Header.Get("PassportURLs"), "DALogin=") {
		return errors.New("it does not say where to log in: does another program listen there?")
	}
	return nil
}

// tunnels begins a session over HTTP, and ends it: dialects 9.6.
func tunnels(ctx context.Context, addr string) error {
	post := func(query, words string) (session, answer string, err error) {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+addr+"/gateway/gateway.dll?"+query, strings.NewReader(words))
		if err != nil {
			return "", "", err
		}
		reply, err := http.DefaultClient.Do(r)
		if err != nil {
			return "", "", fmt.Errorf("%w: see the service's log, and the key listen", err)
		}
		defer reply.Body.Close()
		b, err := io.ReadAll(io.LimitReader(reply.Body, maxAnswer))
		session, _, _ = strings.Cut(reply.Header.Get("X-MSN-Messenger"), ";")
		return session, string(b), err
	}
	session, answer, err := post("Action=open&Server=NS&IP=messenger.hotmail.com", "VER 1 MSNP2\r\n")
	switch {
	case err != nil:
		return err
	case !strings.HasPrefix(session, "SessionID="):
		return errors.New("no session begins: does another program listen there?")
	}
	_, _, err = post(session, "OUT\r\n")
	if err == nil && !strings.HasPrefix(answer, "VER 1 ") {
		err = fmt.Errorf("the server behind it says %q: the listeners need msnp:// or msnp-notification:// too", answer)
	}
	return err
}
