package store

import (
	"testing"

	"parley/im"
)

func testDomains(t *testing.T, s *Store) {
	b := im.Domain{Name: "b.example", URL: "https://im.b.example:8421/", Service: "wv:@b.example", Digest: "sha", Dialect: "wv10", TLS: "verify",
		Keep: true, Connections: 7, Added: epoch, Secret: []byte{0, 1, 255}, Proof: []byte{2}}
	a := im.Domain{Name: "a.example", Service: "wv:@a.example", Route: "b.example", Offers: []string{"IMFeature", "IMFeature/PushMsg"}, Wants: []string{}}
	s.view(t, func(tx *Tx) error {
		l, err := tx.Domains()
		equal(t, "no domains", l, []im.Domain(nil))
		_, found, err2 := tx.Domain("b.example")
		if err == nil {
			err = err2
		}
		if found {
			t.Error("a domain that nobody registered is there")
		}
		return err
	})
	s.update(t, func(tx *Tx) error {
		if err := tx.PutDomain(b); err != nil {
			return err
		}
		return tx.PutDomain(a)
	})
	s.view(t, func(tx *Tx) error {
		l, err := tx.Domains()
		equal(t, "both, by name", l, []im.Domain{a, b})
		if l[0].Wants == nil || l[1].Offers != nil {
			t.Errorf("nothing and all are mixed up: %#v, %#v", l[0].Wants, l[1].Offers)
		}
		got, found, err2 := tx.Domain("b.example")
		equal(t, "one", got, b)
		if err == nil {
			err = err2
		}
		if !found {
			t.Error("it is not found")
		}
		return err
	})
	b.URL, b.Secret, b.Keep, b.Wants = "", []byte{3}, false, []string{"IMFeature"}
	s.update(t, func(tx *Tx) error { return tx.PutDomain(b) })
	s.view(t, func(tx *Tx) error {
		got, _, err := tx.Domain("b.example")
		equal(t, "the changed one", got, b)
		return err
	})
	s.update(t, func(tx *Tx) error {
		for _, want := range []bool{true, false} {
			if was, err := tx.DeleteDomain("b.example"); err != nil || was != want {
				t.Errorf("deleted: %v, %v, want %v", was, err, want)
			}
		}
		return nil
	})
	s.view(t, func(tx *Tx) error {
		l, err := tx.Domains()
		equal(t, "what is left", l, []im.Domain{a})
		return err
	})
}
