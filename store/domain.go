package store

import (
	"slices"
	"strings"

	"parley/im"
)

// all stands for a list of services that is nil: all there is.
const all = "*"

// Domain is what is registered of a domain; false when nothing is.
func (t *Tx) Domain(name string) (d im.Domain, found bool, err error) {
	err = t.domains(domainOf, args{clean(name)}, func(one im.Domain) { d, found = one, true })
	return d, found, err
}

// Domains are all that are registered, by name.
func (t *Tx) Domains() (l []im.Domain, err error) {
	err = t.domains(allDomains, nil, func(d im.Domain) { l = append(l, d) })
	slices.SortFunc(l, func(a, b im.Domain) int { return strings.Compare(a.Name, b.Name) })
	return l, err
}

func (t *Tx) domains(query string, a args, row func(im.Domain)) error {
	var d im.Domain
	var offers, wants string
	var added int64
	return t.each(query, a, func() error {
		one := d
		one.Offers, one.Wants = servicesOf(offers), servicesOf(wants)
		one.Added = moment(added)
		one.Secret, one.Proof = slices.Clone(d.Secret), slices.Clone(d.Proof)
		row(one)
		return nil
	}, &d.Name, &d.URL, &d.Service, &d.Digest, &d.Dialect, &d.TLS, &offers, &wants, &d.Route, &d.Keep, &d.Connections, &added,
		&d.Secret, &d.Proof)
}

// PutDomain keeps what is registered of a domain, in the place of what was. It is kept as it is: im.Domain.Normal judges.
func (t *Tx) PutDomain(d im.Domain) error {
	_, err := t.do(putDomain, clean(d.Name), clean(d.URL), clean(d.Service), clean(d.Digest), clean(d.Dialect), clean(d.TLS),
		servicesText(d.Offers), servicesText(d.Wants), clean(d.Route), bit(d.Keep), int64(d.Connections), nanos(d.Added),
		bytes(d.Secret), bytes(d.Proof))
	return err
}

// DeleteDomain takes a domain out of the register, and says whether it was there.
func (t *Tx) DeleteDomain(name string) (was bool, err error) {
	n, err := t.do(deleteDomain, clean(name))
	return n > 0, err
}

func servicesText(l []string) string {
	if l == nil {
		return all
	}
	return clean(strings.Join(l, " "))
}

func servicesOf(s string) []string {
	if s == all {
		return nil
	}
	return append([]string{}, strings.Fields(s)...)
}
