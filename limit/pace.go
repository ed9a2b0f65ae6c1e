package limit

import (
	"context"
	"time"

	"golang.org/x/time/rate"
)

// Rates are what all sessions share: how much each may do a second.
type Rates struct {
	commands, bytes int
	hit             Hit
}

// NewRates makes the limits commands_per_second and bytes_per_second; one that
// is 0 or less does not limit.
func NewRates(commands, bytes int, hit Hit) *Rates { return &Rates{commands, bytes, hit} }

// Pace is the pace of one session. The zero Pace does not limit. A second's worth
// may come at once; what comes faster waits. A session that says little has no
// limiters: bytes are charged by the lot, a 64th of the rate at most, and a
// limiter is made with the first lot.
type Pace struct {
	rates     *Rates
	commands  *rate.Limiter
	bytes     *rate.Limiter
	uncharged int
}

// NewPace is the pace of a new session.
func NewPace(r *Rates) Pace { return Pace{rates: r} }

// mostUncharged bounds the lots in which bytes are charged.
const mostUncharged = 16 << 10

// Wait is told what was read and returns when the session may read on: at once,
// unless it is above its pace. It returns the error of ctx if that ends first.
func (p *Pace) Wait(ctx context.Context, commands, bytes int) error {
	if p.rates == nil {
		return nil
	}
	if most := p.rates.commands; most > 0 && commands > 0 {
		if err := p.rates.wait(ctx, &p.commands, "commands_per_second", most, commands); err != nil {
			return err
		}
	}
	if most := p.rates.bytes; most > 0 && bytes > 0 {
		if p.uncharged += bytes; p.uncharged >= min(most/64, mostUncharged) {
			lot := p.uncharged
			p.uncharged = 0
			return p.rates.wait(ctx, &p.bytes, "bytes_per_second", most, lot)
		}
	}
	return nil
}

// wait takes n from a limiter, in parts that it can give.
func (r *Rates) wait(ctx context.Context, l **rate.Limiter, limit string, most, n int) error {
	if *l == nil {
		*l = rate.NewLimiter(rate.Limit(most), most)
	}
	told := false
	for n > 0 {
		part := min(n, most)
		n -= part
		delay := (*l).ReserveN(time.Now(), part).Delay()
		if delay <= 0 {
			continue
		}
		if !told {
			r.hit.met(limit)
			told = true
		}
		timer := time.NewTimer(delay)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
	return nil
}
