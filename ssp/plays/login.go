package plays

import (
	"crypto/md5"
	"errors"
	"fmt"
	"net/http"
	"time"

	"parley/ssp"
	"parley/ssp/wire"
	"parley/xmltext"
)

// playersToken is the player's token in a domain's login of this number: one is good for one login only.
func playersToken(n int) string { return fmt.Sprintf("%032x", n) }

// login walks through the ten steps: SSP 6.1.1; ssp-syntax 5.1. agreed has the service find and agree on all services:
// SSP 7.3.
func (q *peer) login(agreed bool) error {
	q.logins++
	id := fmt.Sprint("login", q.logins)
	own := fmt.Sprintf("%d@%s", q.logins, q.name)
	service := ssp.FormatService(q.name)
	say := func(response bool, id string, e *wire.Element) error {
		return q.say(&wire.Message{Setup: true, Units: []wire.Unit{{Response: response, ID: id, Primitive: e}}})
	}
	if err := say(false, id, wire.New("SendSecretToken", "serviceID", service, "protocol", "WV-SSP", "protocolVersion", "1.0").Add(
		wire.New("SecretToken").With(playersToken(q.logins)))); err != nil {
		return err
	}
	u, _, err := q.hear("SendSecretToken")
	if err != nil {
		return err
	}
	q.token = u.Primitive.Child("SecretToken").String()
	if err := say(false, u.ID, wire.New("LoginRequest", "serviceID", service, "timeToLive", "86400").Add(
		wire.New("PasswordDigest", "encoding", wire.Base64).With(digest(md5.New, q.token)))); err != nil {
		return err
	}
	if u, _, err = q.hear("LoginRequest"); err != nil {
		return err
	}
	if got := u.Primitive.Child("PasswordDigest").String(); got != digest(md5.New, playersToken(q.logins)) {
		return fmt.Errorf("the service's digest is %s", got)
	}
	if u, _, err = q.hear("LoginResponse"); err != nil {
		return err
	}
	if code := wire.StatusOf(u.Primitive); code != wire.Successful {
		return fmt.Errorf("the service refuses the login: %s", code)
	}
	q.session = u.Primitive.Attr("sessionID")
	if err := say(false, id, wire.New("LoginResponse", "sessionID", own, "timeToLive", "86400").Add(wire.Status(wire.Successful, ""))); err != nil || !agreed {
		return err
	}
	answer := func(u *wire.Unit, e *wire.Element) error {
		return q.say(&wire.Message{Session: own, Units: []wire.Unit{{Response: true, ID: u.ID, Primitive: e}}})
	}
	if u, _, err = q.hear("GetServiceRequest"); err != nil {
		return err
	}
	if err := answer(u, wire.New("ServiceList").Add(wire.Status(wire.Successful, ""), ssp.AllServices().Element())); err != nil {
		return err
	}
	if u, _, err = q.hear("ServiceNegotiation"); err != nil {
		return err
	}
	return answer(u, wire.New("ServiceAgreement").Add(wire.Status(wire.Successful, ""), ssp.ReadServices(u.Primitive.Child("Services")).Element()))
}

// inUse waits until the service sends requests over the session: it asks once more for the services.
func (q *peer) inUse() error {
	answered := make(chan error, 1)
	q.work.Go(func() { // ends when a request was answered, or nobody has heard one for long
		again := time.NewTicker(5 * time.Millisecond)
		defer again.Stop()
		for end := time.Now().Add(patience); ; <-again.C {
			answer, refusal, err := q.service.Ask(q.name, "", wire.New("GetServiceRequest"))
			if answer != nil || time.Now().After(end) {
				answered <- errors.Join(err, refused(answer, refusal))
				return
			}
		}
	})
	var more [][]byte // for the script
	defer func() { q.unheard(more) }()
	var m *wire.Message
	var u *wire.Unit
	for u == nil {
		b, err := q.next()
		if err != nil {
			return err
		}
		if m, err = wire.Decode(b, xmltext.Limits{}); err != nil {
			return err
		}
		if p := m.Units[0].Primitive; p != nil && p.Name == "GetServiceRequest" {
			u = &m.Units[0]
		} else {
			more = append(more, b)
		}
	}
	if err := q.say(&wire.Message{Session: m.Session, Units: []wire.Unit{{Response: true, ID: u.ID,
		Primitive: wire.New("ServiceList").Add(wire.Status(wire.Successful, ""), ssp.AllServices().Element())}}}); err != nil {
		return err
	}
	return <-answered
}

func refused(answer *wire.Element, why string) error {
	if answer == nil {
		return errors.New(why)
	}
	return nil
}

// say posts a document of the player's own.
func (q *peer) say(m *wire.Message) error {
	b, err := m.Append(nil)
	if err != nil {
		return err
	}
	if status, _ := q.post(http.MethodPost, mediaType, b); status != http.StatusOK {
		return fmt.Errorf("%s is answered by HTTP with %d", m.Units[0].Primitive.Name, status)
	}
	return nil
}

// hear is the next document, which must be this.
func (q *peer) hear(primitive string) (*wire.Unit, *wire.Message, error) {
	b, err := q.next()
	if err != nil {
		return nil, nil, fmt.Errorf("no %s: %w", primitive, err)
	}
	m, err := wire.Decode(b, xmltext.Limits{})
	if err != nil {
		return nil, nil, err
	}
	if u := &m.Units[0]; u.Primitive != nil && u.Primitive.Name == primitive {
		return u, m, nil
	}
	return nil, nil, errors.Join(fmt.Errorf("no %s, but %s", primitive, b))
}
