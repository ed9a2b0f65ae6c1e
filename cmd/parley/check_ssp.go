package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"strings"
	"time"

	"parley/listen"
)

// takesPosts looks whether a listener for other domains answers: a document that is no message of SSP is refused with
// HTTP's 400. Whether the certificate is a good one, others judge. ssp-syntax 1.2, 1.3.
func takesPosts(ctx context.Context, u listen.URL) error {
	at := "http://" + u.Addr() + "/"
	if u.Scheme == "ssps" {
		at = "https://" + u.Addr() + "/"
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, at, strings.NewReader("<parley/>"))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/vnd.wv.ssp+xml")
	client := &http.Client{Timeout: patience, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true, TLSHandshakeTimeout: 5 * time.Second}}
	resp, err := client.Do(r)
	if err != nil {
		return fmt.Errorf("it does not answer: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusBadRequest {
		return fmt.Errorf("it answered %s to what is no message: is that another program?", resp.Status)
	}
	return nil
}
