package main

import "testing"

func TestMemoryIsGivenBackAfterABurst(t *testing.T) {
	const mib = 1 << 20
	freed := 0
	var held, allocated int64 = 20 * mib, 0
	tidy := tidier{held: held, free: func() { freed++ }}
	look := func(grow, alloc int64) {
		held += grow
		allocated += alloc
		tidy.look(held, allocated)
	}
	for range 10 { // a burst: nothing is collected while it lasts
		look(10*mib, 12*mib)
	}
	if freed != 0 {
		t.Fatalf("collected %d times during the burst", freed)
	}
	for range 6 {
		look(0, 0)
	}
	if freed != tidyTimes {
		t.Errorf("collected %d times after it, want %d", freed, tidyTimes)
	}
	held = 30 * mib
	for range 60 { // a little traffic that the pacer handles
		look(0, mib/2)
	}
	if freed != tidyTimes {
		t.Errorf("collected %d times while nothing grew", freed-tidyTimes)
	}
	for range 30 { // slow growth counts too, once it is worth it
		look(mib, mib/2)
	}
	if n := freed - tidyTimes; n < tidyTimes || n > 3*tidyTimes {
		t.Errorf("collected %d times during slow growth", n)
	}
}

func TestMemoryNumbersAreThere(t *testing.T) {
	held, allocated := memory()
	if held < 1<<20 || allocated < 1<<10 {
		t.Errorf("held %d, allocated %d", held, allocated)
	}
}
