package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"parley/credential"
	"parley/im"
	"parley/ssp/wire"
)

// sspDoor is the door to other domains, as the acts on them need it.
type sspDoor interface {
	// Test walks through the ten steps of a login, and tells how each of them went: SSP 6; ssp-syntax 5.1.
	Test(ctx context.Context, domain string, step func(n int, what string, err error)) error
	// Request asks a domain for something, on behalf of one of our users or, without one, of ourselves. An answer that is
	// a refusal comes with an error.
	Request(ctx context.Context, domain string, as im.Address, e *wire.Element) (*wire.Element, error)
	// Renew takes a change of the register, which it would learn of a moment later.
	Renew(ctx context.Context) error
}

// domainInfo is what is told of a domain.
type domainInfo struct {
	Name         string    `json:"name"`
	URL          string    `json:"url,omitempty"`
	Service      string    `json:"service_id"`
	Digest       string    `json:"digest,omitempty"`
	Dialect      string    `json:"dialect,omitempty"`
	TLS          string    `json:"tls,omitempty"`
	TwoPasswords bool      `json:"two_passwords"`
	Offers       []string  `json:"offers"` // ["all"] is all there are
	Wants        []string  `json:"wants"`
	Route        string    `json:"route,omitempty"`
	Keep         bool      `json:"keep"`
	Connections  int       `json:"connections,omitempty"`
	Added        time.Time `json:"added"`
}

func domainInfoOf(d im.Domain) domainInfo {
	services := func(l []string) []string {
		if l == nil {
			return []string{"all"}
		}
		return append([]string{}, l...)
	}
	return domainInfo{Name: d.Name, URL: d.URL, Service: d.Service, Digest: d.Digest, Dialect: d.Dialect, TLS: d.TLS,
		TwoPasswords: len(d.Proof) > 0, Offers: services(d.Offers), Wants: services(d.Wants), Route: d.Route, Keep: d.Keep,
		Connections: d.Connections, Added: d.Added}
}

// stepInfo is how a step of a login went.
type stepInfo struct {
	N      int    `json:"n"`
	What   string `json:"what"`
	Failed string `json:"failed,omitempty"`
}

// domain reads the name of a domain, and what is registered of it.
func (o *office) domain(ctx context.Context, name string) (im.Domain, error) {
	name, err := im.ParseDomain(name)
	if err != nil {
		return im.Domain{}, err
	}
	d, err := o.exchange.LookupDomain(ctx, name)
	return d, o.explainDomain(name, err)
}

func (o *office) explainDomain(name string, err error) error {
	if errors.Is(err, im.ErrNotOnList) {
		return fmt.Errorf("there is no domain %s: parley domain list shows all", name)
	}
	return err
}

// seal puts the passwords that were said into what is registered.
func (o *office) seal(d *im.Domain, r request) (err error) {
	if r.Password == "" && r.Proof == "" {
		return nil
	}
	if d.Secret, err = o.vault.SealShared(d.Name, credential.NewSecret(r.Password)); err != nil {
		return err
	}
	if d.Proof = nil; r.Proof != "" {
		d.Proof, err = o.vault.SealShared(d.Name, credential.NewSecret(r.Proof))
	}
	return err
}

// renewed has the door know a change of the register when the act that made it is over: what comes next may be a test.
func (o *office) renewed(ctx context.Context, err error) error {
	if err != nil || o.ssp == nil {
		return err
	}
	return o.ssp.Renew(ctx)
}

func (o *office) domainAdd(ctx context.Context, r request) (answer, error) {
	d := im.Domain{Name: r.Domain, Keep: true}
	err := sayOf(&d, r.Fields)
	if err == nil {
		d, err = d.Normal()
	}
	if err != nil {
		return answer{}, err
	}
	switch _, err := o.exchange.LookupDomain(ctx, d.Name); {
	case err == nil:
		return answer{}, fmt.Errorf("there is a domain %s already: parley domain set changes it, parley domain password its password", d.Name)
	case !errors.Is(err, im.ErrNotOnList):
		return answer{}, err
	}
	if err := o.seal(&d, r); err != nil {
		return answer{}, err
	}
	return answer{}, o.renewed(ctx, o.exchange.PutDomain(ctx, d))
}

func (o *office) domainSet(ctx context.Context, r request) (answer, error) {
	d, err := o.domain(ctx, r.Domain)
	if err != nil {
		return answer{}, err
	}
	was := d.Route
	if err := sayOf(&d, r.Fields); err != nil {
		return answer{}, err
	}
	if was != "" && d.Route == "" {
		return answer{}, fmt.Errorf("%s was reached through %s, and has no password: remove it, and add it again", d.Name, was)
	}
	return answer{}, o.renewed(ctx, o.exchange.PutDomain(ctx, d))
}

func (o *office) domainPassword(ctx context.Context, r request) (answer, error) {
	d, err := o.domain(ctx, r.Domain)
	if err != nil {
		return answer{}, err
	}
	if d.Route != "" {
		return answer{}, fmt.Errorf("%s is reached through %s, with whom the password is shared", d.Name, d.Route)
	}
	if err := o.seal(&d, r); err != nil {
		return answer{}, err
	}
	return answer{}, o.renewed(ctx, o.exchange.PutDomain(ctx, d))
}

func (o *office) domainRemove(ctx context.Context, r request) (answer, error) {
	name, err := im.ParseDomain(r.Domain)
	if err != nil {
		return answer{}, err
	}
	return answer{}, o.renewed(ctx, o.explainDomain(name, o.exchange.DeleteDomain(ctx, name)))
}

func (o *office) domainList(ctx context.Context, _ request) (a answer, err error) {
	all, err := o.exchange.Domains(ctx)
	for _, d := range all {
		a.Register = append(a.Register, domainInfoOf(d))
	}
	return a, err
}

func (o *office) domainShow(ctx context.Context, r request) (answer, error) {
	d, err := o.domain(ctx, r.Domain)
	return answer{Register: []domainInfo{domainInfoOf(d)}, Note: o.ourSide(d)}, err
}

// sspNeeded says how the door to other domains is opened.
const sspNeeded = "parley serve --listen ssps://:8421, or ssp://127.0.0.1:8420 on this machine alone, or the key listen"

// reach is the door to a domain that is registered.
func (o *office) reach(ctx context.Context, name string) (sspDoor, im.Domain, error) {
	d, err := o.domain(ctx, name)
	switch {
	case err != nil:
		return nil, d, err
	case !o.running:
		return nil, d, fmt.Errorf("the service does not run, and only a running one can log in to a domain: %s", sspNeeded)
	case o.ssp == nil:
		return nil, d, fmt.Errorf("the service has no listener for other domains, which answer there: %s", sspNeeded)
	}
	return o.ssp, d, nil
}

// testTime bounds a login that is tried; the door's own bounds are narrower. ssp-syntax 1.5.
const testTime = 90 * time.Second

func (o *office) domainTest(ctx context.Context, r request) (answer, error) {
	door, d, err := o.reach(ctx, r.Domain)
	if err == nil && d.Route != "" {
		err = fmt.Errorf("%s is reached through %s: parley domain test %[2]s", d.Name, d.Route)
	}
	if err != nil {
		return answer{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, testTime)
	defer cancel()
	var mu sync.Mutex // guards steps: who tells of a step may outlive the test
	var steps []stepInfo
	err = door.Test(ctx, d.Name, func(n int, what string, err error) {
		s := stepInfo{N: n, What: what}
		if err != nil {
			s.Failed = err.Error()
		}
		mu.Lock()
		defer mu.Unlock()
		steps = append(steps, s)
	})
	mu.Lock()
	defer mu.Unlock()
	a := answer{Steps: slices.SortedStableFunc(slices.Values(steps), func(a, b stepInfo) int { return a.N - b.N })} // what comes in answers crosses what we say
	if err != nil {
		a.Refusal = err.Error()
	}
	return a, nil
}

// askTime bounds a request; the door's own bounds are narrower. ssp-syntax 1.5.
const askTime = 11 * time.Minute

func (o *office) domainRequest(ctx context.Context, r request) (a answer, err error) {
	var as im.Address
	if r.Address != "" {
		if as, err = o.account(r.Address); err == nil {
			_, err = o.exchange.Identify(ctx, as)
			err = o.explain(as, err)
		}
		if err != nil {
			return a, err
		}
	}
	if r.Element == nil {
		return a, errors.New("the request is missing")
	}
	door, d, err := o.reach(ctx, r.Domain)
	if err != nil {
		return a, err
	}
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	a.Element, err = door.Request(ctx, d.Name, as, r.Element)
	if err != nil {
		if a.Refusal = err.Error(); a.Element == nil {
			return a, err
		}
	}
	return a, nil
}
