package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"parley/im"
	"parley/ssp"
	"parley/ssp/wire"
)

func setupDomainRequest(fs *flag.FlagSet) runner {
	var s settings
	s.placeFlags(fs)
	as := fs.String("as", "", "ask on behalf of the user `ADDRESS`, an account of ours (default: on behalf of our domain itself)")
	return func(ctx context.Context, e *env, args []string) error {
		ask, err := buildRequest(args[1], args[2:], *as)
		if err != nil {
			return usageError{err.Error()}
		}
		a, err := onDomain(ctx, e, &s, request{Act: "domain-request", Domain: args[0], Address: *as, Element: ask})
		if err != nil {
			return err
		}
		if a.Element != nil {
			writeElement(e.out, a.Element, "")
		}
		if a.Refusal != "" {
			return fmt.Errorf("%s refused it: %s", args[0], a.Refusal)
		}
		return nil
	}
}

// requestable are the primitives that a requestor begins a transaction with, in the order of the tables. SSP 5.
func requestable() (names []string) {
	for _, s := range wire.Primitives() {
		if begins(s.Name) {
			names = append(names, s.Name)
		}
	}
	return names
}

// begins says whether a requestor begins a transaction with a primitive.
func begins(primitive string) bool {
	return slices.ContainsFunc(wire.Starting(primitive), func(t *wire.Transaction) bool { return t.Steps[0].By == wire.Requestor })
}

// buildRequest makes a primitive of KEY=VALUE words, and judges it by the tables. The meta-information is made by who sends
// it, unless it is among the words.
func buildRequest(primitive string, words []string, as string) (*wire.Element, error) {
	if !begins(primitive) {
		return nil, noRequest(primitive)
	}
	e := wire.New(primitive)
	for _, kv := range words {
		key, value, ok := strings.Cut(kv, "=")
		if !ok {
			return nil, fmt.Errorf("%q: write it like UserID.userID=wv:bob@b.example", kv)
		}
		if err := e.Put(key, value); err != nil {
			return nil, err
		}
	}
	judged := *e
	if meta := e.Child("MetaInfo"); meta == nil {
		m := wire.Meta{Service: ssp.FormatService("parley.test")} // stands for what it will be
		if as != "" {
			who, err := im.ParseAddress(as)
			if err != nil || who.IsDomain() {
				return nil, fmt.Errorf("--as %s: it is no address of a user: write it like alice@parley.test", as)
			}
			m.Client, m.User = true, ssp.FormatUser(who)
		}
		if s, _ := wire.Lookup(primitive); slices.ContainsFunc(s.Fields, func(f wire.Field) bool { return f.Name == "MetaInfo" }) {
			judged.Kids = append([]*wire.Element{m.Element()}, e.Kids...)
		}
	}
	if fault := (&wire.Unit{Primitive: &judged}).Check(wire.WV10); fault != nil {
		return nil, fmt.Errorf("%s: %s; parley ssp schema shows what there is", strings.ReplaceAll(strings.ReplaceAll(fault.At, "/", "."), "@", "."), fault.What)
	}
	return e, nil
}

// noRequest says why nothing can be asked for by a primitive, and which one may be meant.
func noRequest(primitive string) error {
	if s, ok := wire.Lookup(primitive); ok {
		if len(wire.Starting(primitive)) > 0 {
			return fmt.Errorf("%s is sent by the provider of a service (%s), not by who asks for one", primitive, s.Section)
		}
		return fmt.Errorf("%s begins no transaction: it is an answer, or a later step", primitive)
	}
	var near []string
	for _, n := range requestable() {
		if strings.Contains(strings.ToLower(n), strings.TrimSuffix(strings.ToLower(primitive), "request")) {
			near = append(near, n)
		}
	}
	return fmt.Errorf("there is no primitive %q: there is %s", primitive, cmp.Or(strings.Join(near, ", "), strings.Join(requestable(), ", ")))
}

// writeElement prints an element like XML, a line for each, for people: nothing of it can do anything to a terminal.
func writeElement(w io.Writer, e *wire.Element, indent string) {
	fmt.Fprintf(w, "%s<%s", indent, plainText(e.Name))
	for _, a := range e.Attrs {
		fmt.Fprintf(w, ` %s="%s"`, plainText(a.Name), plainText(a.Value))
	}
	switch {
	case len(e.Kids) > 0:
		fmt.Fprintf(w, ">%s\n", plainText(e.Text))
		for _, k := range e.Kids {
			writeElement(w, k, indent+"  ")
		}
		fmt.Fprintf(w, "%s</%s>\n", indent, plainText(e.Name))
	case e.Text != "":
		fmt.Fprintf(w, ">%s</%s>\n", plainText(e.Text), plainText(e.Name))
	default:
		fmt.Fprintln(w, "/>")
	}
}

var escapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "\n", "&#10;", "\r", "&#13;", "\t", "&#9;")

func plainText(s string) string { return printable(escapes.Replace(s)) }
