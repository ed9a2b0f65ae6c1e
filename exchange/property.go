package exchange

import (
	"context"
	"encoding/json"
	"maps"

	"parley/im"
	"parley/store"
)

// Property is something that an account tells of itself to those who see it, such as a telephone number; Value is ""
// where it tells nothing.
type Property struct{ Name, Value string }

// Where the properties of an account are kept: in one note, which no door has.
const propertyDoor, propertyKey = "exchange", "properties"

// Bounds of what an account tells of itself, in bytes and in number.
const (
	maxProperty   = 1023
	maxProperties = 32
)

// SetProperty keeps a property of the account; "" takes it away. With tell, those who see the account are told of a new
// value: it counts in their serial, too. The same value again is a change of the account, as with SetName. ErrBadName
// for a name that is empty or, as a value, longer than 1,023 bytes, ErrListFull for one too many.
func (x *Exchange) SetProperty(ctx context.Context, by By, name, value string, tell bool) error {
	if name == "" || len(name) > maxProperty || len(value) > maxProperty {
		return im.ErrBadName
	}
	return x.setting(ctx, by, "property", func(tx *store.Tx, _ *im.Account) ([]*Change, error) {
		all, err := properties(tx, by.Who)
		if err != nil || all[name] == value {
			return nil, err
		}
		if all = maps.Clone(all); all == nil {
			all = map[string]string{}
		}
		if all[name] = value; value == "" {
			delete(all, name)
		}
		var body []byte
		if len(all) > maxProperties {
			return nil, im.ErrListFull
		} else if len(all) > 0 {
			if body, err = json.Marshal(all); err != nil {
				return nil, err
			}
		}
		if err := tx.PutNote(by.Who, propertyDoor, propertyKey, body); err != nil || !tell {
			return nil, err
		}
		return x.tellProperty(tx, by, &Property{name, value})
	})
}

// tellProperty gives the changes of those who see the account.
func (x *Exchange) tellProperty(tx *store.Tx, by By, p *Property) (cs []*Change, err error) {
	others, err := everyOther(tx, by.Who)
	if err != nil {
		return nil, err
	}
	for _, who := range others {
		if who == by.Who || !x.domains[who.Domain()] {
			continue
		}
		e, err := x.entry(tx, who, by.Who)
		if err != nil {
			return nil, err
		}
		if !e.Sees {
			continue
		}
		c := &Change{Of: who, Who: by.Who, By: by, Before: e, After: e, Property: p}
		if c.Serial, err = tx.NextSerial(who); err != nil {
			return nil, err
		}
		if c.Serial != 0 {
			cs = append(cs, c)
		}
	}
	return cs, nil
}

// properties are what is kept of somebody; nil: nothing.
func properties(tx *store.Tx, of im.Address) (map[string]string, error) {
	body, err := tx.Note(of, propertyDoor, propertyKey)
	if err != nil || body == nil {
		return nil, err
	}
	return readProperties(body)
}

func readProperties(body []byte) (all map[string]string, err error) {
	err = json.Unmarshal(body, &all)
	return all, err
}

// Properties are what accounts tell of themselves, by name; without those who tell nothing. Whether who asks may know
// is the caller's to judge (im.Entry.Sees).
func (x *Exchange) Properties(ctx context.Context, of ...im.Address) (all map[im.Address]map[string]string, err error) {
	err = x.store.View(ctx, "properties", func(tx *store.Tx) error {
		all = map[im.Address]map[string]string{}
		for _, who := range of {
			p, err := properties(tx, who)
			if err != nil {
				return err
			}
			if len(p) > 0 {
				all[who] = p
			}
		}
		return nil
	})
	return all, err
}

// PropertiesFor are the properties of an account and of those on its lists whom it sees (im.Entry.Sees), who may be
// thousands: they are read at once.
func (x *Exchange) PropertiesFor(ctx context.Context, s *Snapshot) (all map[im.Address]map[string]string, err error) {
	err = x.store.Glance(ctx, "properties", func(tx *store.Tx) error {
		notes, err := tx.NotesAround(s.ID, propertyDoor, propertyKey)
		all = make(map[im.Address]map[string]string, len(notes))
		for who, body := range notes {
			if err == nil && (who == s.Address || s.sees(who)) {
				all[who], err = readProperties(body)
			}
		}
		return err
	})
	return all, err
}

// sees reports whether somebody is on the account's lists, and seen by it.
func (s *Snapshot) sees(who im.Address) bool {
	e := s.Entry(who)
	return e != nil && e.Sees && e.Side.Listed()
}
