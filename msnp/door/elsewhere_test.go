package door_test

import (
	"testing"

	"parley/exchange"
	"parley/im"
)

// TestChangesMadeElsewhere: what alice does by another door is shown to her MSN client, with
// transaction ID 0: draft 7.8, dialects 4.5.
func TestChangesMadeElsewhere(t *testing.T) {
	alice := exchange.By{Who: im.MustAddress("alice@example.com")}
	bob := im.MustAddress("bob@example.com")
	act := func(f func(*house, exchange.By) error) func(*house) error {
		return func(h *house) error { return f(h, alice) }
	}
	playWith(t, `# Lists and settings change by another door. Spec: draft 7.6, 7.8, 7.9; dialects 4.4, 4.5
@open alice NLN
@open bob NLN
@watch
alice S: ADD 0 FL ${*} bob@example.com Bobby
alice S: NLN NLN bob@example.com Bob
bob S: ADD 0 RL ${*} alice@example.com Alice
@admit
alice S: ADD 0 AL ${*} bob@example.com bob@example.com
@rename
alice S: REA 0 ${*} alice@example.com A
@close-doors
alice S: BLP 0 ${*} BL
@prompt
alice S: GTC 0 ${serial} N
alice C: LST 1 FL
alice S: LST 1 FL ${serial} 1 1 bob@example.com Bobby
@forget
alice S: REM 0 FL ${*} bob@example.com
bob S: REM 0 RL ${*} alice@example.com
@silence

# Somebody allowed is blocked by another door, and unblocked by this one in two steps. Spec: draft 5.7, 7.8; dialects 4.1, 4.5
@open alice NLN
@open bob NLN
bob C: ADD 1 FL alice@example.com Alice
bob S: ADD 1 FL ${*} alice@example.com Alice
bob S: ILN 1 NLN alice@example.com Alice
alice S: ADD 0 RL ${*} bob@example.com Bob
alice C: ADD 1 AL bob@example.com Bobby
alice S: ADD 1 AL ${*} bob@example.com Bobby
@block
alice S: REM 0 AL ${*} bob@example.com
alice S: ADD 0 BL ${*} bob@example.com bob@example.com
bob S: FLN alice@example.com
alice C: REM 2 BL bob@example.com
alice S: REM 2 BL ${*} bob@example.com
alice S: ADD 0 AL ${serial} bob@example.com Bobby
bob S: NLN NLN alice@example.com Alice
alice C: ADD 3 AL bob@example.com Bobby
alice S: ADD 3 AL ${serial} bob@example.com Bobby
alice C: ADD 4 AL bob@example.com Bobby
alice S: 215 4
@block
alice S: REM 0 AL ${*} bob@example.com
alice S: ADD 0 BL ${*} bob@example.com bob@example.com
bob S: FLN alice@example.com
alice C: REM 5 BL bob@example.com
alice S: REM 5 BL ${*} bob@example.com
alice S: ADD 0 AL ${*} bob@example.com Bobby
bob S: NLN NLN alice@example.com Alice
alice C: REM 6 AL bob@example.com
alice S: REM 6 AL ${*} bob@example.com
alice C: ADD 7 AL bob@example.com Bobby
alice S: ADD 7 AL ${*} bob@example.com Bobby
alice C: ADD 8 AL bob@example.com Bobby
alice S: 215 8
`, map[string]func(*house) error{
		"watch":       act(func(h *house, by exchange.By) error { return h.exchange.Watch(h.ctx, by, bob, "Bobby") }),
		"forget":      act(func(h *house, by exchange.By) error { return h.exchange.Forget(h.ctx, by, bob) }),
		"admit":       act(func(h *house, by exchange.By) error { return h.exchange.Admit(h.ctx, by, bob, "") }),
		"block":       act(func(h *house, by exchange.By) error { return h.exchange.Block(h.ctx, by, bob, "", false) }),
		"rename":      act(func(h *house, by exchange.By) error { return h.exchange.SetName(h.ctx, by, "A") }),
		"close-doors": act(func(h *house, by exchange.By) error { return h.exchange.SetDefaults(h.ctx, by, false) }),
		"prompt":      act(func(h *house, by exchange.By) error { return h.exchange.SetPrompt(h.ctx, by, false) }),
	})
}
