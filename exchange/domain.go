package exchange

import (
	"context"
	"fmt"
	"strings"
	"time"

	"parley/im"
	"parley/store"
)

// domainsSubject is where nodes tell each other that the register of domains changed.
const domainsSubject = "domains"

// PutDomain registers a domain, or changes what is registered: all but Secret and Proof, which stay when both are empty,
// and Added. ErrOpposite for a domain of ours, for a route that leads to no relay, and for a Service-ID that is another's;
// others are those of im.Domain.Normal, and that a domain which is reached itself has no password. All of them say what to do.
func (x *Exchange) PutDomain(ctx context.Context, d im.Domain) error {
	d, err := d.Normal()
	if err != nil {
		return err
	}
	if x.domains[d.Name] {
		return fmt.Errorf("%w: %s is one of our own domains", im.ErrOpposite, d.Name)
	}
	return x.store.Update(ctx, "put domain", func(tx *store.Tx) error {
		is := d
		was, found, err := tx.Domain(d.Name)
		if err != nil {
			return err
		}
		is.Added = time.Now()
		if found {
			is.Added = was.Added
		}
		if err := x.ownService(tx, is); err != nil {
			return err
		}
		if is.Route != "" {
			if err := x.mayRoute(tx, is); err != nil {
				return err
			}
			return tx.PutDomain(is)
		}
		if len(is.Secret) == 0 && len(is.Proof) == 0 {
			is.Secret, is.Proof = was.Secret, was.Proof
		}
		if len(is.Secret) == 0 {
			return fmt.Errorf("the domain %s has no password yet, and needs one", is.Name)
		}
		return tx.PutDomain(is)
	}, x.domainsChanged)
}

// ownService judges the Service-ID of a domain: by it alone is known who asks. SSP 3.3.
func (x *Exchange) ownService(tx *store.Tx, d im.Domain) error {
	all, err := tx.Domains()
	for _, o := range all {
		if o.Name != d.Name && o.Service == d.Service {
			return fmt.Errorf("%w: %s is the Service-ID of %s already", im.ErrOpposite, d.Service, o.Name)
		}
	}
	for own := range x.domains {
		if d.Service == im.ServiceScheme+own {
			return fmt.Errorf("%w: %s is our own Service-ID", im.ErrOpposite, d.Service)
		}
	}
	return err
}

// mayRoute judges the route of a domain: the relay is registered, and reached itself. So no routes make a ring.
// ssp-syntax 6.
func (x *Exchange) mayRoute(tx *store.Tx, d im.Domain) error {
	relay, found, err := tx.Domain(d.Route)
	switch {
	case err != nil:
		return err
	case !found:
		return fmt.Errorf("%w: the relay %s is not registered: add it first", im.ErrOpposite, d.Route)
	case relay.Route != "":
		return fmt.Errorf("%w: %s is no relay: it is reached through %s itself", im.ErrOpposite, d.Route, relay.Route)
	}
	through, err := behind(tx, d.Name)
	if err == nil && len(through) > 0 {
		err = fmt.Errorf("%w: %s is the relay for %s, and cannot be behind another", im.ErrOpposite, d.Name, strings.Join(through, ", "))
	}
	return err
}

// behind are the domains whose route leads through a relay.
func behind(tx *store.Tx, relay string) (names []string, err error) {
	all, err := tx.Domains()
	for _, d := range all {
		if d.Route == relay {
			names = append(names, d.Name)
		}
	}
	return names, err
}

// DeleteDomain takes a domain out of the register. ErrNotOnList when it is not there; ErrOpposite when routes lead through
// it.
func (x *Exchange) DeleteDomain(ctx context.Context, name string) error {
	return x.store.Update(ctx, "delete domain", func(tx *store.Tx) error {
		through, err := behind(tx, name)
		if err != nil {
			return err
		}
		if len(through) > 0 {
			return fmt.Errorf("%w: the way to %s leads through %s: remove that first, or give it another route",
				im.ErrOpposite, strings.Join(through, ", "), name)
		}
		was, err := tx.DeleteDomain(name)
		if err == nil && !was {
			err = im.ErrNotOnList
		}
		return err
	}, x.domainsChanged)
}

// LookupDomain gives what is registered of a domain; ErrNotOnList when nothing is.
func (x *Exchange) LookupDomain(ctx context.Context, name string) (d im.Domain, err error) {
	err = x.store.View(ctx, "domain", func(tx *store.Tx) (err error) {
		var found bool
		if d, found, err = tx.Domain(name); err == nil && !found {
			err = im.ErrNotOnList
		}
		return err
	})
	return d, err
}

// Domains are all that are registered, by name.
func (x *Exchange) Domains(ctx context.Context) (l []im.Domain, err error) {
	err = x.store.View(ctx, "domains", func(tx *store.Tx) error {
		l, err = tx.Domains()
		return err
	})
	return l, err
}

// OnDomains has f called after each change of the register, until stop: then Domains gives what is new. f must return at
// once, and must not change anything itself.
func (x *Exchange) OnDomains(f func()) (stop func(), err error) {
	return x.bus.Subscribe(domainsSubject, func(context.Context, any) { f() })
}

// domainsChanged tells every node. Called in commit order, by one goroutine.
func (x *Exchange) domainsChanged() {
	// Nobody may subscribe: then nothing connects to domains.
	_ = x.bus.Publish(x.ctx, domainsSubject, nil)
}
