package wire

import "math/bits"

// Check judges a primitive by its table: what must be there and is not, what must not be there and is, what is not of
// its type. The code is 405 for an unknown primitive, 536 for anything wrong in the meta-information, 402 for a value
// or for something out of place, 400 for something missing, but 402 for a request without any target. nil when all is
// well. ssp-syntax 1.4, 9; SSP 14.3.1, 14.3.3, 14.3.6, 14.4.16.
func (u *Unit) Check(d Dialect) *Fault {
	if u.Primitive == nil {
		return &Fault{Code: NotSupported, What: "not a primitive that is known"}
	}
	s := u.read
	if s == nil || s.Name != u.Primitive.Name {
		s = all.primitives[u.Primitive.Name]
	}
	if s == nil {
		return &Fault{Code: NotSupported, At: u.Primitive.Name, What: "not a primitive"}
	}
	j := judge{d, u.Response}
	if j.fits(s, place{u.Primitive, nil, u.Response}) {
		return nil
	}
	fault := j.structure(s, place{u.Primitive, nil, u.Response})
	if fault != nil {
		fault.At = s.Name + fault.At
	}
	return fault
}

// fits says whether a structure is as structure wants it, sooner, when what stands in it stands in the table's order; false
// when it is not so, or that cannot be told: structure has the last word. It goes through what is there, not through the
// table, where most is not.
func (j judge) fits(s *Structure, p place) bool {
	if s.Text != "" && (!s.Text.fits(p.e.Text) || !p.e.decodes()) {
		return false
	}
	if s.Open {
		return true
	}
	var there fields
	i := 0 // in the table, up to which all was looked for
	for n := range p.e.Attrs {
		a := &p.e.Attrs[n]
		for i < s.attrs && s.Fields[i].Name != a.Name {
			i++
		}
		if i == s.attrs || a.Value == "" || !s.Fields[i].Type.fits(a.Value) {
			return false
		}
		there |= 1 << i
		i++
	}
	i = s.attrs
	for _, k := range p.e.Kids {
		for i < len(s.Fields) && s.Fields[i].Name != k.Name {
			i++
		}
		if i == len(s.Fields) {
			return false
		}
		switch f := &s.Fields[i]; {
		case f.Twin != "", there&(1<<i) != 0 && (f.Card == one || f.Card == maybe):
			return false
		case f.of == &anything:
		case f.of != nil:
			if !j.fits(f.of, place{k, p.e, j.response}) {
				return false
			}
		case !f.Type.fits(k.Text):
			return false
		}
		there |= 1 << i
	}
	if s.must&^there != 0 {
		return false
	}
	for rest := s.when; rest != 0; rest &= rest - 1 {
		i := bits.TrailingZeros64(uint64(rest))
		must, may := s.Fields[i].When.test(p)
		if here := there&(1<<i) != 0; !here && must || here && !may {
			return false
		}
	}
	return true
}

type judge struct {
	dialect  Dialect
	response bool
}

// structure judges a structure; a fault's place is told from here on.
func (j judge) structure(s *Structure, p place) *Fault {
	if s.Text != "" && !s.Text.fits(p.e.Text) {
		return &Fault{Code: BadParameter, What: "not a value of type " + string(s.Text)}
	}
	if s.Text != "" && !p.e.decodes() {
		return &Fault{Code: BadParameter, What: "not base64, as its encoding says"}
	}
	for i := range s.Fields {
		f := &s.Fields[i]
		if f.Twin != "" {
			continue
		}
		if fault := j.field(f, p); fault != nil {
			sign := "/"
			if f.Attr {
				sign = "@"
			}
			fault.At = sign + f.Name + fault.At
			if metaInfo(f, s) {
				fault.Code = UnknownTransaction
			}
			return fault
		}
	}
	return nil
}

// metaInfo says whether a field is the meta-information, or a part of it.
func metaInfo(f *Field, s *Structure) bool {
	return f.Type == "MetaInfo" || s.Name == "MetaInfo" || s.Name == "Requestor"
}

// field judges a field; a fault's place is told from inside of it.
func (j judge) field(f *Field, p place) *Fault {
	n := 0
	if f.Attr && p.e.Attr(f.Name) != "" {
		n = 1
	} else if !f.Attr {
		for _, k := range p.e.Kids {
			if k.Name == f.Name {
				n++
			}
		}
	}
	must := f.Card == one || f.Card == some
	may := true
	code := BadRequest
	if f.When != nil {
		must, may = f.When.test(p)
		if f.When.code != 0 {
			code = f.When.code
		}
	}
	if f.Lax && j.dialect == OMA13 {
		must = false
	}
	switch {
	case n == 0 && must:
		return &Fault{Code: code, What: "missing" + f.because()}
	case n > 0 && !may:
		return &Fault{Code: BadParameter, What: "out of place" + f.because()}
	case n > 1 && (f.Card == one || f.Card == maybe):
		return &Fault{Code: BadRequest, What: "more than once"}
	}
	if f.Attr {
		if n > 0 && !f.Type.fits(p.e.Attr(f.Name)) {
			return &Fault{Code: BadParameter, What: "not a value of type " + string(f.Type)}
		}
		return nil
	}
	for _, k := range p.e.Kids {
		switch {
		case k.Name != f.Name:
		case f.of == &anything:
		case f.of != nil:
			if fault := j.structure(f.of, place{k, p.e, j.response}); fault != nil {
				return fault
			}
		case !f.Type.fits(k.Text):
			return &Fault{Code: BadParameter, What: "not a value of type " + string(f.Type)}
		}
	}
	return nil
}

// because is the field's condition, for people.
func (f *Field) because() string {
	if f.When == nil {
		return ""
	}
	return ": it stands there if " + f.When.name
}
