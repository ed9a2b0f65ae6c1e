package transcript

import (
	"fmt"
	"maps"
	"net"
	"strings"
)

// Door is how the clients of one protocol are played.
type Door struct {
	Dial    Dial
	Options Options
}

// Doors lets the clients of several protocols play in one script. A connection is opened with the name of its door
// before the rest of where it goes:
//
//	@open alice msnp NLN
//	@open bob xmpp online
//
// A connection that is opened without one is of the main door, or of that of the connection whose name it has before
// its first dot: after the above alice.sb is of msnp. Codecs are those of the doors. Functions and directives of all
// doors are known, also as door.function and door-directive; where two have one of the same name, the short name is
// the main door's. Everything else of the options is the main door's, too.
func Doors(main string, doors map[string]Door) (Dial, Options) {
	m := &mixed{main: main, doors: doors, of: map[string]string{}}
	o := doors[main].Options
	o.Codecs = m.codec
	o.Funcs = map[string]func(conn, value string) (string, error){}
	o.Directives = map[string]func(args []string) error{}
	for name, d := range doors {
		for k, f := range d.Options.Funcs {
			o.Funcs[k], o.Funcs[name+"."+k] = f, f
		}
		for k, f := range d.Options.Directives {
			o.Directives[k], o.Directives[name+"-"+k] = f, f
		}
	}
	maps.Copy(o.Funcs, doors[main].Options.Funcs)
	maps.Copy(o.Directives, doors[main].Options.Directives)
	return m.dial, o
}

// mixed remembers whose connections are whose. It belongs to the goroutine that plays.
type mixed struct {
	main  string
	doors map[string]Door
	of    map[string]string // a connection's door
}

func (m *mixed) dial(name, where string) (net.Conn, error) {
	first, rest, _ := strings.Cut(where, " ")
	door, ok := first, true
	if _, ok = m.doors[first]; !ok {
		owner, _, _ := strings.Cut(name, ".")
		if door, ok = m.of[owner]; !ok {
			door = m.main
		}
		rest = where
	}
	d, ok := m.doors[door]
	if !ok {
		return nil, fmt.Errorf("there is no door %q", door)
	}
	m.of[name] = door
	return d.Dial(name, strings.TrimSpace(rest))
}

func (m *mixed) codec(name string) Codec {
	o := m.doors[m.of[name]].Options
	if o.Codecs != nil {
		if c := o.Codecs(name); c != nil {
			return c
		}
	}
	if o.Codec == nil {
		return Lines{}
	}
	return o.Codec
}
