package wire

import "errors"

// Dialect is one of the two ways in which SSP is written. ssp-syntax 0.
type Dialect uint8

const (
	WV10  Dialect = iota // Wireless Village 1.0
	OMA13                // OMA IMPS 1.3, as the one public implementation speaks it
)

// dialects are what differs on the wire. ssp-syntax 0, 2.7.
var dialects = [...]struct{ name, space, presence, version, slash string }{
	WV10: {"wv10", "http://www.wireless-village.org/SSP1.0", "http://www.wireless-village.org/PA1.0", "1.0", "%2F"},
	OMA13: {"oma13", "http://www.openmobilealliance.org/DTD/WV-SSP1.3",
		"http://www.openmobilealliance.org/DTD/IMPS-PA1.3", "1.3", "/"},
}

// ErrDialect is of a name that no dialect has.
var ErrDialect = errors.New("not a dialect of SSP; write wv10 or oma13")

// ParseDialect reads a name: wv10 or oma13.
func ParseDialect(name string) (Dialect, error) {
	for d := range dialects {
		if dialects[d].name == name {
			return Dialect(d), nil
		}
	}
	return 0, ErrDialect
}

func (d Dialect) String() string { return dialects[d].name }

// Space is the namespace of a document.
func (d Dialect) Space() string { return dialects[d].space }

// PresenceSpace is the namespace of presence attributes, ssp-syntax 2.7.
func (d Dialect) PresenceSpace() string { return dialects[d].presence }

// Version is what SendSecretToken calls the protocol's version, ssp-syntax 5.1.
func (d Dialect) Version() string { return dialects[d].version }

// Slash is what divides user and resource in an address, ssp-syntax 4.1. Both are read in both dialects.
func (d Dialect) Slash() string { return dialects[d].slash }

// dialectOf is the dialect of a document's namespace; of one that nobody uses, WV10.
func dialectOf(space string) Dialect {
	for d := range dialects {
		if dialects[d].space == space {
			return Dialect(d)
		}
	}
	return WV10
}
