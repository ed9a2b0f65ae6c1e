package server

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"parley/im"
)

func TestPrints(t *testing.T) {
	a, b := im.MustAddress("a@x.example"), im.MustAddress("b@y.example")
	var s prints
	for i := range 5000 {
		k := printOf(strconv.Itoa(i), a, b)
		if s.has(k) {
			t.Fatal(i, "is there before it was added")
		}
		s.add(k)
		if s.has(printOf(strconv.Itoa(i), b, a)) {
			t.Fatal(i, "is there the other way round")
		}
	}
	for i := range 5000 {
		if !s.has(printOf(strconv.Itoa(i), a, b)) {
			t.Fatal(i, "is not there any more")
		}
	}
	if s.n != 5000 {
		t.Error(s.n, "are there")
	}
}

// TestArrivals: what comes again is settled as it was the first time, and forgotten in the end. ssp-syntax 6.
func TestArrivals(t *testing.T) {
	a, b := im.MustAddress("a@x.example"), im.MustAddress("b@y.example")
	p, now := &peer{}, time.Now()
	var told []error
	comes := func(first bool) print {
		t.Helper()
		came, ok := p.arrives(now, "1", a, b, func(err error) { told = append(told, err) })
		if ok != first {
			t.Fatalf("first: %t", ok)
		}
		return came
	}
	lost := errors.New("lost")
	came := comes(true)
	comes(false)
	comes(false)
	if len(told) > 0 {
		t.Fatal("told before anybody knows", told)
	}
	p.arrived(came, lost)
	if len(told) != 2 || told[0] != lost || told[1] != lost {
		t.Fatal(told)
	}
	told = nil
	came = comes(true) // it was not taken
	p.arrived(came, nil)
	if len(told) > 0 {
		t.Fatal(told)
	}
	for range 2 {
		comes(false)
		now = now.Add(comesAgain + time.Second)
	}
	if len(told) != 2 || told[0] != nil || told[1] != nil {
		t.Fatal(told)
	}
	if _, first := p.arrives(now, "", a, b, nil); !first {
		t.Error("a message without an ID came again")
	}
	comes(true)
}
