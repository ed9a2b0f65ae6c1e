package wire

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// onceError is of something that is there already, and can stand only once in what is around it.
type onceError struct{ at string }

func (o onceError) Error() string { return o.at + " can stand there only once" }

// Put gives a part of a primitive a value: the path is the names of elements, and of an attribute at its end, with dots
// between, as in "MessageInfo.contentType". What is on the way there is made. What stands there already is made once more,
// with what is around it, as far as the tables let it be repeated. An element with nothing in it has the value "". The
// error says what there is instead. ssp-syntax 2.6, 3.
func (e *Element) Put(path, value string) error {
	s, ok := Lookup(e.Name)
	if !ok {
		return fmt.Errorf("%s is no primitive", e.Name)
	}
	return s.put(e, s.Name, strings.Split(path, "."), value)
}

func (s *Structure) put(e *Element, at string, path []string, value string) error {
	if s.Open {
		return putOpen(e, at, path, value)
	}
	name, rest := path[0], path[1:]
	f := s.part(name)
	switch {
	case f == nil:
		return fmt.Errorf("%s has no %q: %s", at, name, s.parts())
	case f.of == nil && len(rest) > 0:
		return fmt.Errorf("%s.%s is a value, with nothing in it", at, name)
	case f.Attr:
		return f.putAttr(e, at, value)
	}
	at += "." + name
	last, once := e.last(name), f.Card == one || f.Card == maybe
	if len(rest) == 0 {
		switch {
		case f.of != nil && f.of.Text == "" && value != "":
			return fmt.Errorf("%s has no value of its own: %s", at, f.of.parts())
		case last != nil && f.of != nil && f.of.Text != "" && last.Text == "" && value != "":
			last.With(value)
			return nil
		case last != nil && once:
			return onceError{at}
		}
		e.Add(New(name).With(value))
		return nil
	}
	if last != nil {
		err := f.of.put(last, at, rest, value)
		if _, again := errors.AsType[onceError](err); !again || once {
			return err
		}
	}
	k := New(name)
	if err := f.of.put(k, at, rest, value); err != nil {
		return err
	}
	e.Add(k)
	return nil
}

func (f *Field) putAttr(e *Element, at, value string) error {
	switch {
	case value == "":
		return fmt.Errorf("%s.%s is an attribute, and needs a value", at, f.Name)
	case e.Attr(f.Name) != "":
		return onceError{at + "." + f.Name}
	}
	e.Set(f.Name, value)
	return nil
}

var openName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]*$`)

// putOpen is put where elements of another vocabulary stand.
func putOpen(e *Element, at string, path []string, value string) error {
	for ; len(path) > 0; path = path[1:] {
		if !openName.MatchString(path[0]) {
			return fmt.Errorf("%s: %q is no name of an element", at, path[0])
		}
		k := e.last(path[0])
		if k == nil || len(path) == 1 {
			k = New(path[0])
			e.Add(k)
		}
		e = k
	}
	e.With(value)
	return nil
}

// part is the field of a name; nil when there is none that is written under it.
func (s *Structure) part(name string) *Field {
	for i := range s.Fields {
		if f := &s.Fields[i]; f.Name == name && f.Twin == "" {
			return f
		}
	}
	return nil
}

// parts says what there is in a structure.
func (s *Structure) parts() string {
	var l []string
	for i := range s.Fields {
		if s.Fields[i].Twin == "" {
			l = append(l, s.Fields[i].Name)
		}
	}
	switch {
	case s.Open:
		return "there is any element"
	case len(l) == 0:
		return "there is nothing in it"
	}
	return "there is " + strings.Join(l, ", ")
}

// last is the last element of a name right inside.
func (e *Element) last(name string) *Element {
	for i := len(e.Kids) - 1; i >= 0; i-- {
		if e.Kids[i].Name == name {
			return e.Kids[i]
		}
	}
	return nil
}
