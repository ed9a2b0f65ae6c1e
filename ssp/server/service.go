package server

import (
	"context"
	"errors"

	"parley/ssp"
	"parley/ssp/session"
	"parley/ssp/wire"
)

// serviceRows are those of SSP 7.
var serviceRows = []row{
	{"GetServiceRequest", (*Server).getService},
	{"ServiceList", (*Server).serviceIndication},
	{"ServiceNegotiation", (*Server).negotiate},
}

// getService tells what the peer may agree on with us: SSP 7.2.1, 7.2.2, 7.3.1.
func (s *Server) getService(_ *peer, r *session.Request) error {
	r.Answer(wire.New("ServiceList").Add(wire.Status(wire.Successful, ""), r.Link.Peer().Offers.Element()))
	return nil
}

// serviceIndication hears what the peer provides from now on, and asks for it: SSP 7.2.2, 7.3.2.
func (s *Server) serviceIndication(p *peer, r *session.Request) error {
	offered := ssp.ReadServices(r.Primitive.Child("Services"))
	r.Answer(nil)
	s.work.Go(func() { p.ask(s.ctx, r.Link, offered) }) // ends with the answer, or s.ctx
	return nil
}

// negotiate agrees on what the peer may ask for: SSP 7.2.3, 7.2.4, 7.3.3. A protocol other than ours is not agreed on.
func (s *Server) negotiate(_ *peer, r *session.Request) error {
	if sub := r.Primitive.Attr("subProtocol"); sub != "" && sub != "WV-SSP" {
		return wire.BadVersion
	}
	desired := ssp.ReadServices(r.Primitive.Child("Services"))
	agreed := r.Link.Peer().Offers.Agree(desired)
	_, theirs := r.Link.Agreed()
	r.Link.SetAgreed(agreed, theirs)
	code := wire.Successful
	if len(agreed) < len(desired) {
		code = wire.PartlySuccessful
	}
	r.Answer(wire.New("ServiceAgreement", "subProtocol", r.Primitive.Attr("subProtocol"), "timeToLive", r.Primitive.Attr("timeToLive")).Add(
		wire.Status(code, ""), agreed.Element()))
	return nil
}

// agree asks what the peer provides, and for as much of it as we want: SSP 7.3.1, 7.3.3. From one that knows no such
// transactions what was registered holds: ssp-syntax 5.5.
func (p *peer) agree(ctx context.Context, l *session.Link) {
	answer, err := l.Request(ctx, wire.New("GetServiceRequest").Add(p.s.meta(nobody)))
	if err != nil {
		if !unsupported(err) {
			p.s.log.Warn("a domain does not tell its services", "domain", p.domain, "err", err)
		}
		return
	}
	p.ask(ctx, l, ssp.ReadServices(answer.Child("Services")))
}

// ask asks for as much as we want of what is offered: SSP 7.3.3.
func (p *peer) ask(ctx context.Context, l *session.Link, offered ssp.Services) {
	want := l.Peer().Wants.Agree(offered)
	answer, err := l.Request(ctx, wire.New("ServiceNegotiation").Add(p.s.meta(nobody), want.Element()))
	if err != nil {
		p.s.log.Warn("services not agreed on", "domain", p.domain, "err", err)
		return
	}
	mine, _ := l.Agreed()
	l.SetAgreed(mine, want.Agree(ssp.ReadServices(answer.Child("Services"))))
}

// unsupported reports that a peer does not know a transaction.
func unsupported(err error) bool {
	return errors.Is(err, wire.NotSupported) || errors.Is(err, wire.NotImplemented)
}
