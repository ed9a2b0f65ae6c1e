package exchange

import (
	"context"

	"parley/im"
)

// Listed lists at most n of those in the user directory whom fits takes, by address; without their keys.
func (x *Exchange) Listed(ctx context.Context, n int, fits func(im.Account) bool) (l []im.Account, err error) {
	after := ""
	for {
		page, err := x.Accounts(ctx, after, 500)
		if err != nil || len(page) == 0 {
			return l, err
		}
		for _, a := range page {
			if after = a.Address.String(); !a.Profile.Listed || a.Disabled {
				continue
			}
			a.Keys = nil
			if fits(a) {
				if l = append(l, a); len(l) == n {
					return l, nil
				}
			}
		}
	}
}
