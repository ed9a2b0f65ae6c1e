package main

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// underRace are the options of the race detector in the processes that tests start: without
// them each one waits a second at its end.
const underRace = "atexit_sleep_ms=0"

// TestMain puts the program itself in the path of all tests here, as parley.
func TestMain(m *testing.M) {
	os.Setenv("GORACE", underRace)
	testscript.Main(m, map[string]func(){"parley": func() { os.Exit(realMain()) }})
}
