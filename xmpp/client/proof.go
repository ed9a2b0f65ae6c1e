package client

import (
	"errors"
)

// proof is one SASL exchange.
type proof struct {
	mechanism string
	step      func(challenge []byte) ([]byte, error)
	success   func(data []byte) error
}

// newProof takes the mechanism: RFC 6120 6.3.3.
func newProof(cfg *Config, _ *conn, offered []string) (*proof, error) {
	m, err := strongest(cfg.Mechanism, offered, []string{"PLAIN"})
	if err != nil {
		return nil, err
	}
	first := true
	return &proof{
		mechanism: m,
		step: func([]byte) ([]byte, error) {
			if !first {
				return nil, errors.New("a challenge where none belongs")
			}
			first = false
			return []byte("\x00" + cfg.User + "\x00" + cfg.Password.Reveal()), nil // RFC 4616 2
		},
		success: func([]byte) error { return nil },
	}, nil
}
